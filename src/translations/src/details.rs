//! Details of events of the audit log. They are stored as facts, words of programs in a fixed form, and told here in the
//! reader's language. What has no words here is shown as it is stored: a newer version may have written it.

use icu_list::{ListFormatter, options::ListFormatterOptions};
use vestibule_core::{
    audit::Event,
    link::LinkPurpose,
    refusal::Refusal,
    session::Proof,
    sign_in_view::Method,
    sso::{Provider, ProviderProblem},
};

use crate::{Locale, isolate, refusal::sentence, tag, td_string};

/// The detail of an event: what changed from what to what, which kind of proof it was, how many there were.
pub fn event_detail(locale: Locale, event: Event, stored: &str) -> String {
    match event {
        // What an admin or an operator typed.
        Event::BackupCodeIssued
        | Event::AccountDeactivated
        | Event::CompanyCreated
        | Event::CompanyDeleted
        | Event::ApplicationAdded
        | Event::ApplicationSecretRotated
        | Event::ApplicationDeleted
        | Event::ApplicationEntered
        | Event::TokenReused => stored.to_owned(),
        Event::ApplicationChanged | Event::LogoutNotTold => about_application(locale, event, stored),
        Event::SecondFactorOn | Event::SecondFactorOff => method(locale, stored).unwrap_or(stored).to_owned(),
        Event::LinkRefused => purpose(locale, stored).unwrap_or(stored).to_owned(),
        Event::ResetRefused => no_link(locale, stored).unwrap_or(stored).to_owned(),
        Event::MailGivenUp => reason(locale, stored),
        Event::SsoTested => tested(locale, stored),
        Event::SignedIn => proof_name(locale, stored).to_owned(),
        Event::CodeRefused if is_number(stored) => {
            td_string!(locale, audit.detail_wrong_code, number = stored)
        }
        Event::BackupCodeUsed if is_number(stored) => {
            td_string!(locale, audit.detail_codes_left, number = stored)
        }
        Event::SessionsEnded => sessions_ended(locale, stored),
        Event::SessionEnded
        | Event::BrowserForgotten
        | Event::AgentsImported
        | Event::AuditShortened
        | Event::KeysRotated
            if is_number(stored) =>
        {
            td_string!(locale, audit.detail_number, number = stored)
        }
        Event::RightRefused => page(locale, stored).unwrap_or(stored).to_owned(),
        _ => {
            let items = stored.split("; ").map(|item| told(locale, event, item));
            list(locale, &items.collect::<Vec<_>>())
        }
    }
}

/// How many sessions were ended, and why if that was typed: `2: lost laptop`.
fn sessions_ended(locale: Locale, stored: &str) -> String {
    let (number, reason) = match stored.split_once(": ") {
        Some((number, reason)) => (number, Some(reason)),
        None => (stored, None),
    };
    if !is_number(number) {
        return stored.to_owned();
    }
    let number = td_string!(locale, audit.detail_number, number = number);
    let Some(reason) = reason else {
        return number;
    };
    let label = td_string!(locale, agents.reason);
    let reason = td_string!(locale, common.labelled, label = label, value = reason);
    list(locale, &[number, reason])
}

/// What was typed as the name of an application, and after it what the program knows: `Wiki: name, roles`.
fn about_application(locale: Locale, event: Event, stored: &str) -> String {
    let Some((name, facts)) = stored.rsplit_once(": ") else {
        return stored.to_owned();
    };
    let told = if event == Event::LogoutNotTold {
        reason(locale, facts)
    } else {
        let fields = facts
            .split(", ")
            .map(|field| application_field(locale, field).unwrap_or(field));
        list(locale, &fields.collect::<Vec<_>>())
    };
    td_string!(locale, common.labelled, label = name, value = told)
}

/// The label of a field of an application.
fn application_field(locale: Locale, name: &str) -> Option<&'static str> {
    Some(match name {
        "name" => td_string!(locale, applications.name),
        "kind" => td_string!(locale, applications.kind),
        "redirect_uris" => td_string!(locale, applications.redirect_uris),
        "logout_uris" => td_string!(locale, applications.logout_uris),
        "back_channel_uri" => td_string!(locale, applications.back_channel_uri),
        "launch_uri" => td_string!(locale, applications.launch_uri),
        "roles" => td_string!(locale, applications.roles),
        "signing" => td_string!(locale, applications.signing),
        _ => return None,
    })
}

