//! The facts of one request that pages and server functions share.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{Method, header, request::Parts},
};
use vestibule_app::page::{Frame, Page, SessionEnd, SignedIn as SignedInView};
use vestibule_core::{
    account::Account, agents::AgentView, browser::Browser, company::Company, paths,
    second_factor::must_set_up, secret::Token,
};
use vestibule_service::{
    Visitor,
    hashing::Place,
    sessions::{EndsSeen, SessionEnds},
};
use vestibule_translations::Locale;

use super::{
    client_address::ClientAddress,
    cookies::Kind,
    denied,
    headers::Nonce,
    language,
    moments::Moments,
    request_id::{RequestId, reference},
};
use crate::state::AppState;

/// The header of requests that a page makes by itself, to show what has changed.
const QUIET: &str = "vestibule-refresh";

/// Who asks for what, and how.
#[derive(Clone)]
pub struct Facts {
    /// Who is asking.
    pub visitor: Arc<Visitor>,
    /// Path and query, without secrets: our addresses have none.
    pub path: String,
    /// Where the language form comes back to: this page, or the sign-in page when this answers a form.
    return_to: String,
    /// Whether this is a form that was sent.
    answers_form: bool,
    /// The place in line that this browser waits at.
    pub ticket: Option<Token>,
    /// Company remembered in this browser.
    pub company: Option<String>,
    /// How this browser shows the list of agents.
    pub agent_view: AgentView,
    /// Who looked at the list of agents last, and its query.
    agents_query: Option<String>,
    /// Whether the browser brought any cookie.
    pub has_cookies: bool,
    /// Whether the answer should be a page.
    pub wants_page: bool,
    /// What was typed when the form of this page was refused, while the language of the page is switched.
    pub refused_text: Option<String>,
    nonce: String,
    chosen: Option<Locale>,
    accepted: Option<Locale>,
}

impl Facts {
    /// Reads them from the request.
    pub fn of(state: &AppState, parts: &Parts) -> Self {
        let cookie = |kind| state.cookies.read(&parts.headers, kind);
        let token = |kind| cookie(kind).and_then(|text| Token::parse(&text));
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let address = parts.extensions.get::<ClientAddress>();
        let id = parts.extensions.get::<RequestId>();
        let chosen = cookie(Kind::Language).and_then(|tag| vestibule_translations::from_tag(&tag));
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        Self {
            visitor: Arc::new(Visitor {
                address: address.map(|address| address.0.to_string()),
                source: address.copied().map(ClientAddress::source).unwrap_or_default(),
                browser: browser_of(text(header::USER_AGENT)),
                quiet: parts.headers.contains_key(QUIET),
                request: id.map(ToString::to_string).unwrap_or_default(),
                reference: id.map(reference).unwrap_or_default(),
                language: chosen.map(|locale| vestibule_translations::tag(locale).to_owned()),
                browser_token: token(Kind::Browser),
                pending: token(Kind::Pending),
                trusted: cookie(Kind::Trusted)
                    .map(|list| list.split('.').filter_map(Token::parse).collect())
                    .unwrap_or_default(),
                session: token(Kind::Session),
                ended: token(Kind::Ended),
                kept: token(Kind::Kept),
                tries: cookie(Kind::Tries),
                ends: EndsSeen::default(),
                link: token(Kind::Link),
                sso_flow: cookie(Kind::SsoFlow),
                place: Place::default(),
            }),
            answers_form: parts.method != Method::GET && parts.method != Method::HEAD,
            ticket: token(Kind::Ticket),
            return_to: if parts.method == Method::GET {
                path.clone()
            } else {
                paths::LOGIN.to_owned()
            },
            path,
            company: cookie(Kind::Company),
            agent_view: cookie(Kind::AgentView)
                .map(|text| AgentView::from_text(&text))
                .unwrap_or_default(),
            agents_query: cookie(Kind::AgentsQuery),
            has_cookies: parts.headers.contains_key(header::COOKIE),
            wants_page: denied::wants_page(&parts.headers),
            refused_text: None,
            nonce: parts
                .extensions
                .get::<Nonce>()
                .map(|nonce| nonce.0.to_string())
                .unwrap_or_default(),
            chosen,
            accepted: language::accepted(&parts.headers),
        }
    }

    /// What the query says under this name, when it says anything.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Whether the query holds this word.
    pub fn asks(&self, word: &str) -> bool {
        self.query(word).is_some()
    }

    /// The list of agents as this account looked at it last.
    pub fn agents_list(&self, own: &Account) -> String {
        let kept = self.agents_query.as_deref().and_then(|kept| kept.split_once('.'));
        match kept {
            Some((id, query)) if id == own.id.to_string() && !query.is_empty() => {
                [paths::AGENTS, "?", query].concat()
            }
            _ => paths::AGENTS.to_owned(),
        }
    }

