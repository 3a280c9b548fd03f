//! Applications that agents are signed in to, and their secrets.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::Role,
    id::{ApplicationId, ApplicationSecretId, CompanyId},
    oidc::{
        application::{Application, ApplicationKind, ApplicationSettings, Signing},
        client::ClientSecret,
    },
    ports::Moment,
    secret::TokenHash,
};

use crate::{
    Reader, StoreError, Writer,
    columns::hash,
    link::{all, execute, optional},
};

const TABLE: &str = "application";

macro_rules! application_columns {
    () => {
        "p.id AS p_id, p.company_id AS p_company_id, p.version AS p_version, p.name AS p_name, p.kind AS p_kind, \
         p.redirect_uris AS p_redirect_uris, p.logout_uris AS p_logout_uris, \
         p.back_channel_uri AS p_back_channel_uri, p.launch_uri AS p_launch_uri, p.roles AS p_roles, \
         p.signing AS p_signing, p.created_at AS p_created_at, p.last_used_at AS p_last_used_at"
    };
}
pub(crate) use application_columns;

const INSERT: &str = "INSERT INTO application (id, company_id, version, name, kind, redirect_uris, logout_uris, \
    back_channel_uri, launch_uri, roles, signing, created_at, changed_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
pub(crate) const BY_ID: &str = concat!(
    "SELECT ",
    application_columns!(),
    " FROM application p WHERE p.id = $1"
);
pub(crate) const OF_COMPANY: &str = concat!(
    "SELECT ",
    application_columns!(),
    " FROM application p WHERE p.company_id = $1 ORDER BY p.name, p.id"
);
pub(crate) const OF_INSTALLATION: &str = concat!(
    "SELECT ",
    application_columns!(),
    " FROM application p WHERE p.company_id IS NULL ORDER BY p.name, p.id"
);
const COUNT: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM application WHERE company_id = $1";
const UPDATE: &str = "UPDATE application SET version = version + 1, name = $4, kind = $5, redirect_uris = $6, \
    logout_uris = $7, back_channel_uri = $8, launch_uri = $9, roles = $10, signing = $11, changed_at = $12 \
    WHERE id = $1 AND company_id IS NOT DISTINCT FROM $2 AND version = $3";
const DELETE: &str = "DELETE FROM application WHERE id = $1 AND company_id IS NOT DISTINCT FROM $2";
const NOTE_USE: &str = "UPDATE application SET last_used_at = $2 \
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
pub(crate) const SECRETS: &str = "SELECT id, secret_hash, created_at, expires_at FROM application_secret \
    WHERE application_id = $1 ORDER BY id";
const INSERT_SECRET: &str = "INSERT INTO application_secret (id, application_id, secret_hash, created_at) \
    VALUES ($1, $2, $3, $4)";
/// Never lengthens the life of one that ends already.
const END_SECRETS: &str = "UPDATE application_secret SET expires_at = $2 \
    WHERE application_id = $1 AND (expires_at IS NULL OR expires_at > $2)";
const END_OLDER_SECRETS: &str = "UPDATE application_secret SET expires_at = $3 \
    WHERE application_id = $1 AND id < $2 AND (expires_at IS NULL OR expires_at > $3)";

/// A secret to store.
#[derive(Clone, Copy, Debug)]
pub struct NewApplicationSecret {
    /// Its identifier.
    pub id: ApplicationSecretId,
    /// Whose it is.
    pub application: ApplicationId,
    /// Its hash.
    pub hash: TokenHash,
    /// When it is made.
    pub created_at: Moment,
}

/// A secret of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicationSecretRow {
    /// Its identifier.
    pub id: ApplicationSecretId,
    /// What it is compared by.
    pub secret: ClientSecret,
    /// When it was made.
    pub created_at: Moment,
}

#[derive(FromRow)]
#[expect(clippy::struct_field_names, reason = "the fields are the columns of a join")]
pub(crate) struct ApplicationColumns {
    p_id: Uuid,
    p_company_id: Option<Uuid>,
    p_version: i64,
    p_name: String,
    p_kind: String,
    p_redirect_uris: String,
    p_logout_uris: String,
    p_back_channel_uri: Option<String>,
    p_launch_uri: Option<String>,
    p_roles: String,
    p_signing: String,
    p_created_at: Moment,
    p_last_used_at: Option<Moment>,
}

