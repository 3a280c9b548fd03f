//! Texts that readers have to tell apart.

use std::collections::BTreeMap;

use super::at;
use crate::{File, Finding, Language, text::base};

/// Texts of one file of which a reader sees several beside one another, or one in the place of another.
pub struct Group {
    file: &'static str,
    has: fn(&str) -> bool,
    /// Texts that may be the same among themselves, because each stands at a field of its own.
    alike: fn(&str) -> bool,
    /// What they are.
    what: &'static str,
}

/// The events of the audit log: in a list to choose from, and one below the other.
pub const EVENTS: Group = Group {
    file: "audit",
    has: |key| {
        let others = [
            "request",
            "same_day",
            "ignored",
            "source",
            "source_sign_in",
            "source_import",
            "source_command_line",
        ];
        !others.contains(&key) && !key.starts_with("proof_") && !key.starts_with("detail_")
    },
    alike: |_| false,
    what: "events of the audit log",
};

/// What becomes of the lines of an imported file.
pub const VERDICTS: Group = Group {
    file: "import",
    has: |key| !["yes_words", "no_words"].contains(&key),
    alike: |_| false,
    what: "what becomes of the lines of a file",
};

/// What is said when something was refused.
const SENTENCES: Group = Group {
    file: "errors",
    has: |key| !key.ends_with("_title"),
    alike: |key| key.ends_with("_missing"),
    what: "what was refused and why",
};

/// The subjects of emails.
const SUBJECTS: Group = Group {
    file: "mail",
    has: |key| key.ends_with("_subject"),
    alike: |_| false,
    what: "subjects of emails",
};

/// What emails about two-factor authentication say, which have one subject.
const CHANGES: Group = Group {
    file: "mail",
    has: |key| key.starts_with("factor_") && key != "factor_subject",
    alike: |_| false,
    what: "what an email with the same subject is about",
};

/// The headings of pages that say no: one is not the other.
const TITLES: Group = Group {
    file: "errors",
    has: |key| key.ends_with("_title"),
    alike: |_| false,
    what: "headings of pages on which something was refused",
};

impl Group {
    /// The keys of its texts in a language, in their order.
    pub fn keys<'a>(&self, language: &'a Language) -> Vec<&'a str> {
        let file = language.file(self.file);
        let entries = file.into_iter().flat_map(|file| &file.entries);
        let keys = entries.map(|entry| entry.key.as_str());
        keys.filter(|key| (self.has)(key)).collect()
    }

    fn same(&self, language: &Language, file: &File) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut known: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for entry in file.entries.iter().filter(|entry| (self.has)(&entry.key)) {
            let before = known.entry(&entry.text).or_default();
            let confused = before.iter().find(|(key, _)| {
                // Forms of one text are one text.
                base(key) != base(&entry.key) && !((self.alike)(key) && (self.alike)(&entry.key))
            });
            if let Some((key, line)) = confused {
                findings.push(at(
                    language,
                    file,
                    entry,
                    format!(
                        "Nobody can tell it from `{key}` in line {line}; both are {}. Expected: two different texts. Found: `{}`, \
                         twice.",
                        self.what, entry.text
                    ),
                ));
            }
            before.push((&entry.key, entry.line));
        }
        findings
    }
}

/// Texts of a language that say the same and should not.
pub fn apart(language: &Language) -> Vec<Finding> {
    let groups = [EVENTS, VERDICTS, SENTENCES, SUBJECTS, CHANGES, TITLES];
    let same = groups.iter().filter_map(|group| {
        let file = language.file(group.file)?;
        Some(group.same(language, file))
    });
    same.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &str, texts: &str) -> Vec<(usize, String)> {
        let language = Language {
            files: vec![File::parse(file, texts)],
            ..Language::empty("it")
        };
        let findings = apart(&language).into_iter();
        findings.map(|finding| (finding.line, finding.problem)).collect()
    }

    #[test]
    fn two_things_beside_one_another_have_two_texts() {
        for (file, one, other) in [
            ("audit", "signed_in", "source_limited"),
            ("import", "good", "imported"),
            ("errors", "busy", "field_missing"),
            ("errors", "cross_site_title", "too_large_title"),
            ("mail", "reset_subject", "activation_subject"),
            ("mail", "factor_app_on", "factor_app_off"),
        ] {
            let said = said(
                file,
                &format!("{{\"{one}\": \"a\",\n\"x\": \"b\",\n\"{other}\": \"a\"}}"),
            );
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(
                said[0].0 == 3 && said[0].1.contains(&format!("`{one}` in line 1")),
                "{said:?}"
            );
        }
    }

    #[test]
    fn what_is_told_apart_by_its_place_may_be_the_same() {
        for (file, one, other) in [
            ("audit", "signed_in", "source_sign_in"),
            ("import", "yes_words", "no_words"),
            ("errors", "first_name_missing", "application_name_missing"),
            ("errors", "many_one", "many_other"),
            ("errors", "busy", "busy_title"),
            ("mail", "done_from", "last_try_from"),
            ("agents", "one", "other"),
        ] {
            assert_eq!(
                said(file, &format!("{{\"{one}\": \"a\", \"{other}\": \"a\"}}")),
                []
            );
        }
    }
}
