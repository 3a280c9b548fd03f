//! How facts get from the server to an island: as JSON in an attribute of the page, and as answers to its calls.
//!
//! The browser parses the JSON itself and the few types are read by hand. Deriving the reading would be shorter here,
//! and a fifth of the WebAssembly (20 kB of 90, compressed). The tests write every type with serde and read it back.

use vestibule_core::{
    refusal::{CodeHint, Field, FieldProblem, Problem, Refusal},
    sign_in_view::{CodeMail, CodeView, Method, Onward},
};

use crate::{
    components::frame::Shell,
    page::{CodePage, Links, LoginPage},
};

/// JSON that somebody else has parsed.
pub trait Json: Sized {
    /// A member of an object; nothing when it has none of this name.
    fn member(&self, name: &str) -> Self;
    /// The text, when it is one.
    fn text(&self) -> Option<String>;
    /// The number, when it is one.
    fn number(&self) -> Option<f64>;
    /// Whether it is `true`.
    fn is_true(&self) -> bool;
    /// The elements of an array.
    fn elements(&self) -> Vec<Self>;
}

/// Something that can be read from JSON as serde writes it.
pub trait Read: Sized {
    /// `None` when `json` is something else.
    fn read(json: &impl Json) -> Option<Self>;
}

/// What an island shows, as the page knows it.
pub trait Facts: Read + Clone + Send + Sync + 'static {}

impl<T: Read + Clone + Send + Sync + 'static> Facts for T {}

/// The facts of this page.
#[cfg(feature = "ssr")]
pub fn of_page<T: Facts>() -> Option<T> {
    leptos::prelude::use_context()
}

/// The facts of this page.
#[cfg(not(feature = "ssr"))]
pub fn of_page<T: Facts>() -> Option<T> {
    T::read(&crate::browser::facts()?)
}

impl<A: Read, B: Read> Read for (A, B) {
    fn read(json: &impl Json) -> Option<Self> {
        let mut both = json.elements().into_iter();
        Some((A::read(&both.next()?)?, B::read(&both.next()?)?))
    }
}

impl Read for Shell {
    fn read(json: &impl Json) -> Option<Self> {
        let links = json.member("links");
        Some(Self {
            language: json.member("language").text()?,
            path: json.member("path").text()?,
            links: Links {
                terms: links.member("terms").text()?,
                privacy: links.member("privacy").text()?,
                mailbox: links.member("mailbox").text(),
            },
            logo: json.member("logo").text()?,
        })
    }
}

impl Read for LoginPage {
    fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            company: json.member("company").text()?,
            account: json.member("account").text()?,
            next: json.member("next").text(),
            refusal: Refusal::read(&json.member("refusal")),
            signed_out: json.member("signed_out").is_true(),
            password_changed: json.member("password_changed").is_true(),
            forgot: json.member("forgot").text()?,
            providers: json
                .member("providers")
                .elements()
                .iter()
                .filter_map(|pair| {
                    let mut both = pair.elements().into_iter();
                    both.next()?.text().zip(both.next()?.text())
                })
                .collect(),
        })
    }
}

impl Read for CodePage {
    fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            view: CodeView::read(&json.member("view"))?,
            refusal: Refusal::read(&json.member("refusal")),
            resent: json.member("resent").is_true(),
            trust: json.member("trust").is_true(),
            backup: json.member("backup").is_true(),
        })
    }
}

impl Read for CodeView {
    fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            method: match json.member("method").text()?.as_str() {
                "email" => Method::Email,
                "app" => Method::App,
                _ => return None,
            },
            other_method: json.member("other_method").is_true(),
            step_up: json.member("step_up").is_true(),
            mailed_to: json.member("mailed_to").text()?,
            mail: match json.member("mail").text()?.as_str() {
                "queued" => CodeMail::Queued,
                "sent" => CodeMail::Sent,
                "failing" => CodeMail::Failing,
                "given_up" => CodeMail::GivenUp,
                "limited" => CodeMail::Limited,
                _ => return None,
            },
            resend_in: whole(json, "resend_in")?,
            resends_left: json.member("resends_left").is_true(),
            trust_days: whole(json, "trust_days").and_then(|days| days.try_into().ok()),
        })
    }
}

impl Read for Onward {
    fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            to: json.member("to").text()?,
        })
    }
}

impl Read for CodeHint {
    fn read(json: &impl Json) -> Option<Self> {
        match json.text() {
            Some(word) => (word == "used").then_some(Self::Used),
            None => whole(json, "clock_ahead")
                .map(Self::ClockAhead)
                .or_else(|| whole(json, "clock_behind").map(Self::ClockBehind)),
        }
    }
}

