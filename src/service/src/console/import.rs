//! Accounts from a CSV file: read strictly, checked line by line without creating anything, then created one by one.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use vestibule_core::{
    agents::gives_rights,
    audit::{AuditEntry, Event},
    company::Company,
    gate,
    id::{AccountId, CompanyId, ImportId, SessionId},
    limits::{ACCOUNT_MAX, IMPORT_HOURS},
    name::{AccountName, EmailAddress, key},
    ports::Moment,
    refusal::{Field, FieldProblem, Refusal},
    rights::{Action, Scope},
    session::is_alive,
};
use vestibule_storage::{
    Failed, ImportLine, ImportRow, ImportState, NewImport, Reader, StoreError, Unique, Writer, again,
};

use super::{
    Hold, ImportPage, LineVerdict, LinesWanted,
    import_file::{Line, Row, read},
};
use crate::{
    Console, Failure, Service, Visitor,
    hashing::HashingError,
    new_agents::NewAgent,
    notes::NoteKind,
    work::{By, Work},
};

/// Seconds without a line after which whoever ran an import is gone.
const STALE_SECONDS: i64 = 30;
/// Lines on one page.
const LINES: usize = 200;
/// Lines that are read together.
const TOGETHER: usize = 100;
/// How often, and after which wait, a password is tried to be hashed while the line before the threads is full.
const HASH_TRIES: usize = 20;
const HASH_WAIT: Duration = Duration::from_secs(1);
/// Seconds of an import after which it can be told how long the rest will take.
const ESTIMATE_AFTER_SECONDS: i64 = 5;

/// An import under way, and for whom.
struct Job {
    company: CompanyId,
    id: ImportId,
    account: AccountId,
    /// The session in which it was started: it ends with that.
    session: SessionId,
    /// Where it was started.
    visitor: Visitor,
}

/// When an import was begun, or taken on, in this session, and how many lines waited then: how long the rest will take is
/// told from that.
#[derive(Serialize, Deserialize)]
struct Begun {
    id: ImportId,
    at: Moment,
    waiting: usize,
}

/// Why an import did not come to its end.
enum Stopped {
    /// The company, the import, the admin's rights or their session are gone.
    NotAllowed,
    /// It can be taken on later.
    Failed(Failure),
}

impl Failed for Stopped {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_victim())
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl LinesWanted {
    /// The verdict that lines must have, and those that they must not have.
    const fn asked(self, state: ImportState) -> (Option<&'static str>, &'static [&'static str]) {
        const DONE: &[&str] = &[LineVerdict::Imported.as_str()];
        const NO_PROBLEM: &[&str] = &[LineVerdict::Good.as_str(), LineVerdict::Imported.as_str()];
        match (self, state) {
            (Self::All, ImportState::Checked) => (None, &[]),
            (Self::All, _) => (None, DONE),
            (Self::Problems, _) => (None, NO_PROBLEM),
            (Self::Only(verdict), _) => (Some(verdict.as_str()), &[]),
        }
    }
}

impl Job {
    /// What is written now is done by whoever started the import.
    const fn work(&self, writer: Writer) -> Work<'_> {
        Work::new(writer, By::account(self.account, &self.visitor))
    }
}

/// What is wrong with a line, each thing once; never empty.
fn verdicts_of(fields: &[FieldProblem]) -> Vec<LineVerdict> {
    let mut verdicts: Vec<LineVerdict> = Vec::new();
    for found in fields {
        let verdict = match found.field {
            Field::AccountName => LineVerdict::BadAccount,
            Field::Email => LineVerdict::BadEmail,
            Field::Roles => LineVerdict::BadRole,
            Field::Language => LineVerdict::BadLanguage,
            _ => LineVerdict::BadPerson,
        };
        if !verdicts.contains(&verdict) {
            verdicts.push(verdict);
        }
    }
    if verdicts.is_empty() {
        verdicts.push(LineVerdict::BadPerson);
    }
    verdicts
}

