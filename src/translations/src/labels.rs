//! Labels of events of the audit log, and what became of the lines of an imported file (product.md section 3).

use vestibule_core::audit::Event;

use crate::{Locale, all, td_string};

/// What an event is called in the audit log: a closed match, so that a new event without a label does not compile.
pub fn event_name(locale: Locale, event: Event) -> &'static str {
    match event {
        Event::SignedIn => td_string!(locale, audit.signed_in),
        Event::PasswordRefused => td_string!(locale, audit.password_refused),
        Event::GateRefused => td_string!(locale, audit.gate_refused),
        Event::PasswordAccepted => td_string!(locale, audit.password_accepted),
        Event::CodeRefused => td_string!(locale, audit.code_refused),
        Event::AccountLocked => td_string!(locale, audit.account_locked),
        Event::AccountUnlocked => td_string!(locale, audit.account_unlocked),
        Event::CodeResent => td_string!(locale, audit.code_resent),
        Event::SignInCancelled => td_string!(locale, audit.sign_in_cancelled),
        Event::BrowserTrusted => td_string!(locale, audit.browser_trusted),
        Event::BrowserForgotten => td_string!(locale, audit.browser_forgotten),
        Event::SignedOut => td_string!(locale, audit.signed_out),
        Event::SessionEnded => td_string!(locale, audit.session_ended),
        Event::SourceLimited => td_string!(locale, audit.source_limited),
        Event::StepUpRefused => td_string!(locale, audit.step_up_refused),
        Event::SessionCut => td_string!(locale, audit.session_cut),
        Event::SteppedUp => td_string!(locale, audit.stepped_up),
        Event::PasswordChanged => td_string!(locale, audit.password_changed),
        Event::ProfileChanged => td_string!(locale, audit.profile_changed),
        Event::SecondFactorOn => td_string!(locale, audit.second_factor_on),
        Event::SecondFactorOff => td_string!(locale, audit.second_factor_off),
        Event::BackupCodesMade => td_string!(locale, audit.backup_codes_made),
        Event::BackupCodeUsed => td_string!(locale, audit.backup_code_used),
        Event::BackupCodeIssued => td_string!(locale, audit.backup_code_issued),
        Event::IssuedCodeUsed => td_string!(locale, audit.issued_code_used),
        Event::SecretUnreadable => td_string!(locale, audit.secret_unreadable),
        Event::CrossSiteRefused => td_string!(locale, audit.cross_site_refused),
        Event::MailGivenUp => td_string!(locale, audit.mail_given_up),
        Event::CompanyCreated => td_string!(locale, audit.company_created),
        Event::CompanyEnabled => td_string!(locale, audit.company_enabled),
        Event::CompanyDisabled => td_string!(locale, audit.company_disabled),
        Event::AuditShortened => td_string!(locale, audit.audit_shortened),
        Event::DatabaseRestored => td_string!(locale, audit.database_restored),
        Event::CompanyDeleted => td_string!(locale, audit.company_deleted),
        Event::PolicyChanged => td_string!(locale, audit.policy_changed),
        Event::KeysRotated => td_string!(locale, audit.keys_rotated),
        Event::AccountCreated => td_string!(locale, audit.account_created),
        Event::PasswordSet => td_string!(locale, audit.password_set),
        Event::PasswordRemoved => td_string!(locale, audit.password_removed),
        Event::AccountChanged => td_string!(locale, audit.account_changed),
        Event::AccountActivated => td_string!(locale, audit.account_activated),
        Event::AccountDeactivated => td_string!(locale, audit.account_deactivated),
        Event::AccountDeleted => td_string!(locale, audit.account_deleted),
        Event::AccountDetailsSent => td_string!(locale, audit.account_details_sent),
        Event::PasswordChosen => td_string!(locale, audit.password_chosen),
        Event::ResetLinkSent => td_string!(locale, audit.reset_link_sent),
        Event::ResetRefused => td_string!(locale, audit.reset_refused),
        Event::EmailChangeBegan => td_string!(locale, audit.email_change_began),
        Event::EmailChangeStopped => td_string!(locale, audit.email_change_stopped),
        Event::EmailChanged => td_string!(locale, audit.email_changed),
        Event::SessionsEnded => td_string!(locale, audit.sessions_ended),
        Event::CompanyChanged => td_string!(locale, audit.company_changed),
        Event::SsoConnected => td_string!(locale, audit.sso_connected),
        Event::SsoDisconnected => td_string!(locale, audit.sso_disconnected),
        Event::SsoRefused => td_string!(locale, audit.sso_refused),
        Event::SsoSettingsChanged => td_string!(locale, audit.sso_settings_changed),
        Event::SsoTested => td_string!(locale, audit.sso_tested),
        Event::MailServerChanged => td_string!(locale, audit.mail_server_changed),
        Event::MailTested => td_string!(locale, audit.mail_tested),
        Event::ApplicationAdded => td_string!(locale, audit.application_added),
        Event::ApplicationChanged => td_string!(locale, audit.application_changed),
        Event::ApplicationSecretRotated => td_string!(locale, audit.application_secret_rotated),
        Event::ApplicationDeleted => td_string!(locale, audit.application_deleted),
        Event::ApplicationEntered => td_string!(locale, audit.application_entered),
        Event::TokenReused => td_string!(locale, audit.token_reused),
        Event::ClientRefused => td_string!(locale, audit.client_refused),
        Event::LogoutNotTold => td_string!(locale, audit.logout_not_told),
        Event::AgentsImported => td_string!(locale, audit.agents_imported),
        Event::AgentsExported => td_string!(locale, audit.agents_exported),
        Event::AuditExported => td_string!(locale, audit.audit_exported),
        Event::RightRefused => td_string!(locale, audit.right_refused),
        Event::LinkRefused => td_string!(locale, audit.link_refused),
    }
}

