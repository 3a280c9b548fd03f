//! Tries of passwords: what they are counted by, and whether one may be compared now (N7, N8, N9).
//!
//! The rule stands in [`vestibule_core::throttle`]. In this order: is the address within its budget (only asked), is it
//! this try's turn, may the account be tried (counted and committed), compare, write down.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    company::Company,
    id::CompanyId,
    name::{self, EmailAddress},
    ports::Moment,
    refusal::Refusal,
    secret::Password,
    throttle::{EARNED_DAYS, FREE_TRIES, Subject, WrongTry, wait_after},
};
use vestibule_storage::{FOREVER, PasswordCount, Reader, StoreError, Typed, Writer};

use super::SignInForm;
use crate::{
    Failure, Service, Visitor,
    counted::{Counted, TakeBack},
    hashing::{Key, Lane, Turn, Verdict},
    keys::Purpose,
    offices::hold,
};

/// Lane of browsers that never signed the account in (N9).
const STRANGERS: [u8; 32] = [0; 32];

/// Somebody who has typed a password, and what their tries are counted by.
pub(crate) struct Candidate<'a> {
    subject: Subject,
    lane: [u8; 32],
    /// The company of the account, when there is one.
    company: Option<CompanyId>,
    visitor: &'a Visitor,
}

/// A try that is counted as wrong.
pub(crate) struct PasswordTry {
    subject: Subject,
    lane: [u8; 32],
    count: PasswordCount,
}

/// What came of comparing a password that was counted first.
pub(crate) enum Compared {
    /// It is right. What becomes of its count is for the caller to settle.
    Right {
        counted: Counted<PasswordTry>,
        /// Whether its hash was computed at another cost than today's.
        outdated: bool,
    },
    /// It is wrong, and counted.
    Wrong,
    /// The account may not be tried now: nothing was counted, and nothing of the account's compared.
    Blocked,
}

impl TakeBack for PasswordTry {
    async fn take_back(&self, writer: &mut Writer) -> Result<(), StoreError> {
        writer
            .uncount_password_try(&self.subject, &self.lane, self.count)
            .await
    }
}

impl Candidate<'_> {
    pub(crate) fn key(&self) -> Key {
        (self.subject, self.line_lane())
    }

    fn line_lane(&self) -> Lane {
        if self.is_known() {
            Lane::Known
        } else {
            Lane::Others
        }
    }

    /// Whether this browser has signed the account in before.
    pub(crate) fn is_known(&self) -> bool {
        self.lane != STRANGERS
    }
}

/// What tries on an account are counted by: it must not change with the keys.
pub(crate) fn subject_of(company: &Company, account: &Account) -> Subject {
    let mut subject = [0; 32];
    subject[..16].copy_from_slice(company.id.0.as_bytes());
    subject[16..].copy_from_slice(account.id.0.as_bytes());
    subject
}

