//! Company names, account names and e-mail addresses: what is allowed, and the canonical key they are compared by.
//!
//! Rules: product.md section 2; security.md, "Account-name rules".

use icu_casemap::CaseMapper;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::UnicodeEmoji;
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::{
    limits::{ACCOUNT_MAX, COMPANY_MAX, EMAIL_MAX},
    text::{is_invisible, narrow, trim},
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

/// The form by which names are compared: compatibility-normalised, case-folded (`ß` is `ss`, the final `ς` is `σ`),
/// trimmed. Applying it twice changes nothing (RFC 8265, section 3.3, is the model).
pub fn key(name: &str) -> String {
    let composed: String = trim(name).nfkc().collect();
    let folded: String = CaseMapper::new().fold_string(&composed).nfkc().collect();
    trim(&folded).to_owned()
}

/// The form by which names were compared before cases were folded. A company whose [`key`] another one has already is
/// found by this one alone.
pub fn former_key(name: &str) -> String {
    let folded: String = name.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.trim().to_owned()
}

/// The keys under which a company may be found by what was typed, the first that is there wins: a company that kept its
/// former key would otherwise be taken for the one that has the new.
pub fn keys(name: &str) -> Vec<String> {
    distinct([former_key(name), key(name)])
}

fn distinct(keys: [String; 2]) -> Vec<String> {
    let mut keys = Vec::from(keys);
    keys.dedup();
    keys
}

/// Whether text holds characters that no name, address or title may have: control characters, and characters
/// that are invisible or change the writing direction.
pub fn has_bad_characters(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// The same for what people are called: there a joiner between two letters belongs to them, as in `علی‌رضا`, in Sinhala
/// and in pictures that are made of several.
pub fn has_bad_characters_in_name(text: &str) -> bool {
    judged(text).any(|(_, bad)| bad)
}

/// A text without the characters that [no person's name may have](has_bad_characters_in_name).
pub fn without_bad_characters(text: &str) -> String {
    judged(text).filter(|(_, bad)| !bad).map(|(c, _)| c).collect()
}

/// The characters of a person's name, and which of them it may not have.
fn judged(name: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut rest = name.chars().peekable();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let joins = matches!(c, '\u{200c}' | '\u{200d}')
            && before.is_some_and(is_joined)
            && rest.peek().copied().is_some_and(is_joined);
        before = Some(c);
        Some((c, (c.is_control() || is_invisible(c)) && !joins))
    })
}

