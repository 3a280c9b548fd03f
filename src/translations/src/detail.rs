//! What belongs to an event of the audit log, in the reader's words. It is stored in words of the program, which files and
//! other programs read; what has no word here is shown as it is stored.

use vestibule_core::{audit::Event, session::Proof, sso::Provider};

use crate::{Locale, td_string};

/// How somebody proved who they are; `word` is the stored form.
pub fn proof_name(locale: Locale, word: &str) -> &'static str {
    match Proof::from_word(word) {
        Some(Proof::Password) => td_string!(locale, audit.proof_password),
        Some(Proof::EmailCode) => td_string!(locale, audit.proof_email_code),
        Some(Proof::AppCode) => td_string!(locale, audit.proof_app_code),
        Some(Proof::BackupCode) => td_string!(locale, audit.proof_backup_code),
        Some(Proof::IssuedCode) => td_string!(locale, audit.proof_issued_code),
        Some(Proof::TrustedBrowser) => td_string!(locale, audit.proof_trusted_browser),
        Some(Proof::Provider) => td_string!(locale, audit.proof_provider),
        None => td_string!(locale, audit.proof_other),
    }
}

/// What belongs to an event.
pub fn event_detail(locale: Locale, event: Option<Event>, detail: &str) -> String {
    let number = || detail.to_owned();
    match event {
        Some(Event::SignedIn) => proof_name(locale, detail).to_owned(),
        Some(Event::CodeRefused) => td_string!(locale, audit.detail_wrong_code, number = number()),
        Some(Event::BackupCodeUsed) => td_string!(locale, audit.detail_codes_left, number = number()),
        Some(
            Event::SessionsEnded
            | Event::SessionEnded
            | Event::BrowserForgotten
            | Event::AgentsImported
            | Event::KeysRotated,
        ) => td_string!(locale, audit.detail_number, number = number()),
        // What somebody typed stays as they typed it.
        Some(Event::BackupCodeIssued) => detail.to_owned(),
        _ => changes(locale, detail),
    }
}

/// Changes and words: `name: old -> new; name: old -> new`, or `word, word`.
fn changes(locale: Locale, detail: &str) -> String {
    let parts = detail.split("; ").map(|part| {
        let (name, value) = match part.split_once(": ") {
            Some((name, value)) => (Some(name), value),
            None => (None, part),
        };
        let value = match value.split_once(" -> ") {
            Some((old, new)) => format!("{} → {}", words(locale, old), words(locale, new)),
            None => words(locale, value),
        };
        match name {
            Some(name) => format!("{}: {value}", words(locale, name)),
            None => value,
        }
    });
    let parts: Vec<String> = parts.collect();
    parts.join("; ")
}

/// Words between commas or blanks, each in the reader's language where it is one of ours.
fn words(locale: Locale, text: &str) -> String {
    if let Some((provider, name)) = text.split_once(' ')
        && let Some(provider) = Provider::from_word(provider)
    {
        return [provider.name(), " ", &words(locale, name)].concat();
    }
    let said = text.split(", ").map(|word| word_of(locale, word).unwrap_or(word));
    let said: Vec<&str> = said.collect();
    said.join(", ")
}

