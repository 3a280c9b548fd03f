//! The pages about a whole company: Overview, General Information, Security, Audit log and the import of agents
//! (product.md section 3).

use vestibule_core::refusal::Refusal;

use super::When;

/// What stands in an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// What was saved, or what was typed before the form came back.
    pub value: String,
    /// What somebody else saved meanwhile, where that differs.
    pub meanwhile: Option<String>,
}

/// `/admin/company`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanyPage {
    /// The company's name.
    pub name: String,
    /// Version that is saved over.
    pub version: i64,
    /// Language tag.
    pub language: Typed,
    /// IANA name.
    pub time_zone: Typed,
    /// Word of how new agents are told.
    pub new_agent_mail: Typed,
    /// Names of all time zones.
    pub zones: Vec<&'static str>,
    /// Whether it was just saved.
    pub saved: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/admin/security`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoliciesPage {
    /// Version that is saved over.
    pub version: i64,
    /// Days of the 2FA Policy; 0 = every login.
    pub two_factor_days: Typed,
    /// Word of Require a second factor.
    pub require_second_factor: Typed,
    /// Characters that a new password needs.
    pub password_min: Typed,
    /// Whether sessions end without activity. What was saved meanwhile about it is with the minutes.
    pub log_out: bool,
    /// Minutes without activity; saved meanwhile empty = never.
    pub idle_minutes: Typed,
    /// How many active accounts have no second factor though everyone has to have one; 0 = there is nothing to say.
    pub without_second_factor: i64,
    /// Whether they were just saved.
    pub saved: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/admin`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverviewPage {
    /// How many backup codes of the own account are left, when there are so few that it has to be said.
    pub few_backup_codes: Option<usize>,
    /// Accounts that are signed in now.
    pub signed_in: i64,
    /// Locked accounts.
    pub locked: i64,
    /// Sign-ins that wait for a code.
    pub waiting: i64,
    /// Mails that wait.
    pub mails: MailsWaiting,
    /// Active accounts.
    pub active: i64,
    /// Active accounts with a second factor.
    pub with_second_factor: i64,
    /// The last 14 days, oldest first.
    pub days: Vec<DayRow>,
}

/// The mails of a company that are not out yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailsWaiting {
    /// How many wait.
    pub waiting: i64,
    /// Of them those whose last try failed.
    pub failing: i64,
    /// Since when the oldest waits.
    pub oldest: Option<When>,
    /// How many were given up in the last 24 hours.
    pub given_up: i64,
}

impl OverviewPage {
    /// Share of active accounts that have a second factor, in whole percent, rounded down: 100 means all of them.
    pub fn coverage(&self) -> i64 {
        if self.active > 0 {
            self.with_second_factor.saturating_mul(100) / self.active
        } else {
            0
        }
    }
}

/// A day in the chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayRow {
    /// `2026-01-05`.
    pub day: String,
    /// The day of the month.
    pub short: String,
    /// Completed sign-ins.
    pub signed_in: i64,
    /// Failed ones.
    pub failed: i64,
}

/// `/admin/audit`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// Word of the event that is looked for; empty = all.
    pub event: String,
    /// Account that is looked for.
    pub account: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub until: String,
    /// The events, newest first.
    pub rows: Vec<EventLine>,
    /// Address of the older ones, when there are any.
    pub older: Option<String>,
    /// Address of the newest ones, when these are not.
    pub newest: Option<String>,
    /// Address of the same events as a file.
    pub export: String,
}

/// An event in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    /// When.
    pub at: When,
    /// Its word.
    pub event: String,
    /// Whether something was refused or went wrong.
    pub refused: bool,
    /// Who did it.
    pub who: Who,
    /// Name of the account it was done to.
    pub target: Option<String>,
    /// Network address.
    pub address: Option<String>,
    /// Kind of browser.
    pub browser: Option<String>,
    /// A word or a number that belongs to it.
    pub detail: Option<String>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody who had not proved who they are.
    Visitor,
    /// An account; its name as it was then, where it is known.
    Account(Option<String>),
    /// Somebody at the command line.
    Operator,
    /// Vestibule itself.
    System,
}

/// `/admin/agents/import`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    /// A file to begin with: a `data:` address, which works without scripts.
    pub template: String,
    /// Why the last file was refused.
    pub refusal: Option<Refusal>,
}

/// `/admin/agents/import/{id}`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPage {
    /// Its identifier.
    pub id: String,
    /// Where it stands.
    pub stage: ImportStage,
    /// How many lines have which verdict: its word and the number.
    pub verdicts: Vec<(&'static str, usize)>,
    /// Lines that will be imported, or still have to be.
    pub good: usize,
    /// Lines that were imported.
    pub imported: usize,
    /// Lines that were to be imported and have their verdict.
    pub settled: usize,
    /// The lines of this page.
    pub lines: Vec<ImportRow>,
    /// Address of the next page.
    pub next: Option<String>,
    /// Address of the first page, when this is another.
    pub first: Option<String>,
    /// Why it could not be started.
    pub refusal: Option<Refusal>,
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportStage {
    /// Checked; nothing was created.
    #[default]
    Checked,
    /// Under way.
    Running,
    /// Cut off; it can be taken on.
    Stalled,
    /// Over.
    Done,
}

/// A line of an imported file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its number in the file, from 1.
    pub line: i64,
    /// The account name in it, as typed.
    pub account: String,
    /// Word of what becomes of it.
    pub verdict: String,
}

#[cfg(test)]
mod tests {
    use super::OverviewPage;

    #[test]
    fn all_of_them_is_said_only_when_it_is_so() {
        let coverage = |with_second_factor, active| {
            OverviewPage {
                active,
                with_second_factor,
                ..OverviewPage::default()
            }
            .coverage()
        };
        assert_eq!(coverage(0, 0), 0);
        assert_eq!(coverage(2, 3), 66);
        assert_eq!(coverage(999, 1000), 99);
        assert_eq!(coverage(3, 3), 100);
    }
}
