//! Every mail in every language with made-up facts, to look at: for translators and for whoever changes the layout.

use chrono::DateTime;
use maud::{DOCTYPE, html};
use vestibule_core::{
    account::TimeFormat,
    mail::{About, FactorChange, Mail, TimeStyle},
    ports::Moment,
};
use vestibule_translations::{all, direction, name, tag};

use crate::compose::compose;

const LINK: &str = "https://login.example.com/reset-password/Qm9va3MgYW5kIGJyb29tcyBhbmQgYnJpY2tzIGFsbCBkYXk";
const CODE: &str = "042719";
/// The evening of 5 January 2026.
const AT: Moment = DateTime::from_timestamp_nanos(1_767_645_000_000_000_000);

/// One mail in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Which mail, as the beginning of a file name: letters, digits and underscores.
    pub kind: String,
    /// Language tag.
    pub language: &'static str,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

/// One of each mail with plausible facts; those that say several things once for each.
pub fn samples() -> Vec<(String, Mail)> {
    let mut samples: Vec<(String, Mail)> = plain_samples()
        .into_iter()
        .map(|mail| (mail.kind().to_owned(), mail))
        .collect();
    let changes = [
        ("email_on", FactorChange::EmailOn),
        ("email_off", FactorChange::EmailOff),
        ("app_on", FactorChange::AppOn),
        ("app_off", FactorChange::AppOff),
        ("backup_codes", FactorChange::BackupCodes),
    ];
    samples.extend(changes.map(|(word, change)| {
        let mail = Mail::SecondFactorChanged {
            about: about(),
            change,
        };
        (format!("{}_{word}", mail.kind()), mail)
    }));
    let few = Mail::BackupCodeUsed {
        about: about(),
        left: 1,
    };
    samples.push((format!("{}_few", few.kind()), few));
    samples
}

fn about() -> About {
    About {
        name: "Alice".to_owned(),
        company: "Acme & Sons".to_owned(),
        account: "alice".to_owned(),
        browser: "Firefox / Windows".to_owned(),
        address: "203.0.113.9".to_owned(),
        times: TimeStyle {
            zone: "Europe/Berlin".to_owned(),
            format: TimeFormat::Hours24,
        },
    }
}

fn plain_samples() -> Vec<Mail> {
    let text = str::to_owned;
    let mut mails = codes_and_locks();
    mails.extend([
        Mail::PasswordChanged { about: about() },
        Mail::BackupCodeUsed {
            about: about(),
            left: 7,
        },
        Mail::BackupCodeIssued {
            about: about(),
            minutes: 60,
        },
        Mail::NewBrowser { about: about() },
        Mail::SessionCut { about: about() },
        Mail::AccountDetails {
            about: about(),
            sign_in: text("https://login.example.com/login?company=Acme"),
            email: text("alice@example.com"),
            password: text("kx7m-Qd2t-9RwP"),
            hours: 72,
        },
        Mail::ActivationLink {
            about: about(),
            link: text(LINK),
            sign_in: text("https://login.example.com/login?company=Acme"),
            hours: 72,
        },
        Mail::ResetLink {
            about: about(),
            link: text(LINK),
            minutes: 30,
        },
        Mail::PasswordReset { about: about() },
        Mail::PasswordRemoved {
            about: about(),
            provider: "Google".to_owned(),
        },
        Mail::ConfirmEmail {
            about: about(),
            link: text(LINK),
            hours: 72,
        },
        Mail::EmailChangeBegan {
            about: about(),
            email: text("alice.new@example.com"),
            stop: text(LINK),
            hours: 72,
        },
        Mail::SsoConnected {
            about: about(),
            provider: text("Google"),
            shown: text("alice@example.com"),
        },
        Mail::SsoDisconnected {
            about: about(),
            provider: text("Office 365"),
        },
        Mail::TestMail {
            about: about(),
            server: text("mail.example.com:465"),
        },
        Mail::PoliciesChanged {
            about: about(),
            by: text("Rita"),
        },
    ]);
    mails
}

fn codes_and_locks() -> Vec<Mail> {
    let About {
        name,
        company,
        account,
        browser,
        address,
        times,
    } = about();
    let code = || CODE.to_owned();
    vec![
        Mail::SignInCode {
            name: name.clone(),
            company: company.clone(),
            code: code(),
            minutes: 10,
            browser: browser.clone(),
            address: address.clone(),
            times: times.clone(),
        },
        Mail::ConfirmCode {
            about: about(),
            code: code(),
            minutes: 10,
        },
        Mail::SetUpCode {
            about: about(),
            code: code(),
            minutes: 10,
        },
        Mail::AccountLocked {
            name: name.clone(),
            company: company.clone(),
            account: account.clone(),
            browser,
            address,
            times,
        },
        Mail::AccountUnlocked {
            name,
            company,
            account,
            link: "https://login.example.com/login?company=Acme".to_owned(),
        },
    ]
}

