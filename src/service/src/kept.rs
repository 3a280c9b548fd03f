//! What must not be lost: a form that was sent when its session had ended or a proof was missing, and codes that are shown
//! once. Both are sealed and live for a quarter of an hour.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vestibule_core::{
    account::Account,
    backup_code::BackupCode,
    id::{AccountId, CompanyId, SessionId},
    limits::KEPT_SECONDS,
    paths::SECURITY_BACKUP_CODES_NEW,
    refusal::Refusal,
    secret::Token,
};
use vestibule_storage::{KeptRow, NewKept, Writer};
use zeroize::Zeroizing;

use crate::{
    Failure, Profile, Service, SignIn, Visitor,
    keys::{Purpose, Unsealable},
    sessions::{Need, SignedIn},
};

/// A form that is kept, without its secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptForm {
    /// Where it is sent to.
    pub path: String,
    /// Its fields, in the order in which they were sent.
    pub fields: Vec<(String, String)>,
}

/// Codes that were just made.
#[derive(Serialize, Deserialize)]
struct ShownCodes(Zeroizing<Vec<String>>);

/// What is kept, and of whom.
struct Owner {
    session: SessionId,
    company: CompanyId,
    account: AccountId,
}

impl SignIn {
    /// Keeps a form for the account of this browser's session, be it alive or over; gives by what the browser finds it
    /// again. `None`: it has no session and had none.
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
                    None => self.find_ended(visitor).await?.map(|ended| Owner {
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
                // It may be gone by now, and everything of it.
                if writer.account(owner.company, owner.account).await?.is_none() {
                    return Ok(None);
                }
                self.keep(&mut writer, &owner, &form.path, Some(&token), form)
                    .await?;
                writer.commit().await?;
                Ok(Some(token))
            })
            .await
    }

    /// The forms that this browser has kept for whoever is signed in. Changes nothing.
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

    /// Throws a form away that this browser has kept: it was sent.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn drop_kept_form(&self, path: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let Some(token) = &visitor.kept else {
                    return Ok(());
                };
                let mut writer = self.inner.store.write_one().await?;
                writer.drop_kept(token.hash(), path).await?;
                Ok(writer.commit().await?)
            })
            .await
    }
}

impl Profile {
    /// The backup codes that were made in this session moments ago, as they are typed. `None`: none were.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`].
    pub async fn new_codes(&self, visitor: &Visitor) -> Result<Option<Zeroizing<Vec<String>>>, Refusal> {
        visitor
            .attempt(async {
                let SignedIn { session, account, .. } = self.require(Need::SetUp, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let row = reader
                    .kept_of_session(session, SECURITY_BACKUP_CODES_NEW)
                    .await?
                    .filter(|row| row.account == account.id);
                let shown = row.and_then(|row| self.opened::<ShownCodes>(&row));
                Ok(shown.map(|shown| shown.0))
            })
            .await
    }
}

impl Service {
    /// Keeps backup codes for the page that shows them, as part of the transaction that makes them.
    pub(crate) async fn keep_codes(
        &self,
        writer: &mut Writer,
        (session, account): (SessionId, &Account),
        codes: &[BackupCode],
    ) -> Result<(), Failure> {
        let owner = Owner {
            session,
            company: account.company,
            account: account.id,
        };
        let shown = ShownCodes(Zeroizing::new(codes.iter().map(BackupCode::reveal).collect()));
        self.keep(writer, &owner, SECURITY_BACKUP_CODES_NEW, None, &shown)
            .await
    }

    async fn keep(
        &self,
        writer: &mut Writer,
        owner: &Owner,
        path: &str,
        token: Option<&Token>,
        what: &impl Serialize,
    ) -> Result<(), Failure> {
        let plain = Zeroizing::new(serde_json::to_vec(what).map_err(|_| Unsealable)?);
        let context = context(owner.session, path);
        let sealed = self
            .inner
            .keys
            .seal(Purpose::Kept, &context, &plain, self.random())?;
        let new = NewKept {
            session: owner.session,
            path,
            company: owner.company,
            account: owner.account,
            token_hash: token.map(Token::hash),
            sealed: &sealed,
            expires_at: self.database_now() + TimeDelta::seconds(KEPT_SECONDS),
        };
        Ok(writer.put_kept(&new).await?)
    }

    /// What is kept in a row; nothing when its time is over, or no key opens it.
    fn opened<T: DeserializeOwned>(&self, row: &KeptRow) -> Option<T> {
        if row.expires_at <= self.database_now() {
            return None;
        }
        let context = context(row.session, &row.path);
        let plain = self.inner.keys.open(Purpose::Kept, &context, &row.sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// What is kept for one session and page opens for no other.
fn context(session: SessionId, path: &str) -> Vec<u8> {
    [session.0.as_bytes(), path.as_bytes()].concat()
}
