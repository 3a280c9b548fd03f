//! What a server function needs of the request, and what it does to the answer. The server puts a [`Call`] into the
//! context of every server function and turns its [`Effect`]s into headers.

use std::sync::{Arc, Mutex, PoisonError};

use leptos::prelude::use_context;
use vestibule_core::{
    agents::AgentView,
    id::AccountId,
    paths::{self, AGENTS, PROFILE, SECURITY, SECURITY_APP, SECURITY_BACKUP_CODES, SECURITY_EMAIL},
    refusal::Refusal,
    secret::Token,
    sign_in_view::Onward,
};
use vestibule_service::{
    Service, Visitor,
    console::Selected,
    profile::Confirmed,
    sign_in::{Granted, Outcome},
};
use vestibule_translations::Locale;

/// Something that the answer does to the browser.
#[derive(Clone)]
pub enum Effect {
    /// The session begins, or ends.
    Session(Option<Token>),
    /// The session that was just signed out of is remembered for other tabs, or no longer.
    Ended(Option<Token>),
    /// How many wrong passwords were sent, sealed, or that none matter any more.
    Tries(Option<String>),
    /// A sign-in is pending, or no longer.
    Pending(Option<Token>),
    /// The accounts that trust this browser.
    Trusted(Vec<Token>),
    /// The browser gets its number.
    Browser(Token),
    /// The company is remembered.
    Company(String),
    /// The language is remembered, or no longer.
    Language(Option<String>),
    /// How the list of agents is shown is remembered.
    AgentView(AgentView),
    /// The link of a mail is being used, or no longer.
    Link(Option<Token>),
    /// Who came back from a provider is forgotten.
    SsoFlowOver,
    /// What the browser stored for this site is thrown away.
    ClearSiteData,
}

/// Chooses the language of an answer from the tags of the account and of its company, where known, and from what the
/// request says.
pub type ChooseLanguage = Arc<dyn Fn(Option<&str>, Option<&str>) -> Locale + Send + Sync>;

/// One call of a server function.
#[derive(Clone)]
pub struct Call {
    /// The use cases.
    pub service: Service,
    /// Who is asking.
    pub visitor: Arc<Visitor>,
    choose_language: ChooseLanguage,
    effects: Arc<Mutex<Vec<Effect>>>,
}

impl Call {
    /// A call by `visitor`.
    pub fn new(service: Service, visitor: Arc<Visitor>, choose_language: ChooseLanguage) -> Self {
        Self {
            service,
            visitor,
            choose_language,
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

    /// The language of the page that asks.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn locale(&self) -> Result<Locale, Refusal> {
        let signed_in = self.service.sign_in().session(&self.visitor).await?;
        let (account, company) = match &signed_in {
            Some(somebody) => (
                somebody.account.person.language.as_deref(),
                Some(somebody.company.settings.language.as_str()),
            ),
            None => (None, None),
        };
        Ok((self.choose_language)(account, company))
    }

    /// Remembers a language in the browser, and with the account when somebody is signed in. An unknown one changes
    /// nothing.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn remember_language(&self, language: &str) -> Result<(), Refusal> {
        let Some(locale) = vestibule_translations::from_tag(language) else {
            return Ok(());
        };
        let tag = vestibule_translations::tag(locale);
        if let Some(signed_in) = self.service.sign_in().session(&self.visitor).await? {
            self.service
                .sign_in()
                .choose_language(&signed_in, tag, &self.visitor)
                .await?;
        }
        self.add(Effect::Language(Some(tag.to_owned())));
        Ok(())
    }

    /// The session of this browser is over: its other tabs are told why.
    pub fn leave(&self) {
        self.add(Effect::Session(None));
        if let Some(session) = &self.visitor.session {
            self.add(Effect::Ended(Some(session.clone())));
        }
    }

    /// What a browser is told of a password that was refused: after several for the same names, how long it has to wait.
    pub fn refused_password(&self, company: &str, account: &str, refusal: Refusal) -> Refusal {
        if refusal != Refusal::WrongCredentials {
            return refusal;
        }
        let told = self
            .service
            .sign_in()
            .wrong_in_browser(company, account, &self.visitor);
        self.add(Effect::Tries(told.sealed));
        match told.retry_after {
            Some(retry_after) => Refusal::WrongTooOften { retry_after },
            None => Refusal::WrongCredentials,
        }
    }

    /// Hands a completed sign-in, or step-up, to the browser; says where to go.
    pub fn signed_in(&self, granted: Granted) -> String {
        self.add(Effect::Session(Some(granted.session)));
        self.add(Effect::Pending(None));
        // A step-up changes nothing else about the browser.
        if granted.step_up {
            return granted.landing;
        }
        self.add(Effect::Company(granted.company));
        if self.visitor.ended.is_some() {
            self.add(Effect::Ended(None));
        }
        if let Some(browser) = granted.browser {
            self.add(Effect::Browser(browser));
        }
        if let Some(trusted) = granted.trusted {
            self.add(Effect::Trusted(trusted));
        }
        granted.landing
    }

