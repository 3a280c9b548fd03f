//! The forms of texts with a number (Unicode CLDR, cardinal).

use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};

use crate::{
    File,
    text::{FORMS, base},
};

/// A number on which a noun depends: the text has one form for each group of numbers that the language tells apart.
pub const COUNT: &str = "count";

/// The categories, in the order of [`FORMS`].
const CATEGORIES: [PluralCategory; 6] = [
    PluralCategory::Zero,
    PluralCategory::One,
    PluralCategory::Two,
    PluralCategory::Few,
    PluralCategory::Many,
    PluralCategory::Other,
];

/// The rules of one language.
pub struct Forms(PluralRules);

impl Forms {
    /// Of the language with this tag; those that every language has when it is none.
    pub fn of(tag: &str) -> Option<Self> {
        let language: icu_locale::Locale = tag.parse().ok()?;
        let rules = PluralRules::try_new(language.into(), PluralRuleType::Cardinal.into());
        rules.ok().map(Self)
    }

    /// The endings of the forms that the language has. One with a single form needs no ending.
    pub fn endings(&self) -> Vec<&'static str> {
        let used: Vec<_> = self.0.categories().collect();
        if used.len() == 1 {
            return vec![""];
        }
        CATEGORIES
            .iter()
            .zip(FORMS)
            .filter(|(category, _)| used.contains(category))
            .map(|(_, ending)| ending)
            .collect()
    }

    /// Whether the form with this ending is used for one number only, so that the text may say the number in words or with the
    /// noun alone.
    pub fn is_one_number(&self, ending: &str) -> bool {
        let category = CATEGORIES.iter().zip(FORMS).find(|(_, known)| *known == ending);
        let Some((category, _)) = category else {
            return false;
        };
        let numbers = (0..=1000_u32).filter(|number| self.0.category_for(*number) == *category);
        numbers.take(2).count() == 1
    }
}

/// Whether a text has forms, by its key without one.
pub fn has_forms(english: &File, base: &str) -> bool {
    let has = |ending: &str| english.text(&[base, ending].concat()).is_some();
    has("_one") && has("_other")
}

/// The ending of a key that is one of several forms.
pub fn ending<'a>(english: &File, key: &'a str) -> Option<&'a str> {
    let base = base(key);
    (base != key && has_forms(english, base)).then(|| key.strip_prefix(base).unwrap_or_default())
}

/// The keys that a language must have where English has these, in their order.
pub fn wanted(english: &File, forms: &Forms) -> Vec<String> {
    let mut wanted = Vec::new();
    for entry in &english.entries {
        match ending(english, &entry.key) {
            Some("_other") => {
                let base = base(&entry.key);
                wanted.extend(forms.endings().iter().map(|ending| [base, ending].concat()));
            }
            Some(_) => {}
            None => wanted.push(entry.key.clone()),
        }
    }
    wanted
}

/// The English text that a key of any language translates.
pub fn source<'a>(english: &'a File, key: &str) -> Option<&'a str> {
    let base = base(key);
    if has_forms(english, base) {
        return english
            .text(key)
            .or_else(|| english.text(&[base, "_other"].concat()));
    }
    english.text(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endings(tag: &str) -> Vec<&'static str> {
        Forms::of(tag).unwrap().endings()
    }

    #[test]
    fn languages_have_the_forms_that_their_speakers_use() {
        assert_eq!(endings("en"), ["_one", "_other"]);
        assert_eq!(endings("ar"), FORMS);
        assert_eq!(endings("pl"), ["_one", "_few", "_many", "_other"]);
        assert_eq!(endings("ja"), [""]);
        let arabic = Forms::of("ar").unwrap();
        assert!(arabic.is_one_number("_two") && !arabic.is_one_number("_few"));
        assert!(!Forms::of("fr").unwrap().is_one_number("_one"));
        assert!(Forms::of("de").unwrap().is_one_number("_one"));
    }

    #[test]
    fn a_language_needs_its_own_forms() {
        let english = File::parse(
            "a",
            "{\"x\":\"1\",\"n_one\":\"2\",\"n_other\":\"3\",\"y_one\":\"4\"}",
        );
        assert_eq!(wanted(&english, &Forms::of("ja").unwrap()), ["x", "n", "y_one"]);
        let polish = wanted(&english, &Forms::of("pl").unwrap());
        assert_eq!(polish, ["x", "n_one", "n_few", "n_many", "n_other", "y_one"]);
        assert_eq!(source(&english, "n_few"), Some("3"));
        assert_eq!(source(&english, "n"), Some("3"));
        assert_eq!(source(&english, "y_one"), Some("4"));
        assert_eq!(source(&english, "z"), None);
    }
}
