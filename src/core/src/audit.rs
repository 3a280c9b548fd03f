//! Events of the audit log (security.md 16.3): a closed list, so that nobody invents a spelling.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A sign-in was completed.
    SignedIn,
    /// Company, account or password was wrong, or the password could not be tried.
    PasswordRefused,
    /// Too many wrong passwords came from a network address; with which. At most once a minute.
    SourceLimited,
    /// The password was right but the gate said no.
    GateRefused,
    /// The password was right; a second factor is awaited.
    PasswordAccepted,
    /// A wrong code.
    CodeRefused,
    /// Five wrong codes: the account is locked.
    AccountLocked,
    /// An operator or an admin unlocked the account.
    AccountUnlocked,
    /// A new code was sent.
    CodeResent,
    /// A pending sign-in was given up.
    SignInCancelled,
    /// A browser is trusted for a while.
    BrowserTrusted,
    /// Trust in a browser was ended by its owner; with which.
    BrowserForgotten,
    /// A session was ended by its owner.
    SignedOut,
    /// A session other than the one in use was ended by its owner.
    SessionEnded,
    /// The password was asked again and was wrong.
    StepUpRefused,
    /// Ten wrong passwords in one session: it is ended.
    SessionCut,
    /// Identity was proved once more.
    SteppedUp,
    /// A password was changed by its owner.
    PasswordChanged,
    /// The own data were changed.
    ProfileChanged,
    /// A second factor was set up, or set up anew; with which.
    SecondFactorOn,
    /// A second factor was turned off; with which.
    SecondFactorOff,
    /// New backup codes were made.
    BackupCodesMade,
    /// A backup code was used; with how many are left.
    BackupCodeUsed,
    /// An administrator or an operator issued a backup code; with the reason.
    BackupCodeIssued,
    /// An issued backup code was used.
    IssuedCodeUsed,
    /// A secret in the database could not be opened with any key.
    SecretUnreadable,
    /// A request from another site was refused.
    CrossSiteRefused,
    /// A mail was given up.
    MailGivenUp,
    /// A company was created.
    CompanyCreated,
    /// A company was enabled.
    CompanyEnabled,
    /// A company was disabled.
    CompanyDisabled,
    /// A company was deleted.
    CompanyDeleted,
    /// A company's policies were changed; with which and to what.
    PolicyChanged,
    /// Secrets in the database were encrypted anew; with how many.
    KeysRotated,
    /// An account was created.
    AccountCreated,
    /// A password was set by an admin or an operator.
    PasswordSet,
    /// An admin took the password away: the account comes in by its provider only.
    PasswordRemoved,
    /// An admin changed an account; with which fields.
    AccountChanged,
    /// An account was switched on.
    AccountActivated,
    /// An account was switched off.
    AccountDeactivated,
    /// An account was deleted.
    AccountDeleted,
    /// A new agent was told how to sign in; with how.
    AccountDetailsSent,
    /// A password was chosen with a link or in place of a temporary one; with which.
    PasswordChosen,
    /// A link to choose a new password was sent.
    ResetLinkSent,
    /// Somebody asked for a link to choose a new password and gets none; with why.
    ResetRefused,
    /// A new e-mail address waits for its confirmation.
    EmailChangeBegan,
    /// A change of the e-mail address was given up or stopped.
    EmailChangeStopped,
    /// A new e-mail address was confirmed.
    EmailChanged,
    /// An admin or an operator ended the sessions of an account; with how many.
    SessionsEnded,
    /// General Information was changed; with what.
    CompanyChanged,
    /// An account of a provider was connected; with which provider.
    SsoConnected,
    /// An account of a provider was disconnected; with which provider.
    SsoDisconnected,
    /// A sign-in with a provider brought nobody in; with why.
    SsoRefused,
    /// What the company says about providers was changed; with what, never with a secret.
    SsoSettingsChanged,
    /// An admin tried a provider; with which and how it went.
    SsoTested,
    /// The company's own mail server was changed; with what, never with its password.
    MailServerChanged,
    /// A test mail was sent through the company's own mail server.
    MailTested,
    /// Accounts were imported from a file; with how many.
    AgentsImported,
    /// The list of agents was exported.
    AgentsExported,
    /// The audit log was exported.
    AuditExported,
    /// Somebody signed in tried what their role may not; with what.
    RightRefused,
    /// A link was used that is not good any more.
    LinkRefused,
}

