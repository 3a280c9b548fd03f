//! Another e-mail address for the own account: it counts once it is confirmed (product.md sections 3 and 5).

use crate::{
    Failure, Profile, Service, Visitor,
    letters::Receiver,
    new_agents::check_email,
    sessions::{Need, SignedIn},
    work::Work,
};
use chrono::TimeDelta;
use vestibule_core::{
    limits::CONFIRM_MAILS_OF_ACCOUNT,
    mail::Mail,
    name::EmailAddress,
    refusal::{Field, Problem, Refusal},
};

impl Profile {
    /// Begins a change of the own e-mail address: the new one gets a link that confirms it, the old one a link that stops
    /// it. Until it is confirmed nothing changes.
    ///
    /// # Errors
    /// [`Refusal::StepUpNeeded`] when identity was not proved moments ago; [`Refusal::Invalid`];
    /// [`Refusal::MailLimit`]; what the gate says.
    pub async fn change_own_email(&self, typed: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                self.require(Need::ProvedHome, visitor).await?;
                let mut fields = Vec::new();
                let Some(email) = check_email(typed, &mut fields) else {
                    return Err(Refusal::Invalid { fields }.into());
                };
                let (mut work, SignedIn { company, account, .. }) =
                    self.enter(Need::ProvedHome, visitor).await?;
                let problem = if EmailAddress::lookup_key(&account.email) == email.key() {
                    Some(Problem::Unchanged)
                } else if work.email_is_taken(company.id, &email, Some(account.id)).await? {
                    Some(Problem::Taken)
                } else {
                    None
                };
                if let Some(problem) = problem {
                    return Err(Refusal::field(Field::Email, problem).into());
                }
                let receiver = Receiver::new(&company, &account);
                self.mail_own_email_change(work, receiver, &email).await
            })
            .await
    }

    /// Sends the mails of the own change once more, with new links.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`Refusal::NoEmailChange`]; [`Refusal::MailLimit`].
    pub async fn resend_own_email_change(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (work, SignedIn { company, account, .. }) = self.enter(Need::Home, visitor).await?;
                let waiting = account.pending_email.as_ref().ok_or(Refusal::NoEmailChange)?;
                let email = EmailAddress::parse(&waiting.address).map_err(|_| Refusal::NoEmailChange)?;
                let receiver = Receiver::new(&company, &account);
                self.mail_own_email_change(work, receiver, &email).await
            })
            .await
    }

    /// Gives the own change up; its links are over.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`Refusal::NoEmailChange`].
    pub async fn cancel_own_email_change(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, SignedIn { company, account, .. }) = self.enter(Need::Home, visitor).await?;
                if account.pending_email.is_none() {
                    return Err(Refusal::NoEmailChange.into());
                }
                let receiver = Receiver::new(&company, &account);
                self.end_email_change(&mut work, receiver).await?;
                Ok(work.commit().await?)
            })
            .await
    }
}

impl Service {
    /// Mails the links of a change, unless too many were mailed of late: nobody's mailbox is flooded from here.
    async fn mail_own_email_change(
        &self,
        mut work: Work<'_>,
        receiver: Receiver<'_>,
        email: &EmailAddress,
    ) -> Result<(), Failure> {
        let account = receiver.account;
        let since = self.now() - TimeDelta::hours(1);
        let mailed = work
            .mails_since(account.company, account.id, Mail::CONFIRM_EMAIL, since)
            .await?;
        if mailed >= CONFIRM_MAILS_OF_ACCOUNT {
            return Err(Refusal::MailLimit.into());
        }
        self.begin_email_change(&mut work, receiver, email).await?;
        Ok(work.commit().await?)
    }
}