impl Read for Refusal {
    fn read(json: &impl Json) -> Option<Self> {
        let retry_after = || whole(json, "retry_after");
        Some(match json.member("code").text()?.as_str() {
            "invalid" => {
                let fields = json.member("fields").elements();
                Self::Invalid {
                    fields: fields.iter().map(FieldProblem::read).collect::<Option<_>>()?,
                }
            }
            "wrong_credentials" => Self::WrongCredentials,
            "too_many_tries" => Self::TooManyTries {
                retry_after: retry_after()?,
            },
            "busy" => Self::Busy {
                retry_after: retry_after()?,
            },
            "unavailable" => Self::Unavailable {
                retry_after: retry_after()?,
            },
            "account_locked" => Self::AccountLocked,
            "account_inactive" => Self::AccountInactive,
            "company_disabled" => Self::CompanyDisabled,
            "wrong_code" => Self::WrongCode {
                left: whole(json, "left").and_then(|left| left.try_into().ok()),
                hint: CodeHint::read(&json.member("hint")),
            },
            "code_replaced" => Self::CodeReplaced,
            "code_expired" => Self::CodeExpired,
            "code_elsewhere" => Self::CodeElsewhere,
            "sign_in_expired" => Self::SignInExpired,
            "resend_too_soon" => Self::ResendTooSoon {
                retry_after: retry_after()?,
            },
            "resend_limit" => Self::ResendLimit,
            "code_mail_limit" => Self::CodeMailLimit {
                retry_after: retry_after()?,
            },
            "not_signed_in" => Self::NotSignedIn,
            "forbidden" => Self::Forbidden,
            "cross_site" => Self::CrossSite,
            "malformed" => Self::Malformed,
            "too_large" => Self::TooLarge,
            "not_found" => Self::NotFound,
            "internal" => Self::Internal {
                reference: json.member("reference").text()?,
            },
            _ => return None,
        })
    }
}