/// Letters, the marks that they carry, and pictures.
fn is_joined(c: char) -> bool {
    c.is_alphabetic() || is_combining_mark(c) || !c.is_ascii() && c.is_emoji_char()
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
        let display: String = trim(typed).nfc().collect();
        let key = key(&display);
        if key.is_empty() {
            return Err(NameProblem::Missing);
        }
        // Folded, a name may be longer (`ß` is `ss`), but not without end: a single `ﷺ` becomes eighteen letters.
        if display.chars().count() > COMPANY_MAX || key.chars().count() > 2 * COMPANY_MAX {
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
        let display = trim(typed).to_owned();
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
    /// Checks an address (RFC 5321 form, no display name, no quoted local part). What was typed in full width becomes
    /// narrow, and a domain that was typed in its ASCII form becomes the one that people read.
    ///
    /// # Errors
    /// [`NameProblem`] when it is empty, longer than 254 characters or not an address.
    pub fn parse(typed: &str) -> Result<Self, NameProblem> {
        let display: String = readable(&narrowed(trim(typed))).nfc().collect();
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
        if parsed.local_part().starts_with('"') || ascii(parsed.domain()).is_none() {
            return Err(NameProblem::NotAnAddress);
        }
        let key = Self::lookup_key(&display);
        if key.chars().count() > EMAIL_MAX {
            return Err(NameProblem::TooLong);
        }
        Ok(Self { display, key })
    }

    /// The key of whatever was typed. A domain is compared in its ASCII form (UTS 46), in which `bücher.test` and
    /// `xn--bcher-kva.test` are one. Of the part before it only width and case are folded: two mailboxes whose addresses
    /// merely look alike stay two (attacks.md T129).
    pub fn lookup_key(typed: &str) -> String {
        let typed = narrowed(trim(typed));
        let folded = |text: &str| -> String {
            let lower = text.nfc().flat_map(char::to_lowercase);
            // One letter in two shapes: the end of a word in capitals does not tell which.
            lower.map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
        };
        match typed.rsplit_once('@') {
            Some((local, domain)) => {
                let domain = ascii(domain).unwrap_or_else(|| folded(domain));
                [folded(local).as_str(), &domain].join("@")
            }
            None => folded(&typed),
        }
    }

    /// The key from before domains were compared in their ASCII form; see [`former_key`].
    pub fn former_key(typed: &str) -> String {
        typed.trim().nfc().flat_map(char::to_lowercase).collect()
    }

    /// The keys under which an account may be found by what was typed; see [`keys`].
    pub fn lookup_keys(typed: &str) -> Vec<String> {
        distinct([Self::former_key(typed), Self::lookup_key(typed)])
    }

    /// As people read it; mail goes here.
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

fn narrowed(text: &str) -> String {
    let narrow = text.chars().map(narrow);
    // The full stops that a keyboard of these scripts types; a name may have them, an address has the narrow one.
    narrow
        .map(|c| if matches!(c, '。' | '｡') { '.' } else { c })
        .collect()
}

/// A domain in its ASCII form; `None` when it is none that mail could be sent to.
fn ascii(domain: &str) -> Option<String> {
    let form = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::URL,
        Hyphens::Allow,
        DnsLength::Verify,
    );
    form.ok().map(std::borrow::Cow::into_owned)
}

/// An address with its domain as people read it, unless that could be taken for another one.
fn readable(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_owned();
    };
    let is_in_ascii_form = |label: &str| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    if !domain.split('.').any(is_in_ascii_form) {
        return address.to_owned();
    }
    let (shown, valid) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    if valid.is_err() || shown.split('.').any(mixes_scripts) {
        return address.to_owned();
    }
    [local, &shown].join("@")
}

/// The two names of a person in their order: the family name first and without a blank where both are written as Chinese,
/// Japanese and Korean names are, else last.
///
/// ```
/// use vestibule_core::name::whole_name;
/// assert_eq!(whole_name("Alice", "Moreno"), "Alice Moreno");
/// assert_eq!(whole_name("太郎", "田中"), "田中太郎");
/// assert_eq!(whole_name("Alice", ""), "Alice");
/// ```
pub fn whole_name(first: &str, last: &str) -> String {
    if is_family_first(first, last) {
        return [last, first].concat();
    }
    [first, last].join(" ").trim().to_owned()
}

/// How a person is addressed: by the first name, or by the whole one where nobody is addressed by the first name alone.
pub fn form_of_address(first: &str, last: &str) -> String {
    if is_family_first(first, last) {
        whole_name(first, last)
    } else {
        first.to_owned()
    }
}