/// A kind of second factor.
fn method(locale: Locale, word: &str) -> Option<&'static str> {
    Some(match Method::from_word(word)? {
        Method::Email => td_string!(locale, profile.email_row),
        Method::App => td_string!(locale, profile.app_row),
    })
}

/// What a link was for.
fn purpose(locale: Locale, word: &str) -> Option<&'static str> {
    Some(match LinkPurpose::from_word(word)? {
        LinkPurpose::Activate => td_string!(locale, company.activation_link),
        LinkPurpose::ResetPassword => td_string!(locale, agents.reset_password),
        LinkPurpose::ConfirmEmail => td_string!(locale, audit.detail_confirm_email),
        LinkPurpose::StopEmailChange => td_string!(locale, audit.detail_stop_email_change),
    })
}

/// Why nobody got a link to choose a new password.
fn no_link(locale: Locale, word: &str) -> Option<&'static str> {
    Some(match word {
        "too_late" => td_string!(locale, audit.detail_not_in_time),
        "unknown_account" => td_string!(locale, audit.detail_no_account),
        "company_disabled" => td_string!(locale, audit.company_disabled),
        "account_inactive" => td_string!(locale, agents.inactive),
        "no_password" => td_string!(locale, audit.detail_no_password),
        "account_limit" | "source_limit" => td_string!(locale, audit.detail_too_often),
        _ => return None,
    })
}

/// Why something did not reach a server: a mail that was given up, or an application.
fn reason(locale: Locale, word: &str) -> String {
    let code = word
        .strip_prefix("rejected_")
        .or_else(|| word.strip_prefix("status_"));
    let told = match (word, code) {
        ("no_sign_in" | "rejected_530" | "rejected_534" | "rejected_535" | "rejected_538", _) => {
            td_string!(locale, audit.detail_sign_in_refused)
        }
        (_, Some(code)) if is_number(code) => {
            return td_string!(locale, audit.detail_rejected, number = code);
        }
        ("refused" | "unreachable" | "forbidden", _) => td_string!(locale, audit.detail_unreachable),
        ("timed_out", _) => td_string!(locale, audit.detail_timed_out),
        ("tls", _) => td_string!(locale, audit.detail_tls),
        ("address", _) => td_string!(locale, audit.detail_address),
        ("expired" | "tries_used_up", _) => td_string!(locale, audit.detail_not_in_time),
        _ => td_string!(locale, audit.detail_other),
    };
    told.to_owned()
}

/// What came of trying a provider: `google: good`.
fn tested(locale: Locale, stored: &str) -> String {
    let found = stored
        .split_once(": ")
        .and_then(|(of, word)| Some((Provider::from_word(of)?, word)));
    let Some((provider, word)) = found else {
        return stored.to_owned();
    };
    let status = word
        .strip_prefix("status_")
        .and_then(|status| status.parse().ok());
    let problem = match (word, status) {
        ("good", _) => return td_string!(locale, sso.tested, provider = provider.name()),
        (_, Some(status)) => ProviderProblem::Status(status),
        ("unreachable", _) => ProviderProblem::Unreachable,
        ("timed_out", _) => ProviderProblem::TimedOut,
        ("wrong_issuer", _) => ProviderProblem::WrongIssuer,
        ("unknown_application", _) => ProviderProblem::UnknownApplication,
        ("request_refused", _) => ProviderProblem::Refused,
        _ => ProviderProblem::NotUnderstood,
    };
    sentence(locale, &Refusal::ProviderUnusable { provider, problem })
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

/// How somebody proved who they are; `word` is the stored form.
pub fn proof_name(locale: Locale, word: &str) -> &'static str {
    proof(locale, word).unwrap_or_else(|| td_string!(locale, audit.proof_other))
}

