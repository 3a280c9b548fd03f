//! A sign-out that an application asks for.

use vestibule_core::{
    oidc::{
        logout::{BadLogout, LogoutRequest, SigningOut},
        parameters::Parameters,
    },
    refusal::Refusal,
};

use crate::{Failure, Issuer, Visitor};

/// What becomes of a sign-out that an application asks for. An address may have the application's state in it, so there is no
/// `Debug`.
#[derive(PartialEq, Eq)]
pub enum LoggingOut {
    /// Nobody is signed in any more; with where the browser goes, if the application has said so.
    Done(Option<String>),
    /// The agent is asked first.
    Ask,
}

impl From<BadLogout> for Failure {
    fn from(_: BadLogout) -> Self {
        Self::Refused(Refusal::UnknownRedirect)
    }
}

impl Issuer {
    /// Signs out in this browser because an application asks for it, in the query or form of the end-session endpoint: at
    /// once when the application shows a token of this session, else only when the agent has `agreed`.
    ///
    /// # Errors
    /// [`Refusal::UnknownRedirect`] for a request that is not an application's, or leads where none of its addresses does:
    /// nothing has ended then.
    pub async fn log_out(&self, sent: &str, agreed: bool, visitor: &Visitor) -> Result<LoggingOut, Refusal> {
        let (to, at_once) = visitor.attempt(self.read_logout(sent, visitor)).await?;
        if !at_once && !agreed {
            return Ok(LoggingOut::Ask);
        }
        self.sign_in().sign_out(visitor).await?;
        Ok(LoggingOut::Done(to))
    }

    /// Where the browser goes afterwards, and whether the agent need not be asked.
    async fn read_logout(&self, sent: &str, visitor: &Visitor) -> Result<(Option<String>, bool), Failure> {
        let request = LogoutRequest::read(&Parameters::parse(sent))?;
        let hinted = match &request.id_token_hint {
            Some(token) => self.hinted(token).await?,
            None => None,
        };
        let application = match request.asked_by(hinted)? {
            Some(id) => self.inner.store.read().await?.application(id).await?,
            None => None,
        };
        let to = request.redirect(application.as_ref())?;
        let at_once = match self.find_session(visitor).await? {
            None => true,
            Some(signed_in) => {
                let (session, subject) = (signed_in.session, signed_in.account.public_id);
                SigningOut::of(hinted, session, subject) == SigningOut::AtOnce
            }
        };
        Ok((to, at_once))
    }
}
