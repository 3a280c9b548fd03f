//! Numbers about a company and about the whole installation.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    audit::Event,
    id::{AccountId, CompanyId},
    ports::Moment,
};

use crate::{
    Reader, StoreError,
    audit::first_id_at,
    built::{Built, built_all},
    link::{all, optional},
};

pub(crate) const SIGNED_IN: &str = "SELECT COUNT(DISTINCT s.account_id) FROM session s \
    JOIN account a ON a.company_id = s.company_id AND a.id = s.account_id \
    WHERE s.company_id = $1 AND s.ends_at > $2 AND s.credential_version = a.credential_version";
pub(crate) const SIGNED_IN_SINCE: &str = "SELECT COUNT(DISTINCT s.account_id) FROM session s \
    JOIN account a ON a.company_id = s.company_id AND a.id = s.account_id \
    WHERE s.company_id = $1 AND s.ends_at > $2 AND s.credential_version = a.credential_version \
    AND s.last_used_at > $3";
pub(crate) const PENDING: &str = "SELECT COUNT(*) FROM pending_sign_in WHERE company_id = $1 AND expires_at > $2 \
    AND completed_at IS NULL AND purpose = 'sign_in'";
pub(crate) const EVENTS: &str =
    "SELECT COUNT(*) FROM audit_event WHERE company_id = $1 AND event = $2 AND id >= $3 AND id < $4";
pub(crate) const WAITING: &str = "SELECT p.account_id, a.name, a.alias, p.created_at, p.address \
    FROM pending_sign_in p JOIN account a ON a.company_id = p.company_id AND a.id = p.account_id \
    WHERE p.company_id = $1 AND p.expires_at > $2 AND p.completed_at IS NULL AND p.purpose = 'sign_in' \
    ORDER BY p.created_at DESC, p.id LIMIT $3";
/// The newest are found in the index alone, and only those are read.
pub(crate) const PROOFS: &str = "SELECT COALESCE(e.detail, '') AS proof, COUNT(*) FROM (SELECT id FROM audit_event \
    WHERE company_id = $1 AND event = 'signed_in' AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4) AS newest \
    JOIN audit_event e ON e.id = newest.id GROUP BY proof ORDER BY proof";
pub(crate) const IDENTITIES: &str = "SELECT provider, COUNT(*) FROM sso_identity WHERE company_id = $1 \
    GROUP BY provider ORDER BY provider";
/// Counts that one statement takes: few enough for every database's number of terms.
const TOGETHER: usize = 100;
const INSTALLATION: &str = "SELECT (SELECT COUNT(*) FROM company), (SELECT COUNT(*) FROM company WHERE enabled), \
    (SELECT COUNT(*) FROM account), (SELECT COUNT(*) FROM account WHERE locked_at IS NOT NULL OR wrong_codes >= 5), \
    (SELECT COUNT(*) FROM session WHERE ends_at > $1), \
    (SELECT COUNT(*) FROM pending_sign_in WHERE expires_at > $1 AND completed_at IS NULL AND purpose = 'sign_in'), \
    (SELECT COUNT(*) FROM mail_outbox WHERE sent_at IS NULL AND given_up_at IS NULL), \
    (SELECT COUNT(*) FROM audit_event)";

const COMPANY: &str = "SELECT (SELECT COUNT(*) FROM account WHERE company_id = $1), \
    (SELECT COUNT(*) FROM session WHERE company_id = $1 AND ends_at > $2), \
    (SELECT COUNT(*) FROM mail_outbox WHERE company_id = $1 AND sent_at IS NULL AND given_up_at IS NULL), \
    (SELECT COUNT(*) FROM agent_import WHERE company_id = $1 AND expires_at > $2)";

/// A sign-in that waits for a code.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Waiting {
    account_id: Uuid,
    /// Name of the account.
    pub name: String,
    /// What colleagues see of it.
    pub alias: String,
    /// Since when.
    pub created_at: Moment,
    /// The visitor's network address.
    pub address: Option<String>,
}

impl Waiting {
    /// The account.
    pub const fn account(&self) -> AccountId {
        AccountId(self.account_id)
    }
}

/// The statement of several counts, each with its number.
pub(crate) fn counts(company: CompanyId, asked: &[(Event, Moment, Moment)]) -> Built {
    let mut built = Built::new("");
    let mut between = "SELECT ";
    for (number, (event, from, until)) in (0_i64..).zip(asked) {
        built.add(between).bind(number);
        built
            .add(", COUNT(*) FROM audit_event WHERE company_id = ")
            .bind(company);
        built.add(" AND event = ").bind(event.as_str());
        built.add(" AND id >= ").bind(first_id_at(*from));
        built.add(" AND id < ").bind(first_id_at(*until));
        between = " UNION ALL SELECT ";
    }
    built
}