/// One item: `password_min: 12 -> 14`, `google: good`, `first_name, phone` or a single word.
fn told(locale: Locale, event: Event, item: &str) -> String {
    let Some((name, change)) = item.split_once(": ") else {
        let words = item.split(", ").map(|word| word_of(locale, event, word));
        return list(locale, &words.collect::<Vec<_>>());
    };
    let field = field_of(locale, event, name);
    match change.split_once(" -> ") {
        Some((old, new)) => td_string!(
            locale,
            company.detail_changed,
            field = field,
            old = value(locale, old),
            new = value(locale, new)
        ),
        None if change == "changed" => td_string!(locale, company.detail_secret, field = field),
        None => td_string!(
            locale,
            common.labelled,
            label = field,
            value = value(locale, change)
        ),
    }
}

/// Several things, as the language lists them. Each has a border of its own where it is written in the other direction.
pub fn list<T: AsRef<str>>(locale: Locale, items: &[T]) -> String {
    let language = tag(locale).parse::<icu_locale::Locale>();
    let formatter = language.ok().and_then(|language| {
        ListFormatter::try_new_unit(language.into(), ListFormatterOptions::default()).ok()
    });
    let items: Vec<String> = items.iter().map(|item| isolate(locale, item.as_ref())).collect();
    match formatter {
        Some(formatter) => formatter.format(items.iter().map(String::as_str)).to_string(),
        None => items.join(", "),
    }
}

/// A field, which may be one of a provider: `google client_id`.
fn field_of(locale: Locale, event: Event, name: &str) -> String {
    let of_provider = name
        .split_once(' ')
        .and_then(|(of, rest)| Some((provider(of)?, rest)));
    match of_provider {
        Some((of, rest)) => td_string!(
            locale,
            company.detail_of,
            name = of,
            field = label(locale, event, rest)
        ),
        None => label(locale, event, name).to_owned(),
    }
}

fn label(locale: Locale, event: Event, word: &str) -> &str {
    provider(word)
        .or_else(|| field(locale, event, word))
        .unwrap_or(word)
}

fn word_of(locale: Locale, event: Event, word: &str) -> String {
    let known = proof(locale, word)
        .or_else(|| provider(word))
        .or_else(|| field(locale, event, word));
    known.map_or_else(|| value(locale, word).to_owned(), str::to_owned)
}

fn provider(word: &str) -> Option<&'static str> {
    Provider::from_word(word).map(Provider::name)
}

/// With what somebody proved who they are.
fn proof(locale: Locale, word: &str) -> Option<&'static str> {
    Some(match Proof::from_word(word)? {
        Proof::Password => td_string!(locale, audit.proof_password),
        Proof::EmailCode => td_string!(locale, audit.proof_email_code),
        Proof::AppCode => td_string!(locale, audit.proof_app_code),
        Proof::BackupCode => td_string!(locale, audit.proof_backup_code),
        Proof::IssuedCode => td_string!(locale, audit.proof_issued_code),
        Proof::TrustedBrowser => td_string!(locale, audit.proof_trusted_browser),
        Proof::Provider => td_string!(locale, audit.proof_provider),
    })
}

/// The label of a field, as it stands where the field is filled in.
fn field(locale: Locale, event: Event, name: &str) -> Option<&'static str> {
    Some(match name {
        "first_name" => td_string!(locale, profile.first_name),
        "last_name" => td_string!(locale, profile.last_name),
        "alias" => td_string!(locale, profile.alias),
        "phone" => td_string!(locale, profile.phone),
        "title" => td_string!(locale, profile.job_title),
        "time_format" => td_string!(locale, profile.time_format),
        "email" => td_string!(locale, agents.email),
        "roles" => td_string!(locale, agents.roles),
        "language" if event == Event::CompanyChanged => td_string!(locale, company.language),
        "language" => td_string!(locale, common.language),
        "time_zone" => td_string!(locale, company.time_zone),
        "new_agent_mail" => td_string!(locale, company.new_agent_mail),
        "two_factor_days" => td_string!(locale, company.two_factor),
        "require_second_factor" => td_string!(locale, company.require),
        "password_min" => td_string!(locale, company.password_min),
        "idle_minutes" => td_string!(locale, company.minutes),
        "offices" => td_string!(locale, company.offices),
        "client_id" => td_string!(locale, sso.client_id),
        "client_secret" => td_string!(locale, sso.client_secret),
        "tenants" => td_string!(locale, sso.tenants),
        "trusted" => td_string!(locale, sso.trusted),
        "enabled" => td_string!(locale, agents.active),
        "host" => td_string!(locale, mail_server.host),
        "port" => td_string!(locale, mail_server.port),
        "security" => td_string!(locale, mail_server.security),
        "user" => td_string!(locale, mail_server.user),
        "password" => td_string!(locale, mail_server.password),
        "sender" => td_string!(locale, mail_server.sender),
        "reply_to" => td_string!(locale, mail_server.reply_to),
        "fall_back" => td_string!(locale, mail_server.fall_back),
        _ => return None,
    })
}

