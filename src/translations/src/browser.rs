//! The languages of the browser's half, as they came from the server.

use std::cell::RefCell;

use crate::fill::fill;

/// The texts that islands say.
pub mod keys {
    #![expect(non_upper_case_globals, reason = "named as the keys in locales/")]
    include!(concat!(env!("OUT_DIR"), "/keys.rs"));
}

/// A text that an island says.
#[derive(Clone, Copy)]
pub struct Key(usize);

impl Key {
    /// The text at this place among those that travel.
    pub(crate) const fn new(place: usize) -> Self {
        Self(place)
    }
}

/// A language whose texts have arrived.
#[derive(Clone, Copy)]
pub struct Locale(&'static Texts);

struct Texts {
    tag: &'static str,
    direction: &'static str,
    lines: Vec<&'static str>,
}

thread_local! {
    /// What has arrived.
    static KNOWN: RefCell<Vec<Locale>> = const { RefCell::new(Vec::new()) };
}

/// No language, in which every text is empty. No island comes to life before the texts of its page are there.
static NONE: Texts = Texts {
    tag: "",
    direction: "",
    lines: Vec::new(),
};

impl Default for Locale {
    fn default() -> Self {
        Self(&NONE)
    }
}

/// Takes the texts of a language as `island_texts` on the server gives them; `None` when they are anything else, such as the
/// sign-in page of a hotel.
pub fn learn(file: String) -> Option<Locale> {
    // As long as the page lives: there are as many as languages that somebody looked at.
    let mut lines = file.leak().split('\n');
    let (tag, direction) = (lines.next()?, lines.next()?);
    let texts: Vec<_> = lines.collect();
    if texts.len() != keys::ALL {
        return None;
    }
    let learned = Locale(Box::leak(Box::new(Texts {
        tag,
        direction,
        lines: texts,
    })));
    KNOWN.with_borrow_mut(|known| known.push(learned));
    Some(learned)
}

/// The language with this tag, when its texts have arrived.
pub fn from_tag(tag: &str) -> Option<Locale> {
    KNOWN.with_borrow(|known| known.iter().find(|locale| locale.0.tag == tag).copied())
}

/// The tag of a language.
pub fn tag(locale: Locale) -> &'static str {
    locale.0.tag
}

/// `rtl` or `ltr`, for `dir=""`.
pub fn direction(locale: Locale) -> &'static str {
    locale.0.direction
}

impl Locale {
    /// What a key says.
    pub fn text(self, key: Key) -> &'static str {
        self.0.lines.get(key.0).copied().unwrap_or_default()
    }

    /// The same with its placeholders filled.
    pub fn filled(self, key: Key, values: &[(&str, String)]) -> String {
        fill(self.text(key), self.0.direction == "rtl", values)
    }
}
