//! A form as it stands on its page: as it was typed, or else as it was saved.

use vestibule_app::page::Typed;
use vestibule_core::refusal::Refusal;

/// What was typed into a form that comes back, if it does, and why it does.
pub struct Filled<'a, F> {
    /// The form as it was sent; `None` = its page is opened.
    pub typed: Option<&'a F>,
    /// Why it was refused.
    pub refusal: Option<&'a Refusal>,
}

impl<'a, F> Filled<'a, F> {
    /// A page that is opened.
    pub const OPENED: Self = Self {
        typed: None,
        refusal: None,
    };

    /// A form that comes back.
    pub const fn again(typed: &'a F, refusal: Option<&'a Refusal>) -> Self {
        Self {
            typed: Some(typed),
            refusal,
        }
    }

    /// A page on which another form was refused.
    pub const fn refused(refusal: Option<&'a Refusal>) -> Self {
        Self { typed: None, refusal }
    }

    /// Whether the page is opened, and no form comes back.
    pub const fn is_opened(&self) -> bool {
        self.typed.is_none() && self.refusal.is_none()
    }

    /// Whether somebody else saved a newer version while this one was filled in.
    pub fn is_late(&self) -> bool {
        matches!(self.refusal, Some(Refusal::ChangedMeanwhile))
    }

    /// The version that is saved over next: the one that was shown, until the newer one has been shown too.
    pub fn version(&self, shown: Option<i64>, current: i64) -> i64 {
        shown.filter(|_| !self.is_late()).unwrap_or(current)
    }

    /// A field, and what somebody else saved meanwhile.
    pub fn text(&self, sent: impl FnOnce(&'a F) -> &'a str, saved: &str) -> Typed {
        let value = self
            .typed
            .map_or_else(|| saved.to_owned(), |typed| sent(typed).to_owned());
        Typed {
            meanwhile: (self.is_late() && value.trim() != saved).then(|| saved.to_owned()),
            value,
        }
    }

    /// Boxes, as words between spaces.
    pub fn boxes(&self, sent: impl FnOnce(&'a F) -> String, saved: &str) -> Typed {
        let value = self.typed.map_or_else(|| saved.to_owned(), sent);
        Typed {
            meanwhile: (self.is_late() && value != saved).then(|| saved.to_owned()),
            value,
        }
    }
}