impl Read for FieldProblem {
    fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            field: match json.member("field").text()?.as_str() {
                "company" => Field::Company,
                "account" => Field::Account,
                "password" => Field::Password,
                "code" => Field::Code,
                _ => return None,
            },
            problem: match json.member("problem").text()?.as_str() {
                "missing" => Problem::Missing,
                "too_long" => Problem::TooLong,
                "bad_characters" => Problem::BadCharacters,
                "not_a_code" => Problem::NotACode,
                _ => return None,
            },
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts saturate"
)]
fn whole(json: &impl Json, name: &str) -> Option<u32> {
    json.member(name).number().map(|number| number as u32)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;
    use serde_json::Value;

    use super::*;

    impl Json for Value {
        fn member(&self, name: &str) -> Self {
            self.get(name).cloned().unwrap_or_default()
        }

        fn text(&self) -> Option<String> {
            self.as_str().map(str::to_owned)
        }

        fn number(&self) -> Option<f64> {
            self.as_f64()
        }

        fn is_true(&self) -> bool {
            *self == Self::Bool(true)
        }

        fn elements(&self) -> Vec<Self> {
            self.as_array().cloned().unwrap_or_default()
        }
    }

    fn comes_back<T: Serialize + Read + Debug + PartialEq>(fact: &T) {
        let json = serde_json::to_value(fact).unwrap();
        assert_eq!(T::read(&json).as_ref(), Some(fact), "{json}");
    }

    /// The refusal after this one; a new one does not compile until it stands here.
    fn next(refusal: &Refusal) -> Option<Refusal> {
        let retry_after = 42;
        Some(match refusal {
            Refusal::Invalid { .. } => Refusal::WrongCredentials,
            Refusal::WrongCredentials => Refusal::TooManyTries { retry_after },
            Refusal::TooManyTries { .. } => Refusal::Busy { retry_after },
            Refusal::Busy { .. } => Refusal::Unavailable { retry_after },
            Refusal::Unavailable { .. } => Refusal::AccountLocked,
            Refusal::AccountLocked => Refusal::AccountInactive,
            Refusal::AccountInactive => Refusal::CompanyDisabled,
            Refusal::CompanyDisabled => wrong_code(None, None),
            Refusal::WrongCode { left: None, .. } => wrong_code(Some(2), Some(CodeHint::Used)),
            Refusal::WrongCode {
                hint: Some(CodeHint::Used),
                ..
            } => wrong_code(Some(1), Some(CodeHint::ClockAhead(60))),
            Refusal::WrongCode {
                hint: Some(CodeHint::ClockAhead(_)),
                ..
            } => wrong_code(Some(1), Some(CodeHint::ClockBehind(600))),
            Refusal::WrongCode { .. } => Refusal::CodeReplaced,
            Refusal::CodeReplaced => Refusal::CodeExpired,
            Refusal::CodeExpired => Refusal::CodeElsewhere,
            Refusal::CodeElsewhere => Refusal::SignInExpired,
            Refusal::SignInExpired => Refusal::ResendTooSoon { retry_after },
            Refusal::ResendTooSoon { .. } => Refusal::ResendLimit,
            Refusal::ResendLimit => Refusal::CodeMailLimit { retry_after },
            Refusal::CodeMailLimit { .. } => Refusal::NotSignedIn,
            Refusal::NotSignedIn => Refusal::Forbidden,
            Refusal::Forbidden => Refusal::CrossSite,
            Refusal::CrossSite => Refusal::Malformed,
            Refusal::Malformed => Refusal::TooLarge,
            Refusal::TooLarge => Refusal::NotFound,
            Refusal::NotFound => Refusal::Internal {
                reference: "AB12CD34".to_owned(),
            },
            Refusal::Internal { .. } => return None,
            #[cfg(feature = "ssr")]
            Refusal::Form(_) => return None,
        })
    }

    fn wrong_code(left: Option<u8>, hint: Option<CodeHint>) -> Refusal {
        Refusal::WrongCode { left, hint }
    }

    #[test]
    fn every_refusal_comes_back() {
        let mut fields = Vec::new();
        for field in [Field::Company, Field::Account, Field::Password, Field::Code] {
            for problem in [
                Problem::Missing,
                Problem::TooLong,
                Problem::BadCharacters,
                Problem::NotACode,
            ] {
                fields.push(FieldProblem { field, problem });
            }
        }
        let mut refusal = Some(Refusal::Invalid { fields });
        while let Some(this) = refusal {
            comes_back(&this);
            refusal = next(&this);
        }
    }

    #[test]
    fn every_page_comes_back() {
        let shell = Shell {
            language: "ar".to_owned(),
            path: "/login".to_owned(),
            links: Links {
                terms: "/terms".to_owned(),
                privacy: "https://acme.test/privacy".to_owned(),
                mailbox: Some("/mailbox".to_owned()),
            },
            logo: "/assets/logo.svg".to_owned(),
        };
        let login = LoginPage {
            company: "Müller & Söhne \"<>".to_owned(),
            account: "alice".to_owned(),
            next: Some("/agent".to_owned()),
            refusal: Some(Refusal::WrongCredentials),
            signed_out: true,
            password_changed: true,
            forgot: "/forgot-password?company=M".to_owned(),
            providers: vec![("Google".to_owned(), "/auth/google/start".to_owned())],
        };
        comes_back(&(shell.clone(), login));
        comes_back(&(shell.clone(), LoginPage::default()));
        for mail in [
            CodeMail::Queued,
            CodeMail::Sent,
            CodeMail::Failing,
            CodeMail::GivenUp,
            CodeMail::Limited,
        ] {
            let view = CodeView {
                method: Method::Email,
                other_method: true,
                step_up: true,
                mailed_to: "a***@d***.test".to_owned(),
                mail,
                resend_in: 60,
                resends_left: true,
                trust_days: Some(90),
            };
            comes_back(&view);
            comes_back(&(
                shell.clone(),
                CodePage {
                    view: view.clone(),
                    refusal: None,
                    resent: true,
                    trust: true,
                    backup: true,
                },
            ));
            comes_back(&CodeView {
                method: Method::App,
                other_method: false,
                step_up: false,
                trust_days: None,
                resends_left: false,
                ..view
            });
        }
        comes_back(&Onward {
            to: "/agent".to_owned(),
        });
    }

    #[test]
    fn nonsense_is_nothing() {
        for json in [
            "null",
            "[]",
            "{}",
            "{\"code\":\"what\"}",
            "{\"code\":7}",
            "\"wrong_code\"",
            "{\"code\":\"busy\"}",
        ] {
            let json: Value = serde_json::from_str(json).unwrap();
            assert_eq!(Refusal::read(&json), None, "{json}");
            assert_eq!(Onward::read(&json), None, "{json}");
            assert_eq!(CodeView::read(&json), None, "{json}");
            assert_eq!(CodeHint::read(&json), None, "{json}");
        }
    }
}