/// A word of ours.
fn word_of(locale: Locale, word: &str) -> Option<&'static str> {
    Some(match word {
        "two_factor_days" => td_string!(locale, company.two_factor),
        "require_second_factor" => td_string!(locale, company.require),
        "password_min" => td_string!(locale, company.password_min),
        "idle_minutes" => td_string!(locale, company.log_out),
        "language" => td_string!(locale, common.language),
        "time_zone" => td_string!(locale, company.time_zone),
        "new_agent_mail" => td_string!(locale, company.new_agent_mail),
        "never" => td_string!(locale, company.never),
        "off" => td_string!(locale, company.require_off),
        "admins" => td_string!(locale, company.require_admins),
        "everyone" => td_string!(locale, company.require_everyone),
        "account_details" => td_string!(locale, company.account_details),
        "activation_link" | "activation" | "activate" => td_string!(locale, company.activation_link),
        "temporary" => td_string!(locale, audit.word_temporary),
        "reset" | "reset_password" => td_string!(locale, audit.reset_link_sent),
        "host" => td_string!(locale, mail_server.host),
        "port" => td_string!(locale, mail_server.port),
        "security" => td_string!(locale, mail_server.security),
        "user" => td_string!(locale, mail_server.user),
        "password" => td_string!(locale, mail_server.password),
        "sender" => td_string!(locale, mail_server.sender),
        "reply_to" => td_string!(locale, mail_server.reply_to),
        "fall_back" => td_string!(locale, mail_server.fall_back),
        "client_id" => td_string!(locale, sso.client_id),
        "client_secret" => td_string!(locale, sso.client_secret),
        "tenants" => td_string!(locale, sso.tenants),
        "trusted" => td_string!(locale, sso.trusted),
        "first_name" => td_string!(locale, profile.first_name),
        "last_name" => td_string!(locale, profile.last_name),
        "alias" => td_string!(locale, profile.alias),
        "phone" => td_string!(locale, profile.phone),
        "title" => td_string!(locale, profile.job_title),
        "time_format" => td_string!(locale, profile.time_format),
        "roles" => td_string!(locale, agents.roles),
        "email" => td_string!(locale, profile.email_row),
        "app" => td_string!(locale, profile.app_row),
        "true" | "enabled" => td_string!(locale, profile.on),
        "false" => td_string!(locale, profile.off),
        "changed" => td_string!(locale, audit.word_changed),
        "good" => td_string!(locale, company.done),
        "google" => Provider::Google.name(),
        "office365" => Provider::Office365.name(),
        _ => return action_of(locale, word),
    })
}

/// What somebody tried who may not.
fn action_of(locale: Locale, word: &str) -> Option<&'static str> {
    Some(match word {
        "SeeAgents" => td_string!(locale, console.agents),
        "AddAgent" => td_string!(locale, agents.add_title),
        "EditAgent" => td_string!(locale, agents.edit_title),
        "DeleteAgent" => td_string!(locale, agents.delete),
        "ResetPassword" => td_string!(locale, agents.reset_password),
        "SendAccountDetails" => td_string!(locale, agents.send_again),
        "IssueBackupCode" => td_string!(locale, agents.backup_code),
        "Unlock" => td_string!(locale, agents.unlock),
        "EndSessions" => td_string!(locale, agents.end_sessions),
        "ImportAgents" => td_string!(locale, agents.import),
        "ExportAgents" => td_string!(locale, agents.export),
        "SeeOverview" => td_string!(locale, console.overview),
        "ChangeCompany" | "SeeSettings" => td_string!(locale, console.general),
        "ChangePolicies" => td_string!(locale, console.security),
        "ChangeMailServer" => td_string!(locale, console.mail),
        "ChangeSso" => td_string!(locale, console.sso),
        "SeeAudit" => td_string!(locale, console.audit),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all;

    #[test]
    fn no_word_of_the_program_is_shown_where_there_is_one_of_the_readers() {
        for (event, stored, shown) in [
            (Event::SignedIn, "email_code", "Password and a code by email"),
            (Event::CodeRefused, "4", "Wrong code number 4"),
            (Event::BackupCodeUsed, "9", "Codes left: 9"),
            (Event::RightRefused, "SeeAgents", "Agents"),
            (Event::SecondFactorOn, "app", "Authenticator app authentication"),
            (Event::AccountChanged, "first_name, roles", "First name, Roles"),
            (
                Event::PolicyChanged,
                "idle_minutes: 30 -> never",
                "Log-out Policy: 30 → Never",
            ),
            (
                Event::SsoSettingsChanged,
                "google trusted: false -> true; google client_secret: changed",
                "Google Trust the provider's sign-in: Off → On; Google Client secret: changed",
            ),
            (Event::SsoTested, "google: good", "Google: Success"),
            (Event::BackupCodeIssued, "off", "off"),
            (Event::CompanyCreated, "Acme; Sons", "Acme; Sons"),
        ] {
            assert_eq!(event_detail(Locale::en, Some(event), stored), shown, "{stored}");
        }
    }

    #[test]
    fn every_proof_has_a_name_of_its_own_in_every_language() {
        for locale in all() {
            let names: std::collections::BTreeSet<_> = Proof::ALL
                .iter()
                .map(|proof| proof_name(*locale, proof.as_str()))
                .collect();
            assert_eq!(names.len(), Proof::ALL.len(), "{locale}");
        }
    }
}
