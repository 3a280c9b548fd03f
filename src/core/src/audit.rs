//! Events of the audit log (security.md 16.3): a closed list, so that nobody invents a spelling.

use crate::words;

words! {
    /// What happened.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Event {
        /// A sign-in was completed.
        SignedIn = "signed_in",
        /// Company, account or password was wrong, or the password could not be tried.
        PasswordRefused = "password_refused",
        /// Too many wrong passwords came from a network address; with which. At most once a minute.
        SourceLimited = "source_limited",
        /// The password was right but the gate said no.
        GateRefused = "gate_refused",
        /// The password was right; a second factor is awaited.
        PasswordAccepted = "password_accepted",
        /// A wrong code.
        CodeRefused = "code_refused",
        /// Five wrong codes: the account is locked.
        AccountLocked = "account_locked",
        /// An operator or an admin unlocked the account.
        AccountUnlocked = "account_unlocked",
        /// A new code was sent.
        CodeResent = "code_resent",
        /// A pending sign-in was given up.
        SignInCancelled = "sign_in_cancelled",
        /// A browser is trusted for a while.
        BrowserTrusted = "browser_trusted",
        /// Trust in a browser was ended by its owner; with which.
        BrowserForgotten = "browser_forgotten",
        /// A session was ended by its owner.
        SignedOut = "signed_out",
        /// A session other than the one in use was ended by its owner.
        SessionEnded = "session_ended",
        /// The password was asked again and was wrong.
        StepUpRefused = "step_up_refused",
        /// Ten wrong passwords in one session: it is ended.
        SessionCut = "session_cut",
        /// Identity was proved once more.
        SteppedUp = "stepped_up",
        /// A password was changed by its owner.
        PasswordChanged = "password_changed",
        /// The own data were changed.
        ProfileChanged = "profile_changed",
        /// A second factor was set up, or set up anew; with which.
        SecondFactorOn = "second_factor_on",
        /// A second factor was turned off; with which.
        SecondFactorOff = "second_factor_off",
        /// New backup codes were made.
        BackupCodesMade = "backup_codes_made",
        /// A backup code was used; with how many are left.
        BackupCodeUsed = "backup_code_used",
        /// An administrator or an operator issued a backup code; with the reason.
        BackupCodeIssued = "backup_code_issued",
        /// An issued backup code was used.
        IssuedCodeUsed = "issued_code_used",
        /// A secret in the database could not be opened with any key.
        SecretUnreadable = "secret_unreadable",
        /// A request from another site was refused.
        CrossSiteRefused = "cross_site_refused",
        /// A mail was given up.
        MailGivenUp = "mail_given_up",
        /// A company was created.
        CompanyCreated = "company_created",
        /// A company was enabled.
        CompanyEnabled = "company_enabled",
        /// A company was disabled.
        CompanyDisabled = "company_disabled",
        /// A company was deleted.
        CompanyDeleted = "company_deleted",
        /// A company's policies were changed; with which and to what.
        PolicyChanged = "policy_changed",
        /// Secrets in the database were encrypted anew; with how many.
        KeysRotated = "keys_rotated",
        /// An operator put the database back to an older state.
        DatabaseRestored = "database_restored",
        /// An account was created.
        AccountCreated = "account_created",
        /// A password was set by an admin or an operator.
        PasswordSet = "password_set",
        /// An admin took the password away: the account comes in by its provider only.
        PasswordRemoved = "password_removed",
        /// An admin changed an account; with which fields.
        AccountChanged = "account_changed",
        /// An account was switched on.
        AccountActivated = "account_activated",
        /// An account was switched off.
        AccountDeactivated = "account_deactivated",
        /// An account was deleted.
        AccountDeleted = "account_deleted",
        /// A new agent was told how to sign in; with how.
        AccountDetailsSent = "account_details_sent",
        /// A password was chosen with a link or in place of a temporary one; with which.
        PasswordChosen = "password_chosen",
        /// A link to choose a new password was sent.
        ResetLinkSent = "reset_link_sent",
        /// Somebody asked for a link to choose a new password and gets none; with why.
        ResetRefused = "reset_refused",
        /// A new e-mail address waits for its confirmation.
        EmailChangeBegan = "email_change_began",
        /// A change of the e-mail address was given up or stopped.
        EmailChangeStopped = "email_change_stopped",
        /// A new e-mail address was confirmed.
        EmailChanged = "email_changed",
        /// An admin or an operator ended the sessions of an account; with how many.
        SessionsEnded = "sessions_ended",
        /// General Information was changed; with what.
        CompanyChanged = "company_changed",
        /// An account of a provider was connected; with which provider.
        SsoConnected = "sso_connected",
        /// An account of a provider was disconnected; with which provider.
        SsoDisconnected = "sso_disconnected",
        /// A sign-in with a provider brought nobody in; with why.
        SsoRefused = "sso_refused",
        /// What the company says about providers was changed; with what, never with a secret.
        SsoSettingsChanged = "sso_settings_changed",
        /// An admin tried a provider; with which and how it went.
        SsoTested = "sso_tested",
        /// The company's own mail server was changed; with what, never with its password.
        MailServerChanged = "mail_server_changed",
        /// A test mail was sent through a mail server of the company's own, saved or not; with which.
        MailTested = "mail_tested",
        /// An application was added; with its name.
        ApplicationAdded = "application_added",
        /// An application was changed; with its name and which settings.
        ApplicationChanged = "application_changed",
        /// An application got a new secret; with its name.
        ApplicationSecretRotated = "application_secret_rotated",
        /// An application was deleted; with its name.
        ApplicationDeleted = "application_deleted",
        /// An account went on to an application; with its name.
        ApplicationEntered = "application_entered",
        /// Tokens of an application ended because one was used twice; with its name.
        TokenReused = "token_reused",
        /// An application sent a wrong secret; with its identifier.
        ClientRefused = "client_refused",
        /// An application could not be told of the end of a session; with its name.
        LogoutNotTold = "logout_not_told",
        /// Accounts were imported from a file; with how many.
        AgentsImported = "agents_imported",
        /// The list of agents was exported.
        AgentsExported = "agents_exported",
        /// The audit log was exported.
        AuditExported = "audit_exported",
        /// The oldest events went, because they are older than the operator keeps them; with how many.
        AuditShortened = "audit_shortened",
        /// Somebody signed in tried what their role may not; with what.
        RightRefused = "right_refused",
        /// A link was used that is not good any more.
        LinkRefused = "link_refused",
    }
}

