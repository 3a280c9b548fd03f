//! The words by which an agent is found in the list, folded so that a search need not be typed as the name is written:
//! without case, width, accents, and without the signs that Arabic may leave out.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::{
    limits::SEARCH_MAX,
    name::{EmailAddress, key},
    text::is_invisible,
};

/// The article of Arabic, which is written as part of the word and may be left out of a name.
const ARTICLE: &str = "ال";
/// From how many places in a word without blanks one is found. Nobody's name is longer.
const PLACES: usize = 50;

/// The words that a search looks for, folded as [`search_words`] folds those that can be found.
pub fn searched_words(search: &str) -> Vec<String> {
    let cut: String = search.chars().take(SEARCH_MAX).collect();
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

/// The words under which an account is found: its account name and e-mail address whole and in their parts, and every
/// word of its names (what colleagues see, first, last). Sorted, none twice.
pub fn search_words(account: &str, email: &str, names: [&str; 3]) -> Vec<String> {
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
    tidy(words)
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
        let words = search_words("agent_1", "agent@acme.test", names);
        let wanted = searched_words(search);
        !wanted.is_empty()
            && wanted
                .iter()
                .all(|wanted| words.iter().any(|word| word.starts_with(wanted.as_str())))
    }

    #[test]
    fn every_beginning_of_a_word_is_found() {
        let words = search_words(
            "al.ice_1",
            "Alice.Smith@Demo.test",
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
            assert!(words.contains(&wanted.to_owned()), "{wanted}: {words:?}");
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
                search_words("", "", [name, "", ""])
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
                search_words("", "", names)
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
        let words = search_words("a", "anna@bücher.test", ["", "", ""]);
        for wanted in ["anna@bucher.test", "anna@xn--bcher-kva.test", "bucher"] {
            assert!(words.contains(&wanted.to_owned()), "{wanted}: {words:?}");
        }
    }
}
