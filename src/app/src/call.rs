//! What a server function needs of the request, and what it does to the answer. The server puts a [`Call`] into the
//! context of every server function and turns its [`Effect`]s into headers.

use std::sync::{Arc, Mutex, PoisonError};

use leptos::prelude::use_context;
use vestibule_core::{refusal::Refusal, secret::Token};
use vestibule_service::{Service, Visitor, sign_in::Granted};

/// Something that the answer does to the browser.
#[derive(Clone)]
pub enum Effect {
    /// The session begins, or ends.
    Session(Option<Token>),
    /// A sign-in is pending, or no longer.
    Pending(Option<Token>),
    /// The accounts that trust this browser.
    Trusted(Vec<Token>),
    /// The browser gets its number.
    Browser(Token),
    /// The company is remembered.
    Company(String),
    /// The language is remembered.
    Language(String),
    /// What the browser stored for this site is thrown away.
    ClearSiteData,
}

/// One call of a server function.
#[derive(Clone)]
pub struct Call {
    /// The use cases.
    pub service: Service,
    /// Who is asking.
    pub visitor: Arc<Visitor>,
    effects: Arc<Mutex<Vec<Effect>>>,
}

impl Call {
    /// A call by `visitor`.
    pub fn new(service: Service, visitor: Arc<Visitor>) -> Self {
        Self {
            service,
            visitor,
            effects: Arc::default(),
        }
    }

    /// The call under way.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when the server did not provide it.
    pub fn current() -> Result<Self, Refusal> {
        use_context().ok_or(Refusal::Internal {
            reference: String::new(),
        })
    }

    /// Adds an effect to the answer.
    pub fn add(&self, effect: Effect) {
        self.effects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(effect);
    }

    /// The effects so far, in their order.
    pub fn take_effects(&self) -> Vec<Effect> {
        std::mem::take(&mut *self.effects.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands a completed sign-in to the browser; says where to go.
    pub fn signed_in(&self, granted: Granted) -> String {
        self.add(Effect::Session(Some(granted.session)));
        self.add(Effect::Pending(None));
        self.add(Effect::Company(granted.company));
        if let Some(browser) = granted.browser {
            self.add(Effect::Browser(browser));
        }
        if let Some(trusted) = granted.trusted {
            self.add(Effect::Trusted(trusted));
        }
        granted.landing
    }
}
