//! Company names, account names and e-mail addresses: what is allowed, and the canonical key they are compared by.
//!
//! Rules: product.md section 2; security.md, "Account-name rules".

use unicode_normalization::UnicodeNormalization;
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::{
    limits::{ACCOUNT_MAX, COMPANY_MAX, EMAIL_MAX},
    text::is_invisible,
};

/// Why a name is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameProblem {
    /// Nothing but white space.
    Missing,
    /// Longer than allowed.
    TooLong,
    /// Control, invisible or direction-changing characters, or characters this kind of name may not have.
    BadCharacters,
    /// Not of the form of an e-mail address.
    NotAnAddress,
}

/// The form by which names are compared: compatibility-normalised, lower case, trimmed. Applying it twice changes
/// nothing (RFC 8265, section 3.3, is the model).
pub fn key(name: &str) -> String {
    let folded: String = name.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.trim().to_owned()
}

/// Whether text holds characters that no name, address or title may have: control characters, and characters
/// that are invisible or change the writing direction.
pub fn has_bad_characters(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// Whether letters of several scripts stand in a text, so that it may look like another one: `Acme` with a Cyrillic `A`
/// does. Latin letters may stand beside Chinese, Japanese and Korean ones, as they do there every day ("highly
/// restrictive" in UTS 39, section 5.2).
fn mixes_scripts(text: &str) -> bool {
    let of = AugmentedScriptSet::for_str;
    let is_latin = |c: char| {
        let mut scripts = AugmentedScriptSet::for_char(c);
        scripts.intersect_with(AugmentedScriptSet::for_char('a'));
        !scripts.is_empty()
    };
    let beside_latin = of(&text.chars().filter(|c| !is_latin(*c)).collect::<String>());
    of(text).is_empty() && !(beside_latin.hanb || beside_latin.jpan || beside_latin.kore)
}

/// A company's name and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanyName {
    display: String,
    key: String,
}

impl CompanyName {
    /// Checks what an operator typed.
    ///
    /// # Errors
    /// [`NameProblem`] when it is empty, longer than 64 characters or has characters that cannot be seen.
    pub fn parse(typed: &str) -> Result<Self, NameProblem> {
        let display: String = typed.trim().nfc().collect();
        let key = key(&display);
        if key.is_empty() {
            return Err(NameProblem::Missing);
        }
        if display.chars().count() > COMPANY_MAX || key.chars().count() > COMPANY_MAX {
            return Err(NameProblem::TooLong);
        }
        if has_bad_characters(&display) {
            return Err(NameProblem::BadCharacters);
        }
        Ok(Self { display, key })
    }

    /// As shown.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// As compared.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether letters of several scripts stand in it, so that it may look like the name of another company.
    pub fn mixes_scripts(&self) -> bool {
        mixes_scripts(&self.display)
    }
}

/// An account's name: ASCII letters, digits, `.`, `_` and `-`, so that it is of one script and never an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName {
    display: String,
    key: String,
}

impl AccountName {
    /// Checks a new account's name.
    ///
    /// # Errors
    /// [`NameProblem`] when it is empty, longer than 64 characters or has other characters than those allowed.
    pub fn parse(typed: &str) -> Result<Self, NameProblem> {
        let display = typed.trim().to_owned();
        if display.is_empty() {
            return Err(NameProblem::Missing);
        }
        if display.chars().count() > ACCOUNT_MAX {
            return Err(NameProblem::TooLong);
        }
        if !display
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        {
            return Err(NameProblem::BadCharacters);
        }
        let key = key(&display);
        Ok(Self { display, key })
    }

    /// As shown.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// As compared.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// An e-mail address, kept as typed for sending and with a key for comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    display: String,
    key: String,
}

impl EmailAddress {
    /// Checks an address (RFC 5321 form, no display name, no quoted local part).
    ///
    /// # Errors
    /// [`NameProblem`] when it is empty, longer than 254 characters or not an address.
    pub fn parse(typed: &str) -> Result<Self, NameProblem> {
        let display = typed.trim().to_owned();
        if display.is_empty() {
            return Err(NameProblem::Missing);
        }
        if display.chars().count() > EMAIL_MAX {
            return Err(NameProblem::TooLong);
        }
        if has_bad_characters(&display) {
            return Err(NameProblem::BadCharacters);
        }
        let options = email_address::Options::default()
            .without_display_text()
            .without_domain_literal();
        let parsed = email_address::EmailAddress::parse_with_options(&display, options)
            .map_err(|_| NameProblem::NotAnAddress)?;
        if parsed.local_part().starts_with('"') {
            return Err(NameProblem::NotAnAddress);
        }
        let key = Self::lookup_key(&display);
        Ok(Self { display, key })
    }