/// What a company holds, for the question before it is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompanyCounts {
    /// Accounts.
    pub accounts: i64,
    /// Sessions that are not past their absolute end.
    pub sessions: i64,
    /// Mails that wait to be sent.
    pub waiting_mails: i64,
    /// Uploaded files of accounts.
    pub imports: i64,
}

/// How many rows the installation holds, for operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstallationCounts {
    /// Companies.
    pub companies: i64,
    /// Of them enabled.
    pub enabled_companies: i64,
    /// Accounts.
    pub accounts: i64,
    /// Of them locked.
    pub locked: i64,
    /// Sessions that are not past their absolute end.
    pub sessions: i64,
    /// Pending sign-ins that wait for a code.
    pub pending: i64,
    /// Mails that wait to be sent.
    pub waiting_mails: i64,
    /// Events in the audit log.
    pub events: i64,
}

impl Reader {
    /// How many accounts of the company have a session that was used after `idle_since` (`None` = no such limit), is
    /// not past its absolute end, and has the account's credential version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_signed_in(
        &mut self,
        company: CompanyId,
        idle_since: Option<Moment>,
        now: Moment,
    ) -> Result<i64, StoreError> {
        let row = if let Some(since) = idle_since {
            optional!(self, (i64,), SIGNED_IN_SINCE, company.0, now, since)
        } else {
            optional!(self, (i64,), SIGNED_IN, company.0, now)
        };
        Ok(row?.map_or(0, |(count,)| count))
    }

    /// How many pending sign-ins of the company wait for a code; step-ups do not count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_pending(&mut self, company: CompanyId, now: Moment) -> Result<i64, StoreError> {
        let row = optional!(self, (i64,), PENDING, company.0, now)?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// How many events of these kinds the company had from `from` to before `until`. Counted in the index, by the time
    /// in their identifiers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_events(
        &mut self,
        company: CompanyId,
        events: &[Event],
        from: Moment,
        until: Moment,
    ) -> Result<i64, StoreError> {
        let (first, end) = (first_id_at(from), first_id_at(until));
        let mut sum = 0;
        for event in events {
            let rows = all!(self, (i64,), EVENTS, company.0, event.as_str(), first, end)?;
            sum += rows.into_iter().map(|(count,)| count).sum::<i64>();
        }
        Ok(sum)
    }

    /// How many events of a kind the company had from a moment to before another, for each of these. Counted in the index,
    /// by the time in their identifiers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn counts_of_events(
        &mut self,
        company: CompanyId,
        asked: &[(Event, Moment, Moment)],
    ) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::with_capacity(asked.len());
        for some in asked.chunks(TOGETHER) {
            let mut rows = built_all!(self, (i64, i64), counts(company, some))?;
            rows.sort_unstable_by_key(|(number, _)| *number);
            found.extend(rows.into_iter().map(|(_, count)| count));
        }
        Ok(found)
    }

    /// With which proofs the newest `most` sign-ins from `from` to before `until` were completed, and how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn proofs_of(
        &mut self,
        company: CompanyId,
        from: Moment,
        until: Moment,
        most: i64,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let (first, end) = (first_id_at(from), first_id_at(until));
        all!(self, (String, i64), PROOFS, company.0, first, end, most)
    }

    /// How many accounts of the company are connected to which provider.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_identities(&mut self, company: CompanyId) -> Result<Vec<(String, i64)>, StoreError> {
        all!(self, (String, i64), IDENTITIES, company.0)
    }

    /// The newest pending sign-ins of the company that wait for a code; step-ups do not count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_for_code(
        &mut self,
        company: CompanyId,
        now: Moment,
        most: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        all!(self, Waiting, WAITING, company.0, now, most)
    }

    /// What a company holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_company(
        &mut self,
        company: CompanyId,
        now: Moment,
    ) -> Result<CompanyCounts, StoreError> {
        let row = optional!(self, (i64, i64, i64, i64), COMPANY, company.0, now)?;
        let (accounts, sessions, waiting_mails, imports) = row.unwrap_or_default();
        Ok(CompanyCounts {
            accounts,
            sessions,
            waiting_mails,
            imports,
        })
    }

    /// Numbers of the whole installation. For operators only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn installation_counts(&mut self, now: Moment) -> Result<InstallationCounts, StoreError> {
        let row = optional!(self, (i64, i64, i64, i64, i64, i64, i64, i64), INSTALLATION, now)?;
        let (companies, enabled_companies, accounts, locked, sessions, pending, waiting_mails, events) =
            row.unwrap_or_default();
        Ok(InstallationCounts {
            companies,
            enabled_companies,
            accounts,
            locked,
            sessions,
            pending,
            waiting_mails,
            events,
        })
    }
}