impl Event {
    /// All of them, in the order of the list that the audit log offers.
    pub const ALL: [Self; 62] = [
        Self::SignedIn,
        Self::PasswordRefused,
        Self::SourceLimited,
        Self::GateRefused,
        Self::PasswordAccepted,
        Self::CodeRefused,
        Self::AccountLocked,
        Self::AccountUnlocked,
        Self::CodeResent,
        Self::SignInCancelled,
        Self::BrowserTrusted,
        Self::BrowserForgotten,
        Self::SignedOut,
        Self::SessionEnded,
        Self::StepUpRefused,
        Self::SessionCut,
        Self::SteppedUp,
        Self::PasswordChanged,
        Self::ProfileChanged,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::BackupCodesMade,
        Self::BackupCodeUsed,
        Self::BackupCodeIssued,
        Self::IssuedCodeUsed,
        Self::SecretUnreadable,
        Self::CrossSiteRefused,
        Self::MailGivenUp,
        Self::CompanyCreated,
        Self::CompanyEnabled,
        Self::CompanyDisabled,
        Self::CompanyDeleted,
        Self::PolicyChanged,
        Self::KeysRotated,
        Self::AccountCreated,
        Self::PasswordSet,
        Self::PasswordRemoved,
        Self::AccountChanged,
        Self::AccountActivated,
        Self::AccountDeactivated,
        Self::AccountDeleted,
        Self::AccountDetailsSent,
        Self::PasswordChosen,
        Self::ResetLinkSent,
        Self::ResetRefused,
        Self::EmailChangeBegan,
        Self::EmailChangeStopped,
        Self::EmailChanged,
        Self::SessionsEnded,
        Self::CompanyChanged,
        Self::SsoConnected,
        Self::SsoDisconnected,
        Self::SsoRefused,
        Self::SsoSettingsChanged,
        Self::SsoTested,
        Self::MailServerChanged,
        Self::MailTested,
        Self::AgentsImported,
        Self::AgentsExported,
        Self::AuditExported,
        Self::RightRefused,
        Self::LinkRefused,
    ];

    /// From the stored form.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }

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
                | Self::LinkRefused
        )
    }

    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::PasswordRefused => "password_refused",
            Self::SourceLimited => "source_limited",
            Self::GateRefused => "gate_refused",
            Self::PasswordAccepted => "password_accepted",
            Self::CodeRefused => "code_refused",
            Self::AccountLocked => "account_locked",
            Self::AccountUnlocked => "account_unlocked",
            Self::CodeResent => "code_resent",
            Self::SignInCancelled => "sign_in_cancelled",
            Self::BrowserTrusted => "browser_trusted",
            Self::BrowserForgotten => "browser_forgotten",
            Self::SignedOut => "signed_out",
            Self::SessionEnded => "session_ended",
            Self::StepUpRefused => "step_up_refused",
            Self::SessionCut => "session_cut",
            Self::SteppedUp => "stepped_up",
            Self::PasswordChanged => "password_changed",
            Self::ProfileChanged => "profile_changed",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::BackupCodesMade => "backup_codes_made",
            Self::BackupCodeUsed => "backup_code_used",
            Self::BackupCodeIssued => "backup_code_issued",
            Self::IssuedCodeUsed => "issued_code_used",
            Self::SecretUnreadable => "secret_unreadable",
            Self::CrossSiteRefused => "cross_site_refused",
            Self::MailGivenUp => "mail_given_up",
            Self::CompanyCreated => "company_created",
            Self::CompanyEnabled => "company_enabled",
            Self::CompanyDisabled => "company_disabled",
            Self::CompanyDeleted => "company_deleted",
            Self::PolicyChanged => "policy_changed",
            Self::KeysRotated => "keys_rotated",
            Self::AccountCreated => "account_created",
            Self::PasswordSet => "password_set",
            Self::PasswordRemoved => "password_removed",
            Self::AccountChanged => "account_changed",
            Self::AccountActivated => "account_activated",
            Self::AccountDeactivated => "account_deactivated",
            Self::AccountDeleted => "account_deleted",
            Self::AccountDetailsSent => "account_details_sent",
            Self::PasswordChosen => "password_chosen",
            Self::ResetLinkSent => "reset_link_sent",
            Self::ResetRefused => "reset_refused",
            Self::EmailChangeBegan => "email_change_began",
            Self::EmailChangeStopped => "email_change_stopped",
            Self::EmailChanged => "email_changed",
            Self::SessionsEnded => "sessions_ended",
            Self::CompanyChanged => "company_changed",
            Self::SsoConnected => "sso_connected",
            Self::SsoDisconnected => "sso_disconnected",
            Self::SsoRefused => "sso_refused",
            Self::SsoSettingsChanged => "sso_settings_changed",
            Self::SsoTested => "sso_tested",
            Self::MailServerChanged => "mail_server_changed",
            Self::MailTested => "mail_tested",
            Self::AgentsImported => "agents_imported",
            Self::AgentsExported => "agents_exported",
            Self::AuditExported => "audit_exported",
            Self::RightRefused => "right_refused",
            Self::LinkRefused => "link_refused",
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
    /// The stored kind of actor.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Account(_) => "account",
            Self::Operator => "operator",
            Self::System => "system",
        }
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
    use super::Event;

    #[test]
    fn every_event_is_read_as_it_is_written() {
        for event in Event::ALL {
            assert_eq!(Event::from_word(event.as_str()), Some(event));
        }
        assert_eq!(Event::from_word("nothing"), None);
    }
}
