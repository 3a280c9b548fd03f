//! What every language must have, checked on the files themselves: nothing here names a language but English.

use std::{collections::BTreeSet, fmt, fs, path::Path, path::PathBuf};

use icu_plurals::{PluralCategory, PluralRuleType, PluralRules};
use serde::{Deserialize, Deserializer, de::MapAccess, de::Visitor};

use crate::{all, tag};

/// The keys and texts of one file in the order of the file, with those that stand there twice.
struct Texts(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts, without further objects inside")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = map.next_entry()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Texts {
    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == key)
            .map(|(_, text)| text.as_str())
    }
}

/// The forms of a text with a number, in the order in which they stand in a file.
const FORMS: [(PluralCategory, &str); 6] = [
    (PluralCategory::Zero, "_zero"),
    (PluralCategory::One, "_one"),
    (PluralCategory::Two, "_two"),
    (PluralCategory::Few, "_few"),
    (PluralCategory::Many, "_many"),
    (PluralCategory::Other, "_other"),
];

/// A key without its form, and the form, when it has the ending of one.
fn form_of(key: &str) -> Option<(&str, PluralCategory)> {
    FORMS
        .iter()
        .find_map(|(form, ending)| Some((key.strip_suffix(ending)?, *form)))
}

/// A number on which a noun depends: the text has one form for each group of numbers that the language tells apart.
const COUNT: &str = "count";

fn plural_rules(language: &str) -> PluralRules {
    let language: icu_locale::Locale = language.parse().unwrap();
    PluralRules::try_new(language.into(), PluralRuleType::Cardinal.into()).unwrap()
}

/// The endings of the forms that a language has (Unicode CLDR). A language with a single form needs no ending.
fn endings(language: &str) -> Vec<&'static str> {
    let used: Vec<_> = plural_rules(language).categories().collect();
    if used.len() == 1 {
        return vec![""];
    }
    FORMS
        .iter()
        .filter(|(form, _)| used.contains(form))
        .map(|(_, ending)| *ending)
        .collect()
}

/// Whether a form is used for one number only, so that the text may say the number in words or with the noun alone.
fn is_one_number(language: &str, form: PluralCategory) -> bool {
    let rules = plural_rules(language);
    (0..=1000_u32)
        .filter(|number| rules.category_for(*number) == form)
        .count()
        == 1
}

impl Texts {
    /// Whether, in English, the key without its form has forms.
    fn has_forms(&self, key: &str) -> bool {
        self.get(&format!("{key}_one")).is_some() && self.get(&format!("{key}_other")).is_some()
    }

    /// The keys that a language must have where English has these.
    fn keys_in(&self, language: &str) -> Vec<String> {
        let mut wanted = Vec::new();
        for key in self.keys() {
            match form_of(key) {
                Some((base, form)) if self.has_forms(base) => {
                    if form == PluralCategory::Other {
                        wanted.extend(endings(language).iter().map(|ending| format!("{base}{ending}")));
                    }
                }
                _ => wanted.push(key.to_owned()),
            }
        }
        wanted
    }

