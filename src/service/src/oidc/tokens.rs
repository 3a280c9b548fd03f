//! The endpoints that applications speak to themselves: tokens for codes and refresh tokens, what an access token lets them
//! know, whether a token is good, and its end.

use chrono::TimeDelta;
use serde::Serialize;
use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    id::{ApplicationId, IssuedTokenId},
    limits::ACCESS_TOKEN_SECONDS,
    oidc::{
        application::Application,
        claims::{Acr, ActiveToken, IdClaims, Introspection, UserClaims, amr, seconds},
        error::{Described, TokenError},
        parameters::{Doubled, Parameters},
        scope::{Scope, Scopes},
        token::{CodeFacts, Refreshing, TokenRequest, at_hash, narrowed, worthless},
    },
    secret::Token,
    session::TOUCH_SECONDS,
};
use vestibule_storage::{
    AccessTokenRow, GrantRow, NewAccessToken, RefreshTokenRow, StoreError, Writer, again,
};

use super::{EndpointError, Trouble, keys::ID_TOKEN};
use crate::{
    Failure, Issuer, Service, Visitor,
    keys::{Purpose, Unsealable},
};

/// What the token endpoint answers (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3). It holds secrets, so it
/// has no `Debug`.
#[derive(Serialize)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    id_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// What an access token lets its bearer know.
pub struct ActiveUser {
    /// The claims.
    pub claims: UserClaims,
    /// The application that the token was given to.
    pub application: Application,
}

/// The tokens that are about to be given.
struct Fresh<'a> {
    grant: &'a GrantRow,
    application: &'a Application,
    scopes: Scopes,
    access: Token,
    refresh: Option<Token>,
    /// What came with the request; not said again when tokens are refreshed.
    nonce: Option<&'a str>,
}

const MISSING: Described<TokenError> = Described::new(TokenError::InvalidRequest, "token is missing");

impl Issuer {
    /// Tokens for a code or a refresh token. `header` is the request's `Authorization`. Gives the application too, whose own
    /// scripts may read the answer.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub async fn tokens(
        &self,
        header: Option<&str>,
        form: &Parameters,
        visitor: &Visitor,
    ) -> Result<(TokenAnswer, Application), EndpointError> {
        let given = async {
            let request = TokenRequest::read(form)?;
            let application = self.client(header, form, visitor).await?;
            let answer = match request {
                TokenRequest::Code {
                    code,
                    redirect_uri,
                    verifier,
                } => {
                    let code = code.ok_or(worthless())?;
                    let proofs = (redirect_uri.as_deref(), verifier.as_deref());
                    self.redeem(&code, proofs, &application, visitor).await?
                }
                TokenRequest::Refresh { token, scopes } => {
                    let token = token.ok_or(worthless())?;
                    self.refresh(&token, scopes, &application, visitor).await?
                }
            };
            Ok((answer, application))
        };
        given.await.map_err(|trouble: Trouble| trouble.told(visitor))
    }

    /// What the bearer of an access token may know; `None` when the token is worth nothing.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn user(&self, token: &str, visitor: &Visitor) -> Result<Option<ActiveUser>, EndpointError> {
        let found = async {
            let row = self.good_access_token(token).await?;
            Ok(row.map(|row| {
                let session = &row.grant.session;
                let scopes = Scopes::parse(&row.scopes);
                ActiveUser {
                    claims: UserClaims::of(&session.company, &session.account, &scopes),
                    application: row.application,
                }
            }))
        };
        found.await.map_err(|trouble: Trouble| trouble.told(visitor))
    }

    /// Whether a token is good, for an application with a secret: of its own, or of another one of the same company.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub async fn introspect(
        &self,
        header: Option<&str>,
        form: &Parameters,
        visitor: &Visitor,
    ) -> Result<Introspection, EndpointError> {
        self.introspected(header, form, visitor)
            .await
            .map_err(|trouble| trouble.told(visitor))
    }

    /// Ends a token of an application; one that is worth nothing has ended already (RFC 7009).
    ///
    /// # Errors
    /// [`EndpointError`].
    pub async fn revoke(
        &self,
        header: Option<&str>,
        form: &Parameters,
        visitor: &Visitor,
    ) -> Result<(), EndpointError> {
        self.revoked(header, form, visitor)
            .await
            .map_err(|trouble| trouble.told(visitor))
    }
}

