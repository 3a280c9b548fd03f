//! The words by which an agent is found in the list, folded so that a search need not be typed as the name is written:
//! without case, width, accents, and without the signs that Arabic may leave out.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::{
    limits::{SEARCH_MAX, SEARCH_WITHIN},
    name::{EmailAddress, key},
    text::is_invisible,
};

/// The article of Arabic, which is written as part of the word and may be left out of a name.
const ARTICLE: &str = "ال";
/// From how many places in a word without blanks one is found. Nobody's name is longer.
const PLACES: usize = 50;
/// From how many places in any other word a part of it is found: longer words are rare, and each place is a row.
const INNER_PLACES: usize = 24;

/// The words that a search looks for, folded as [`search_words`] folds those that can be found.
pub fn searched_words(search: &str) -> Vec<String> {
    let cut: String = search.chars().take(SEARCH_MAX).collect();
    if let Some(digits) = searched_digits(&cut) {
        return vec![digits];
    }
    let mut words = Vec::new();
    for chunk in cut.split_whitespace() {
        let whole = fold(chunk);
        let parts = parts(chunk);
        // What looks like an account's name or an address is looked for as it is; and what has no letter must not find
        // everybody.
        if parts.is_empty() || is_of_account(&whole) {
            words.push(whole);
        } else {
            words.extend(parts.into_iter().map(without_article));
        }
    }
    tidy(words)
}

/// The words under which an account is found: its account name and e-mail address whole and in their parts, the digits
/// of its phone number, and every word of its names (what colleagues see, first, last). They are found by [`is_found`]:
/// from any place on, given [`SEARCH_WITHIN`] letters; by fewer letters, and in the domain of an address, only from a
/// beginning. Sorted, none twice, and none that is found by another.
pub fn search_words(account: &str, email: &str, phone: &str, names: [&str; 3]) -> Vec<String> {
    let mut words = Vec::new();
    for address in [email, &EmailAddress::lookup_key(email)] {
        words.push(fold(address));
        words.extend(parts(address));
    }
    for text in [account].into_iter().chain(names) {
        for chunk in text.split_whitespace() {
            words.push(fold(chunk));
            let parts = parts(chunk);
            // O'Brien is looked for as OBrien, too.
            words.push(parts.concat());
            words.extend(parts);
        }
    }
    // Where names have no blanks nobody types one between them.
    let [shown, first, last] = names;
    for text in [shown.to_owned(), [last, first].concat()] {
        let joined = parts(&text).concat();
        if joined.chars().all(is_cjk) {
            words.push(joined);
        }
    }
    let mut within: Vec<String> = Vec::new();
    for word in &words {
        within.push(without_article(word.clone()));
        let places = word.char_indices().filter(|&(_, c)| is_cjk(c)).take(PLACES);
        within.extend(places.filter_map(|(at, _)| word.get(at..).map(str::to_owned)));
    }
    words.extend(within);
    let phone = digits_of(phone);
    let mut found: Vec<String> = words.iter().flat_map(|word| beginnings(word)).collect();
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    for text in [account, local].into_iter().chain(names) {
        found.extend(text.split_whitespace().flat_map(|chunk| ends_of(&fold(chunk))));
    }
    found.extend(ends_of(&phone));
    words.retain(|word| !is_short(word));
    found.extend(words);
    without_beginnings(tidy(found))
}

/// Whether an account with this word, one of [`search_words`], is found by this one of [`searched_words`].
pub fn is_found(word: &str, wanted: &str) -> bool {
    if is_short(wanted) {
        word == wanted
    } else {
        word.starts_with(wanted)
    }
}

/// Whether a word has too few letters to be looked for anywhere but at a beginning.
pub fn is_short(word: &str) -> bool {
    word.chars().nth(SEARCH_WITHIN - 1).is_none()
}

/// The beginnings of a word that are short.
fn beginnings(word: &str) -> Vec<String> {
    let lengths = 1..SEARCH_WITHIN;
    lengths
        .map(|length| word.chars().take(length).collect())
        .collect()
}