    /// Whether this browser remembers how some account looked at the list of agents.
    pub const fn remembers_list(&self) -> bool {
        self.agents_query.is_some()
    }

    /// The language of the page (product.md section 7). `account` and `company` are language tags, where known.
    pub fn locale(&self, account: Option<&str>, company: Option<&str>) -> Locale {
        language::choose(self.chosen, account, company, self.accepted)
    }

    /// A page for somebody who is not signed in.
    pub fn page<C>(&self, state: &AppState, content: C) -> Page<C> {
        self.page_in(state, self.locale(None, None), content)
    }

    /// A page in a given language.
    pub fn page_in<C>(&self, state: &AppState, locale: Locale, content: C) -> Page<C> {
        Page {
            frame: Frame {
                locale,
                path: self.return_to.clone(),
                links: state.links(),
                nonce: self.nonce.clone(),
                assets: state.assets.clone(),
                signed_in: None,
                answers_form: self.answers_form,
                refused: false,
            },
            content,
        }
    }

    /// A page for somebody who is signed in, to which the language form comes back at `path`.
    pub fn page_at<C>(
        &self,
        state: &AppState,
        company: &Company,
        account: &Account,
        path: impl Into<String>,
        content: C,
    ) -> Page<C> {
        let mut page = self.page_for(state, company, account, content);
        page.frame.path = path.into();
        page
    }

    /// The same request, after this language was chosen in the browser that sent it, on a page whose form was refused with
    /// `refused_text` in it.
    #[must_use]
    pub fn choosing(self, language: Option<Locale>, refused_text: Option<&str>) -> Self {
        Self {
            chosen: language.or(self.chosen),
            refused_text: refused_text.map(str::to_owned),
            ..self
        }
    }

    /// The same request, when what it gets is the answer to a form that was sent to the sign-in page before.
    #[must_use]
    pub fn answering_form(self) -> Self {
        Self {
            return_to: paths::LOGIN.to_owned(),
            ..self
        }
    }

    /// The language of a page for somebody who is signed in.
    pub fn locale_for(&self, company: &Company, account: &Account) -> Locale {
        self.locale(
            account.person.language.as_deref(),
            Some(&company.settings.language),
        )
    }

    /// A page for somebody who is signed in.
    pub fn page_for<C>(&self, state: &AppState, company: &Company, account: &Account, content: C) -> Page<C> {
        let locale = self.locale_for(company, account);
        let mut page = self.page_in(state, locale, content);
        page.frame.signed_in = Some(SignedInView {
            alias: account.person.alias.clone(),
            account: account.name.clone(),
            email: account.email.clone(),
            company: company.name.clone(),
            confined: must_set_up(company, account),
            role: account.highest_role(),
            ends: self
                .visitor
                .ends
                .get()
                .map(|ends| self.end_of_session(state, company, account, ends)),
        });
        page
    }

    /// Until when a session lasts, as its pages tell it.
    pub fn end_of_session(
        &self,
        state: &AppState,
        company: &Company,
        account: &Account,
        ends: SessionEnds,
    ) -> SessionEnd {
        let end = ends.next();
        let left = (end - state.service.clock().now()).num_seconds();
        SessionEnd {
            left: u32::try_from(left).unwrap_or_default(),
            idle: end != ends.latest,
            at: Moments::of(self.locale_for(company, account), company, account).write_time(end),
        }
    }
}

impl FromRequestParts<AppState> for Facts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(state, parts))
    }
}

/// `Firefox / Windows`, or nothing when the browser does not say.
fn browser_of(user_agent: &str) -> Option<String> {
    const LONGEST: usize = 512;
    let user_agent: String = user_agent.chars().take(LONGEST).collect();
    let found = woothee::parser::Parser::new().parse(&user_agent)?;
    let known = |text: &str| !text.is_empty() && text != "UNKNOWN";
    // Every version of Windows since 10 calls itself 10.
    let system = match found.os {
        "Mac OSX" => "macOS",
        os if os.starts_with("Windows") => "Windows",
        os => os,
    };
    let browser = Browser {
        name: found.name,
        system: known(found.os).then_some(system),
    };
    known(found.name).then(|| browser.stored())
}

#[cfg(test)]
mod tests {
    use super::browser_of;

    #[test]
    fn browsers_have_names_people_know() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        assert_eq!(browser_of(firefox).as_deref(), Some("Firefox / Linux"));
        assert_eq!(browser_of(""), None);
        assert_eq!(browser_of(&"<script>".repeat(10_000)), None);
    }
}