/// Words of verdicts as they are stored: the first is what the line counts as.
fn stored(verdicts: &[LineVerdict]) -> String {
    let words: Vec<&str> = verdicts.iter().map(|verdict| verdict.as_str()).collect();
    words.join(ImportLine::BETWEEN)
}

/// How many lines have which verdict, by the first word of each.
fn counted(words: Vec<(String, i64)>) -> Vec<(LineVerdict, usize)> {
    let mut verdicts: Vec<(LineVerdict, usize)> = Vec::new();
    for (words, count) in words {
        let first = words.split(ImportLine::BETWEEN).next().unwrap_or_default();
        let Some(verdict) = LineVerdict::from_word(first) else {
            continue;
        };
        let count = usize::try_from(count).unwrap_or_default();
        match verdicts.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, known)) => *known += count,
            None => verdicts.push((verdict, count)),
        }
    }
    verdicts
}

/// How many lines wait to be imported.
fn waiting(verdicts: &[(LineVerdict, usize)]) -> usize {
    let good = verdicts.iter().find(|(verdict, _)| *verdict == LineVerdict::Good);
    good.map_or(0, |(_, count)| *count)
}

/// About how many seconds the lines that wait `now` will take, if they go like those that `passed` took, of the ones that
/// waited `then`. Rounded up, to what still is true at the next look; `None` = too soon to tell, or nothing is left.
fn seconds_left(passed: TimeDelta, then: usize, now: usize) -> Option<u32> {
    if passed < TimeDelta::seconds(ESTIMATE_AFTER_SECONDS) || now == 0 {
        return None;
    }
    let milliseconds = u64::try_from(passed.num_milliseconds()).ok()?;
    let done = u64::try_from(then.checked_sub(now)?)
        .ok()
        .filter(|done| *done > 0)?;
    let left = milliseconds.checked_mul(u64::try_from(now).ok()?)?;
    let seconds = left.div_ceil(done).div_ceil(1000);
    let step = if seconds <= 60 { 10 } else { 60 };
    u32::try_from(seconds.div_ceil(step) * step).ok()
}

/// An import that is not thrown away yet.
async fn find(reader: &mut Reader, company: CompanyId, id: &str, now: Moment) -> Result<ImportRow, Failure> {
    let id = ImportId::parse(id).ok_or(Refusal::NotFound)?;
    let found = reader.import(company, id).await?;
    Ok(found
        .filter(|row| row.expires_at > now)
        .ok_or(Refusal::NotFound)?)
}

/// Writes down what became of a line, unless somebody else has meanwhile.
async fn settle(
    writer: &mut Writer,
    job: &Job,
    line: i64,
    verdict: LineVerdict,
    now: Moment,
) -> Result<(), StoreError> {
    if is_open(writer, job, line).await? {
        writer
            .settle_import_line(job.company, job.id, line, verdict.as_str(), now)
            .await?;
    }
    Ok(())
}

/// Whether a line still waits to be imported.
async fn is_open(reader: &mut Reader, job: &Job, line: i64) -> Result<bool, StoreError> {
    let good = Some(LineVerdict::Good.as_str());
    let open = reader
        .import_lines(job.company, job.id, good, &[], line - 1, 1)
        .await?;
    Ok(open.first().is_some_and(|open| open.line == line))
}

