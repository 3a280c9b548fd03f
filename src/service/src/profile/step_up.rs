//! Step-up: proving once more who it is, before credentials are changed (N21).

use vestibule_core::{
    gate,
    id::SessionId,
    refusal::{Field, Refusal},
    second_factor::first_method,
    secret::{Password, Token},
    session::Proof,
    sign_in::Purpose,
};
use vestibule_storage::{Writer, again};

use super::Confirmed;
use crate::{
    Failure, Profile, Service, Visitor,
    letters::Receiver,
    sessions::{Need, SignedIn},
    sign_in::{Opening, password::Wanted},
};

impl Profile {
    /// Checks the password once more. Without a second factor that is all, and the session goes on under a new token;
    /// with one, a code is asked on the code page, which then leads to `next`.
    ///
    /// # Errors
    /// `Invalid` for a wrong password, which counts like any other; what the gate says; [`Refusal::NotSignedIn`].
    pub async fn confirm_identity(
        &self,
        password: &Password,
        next: &str,
        visitor: &Visitor,
    ) -> Result<Confirmed, Refusal> {
        visitor
            .attempt(async {
                let signed_in = self.require(Need::SetUp, visitor).await?;
                gate::admit(&signed_in.company, &signed_in.account)?;
                self.check_own_password(&signed_in, Field::Password, password, visitor)
                    .await?;
                again(|| self.confirm_password(next, visitor)).await
            })
            .await
    }
}

impl Service {
    /// What follows from a right password, behind the account's lock.
    async fn confirm_password(&self, next: &str, visitor: &Visitor) -> Result<Confirmed, Failure> {
        let (
            mut work,
            SignedIn {
                session,
                company,
                account,
                ..
            },
        ) = self.enter(Need::SetUp, visitor).await?;
        gate::admit(&company, &account)?;
        let receiver = Receiver::new(&company, &account);
        let confirmed = self
            .confirm_in(&mut work, receiver, (session, Proof::Password), next, visitor)
            .await?;
        work.commit().await?;
        Ok(confirmed)
    }

    /// What follows the first proof of a step-up: a code, when the account has a second factor, or the session goes on
    /// under a new token.
    pub(crate) async fn confirm_in(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        (session, proof): (SessionId, Proof),
        next: &str,
        visitor: &Visitor,
    ) -> Result<Confirmed, Failure> {
        let Receiver { company, account } = receiver;
        self.drop_old_pending(writer, visitor).await?;
        if let Some(method) = first_method(account) {
            let wanted = Wanted {
                purpose: Purpose::StepUp(session),
                method,
                next: Some(next.to_owned()),
            };
            let pending = self
                .open_pending(writer, company, account, wanted, visitor)
                .await?;
            return Ok(Confirmed::CodeAsked(pending));
        }
        let token = Token::new(self.random());
        let opening = Opening {
            id: session,
            token: &token,
            proof,
            next: None,
        };
        self.prove(writer, receiver, &opening, visitor).await?;
        Ok(Confirmed::Proved(token))
    }
}
