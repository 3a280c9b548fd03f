//! Writes a mail: subject, text and HTML in the receiver's language (product.md section 5).
//!
//! Every sentence comes from `locales/<language>/mail.json`. Names are put into sentences as text: whatever somebody
//! typed, it makes no header, no markup and no link.

mod facts;
mod layout;
mod words;

use vestibule_core::{mail::Mail, ports::Moment};
use vestibule_translations::from_tag;

use words::Words;

/// A mail in words. It may hold a code, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// The plain text, with `\n` between lines.
    pub text: String,
    /// A whole HTML page that says the same and loads nothing.
    pub html: String,
}

/// Writes `mail` about something that happened at this moment, in the language of the tag; `de-AT` is written in `de` when there
/// is no `de-AT`, and a language nobody translated in English.
pub fn compose(mail: &Mail, language: &str, at: Moment) -> Message {
    let page = Words::new(from_tag(language).unwrap_or_default(), mail, at).page(mail);
    Message {
        text: layout::text(&page),
        html: layout::html(&page),
        subject: page.subject,
    }
}

#[cfg(test)]
mod tests;