impl Console {
    /// Reads and checks a file; nothing is created. The columns are `account`, `email`, `first_name` and, in any order
    /// and each optional, `last_name`, `alias`, `phone`, `title`, `language`, `roles` (separated by spaces) and `active`
    /// (yes or no, in a word of any language); other columns are left alone. The separator is a comma, a semicolon or a
    /// tab, or what a first line `sep=` names.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid` with what is wrong with the file as a whole.
    pub async fn check_import(&self, file: Vec<u8>, visitor: &Visitor) -> Result<ImportId, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::ImportAgents, visitor).await?;
                let lines = read(&file).map_err(|problem| Refusal::field(Field::File, problem))?;
                let mut reader = self.inner.store.read().await?;
                let lines = self.check_lines(&mut reader, own.company.id, lines).await?;
                drop(reader);
                let (mut work, own) = self.act(Action::ImportAgents, Hold::Accounts, visitor).await?;
                let now = self.now();
                let id = ImportId::new(now, self.random());
                work.insert_import(&NewImport {
                    company: own.company.id,
                    id,
                    account: own.account.id,
                    created_at: now,
                    expires_at: now + TimeDelta::hours(IMPORT_HOURS),
                    lines,
                })
                .await?;
                work.commit().await?;
                Ok(id)
            })
            .await
    }

    /// An import and a page of those of its lines that are wanted, after line number `after`.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::NotFound`].
    pub async fn import_page(
        &self,
        id: &str,
        wanted: LinesWanted,
        after: i64,
        visitor: &Visitor,
    ) -> Result<ImportPage, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::ImportAgents, visitor).await?;
                let company = own.company.id;
                let now = self.now();
                let mut reader = self.inner.store.read().await?;
                let row = find(&mut reader, company, id, now).await?;
                let verdicts = counted(reader.import_verdicts(company, row.id).await?);
                let (verdict, without) = wanted.asked(row.state);
                let mut lines = reader
                    .import_lines(company, row.id, verdict, without, after, LINES + 1)
                    .await?;
                let more = lines.len() > LINES;
                lines.truncate(LINES);
                let stalled = match row.state {
                    ImportState::Running => row.touched_at <= self.stale(),
                    ImportState::Stopped => true,
                    ImportState::Checked | ImportState::Done => false,
                };
                let begun: Option<Begun> = if row.state == ImportState::Running && !stalled {
                    self.kept_note(&mut reader, &own, NoteKind::ImportBegun).await?
                } else {
                    None
                };
                let begun = begun.filter(|begun| begun.id == row.id);
                Ok(ImportPage {
                    company: own.company,
                    own: own.account,
                    id: row.id,
                    state: row.state,
                    stalled,
                    seconds_left: begun
                        .and_then(|begun| seconds_left(now - begun.at, begun.waiting, waiting(&verdicts))),
                    verdicts,
                    more_after: lines.last().filter(|_| more).map(|line| line.line),
                    lines,
                })
            })
            .await
    }

    /// Begins to import what is good, in the background, or takes an import on that was cut off. Each account is one
    /// transaction; one that cannot be created does not keep the others from it.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::NotFound`]; `ImportOver`; `StepUpNeeded` when a line has a role above Agent.
    pub async fn start_import(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let own = self.allowed(Action::ImportAgents, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let row = find(&mut reader, own.company.id, id, self.now()).await?;
                let rights = self
                    .gives_rights_to_any(&mut reader, own.company.id, row.id)
                    .await?;
                drop(reader);
                if rights {
                    self.step_up(&own)?;
                }
                let (mut work, own) = self.act(Action::ImportAgents, Hold::Accounts, visitor).await?;
                if rights {
                    self.step_up(&own)?;
                }
                if !work
                    .start_import(own.company.id, row.id, self.stale(), self.now())
                    .await?
                {
                    return Err(Refusal::ImportOver.into());
                }
                let verdicts = counted(work.import_verdicts(own.company.id, row.id).await?);
                let begun = Begun {
                    id: row.id,
                    at: self.now(),
                    waiting: waiting(&verdicts),
                };
                let kind = NoteKind::ImportBegun;
                self.keep_note(&mut work, &own, kind, &begun, IMPORT_HOURS * 60 * 60)
                    .await?;
                work.commit().await?;
                let job = Job {
                    company: own.company.id,
                    id: row.id,
                    account: own.account.id,
                    session: own.session,
                    visitor: Visitor {
                        address: visitor.address.clone(),
                        browser: visitor.browser.clone(),
                        request: visitor.request.clone(),
                        ..Visitor::default()
                    },
                };
                let service = Service::clone(self);
                tokio::spawn(async move { service.import(&job).await });
                Ok(())
            })
            .await
    }
}

