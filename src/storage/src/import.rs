//! Files of accounts that are checked and imported line by line.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId, ImportId},
    ports::Moment,
    words,
};

use crate::{
    Reader, StoreError, Writer,
    built::{Built, built_all, built_execute},
    link::{all, execute, optional},
};

/// Lines that one statement stores: few enough for every database's number of values.
const TOGETHER: usize = 200;

pub(crate) const BY_ID: &str = "SELECT id, account_id, created_at, expires_at, state, touched_at \
    FROM agent_import WHERE company_id = $1 AND id = $2";
pub(crate) const VERDICTS: &str = "SELECT verdict, COUNT(*) FROM agent_import_line \
    WHERE company_id = $1 AND import_id = $2 GROUP BY verdict ORDER BY verdict";
const INSERT: &str = "INSERT INTO agent_import (company_id, id, account_id, created_at, expires_at, state, \
    touched_at) VALUES ($1, $2, $3, $4, $5, $6, $4)";
pub(crate) const START: &str = "UPDATE agent_import SET state = 'running', touched_at = $4 \
    WHERE company_id = $1 AND id = $2 \
    AND (state IN ('checked', 'stopped') OR (state = 'running' AND touched_at <= $3))";
pub(crate) const STOP: &str = "UPDATE agent_import SET state = 'stopped', touched_at = $3 \
    WHERE company_id = $1 AND id = $2 AND state = 'running'";
pub(crate) const SETTLE: &str = "UPDATE agent_import_line SET verdict = $4, fields = NULL \
    WHERE company_id = $1 AND import_id = $2 AND line = $3";
pub(crate) const TOUCH: &str = "UPDATE agent_import SET touched_at = $3 WHERE company_id = $1 AND id = $2";
pub(crate) const FINISH: &str =
    "UPDATE agent_import SET state = 'done', touched_at = $3 WHERE company_id = $1 AND id = $2";

words! {
    /// Where an import stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ImportState {
        /// Checked; waits for somebody to start it.
        Checked = "checked",
        /// Under way.
        Running = "running",
        /// Whoever ran it may not go on; somebody who may can take it on.
        Stopped = "stopped",
        /// Every line has its verdict.
        Done = "done",
    }
}

/// A file to import.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: ImportId,
    /// Who uploaded it.
    pub account: AccountId,
    /// When.
    pub created_at: Moment,
    /// When it is thrown away.
    pub expires_at: Moment,
    /// Its lines.
    pub lines: Vec<ImportLine>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ImportLine {
    /// Its number in the file, from 1.
    pub line: i64,
    /// The account name in it, as typed.
    pub account: String,
    /// Everything in it, for the import, and for the file of lines to be corrected; `None` when it was imported.
    pub fields: Option<String>,
    /// What became of it, or will: words that the service writes and reads, the first of them the one that it counts as.
    /// `good` = will be imported.
    pub verdict: String,
}

impl ImportLine {
    /// What stands between the words of a verdict.
    pub const BETWEEN: &str = "+";
}

/// An import without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its identifier.
    pub id: ImportId,
    /// Who uploaded it.
    pub account: AccountId,
    /// When.
    pub created_at: Moment,
    /// When it is thrown away.
    pub expires_at: Moment,
    /// Where it stands.
    pub state: ImportState,
    /// When a line was last imported, or the state changed.
    pub touched_at: Moment,
}

#[derive(FromRow)]
struct ImportColumns {
    id: Uuid,
    account_id: Uuid,
    created_at: Moment,
    expires_at: Moment,
    state: String,
    touched_at: Moment,
}

impl TryFrom<ImportColumns> for ImportRow {
    type Error = StoreError;

    fn try_from(row: ImportColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: ImportId(row.id),
            account: AccountId(row.account_id),
            created_at: row.created_at,
            expires_at: row.expires_at,
            state: ImportState::from_word(&row.state).ok_or(StoreError::corrupt("agent_import", "state"))?,
            touched_at: row.touched_at,
        })
    }
}