    /// The key of whatever was typed. Only the case is folded: two mailboxes whose addresses merely look alike stay
    /// two (attacks.md T129).
    pub fn lookup_key(typed: &str) -> String {
        typed.trim().nfc().flat_map(char::to_lowercase).collect()
    }

    /// As typed; mail goes here.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// As compared.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// For showing to somebody who has only proved a password: first letters and the last label, such as
    /// `a***@d***.test` (security.md 14.2.6).
    pub fn masked(&self) -> String {
        let (local, domain) = self.display.rsplit_once('@').unwrap_or((&self.display, ""));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        match domain.rsplit_once('.') {
            Some((host, last)) => format!("{}***@{}***.{last}", first(local), first(host)),
            None => format!("{}***@{}***", first(local), first(domain)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_names_are_compared_trimmed_normalised_and_without_case() {
        for same in ["Straße GmbH", " STRASSE".trim_start(), "ＡＣＭＥ", "acme "] {
            assert_eq!(key(&key(same)), key(same), "the key of a key is the key: {same}");
        }
        assert_eq!(key("Acme"), key("  ＡＣＭＥ "));
        assert_eq!(key("Caf\u{e9}"), key("CAFE\u{301}"));
        assert_ne!(key("Acme"), key("Ac me"));
    }

    #[test]
    fn a_key_of_a_key_is_the_key_for_every_character() {
        for c in char::MIN..=char::MAX {
            let once = key(&format!("a{c}b"));
            assert_eq!(key(&once), once, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn names_with_characters_nobody_can_see_are_refused() {
        for bad in ["Ac\u{0}me", "Ac\u{200b}me", "\u{202e}emcA", "A\ncme"] {
            assert_eq!(
                CompanyName::parse(bad),
                Err(NameProblem::BadCharacters),
                "{bad:?}"
            );
        }
        assert_eq!(CompanyName::parse(" \t "), Err(NameProblem::Missing));
        assert_eq!(CompanyName::parse(&"a".repeat(65)), Err(NameProblem::TooLong));
        assert_eq!(
            CompanyName::parse(" Müller & Söhne ").unwrap().display(),
            "Müller & Söhne"
        );
    }

    #[test]
    fn a_name_of_several_scripts_is_told_from_one_that_is_merely_not_latin() {
        let mixes = |name: &str| CompanyName::parse(name).unwrap().mixes_scripts();
        for mixed in [
            "\u{410}cme",
            "Acm\u{435} 24",
            "\u{391}cme",
            "Acme \u{420}\u{43e}ссия",
            "日本Аcme",
        ] {
            assert!(mixes(mixed), "{mixed}");
        }
        for plain in [
            "Acme & Söhne 24 №1",
            "ＡＣＭＥ",
            "Россия №1",
            "Παπαδόπουλος",
            "شركة النور",
            "トヨタ自動車 Acme",
            "삼성 Acme 三星",
            "台積電 ㄊㄞ TSMC",
            "24/7",
        ] {
            assert!(!mixes(plain), "{plain}");
        }
    }

    #[test]
    fn account_names_are_never_addresses() {
        assert_eq!(AccountName::parse("Al.ice_1-x").unwrap().key(), "al.ice_1-x");
        for bad in ["a@b.test", "a b", "аlice", "a\u{0}b", "über"] {
            assert_eq!(
                AccountName::parse(bad),
                Err(NameProblem::BadCharacters),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn addresses_keep_their_spelling_and_compare_without_case() {
        let address = EmailAddress::parse(" Mike@Example.org ").unwrap();
        assert_eq!(address.display(), "Mike@Example.org");
        assert_eq!(address.key(), EmailAddress::lookup_key("mike@EXAMPLE.ORG"));
        assert_ne!(address.key(), EmailAddress::lookup_key("m\u{131}ke@example.org"));
        assert_ne!(address.key(), EmailAddress::lookup_key("mike@ｅxample.org"));
        for bad in [
            "mike",
            "mike@",
            "@x.org",
            "\"a b\"@x.org",
            "a@x.org,b@x.org",
            "A <a@x.org>",
            "a@x.org\nBcc: b@x.org",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_masked_address_keeps_three_characters() {
        assert_eq!(
            EmailAddress::parse("alice@demo.test").unwrap().masked(),
            "a***@d***.test"
        );
        assert_eq!(
            EmailAddress::parse("b@mail.acme.co.uk").unwrap().masked(),
            "b***@m***.uk"
        );
    }
}
