//! A sign-out that an application asks for (OpenID Connect RP-Initiated Logout 1.0).

use crate::{
    id::{ApplicationId, PublicId, SessionId},
    oidc::{
        application::Application,
        parameters::{Doubled, Parameters, with_parameters},
    },
};

/// What an ID token of ours says that an application shows again, whenever it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hinted {
    /// To which application it was given.
    pub application: ApplicationId,
    /// About whom it is.
    pub subject: PublicId,
    /// In which session it was given.
    pub session: SessionId,
}

/// A request to sign out, as it was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LogoutRequest {
    /// An ID token.
    pub id_token_hint: Option<String>,
    /// Which application asks.
    pub application: Option<ApplicationId>,
    /// Where the browser is to go afterwards.
    pub redirect_uri: Option<String>,
    /// What the application gave along for itself.
    pub state: Option<String>,
    /// Language tags, the best first.
    pub ui_locales: Vec<String>,
}

impl std::fmt::Debug for LogoutRequest {
    /// Without the token that came along, and the application's state.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogoutRequest")
            .field("application", &self.application)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// The request cannot be followed: it shows a page, and leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLogout;

/// What becomes of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningOut {
    /// The session ends at once: the application has shown that it is its own.
    AtOnce,
    /// The agent is asked: anybody could have sent the browser here.
    Ask,
}