/// Every sample in every language on offer.
pub fn previews() -> Vec<Preview> {
    let samples = samples();
    all()
        .iter()
        .flat_map(|&locale| {
            samples.iter().map(move |(kind, mail)| {
                let message = compose(mail, tag(locale), AT);
                Preview {
                    kind: kind.clone(),
                    language: tag(locale),
                    subject: message.subject,
                    text: message.text,
                    html: message.html,
                }
            })
        })
        .collect()
}

/// A page that leads to all of them: `{language}/{kind}.html` and `{language}/{kind}.txt`, as seen from where it lies.
pub fn index_html(previews: &[Preview]) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Mails of Vestibule" }
            }
            body {
                h1 { "Mails of Vestibule" }
                @for &locale in all() {
                    h2 lang=(tag(locale)) { (name(locale)) }
                    ul lang=(tag(locale)) dir=(direction(locale)) {
                        @for preview in previews.iter().filter(|preview| preview.language == tag(locale)) {
                            @let file = format!("{}/{}", preview.language, preview.kind);
                            li {
                                a href=(format!("{file}.html")) { (preview.subject) }
                                " ("
                                a href=(format!("{file}.txt")) { bdi { (preview.kind) ".txt" } }
                                ")"
                            }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Longest line of plain text, in columns; links and codes are never broken.
    const WIDTH: usize = 78;

    /// Every mail that there is. A new one does not compile here until somebody has written a sample of it.
    fn is_sampled(mail: &Mail) -> bool {
        let kinds: BTreeSet<String> = samples()
            .into_iter()
            .map(|(_, mail)| mail.kind().to_owned())
            .collect();
        match mail {
            Mail::SignInCode { .. }
            | Mail::ConfirmCode { .. }
            | Mail::SetUpCode { .. }
            | Mail::AccountLocked { .. }
            | Mail::AccountUnlocked { .. }
            | Mail::PasswordChanged { .. }
            | Mail::SecondFactorChanged { .. }
            | Mail::BackupCodeUsed { .. }
            | Mail::BackupCodeIssued { .. }
            | Mail::NewBrowser { .. }
            | Mail::SessionCut { .. }
            | Mail::AccountDetails { .. }
            | Mail::ActivationLink { .. }
            | Mail::ResetLink { .. }
            | Mail::PasswordReset { .. }
            | Mail::PasswordRemoved { .. }
            | Mail::ConfirmEmail { .. }
            | Mail::EmailChangeBegan { .. }
            | Mail::SsoConnected { .. }
            | Mail::SsoDisconnected { .. }
            | Mail::TestMail { .. }
            | Mail::PoliciesChanged { .. } => kinds.len() == 22 && kinds.contains(mail.kind()),
        }
    }

    #[test]
    fn there_is_one_of_each_in_every_language() {
        let samples = samples();
        assert!(samples.iter().all(|(_, mail)| is_sampled(mail)));
        let names: BTreeSet<_> = samples.iter().map(|(kind, _)| kind).collect();
        assert_eq!(names.len(), samples.len());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(names.iter().all(|kind| kind.chars().all(plain)), "{names:?}");
        assert_eq!(previews().len(), samples.len() * all().len());
    }

    #[test]
    fn every_text_is_readable_by_itself() {
        for preview in previews() {
            let context = format!("{} {}: {}", preview.language, preview.kind, preview.text);
            assert!(
                !preview.subject.is_empty() && preview.text.ends_with('\n'),
                "{context}"
            );
            for missing in ["{{", "}}", "<", "&amp;", "undefined"] {
                assert!(
                    !preview.text.contains(missing) && !preview.subject.contains(missing),
                    "{context}"
                );
            }
            for line in preview.text.lines().filter(|line| !line.contains("https://")) {
                assert!(
                    textwrap::core::display_width(line) <= WIDTH,
                    "{line:?}: {context}"
                );
                assert!(!line.ends_with(' ') || line == "-- ", "{line:?}: {context}");
            }
        }
    }

    #[test]
    fn every_page_is_dark_where_its_reader_is_and_runs_from_its_side() {
        for preview in previews() {
            let html = &preview.html;
            let rtl = ["ar", "fa", "he", "ur"].contains(&preview.language);
            let direction = if rtl { "dir=\"rtl\"" } else { "dir=\"ltr\"" };
            assert!(html.contains(direction), "{html}");
            assert!(
                html.contains("content=\"light dark\"")
                    && html.contains("@media (prefers-color-scheme:dark)"),
                "{html}"
            );
            assert!(
                html.contains("Acme &amp; Sons") && !html.contains("Acme & Sons"),
                "{html}"
            );
            for loaded in ["src=", "url(", "@import", "<link", "<script"] {
                assert!(!html.contains(loaded), "{loaded}: {html}");
            }
        }
    }

    #[test]
    fn the_index_leads_to_every_file() {
        let previews = previews();
        let index = index_html(&previews);
        for Preview { kind, language, .. } in &previews {
            for file in [
                format!("{language}/{kind}.html"),
                format!("{language}/{kind}.txt"),
            ] {
                assert!(index.contains(&format!("href=\"{file}\"")), "{file}");
            }
        }
        assert!(index.contains("dir=\"rtl\""));
    }
}
