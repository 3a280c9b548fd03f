//! Sign-in with Google and Office 365: what companies say about providers, whose identity is whose, and browsers on their
//! way.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId, PendingId, SessionId, SsoFlowId},
    ports::Moment,
    secret::TokenHash,
    sso::{Identity, Provider},
};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute, optional},
};

const APPLICATION: &str = "sso_application";
pub(crate) const APPLICATIONS: &str = "SELECT company_id, provider, version, enabled, client_id, sealed_secret, \
    tenants, trusted, changed_at FROM sso_application WHERE company_id = $1 ORDER BY provider";
pub(crate) const SECRETS_AFTER: &str = "SELECT company_id, provider, sealed_secret FROM sso_application \
    WHERE (company_id, provider) > ($1, $2) AND sealed_secret IS NOT NULL ORDER BY company_id, provider LIMIT $3";
/// Whether any enabled company lets its accounts in by a provider: through the installation's application, if there is
/// one, or through its own.
macro_rules! in_use {
    ($installation:literal, $provider:literal) => {
        concat!(
            "(",
            $installation,
            " AND EXISTS (SELECT 1 FROM company c \
             LEFT JOIN sso_application a ON a.company_id = c.id AND a.provider = ",
            $provider,
            " WHERE c.enabled AND (a.company_id IS NULL OR (a.enabled AND a.client_id IS NULL))) \
             OR EXISTS (SELECT 1 FROM sso_application a JOIN company c ON c.id = a.company_id WHERE a.provider = ",
            $provider,
            " AND a.enabled AND a.client_id IS NOT NULL AND c.enabled))"
        )
    };
}
/// One question for every view of the sign-in page.
const IN_USE: &str = concat!(
    "SELECT ",
    in_use!("$1", "'google'"),
    ", ",
    in_use!("$2", "'office365'")
);
const INSERT_APPLICATION: &str = "INSERT INTO sso_application (company_id, provider, version, enabled, client_id, \
    sealed_secret, tenants, trusted, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
    ON CONFLICT (company_id, provider) DO NOTHING";
const UPDATE_APPLICATION: &str = "UPDATE sso_application SET version = $3, enabled = $4, client_id = $5, \
    sealed_secret = $6, tenants = $7, trusted = $8, changed_at = $9 \
    WHERE company_id = $1 AND provider = $2 AND version = $10";
const RESEAL_SECRET: &str = "UPDATE sso_application SET sealed_secret = $4 \
    WHERE company_id = $1 AND provider = $2 AND sealed_secret = $3";

pub(crate) const OF_ACCOUNT: &str = "SELECT account_id, provider, identity_key, shown, linked_at FROM sso_identity \
    WHERE company_id = $1 AND account_id = $2 ORDER BY provider";
pub(crate) const LINKED: &str = "SELECT company_id, account_id FROM sso_identity \
    WHERE provider = $1 AND identity_key = $2 ORDER BY company_id";
/// Of several at once the first one wins, whichever of the two rules the others break.
const LINK_IDENTITY: &str = "INSERT INTO sso_identity (company_id, account_id, provider, identity_key, shown, linked_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
pub(crate) const UNLINK: &str =
    "DELETE FROM sso_identity WHERE company_id = $1 AND account_id = $2 AND provider = $3";

pub(crate) const ONLY_BY: &str = "SELECT i.identity_key, i.shown FROM sso_identity i \
    JOIN account a ON a.company_id = i.company_id AND a.id = i.account_id \
    WHERE i.company_id = $1 AND i.provider = $2 AND a.password_hash IS NULL";

/// Of several answers at once, one is taken: on one node and on several. Nobody reads `state_hash` any more, but nodes of the
/// version before still write it: it goes when they are gone.
const INSERT_FLOW: &str = "INSERT INTO sso_flow (id, token_hash, state_hash, provider, company_id, session_id, sealed, \
    next, created_at, expires_at) VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
pub(crate) const ANSWER_FLOW: &str = "UPDATE sso_flow SET identity_key = $2, shown = $3, answered_at = $4 \
    WHERE id = $1 AND answered_at IS NULL";
macro_rules! flow_columns {
    () => {
        "id, provider, company_id, session_id, pending_id, sealed, next, identity_key, shown, answered_at, expires_at"
    };
}
pub(crate) const FLOW_BY_TOKEN: &str =
    concat!("SELECT ", flow_columns!(), " FROM sso_flow WHERE token_hash = $1");
