//! For those who translate: `cargo xtask locales`. Nothing of the product is compiled for it.

use anyhow::{Context as _, Result, bail};
use vestibule_locales::{Catalogue, PSEUDO, Progress, TRANSLATOR, accept, check};

use crate::{say, shell};

/// What to do with the files of `locales/`.
#[derive(clap::Subcommand)]
pub enum Task {
    /// Say everything that is wrong in the files, with file, line, key, what is expected and what was found
    Check,
    /// Say how far every language is
    Stats,
    /// Begin a language: a draft in which every text is still English
    New {
        /// Its tag, such as it, pt-PT or zh-Hant
        language: String,
    },
    /// Note that translations fit the English of today, after an English text has changed
    Accept {
        /// Tag of the language
        language: String,
        /// Only these texts, such as `sign_in.title`; without any, all of them
        keys: Vec<String>,
    },
    /// Make two languages that nobody speaks: accented and longer, and the same from right to left
    Pseudo,
}

/// The command `locales`.
///
/// # Errors
/// Something is wrong in the files, or cannot be written.
pub fn run(task: &Task) -> Result<()> {
    let catalogue = Catalogue::read(&shell::root().join("locales")).context("locales/ cannot be read")?;
    match task {
        Task::Check => all_findings(&catalogue),
        Task::Stats => {
            stats(&catalogue);
            Ok(())
        }
        Task::New { language } => {
            let texts = catalogue.begin(language)?;
            say::line(&format!(
                "locales/{language} is a draft with {texts} texts to translate, and two legal texts. TRANSLATING.md says how."
            ));
            Ok(())
        }
        Task::Accept { language, keys } => {
            let found = catalogue.language(language);
            let found = found.with_context(|| format!("there is no folder locales/{language}"))?;
            let accepted = accept(&catalogue, found, keys)?;
            say::line(&format!(
                "Of locales/{language}, {accepted} texts are newly noted as translations of the English of today"
            ));
            Ok(())
        }
        Task::Pseudo => {
            let texts = catalogue.pseudo()?;
            say::line(&format!(
                "{} have {texts} texts and more. They are drafts: {TRANSLATOR}=1 cargo xtask run offers them.",
                PSEUDO.join(" and ")
            ));
            Ok(())
        }
    }
}

fn all_findings(catalogue: &Catalogue) -> Result<()> {
    let findings = check(catalogue, Some(&shell::root().join("src")));
    for finding in &findings {
        println!("{finding}");
    }
    for draft in catalogue.progress().iter().filter(|language| language.draft) {
        say::line(&summary(draft));
    }
    match findings.len() {
        0 => {
            say::line("All files are in order");
            Ok(())
        }
        1 => bail!("1 finding"),
        many => bail!("{many} findings"),
    }
}

/// What a draft, of which nothing has to be said, still lacks.
fn summary(draft: &Progress) -> String {
    let Progress {
        tag,
        wanted,
        translated,
        words_left,
        ..
    } = draft;
    let left = wanted.saturating_sub(*translated);
    if left == 0 {
        return format!(
            "locales/{tag} is a draft with all of its {wanted} texts: delete the file `draft` and check once more"
        );
    }
    format!(
        "locales/{tag} is a draft and not offered: {translated} of {wanted} texts are translated. {left} texts with {words_left} \
         English words are missing or still English, which is not told one by one."
    )
}

fn stats(catalogue: &Catalogue) {
    for language in catalogue.progress() {
        println!(
            "  {:<8} {:>4} of {} texts translated, {} English words left{}",
            language.tag,
            language.translated,
            language.wanted,
            language.words_left,
            if language.draft { ", a draft" } else { "" }
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_says_how_far_it_is() {
        let mut draft = Progress {
            tag: "it".to_owned(),
            draft: true,
            wanted: 1000,
            translated: 400,
            words_left: 5000,
        };
        assert!(summary(&draft).contains("400 of 1000") && summary(&draft).contains("600 texts with 5000"));
        draft.translated = 1000;
        assert!(summary(&draft).contains("delete the file `draft`"));
    }
}
