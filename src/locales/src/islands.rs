//! The texts that the islands of the browser's half say. They are not compiled into the WebAssembly: the page brings those of
//! its language, and each other language is a file.

use crate::{
    Catalogue, Language,
    text::{Piece, pieces},
};

/// What the files of the site are called, before the language and the ending.
pub const TEXTS: &str = "texts-";

/// Every text that an island says, in the order in which they travel. An island that says another does not compile.
pub const ISLANDS: &[&str] = &[
    "common.skip_to_content",
    "common.language",
    "common.change_language",
    "common.language_failed",
    "common.two_sentences",
    "common.refused_title",
    "common.terms",
    "common.privacy",
    "mailbox.title",
    "sso.sign_in_with",
    "time.two_units",
    "sign_in.title",
    "sign_in.intro",
    "sign_in.company",
    "sign_in.account",
    "sign_in.account_hint",
    "sign_in.password",
    "sign_in.show_password",
    "sign_in.caps_lock",
    "sign_in.submit",
    "sign_in.working",
    "sign_in.forgot",
    "sign_in.code_title",
    "sign_in.code_mailed",
    "sign_in.code_mail_failing",
    "sign_in.code_mail_given_up",
    "sign_in.code_mail_undeliverable",
    "sign_in.code_mail_limited",
    "sign_in.code_label",
    "sign_in.code_hint",
    "sign_in.code_from_app",
    "sign_in.backup_label",
    "sign_in.backup_hint",
    "sign_in.code_admin",
    "sign_in.code_checked",
    "sign_in.verify",
    "sign_in.cancel",
    "sign_in.resend",
    "sign_in.resend_in",
    "sign_in.resend_now",
    "sign_in.resends_used_up",
    "sign_in.resent",
    "sign_in.trust",
    "sign_in.trust_hint",
    "sign_in.other_method",
    "sign_in.use_backup_code",
    "sign_in.use_digits",
    "sign_in.start_again",
    "sign_in.back_to_sign_in",
    "sign_in.locked_title",
    "sign_in.locked_next",
    "errors.summary_title",
    "errors.company_missing",
    "errors.company_too_long",
    "errors.account_missing",
    "errors.account_too_long",
    "errors.password_missing",
    "errors.password_too_long",
    "errors.code_missing",
    "errors.code_malformed",
    "errors.bad_characters",
    "errors.wrong_credentials",
    "errors.too_many_tries",
    "errors.wrong_too_often",
    "errors.no_cookies",
    "errors.busy",
    "errors.unavailable",
    "errors.account_locked",
    "errors.account_inactive",
    "errors.company_disabled",
    "errors.wrong_code",
    "errors.code_used",
    "errors.clock_ahead",
    "errors.clock_behind",
    "errors.two_left",
    "errors.one_left",
    "errors.code_replaced",
    "errors.code_expired",
    "errors.code_elsewhere",
    "errors.sign_in_expired",
    "errors.resend_too_soon",
    "errors.resend_limit",
    "errors.code_mail_limit",
    "errors.not_signed_in",
    "errors.forbidden",
    "errors.cross_site",
    "errors.malformed",
    "errors.too_large",
    "errors.not_found",
    "errors.internal",
    "errors.internal_plain",
    "errors.offline",
];

impl Catalogue {
    /// The texts of the islands in a language as they travel: its tag, its direction, then one text a line, with placeholders
    /// as `{name}`. English where the language has none.
    pub fn island_texts(&self, language: &Language) -> String {
        let direction = if language.is_rtl() { "rtl" } else { "ltr" };
        let texts = ISLANDS.iter().map(|path| {
            let own = language.text(path);
            let text = own.or_else(|| self.english()?.text(path));
            travelling(text.unwrap_or_default())
        });
        let lines: Vec<String> = [language.tag.clone(), direction.to_owned()]
            .into_iter()
            .chain(texts)
            .collect();
        lines.join("\n")
    }
}

fn travelling(text: &str) -> String {
    let mut written = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Words(words) => written.push_str(&words.replace('\n', " ")),
            Piece::Placeholder(name) => written.extend(["{", name, "}"]),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_text_travels_twice() {
        assert_eq!(ISLANDS.iter().collect::<BTreeSet<_>>().len(), ISLANDS.len());
    }

    #[test]
    fn a_text_travels_on_one_line() {
        assert_eq!(travelling("a {{ b }}\n{{c}}."), "a {b} {c}.");
    }
}