impl Event {
    /// Whether it tells of something that was refused or went wrong: the outcome in the audit log.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::PasswordRefused
                | Self::SourceLimited
                | Self::GateRefused
                | Self::CodeRefused
                | Self::AccountLocked
                | Self::StepUpRefused
                | Self::SessionCut
                | Self::SecretUnreadable
                | Self::CrossSiteRefused
                | Self::MailGivenUp
                | Self::ResetRefused
                | Self::SsoRefused
                | Self::RightRefused
                | Self::TokenReused
                | Self::ClientRefused
                | Self::LogoutNotTold
                | Self::LinkRefused
        )
    }
}

/// The word for a provider that was tried and is as it should be. It ends the detail of [`Event::SsoTested`], `google: good`;
/// the storage searches for it.
pub const GOOD_TEST: &str = "good";

words! {
    /// How something ended, in the audit log.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Outcome {
        /// It was done.
        Done = "done",
        /// It was refused, or went wrong.
        Refused = "refused",
    }
}

impl Event {
    /// How it ended, by itself and by what stands with it.
    pub fn outcome(self, detail: Option<&str>) -> Outcome {
        let word = detail.and_then(|detail| detail.rsplit_once(": "));
        // A provider was tried, and was not as it should be.
        let failed = self == Self::SsoTested && word.is_none_or(|(_, word)| word != GOOD_TEST);
        if failed || self.is_refusal() {
            Outcome::Refused
        } else {
            Outcome::Done
        }
    }