    /// The English text for a key of any language, and the form that the key is when it is one of several.
    fn english(&self, key: &str) -> (Option<&str>, Option<PluralCategory>) {
        match form_of(key) {
            Some((base, form)) if self.has_forms(base) => {
                (self.get(key).or(self.get(&format!("{base}_other"))), Some(form))
            }
            _ if self.has_forms(key) => (self.get(&format!("{key}_other")), None),
            _ => (self.get(key), None),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales")
}

/// Names in a folder, hidden ones left out.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// The folders of languages, drafts or not.
fn folders(drafts: bool) -> BTreeSet<String> {
    names(&folder())
        .into_iter()
        .filter(|name| folder().join(name).is_dir() && folder().join(name).join("draft").exists() == drafts)
        .collect()
}

fn languages() -> BTreeSet<String> {
    folders(false)
}

fn read(language: &str, file: &str) -> String {
    let path = folder().join(language).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn texts(language: &str, file: &str) -> Texts {
    serde_json::from_str(&read(language, file)).unwrap_or_else(|error| panic!("{language}/{file}: {error}"))
}

/// Every JSON file of a language with its texts.
fn all_texts(language: &str) -> Vec<(String, Texts)> {
    let files = names(&folder().join("en")).into_iter();
    files
        .filter(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|file| (file.clone(), texts(language, &file)))
        .collect()
}

/// What stands between `{{` and `}}`.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split("{{")
        .skip(1)
        .map(|rest| rest.split("}}").next().unwrap().trim())
        .collect()
}

/// Calls `check` with language, file, key and text of every text of every language.
fn for_every_text(check: impl Fn(&str, &str, &str, &str)) {
    for language in languages() {
        for (file, texts) in all_texts(&language) {
            for (key, text) in &texts.0 {
                check(&language, &file, key, text);
            }
        }
    }
}

#[test]
fn every_folder_is_an_offered_language() {
    let offered: BTreeSet<String> = all().iter().map(|locale| tag(*locale).to_owned()).collect();
    assert_eq!(offered, languages());
}

#[test]
fn every_language_has_the_files_of_english() {
    let english = names(&folder().join("en"));
    assert!(english.contains("terms.md") && english.contains("privacy.md"));
    for language in languages() {
        assert_eq!(names(&folder().join(&language)), english, "{language}");
    }
}

#[test]
fn every_language_has_the_keys_of_english_in_the_same_order() {
    for (file, english) in all_texts("en") {
        for language in languages() {
            let own = texts(&language, &file);
            let (own, wanted) = (own.keys(), english.keys_in(&language));
            let missing: Vec<_> = wanted.iter().filter(|key| !own.contains(&key.as_str())).collect();
            let unknown: Vec<_> = own
                .iter()
                .filter(|key| !wanted.iter().any(|wanted| wanted == *key))
                .collect();
            assert!(missing.is_empty(), "{language}/{file} lacks {missing:?}");
            assert!(
                unknown.is_empty(),
                "{language}/{file} has {unknown:?}, which English has not, or forms that the language has not"
            );
            assert_eq!(
                own, wanted,
                "{language}/{file}: order or a key that stands there twice"
            );
        }
    }
}

#[test]
fn a_draft_may_lack_texts_but_has_none_that_is_wrong() {
    for language in folders(true) {
        for (file, english) in all_texts("en") {
            if !folder().join(&language).join(&file).exists() {
                continue;
            }
            let (own, wanted) = (texts(&language, &file), english.keys_in(&language));
            let mut rest = wanted.iter();
            for (key, text) in &own.0 {
                assert!(
                    rest.any(|wanted| wanted == key),
                    "{language}/{file}: {key} is not in English, stands in another place, or is a form that the language \
                     has not"
                );
                let (english, form) = english.english(key);
                let mut allowed = placeholders(english.unwrap_or_default());
                if form.is_some() {
                    allowed.insert(COUNT);
                }
                let mut found = placeholders(text);
                if form.is_some_and(|form| is_one_number(&language, form)) {
                    found.insert(COUNT);
                }
                assert_eq!(found, allowed, "{language}/{file}: {key}");
            }
        }
    }
}

#[test]
fn no_key_stands_twice_in_a_file() {
    for (file, english) in all_texts("en") {
        let keys = english.keys();
        assert_eq!(
            keys.iter().collect::<BTreeSet<_>>().len(),
            keys.len(),
            "en/{file}: {keys:?}"
        );
    }
}

#[test]
fn every_text_has_the_placeholders_of_english() {
    for (file, english) in all_texts("en") {
        for language in languages() {
            for (key, text) in &texts(&language, &file).0 {
                let (english, form) = english.english(key);
                let (mut wanted, found) = (placeholders(english.unwrap_or_default()), placeholders(text));
                if form.is_some() {
                    wanted.insert(COUNT);
                }
                if form.is_some_and(|form| is_one_number(&language, form)) && !found.contains(COUNT) {
                    wanted.remove(COUNT);
                }
                assert_eq!(found, wanted, "{language}/{file}: {key}");
            }
        }
    }
}

/// A text with `{{ count }}` has forms, else a noun beside the number would be wrong in some language; and what has forms
/// counts something.
#[test]
fn every_text_that_counts_has_forms() {
    for (file, english) in all_texts("en") {
        for (key, text) in &english.0 {
            let has_forms = form_of(key).is_some_and(|(base, _)| english.has_forms(base));
            if key.ends_with("_other") || !has_forms {
                assert_eq!(
                    placeholders(text).contains(COUNT),
                    has_forms,
                    "en/{file}: {key} needs _one and _other exactly when it has {{{{ count }}}}"
                );
            }
        }
    }
}

#[test]
fn languages_have_the_forms_that_their_speakers_use() {
    assert_eq!(endings("en"), ["_one", "_other"]);
    assert_eq!(endings("de"), ["_one", "_other"]);
    assert_eq!(
        endings("ar"),
        ["_zero", "_one", "_two", "_few", "_many", "_other"]
    );
    assert_eq!(endings("ja"), [""]);
    assert!(is_one_number("ar", PluralCategory::Two) && !is_one_number("ar", PluralCategory::Few));
    assert!(is_one_number("de", PluralCategory::One) && !is_one_number("fr", PluralCategory::One));
}

#[test]
fn texts_are_plain_and_trimmed() {
    for_every_text(|language, file, key, text| {
        let place = format!("{language}/{file}: {key}");
        assert!(!text.is_empty(), "{place} is empty");
        assert_eq!(text, text.trim(), "{place} begins or ends with a blank");
        assert!(!text.contains("  "), "{place} has two blanks in a row");
        assert!(
            !text.contains(['<', '>', '\n', '\t']),
            "{place} has markup or a line end"
        );
    });
}

#[test]
fn numbers_are_written_as_the_code_writes_them() {
    for_every_text(|language, file, key, text| {
        assert!(
            !text.contains(|c: char| c.is_numeric() && !c.is_ascii()),
            "{language}/{file}: {key}"
        );
    });
}

#[test]
fn every_isolate_that_begins_also_ends() {
    for_every_text(|language, file, key, text| {
        let begun = text.matches(['\u{2066}', '\u{2067}', '\u{2068}']).count();
        assert_eq!(
            begun,
            text.matches('\u{2069}').count(),
            "{language}/{file}: {key}"
        );
    });
}

#[test]
fn nothing_long_is_left_in_english() {
    for (file, english) in all_texts("en") {
        for language in languages().into_iter().filter(|language| language != "en") {
            for (key, text) in &texts(&language, &file).0 {
                // Two values beside each other stand so in many languages.
                let has_words = text
                    .split(['{', '}'])
                    .step_by(4)
                    .any(|between| !between.trim().is_empty());
                let untranslated =
                    english.english(key).0 == Some(text) && text.chars().count() > 25 && has_words;
                assert!(!untranslated, "{language}/{file}: {key} is still English");
            }
        }
    }
}

#[test]
fn languages_can_be_told_apart_by_their_names() {
    let names: BTreeSet<String> = languages()
        .iter()
        .map(|language| {
            texts(language, "common.json")
                .get("language_name")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names.len(), languages().len(), "{names:?}");
}

#[test]
fn legal_texts_are_complete() {
    for language in languages() {
        for file in ["terms.md", "privacy.md"] {
            let (text, english) = (read(&language, file), read("en", file));
            let shape = |text: &str| -> Vec<String> {
                text.lines()
                    .filter_map(|line| line.split_once(' ').map(|(mark, _)| mark.to_owned()))
                    .filter(|mark| mark.starts_with('#') || mark == "-")
                    .collect()
            };
            assert!(text.starts_with("# "), "{language}/{file}");
            assert_eq!(
                shape(&text),
                shape(&english),
                "{language}/{file}: headings and lists"
            );
            assert!(
                language == "en" || text != english,
                "{language}/{file} is still English"
            );
        }
    }
}

/// The labels and sentences that product.md fixes word for word, file by file.
const CONTRACT: &[(&str, &[(&str, &str)])] = &[
    (
        "common.json",
        &[
            ("terms", "Terms of Service"),
            ("privacy", "Privacy Policy"),
            ("logout", "Logout"),
            ("cancel", "Cancel"),
        ],
    ),
    (
        "sign_in.json",
        &[
            ("title", "Sign in"),
            ("company", "Company"),
            ("account", "Account"),
            ("password", "Password"),
            ("submit", "Sign in"),
            ("forgot", "Forgot Password"),
            ("code_title", "Input Authentication Code"),
            ("verify", "Verify"),
            ("cancel", "Cancel"),
            ("resend", "Resend"),
            ("trust", "Don't ask again for {{ days }} days"),
            ("other_method", "Use another method"),
            ("use_backup_code", "Use a backup code"),
        ],
    ),
    (
        "sso.json",
        &[
            ("sign_in_with", "Sign in with {{ provider }}"),
            ("bind_title", "Connect your account"),
            ("bind_submit", "Bind"),
            ("connect", "Connect"),
            ("disconnect", "Disconnect"),
            ("client_id", "Client ID"),
            ("client_secret", "Client secret"),
            ("redirect_uri", "Redirect URI"),
            ("trusted", "Trust the provider's sign-in"),
        ],
    ),
    (
        "recovery.json",
        &[("email", "Email"), ("submit", "Send reset link")],
    ),
    (
        "console.json",
        &[
            ("agent_title", "Agent Panel"),
            ("admin_title", "Admin console"),
            ("agents", "Agents"),
            ("general", "General Information"),
            ("security", "Security"),
            ("sso", "Single Sign-On"),
            ("mail", "Custom SMTP Server"),
            ("audit", "Audit log"),
            ("role_agent", "Agent"),
            ("role_supervisor", "Supervisor"),
            ("role_admin", "Admin"),
        ],
    ),
    (
        "profile.json",
        &[
            ("title", "Profile"),
            ("basic", "Basic information"),
            ("change_password", "Change Password"),
            ("security_title", "Security Settings"),
            ("two_factor_title", "Two-Factor Authentication (2FA)"),
            ("email_row", "Email authentication"),
            ("app_row", "Authenticator app authentication"),
            ("set_up", "Set Up"),
            ("reset", "Reset"),
            ("turn_off", "Turn off"),
            ("view_backup_codes", "View Backup Codes"),
            ("sso_title", "Single Sign-On (SSO)"),
            (
                "sso_none",
                "Your company hasn't set up Google or Office 365 sign-in. Contact your administrator if you need it.",
            ),
            ("trusted_title", "Trusted browsers"),
            ("remove", "Remove"),
            ("sessions_title", "Sessions"),
            ("end", "End"),
            ("end_others", "End all others"),
            ("generate", "Generate new codes"),
            ("download", "Download"),
        ],
    ),
    (
        "agents.json",
        &[
            ("title", "Agents"),
            ("add", "Add agent"),
            ("add_title", "Add agent"),
            ("edit_title", "Edit agent"),
            ("active", "Active"),
            ("inactive", "Inactive"),
            ("locked", "Locked"),
            ("view", "View"),
            ("edit", "Edit"),
            ("delete", "Delete"),
            ("unlock", "Unlock"),
            ("backup_code", "Backup Code"),
            ("reset_password", "Reset password"),
            ("end_sessions", "End sessions"),
            ("resend_email", "Resend verification email"),
            ("cancel_email", "Cancel this change"),
            ("choose_title", "Choose a password"),
        ],
    ),
    (
        "company.json",
        &[
            ("general_title", "General Information"),
            ("new_agent_mail", "New-agent mail"),
            ("account_details", "Account details"),
            ("activation_link", "Activation link"),
            ("security_title", "Security"),
            ("two_factor", "2FA Policy"),
            ("every_login", "Every login"),
            ("allow_skip", "Allow agents to skip for {{ days }} days"),
            ("require", "Require a second factor"),
            ("require_off", "Off"),
            ("require_admins", "Admins"),
            ("require_everyone", "Everyone"),
            ("password_policy", "Password Policy"),
            ("password_min", "Minimum password length"),
            ("log_out", "Log-out Policy"),
            ("audit_title", "Audit log"),
        ],
    ),
    ("mail_server.json", &[("send_test", "Send test mail")]),
    (
        "mail.json",
        &[
            ("details_url", "Login URL"),
            ("details_company", "Company Name"),
            ("details_account", "Login Username"),
            ("details_email", "Login Email"),
            ("details_password", "Login Password"),
        ],
    ),
    (
        "errors.json",
        &[
            ("wrong_credentials", "Company, account or password is incorrect"),
            (
                "account_locked",
                "Your account is locked. Contact your administrator to unlock it.",
            ),
            (
                "account_inactive",
                "Your account is inactive. Contact your administrator.",
            ),
            (
                "two_left",
                "You have 2 login attempts before your account is locked",
            ),
            (
                "one_left",
                "You have 1 login attempt before your account is locked",
            ),
        ],
    ),
];

#[test]
fn english_keeps_the_words_of_the_contract() {
    for (file, labels) in CONTRACT {
        let texts = texts("en", file);
        for (key, text) in *labels {
            assert_eq!(texts.get(key), Some(*text), "{file}: {key}");
        }
    }
}

/// product.md section 5: what helps while no code can be mailed.
#[test]
fn a_page_whose_code_cannot_be_mailed_says_what_else_helps() {
    let texts = texts("en", "sign_in.json");
    for key in ["code_mail_failing", "code_mail_given_up"] {
        let text = texts.get(key).unwrap();
        assert!(text.contains("use your app or a backup code"), "{key}: {text}");
    }
}