impl Service {
    async fn redeem(
        &self,
        code: &Token,
        (redirect_uri, verifier): (Option<&str>, Option<&str>),
        application: &Application,
        visitor: &Visitor,
    ) -> Result<TokenAnswer, Trouble> {
        let now = self.now();
        let found = self.inner.store.read().await?.grant_by_code(code.hash()).await?;
        let grant = found.ok_or(worthless())?;
        if grant.code_used_at.is_some() && grant.application == application.id {
            self.end_reused(&grant, application, visitor).await?;
            return Err(worthless().into());
        }
        let facts = CodeFacts {
            application: grant.application,
            redirect_uri: &grant.redirect_uri,
            challenge: grant.challenge,
            given_at: grant.created_at,
        };
        facts.redeem(application.id, redirect_uri, verifier, now)?;
        if !self.is_grant_good(&grant, application) {
            return Err(worthless().into());
        }
        let scopes = Scopes::parse(&grant.scopes);
        let fresh = Fresh {
            grant: &grant,
            application,
            access: Token::new(self.random()),
            refresh: scopes
                .has(Scope::OfflineAccess)
                .then(|| Token::new(self.random())),
            scopes,
            nonce: grant.nonce.as_deref(),
        };
        // Signed first: what cannot be signed uses no code.
        let answer = self.sign_tokens(&fresh).await?;
        let used = again(async || {
            let mut writer = self.inner.store.write().await?;
            if !writer.use_authorization_code(grant.id, now).await? {
                return Ok::<_, StoreError>(false);
            }
            self.store_tokens(&mut writer, &fresh).await?;
            writer.commit().await?;
            Ok(true)
        })
        .await?;
        if !used {
            // Somebody else was faster: one of the two has a copy.
            self.end_reused(&grant, application, visitor).await?;
            return Err(worthless().into());
        }
        Ok(answer)
    }

