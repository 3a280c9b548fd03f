//! Terms of Service and Privacy Policy: the operator's address, the operator's Markdown file, or the shipped text
//! (product.md section 3).

use std::{
    fs, io,
    sync::{Arc, PoisonError, RwLock},
};

use vestibule_core::paths;
pub use vestibule_translations::legal::Kind;
use vestibule_translations::{Locale, legal, tag};

use crate::config::Legal;

/// Where one of the two texts comes from, ready to be shown.
enum Source {
    Elsewhere(String),
    Own(String),
    Shipped,
}

/// One of the two texts.
pub struct LegalText {
    /// Language tag of the text; empty = not known.
    pub language: String,
    /// The text as HTML, made from the operator's Markdown with all raw HTML removed.
    pub html: String,
}

/// Both texts.
pub struct LegalTexts(RwLock<Arc<Sources>>);

struct Sources {
    terms: Source,
    privacy: Source,
}

impl LegalTexts {
    /// Reads the operator's files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn load(terms: &Legal, privacy: &Legal) -> io::Result<Self> {
        let sources = Sources {
            terms: load(terms)?,
            privacy: load(privacy)?,
        };
        Ok(Self(RwLock::new(Arc::new(sources))))
    }

    /// Takes others in their place.
    pub fn replace(&self, others: &Self) {
        let sources = others.sources();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    /// Where the link in the footer leads.
    pub fn link(&self, kind: Kind) -> String {
        match (self.sources().of(kind), kind) {
            (Source::Elsewhere(url), _) => url.clone(),
            (_, Kind::Terms) => paths::TERMS.to_owned(),
            (_, Kind::Privacy) => paths::PRIVACY.to_owned(),
        }
    }

    /// The text.
    ///
    /// # Errors
    /// The address where the text is, when the operator has it elsewhere.
    pub fn text(&self, kind: Kind, locale: Locale) -> Result<LegalText, String> {
        match self.sources().of(kind) {
            Source::Elsewhere(url) => Err(url.clone()),
            Source::Own(html) => Ok(LegalText {
                language: String::new(),
                html: html.clone(),
            }),
            Source::Shipped => {
                let (language, markdown) = legal::text(kind, locale);
                Ok(LegalText {
                    language: tag(language).to_owned(),
                    html: legal::to_html(&markdown),
                })
            }
        }
    }

    fn sources(&self) -> Arc<Sources> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sources {
    fn of(&self, kind: Kind) -> &Source {
        match kind {
            Kind::Terms => &self.terms,
            Kind::Privacy => &self.privacy,
        }
    }
}

fn load(legal: &Legal) -> io::Result<Source> {
    Ok(match legal {
        Legal::Url(url) => Source::Elsewhere(url.to_string()),
        Legal::File(path) => Source::Own(legal::to_html(&fs::read_to_string(path)?)),
        Legal::BuiltIn => Source::Shipped,
    })
}
