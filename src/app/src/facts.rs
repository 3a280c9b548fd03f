//! How facts get from the server to an island: as JSON in an attribute of the page, and as answers to its calls.
//!
//! The browser parses the JSON itself and the few types are read by hand. Deriving the reading would be shorter here,
//! and a fifth of the WebAssembly (20 kB of 90, compressed). The tests write every type with serde and read it back.

use vestibule_core::{
    fields,
    refusal::{CodeHint, Field, FieldProblem, Problem, Refusal},
    refusals,
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
#[cfg(not(target_arch = "wasm32"))]
pub fn of_page<T: Facts>() -> Option<T> {
    leptos::prelude::use_context()
}

/// The facts of this page, with which the texts of its language come.
#[cfg(target_arch = "wasm32")]
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
            method: Method::from_word(&json.member("method").text()?)?,
            other_method: json.member("other_method").is_true(),
            step_up: json.member("step_up").is_true(),
            mailed_to: json.member("mailed_to").text()?,
            mail: CodeMail::from_word(&json.member("mail").text()?)?,
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

impl Read for u8 {
    fn read(json: &impl Json) -> Option<Self> {
        u32::read(json)?.try_into().ok()
    }
}

impl Read for u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts saturate"
    )]
    fn read(json: &impl Json) -> Option<Self> {
        json.number().map(|number| number as Self)
    }
}

impl Read for String {
    fn read(json: &impl Json) -> Option<Self> {
        json.text()
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &impl Json) -> Option<Self> {
        Some(T::read(json))
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &impl Json) -> Option<Self> {
        json.elements().iter().map(T::read).collect()
    }
}

macro_rules! define_refusal_reader {
    (
        browser { $(
            $(#[$doc:meta])*
            $refusal:ident $({ $($(#[$part_doc:meta])* $part:ident: $type:ty,)* })?
            $word:literal $status:literal $title:tt $sentence:tt;
        )* }
        server { $($server:tt)* }
    ) => {
        impl Read for Refusal {
            fn read(json: &impl Json) -> Option<Self> {
                Some(match json.member("code").text()?.as_str() {
                    $($word => Self::$refusal $({ $($part: Read::read(&json.member(stringify!($part)))?,)* })?,)*
                    _ => return None,
                })
            }
        }
    };
}

refusals!(define_refusal_reader);

macro_rules! define_field_reader {
    (
        browser { $($(#[$doc:meta])* $field:ident $name:literal $missing:ident;)* }
        server { $($server:tt)* }
    ) => {
        impl Read for Field {
            fn read(json: &impl Json) -> Option<Self> {
                Some(match json.text()?.as_str() {
                    $($name => Self::$field,)*
                    _ => return None,
                })
            }
        }
    };
}

fields!(define_field_reader);

impl Read for FieldProblem {
    fn read(json: &impl Json) -> Option<Self> {
        Some(Self {
            field: Read::read(&json.member("field"))?,
            problem: match json.member("problem").text()?.as_str() {
                "missing" => Problem::Missing,
                "too_long" => Problem::TooLong {
                    most: whole(json, "most")?.try_into().ok()?,
                },
                "bad_characters" => Problem::BadCharacters,
                "not_a_code" => Problem::NotACode,
                _ => return None,
            },
        })
    }
}

fn whole(json: &impl Json, name: &str) -> Option<u32> {
    Read::read(&json.member(name))
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

    macro_rules! define_refusals_of_the_browser {
        (
            browser { $(
                $(#[$doc:meta])*
                $refusal:ident $({ $($(#[$part_doc:meta])* $part:ident: $type:ty,)* })?
                $word:literal $status:literal $title:tt $sentence:tt;
            )* }
            server { $($server:tt)* }
        ) => {
            fn refusals_of_the_browser() -> Vec<Refusal> {
                vec![$(Refusal::$refusal $({ $($part: Default::default(),)* })?,)*]
            }
        };
    }

    refusals!(define_refusals_of_the_browser);

    #[test]
    fn every_refusal_comes_back() {
        for refusal in refusals_of_the_browser() {
            comes_back(&refusal);
        }
        let mut fields = Vec::new();
        for field in [Field::Company, Field::Account, Field::Password, Field::Code] {
            for problem in [
                Problem::Missing,
                Problem::TooLong { most: 64 },
                Problem::BadCharacters,
                Problem::NotACode,
            ] {
                fields.push(FieldProblem { field, problem });
            }
        }
        comes_back(&Refusal::Invalid { fields });
        comes_back(&Refusal::Busy { retry_after: 42 });
        comes_back(&Refusal::Internal {
            reference: "AB12CD34".to_owned(),
        });
        for hint in [
            CodeHint::Used,
            CodeHint::ClockAhead(60),
            CodeHint::ClockBehind(600),
        ] {
            comes_back(&Refusal::WrongCode {
                left: Some(2),
                hint: Some(hint),
            });
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
        for mail in CodeMail::ALL {
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