impl Service {
    async fn check_lines(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        lines: Vec<Line>,
    ) -> Result<Vec<ImportLine>, Failure> {
        let (mut names, mut emails) = (HashSet::new(), HashSet::new());
        let mut checked = Vec::with_capacity(lines.len());
        for Line {
            number,
            row,
            is_whole,
        } in lines
        {
            let verdicts = match self.check_row(&row) {
                _ if !is_whole => vec![LineVerdict::BadColumns],
                // Nothing is to do for whoever is there, even if nobody could be created like that today.
                Err(_) if is_there(reader, company, &row).await? => vec![LineVerdict::Exists],
                Err(verdicts) => verdicts,
                Ok(agent) => {
                    let is_new = names.insert(agent.name.key().to_owned());
                    if emails.insert(agent.email.key().to_owned()) && is_new {
                        let taken = is_taken(reader, company, &agent.name, &agent.email).await?;
                        vec![taken.unwrap_or(LineVerdict::Good)]
                    } else {
                        vec![LineVerdict::Doubled]
                    }
                }
            };
            checked.push(ImportLine {
                line: number,
                // Longer ones are no names; a page of them need not be long.
                account: row.account.chars().take(ACCOUNT_MAX).collect(),
                fields: serde_json::to_string(&row).ok(),
                verdict: stored(&verdicts),
            });
        }
        Ok(checked)
    }

    fn check_row(&self, row: &Row) -> Result<NewAgent, Vec<LineVerdict>> {
        let input = row.input().ok_or_else(|| vec![LineVerdict::BadActive])?;
        self.check_new_agent(&input)
            .map_err(|fields| verdicts_of(&fields))
    }

    /// An import in which nothing has happened since then can be taken on.
    fn stale(&self) -> Moment {
        self.now() - TimeDelta::seconds(STALE_SECONDS)
    }

    async fn gives_rights_to_any(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        id: ImportId,
    ) -> Result<bool, StoreError> {
        let mut after = 0;
        loop {
            let good = Some(LineVerdict::Good.as_str());
            let lines = reader.import_lines(company, id, good, &[], after, LINES).await?;
            let Some(last) = lines.last() else {
                return Ok(false);
            };
            after = last.line;
            let gives = lines.iter().any(|line| {
                self.agent_of(line)
                    .is_ok_and(|agent| gives_rights(None, &agent.data.roles, agent.data.active, true))
            });
            if gives {
                return Ok(true);
            }
        }
    }

    /// The agent that a good line describes, checked once more: what is on offer may have changed.
    fn agent_of(&self, line: &ImportLine) -> Result<NewAgent, LineVerdict> {
        let fields = line.fields.as_deref().unwrap_or_default();
        let row = serde_json::from_str::<Row>(fields).map_err(|_| LineVerdict::Failed)?;
        self.check_row(&row)
            .map_err(|verdicts| verdicts.first().copied().unwrap_or(LineVerdict::Failed))
    }

    async fn import(&self, job: &Job) {
        let result = self.import_all(job).await;
        match result {
            Ok(()) => {}
            Err(Stopped::NotAllowed) => {
                tracing::warn!(
                    import = %job.id,
                    "an import stopped: whoever started it is signed out, or may not import any more"
                );
                if let Err(error) = again(|| self.stop(job)).await {
                    tracing::warn!(import = %job.id, %error, "that an import stopped could not be written down");
                }
            }
            Err(Stopped::Failed(failure)) => {
                // The log gets the details; nobody waits for the answer.
                let _ = job.visitor.explain(&failure);
                tracing::warn!(import = %job.id, "an import stopped and can be taken on");
            }
        }
    }