    async fn refresh(
        &self,
        token: &Token,
        asked: Option<Scopes>,
        application: &Application,
        visitor: &Visitor,
    ) -> Result<TokenAnswer, Trouble> {
        loop {
            let answer = self
                .try_refresh(token, asked.clone(), application, visitor)
                .await?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
    }

    /// `None` when somebody else was faster, perhaps with other keys: what was given there has to be given here.
    async fn try_refresh(
        &self,
        token: &Token,
        asked: Option<Scopes>,
        application: &Application,
        visitor: &Visitor,
    ) -> Result<Option<TokenAnswer>, Trouble> {
        let now = self.now();
        let found = self.inner.store.read().await?.refresh_token(token.hash()).await?;
        let RefreshTokenRow { used_at, grant } = found.ok_or(worthless())?;
        if grant.application != application.id {
            return Err(worthless().into());
        }
        let mut following = self.following(token).into_iter().next().ok_or(Unsealable)?;
        let mut answer_unused = used_at.is_none();
        if Refreshing::of(used_at, true, now) == Refreshing::Repeat
            && let Some((given, is_unused)) = self.given_for(token).await?
        {
            (following, answer_unused) = (given, is_unused);
        }
        let [access, next] = following;
        let refreshing = Refreshing::of(used_at, answer_unused, now);
        if refreshing == Refreshing::EndFamily {
            self.end_reused(&grant, application, visitor).await?;
        }
        if refreshing == Refreshing::EndFamily || !self.is_grant_good(&grant, application) {
            return Err(worthless().into());
        }
        let fresh = Fresh {
            grant: &grant,
            application,
            scopes: narrowed(&Scopes::parse(&grant.scopes), asked)?,
            access,
            refresh: Some(next),
            nonce: None,
        };
        let answer = self.sign_tokens(&fresh).await?;
        let is_done = again(async || {
            let mut writer = self.inner.store.write().await?;
            let is_first = writer.use_refresh_token(token.hash(), now).await?;
            if used_at.is_none() && !is_first {
                return Ok::<_, StoreError>(false);
            }
            self.store_tokens(&mut writer, &fresh).await?;
            // Whoever works in an application is active.
            let session = &grant.session;
            if now - session.last_used_at >= TimeDelta::seconds(TOUCH_SECONDS) {
                writer.touch_session(session.company.id, session.id, now).await?;
            }
            writer.commit().await?;
            Ok(true)
        })
        .await?;
        Ok(is_done.then_some(answer))
    }

    /// The access token and the refresh token that take the place of a refresh token, made with each version of the keys that
    /// is here, the newest first. They follow from it, so that whoever sends it once more, because the answer was lost, gets
    /// the same.
    fn following(&self, token: &Token) -> Vec<[Token; 2]> {
        let values: [&[&[u8]]; 2] = [
            &[b"access token", token.bytes()],
            &[b"refresh token", token.bytes()],
        ];
        let made = self.inner.keys.derive_with_each(Purpose::Refresh, values);
        made.into_iter().map(|pair| pair.map(Token::from_bytes)).collect()
    }

    /// Those that were given for a refresh token, and whether its successor was never shown; `None` when none were. The keys may
    /// have been rotated since: then the newest version makes another pair, and to give that one too would leave two families
    /// of which neither shows a copy.
    async fn given_for(&self, token: &Token) -> Result<Option<([Token; 2], bool)>, StoreError> {
        let mut reader = self.inner.store.read().await?;
        for _ in 0..2 {
            for [access, next] in self.following(token) {
                if let Some(row) = reader.refresh_token(next.hash()).await? {
                    return Ok(Some(([access, next], row.used_at.is_none())));
                }
            }
            // Another server may have rotated them a moment ago.
            self.inner.keys.reload();
        }
        Ok(None)
    }

    async fn store_tokens(&self, writer: &mut Writer, fresh: &Fresh<'_>) -> Result<(), StoreError> {
        let now = self.now();
        writer
            .insert_access_token(&NewAccessToken {
                id: IssuedTokenId::new(now, self.random()),
                grant: fresh.grant.id,
                hash: fresh.access.hash(),
                scopes: fresh.scopes.to_string(),
                created_at: now,
                expires_at: now + TimeDelta::seconds(ACCESS_TOKEN_SECONDS),
            })
            .await?;
        if let Some(refresh) = &fresh.refresh {
            let id = IssuedTokenId::new(now, self.random());
            writer
                .insert_refresh_token(id, fresh.grant.id, refresh.hash(), now)
                .await?;
        }
        Ok(())
    }

    async fn sign_tokens(&self, fresh: &Fresh<'_>) -> Result<TokenAnswer, Failure> {
        let now = self.now();
        let Fresh {
            grant, application, ..
        } = fresh;
        let access_token = fresh.access.reveal();
        let session = &grant.session;
        let claims = IdClaims {
            iss: &self.inner.settings.origin,
            aud: application.id.to_string(),
            exp: seconds(now) + ACCESS_TOKEN_SECONDS,
            iat: seconds(now),
            auth_time: seconds(grant.proved_at),
            nonce: fresh.nonce,
            acr: Acr::of(grant.proof).as_str(),
            amr: amr(grant.proof),
            sid: session.id,
            at_hash: at_hash(&access_token),
            user: UserClaims::of(&session.company, &session.account, &fresh.scopes),
        };
        Ok(TokenAnswer {
            id_token: self.sign(application.settings.signing, ID_TOKEN, &claims).await?,
            access_token,
            token_type: "Bearer",
            expires_in: ACCESS_TOKEN_SECONDS,
            scope: fresh.scopes.to_string(),
            refresh_token: fresh.refresh.as_ref().map(Token::reveal),
        })
    }

    /// Ends all tokens that came of a sign-in, because a code or a refresh token of it was sent a second time. The
    /// application is told of the session's end all the same: whoever has a copy must not be able to prevent it.
    async fn end_reused(
        &self,
        grant: &GrantRow,
        application: &Application,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        if grant.is_over {
            return Ok(());
        }
        let mut writer = self.inner.store.write().await?;
        if !writer.end_grant(grant.id).await? {
            // It has ended meanwhile, with the session or because of somebody else who saw the same.
            return Ok(());
        }
        let session = &grant.session;
        let entry = AuditEntry {
            actor: Actor::System,
            detail: Some(application.settings.name.clone()),
            ..visitor.entry(
                Event::TokenReused,
                Some(session.company.id),
                Some(session.account.id),
            )
        };
        self.record(&mut writer, &entry).await?;
        writer.commit().await
    }

    async fn good_access_token(&self, token: &str) -> Result<Option<AccessTokenRow>, Trouble> {
        let Some(token) = Token::parse(token) else {
            return Ok(None);
        };
        let found = self.inner.store.read().await?.access_token(token.hash()).await?;
        let now = self.now();
        Ok(found.filter(|row| now < row.expires_at && self.is_grant_good(&row.grant, &row.application)))
    }

    async fn introspected(
        &self,
        header: Option<&str>,
        form: &Parameters,
        visitor: &Visitor,
    ) -> Result<Introspection, Trouble> {
        let asking = self.client(header, form, visitor).await?;
        if asking.is_public() {
            return Err(vestibule_core::oidc::client::unknown().into());
        }
        let doubled = |Doubled| Described::new(TokenError::InvalidRequest, "token comes twice");
        let token = form.one("token").map_err(doubled)?.ok_or(MISSING)?;
        let inactive = Introspection::Inactive { active: false };
        let active = |grant: &GrantRow, scope: &str, exp, iat, token_type| {
            let account = &grant.session.account;
            Introspection::Active(Box::new(ActiveToken {
                active: true,
                scope: scope.to_owned(),
                client_id: grant.application.to_string(),
                token_type,
                exp: seconds(exp),
                iat: seconds(iat),
                iss: self.inner.settings.origin.clone(),
                sub: account.public_id,
                username: account.name.clone(),
            }))
        };
        if let Some(row) = self.good_access_token(token).await? {
            if !asking.serves(row.grant.session.company.id) {
                return Ok(inactive);
            }
            let AccessTokenRow {
                expires_at,
                created_at,
                scopes,
                grant,
                ..
            } = &row;
            return Ok(active(grant, scopes, *expires_at, *created_at, Some("Bearer")));
        }
        let Some(row) = self.own_refresh_token(token, asking.id).await? else {
            return Ok(inactive);
        };
        if row.used_at.is_some() || !self.is_grant_good(&row.grant, &asking) {
            return Ok(inactive);
        }
        let grant = &row.grant;
        Ok(active(
            grant,
            &grant.scopes,
            grant.session.ends_at,
            grant.created_at,
            None,
        ))
    }

    async fn own_refresh_token(
        &self,
        token: &str,
        application: ApplicationId,
    ) -> Result<Option<RefreshTokenRow>, StoreError> {
        let Some(token) = Token::parse(token) else {
            return Ok(None);
        };
        let found = self.inner.store.read().await?.refresh_token(token.hash()).await?;
        Ok(found.filter(|row| row.grant.application == application))
    }

    async fn revoked(
        &self,
        header: Option<&str>,
        form: &Parameters,
        visitor: &Visitor,
    ) -> Result<(), Trouble> {
        let asking = self.client(header, form, visitor).await?;
        let doubled = |Doubled| Described::new(TokenError::InvalidRequest, "token comes twice");
        let token = form.one("token").map_err(doubled)?.ok_or(MISSING)?;
        let Some(parsed) = Token::parse(token) else {
            return Ok(());
        };
        if let Some(row) = self.own_refresh_token(token, asking.id).await? {
            let mut writer = self.inner.store.write_one().await?;
            writer.end_grant(row.grant.id).await?;
            return Ok(writer.commit().await?);
        }
        let found = self.inner.store.read().await?.access_token(parsed.hash()).await?;
        if found.is_some_and(|row| row.grant.application == asking.id) {
            let mut writer = self.inner.store.write_one().await?;
            writer.delete_access_token(parsed.hash()).await?;
            writer.commit().await?;
        }
        Ok(())
    }
}
