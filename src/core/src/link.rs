//! Links in mails: 256 random bits that are good once, for one purpose, for a while (N22; product.md section 5).

use chrono::TimeDelta;

use crate::{
    limits::{EMAIL_LINK_HOURS, NEW_AGENT_HOURS, RESET_LINK_MINUTES},
    paths,
    ports::Moment,
    secret::Token,
    words,
};

words! {
    /// What a link is good for. Of each there is one per account: the newest.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum LinkPurpose {
        /// Choosing the first password.
        Activate = "activate",
        /// Choosing a new password.
        ResetPassword = "reset_password",
        /// Confirming a new e-mail address.
        ConfirmEmail = "confirm_email",
        /// Stopping a change of the e-mail address.
        StopEmailChange = "stop_email_change",
    }
}

impl LinkPurpose {
    /// When a link that is made now ends.
    pub fn ends_at(self, now: Moment) -> Moment {
        now + match self {
            Self::Activate => TimeDelta::hours(NEW_AGENT_HOURS),
            Self::ResetPassword => TimeDelta::minutes(RESET_LINK_MINUTES),
            Self::ConfirmEmail | Self::StopEmailChange => TimeDelta::hours(EMAIL_LINK_HOURS),
        }
    }

    /// The local address of a link: the only place where the token is ever written out.
    pub fn address(self, token: &Token) -> String {
        let start = match self {
            Self::Activate => paths::ACTIVATE_LINK,
            Self::ResetPassword => paths::RESET_LINK,
            Self::ConfirmEmail => paths::CONFIRM_EMAIL_LINK,
            Self::StopEmailChange => paths::STOP_EMAIL_LINK,
        };
        [start, &token.reveal()].concat()
    }

    /// Whether a password is chosen with it.
    pub const fn chooses_password(self) -> bool {
        matches!(self, Self::Activate | Self::ResetPassword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_live_as_long_as_product_says_and_are_read_as_written() {
        let now = Moment::UNIX_EPOCH;
        let minutes = |purpose: LinkPurpose| (purpose.ends_at(now) - now).num_minutes();
        assert_eq!(minutes(LinkPurpose::Activate), 72 * 60);
        assert_eq!(minutes(LinkPurpose::ResetPassword), 30);
        for purpose in LinkPurpose::ALL {
            assert_eq!(LinkPurpose::from_word(purpose.as_str()), Some(purpose));
            assert!(paths::is_local(&purpose.address(&Token::from_bytes([7; 32]))));
        }
    }
}