    async fn import_all(&self, job: &Job) -> Result<(), Stopped> {
        let mut after = 0;
        loop {
            let mut reader = self.inner.store.read().await?;
            let good = Some(LineVerdict::Good.as_str());
            let lines = reader
                .import_lines(job.company, job.id, good, &[], after, TOGETHER)
                .await?;
            drop(reader);
            let Some(last) = lines.last() else {
                return again(|| self.finish(job)).await;
            };
            after = last.line;
            for line in &lines {
                self.import_line(job, line).await?;
            }
        }
    }

    async fn import_line(&self, job: &Job, line: &ImportLine) -> Result<(), Stopped> {
        let verdict = match again(|| self.create_from(job, line)).await {
            Ok(()) => return Ok(()),
            Err(Created::Not(verdict)) => verdict,
            Err(Created::NotAllowed) => return Err(Stopped::NotAllowed),
            Err(Created::Failed(failure)) => match failure {
                Failure::Store(StoreError::Conflict(Unique::Email)) => LineVerdict::EmailTaken,
                Failure::Store(StoreError::Conflict(_)) => LineVerdict::NameTaken,
                Failure::Store(error) if error.is_unavailable() => return Err(error.into()),
                Failure::Hashing(HashingError::Busy { .. }) => return Err(Stopped::Failed(failure)),
                failure => {
                    let _ = job.visitor.explain(&failure);
                    LineVerdict::Failed
                }
            },
        };
        let mut writer = self.inner.store.write().await?;
        settle(&mut writer, job, line.line, verdict, self.now()).await?;
        Ok(writer.commit().await?)
    }

    async fn stop(&self, job: &Job) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write().await?;
        writer.stop_import(job.company, job.id, self.now()).await?;
        writer.commit().await
    }

    /// Creates the account of a line and notes it with the line, or does neither. Whether whoever started the import may
    /// still do so is asked behind the locks of each line: an import takes a while, and rights go in a moment.
    async fn create_from(&self, job: &Job, line: &ImportLine) -> Result<(), Created> {
        let mut reader = self.inner.store.read().await?;
        let company = self.may_continue(&mut reader, job).await?;
        drop(reader);
        let mut tries = 0;
        let prepared = loop {
            let agent = self.agent_of(line).map_err(Created::Not)?;
            tries += 1;
            match self.prepare_new_agent(&company, agent).await {
                // Nobody waits for an import.
                Err(Failure::Hashing(HashingError::Busy { .. })) if tries < HASH_TRIES => {
                    tokio::time::sleep(HASH_WAIT).await;
                }
                other => break other?,
            }
        };
        let mut work = job.work(self.inner.store.write().await?);
        work.hold_company(job.company).await?;
        work.hold_account(job.company, job.account).await?;
        let company = self.may_continue(&mut work, job).await?;
        if !is_open(&mut work, job, line.line).await? {
            return Ok(());
        }
        self.create_in(&mut work, &company, prepared).await?;
        work.settle_import_line(
            job.company,
            job.id,
            line.line,
            LineVerdict::Imported.as_str(),
            self.now(),
        )
        .await?;
        Ok(work.commit().await?)
    }

    async fn finish(&self, job: &Job) -> Result<(), Stopped> {
        let mut work = job.work(self.inner.store.write().await?);
        // Somebody who took it on may have finished it.
        let running = work
            .import(job.company, job.id)
            .await?
            .is_some_and(|row| matches!(row.state, ImportState::Running | ImportState::Stopped));
        if !running {
            return Ok(());
        }
        let imported = work
            .import_verdicts(job.company, job.id)
            .await?
            .into_iter()
            .filter(|(word, _)| word == LineVerdict::Imported.as_str())
            .map(|(_, count)| count)
            .sum::<i64>();
        work.finish_import(job.company, job.id, self.now()).await?;
        let entry = AuditEntry {
            detail: Some(imported.to_string()),
            ..work.entry(Event::AgentsImported, job.company, None)
        };
        self.record(&mut work, &entry).await?;
        Ok(work.commit().await?)
    }

    /// The company as it is now, if whoever started the import may still import into it: neither shut out nor locked, with
    /// the rights, not waiting to choose a password that somebody else has reset, and in the session in which they started
    /// it. Whoever changes their password because somebody else knows it must not have to watch that one's import go on.
    async fn may_continue(&self, reader: &mut Reader, job: &Job) -> Result<Company, Created> {
        let company = reader.company(job.company).await?;
        let admin = reader.account(job.company, job.account).await?;
        let (company, admin) = company.zip(admin).ok_or(Created::NotAllowed)?;
        let now = self.now();
        let is_signed_in = reader
            .sessions_of(job.company, job.account)
            .await?
            .iter()
            .any(|session| {
                session.id == job.session
                    && session.credential_version == admin.credential_version
                    && is_alive(
                        now,
                        session.last_used_at,
                        session.ends_at,
                        company.settings.idle_minutes,
                    )
            });
        let allowed = is_signed_in
            && gate::admit(&company, &admin).is_ok()
            && Action::ImportAgents.scope(admin.highest_role()) == Scope::Company
            && !admin.password_must_change;
        if allowed {
            Ok(company)
        } else {
            Err(Created::NotAllowed)
        }
    }
}