    /// Whether it can only happen to somebody who gave the right password, or came in by a provider.
    const fn follows_password(self) -> bool {
        matches!(
            self,
            Self::SignedIn
                | Self::PasswordAccepted
                | Self::GateRefused
                | Self::CodeRefused
                | Self::CodeResent
                | Self::AccountLocked
                | Self::SignInCancelled
                | Self::BackupCodeUsed
                | Self::IssuedCodeUsed
                | Self::BrowserTrusted
        )
    }

    /// Whether it happens on the sign-in pages, or behind a link of a mail, also to somebody who is signed in.
    const fn is_on_the_way_in(self) -> bool {
        self.follows_password()
            || matches!(
                self,
                Self::PasswordRefused
                    | Self::SourceLimited
                    | Self::SignedOut
                    | Self::SecretUnreadable
                    | Self::CrossSiteRefused
                    | Self::PasswordChosen
                    | Self::ResetRefused
                    | Self::EmailChanged
                    | Self::SsoRefused
                    | Self::LinkRefused
            )
    }

    /// Whether it is done in Profile and Security Settings, and to the own account only.
    const fn is_of_the_profile(self) -> bool {
        matches!(
            self,
            Self::BrowserForgotten
                | Self::SessionEnded
                | Self::StepUpRefused
                | Self::SessionCut
                | Self::SteppedUp
                | Self::PasswordChanged
                | Self::ProfileChanged
                | Self::SecondFactorOn
                | Self::SecondFactorOff
                | Self::BackupCodesMade
                | Self::SsoConnected
        )
    }
}

words! {
    /// Kinds of those who do something, as they are stored.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ActorKind {
        /// Somebody who has not proved who they are.
        Visitor = "visitor",
        /// An account of the company.
        Account = "account",
        /// Somebody with access to the command line.
        Operator = "operator",
        /// Vestibule itself.
        System = "system",
    }
}

impl ActorKind {
    /// Who is told to have done it: whoever gave the right password is no stranger any more, but the account that it belongs
    /// to.
    #[must_use]
    pub const fn told(self, event: Event) -> Self {
        match self {
            Self::Visitor if event.follows_password() => Self::Account,
            kind => kind,
        }
    }
}

words! {
    /// Where something was done, as far as the log knows.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Source {
        /// The sign-in pages, and links of mails.
        SignIn = "sign_in",
        /// Profile and Security Settings.
        Profile = "profile",
        /// The Admin console.
        Console = "console",
        /// A file of accounts.
        Import = "import",
        /// An application that agents sign in to.
        Application = "application",
        /// The command line.
        CommandLine = "command_line",
        /// Vestibule itself.
        System = "system",
    }
}