/// What remains of a word from each place in it on, while enough does.
fn ends_of(word: &str) -> Vec<String> {
    let places = word.char_indices().take(INNER_PLACES);
    places
        .filter_map(|(at, _)| word.get(at..))
        .filter(|end| !is_short(end))
        .map(str::to_owned)
        .collect()
}

/// The digits of a phone number, without the zeros that are dialled only from near by.
fn digits_of(phone: &str) -> String {
    let digits: String = fold(phone)
        .replace("(0)", "")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.trim_start_matches('0').to_owned()
}

/// A search that can only be for a phone number, as its digits. A single word of digits may be the name of an account,
/// too: it is looked for as it is.
fn searched_digits(search: &str) -> Option<String> {
    let folded = fold(search);
    let may_stand = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-/().".contains(c);
    let is_phone = folded.chars().all(may_stand);
    let word = folded.trim();
    let is_one_word = !word.starts_with('0') && word.chars().all(|c| c.is_ascii_digit());
    let digits = digits_of(&folded);
    (is_phone && !is_one_word && !is_short(&digits)).then_some(digits)
}

/// Leaves out every word with which the next begins: whoever looks for it finds that one. Not the short ones, which are
/// looked for as they are.
fn without_beginnings(sorted: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(sorted.len());
    for word in sorted {
        if kept
            .last()
            .is_some_and(|last| !is_short(last) && word.starts_with(last.as_str()))
        {
            kept.pop();
        }
        kept.push(word);
    }
    kept
}

/// What names in a list are ordered by: by their letters first, whatever accents these carry, so that Émile stands between
/// Egon and Erik and not after Zoe; then as they are compared. It is one order for all readers, so that a page of the list
/// begins where an index says.
pub fn order_key(name: &str) -> String {
    // Smaller than everything that a name may have.
    [fold(name), key(name)].join("\t")
}

fn tidy(mut words: Vec<String>) -> Vec<String> {
    words.retain(|word| !word.is_empty());
    words.sort_unstable();
    words.dedup();
    words
}

/// The folded words between everything that is no part of a word.
fn parts(text: &str) -> Vec<String> {
    let parts = text.split(ends_word).map(fold);
    parts.filter(|part| !part.is_empty()).collect()
}

/// Whether words end here: all but letters, their marks, numbers, and pictures, which are words of their own.
pub(crate) fn ends_word(c: char) -> bool {
    let in_word = matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number
    );
    !in_word && c.general_category() != GeneralCategory::OtherSymbol
}

/// Whether a search is the beginning of an account's name or an e-mail address rather than a word.
fn is_of_account(folded: &str) -> bool {
    folded.contains('@')
        || folded.contains(['.', '_'])
            && folded
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// The form by which words of a search are compared.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in key(text).nfd().filter(|&c| !is_left_out(c)) {
        match simpler(c) {
            Some(simpler) => folded.push_str(simpler),
            None => folded.push(c),
        }
    }
    folded.nfc().collect()
}

/// Accents of Latin, Greek and Cyrillic letters, points of Hebrew, vowels and hamza of Arabic and the stroke that only
/// fills a line. Not the marks of other scripts: there they are the vowels.
const fn is_left_out(c: char) -> bool {
    is_invisible(c)
        || matches!(c,
            '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}'
            | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{621}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
            | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Letters that people type as others but whose normal form does not say so.
const fn simpler(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'æ' => "ae",
        'œ' => "oe",
        'ı' => "i",
        'ħ' => "h",
        'ŋ' => "n",
        'ŧ' => "t",
        'ٱ' => "ا",
        'ى' | 'ی' => "ي",
        'ة' | 'ہ' | 'ھ' | 'ە' => "ه",
        'ک' => "ك",
        _ => return None,
    })
}

/// Whether a character is of a script that is written without blanks between names: Chinese, Japanese, Korean.
pub(crate) fn is_cjk(c: char) -> bool {
    let scripts = AugmentedScriptSet::for_char(c);
    let mut latin = scripts;
    latin.intersect_with(AugmentedScriptSet::for_char('a'));
    // Digits and the like are of all scripts.
    latin.is_empty() && (scripts.hanb || scripts.jpan || scripts.kore)
}