    /// Hands what a right password, or a provider's word, earned to the browser; says where to go.
    pub fn entered(&self, outcome: Outcome) -> String {
        if self.visitor.tries.is_some() {
            self.add(Effect::Tries(None));
        }
        match outcome {
            Outcome::SignedIn(granted) => self.signed_in(granted),
            Outcome::CodeAsked { pending, company } => {
                self.add(Effect::Pending(Some(pending)));
                self.add(Effect::Company(company));
                paths::LOGIN_CODE.to_owned()
            }
        }
    }

    /// Hands what a right code earned to the browser, and goes on with what a step-up was for; says where to go.
    pub async fn granted(&self, granted: Granted) -> String {
        let step_up = granted.step_up.then(|| granted.session.clone());
        let to = self.signed_in(granted);
        if let Some(session) = step_up {
            self.begin_set_up(&session, &to).await;
        }
        to
    }

    /// Hands what a right password, or a provider's word, is worth in a step-up to the browser; says where to go.
    pub async fn confirmed(&self, confirmed: Confirmed, next: String) -> String {
        match confirmed {
            Confirmed::Proved(session) => {
                self.begin_set_up(&session, &next).await;
                self.add(Effect::Session(Some(session)));
                next
            }
            Confirmed::CodeAsked(pending) => {
                self.add(Effect::Pending(Some(pending)));
                paths::LOGIN_CODE.to_owned()
            }
        }
    }

    /// Begins the set-up that somebody confirmed their identity for, so that they need not choose it twice; one that is
    /// under way goes on. Where `next` is no set-up nothing happens, and why one cannot begin its own page says.
    pub async fn begin_set_up(&self, session: &Token, next: &str) {
        let visitor = Visitor {
            session: Some(session.clone()),
            ..(*self.visitor).clone()
        };
        let service = &self.service;
        let _ = match next {
            SECURITY_APP => match service.profile().app_set_up(&visitor).await {
                Ok(None) => service.profile().begin_app_set_up(&visitor).await,
                _ => Ok(()),
            },
            SECURITY_EMAIL => match service.profile().email_set_up(&visitor).await {
                Ok(None) => service.profile().begin_email_set_up(&visitor).await,
                _ => Ok(()),
            },
            _ => Ok(()),
        };
    }
}

/// Where a step-up leads: `next` when it is a local path, else Security Settings. A page on which something has to be
/// chosen again says so.
pub fn after_step_up(next: &str) -> String {
    match next {
        PROFILE | SECURITY | SECURITY_BACKUP_CODES => format!("{next}?confirmed"),
        next if paths::is_local(next) => next.to_owned(),
        _ => format!("{SECURITY}?confirmed"),
    }
}

/// A page of the agent with this identifier.
pub fn agent_page(id: &str, page: &str) -> Onward {
    let between = if page.starts_with('?') { "" } else { "/" };
    // What was done to an agent was done to one that exists: the identifier is one.
    let id = AccountId::parse(id).map(|id| id.to_string()).unwrap_or_default();
    Onward {
        to: [AGENTS, "/", &id, between, page].concat(),
    }
}

/// The list of agents as it was, with a word about what was done.
pub fn list_with(back: &str, word: &str) -> Onward {
    let list = [AGENTS, "?", back].concat();
    let (list, and) = match back {
        "" => (AGENTS, "?"),
        _ if paths::is_local(&list) => (list.as_str(), "&"),
        _ => (AGENTS, "?"),
    };
    Onward {
        to: [list, and, word].concat(),
    }
}

/// The list of agents as it was, after several of them were changed; `word` is what the list then says of those who were. Of
/// those who were not the address has a word for the first reason; all of them the list tells to this session.
pub fn list_again(back: &str, word: &str, done: &Selected) -> Onward {
    let kept = match (done.not_changed.named.first(), &done.not_changed.left) {
        (Some((_, Refusal::OwnAccount)), _) => "&kept=own_account",
        (Some((_, Refusal::LastAdmin)), _) => "&kept=last_admin",
        (Some(_), _) | (None, Some(_)) => "&kept=some",
        (None, None) => "",
    };
    list_with(back, &format!("{word}={}{kept}", done.changed))
}

#[cfg(test)]
mod tests {
    use super::after_step_up;

    #[test]
    fn a_step_up_never_leaves_the_host() {
        assert_eq!(after_step_up("/profile/security/app"), "/profile/security/app");
        assert_eq!(after_step_up("/profile"), "/profile?confirmed");
        for foreign in ["", "//evil.test", "https://evil.test", "/\\evil", "/a@b"] {
            assert_eq!(after_step_up(foreign), "/profile/security?confirmed", "{foreign}");
        }
    }
}
