//! How many accounts of a company are how: kept by triggers as what every change adds and takes, and summed up when asked
//! for. Counting a million of them takes half a second.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::id::CompanyId;

use crate::{
    AgentCounts, Reader, Store, StoreError, Writer,
    link::{Link, all, execute, optional},
};

/// Rows of a company that are left as they are.
const FEW: i64 = 64;

pub(crate) const SUMS: &str = "SELECT CAST(COALESCE(SUM(accounts), 0) AS BIGINT) AS accounts, \
    CAST(COALESCE(SUM(active), 0) AS BIGINT) AS active, CAST(COALESCE(SUM(locked), 0) AS BIGINT) AS locked, \
    CAST(COALESCE(SUM(with_factor), 0) AS BIGINT) AS with_factor, \
    CAST(COALESCE(SUM(with_email), 0) AS BIGINT) AS with_email, \
    CAST(COALESCE(SUM(with_app), 0) AS BIGINT) AS with_app FROM agent_tally WHERE company_id = $1";
const LONG: &str = "SELECT company_id FROM agent_tally GROUP BY company_id \
    HAVING COUNT(*) > $1 OR SUM(accounts) = 0 ORDER BY company_id";
/// The sum takes the place of the rows that it is of. Of nothing there is no row.
const FOLD_POSTGRES: &str = "WITH gone AS (DELETE FROM agent_tally WHERE company_id = $1 RETURNING *) \
    INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app) \
    SELECT company_id, SUM(accounts), SUM(active), SUM(locked), SUM(with_factor), SUM(with_email), SUM(with_app) \
    FROM gone GROUP BY company_id HAVING SUM(accounts) <> 0 OR SUM(active) <> 0 OR SUM(locked) <> 0 \
    OR SUM(with_factor) <> 0 OR SUM(with_email) <> 0 OR SUM(with_app) <> 0";
const FOLD_SQLITE: &str = "\
    INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app) \
    SELECT company_id, SUM(accounts), SUM(active), SUM(locked), SUM(with_factor), SUM(with_email), SUM(with_app) \
    FROM agent_tally WHERE company_id = $1 GROUP BY company_id; \
    DELETE FROM agent_tally WHERE company_id = $1 AND rowid <> last_insert_rowid(); \
    DELETE FROM agent_tally WHERE company_id = $1 AND accounts = 0 AND active = 0 AND locked = 0 \
    AND with_factor = 0 AND with_email = 0 AND with_app = 0";
const FORGET: &str = "DELETE FROM agent_tally WHERE company_id = $1";

/// What is missing in the sums of every company where anything is.
macro_rules! missing {
    () => {
        "SELECT company_id, -SUM(accounts), -SUM(active), -SUM(locked), -SUM(with_factor), -SUM(with_email), \
         -SUM(with_app) FROM (SELECT company_id, accounts, active, locked, with_factor, with_email, with_app \
         FROM agent_tally UNION ALL SELECT company_id, -COUNT(*), -COUNT(CASE WHEN active THEN 1 END), \
         -COUNT(CASE WHEN locked_at IS NOT NULL OR wrong_codes >= 5 THEN 1 END), \
         -COUNT(CASE WHEN active AND (email_factor OR app_secret IS NOT NULL) THEN 1 END), \
         -COUNT(CASE WHEN active AND email_factor THEN 1 END), \
         -COUNT(CASE WHEN active AND app_secret IS NOT NULL THEN 1 END) FROM account GROUP BY company_id) AS kept \
         GROUP BY company_id HAVING SUM(accounts) <> 0 OR SUM(active) <> 0 OR SUM(locked) <> 0 \
         OR SUM(with_factor) <> 0 OR SUM(with_email) <> 0 OR SUM(with_app) <> 0"
    };
}
const MISSING: &str = concat!("SELECT COUNT(*) FROM (", missing!(), ") AS missing");
const MEND: &str = concat!(
    "INSERT INTO agent_tally (company_id, accounts, active, locked, with_factor, with_email, with_app) ",
    missing!()
);

#[derive(Default, FromRow)]
struct Tally {
    accounts: i64,
    active: i64,
    locked: i64,
    with_factor: i64,
    with_email: i64,
    with_app: i64,
}

impl Reader {
    /// The numbers of a company.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_agents(&mut self, company: CompanyId) -> Result<AgentCounts, StoreError> {
        let tally = optional!(self, Tally, SUMS, company.0)?.unwrap_or_default();
        Ok(AgentCounts {
            all: tally.accounts,
            active: tally.active,
            inactive: tally.accounts - tally.active,
            locked: tally.locked,
            with_second_factor: tally.with_factor,
            with_email: tally.with_email,
            with_app: tally.with_app,
        })
    }
}

impl Store {
    /// Makes one row of the many of a company, and none of those of a company that is gone. The sums stay what they are at
    /// every moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fold_agent_tallies(&self) -> Result<(), StoreError> {
        let mut reader = self.read().await?;
        let companies = all!(reader, (Uuid,), LONG, FEW)?;
        drop(reader);
        for (company,) in companies {
            let mut writer = self.write().await?;
            writer.fold_agent_tally(company).await?;
            writer.commit().await?;
        }
        Ok(())
    }

    /// Compares the sums with the accounts themselves, and mends those that are wrong; gives the number of companies. They
    /// are only when somebody has written into the database around the triggers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mend_agent_tallies(&self) -> Result<u64, StoreError> {
        let mut writer = self.write().await?;
        writer.take_time().await?;
        let (wrong,) = optional!(writer, (i64,), MISSING)?.unwrap_or_default();
        drop(writer);
        if wrong == 0 {
            return Ok(0);
        }
        let mut writer = self.write().await?;
        writer.take_time().await?;
        if matches!(writer.link, Link::Postgres(_)) {
            // Nobody changes an account while they are counted for good, and no other server mends the same.
            execute!(writer, "LOCK TABLE agent_tally IN SHARE ROW EXCLUSIVE MODE")?;
        }
        let mended = execute!(writer, MEND)?;
        writer.commit().await?;
        Ok(mended)
    }
}

impl Writer {
    /// Whoever changes an account need not wait meanwhile; another server that folds does.
    async fn fold_agent_tally(&mut self, company: Uuid) -> Result<(), StoreError> {
        self.take_time().await?;
        let fold = match self.link {
            Link::Sqlite(_) => FOLD_SQLITE,
            Link::Postgres(_) => {
                execute!(self, "LOCK TABLE agent_tally IN SHARE UPDATE EXCLUSIVE MODE")?;
                FOLD_POSTGRES
            }
        };
        execute!(self, fold, company).map(drop)
    }

    /// Forgets the numbers of a company that is gone.
    pub(crate) async fn forget_agent_tally(&mut self, company: CompanyId) -> Result<(), StoreError> {
        execute!(self, FORGET, company.0).map(drop)
    }

    /// Counting millions of accounts may take longer than a statement may.
    async fn take_time(&mut self) -> Result<(), StoreError> {
        match self.link {
            Link::Sqlite(_) => Ok(()),
            Link::Postgres(_) => execute!(self, "SET LOCAL statement_timeout = '60s'").map(drop),
        }
    }
}