fn without_article(word: String) -> String {
    match word.strip_prefix(ARTICLE) {
        // One letter alone is the beginning of too much.
        Some(rest) if rest.chars().nth(1).is_some() => rest.to_owned(),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether somebody of these names is found.
    fn finds(search: &str, names: [&str; 3]) -> bool {
        let words = search_words("agent_1", "agent@acme.test", "+46 (0)8 123 45-67", names);
        let wanted = searched_words(search);
        !wanted.is_empty()
            && wanted
                .iter()
                .all(|wanted| words.iter().any(|word| is_found(word, wanted)))
    }

    #[test]
    fn every_beginning_of_a_word_is_found() {
        let words = search_words(
            "al.ice_1",
            "Alice.Smith@Demo.test",
            "",
            ["Älice", "von Smith-Jones", "Ali ce"],
        );
        for wanted in [
            "al.ice_1",
            "ice",
            "1",
            "alice.smith@demo.test",
            "smith",
            "demo",
            "alice",
            "von",
            "smith-jones",
            "jones",
            "ali",
            "ce",
        ] {
            let found = words.iter().any(|word| word.starts_with(wanted));
            assert!(found, "{wanted}: {words:?}");
        }
        assert_eq!(searched_words("  SMITH  ali smith "), ["ali", "smith"]);
        assert!(searched_words(" ").is_empty());
        assert_eq!(searched_words(&"a".repeat(500))[0].len(), SEARCH_MAX);
        assert_eq!(searched_words("Alice.Smith@De"), ["alice.smith@de"]);
        assert_eq!(
            searched_words("al.i"),
            ["al.i"],
            "the beginning of an account's name"
        );
        assert_eq!(searched_words("%"), ["%"], "which is not: everybody");
    }

    #[test]
    fn a_name_is_found_whichever_way_its_letters_are_written() {
        for (search, name) in [
            ("muller", "Müller"),
            ("MÜLLER", "Mu\u{308}ller"),
            ("müller", "Muller"),
            ("weiss", "Weiß"),
            ("weiß", "WEISS"),
            ("jose", "José"),
            ("nunez", "Núñez"),
            ("oystein", "Øystein"),
            ("lukasz", "Łukasz"),
            ("aerlig", "Ærlig"),
            ("İlker", "ilker"),
            ("isik", "Işık"),
            ("papadopoulos", "Papadópoulos"),
            ("παπαδοπουλος", "ΠΑΠΑΔΌΠΟΥΛΟΣ"),
            ("ｍüller", "Müller"),
            ("ﾀﾅｶ", "タナカ"),
            ("احمد", "أحمد"),
            ("أحمد", "احمد"),
            ("امنة", "آمنه"),
            ("محمد", "مُحَمَّد"),
            ("محمد", "محـــمد"),
            ("مصطفي", "مصطفى"),
            ("نور", "النور"),
            ("النور", "نور"),
            ("النور", "النُّور"),
            ("علا", "علاء"),
            ("کریم", "كريم"),
            ("שלום", "שָׁלוֹם"),
        ] {
            assert!(
                finds(search, [name, name, ""]),
                "{search} in {name}: {:?}",
                search_words("", "", "", [name, "", ""])
            );
        }
        for (search, name) in [("muller", "Möller"), ("की", "का"), ("ال", "نور")] {
            assert!(!finds(search, [name, name, ""]), "{search} in {name}");
        }
    }

    #[test]
    fn a_name_is_found_inside_what_is_written_together() {
        for (search, names) in [
            ("太郎", ["田中太郎", "太郎", "田中"]),
            ("中太", ["田中太郎", "", ""]),
            ("田中太郎", ["", "太郎", "田中"]),
            ("田中 太郎", ["田中太郎", "", ""]),
            ("太郎", ["田中A太郎", "", ""]),
            ("민수", ["김민수", "민수", "김"]),
            ("小明", ["王小明", "小明", "王"]),
            ("スミス", ["マイク・スミス", "", ""]),
            ("マイクスミス", ["マイク・スミス", "", ""]),
            ("マイク・スミス", ["マイク スミス", "", ""]),
            ("brien", ["Conan O'Brien", "", ""]),
            ("obrien", ["Conan O’Brien", "", ""]),
            ("o'brien", ["Conan O’Brien", "", ""]),
            ("smith-jones", ["Smith\u{2011}Jones", "", ""]),
            ("smith-jones", ["Smith Jones", "", ""]),
            ("la", ["Gal·la", "", ""]),
            ("galla", ["Gal·la", "", ""]),
            ("jean/luc", ["Jean-Luc", "", ""]),
            ("رضا", ["علی\u{200c}رضا", "", ""]),
            ("علیرضا", ["علی\u{200c}رضا", "", ""]),
            ("علی\u{200c}رضا", ["علی رضا", "", ""]),
            ("😀", ["😀 Ann", "", ""]),
            ("agent@", ["", "", ""]),
        ] {
            assert!(
                finds(search, names),
                "{search} in {names:?}: {:?}",
                search_words("", "", "", names)
            );
        }
        for (search, names) in [
            ("nn", ["Ann", "", ""]),
            ("中田", ["田中太郎", "", ""]),
            ("%", ["Ann", "", ""]),
        ] {
            assert!(!finds(search, names), "{search} in {names:?}");
        }
    }

    #[test]
    fn a_part_of_a_word_is_found_from_three_letters_on() {
        for search in ["mil", "MILIAN", "xim lex", "gent", "ent_", "ümüller", "müll"] {
            assert!(
                finds(search, ["Maximilian-Alexander", "Hoffmann-Müller", "Grümüller"]),
                "{search}"
            );
        }
        for search in ["il", "mix", "ffmanx", "cme"] {
            assert!(
                !finds(search, ["Maximilian-Alexander", "Hoffmann", ""]),
                "{search}"
            );
        }
        let long = "a".repeat(100);
        let words = search_words("", "", "", [&long, "", ""]);
        assert!(words.len() <= INNER_PLACES, "{}", words.len());
    }

    #[test]
    fn a_phone_number_is_found_however_it_is_written() {
        for search in [
            "+46 8 123",
            "08-123 45",
            "(0)8 123",
            "1234567",
            "45 67",
            "468123",
            "234",
        ] {
            assert!(
                finds(search, ["Ann", "", ""]),
                "{search}: {:?}",
                searched_words(search)
            );
        }
        for search in ["12", "+47", "1234568", "8 124"] {
            assert!(
                !finds(search, ["Ann", "", ""]),
                "{search}: {:?}",
                searched_words(search)
            );
        }
        assert_eq!(
            searched_words("0042"),
            ["0042"],
            "too few digits for a number without its zeros"
        );
    }

    #[test]
    fn no_word_is_kept_with_which_another_begins() {
        let words = search_words("ada", "ada@acme.test", "", ["Ada Adamson", "Ada", "Adamson"]);
        for (first, second) in words.iter().zip(words.iter().skip(1)) {
            assert!(
                is_short(first) || !second.starts_with(first.as_str()),
                "{first} {second}"
            );
        }
        assert!(words.contains(&"adamson".to_owned()) && !words.contains(&"ada".to_owned()));
    }

    #[test]
    fn accents_do_not_send_a_name_to_the_end() {
        let sorted = [
            "Ann",
            "Ann Lee",
            "Anna",
            "Ärzu",
            "Émile",
            "Erik",
            "Łukasz",
            "Oskar",
            "Özil",
            "Weis",
            "Weiß",
            "Weiss Ulf",
            "Zoe",
            "Νίκος",
            "أحمد",
            "مها",
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.sort_by_key(|name| order_key(name));
        assert_eq!(shuffled, sorted);
        assert!(
            order_key("Muller") < order_key("Müller"),
            "one order for all servers"
        );
    }

    #[test]
    fn an_address_is_found_in_both_its_forms() {
        let words = search_words("a", "anna@bücher.test", "", ["", "", ""]);
        for wanted in ["anna@bucher.test", "anna@xn--bcher-kva.test", "bucher"] {
            let found = words.iter().any(|word| word.starts_with(wanted));
            assert!(found, "{wanted}: {words:?}");
        }
    }
}
