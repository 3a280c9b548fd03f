//! Columns of companies and accounts as several statements select them, and their way into the types of the core.
//!
//! Statements call the tables `c` and `a`.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::{Account, LockReason, PendingEmail, Person, Role, TimeFormat},
    company::{Company, CompanySettings, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    id::{AccountId, ApplicationId, CompanyId, PublicId},
    limits::{PASSWORD_MIN_HIGHEST, PASSWORD_MIN_LOWEST, WRONG_CODES_TO_LOCK},
    ports::Moment,
    secret::TokenHash,
    session::Proof,
    sign_in_view::Method,
};

use crate::StoreError;

/// Minimum password lengths that a company may have (product.md section 6).
pub(crate) const PASSWORD_MIN: std::ops::RangeInclusive<usize> = PASSWORD_MIN_LOWEST..=PASSWORD_MIN_HIGHEST;

macro_rules! company_columns {
    () => {
        "c.id AS c_id, c.name AS c_name, c.language AS c_language, c.time_zone AS c_time_zone, \
         c.enabled AS c_enabled, c.skip_second_factor_days AS c_skip_second_factor_days, \
         c.require_second_factor AS c_require_second_factor, c.password_min_length AS c_password_min_length, \
         c.idle_minutes AS c_idle_minutes, c.new_agent_mail AS c_new_agent_mail, c.version AS c_version, \
         c.created_at AS c_created_at, c.after_sign_in AS c_after_sign_in"
    };
}

// Statements and the index of locked accounts have this number in their text.
const _: () = assert!(WRONG_CODES_TO_LOCK == 5);

/// The columns of an account. Five counted codes lock, even where nobody was left to write the lock down: whoever reads
/// an account reads it as locked then.
macro_rules! account_columns {
    () => {
        "a.company_id AS a_company_id, a.id AS a_id, a.public_id AS a_public_id, a.name AS a_name, a.email AS a_email, \
         a.first_name AS a_first_name, a.last_name AS a_last_name, a.alias AS a_alias, a.phone AS a_phone, \
         a.title AS a_title, a.hour_clock AS a_hour_clock, a.language AS a_language, \
         (SELECT string_agg(r.role, ',') FROM account_role r \
          WHERE r.company_id = a.company_id AND r.account_id = a.id) AS a_roles, \
         a.active AS a_active, \
         CASE WHEN a.wrong_codes >= 5 THEN COALESCE(a.locked_at, a.last_code_at, a.changed_at) \
          ELSE a.locked_at END AS a_locked_at, \
         CASE WHEN a.wrong_codes >= 5 THEN COALESCE(a.lock_reason, 'wrong_codes') \
          ELSE a.lock_reason END AS a_lock_reason, \
         a.password_must_change AS a_password_must_change, (a.password_hash IS NOT NULL) AS a_has_password, \
         a.pending_email AS a_pending_email, a.pending_email_at AS a_pending_email_at, a.version AS a_version, \
         a.wrong_codes AS a_wrong_codes, \
         a.email_factor AS a_email_factor, (a.app_secret IS NOT NULL) AS a_app_factor, \
         a.credential_version AS a_credential_version, \
         a.created_at AS a_created_at, a.last_sign_in_at AS a_last_sign_in_at"
    };
}

/// The columns of an account's password.
macro_rules! password_columns {
    () => {
        "a.password_hash, a.password_must_change, a.password_expires_at"
    };
}

pub(crate) use {account_columns, company_columns, password_columns};

#[derive(FromRow)]
#[expect(clippy::struct_field_names, reason = "the fields are the columns of a join")]
pub(crate) struct CompanyColumns {
    c_id: Uuid,
    c_name: String,
    c_language: String,
    c_time_zone: String,
    c_enabled: bool,
    c_skip_second_factor_days: i64,
    c_require_second_factor: String,
    c_password_min_length: i64,
    c_idle_minutes: Option<i64>,
    c_new_agent_mail: String,
    c_version: i64,
    c_created_at: Moment,
    c_after_sign_in: Option<Uuid>,
}

