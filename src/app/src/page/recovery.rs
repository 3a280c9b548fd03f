//! The page for people who forgot their password (product.md section 3).

use vestibule_core::refusal::Refusal;

/// `/forgot-password`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForgotPasswordPage {
    /// Company to start with.
    pub company: String,
    /// What was typed before a plain form came back.
    pub email: String,
    /// Whether a link was just asked for.
    pub sent: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}
