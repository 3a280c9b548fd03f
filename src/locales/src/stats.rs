//! How far every language is.

use crate::{
    Catalogue, DEFAULT_LANGUAGE, Language,
    plural::{Forms, source, wanted},
};

/// One language in numbers of texts.
#[derive(Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its tag.
    pub tag: String,
    /// Whether it is not offered yet.
    pub draft: bool,
    /// Texts that it needs.
    pub wanted: usize,
    /// Texts that are there and not those of English.
    pub translated: usize,
    /// Words of the English texts that are not translated.
    pub words_left: usize,
}

impl Catalogue {
    /// Every language but English.
    pub fn progress(&self) -> Vec<Progress> {
        let others = self
            .languages
            .iter()
            .filter(|language| language.tag != DEFAULT_LANGUAGE);
        others.filter_map(|language| self.progress_of(language)).collect()
    }

    fn progress_of(&self, language: &Language) -> Option<Progress> {
        let forms = Forms::of(&language.tag)?;
        let mut progress = Progress {
            tag: language.tag.clone(),
            draft: language.draft,
            wanted: 0,
            translated: 0,
            words_left: 0,
        };
        for english in &self.english()?.files {
            for key in wanted(english, &forms) {
                let source = source(english, &key).unwrap_or_default();
                let own = language.file(&english.name).and_then(|file| file.text(&key));
                progress.wanted += 1;
                // In a language on offer a text that is that of English was looked at.
                if own.is_some_and(|own| own != source || !language.draft) {
                    progress.translated += 1;
                } else {
                    progress.words_left += source.split_whitespace().count();
                }
            }
        }
        Some(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;

    #[test]
    fn what_is_english_is_not_translated_yet() {
        let language = |tag: &str, texts: &str| Language {
            draft: tag != "en",
            files: vec![File::parse("a", texts)],
            ..Language::empty(tag)
        };
        let catalogue = Catalogue {
            folder: "locales".into(),
            languages: vec![
                language(
                    "en",
                    "{\"a\":\"One two\",\"b\":\"Three\",\"c\":\"Four five six\"}",
                ),
                language("it", "{\"a\":\"Uno due\",\"b\":\"Three\"}"),
            ],
        };
        let progress = catalogue.progress();
        assert_eq!(progress.len(), 1);
        assert_eq!(
            (progress[0].wanted, progress[0].translated, progress[0].words_left),
            (3, 1, 4)
        );
    }
}
