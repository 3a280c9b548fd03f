//! What somebody who is signed in does with providers: connecting, disconnecting, and the step-up of an account without
//! a password.

use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    gate,
    id::SessionId,
    mail::Mail,
    refusal::Refusal,
    session::Proof,
    signed_in::FormRefusal,
    sso::{Identity, Provider},
};
use vestibule_storage::{SsoFlowRow, Writer, again};

use super::{Arrival, SetOut, Way, is_among, over};
use crate::{
    Failure, Service, Visitor,
    audit::By,
    letters::Receiver,
    sessions::{Need, SignedIn},
};

impl Service {
    /// Sends a browser to a provider to connect an identity with the account that is signed in.
    ///
    /// # Errors
    /// [`FormRefusal::StepUpNeeded`]; as [`Service::begin_sso`].
    pub async fn begin_connect(&self, provider: Provider, visitor: &Visitor) -> Result<SetOut, Refusal> {
        let begun = async {
            let own = self.look(Need::ProvedHome, visitor).await?;
            let way = Way {
                company: own.company.name.clone(),
                next: None,
                session: Some(own.session),
                step_up: false,
            };
            self.set_out_from(provider, &own, way, visitor).await
        };
        begun.await.map_err(|failure| visitor.explain(&failure))
    }

    /// Sends a browser to a provider to prove once more who is signed in, in the place of a password: only for accounts
    /// that have none. It leads to `next`.
    ///
    /// # Errors
    /// [`FormRefusal::SsoNotOffered`] for an account with a password; as [`Service::begin_sso`].
    pub async fn begin_step_up(
        &self,
        provider: Provider,
        next: String,
        visitor: &Visitor,
    ) -> Result<SetOut, Refusal> {
        let begun = async {
            let own = self.look(Need::SetUp, visitor).await?;
            if own.account.has_password {
                return Err(FormRefusal::SsoNotOffered.into());
            }
            let way = Way {
                company: own.company.name.clone(),
                next: Some(next),
                session: Some(own.session),
                step_up: true,
            };
            self.set_out_from(provider, &own, way, visitor).await
        };
        begun.await.map_err(|failure| visitor.explain(&failure))
    }

    async fn set_out_from(
        &self,
        provider: Provider,
        own: &SignedIn,
        way: Way,
        visitor: &Visitor,
    ) -> Result<SetOut, Failure> {
        let mut reader = self.inner.store.read().await?;
        if !self.offers(&mut reader, own.company.id, provider).await? {
            return Err(FormRefusal::SsoNotOffered.into());
        }
        let chosen = self
            .choose_application(&mut reader, provider, Some(own.company.id))
            .await?;
        drop(reader);
        self.set_out(chosen, way, visitor).await
    }

    /// Takes a provider's word in the place of the password in a step-up. The second factor is asked all the same.
    pub(super) async fn step_up_by(
        &self,
        flow: &SsoFlowRow,
        session: SessionId,
        identity: &Identity,
        visitor: &Visitor,
    ) -> Result<Arrival, Failure> {
        let mut writer = self.inner.store.write().await?;
        let SignedIn {
            session: present,
            company,
            account,
            ..
        } = self.enter(&mut writer, Need::SetUp, visitor).await?;
        gate::admit(&company, &account)?;
        let linked = writer.identities_of(company.id, account.id).await?;
        let is_own = is_among(&linked, identity);
        let counts = self
            .accepts(&mut writer, company.id, flow, identity)
            .await?
            .is_some();
        if present != session || !writer.end_sso_flow(flow.id).await? {
            return Err(over());
        }
        if !is_own || !counts || account.has_password {
            let entry = AuditEntry {
                actor: Actor::Account(account.id),
                detail: Some(flow.provider.as_str().to_owned()),
                ..visitor.entry(Event::StepUpRefused, Some(company.id), Some(account.id))
            };
            self.record(&mut writer, &entry).await?;
            writer.commit().await?;
            return Err(FormRefusal::IdentityOther.into());
        }
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let next = flow.next.clone().unwrap_or_default();
        let confirmed = self
            .confirm_in(&mut writer, receiver, (session, Proof::Provider), &next, visitor)
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(Arrival::Confirmed(confirmed, next))
    }

    /// Connects who came back with the account of the very session that sent the browser out.
    pub(super) async fn connect(
        &self,
        flow: &SsoFlowRow,
        session: SessionId,
        identity: &Identity,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        let SignedIn {
            session: present,
            company,
            account,
            ..
        } = self.enter(&mut writer, Need::Home, visitor).await?;
        // Somebody else has signed in in this browser meanwhile.
        let refused = if present == session {
            self.may_link(&mut writer, flow, identity, &company, &account)
                .await
        } else {
            Err(over())
        };
        if !writer.end_sso_flow(flow.id).await? {
            return Err(over());
        }
        if let Err(Failure::Refused(refusal)) = refused {
            let entry = AuditEntry {
                actor: Actor::Account(account.id),
                detail: Some(flow.provider.as_str().to_owned()),
                ..visitor.entry(Event::SsoRefused, Some(company.id), Some(account.id))
            };
            self.record(&mut writer, &entry).await?;
            writer.commit().await?;
            return Err(refusal.into());
        }
        refused?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        self.link(&mut writer, receiver, identity, visitor).await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    /// Takes the identity of a provider from the own account.
    ///
    /// # Errors
    /// [`FormRefusal::StepUpNeeded`]; [`FormRefusal::LastWayIn`] when the account has neither a password nor another
    /// identity. Nothing to take away is fine.
    pub async fn disconnect(&self, provider: Provider, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.take_identity(provider, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn take_identity(&self, provider: Provider, visitor: &Visitor) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        let SignedIn { company, account, .. } = self.enter(&mut writer, Need::ProvedHome, visitor).await?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let by = By {
            actor: Actor::Account(account.id),
            visitor,
        };
        let last = FormRefusal::LastWayIn;
        if self
            .unlink_in(&mut writer, receiver, provider, (visitor, &by), last)
            .await?
        {
            writer.commit().await?;
            self.inner.outbox_filled.notify_one();
        }
        Ok(())
    }

    /// Takes the identity of a provider from an account, which hears of it; says whether there was one. `seen` is what the
    /// account may know of whoever did it, and `last` what is said when there is neither a password nor another provider.
    pub(crate) async fn unlink_in(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        provider: Provider,
        (seen, by): (&Visitor, &By<'_>),
        last: FormRefusal,
    ) -> Result<bool, Failure> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        let linked = writer.identities_of(company, account).await?;
        if !linked.iter().any(|linked| linked.identity.provider == provider) {
            return Ok(false);
        }
        if !receiver.account.has_password {
            let ways = self.ways_in(writer, company, account).await?;
            if ways.iter().all(|way| *way == provider) {
                return Err(last.into());
            }
        }
        writer.unlink_identity(company, account, provider).await?;
        let mail = Mail::SsoDisconnected {
            about: receiver.about(seen),
            provider: provider.name().to_owned(),
        };
        self.tell(writer, receiver, mail).await?;
        let entry = AuditEntry {
            detail: Some(provider.as_str().to_owned()),
            ..by.entry(Event::SsoDisconnected, company, Some(account))
        };
        self.record(writer, &entry).await?;
        Ok(true)
    }
}