impl TryFrom<CompanyColumns> for Company {
    type Error = StoreError;

    fn try_from(row: CompanyColumns) -> Result<Self, StoreError> {
        let two_factor = TwoFactorPolicy::from_days(row.c_skip_second_factor_days)
            .ok_or(StoreError::corrupt("company", "skip_second_factor_days"))?;
        let require_second_factor = RequireSecondFactor::from_word(&row.c_require_second_factor)
            .ok_or(StoreError::corrupt("company", "require_second_factor"))?;
        let password_min = usize::try_from(row.c_password_min_length)
            .ok()
            .filter(|length| PASSWORD_MIN.contains(length))
            .ok_or(StoreError::corrupt("company", "password_min_length"))?;
        let idle_minutes = row
            .c_idle_minutes
            .map(u16::try_from)
            .transpose()
            .map_err(|_| StoreError::corrupt("company", "idle_minutes"))?;
        Ok(Self {
            id: CompanyId(row.c_id),
            name: row.c_name,
            enabled: row.c_enabled,
            settings: CompanySettings {
                language: row.c_language,
                time_zone: row.c_time_zone,
                new_agent_mail: NewAgentMail::from_word(&row.c_new_agent_mail)
                    .ok_or(StoreError::corrupt("company", "new_agent_mail"))?,
                two_factor,
                require_second_factor,
                password_min,
                idle_minutes,
                after_sign_in: row.c_after_sign_in.map(ApplicationId),
            },
            version: row.c_version,
            created_at: row.c_created_at,
        })
    }
}

#[derive(FromRow)]
#[expect(
    clippy::struct_field_names,
    clippy::struct_excessive_bools,
    reason = "the fields are the columns of a join"
)]
pub(crate) struct AccountColumns {
    a_company_id: Uuid,
    a_id: Uuid,
    a_public_id: Uuid,
    a_name: String,
    a_email: String,
    a_first_name: String,
    a_last_name: String,
    a_alias: String,
    a_phone: String,
    a_title: String,
    a_hour_clock: i64,
    a_language: Option<String>,
    a_roles: Option<String>,
    a_active: bool,
    a_locked_at: Option<Moment>,
    a_lock_reason: Option<String>,
    a_password_must_change: bool,
    a_has_password: bool,
    a_pending_email: Option<String>,
    a_pending_email_at: Option<Moment>,
    a_version: i64,
    a_wrong_codes: i64,
    a_email_factor: bool,
    a_app_factor: bool,
    a_credential_version: i64,
    a_created_at: Moment,
    a_last_sign_in_at: Option<Moment>,
}

impl TryFrom<AccountColumns> for Account {
    type Error = StoreError;

    fn try_from(row: AccountColumns) -> Result<Self, StoreError> {
        Ok(Self {
            roles: roles(row.a_roles.as_deref())?,
            company: CompanyId(row.a_company_id),
            id: AccountId(row.a_id),
            public_id: PublicId(row.a_public_id),
            name: row.a_name,
            email: row.a_email,
            person: Person {
                first_name: row.a_first_name,
                last_name: row.a_last_name,
                alias: row.a_alias,
                phone: row.a_phone,
                title: row.a_title,
                time_format: TimeFormat::from_hours(row.a_hour_clock)
                    .ok_or(StoreError::corrupt("account", "hour_clock"))?,
                language: row.a_language,
            },
            active: row.a_active,
            locked_at: row.a_locked_at,
            lock_reason: row
                .a_lock_reason
                .map(|word| LockReason::from_word(&word).ok_or(StoreError::corrupt("account", "lock_reason")))
                .transpose()?,
            password_must_change: row.a_password_must_change,
            has_password: row.a_has_password,
            pending_email: row
                .a_pending_email
                .zip(row.a_pending_email_at)
                .map(|(address, since)| PendingEmail { address, since }),
            version: row.a_version,
            wrong_codes: row.a_wrong_codes,
            email_factor: row.a_email_factor,
            app_factor: row.a_app_factor,
            credential_version: row.a_credential_version,
            created_at: row.a_created_at,
            last_sign_in_at: row.a_last_sign_in_at,
        })
    }
}

