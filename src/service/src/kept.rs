//! What must not be lost: a form that was sent when its session had ended or a proof was missing. It is sealed and lives for
//! a quarter of an hour.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use vestibule_core::{
    id::{AccountId, CompanyId, SessionId},
    limits::KEPT_SECONDS,
    refusal::Refusal,
    secret::Token,
};
use vestibule_storage::{KeptRow, NewKept, Writer};
use zeroize::Zeroizing;

use crate::{
    Failure, Service, SignIn, Visitor,
    keys::{Purpose, Unsealable},
    sessions::SignedIn,
};

/// A form that is kept, without its secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptForm {
    /// Where it is sent to.
    pub path: String,
    /// Its page: what is sent to one address may be about different things.
    #[serde(default)]
    pub page: String,
    /// Its fields, in the order in which they were sent.
    pub fields: Vec<(String, String)>,
}

/// Whose form is kept.
struct Owner {
    session: SessionId,
    company: CompanyId,
    account: AccountId,
}

impl SignIn {
    /// Keeps a form for the account of this browser's session, be it alive or over; gives by what the browser finds it
    /// again. `None`: it has no session and had none, or whoever had it has signed out: then somebody else may sit there.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn keep_form(&self, form: &KeptForm, visitor: &Visitor) -> Result<Option<Token>, Refusal> {
        visitor
            .attempt(async {
                let owner = match self.find_session(visitor).await? {
                    Some(SignedIn { session, account, .. }) => Some(Owner {
                        session,
                        company: account.company,
                        account: account.id,
                    }),
                    None => self.find_interrupted(visitor).await?.map(|ended| Owner {
                        session: ended.session,
                        company: ended.company,
                        account: ended.account,
                    }),
                };
                let Some(owner) = owner else {
                    return Ok(None);
                };
                let token = match &visitor.kept {
                    Some(token) => token.clone(),
                    None => Token::new(self.random()),
                };
                let mut writer = self.inner.store.write().await?;
                writer.hold_account(owner.company, owner.account).await?;
                // It may be gone by now, and everything of it.
                if writer.account(owner.company, owner.account).await?.is_none() {
                    return Ok(None);
                }
                self.keep(&mut writer, &owner, &token, form).await?;
                writer.commit().await?;
                Ok(Some(token))
            })
            .await
    }

    /// The forms that this browser has kept for whoever is signed in, the newest first. Changes nothing.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn kept_forms(&self, visitor: &Visitor) -> Result<Vec<KeptForm>, Refusal> {
        visitor
            .attempt(async {
                let Some(token) = &visitor.kept else {
                    return Ok(Vec::new());
                };
                let Some(SignedIn { account, .. }) = self.find_session(visitor).await? else {
                    return Ok(Vec::new());
                };
                let mut reader = self.inner.store.read().await?;
                let rows = reader
                    .kept_by_token(token.hash(), (account.company, account.id))
                    .await?;
                Ok(rows.iter().filter_map(|row| self.opened(row)).collect())
            })
            .await
    }

    /// Throws a form away that this browser has kept for whoever is signed in: it was sent. What somebody else has kept in
    /// this browser stays, and what is about something else.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn drop_kept_form(&self, path: &str, page: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let (Some(token), Some(session)) = (&visitor.kept, &visitor.session) else {
                    return Ok(());
                };
                let mut reader = self.inner.store.read().await?;
                let owner = reader.session_to_end(session.hash()).await?;
                drop(reader);
                let Some((company, account, _)) = owner else {
                    return Ok(());
                };
                let mut writer = self.inner.store.write_one().await?;
                writer
                    .drop_kept(token.hash(), (company, account), &key(path, page))
                    .await?;
                Ok(writer.commit().await?)
            })
            .await
    }
}

impl Service {
    async fn keep(
        &self,
        writer: &mut Writer,
        owner: &Owner,
        token: &Token,
        form: &KeptForm,
    ) -> Result<(), Failure> {
        let plain = Zeroizing::new(serde_json::to_vec(form).map_err(|_| Unsealable)?);
        let key = key(&form.path, &form.page);
        let context = context(owner.session, &key);
        let sealed = self
            .inner
            .keys
            .seal(Purpose::Kept, &context, &plain, self.random())?;
        let new = NewKept {
            session: owner.session,
            path: &key,
            company: owner.company,
            account: owner.account,
            token_hash: token.hash(),
            sealed: &sealed,
            expires_at: self.database_now() + TimeDelta::seconds(KEPT_SECONDS),
        };
        Ok(writer.put_kept(&new).await?)
    }

    /// What is kept in a row; nothing when its time is over, or no key opens it.
    fn opened(&self, row: &KeptRow) -> Option<KeptForm> {
        if row.expires_at <= self.database_now() {
            return None;
        }
        let context = context(row.session, &row.path);
        let plain = self.inner.keys.open(Purpose::Kept, &context, &row.sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// What a form is known by among those of its account.
fn key(path: &str, page: &str) -> String {
    [path, " ", page].concat()
}

/// What is kept for one session and form opens for no other.
fn context(session: SessionId, key: &str) -> Vec<u8> {
    [session.0.as_bytes(), key.as_bytes()].concat()
}