/// A name in Katakana alone belongs to somebody whose first name stands first.
fn is_family_first(first: &str, last: &str) -> bool {
    let is_kana = |letter: char| matches!(letter, '\u{3040}'..='\u{30ff}');
    let is_han_or_hangul = |letter: char| matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{323af}');
    let mut letters = first.chars().chain(last.chars());
    !first.is_empty()
        && !last.is_empty()
        && letters
            .clone()
            .all(|letter| is_kana(letter) || is_han_or_hangul(letter))
        && letters.any(is_han_or_hangul)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_person_stand_in_their_order() {
        for (first, last, whole, addressed) in [
            ("Alice", "Moreno", "Alice Moreno", "Alice"),
            ("太郎", "田中", "田中太郎", "田中太郎"),
            ("さくら", "田中", "田中さくら", "田中さくら"),
            ("민수", "김", "김민수", "김민수"),
            ("伟", "王", "王伟", "王伟"),
            ("マイク", "スミス", "マイク スミス", "マイク"),
            ("Taro", "田中", "Taro 田中", "Taro"),
            ("", "田中", "田中", ""),
            ("太郎", "", "太郎", "太郎"),
            ("", "", "", ""),
        ] {
            assert_eq!(whole_name(first, last), whole);
            assert_eq!(form_of_address(first, last), addressed);
        }
    }

    #[test]
    fn company_names_are_compared_trimmed_normalised_and_without_case() {
        for (one, other) in [
            ("Straßenbau Weiß", "STRASSENBAU WEISS"),
            ("Straßenbau Weiß", "straßenbau weiẞ"),
            ("Παπαδόπουλος", "ΠΑΠΑΔΌΠΟΥΛΟΣ"),
            ("İzmir", "i\u{307}zmir"),
            ("ﬁne", "FINE"),
            ("ŉ", "ʼN"),
            ("Ꭰ", "ꭰ"),
            ("Acme", "\u{feff}Acme\u{200b} \u{200e}"),
        ] {
            assert_eq!(key(one), key(other), "{one}, {other}");
        }
        assert_ne!(key("ı"), key("i"));
        assert_eq!(key("Acme"), key("  ＡＣＭＥ "));
        assert_eq!(key("Caf\u{e9}"), key("CAFE\u{301}"));
        assert_ne!(key("Acme"), key("Ac me"));
    }

    #[test]
    fn a_key_of_a_key_is_the_key_for_every_character() {
        for c in char::MIN..=char::MAX {
            let name = format!("a{c}b");
            let once = key(&name);
            assert!(once == name || key(&once) == once, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_former_key_is_asked_for_first_where_it_is_another() {
        assert_eq!(keys(" Acme "), ["acme"]);
        assert_eq!(keys("Weiß"), ["weiß", "weiss"]);
        assert_eq!(keys("WEISS"), ["weiss"]);
        assert_eq!(EmailAddress::lookup_keys("Anna@Acme.test"), ["anna@acme.test"]);
        assert_eq!(
            EmailAddress::lookup_keys("anna@bücher.test"),
            ["anna@bücher.test", "anna@xn--bcher-kva.test"]
        );
    }

    #[test]
    fn names_with_characters_nobody_can_see_are_refused() {
        for bad in ["Ac\u{0}me", "Ac\u{200b}me", "A\u{202e}emc", "A\ncme"] {
            assert_eq!(
                CompanyName::parse(bad),
                Err(NameProblem::BadCharacters),
                "{bad:?}"
            );
        }
        for blank in [" \t ", "\u{200b}", "\u{feff} \u{2060}"] {
            assert_eq!(CompanyName::parse(blank), Err(NameProblem::Missing), "{blank:?}");
        }
        assert_eq!(
            CompanyName::parse("\u{feff}Acme\u{200b}").unwrap().display(),
            "Acme"
        );
        assert_eq!(CompanyName::parse(&"a".repeat(65)), Err(NameProblem::TooLong));
        assert_eq!(
            CompanyName::parse(" Müller & Söhne ").unwrap().display(),
            "Müller & Söhne"
        );
    }

    #[test]
    fn a_joiner_between_letters_belongs_to_a_persons_name() {
        for name in [
            "علی\u{200c}رضا",
            "ශ්\u{200d}රී",
            "ක්\u{200d}රිස්",
            "क्\u{200d}ष",
            "👩\u{200d}💻",
            "👩🏽\u{200d}💻 Ann",
            "❤\u{fe0f}\u{200d}🔥",
            "Ann",
            "🏴\u{e0067}\u{e007f}",
        ] {
            assert!(!has_bad_characters_in_name(name), "{name:?}");
            assert_eq!(without_bad_characters(name), name);
        }
        for (bad, without) in [
            ("Ann\u{200b}a", "Anna"),
            ("Ann\u{202e}a", "Anna"),
            ("Ann\u{200e}a", "Anna"),
            ("Ann\u{200c}", "Ann"),
            ("\u{200d}Ann", "Ann"),
            ("Ann \u{200c}Lee", "Ann Lee"),
            ("علی\u{200c}\u{200c}رضا", "علیرضا"),
            ("4\u{200d}2", "42"),
            ("-\u{200d}-", "--"),
            ("Ann\na", "Anna"),
        ] {
            assert!(has_bad_characters_in_name(bad), "{bad:?}");
            assert_eq!(without_bad_characters(bad), without, "{bad:?}");
        }
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
        assert_eq!(
            AccountName::parse("\u{202a}alice\u{202c}\u{200b}")
                .unwrap()
                .display(),
            "alice"
        );
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
        assert_ne!(address.key(), EmailAddress::lookup_key("mike@ex\u{430}mple.org"));
        assert_ne!(address.key(), EmailAddress::lookup_key("mike@xn--exmple-4nf.org"));
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
    fn an_address_is_compared_by_what_it_means_and_shown_as_it_is_read() {
        let same = |one: &str, other: &str| {
            assert_eq!(
                EmailAddress::lookup_key(one),
                EmailAddress::lookup_key(other),
                "{one}, {other}"
            );
        };
        for spelling in [
            "anna@xn--bcher-kva.test",
            "ANNA@XN--BCHER-KVA.TEST",
            "Anna@BÜCHER.test",
            "anna@bu\u{308}cher.test",
            "anna＠bücher.test",
            "ａｎｎａ＠ｂücher．ｔｅｓｔ",
            "anna@bücher。test",
            "\u{feff}anna@bücher.test\u{200b}",
            " \u{202a}anna@bücher.test\u{202c} ",
        ] {
            same(spelling, "anna@bücher.test");
            let address = EmailAddress::parse(spelling).unwrap();
            assert_eq!(address.key(), "anna@xn--bcher-kva.test", "{spelling}");
            assert_eq!(
                address.display().nfc().collect::<String>().to_lowercase(),
                "anna@bücher.test"
            );
        }
        same("ΝΊΚΟΣ@acme.test", "νίκος@acme.test");
        same("a@faß.test", "a@xn--fa-hia.test");
        for (one, other) in [
            ("weiß@acme.test", "weiss@acme.test"),
            ("a@faß.test", "a@fass.test"),
            ("ﬁn@acme.test", "fin@acme.test"),
            ("𝐚nna@acme.test", "anna@acme.test"),
        ] {
            assert_ne!(
                EmailAddress::lookup_key(one),
                EmailAddress::lookup_key(other),
                "{one}, {other}"
            );
        }
        // A domain that could be taken for another one stays in ASCII.
        let twin = EmailAddress::parse("mike@xn--exmple-4nf.org").unwrap();
        assert_eq!(twin.display(), "mike@xn--exmple-4nf.org");
        for bad in [
            "a@xn--a.test",
            "a@b\u{ad}.test",
            "a＠",
            &format!("a@{}.test", "ü".repeat(63)),
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_was_written_by_a_former_key_is_found_by_its_new_one() {
        // Where letters have cases, widths and other forms.
        let letters = (char::MIN..='\u{33ff}')
            .chain('\u{a640}'..='\u{abff}')
            .chain('\u{f900}'..='\u{10fff}')
            .chain('\u{1d400}'..='\u{1f2ff}');
        for c in letters {
            let name = format!("a{c}b");
            assert_eq!(key(&former_key(&name)), key(&name), "U+{:04X}", u32::from(c));
            for address in [format!("a{c}b@x.test"), format!("a@b{c}b.test")] {
                let once = EmailAddress::lookup_key(&address);
                assert_eq!(EmailAddress::lookup_key(&once), once, "U+{:04X}", u32::from(c));
                let former = EmailAddress::former_key(&address);
                assert_eq!(EmailAddress::lookup_key(&former), once, "U+{:04X}", u32::from(c));
            }
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
