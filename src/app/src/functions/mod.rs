//! Server functions: thin adapters between a form and the service.
//!
//! Each is a POST at its page's own address. With WebAssembly the islands call them by fetch; without, the plain
//! form does. They answer [`Onward`](vestibule_core::sign_in_view::Onward) or [`Done`] (where to go) or [`Refused`]
//! (why not).

mod agents;
mod company;
mod links;
mod mail_server;
mod profile;
mod recovery;
mod security;
mod sign_in;
mod sso;

use serde::{Deserialize, Serialize};
use server_fn::{codec::JsonEncoding, error::FromServerFnError, error::ServerFnErrorErr};
use vestibule_core::refusal::Refusal;

pub use agents::{
    ActivateAgents, AddAgent, CancelEmailChange, DeactivateAgents, DeleteAgent, DisconnectAgent, EditAgent,
    EndAgentSessions, IssueBackupCode, RemovePassword, ResendEmailChange, ResetPassword, SendAccountDetails,
    SendResetLink, UnlockAgent, UnlockAgents, activate_agents, add_agent, cancel_email_change,
    deactivate_agents, delete_agent, disconnect_agent, edit_agent, end_agent_sessions, issue_backup_code,
    remove_password, resend_email_change, reset_password, send_account_details, send_reset_link,
    unlock_agent, unlock_agents,
};
pub use company::{SaveCompany, SavePolicies, StartImport, save_company, save_policies, start_import};
pub use links::{
    ChoosePassword, ConfirmEmail, JudgeChosenPassword, StopEmailChange, choose_password, confirm_email,
    judge_chosen_password, stop_email_change,
};
pub use mail_server::{SaveMailServer, SendTestMail, save_mail_server, send_test_mail};
pub use profile::{
    CancelOwnEmailChange, ChangeEmail, ChangePassword, ConfirmIdentity, JudgePassword, Judged,
    ResendOwnEmailChange, SaveProfile, cancel_own_email_change, change_email, change_password,
    confirm_identity, judge_password, resend_own_email_change, save_profile,
};
pub use recovery::{AskForResetLink, ask_for_reset_link};
pub use security::{
    BeginAppSetUp, BeginEmailSetUp, EndOtherSessions, EndSession, FinishAppSetUp, FinishEmailSetUp,
    ForgetAllBrowsers, ForgetBrowser, NewBackupCodes, ResendSetUpCode, TurnAppOff, TurnEmailOff,
    begin_app_set_up, begin_email_set_up, end_other_sessions, end_session, finish_app_set_up,
    finish_email_set_up, forget_all_browsers, forget_browser, new_backup_codes, resend_set_up_code,
    turn_app_off, turn_email_off,
};
pub use sign_in::{
    CancelSignIn, CodeStatus, ResendCode, SetLanguage, SignIn, SignOut, UseOtherMethod, VerifyCode,
    cancel_sign_in, code_status, resend_code, set_language, sign_in, sign_out, use_other_method, verify_code,
};
pub use sso::{
    Bind, CancelBinding, ChooseCompany, Disconnect, SaveSso, TestSso, bind, cancel_binding, choose_company,
    disconnect, save_sso, test_sso,
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
    #[serde(default)]
    pub backup_codes: Option<Vec<String>>,
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Done")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}
