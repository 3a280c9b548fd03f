//! Facts that people typed, made harmless before they stand in a sentence (attacks.md T134).

use vestibule_core::{
    account::TimeFormat,
    browser::Browser,
    mail::{Mail, TimeStyle},
    name::without_bad_characters,
    ports::Moment,
};
use vestibule_translations::{Locale, Times, td_string};

/// Longest fact that is shown, in characters; more than any field may hold.
const FACT_MAX: usize = 200;

/// Who a mail is about and where it happened, whatever mail it is; ready to stand in a sentence, empty = unknown.
pub(super) struct Facts {
    /// How the receiver is addressed.
    pub(super) name: String,
    /// The company.
    pub(super) company: String,
    /// The account; empty in a mail that does not name it.
    pub(super) account: String,
    /// The browser, in words of the language.
    pub(super) browser: String,
    /// The network address.
    pub(super) address: String,
    /// A new e-mail address that the mail tells about.
    pub(super) new_email: String,
    /// Who did it.
    pub(super) by: String,
    /// When it happened, with the time zone.
    pub(super) when: String,
}

impl Facts {
    /// Takes them out of `mail` about something that happened at this moment, for sentences of a language.
    pub(super) fn of(mail: &Mail, locale: Locale, at: Moment) -> Self {
        let (name, company, account, browser, address, times) = match mail {
            Mail::SignInCode {
                name,
                company,
                browser,
                address,
                times,
                ..
            } => (
                name.as_str(),
                company.as_str(),
                "",
                browser.as_str(),
                address.as_str(),
                Some(times),
            ),
            Mail::AccountLocked {
                name,
                company,
                account,
                browser,
                address,
                times,
                ..
            } => (
                name.as_str(),
                company.as_str(),
                account.as_str(),
                browser.as_str(),
                address.as_str(),
                Some(times),
            ),
            Mail::AccountUnlocked {
                name,
                company,
                account,
                ..
            } => (name.as_str(), company.as_str(), account.as_str(), "", "", None),
            Mail::ConfirmCode { about, .. }
            | Mail::SetUpCode { about, .. }
            | Mail::PasswordChanged { about }
            | Mail::SecondFactorChanged { about, .. }
            | Mail::BackupCodeUsed { about, .. }
            | Mail::BackupCodeIssued { about, .. }
            | Mail::NewBrowser { about }
            | Mail::SessionCut { about }
            | Mail::AccountDetails { about, .. }
            | Mail::ActivationLink { about, .. }
            | Mail::ResetLink { about, .. }
            | Mail::PasswordReset { about }
            | Mail::PasswordRemoved { about, .. }
            | Mail::ConfirmEmail { about, .. }
            | Mail::EmailChangeBegan { about, .. }
            | Mail::SsoConnected { about, .. }
            | Mail::SsoDisconnected { about, .. }
            | Mail::TestMail { about, .. }
            | Mail::PoliciesChanged { about, .. } => (
                about.name.as_str(),
                about.company.as_str(),
                about.account.as_str(),
                about.browser.as_str(),
                about.address.as_str(),
                Some(&about.times),
            ),
        };
        let (new_email, by) = match mail {
            Mail::EmailChangeBegan { email, .. } => (email.as_str(), ""),
            Mail::PoliciesChanged { by, .. } => ("", by.as_str()),
            _ => ("", ""),
        };
        Self {
            name: clean(name),
            company: clean(company),
            account: clean(account),
            browser: match Browser::read(browser) {
                Browser {
                    name,
                    system: Some(system),
                } => td_string!(
                    locale,
                    common.browser_on,
                    browser = clean(name),
                    system = clean(system)
                ),
                Browser { name, system: None } => clean(name),
            },
            address: clean(address),
            new_email: clean(new_email),
            by: clean(by),
            when: times_of(times).say_with_zone(locale, at),
        }
    }
}

/// How the receiver of a mail reads times; in UTC where the mail does not say.
fn times_of(style: Option<&TimeStyle>) -> Times {
    match style {
        Some(TimeStyle { zone, format }) => Times::new(zone, *format),
        None => Times::new("", TimeFormat::default()),
    }
}

/// One line without control characters, and without characters that are invisible or change the writing direction, but
/// for joiners inside a name.
pub(super) fn clean(fact: &str) -> String {
    let visible: String = fact
        .chars()
        .map(|c| {
            if c.is_control() || c.is_whitespace() {
                ' '
            } else {
                c
            }
        })
        .collect();
    let mut line = String::with_capacity(visible.len());
    for word in without_bad_characters(&visible).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((end, _)) = line.char_indices().nth(FACT_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_one_visible_line() {
        assert_eq!(
            clean(" Ann\r\nBcc: eve@evil.test\t\0x "),
            "Ann Bcc: eve@evil.test x"
        );
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{2067}d\u{feff}"), "abcd");
        assert_eq!(clean("a\u{2028}b\u{2029}c\u{85}d"), "a b c d");
        assert_eq!(clean("Müller & Söhne <b>"), "Müller & Söhne <b>");
        assert_eq!(clean(&"é".repeat(500)).chars().count(), FACT_MAX + 1);
        assert_eq!(clean("\r\n \u{200e}"), "");
    }
}