/// What becomes, or became, of a line of an imported file; `word` is the stored form of the verdict. An unknown word is
/// said as a line that failed: nothing is promised about it.
pub fn verdict_sentence(locale: Locale, word: &str) -> &'static str {
    match word {
        "good" => td_string!(locale, import.good),
        "imported" => td_string!(locale, import.imported),
        "exists" => td_string!(locale, import.exists),
        "name_taken" => td_string!(locale, import.name_taken),
        "email_taken" => td_string!(locale, import.email_taken),
        "doubled" => td_string!(locale, import.doubled),
        "bad_account" => td_string!(locale, import.bad_account),
        "bad_email" => td_string!(locale, import.bad_email),
        "bad_person" => td_string!(locale, import.bad_person),
        "bad_role" => td_string!(locale, import.bad_role),
        "bad_language" => td_string!(locale, import.bad_language),
        "bad_active" => td_string!(locale, import.bad_active),
        "bad_columns" => td_string!(locale, import.bad_columns),
        _ => td_string!(locale, import.failed),
    }
}

/// What a cell of an imported file says that holds yes or no: as spreadsheets and databases write it, or in a word of any
/// language on offer.
///
/// ```
/// use vestibule_translations::yes_or_no;
/// assert_eq!(yes_or_no(" TRUE "), Some(true));
/// assert_eq!(yes_or_no("nein"), Some(false));
/// assert_eq!(yes_or_no("perhaps"), None);
/// ```
pub fn yes_or_no(cell: &str) -> Option<bool> {
    let cell = cell.trim().to_lowercase();
    let stands_in = |words: &str| words.split_whitespace().any(|word| word.to_lowercase() == cell);
    match cell.as_str() {
        "1" => return Some(true),
        "0" => return Some(false),
        _ => {}
    }
    all().iter().find_map(|locale| {
        if stands_in(td_string!(*locale, import.yes_words)) {
            Some(true)
        } else if stands_in(td_string!(*locale, import.no_words)) {
            Some(false)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vestibule_locales::{Catalogue, EVENTS, Group, Language, VERDICTS};

    use super::*;

    /// What a line of an imported file may come to, sorted.
    const WORDS: [&str; 14] = [
        "bad_account",
        "bad_active",
        "bad_columns",
        "bad_email",
        "bad_language",
        "bad_person",
        "bad_role",
        "doubled",
        "email_taken",
        "exists",
        "failed",
        "good",
        "imported",
        "name_taken",
    ];

    fn catalogue() -> Catalogue {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales");
        Catalogue::read(&folder).unwrap()
    }

    /// The texts that the check of the files keeps apart in every language.
    fn kept_apart<'a>(group: &Group, language: &'a Language) -> Vec<&'a str> {
        let mut keys = group.keys(language);
        keys.sort_unstable();
        keys
    }

    #[test]
    fn every_event_has_a_label_that_is_kept_apart_from_the_others() {
        let catalogue = catalogue();
        let mut events = Event::ALL.map(Event::as_str);
        events.sort_unstable();
        assert_eq!(kept_apart(&EVENTS, catalogue.english().unwrap()), events);
        assert_eq!(event_name(Locale::en, Event::SignedIn), "Signed in");
        assert_eq!(
            event_name(Locale::de, Event::AccountLocked),
            "Konto nach falschen Codes gesperrt"
        );
    }

    #[test]
    fn labels_are_kept_under_the_stored_form_of_the_event() {
        let catalogue = catalogue();
        let english = catalogue.english().unwrap();
        for event in Event::ALL {
            let label = english.text(&["audit.", event.as_str()].concat());
            assert_eq!(label, Some(event_name(Locale::en, event)), "{event:?}");
        }
    }

    #[test]
    fn every_verdict_has_a_sentence_that_is_kept_apart_from_the_others() {
        let catalogue = catalogue();
        let english = catalogue.english().unwrap();
        assert_eq!(kept_apart(&VERDICTS, english), WORDS);
        for word in WORDS {
            let sentence = english.text(&["import.", word].concat());
            assert_eq!(sentence, Some(verdict_sentence(Locale::en, word)), "{word}");
        }
        assert_eq!(verdict_sentence(Locale::en, "good"), "Ready to import.");
        assert_eq!(
            verdict_sentence(Locale::en, "?"),
            verdict_sentence(Locale::en, "failed")
        );
    }

    #[test]
    fn a_cell_says_yes_or_no_in_every_language() {
        for (cell, said) in [
            ("TRUE", Some(true)),
            ("False", Some(false)),
            ("1", Some(true)),
            ("0", Some(false)),
            ("Yes", Some(true)),
            (" no\u{a0}", Some(false)),
            ("WAHR", Some(true)),
            ("Falsch", Some(false)),
            ("JA", Some(true)),
            ("نعم", Some(true)),
            ("لا", Some(false)),
            ("", None),
            ("2", None),
            ("yes no", None),
            ("perhaps", None),
        ] {
            assert_eq!(yes_or_no(cell), said, "{cell}");
        }
    }
}