impl LogoutRequest {
    /// Reads query or form.
    ///
    /// # Errors
    /// [`BadLogout`] when a parameter comes twice, or names what can be no application of ours.
    pub fn read(parameters: &Parameters) -> Result<Self, BadLogout> {
        let one = |name| {
            let found = parameters.one(name).map_err(|Doubled| BadLogout)?;
            Ok(found.map(str::to_owned))
        };
        let application = match one("client_id")? {
            Some(id) => Some(ApplicationId::parse(&id).ok_or(BadLogout)?),
            None => None,
        };
        let locales = one("ui_locales")?.unwrap_or_default();
        Ok(Self {
            id_token_hint: one("id_token_hint")?,
            application,
            redirect_uri: one("post_logout_redirect_uri")?,
            state: one("state")?,
            ui_locales: locales
                .split(' ')
                .filter(|tag| !tag.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Which application the request is of. `hinted` is what its ID token says, when one was sent and is ours.
    ///
    /// # Errors
    /// [`BadLogout`] when a token was sent that is not ours, or one of another application.
    pub fn asked_by(&self, hinted: Option<Hinted>) -> Result<Option<ApplicationId>, BadLogout> {
        if self.id_token_hint.is_some() && hinted.is_none() {
            return Err(BadLogout);
        }
        match (hinted.map(|hinted| hinted.application), self.application) {
            (Some(of_token), Some(named)) if of_token != named => Err(BadLogout),
            (of_token, named) => Ok(of_token.or(named)),
        }
    }

    /// Where the browser goes after the sign-out; `None` = it stays here. Only an address that the application has named
    /// will do, and only when it is certain which application asks.
    ///
    /// # Errors
    /// [`BadLogout`].
    pub fn redirect(&self, application: Option<&Application>) -> Result<Option<String>, BadLogout> {
        let Some(uri) = &self.redirect_uri else {
            return Ok(None);
        };
        if !application.is_some_and(|application| application.allows_logout_redirect(uri)) {
            return Err(BadLogout);
        }
        let state = self.state.as_ref().map(|state| [("state", state.as_str())]);
        Ok(Some(with_parameters(
            uri,
            state.as_ref().map_or(&[], |pairs| pairs),
        )))
    }
}

impl SigningOut {
    /// Whether the session of the browser, which is this account's, ends at once.
    pub fn of(hinted: Option<Hinted>, session: SessionId, subject: PublicId) -> Self {
        match hinted {
            Some(hinted) if hinted.session == session && hinted.subject == subject => Self::AtOnce,
            _ => Self::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::oidc::{application::ApplicationKind, tests::application};

    const BYE: &str = "https://desktop.acme.test/bye?from=vestibule";

    fn hinted() -> Hinted {
        Hinted {
            application: application(ApplicationKind::Web).id,
            subject: PublicId(Uuid::from_u128(1)),
            session: SessionId(Uuid::from_u128(2)),
        }
    }

    fn asking(uri: &str) -> LogoutRequest {
        LogoutRequest {
            redirect_uri: Some(uri.into()),
            state: Some("s&".into()),
            ..LogoutRequest::default()
        }
    }

    /// `oidcc-rp-initiated-logout`, `oidcc-rp-initiated-logout-no-state`,
    /// `oidcc-rp-initiated-logout-no-post-logout-redirect-uri`,
    /// `oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`,
    /// `oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri`
    #[test]
    fn a_browser_goes_only_where_the_application_has_said() {
        let web = application(ApplicationKind::Web);
        assert_eq!(
            asking(BYE).redirect(Some(&web)),
            Ok(Some(format!("{BYE}&state=s%26")))
        );
        let silent = LogoutRequest {
            state: None,
            ..asking(BYE)
        };
        assert_eq!(silent.redirect(Some(&web)), Ok(Some(BYE.to_owned())));
        assert_eq!(LogoutRequest::default().redirect(None), Ok(None));
        for (uri, application) in [
            (BYE, None),
            ("https://desktop.acme.test/bye", Some(&web)),
            ("https://desktop.acme.test/bye?from=vestibule&more", Some(&web)),
            ("https://evil.test/", Some(&web)),
            ("javascript:alert(1)", Some(&web)),
        ] {
            assert_eq!(asking(uri).redirect(application), Err(BadLogout), "{uri}");
        }
    }

    /// `oidcc-rp-initiated-logout-bad-id-token-hint`, `oidcc-rp-initiated-logout-modified-id-token-hint`,
    /// `oidcc-rp-initiated-logout-no-id-token-hint`, `oidcc-rp-initiated-logout-no-params`,
    /// `oidcc-rp-initiated-logout-only-state`
    #[test]
    fn an_application_is_believed_only_by_a_token_of_ours() {
        let own = hinted().application;
        let other = ApplicationId(Uuid::from_u128(7));
        let with = |token: bool, application| LogoutRequest {
            id_token_hint: token.then(|| "x.y.z".to_owned()),
            application,
            ..LogoutRequest::default()
        };
        assert_eq!(with(true, None).asked_by(Some(hinted())), Ok(Some(own)));
        assert_eq!(with(true, Some(own)).asked_by(Some(hinted())), Ok(Some(own)));
        assert_eq!(with(false, Some(own)).asked_by(None), Ok(Some(own)));
        assert_eq!(with(false, None).asked_by(None), Ok(None));
        assert_eq!(with(true, None).asked_by(None), Err(BadLogout));
        assert_eq!(with(true, Some(other)).asked_by(Some(hinted())), Err(BadLogout));
        for bad in ["client_id=nobody", "state=a&state=b"] {
            assert_eq!(
                LogoutRequest::read(&Parameters::parse(bad)),
                Err(BadLogout),
                "{bad}"
            );
        }
        let secret =
            LogoutRequest::read(&Parameters::parse("state=secret-s&id_token_hint=secret-t")).unwrap();
        assert!(!format!("{secret:?}").contains("secret"));
        let read = LogoutRequest::read(&Parameters::parse("state=a&ui_locales=de+fr")).unwrap();
        assert_eq!((read.state.as_deref(), read.ui_locales.len()), (Some("a"), 2));
    }

    #[test]
    fn nobody_is_signed_out_by_a_link_of_somebody_else() {
        let Hinted { session, subject, .. } = hinted();
        assert_eq!(
            SigningOut::of(Some(hinted()), session, subject),
            SigningOut::AtOnce
        );
        assert_eq!(SigningOut::of(None, session, subject), SigningOut::Ask);
        let (other_session, somebody) = (SessionId(Uuid::nil()), PublicId(Uuid::nil()));
        assert_eq!(
            SigningOut::of(Some(hinted()), other_session, subject),
            SigningOut::Ask
        );
        assert_eq!(SigningOut::of(Some(hinted()), session, somebody), SigningOut::Ask);
    }
}