pub(crate) const FLOW_OF_PENDING: &str =
    concat!("SELECT ", flow_columns!(), " FROM sso_flow WHERE pending_id = $1");
pub(crate) const SET_FLOW_PENDING: &str =
    "UPDATE sso_flow SET pending_id = $2 WHERE id = $1 AND identity_key IS NOT NULL";
/// The row stays until the way would have ended, so that the same answer is not taken a second time.
pub(crate) const END_FLOW: &str = "UPDATE sso_flow SET identity_key = NULL, shown = NULL, pending_id = NULL \
    WHERE id = $1 AND identity_key IS NOT NULL";

/// What a company says about a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct SsoApplicationRow {
    /// The company.
    pub company: CompanyId,
    /// The provider.
    pub provider: Provider,
    /// Differs after every change.
    pub version: i64,
    /// Whether accounts of the company may come in this way.
    pub enabled: bool,
    /// The company's own application; `None` = the installation's is used.
    pub client: Option<SsoClient>,
    /// Tenants of Office 365 that are let in; none named = all.
    pub tenants: Vec<String>,
    /// Whether a sign-in with the provider spares the second factor.
    pub trusted: bool,
    /// When it was changed.
    pub changed_at: Moment,
}

/// A company's own application.
#[derive(Clone, PartialEq, Eq)]
pub struct SsoClient {
    /// Its identifier.
    pub id: String,
    /// Its secret, encrypted.
    pub sealed_secret: Vec<u8>,
}

impl std::fmt::Debug for SsoApplicationRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SsoApplicationRow")
            .field("company", &self.company)
            .field("provider", &self.provider)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct ApplicationColumns {
    company_id: Uuid,
    provider: String,
    version: i64,
    enabled: bool,
    client_id: Option<String>,
    sealed_secret: Option<Vec<u8>>,
    tenants: String,
    trusted: bool,
    changed_at: Moment,
}

impl TryFrom<ApplicationColumns> for SsoApplicationRow {
    type Error = StoreError;

    fn try_from(row: ApplicationColumns) -> Result<Self, StoreError> {
        Ok(Self {
            company: CompanyId(row.company_id),
            provider: provider(&row.provider, APPLICATION)?,
            version: row.version,
            enabled: row.enabled,
            client: match (row.client_id, row.sealed_secret) {
                (Some(id), Some(sealed_secret)) => Some(SsoClient { id, sealed_secret }),
                (None, None) => None,
                _ => return Err(StoreError::corrupt(APPLICATION, "sealed_secret")),
            },
            tenants: row.tenants.split_whitespace().map(str::to_owned).collect(),
            trusted: row.trusted,
            changed_at: row.changed_at,
        })
    }
}

/// A stored provider.
fn provider(word: &str, table: &'static str) -> Result<Provider, StoreError> {
    Provider::from_word(word).ok_or(StoreError::corrupt(table, "provider"))
}

/// The identity of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The account.
    pub account: AccountId,
    /// Who it is to the provider.
    pub identity: Identity,
    /// When it was linked.
    pub linked_at: Moment,
}

#[derive(FromRow)]
struct IdentityColumns {
    account_id: Uuid,
    provider: String,
    identity_key: String,
    shown: String,
    linked_at: Moment,
}

/// A browser that came back from a provider, which is to be asked who that is.
#[derive(Clone)]
pub struct NewSsoFlow {
    /// Its identifier.
    pub id: SsoFlowId,
    /// Hash of the token that the browser keeps.
    pub token_hash: TokenHash,
    /// From which provider.
    pub provider: Provider,
    /// Whose application it is; `None` = the installation's.
    pub company: Option<CompanyId>,
    /// The session that an identity is connected to; `None` = a sign-in.
    pub session: Option<SessionId>,
    /// What was needed to come back, encrypted.
    pub sealed: Vec<u8>,
    /// Deep link asked for before.
    pub next: Option<String>,
    /// When it came back.
    pub created_at: Moment,
    /// When the way ends.
    pub expires_at: Moment,
}

