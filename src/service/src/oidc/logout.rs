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
    /// Nobody was signed in, and anybody may have sent the browser here: a page says where it may go on.
    Offer {
        /// The address.
        to: String,
        /// Name of the application that it belongs to.
        application: String,
    },
    /// The agent is asked first.
    Ask,
}

/// What a request to sign out comes to.
struct Leaving {
    /// Where the browser goes afterwards.
    to: Option<String>,
    /// Name of the application that asks.
    application: String,
    /// Whether the agent need not be asked.
    at_once: bool,
    /// Whether the browser is led on by itself. A company enters the addresses of its applications itself, so nobody is led
    /// there by a link alone (RFC 9700, section 4.11.2): only whoever signs out of the session that the application shows a
    /// token of, or has agreed, and everybody by an application of the installation.
    led: bool,
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
        let leaving = visitor.attempt(self.read_logout(sent, visitor)).await?;
        if !leaving.at_once && !agreed {
            return Ok(LoggingOut::Ask);
        }
        self.sign_in().sign_out(visitor).await?;
        Ok(match leaving.to {
            Some(to) if !leaving.led && !agreed => LoggingOut::Offer {
                to,
                application: leaving.application,
            },
            to => LoggingOut::Done(to),
        })
    }

    async fn read_logout(&self, sent: &str, visitor: &Visitor) -> Result<Leaving, Failure> {
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
        let signed_in = self.find_session(visitor).await?;
        let of_session = signed_in.as_ref().is_some_and(|signed_in| {
            let (session, subject) = (signed_in.session, signed_in.account.public_id);
            SigningOut::of(hinted, session, subject) == SigningOut::AtOnce
        });
        let of_installation = application.as_ref().is_some_and(|own| own.company.is_none());
        Ok(Leaving {
            to,
            application: application.map(|own| own.settings.name).unwrap_or_default(),
            at_once: signed_in.is_none() || of_session,
            led: of_session || of_installation,
        })
    }
}
