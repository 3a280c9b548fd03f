//! Another e-mail address for the own account: it counts once it is confirmed (product.md sections 3 and 5).

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::Actor,
    limits::CONFIRM_MAILS_OF_ACCOUNT,
    mail::Mail,
    name::EmailAddress,
    refusal::Refusal,
    signed_in::{FormField, FormProblem, FormRefusal},
};
use vestibule_storage::{Writer, again};

use crate::{
    Failure, Service, Visitor,
    audit::By,
    letters::Receiver,
    new_agents::check_email,
    sessions::{Need, SignedIn},
};

fn own<'a>(account: &Account, visitor: &'a Visitor) -> By<'a> {
    By {
        actor: Actor::Account(account.id),
        visitor,
    }
}

impl Service {
    /// Begins a change of the own e-mail address: the new one gets a link that confirms it, the old one a link that stops
    /// it. Until it is confirmed nothing changes.
    ///
    /// # Errors
    /// [`FormRefusal::StepUpNeeded`] when identity was not proved moments ago; [`FormRefusal::Invalid`];
    /// [`FormRefusal::MailLimit`]; what the gate says.
    pub async fn change_own_email(&self, typed: &str, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.begin_own_email_change(typed, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn begin_own_email_change(&self, typed: &str, visitor: &Visitor) -> Result<(), Failure> {
        self.look(Need::ProvedHome, visitor).await?;
        let mut fields = Vec::new();
        let Some(email) = check_email(typed, &mut fields) else {
            return Err(FormRefusal::Invalid { fields }.into());
        };
        let mut writer = self.inner.store.write().await?;
        let SignedIn { company, account, .. } = self.enter(&mut writer, Need::ProvedHome, visitor).await?;
        let problem = if EmailAddress::lookup_key(&account.email) == email.key() {
            Some(FormProblem::Unchanged)
        } else if writer
            .email_is_taken(company.id, &email, Some(account.id))
            .await?
        {
            Some(FormProblem::Taken)
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(FormRefusal::field(FormField::Email, problem).into());
        }
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        self.mail_own_email_change(writer, receiver, &email, visitor)
            .await
    }

    /// Mails the links of a change, unless too many were mailed of late: nobody's mailbox is flooded from here.
    async fn mail_own_email_change(
        &self,
        mut writer: Writer,
        receiver: Receiver<'_>,
        email: &EmailAddress,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let account = receiver.account;
        let since = self.now() - TimeDelta::hours(1);
        let mailed = writer
            .mails_since(account.company, account.id, Mail::CONFIRM_EMAIL, since)
            .await?;
        if mailed >= CONFIRM_MAILS_OF_ACCOUNT {
            return Err(FormRefusal::MailLimit.into());
        }
        self.begin_email_change(&mut writer, receiver, email, &own(account, visitor))
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    /// Sends the mails of the own change once more, with new links.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`FormRefusal::NoEmailChange`]; [`FormRefusal::MailLimit`].
    pub async fn resend_own_email_change(&self, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.send_own_email_change_again(visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn send_own_email_change_again(&self, visitor: &Visitor) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        let SignedIn { company, account, .. } = self.enter(&mut writer, Need::Home, visitor).await?;
        let waiting = account.pending_email.as_ref().ok_or(FormRefusal::NoEmailChange)?;
        let email = EmailAddress::parse(&waiting.address).map_err(|_| FormRefusal::NoEmailChange)?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        self.mail_own_email_change(writer, receiver, &email, visitor)
            .await
    }

    /// Gives the own change up; its links are over.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`FormRefusal::NoEmailChange`].
    pub async fn cancel_own_email_change(&self, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.give_own_email_change_up(visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn give_own_email_change_up(&self, visitor: &Visitor) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        let SignedIn { company, account, .. } = self.enter(&mut writer, Need::Home, visitor).await?;
        if account.pending_email.is_none() {
            return Err(FormRefusal::NoEmailChange.into());
        }
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        self.end_email_change(&mut writer, receiver, &own(&account, visitor))
            .await?;
        Ok(writer.commit().await?)
    }
}
