//! The sign-in page as strangers get it. All who read the same language get the same, but for the nonce of their answer: it is
//! rendered for the first of them, and put together for the others.

use std::sync::{Arc, PoisonError, RwLock};

use vestibule_app::{
    page::{Frame, Links, LoginPage, Page},
    shell::document::render,
};
use vestibule_core::paths;
use vestibule_translations::Locale;

use super::sign_in::{Login, forgot_password};

/// Stands for the nonce in a page that lies ready. Nothing that anybody typed is in such a page.
const PLACE: &str = "nonce-of-this-answer";
/// Pages that lie ready at most: more than there are languages and choices of providers.
const MOST: usize = 64;

/// What a page that lies ready depends on, besides the nonce and what never changes while the server runs.
#[derive(PartialEq, Eq)]
struct Key {
    locale: Locale,
    links: Links,
    page: LoginPage,
}

/// The pages that lie ready.
#[derive(Default)]
pub struct ReadyPages(RwLock<Vec<(Key, Arc<[String]>)>>);

impl ReadyPages {
    /// The HTML of a sign-in page: put together where it says nothing of anybody, rendered where it does. What decides is
    /// what would be rendered, whatever the request had in it.
    pub fn html(&self, page: Page<Login>) -> String {
        if !is_of_strangers(&page) {
            return render(page);
        }
        let Page { mut frame, content } = page;
        let nonce = std::mem::replace(&mut frame.nonce, PLACE.to_owned());
        let key = Key {
            locale: frame.locale,
            links: frame.links.clone(),
            page: content.0.clone(),
        };
        let pieces = self.find(&key).unwrap_or_else(|| {
            let html = render(Page { frame, content });
            let pieces: Arc<[String]> = html.split(PLACE).map(str::to_owned).collect();
            self.keep(key, &pieces);
            pieces
        });
        pieces.join(&nonce)
    }

    fn find(&self, key: &Key) -> Option<Arc<[String]>> {
        let pages = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = pages.iter().find(|(known, _)| known == key);
        found.map(|(_, pieces)| Arc::clone(pieces))
    }

    fn keep(&self, key: Key, pieces: &Arc<[String]>) {
        let mut pages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST {
            pages.clear();
        }
        if !pages.iter().any(|(known, _)| *known == key) {
            pages.push((key, Arc::clone(pieces)));
        }
    }
}

/// Whether a page is what everybody gets who comes for the first time: nothing typed, nothing remembered, nothing said.
fn is_of_strangers(Page { frame, content }: &Page<Login>) -> bool {
    let Frame {
        path,
        signed_in,
        answers_form,
        refused,
        ..
    } = frame;
    let blank = LoginPage {
        forgot: forgot_password(""),
        providers: content.0.providers.clone(),
        ..LoginPage::default()
    };
    content.0 == blank && path == paths::LOGIN && signed_in.is_none() && !answers_form && !refused
}

#[cfg(test)]
mod tests {
    use super::{super::tests::frame, *};

    fn blank() -> LoginPage {
        LoginPage {
            forgot: forgot_password(""),
            ..LoginPage::default()
        }
    }

    fn page(frame: Frame, page: LoginPage) -> Page<Login> {
        Page {
            frame,
            content: Login(page),
        }
    }

    #[test]
    fn a_page_that_lay_ready_is_the_page_that_would_be_rendered() {
        let ready = ReadyPages::default();
        let providers = vec![("Microsoft".to_owned(), "/sso/microsoft".to_owned())];
        let of_providers = LoginPage { providers, ..blank() };
        let other_links = Links {
            mailbox: Some("/mailbox".to_owned()),
            ..frame().links
        };
        let mut kept = 0;
        for content in [blank(), of_providers] {
            for locale in [Locale::en, Locale::ar] {
                for links in [frame().links, other_links.clone()] {
                    kept += 1;
                    for nonce in ["bm9uY2U", "YW5vdGhlcg", "dGhpcmQ"] {
                        let frame = Frame {
                            locale,
                            links: links.clone(),
                            nonce: nonce.to_owned(),
                            ..frame()
                        };
                        let html = ready.html(page(frame.clone(), content.clone()));
                        assert_eq!(html, render(page(frame, content.clone())));
                        assert!(html.contains(nonce) && !html.contains(PLACE), "{html}");
                    }
                }
            }
        }
        assert_eq!(ready.0.read().unwrap().len(), kept);
    }

    #[test]
    fn what_says_anything_of_anybody_is_not_kept() {
        let ready = ReadyPages::default();
        let framed = |change: &dyn Fn(&mut Frame)| {
            let mut changed = frame();
            change(&mut changed);
            page(changed, blank())
        };
        let of = |change: &dyn Fn(&mut LoginPage)| {
            let mut changed = blank();
            change(&mut changed);
            page(frame(), changed)
        };
        for (what, page) in [
            ("company", of(&|page| page.company = "Acme".to_owned())),
            ("account", of(&|page| page.account = "alice".to_owned())),
            ("next", of(&|page| page.next = Some("/profile".to_owned()))),
            (
                "refusal",
                of(&|page| page.refusal = Some(vestibule_core::refusal::Refusal::SignInExpired)),
            ),
            (
                "notice",
                of(&|page| page.notice = vec![("en".to_owned(), "Signed out".to_owned())]),
            ),
            ("good", of(&|page| page.good = true)),
            ("forgot", of(&|page| page.forgot = forgot_password("Acme"))),
            (
                "path",
                framed(&|frame| frame.path = "/login?company=Acme".to_owned()),
            ),
            ("form", framed(&|frame| frame.answers_form = true)),
            ("refused", framed(&|frame| frame.refused = true)),
        ] {
            assert_eq!(ready.html(page.clone()), render(page), "{what}");
            assert!(ready.0.read().unwrap().is_empty(), "{what}");
        }
    }

    #[test]
    fn there_are_never_more_than_there_is_room_for() {
        let ready = ReadyPages::default();
        for number in 0..=MOST {
            let providers = vec![(number.to_string(), String::new())];
            ready.html(page(frame(), LoginPage { providers, ..blank() }));
        }
        assert_eq!(ready.0.read().unwrap().len(), 1);
    }
}