/// Why a line became no account.
enum Created {
    /// It is not good any more.
    Not(LineVerdict),
    /// The company, the import, the admin's rights or their session are gone.
    NotAllowed,
    /// Something else.
    Failed(Failure),
}

impl Failed for Created {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_victim())
    }
}

impl From<Failure> for Created {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StoreError> for Created {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Whether the company has the account of a line, whatever else the line says.
async fn is_there(reader: &mut Reader, company: CompanyId, row: &Row) -> Result<bool, StoreError> {
    let (Ok(name), Ok(email)) = (AccountName::parse(&row.account), EmailAddress::parse(&row.email)) else {
        return Ok(false);
    };
    Ok(is_taken(reader, company, &name, &email).await? == Some(LineVerdict::Exists))
}

/// Whether, and how, the company has an account with this name or address already.
async fn is_taken(
    reader: &mut Reader,
    company: CompanyId,
    name: &AccountName,
    email: &EmailAddress,
) -> Result<Option<LineVerdict>, StoreError> {
    let found = reader
        .account_by_sign_in(company, name.display(), email.display())
        .await?;
    Ok(found.map(|(account, _)| {
        let same_name = key(&account.name) == name.key();
        let same_email = EmailAddress::lookup_key(&account.email) == email.key();
        match (same_name, same_email) {
            (true, true) => LineVerdict::Exists,
            (true, false) => LineVerdict::NameTaken,
            (false, _) => LineVerdict::EmailTaken,
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_what_went_before_and_nothing_is_said_too_soon() {
        for (seconds, then, now, left) in [
            (4, 100, 50, None),
            (5, 100, 100, None),
            (5, 100, 0, None),
            (5, 100, 101, None),
            (-5, 100, 50, None),
            (5, 100, 50, Some(10)),
            (5, 10_000, 9_990, Some(84 * 60)),
            (20, 30, 20, Some(40)),
            (21, 30, 20, Some(50)),
            (60, 200, 100, Some(60)),
            (61, 200, 100, Some(120)),
        ] {
            assert_eq!(
                seconds_left(TimeDelta::seconds(seconds), then, now),
                left,
                "{seconds} {then} {now}"
            );
        }
    }

    #[test]
    fn a_line_counts_by_its_first_word() {
        let stored = |word: &str, count| (word.to_owned(), count);
        let verdicts = counted(vec![
            stored("good", 3),
            stored("bad_email+bad_role", 1),
            stored("bad_email", 2),
            stored("from_tomorrow", 5),
        ]);
        assert_eq!(verdicts, [(LineVerdict::Good, 3), (LineVerdict::BadEmail, 3)]);
        assert_eq!((waiting(&verdicts), waiting(&[])), (3, 0));
    }
}