impl Service {
    /// What the tries of a visitor on an account are counted by, or for unknown names a fingerprint of what was typed, so
    /// that both leave the same traces in the same time.
    pub(crate) fn candidate<'a>(
        &self,
        form: &SignInForm,
        typed: Option<&Typed>,
        visitor: &'a Visitor,
    ) -> Candidate<'a> {
        let Some(typed) = typed else {
            let (company, mut account) = (name::key(&form.company), name::key(&form.account));
            // By what accounts are found by, or the spellings of one would be counted together where there is none, and apart
            // where there is one.
            if account.contains('@') {
                account = EmailAddress::lookup_key(&form.account);
            }
            let parts = [company.as_bytes(), account.as_bytes(), b"unknown"];
            return Candidate {
                subject: self.inner.keys.derive(Purpose::Subject, &parts),
                lane: STRANGERS,
                company: None,
                visitor,
            };
        };
        let browser = visitor.browser_token.as_ref().filter(|_| typed.knows_browser);
        Candidate {
            subject: subject_of(&typed.company, &typed.account),
            lane: browser.map_or(STRANGERS, |browser| browser.hash().0),
            company: Some(typed.company.id),
            visitor,
        }
    }

    /// The same for an account that is certain.
    pub(crate) async fn candidate_for<'a>(
        &self,
        reader: &mut Reader,
        company: &Company,
        account: &Account,
        visitor: &'a Visitor,
    ) -> Result<Candidate<'a>, StoreError> {
        let mut lane = STRANGERS;
        if let Some(browser) = &visitor.browser_token {
            let hash = browser.hash();
            if reader.knows_browser(company.id, account.id, hash.0).await? {
                lane = hash.0;
            }
        }
        Ok(Candidate {
            subject: subject_of(company, account),
            lane,
            company: Some(company.id),
            visitor,
        })
    }

    /// Waits in line for the turn of a candidate whose address is within its budget.
    ///
    /// # Errors
    /// [`Refusal::TooManyTries`], with nothing counted; a full line.
    pub(crate) async fn turn_of(&self, candidate: &Candidate<'_>) -> Result<Turn, Failure> {
        self.check_source(candidate).await?;
        let (key, place) = (candidate.key(), &candidate.visitor.place);
        let turn = self
            .inner
            .hasher
            .line()
            .turn(candidate.line_lane(), Some(key), place)
            .await?;
        if turn.was_waited_for() {
            self.check_source(candidate).await?;
        }
        Ok(turn)
    }

    /// Whether passwords from this address may be compared. Browsers that have signed the account in before are not asked.
    async fn check_source(&self, candidate: &Candidate<'_>) -> Result<(), Failure> {
        if candidate.is_known() {
            return Ok(());
        }
        let (now, visitor) = (self.now(), candidate.visitor);
        let limits = self.inner.settings.source_limits;
        let mut reader = self.inner.store.read().await?;
        let source = &visitor.source;
        let wrong = reader.wrong_of_source(source, limits.to_know(), now).await?;
        if limits.wait(&wrong, &candidate.subject, now).is_none() {
            return Ok(());
        }
        // What it has earned is asked only of those who need it.
        let since = now - TimeDelta::days(EARNED_DAYS);
        let earned = match candidate.company {
            Some(company) => reader.accounts_right_at_source(source, company, since).await?,
            None => 0,
        };
        let mut budget = limits.grown_by(earned);
        if is_office(&mut reader, candidate).await? {
            budget = budget.of_office();
        }
        let wrong = reader.wrong_of_source(source, budget.to_know(), now).await?;
        drop(reader);
        let Some(wait) = budget.wait(&wrong, &candidate.subject, now) else {
            return Ok(());
        };
        let entry = AuditEntry {
            detail: Some(visitor.source.clone()),
            ..visitor.entry(Event::SourceLimited, None, None)
        };
        self.note_stranger(entry, visitor);
        if self.inner.settings.report_sources_only {
            return Ok(());
        }
        let seconds = wait.num_seconds() + i64::from(wait.subsec_nanos() > 0);
        let retry_after = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
        Err(Refusal::TooManyTries { retry_after }.into())
    }

    /// Counts a try as wrong before it is compared, and commits that. `None`: the account may not be tried now.
    async fn count_try(&self, candidate: &Candidate<'_>) -> Result<Option<Counted<PasswordTry>>, StoreError> {
        let now = self.now();
        let Candidate { subject, lane, .. } = *candidate;
        let key = (&subject[..], &lane[..]);
        let mut series = [0; 8];
        self.random().fill(&mut series);
        let series = i64::from_be_bytes(series);
        let mut writer = self.inner.store.write_one().await?;
        let mut counted = writer.count_password_try(key, series, FREE_TRIES, now).await?;
        writer.commit().await?;
        if counted.is_none() {
            counted = self.count_and_block(key, series, now).await?;
        }
        Ok(counted.map(|count| {
            let counted = PasswordTry { subject, lane, count };
            Counted::new(&self.inner.store, counted)
        }))
    }

    /// Counts one of those after which nobody may try for a while: the count and the wait in one transaction.
    async fn count_and_block(
        &self,
        key: (&[u8], &[u8]),
        series: i64,
        now: Moment,
    ) -> Result<Option<PasswordCount>, StoreError> {
        let mut writer = self.inner.store.write().await?;
        let counted = writer.count_password_try(key, series, i64::MAX, now).await?;
        if let Some(count) = counted {
            // Written before the comparison: it holds if this try turns out wrong, and a right one clears it.
            let until = wait_after(count.failures).map_or(FOREVER, |wait| now + wait);
            if until > now {
                writer.block_password(key.0, key.1, until).await?;
            }
        }
        writer.commit().await?;
        Ok(counted)
    }

    /// Whether the account may not be tried from here now. Only asked about browsers that have signed it in before, and
    /// sessions: whoever has one of those knows that there is the account, and learns from a quick answer only what they
    /// can count themselves. Everybody else is told nothing before their turn, as if there might be no such account.
    pub(crate) async fn is_blocked(&self, candidate: &Candidate<'_>) -> Result<bool, StoreError> {
        let Candidate { subject, lane, .. } = candidate;
        let mut reader = self.inner.store.read().await?;
        reader.is_password_blocked(subject, lane, self.now()).await
    }

    /// Counts a try, and compares the password in its turn. Where there is nothing to compare it with, it is compared with
    /// the dummy all the same, so that both cost what a real one costs. A fault of ours takes the count back.
    pub(crate) async fn compare_counted(
        &self,
        candidate: &Candidate<'_>,
        turn: &Turn,
        typed: &Password,
        stored: Option<&str>,
    ) -> Result<Compared, Failure> {
        let counted = self.count_try(candidate).await?;
        let stored = stored.filter(|_| counted.is_some());
        let verdict = self.inner.hasher.verify_in(turn, typed, stored).await;
        match (verdict, counted) {
            (Ok(Verdict::Right { outdated }), Some(counted)) => Ok(Compared::Right { counted, outdated }),
            (Ok(_), Some(counted)) => {
                counted.stands();
                Ok(Compared::Wrong)
            }
            (Ok(_), None) => Ok(Compared::Blocked),
            (Err(failure), counted) => {
                if let Some(counted) = counted {
                    counted.take_back().await;
                }
                Err(failure.into())
            }
        }
    }

    /// Writes down that a password was wrong. It counts for the address when it was compared, unless this browser has signed
    /// the account in before.
    pub(crate) async fn note_wrong(
        &self,
        candidate: &Candidate<'_>,
        compared: bool,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write_one().await?;
        if compared && !candidate.is_known() {
            let wrong = WrongTry {
                at: self.now(),
                subject: candidate.subject,
            };
            writer
                .note_wrong_at_source(&candidate.visitor.source, &wrong)
                .await?;
        }
        self.record(&mut writer, entry).await?;
        writer.commit().await
    }
}

/// A right password: its count goes, and its source has earned something, which is written down once a day.
pub(crate) async fn forgive(
    writer: &mut Writer,
    counted: &Counted<PasswordTry>,
    source: Option<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    let PasswordTry { subject, lane, .. } = counted.what();
    writer.clear_password_tries(subject, lane).await?;
    match source {
        Some(source) => writer.note_right_at_source(source, subject, now).await,
        None => Ok(()),
    }
}

/// Whether the company has named the address as its own.
async fn is_office(reader: &mut Reader, candidate: &Candidate<'_>) -> Result<bool, StoreError> {
    let (Some(company), Some(address)) = (candidate.company, candidate.visitor.address.as_deref()) else {
        return Ok(false);
    };
    Ok(hold(&reader.offices_of(company).await?, address))
}