/// An account without a role is as unreadable as one with an unknown role: neither gets rights by accident.
fn roles(joined: Option<&str>) -> Result<Vec<Role>, StoreError> {
    let unreadable = StoreError::corrupt("account_role", "role");
    let parsed: Result<Vec<Role>, _> = joined.unwrap_or_default().split(',').map(str::parse).collect();
    let mut roles = parsed.map_err(|_| unreadable)?;
    roles.sort_unstable();
    Ok(roles)
}

/// A stored hash of 32 bytes.
pub(crate) fn hash(bytes: &[u8], table: &'static str, column: &'static str) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::corrupt(table, column))
}

/// A stored hash of a token.
pub(crate) fn token_hash(bytes: &[u8], table: &'static str) -> Result<TokenHash, StoreError> {
    hash(bytes, table, "token_hash").map(TokenHash)
}

/// A stored proof. One that nobody knows proves nothing, so it is not guessed.
pub(crate) fn proof(word: &str) -> Result<Proof, StoreError> {
    Proof::from_word(word).ok_or(StoreError::corrupt("session", "proof"))
}

/// A stored method.
pub(crate) fn method(word: &str, table: &'static str) -> Result<Method, StoreError> {
    Method::from_word(word).ok_or(StoreError::corrupt(table, "method"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(require: &str, password_min: i64) -> CompanyColumns {
        CompanyColumns {
            c_id: Uuid::nil(),
            c_name: "Acme".into(),
            c_language: "en".into(),
            c_time_zone: "UTC".into(),
            c_enabled: true,
            c_skip_second_factor_days: 0,
            c_require_second_factor: require.into(),
            c_password_min_length: password_min,
            c_idle_minutes: None,
            c_new_agent_mail: "account_details".into(),
            c_version: 1,
            c_created_at: Moment::UNIX_EPOCH,
            c_after_sign_in: None,
        }
    }

    #[test]
    fn policies_are_never_guessed() {
        for length in [8, 64] {
            let read = Company::try_from(company("admins", length)).unwrap();
            assert_eq!(read.settings.require_second_factor, RequireSecondFactor::Admins);
            assert_eq!(i64::try_from(read.settings.password_min), Ok(length));
        }
        for word in ["", "Off", "nobody"] {
            assert_eq!(
                Company::try_from(company(word, 12)),
                Err(StoreError::corrupt("company", "require_second_factor")),
                "{word}"
            );
        }
        for length in [i64::MIN, -1, 0, 7, 65, i64::MAX] {
            assert_eq!(
                Company::try_from(company("off", length)),
                Err(StoreError::corrupt("company", "password_min_length")),
                "{length}"
            );
        }
    }

    #[test]
    fn proofs_methods_and_hashes_are_never_guessed() {
        assert_eq!(proof("app_code"), Ok(Proof::AppCode));
        assert_eq!(proof("magic"), Err(StoreError::corrupt("session", "proof")));
        assert_eq!(method("app", "factor_set_up"), Ok(Method::App));
        assert_eq!(
            method("sms", "factor_set_up"),
            Err(StoreError::corrupt("factor_set_up", "method"))
        );
        assert_eq!(
            hash(&[1; 31], "issued_code", "code_hash"),
            Err(StoreError::corrupt("issued_code", "code_hash"))
        );
    }

    #[test]
    fn roles_are_sorted_and_never_guessed() {
        assert_eq!(roles(Some("admin,agent")), Ok(vec![Role::Agent, Role::Admin]));
        for bad in [None, Some(""), Some("owner"), Some("agent,"), Some("Admin")] {
            assert_eq!(
                roles(bad),
                Err(StoreError::corrupt("account_role", "role")),
                "{bad:?}"
            );
        }
    }
}