/// A browser that came back.
#[derive(Clone, PartialEq, Eq)]
pub struct SsoFlowRow {
    /// Its identifier.
    pub id: SsoFlowId,
    /// From where.
    pub provider: Provider,
    /// Whose application it is.
    pub company: Option<CompanyId>,
    /// The session that an identity is connected to.
    pub session: Option<SessionId>,
    /// The pending sign-in that the identity is linked after.
    pub pending: Option<PendingId>,
    /// What was needed to come back, encrypted.
    pub sealed: Vec<u8>,
    /// Deep link asked for before.
    pub next: Option<String>,
    /// Who came back; `None` = the provider has not said so, or the flow is over.
    pub identity: Option<Identity>,
    /// When the provider said so.
    pub answered_at: Option<Moment>,
    /// When the way ends.
    pub expires_at: Moment,
}

impl std::fmt::Debug for SsoFlowRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SsoFlowRow")
            .field("id", &self.id)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct FlowColumns {
    id: Uuid,
    provider: String,
    company_id: Option<Uuid>,
    session_id: Option<Uuid>,
    pending_id: Option<Uuid>,
    sealed: Vec<u8>,
    next: Option<String>,
    identity_key: Option<String>,
    shown: Option<String>,
    answered_at: Option<Moment>,
    expires_at: Moment,
}

impl TryFrom<FlowColumns> for SsoFlowRow {
    type Error = StoreError;

    fn try_from(row: FlowColumns) -> Result<Self, StoreError> {
        let provider = provider(&row.provider, "sso_flow")?;
        Ok(Self {
            id: SsoFlowId(row.id),
            provider,
            company: row.company_id.map(CompanyId),
            session: row.session_id.map(SessionId),
            pending: row.pending_id.map(PendingId),
            sealed: row.sealed,
            next: row.next,
            identity: row.identity_key.map(|key| Identity {
                provider,
                key,
                shown: row.shown.unwrap_or_default(),
            }),
            answered_at: row.answered_at,
            expires_at: row.expires_at,
        })
    }
}

impl Reader {
    /// What a company says about providers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_applications(
        &mut self,
        company: CompanyId,
    ) -> Result<Vec<SsoApplicationRow>, StoreError> {
        all!(self, ApplicationColumns, APPLICATIONS, company.0)?
            .into_iter()
            .map(SsoApplicationRow::try_from)
            .collect()
    }

    /// Which providers, in the order of [`Provider::ALL`], any enabled company lets its accounts in by. `installation`
    /// says for which of them there is an application for companies without their own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn providers_in_use(&mut self, installation: [bool; 2]) -> Result<[bool; 2], StoreError> {
        let [google, office365] = installation;
        let row = optional!(self, (bool, bool), IN_USE, google, office365)?;
        Ok(row.map_or([false; 2], |(google, office365)| [google, office365]))
    }

    /// Up to `most` sealed secrets of applications, in a fixed order, from the one after `after` on. For encrypting them
    /// anew under another key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_secrets_after(
        &mut self,
        after: Option<(CompanyId, Provider)>,
        most: i64,
    ) -> Result<Vec<(CompanyId, Provider, Vec<u8>)>, StoreError> {
        // No company has the smallest identifier there is.
        let (company, word) = after.map_or((Uuid::nil(), ""), |(company, provider)| {
            (company.0, provider.as_str())
        });
        let rows = all!(self, (Uuid, String, Vec<u8>), SECRETS_AFTER, company, word, most)?;
        rows.into_iter()
            .map(|(company, word, sealed)| Ok((CompanyId(company), provider(&word, APPLICATION)?, sealed)))
            .collect()
    }

    /// The identities of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn identities_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<Vec<LinkedIdentity>, StoreError> {
        all!(self, IdentityColumns, OF_ACCOUNT, company.0, account.0)?
            .into_iter()
            .map(|row| {
                Ok(LinkedIdentity {
                    account: AccountId(row.account_id),
                    identity: Identity {
                        provider: provider(&row.provider, "sso_identity")?,
                        key: row.identity_key,
                        shown: row.shown,
                    },
                    linked_at: row.linked_at,
                })
            })
            .collect()
    }

    /// The identities of this provider whose accounts have no password.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn identities_without_password(
        &mut self,
        company: CompanyId,
        provider: Provider,
    ) -> Result<Vec<Identity>, StoreError> {
        let rows = all!(self, (String, String), ONLY_BY, company.0, provider.as_str())?;
        let identity = |(key, shown)| Identity { provider, key, shown };
        Ok(rows.into_iter().map(identity).collect())
    }

    /// The accounts, of all companies, that an identity is linked to: at most one of each company.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_of_identity(
        &mut self,
        provider: Provider,
        key: &str,
    ) -> Result<Vec<(CompanyId, AccountId)>, StoreError> {
        let rows = all!(self, (Uuid, Uuid), LINKED, provider.as_str(), key)?;
        Ok(rows
            .into_iter()
            .map(|(company, account)| (CompanyId(company), AccountId(account)))
            .collect())
    }

    /// The flow of this browser, over or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_flow_by_token(&mut self, token: TokenHash) -> Result<Option<SsoFlowRow>, StoreError> {
        optional!(self, FlowColumns, FLOW_BY_TOKEN, &token.0[..])?
            .map(SsoFlowRow::try_from)
            .transpose()
    }

    /// The flow whose identity is linked when a pending sign-in is completed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sso_flow_of_pending(
        &mut self,
        pending: PendingId,
    ) -> Result<Option<SsoFlowRow>, StoreError> {
        optional!(self, FlowColumns, FLOW_OF_PENDING, pending.0)?
            .map(SsoFlowRow::try_from)
            .transpose()
    }
}