/// A value: a word of a closed list, or what somebody typed.
fn value(locale: Locale, stored: &str) -> &str {
    match stored {
        "true" => td_string!(locale, profile.on),
        "false" => td_string!(locale, profile.off),
        "tls" => td_string!(locale, mail_server.tls),
        "starttls" => td_string!(locale, mail_server.starttls),
        "off" => td_string!(locale, company.require_off),
        "admins" => td_string!(locale, company.require_admins),
        "everyone" => td_string!(locale, company.require_everyone),
        "never" => td_string!(locale, company.never),
        "account_details" | "temporary" => td_string!(locale, company.account_details),
        "activation_link" | "activation" => td_string!(locale, company.activation_link),
        "reset" => td_string!(locale, agents.reset_password),
        "none" => "–",
        stored => stored,
    }
}

/// The page that somebody was not let into, by the right that it asks for.
fn page(locale: Locale, action: &str) -> Option<&'static str> {
    Some(match action {
        "ChangeApplications" => td_string!(locale, applications.title),
        "OwnAccount" => td_string!(locale, common.profile),
        "SeeAgents" | "AddAgent" | "EditAgent" | "ActivateAgents" | "DeleteAgent" | "ResetPassword"
        | "SendAccountDetails" | "IssueBackupCode" | "Unlock" | "EndSessions" | "ImportAgents"
        | "ExportAgents" => {
            td_string!(locale, console.agents)
        }
        "SeeOverview" => td_string!(locale, console.overview),
        "SeeSettings" | "ChangeCompany" => td_string!(locale, console.general),
        "ChangePolicies" => td_string!(locale, console.security),
        "ChangeMailServer" => td_string!(locale, console.mail),
        "ChangeSso" => td_string!(locale, console.sso),
        "SeeAudit" => td_string!(locale, console.audit),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use vestibule_core::rights::Action;

    use super::*;

    fn said(event: Event, stored: &str) -> String {
        event_detail(Locale::en, event, stored)
    }

    #[test]
    fn what_changed_is_told_by_its_labels() {
        assert_eq!(
            said(
                Event::PolicyChanged,
                "password_min: 12 -> 14; require_second_factor: off -> everyone"
            ),
            "Minimum password length: 12 → 14, Require a second factor: Off → Everyone"
        );
        assert_eq!(
            said(
                Event::PolicyChanged,
                "offices: none -> 192.0.2.0/28, 2001:db8::/48"
            ),
            "Offices: – → 192.0.2.0/28, 2001:db8::/48"
        );
        assert_eq!(
            said(Event::AccountChanged, "first_name, phone"),
            "First name, Phone"
        );
        assert_eq!(
            said(Event::SsoSettingsChanged, "google client_secret: changed"),
            "Google: Client secret: changed"
        );
        assert_eq!(
            event_detail(Locale::de, Event::PolicyChanged, "password_min: 12 -> 14"),
            "Mindestlänge des Passworts: 12 → 14"
        );
    }

    #[test]
    fn a_proof_is_told_in_words() {
        assert_eq!(
            said(Event::SignedIn, "email_code"),
            "Password and a code by email"
        );
        assert_eq!(
            event_detail(Locale::de, Event::SignedIn, "password"),
            "Nur Passwort"
        );
        for proof in Proof::ALL {
            assert_ne!(said(Event::SignedIn, proof.as_str()), proof.as_str());
        }
    }

    #[test]
    fn what_was_typed_stays_as_it_is() {
        assert_eq!(
            said(Event::BackupCodeIssued, "password; lost: phone -> x"),
            "password; lost: phone -> x"
        );
        assert_eq!(said(Event::SessionsEnded, "3"), "Number: 3");
        assert_eq!(
            said(Event::SessionsEnded, "3: lost: phone -> x"),
            "Number: 3, Reason: lost: phone -> x"
        );
        assert_eq!(
            said(Event::AccountDeactivated, "password; lost: phone -> x"),
            "password; lost: phone -> x"
        );
        assert_eq!(said(Event::CompanyCreated, "Never"), "Never");
    }

    #[test]
    fn what_is_stored_as_a_word_is_told_in_the_language() {
        for (event, stored, english, german) in [
            (
                Event::SecondFactorOn,
                "app",
                "Authenticator app authentication",
                "Authentifizierung mit Authenticator-App",
            ),
            (
                Event::LinkRefused,
                "confirm_email",
                "Confirming a new email address",
                "Bestätigung einer neuen E-Mail-Adresse",
            ),
            (
                Event::ResetRefused,
                "no_password",
                "Account without a password",
                "Konto ohne Passwort",
            ),
            (
                Event::MailGivenUp,
                "rejected_550",
                "Refused with code 550",
                "Abgelehnt mit Code 550",
            ),
            (
                Event::MailGivenUp,
                "rejected_535",
                "Mail server refused the sign-in",
                "Anmeldung vom Mailserver abgelehnt",
            ),
            (
                Event::ApplicationChanged,
                "Wiki: new: name, roles",
                "Wiki: new: Name, Who can use it",
                "Wiki: new: Name, Wer sie verwenden darf",
            ),
            (
                Event::LogoutNotTold,
                "Wiki: timed_out",
                "Wiki: No response in time",
                "Wiki: Keine Antwort innerhalb der Frist",
            ),
            (
                Event::MailServerChanged,
                "security: starttls -> tls",
                "Encryption: STARTTLS → TLS",
                "Verschlüsselung: STARTTLS → TLS",
            ),
        ] {
            assert_eq!(said(event, stored), english);
            assert_eq!(event_detail(Locale::de, event, stored), german);
        }
        assert!(said(Event::SsoTested, "google: good").contains("Google responded"));
        assert!(said(Event::SsoTested, "google: status_404").contains("error 404"));
        // The name of an application is no word of ours.
        assert_eq!(said(Event::ApplicationDeleted, "none"), "none");
    }

    #[test]
    fn no_word_that_the_product_stores_is_left_as_it_is() {
        let words =
            |event, words: &[&'static str]| words.iter().map(move |word| (event, *word)).collect::<Vec<_>>();
        let purposes = LinkPurpose::ALL.map(LinkPurpose::as_str);
        let methods = Method::ALL.map(Method::as_str);
        let reasons = [
            "expired",
            "tries_used_up",
            "refused",
            "unreachable",
            "timed_out",
            "tls",
            "no_sign_in",
            "forbidden",
            "rejected_450",
            "address",
            "other",
        ];
        let no_links = [
            "too_late",
            "unknown_account",
            "company_disabled",
            "account_inactive",
            "no_password",
            "account_limit",
            "source_limit",
        ];
        for (event, word) in [
            words(Event::LinkRefused, &purposes),
            words(Event::SecondFactorOff, &methods),
            words(Event::MailGivenUp, &reasons),
            words(Event::ResetRefused, &no_links),
        ]
        .concat()
        {
            assert_ne!(said(event, word), word, "{event:?}");
        }
    }

    #[test]
    fn every_right_that_is_refused_has_a_page() {
        for action in Action::ALL.into_iter().filter(|action| *action != Action::ComeIn) {
            assert!(page(Locale::en, &format!("{action:?}")).is_some(), "{action:?}");
        }
    }
}