/// Lines of an import in their order.
pub(crate) fn lines(
    company: CompanyId,
    id: ImportId,
    verdict: Option<&str>,
    without: &[&str],
    after: i64,
    most: usize,
) -> Built {
    let mut built =
        Built::new("SELECT line, account, fields, verdict FROM agent_import_line WHERE company_id = ");
    built.bind(company).add(" AND import_id = ").bind(id.0);
    built.add(" AND line > ").bind(after);
    if let Some(verdict) = verdict {
        // Alone, or as the first of several.
        let begins = [verdict, ImportLine::BETWEEN].concat();
        let length = i64::try_from(begins.chars().count()).unwrap_or(i64::MAX);
        built.add(" AND (verdict = ").bind(verdict);
        built.add(" OR substr(verdict, 1, CAST(").bind(length);
        built.add(" AS INTEGER)) = ").bind(begins.as_str()).add(")");
    }
    for verdict in without {
        built.add(" AND verdict <> ").bind(*verdict);
    }
    built
        .add(" ORDER BY line LIMIT ")
        .bind(i64::try_from(most).unwrap_or(i64::MAX));
    built
}

impl Reader {
    /// An import of the company.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn import(
        &mut self,
        company: CompanyId,
        id: ImportId,
    ) -> Result<Option<ImportRow>, StoreError> {
        optional!(self, ImportColumns, BY_ID, company.0, id.0)?
            .map(ImportRow::try_from)
            .transpose()
    }

    /// How many lines have which verdict.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn import_verdicts(
        &mut self,
        company: CompanyId,
        id: ImportId,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        all!(self, (String, i64), VERDICTS, company.0, id.0)
    }

    /// Up to `most` lines after line number `after`, in their order; with a `verdict` only those that have it, and with
    /// `without` only those that have another.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn import_lines(
        &mut self,
        company: CompanyId,
        id: ImportId,
        verdict: Option<&str>,
        without: &[&str],
        after: i64,
        most: usize,
    ) -> Result<Vec<ImportLine>, StoreError> {
        built_all!(
            self,
            ImportLine,
            lines(company, id, verdict, without, after, most)
        )
    }
}

impl Writer {
    /// Stores a file that was checked, in one transaction whatever its size.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_import(&mut self, new: &NewImport) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.company.0,
            new.id.0,
            new.account.0,
            new.created_at,
            new.expires_at,
            ImportState::Checked.as_str(),
        )?;
        for some in new.lines.chunks(TOGETHER) {
            let mut insert = Built::new(
                "INSERT INTO agent_import_line (company_id, import_id, line, account, fields, verdict) VALUES ",
            );
            let mut between = "(";
            for line in some {
                insert.add(between).bind(new.company).add(", ").bind(new.id.0);
                insert
                    .add(", ")
                    .bind(line.line)
                    .add(", ")
                    .bind(line.account.as_str());
                insert.add(", ").bind(&line.fields).add(", ");
                insert.bind(line.verdict.as_str()).add(")");
                between = ", (";
            }
            built_execute!(self, insert)?;
        }
        Ok(())
    }

    /// Takes an import on: from `Checked` or `Stopped`, or from `Running` when nothing has happened since `stale`. Says
    /// whether this caller may run it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn start_import(
        &mut self,
        company: CompanyId,
        id: ImportId,
        stale: Moment,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, START, company.0, id.0, stale, now)? == 1)
    }

    /// Says that whoever ran an import may not go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stop_import(
        &mut self,
        company: CompanyId,
        id: ImportId,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, STOP, company.0, id.0, now).map(drop)
    }

    /// Writes down what became of a line and forgets its fields.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle_import_line(
        &mut self,
        company: CompanyId,
        id: ImportId,
        line: i64,
        verdict: &str,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, SETTLE, company.0, id.0, line, verdict)?;
        execute!(self, TOUCH, company.0, id.0, now).map(drop)
    }

    /// Says that every line has its verdict.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_import(
        &mut self,
        company: CompanyId,
        id: ImportId,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, FINISH, company.0, id.0, now).map(drop)
    }
}