impl Source {
    /// Where one of this kind brought an event about; `own`: an account, upon itself.
    pub const fn of(event: Event, actor: ActorKind, own: bool) -> Self {
        if matches!(actor, ActorKind::Operator) {
            return Self::CommandLine;
        }
        match event {
            Event::ApplicationEntered | Event::TokenReused | Event::ClientRefused | Event::LogoutNotTold => {
                return Self::Application;
            }
            Event::AgentsImported => return Self::Import,
            _ => {}
        }
        match actor {
            ActorKind::System => Self::System,
            ActorKind::Account if event.is_of_the_profile() => Self::Profile,
            // What people do to themselves in their profile, and admins to others.
            ActorKind::Account
                if own
                    && matches!(
                        event,
                        Event::EmailChangeBegan | Event::EmailChangeStopped | Event::SsoDisconnected
                    ) =>
            {
                Self::Profile
            }
            ActorKind::Account if !event.is_on_the_way_in() => Self::Console,
            _ => Self::SignIn,
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who has not proved who they are.
    Visitor,
    /// An account of the company.
    Account(crate::id::AccountId),
    /// Somebody with access to the command line.
    Operator,
    /// Vestibule itself.
    System,
}

impl Actor {
    /// Which kind it is of.
    pub const fn kind(&self) -> ActorKind {
        match self {
            Self::Visitor => ActorKind::Visitor,
            Self::Account(_) => ActorKind::Account,
            Self::Operator => ActorKind::Operator,
            Self::System => ActorKind::System,
        }
    }

    /// The stored kind of actor.
    pub const fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }
}

/// One line of the audit log, before it gets its identifier.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// The company it belongs to; `None` when no company is known.
    pub company: Option<crate::id::CompanyId>,
    /// Who did it.
    pub actor: Actor,
    /// The account it was done to.
    pub target: Option<crate::id::AccountId>,
    /// What happened.
    pub event: Event,
    /// The visitor's network address.
    pub address: Option<String>,
    /// The visitor's browser, shortened.
    pub browser: Option<String>,
    /// The request it happened in.
    pub request: Option<String>,
    /// A word or number that belongs to the event, such as how many wrong codes there are now. Never a secret.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{ActorKind, Event, Outcome, Source};

    #[test]
    fn every_event_is_read_as_it_is_written() {
        for event in Event::ALL {
            assert_eq!(Event::from_word(event.as_str()), Some(event));
        }
        assert_eq!(Event::from_word("nothing"), None);
    }

    #[test]
    fn a_provider_that_was_tried_in_vain_is_refused() {
        for (detail, outcome) in [
            (Some("google: good"), Outcome::Done),
            (Some("google: unknown_application"), Outcome::Refused),
            (None, Outcome::Refused),
        ] {
            assert_eq!(Event::SsoTested.outcome(detail), outcome, "{detail:?}");
        }
        assert_eq!(Event::CodeRefused.outcome(Some("google: good")), Outcome::Refused);
        assert_eq!(Event::SignedIn.outcome(None), Outcome::Done);
    }

    #[test]
    fn everything_happens_somewhere() {
        use ActorKind::{Account, Operator, System, Visitor};
        for (event, actor, own, source) in [
            (Event::SignedIn, Visitor, false, Source::SignIn),
            (Event::SignedOut, Account, true, Source::SignIn),
            (Event::PasswordRefused, Visitor, false, Source::SignIn),
            (Event::EmailChanged, Account, true, Source::SignIn),
            (Event::EmailChangeStopped, Visitor, false, Source::SignIn),
            (Event::EmailChangeStopped, Account, true, Source::Profile),
            (Event::EmailChangeStopped, Account, false, Source::Console),
            (Event::PasswordChanged, Account, true, Source::Profile),
            (Event::PasswordSet, Account, false, Source::Console),
            (Event::PasswordSet, Operator, false, Source::CommandLine),
            (Event::RightRefused, Account, true, Source::Console),
            (Event::AgentsImported, Account, false, Source::Import),
            (Event::ApplicationEntered, Account, true, Source::Application),
            (Event::TokenReused, System, false, Source::Application),
            (Event::ApplicationAdded, Account, false, Source::Console),
            (Event::ApplicationAdded, Operator, false, Source::CommandLine),
            (Event::MailGivenUp, System, false, Source::System),
        ] {
            assert_eq!(Source::of(event, actor, own), source, "{event:?} {actor:?} {own}");
        }
    }

    #[test]
    fn whoever_gave_the_right_password_is_no_stranger() {
        assert_eq!(ActorKind::Visitor.told(Event::CodeRefused), ActorKind::Account);
        assert_eq!(
            ActorKind::Visitor.told(Event::PasswordRefused),
            ActorKind::Visitor
        );
        assert_eq!(ActorKind::Operator.told(Event::CodeRefused), ActorKind::Operator);
    }
}
