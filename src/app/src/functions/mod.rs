//! Server functions: what islands and scripts call.
//!
//! Each is a POST at its page's own address. With WebAssembly the islands call them by fetch; without, the plain
//! form does. They answer [`Onward`](vestibule_core::sign_in_view::Onward) or [`Done`] (where to go) or [`Refused`]
//! (why not).

mod password;
mod sign_in;

use serde::{Deserialize, Serialize};
use server_fn::{codec::JsonEncoding, error::FromServerFnError, error::ServerFnErrorErr};
use vestibule_core::refusal::Refusal;

pub use password::{JudgeChosenPassword, JudgePassword, Judged, judge_chosen_password, judge_password};
pub use sign_in::{
    CodeStatus, ResendCode, SignIn, VerifyCode, code_status, resend_code, sign_in, verify_code,
};

/// A [`Refusal`] on its way through a server function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Refused(pub Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl FromServerFnError for Refused {
    type Encoder = JsonEncoding;

    /// What the library says is dropped: it may quote what was sent.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self(match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Refusal::Malformed,
            _ => Refusal::Internal {
                reference: String::new(),
            },
        })
    }
}

/// A set-up or a renewal that is done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Where to go: a local path.
    pub to: String,
    /// The backup codes that were made by it. This is the only time that they are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_codes: Option<Vec<String>>,
    /// The secret of an application that was made by it, shown only now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Names of the applications that could not be told of a sign-out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_told: Vec<String>,
}

impl Done {
    /// Done, and nothing to be shown.
    pub fn to(local_path: impl Into<String>) -> Self {
        Self {
            to: local_path.into(),
            backup_codes: None,
            secret: None,
            not_told: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Done")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}
