//! A form is one type. Its fields are the names that its address takes; beside them stand the address, the right that it
//! needs, what it does, and how its page looks again with a reason or in another language. [`Routes`] is the list of them.

mod fields;
mod filled;
mod function;
mod kept;
mod language;
mod names;
mod receive;
mod routes;
mod wait;

use axum::response::Response;
use serde::de::DeserializeOwned;
use vestibule_app::{call::Call, functions::Done};
use vestibule_core::{refusal::Refusal, rights::Action};

pub use self::{
    fields::FormFields,
    filled::Filled,
    function::{FunctionPage, NoPage},
    kept::{Restorable, is_kept, restore},
    language::REFUSED_TEXT,
    receive::{call_of, confirm_for, internal, leading_to, redirect_or_refuse, refused_or, run},
    routes::{Access, Finished, Routes},
    wait::{Answer, Had, give_up, value_of},
};
use crate::{
    http::{answer::see_other, facts::Facts},
    state::AppState,
};

/// A form that people fill in, or a button that is a form of its own.
///
/// The fields of the type are the fields of the form, with the names that serde gives them: what the form does not always
/// send is an `Option`, or has a default where that means the same; boxes of one name are a `Vec` whose name ends in `[]`.
/// Whatever else is sent, is refused.
pub trait Form: DeserializeOwned + Clone + Send + Sync + 'static {
    /// Where it is posted to.
    const PATH: &'static str;

    /// What it does: whoever may do this to nobody does not get as far as [`Form::act`].
    const ACTION: Action;

    /// Where [`Form::PATH`] leads when it is opened, unless a page stands there: a refused form leaves its address in the
    /// browser.
    const OPENED: Option<&'static str> = None;

    /// Whether the language switch of its page sends along what was typed.
    const SWITCHED: bool = false;

    /// Whether what was typed into it is kept while somebody has to sign in again, or to prove identity first: then it
    /// stands on its page once more.
    const KEPT: bool = Self::SWITCHED;

    /// Whether it compares the password of somebody who has proved nothing yet, and so may have to stand in line.
    const MAY_WAIT: bool = false;

    /// Does it; says where to go.
    fn act(self, call: &Call) -> impl Future<Output = Result<Done, Refusal>> + Send;

    /// The local address of its page.
    fn page(&self) -> String {
        Self::OPENED.unwrap_or(Self::PATH).to_owned()
    }

    /// What can be seen to be wrong with it without asking anybody: a page that has said so says it again in another
    /// language.
    fn problems(&self) -> Option<Refusal> {
        None
    }

    /// Its page once more with everything typed but passwords and codes: with why it was refused, or in another language.
    fn redisplay(
        &self,
        state: &AppState,
        facts: &Facts,
        refusal: Option<&Refusal>,
    ) -> impl Future<Output = Response> + Send;

    /// What a browser gets after it was done: the way on, unless there is something that is shown only now.
    fn done(&self, _state: &AppState, _facts: &Facts, done: Done) -> impl Future<Output = Response> + Send {
        std::future::ready(see_other(&done.to))
    }
}