/// A stored way to sign.
pub(crate) fn signing(word: &str, table: &'static str, column: &'static str) -> Result<Signing, StoreError> {
    Signing::from_word(word).ok_or(StoreError::corrupt(table, column))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn words_of(roles: &[Role]) -> String {
    let words: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    words.join(" ")
}

impl TryFrom<ApplicationColumns> for Application {
    type Error = StoreError;

    fn try_from(row: ApplicationColumns) -> Result<Self, StoreError> {
        let roles: Option<Vec<Role>> = row.p_roles.split(' ').map(Role::from_word).collect();
        Ok(Self {
            id: ApplicationId(row.p_id),
            company: row.p_company_id.map(CompanyId),
            settings: ApplicationSettings {
                name: row.p_name,
                kind: ApplicationKind::from_word(&row.p_kind).ok_or(StoreError::corrupt(TABLE, "kind"))?,
                redirect_uris: lines(&row.p_redirect_uris),
                logout_uris: lines(&row.p_logout_uris),
                back_channel_uri: row.p_back_channel_uri,
                launch_uri: row.p_launch_uri,
                roles: roles.ok_or(StoreError::corrupt(TABLE, "roles"))?,
                signing: signing(&row.p_signing, TABLE, "signing")?,
            },
            version: row.p_version,
            created_at: row.p_created_at,
            last_used_at: row.p_last_used_at,
        })
    }
}

#[derive(FromRow)]
struct SecretColumns {
    id: Uuid,
    secret_hash: Vec<u8>,
    created_at: Moment,
    expires_at: Option<Moment>,
}

impl Reader {
    /// The application of this identifier, whosever it is: for the protocol, in which an application names itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn application(&mut self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        optional!(self, ApplicationColumns, BY_ID, id.0)?
            .map(Application::try_from)
            .transpose()
    }

    /// The applications of a company, or with `None` the installation's, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn applications_of(
        &mut self,
        company: Option<CompanyId>,
    ) -> Result<Vec<Application>, StoreError> {
        let rows = if let Some(company) = company {
            all!(self, ApplicationColumns, OF_COMPANY, company.0)
        } else {
            all!(self, ApplicationColumns, OF_INSTALLATION)
        };
        rows?.into_iter().map(Application::try_from).collect()
    }

    /// How many applications a company has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_applications(&mut self, company: CompanyId) -> Result<i64, StoreError> {
        Ok(optional!(self, (i64,), COUNT, company.0)?.map_or(0, |(count,)| count))
    }

    /// The secrets of an application, the oldest first; also those that are over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn application_secrets(
        &mut self,
        application: ApplicationId,
    ) -> Result<Vec<ApplicationSecretRow>, StoreError> {
        let rows = all!(self, SecretColumns, SECRETS, application.0)?;
        rows.into_iter()
            .map(|row| {
                Ok(ApplicationSecretRow {
                    id: ApplicationSecretId(row.id),
                    secret: ClientSecret {
                        hash: TokenHash(hash(&row.secret_hash, "application_secret", "secret_hash")?),
                        expires_at: row.expires_at,
                    },
                    created_at: row.created_at,
                })
            })
            .collect()
    }
}

impl Writer {
    /// Adds an application.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_application(&mut self, new: &Application) -> Result<(), StoreError> {
        let settings = &new.settings;
        execute!(
            self,
            INSERT,
            new.id.0,
            new.company.map(|company| company.0),
            new.version,
            &settings.name,
            settings.kind.as_str(),
            settings.redirect_uris.join("\n"),
            settings.logout_uris.join("\n"),
            &settings.back_channel_uri,
            &settings.launch_uri,
            words_of(&settings.roles),
            settings.signing.as_str(),
            new.created_at,
        )
        .map(drop)
    }

    /// Changes an application of this company, or with `None` of the installation, if it still has this version. Says
    /// whether it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_application(
        &mut self,
        company: Option<CompanyId>,
        id: ApplicationId,
        version: i64,
        settings: &ApplicationSettings,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            UPDATE,
            id.0,
            company.map(|company| company.0),
            version,
            &settings.name,
            settings.kind.as_str(),
            settings.redirect_uris.join("\n"),
            settings.logout_uris.join("\n"),
            &settings.back_channel_uri,
            &settings.launch_uri,
            words_of(&settings.roles),
            settings.signing.as_str(),
            now,
        )?;
        Ok(changed == 1)
    }

    /// Deletes an application of this company, or with `None` of the installation, with its secrets and everything that
    /// it got. Says whether it was there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_application(
        &mut self,
        company: Option<CompanyId>,
        id: ApplicationId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, id.0, company.map(|company| company.0))? == 1)
    }

    /// Writes down that somebody got something for an application, unless that was written after `since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_application_use(
        &mut self,
        id: ApplicationId,
        now: Moment,
        since: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, NOTE_USE, id.0, now, since).map(drop)
    }

    /// Adds a secret.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_application_secret(&mut self, new: &NewApplicationSecret) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT_SECRET,
            new.id.0,
            new.application.0,
            &new.hash.0[..],
            new.created_at
        )
        .map(drop)
    }

    /// Lets all secrets of an application end at this moment at the latest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_application_secrets(
        &mut self,
        application: ApplicationId,
        at: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, END_SECRETS, application.0, at).map(drop)
    }

    /// Lets the secrets of an application that are older than this one end at this moment at the latest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_application_secrets_before(
        &mut self,
        application: ApplicationId,
        newest: ApplicationSecretId,
        at: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, END_OLDER_SECRETS, application.0, newest.0, at).map(drop)
    }
}