impl Writer {
    /// Saves what a company says about a provider in the place of version `over`, `None` = in the place of nothing; says
    /// whether that was still so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_sso_application(
        &mut self,
        row: &SsoApplicationRow,
        over: Option<i64>,
    ) -> Result<bool, StoreError> {
        let tenants = row.tenants.join(" ");
        let client_id = row.client.as_ref().map(|client| client.id.as_str());
        let sealed = row.client.as_ref().map(|client| &client.sealed_secret[..]);
        let touched = match over {
            None => execute!(
                self,
                INSERT_APPLICATION,
                row.company.0,
                row.provider.as_str(),
                row.version,
                row.enabled,
                client_id,
                sealed,
                &tenants,
                row.trusted,
                row.changed_at,
            )?,
            Some(version) => execute!(
                self,
                UPDATE_APPLICATION,
                row.company.0,
                row.provider.as_str(),
                row.version.max(version + 1),
                row.enabled,
                client_id,
                sealed,
                &tenants,
                row.trusted,
                row.changed_at,
                version,
            )?,
        };
        Ok(touched == 1)
    }

    /// Puts a secret that was encrypted anew in the place of the old one, if that is still there; says whether.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reseal_sso_secret(
        &mut self,
        company: CompanyId,
        provider: Provider,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, RESEAL_SECRET, company.0, provider.as_str(), old, new)? == 1)
    }

    /// Links an identity to an account. `false`: the account has another one of this provider, or another account of
    /// the company has this one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_identity(
        &mut self,
        company: CompanyId,
        account: AccountId,
        identity: &Identity,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let touched = execute!(
            self,
            LINK_IDENTITY,
            company.0,
            account.0,
            identity.provider.as_str(),
            &identity.key,
            &identity.shown,
            now,
        )?;
        Ok(touched == 1)
    }

    /// Takes an identity from an account; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unlink_identity(
        &mut self,
        company: CompanyId,
        account: AccountId,
        provider: Provider,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, UNLINK, company.0, account.0, provider.as_str())? == 1)
    }

    /// A browser has come back; says whether it is the first time. From now on the flow is used up, whatever the provider
    /// says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_sso_flow(&mut self, new: &NewSsoFlow) -> Result<bool, StoreError> {
        let touched = execute!(
            self,
            INSERT_FLOW,
            new.id.0,
            &new.token_hash.0[..],
            new.provider.as_str(),
            new.company.map(|company| company.0),
            new.session.map(|session| session.0),
            &new.sealed,
            &new.next,
            new.created_at,
            new.expires_at,
        )?;
        Ok(touched == 1)
    }

    /// The provider has said who came back; says whether it is the first time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer_sso_flow(
        &mut self,
        id: SsoFlowId,
        identity: &Identity,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, ANSWER_FLOW, id.0, &identity.key, &identity.shown, now)? == 1)
    }

    /// The identity is linked when this pending sign-in is completed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_sso_flow_pending(
        &mut self,
        id: SsoFlowId,
        pending: PendingId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_FLOW_PENDING, id.0, pending.0)? == 1)
    }

    /// Ends a flow; says whether it was not over yet. Of several at once, one is told so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sso_flow(&mut self, id: SsoFlowId) -> Result<bool, StoreError> {
        Ok(execute!(self, END_FLOW, id.0)? == 1)
    }
}
