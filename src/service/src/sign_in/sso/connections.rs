//! What somebody who is signed in does with providers: connecting, disconnecting, and the step-up of an account without
//! a password.

use vestibule_core::{
    audit::{AuditEntry, Event},
    gate,
    id::SessionId,
    mail::Mail,
    paths::SECURITY,
    refusal::Refusal,
    session::Proof,
    sso::{Identity, Provider},
};
use vestibule_storage::SsoFlowRow;

use super::{Arrival, AuthorizationRequest, SetOut, Way, is_among, over};
use crate::{
    Failure, Service, Sso, Visitor,
    letters::Receiver,
    sessions::{Need, SignedIn},
    work::Work,
};

impl Sso {
    /// Sends a browser to a provider to connect an identity with the account that is signed in.
    ///
    /// # Errors
    /// [`Refusal::StepUpNeeded`]; as [`crate::Sso::begin_sso`].
    pub async fn begin_connect(
        &self,
        provider: Provider,
        visitor: &Visitor,
    ) -> Result<AuthorizationRequest, Refusal> {
        let begun = async {
            let own = self.require(Need::ProvedHome, visitor).await?;
            let way = Way {
                from: SetOut {
                    company: own.company.name.clone(),
                    ..SetOut::default()
                },
                session: Some(own.session),
                step_up: false,
            };
            self.request_from(provider, &own, way, visitor).await
        };
        visitor.attempt(begun).await
    }

    /// Sends a browser to a provider to prove once more who is signed in, in the place of a password: only for accounts
    /// that have none. It leads to `next`.
    ///
    /// # Errors
    /// [`Refusal::SsoNotOffered`] for an account with a password; as [`crate::Sso::begin_sso`].
    pub async fn begin_step_up(
        &self,
        provider: Provider,
        next: String,
        visitor: &Visitor,
    ) -> Result<AuthorizationRequest, Refusal> {
        let begun = async {
            let own = self.require(Need::SetUp, visitor).await?;
            if own.account.has_password {
                return Err(Refusal::SsoNotOffered.into());
            }
            let way = Way {
                from: SetOut {
                    company: own.company.name.clone(),
                    next: Some(next),
                    ..SetOut::default()
                },
                session: Some(own.session),
                step_up: true,
            };
            self.request_from(provider, &own, way, visitor).await
        };
        visitor.attempt(begun).await
    }

    /// Takes the identity of a provider from the own account.
    ///
    /// # Errors
    /// [`Refusal::StepUpNeeded`]; [`Refusal::LastWayIn`] when the account has neither a password nor another
    /// identity. Nothing to take away is fine.
    pub async fn disconnect(&self, provider: Provider, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, SignedIn { company, account, .. }) =
                    self.enter(Need::ProvedHome, visitor).await?;
                let receiver = Receiver::new(&company, &account);
                let last = Refusal::LastWayIn;
                if self.unlink_in(&mut work, receiver, provider, last).await? {
                    work.commit().await?;
                }
                Ok(())
            })
            .await
    }
}

impl Service {
    async fn request_from(
        &self,
        provider: Provider,
        own: &SignedIn,
        way: Way,
        visitor: &Visitor,
    ) -> Result<AuthorizationRequest, Failure> {
        let mut reader = self.inner.store.read().await?;
        if !self.offers(&mut reader, own.company.id, provider).await? {
            return Err(Refusal::SsoNotOffered.into());
        }
        let chosen = self
            .choose_application(&mut reader, provider, Some(own.company.id))
            .await?;
        drop(reader);
        self.request_authorization(chosen, way, visitor).await
    }

    /// Takes a provider's word in the place of the password in a step-up. The second factor is asked all the same.
    pub(super) async fn step_up_by(
        &self,
        flow: &SsoFlowRow,
        session: SessionId,
        identity: &Identity,
        visitor: &Visitor,
    ) -> Result<Arrival, Failure> {
        let (
            mut work,
            SignedIn {
                session: present,
                company,
                account,
                ..
            },
        ) = self.enter(Need::SetUp, visitor).await?;
        gate::admit(&company, &account)?;
        let linked = work.identities_of(company.id, account.id).await?;
        let is_own = is_among(&linked, identity);
        let counts = self
            .accepts(&mut work, company.id, flow, identity)
            .await?
            .is_some();
        if present != session || !work.end_sso_flow(flow.id).await? {
            return Err(over());
        }
        if !is_own || !counts || account.has_password {
            let entry = AuditEntry {
                detail: Some(flow.provider.as_str().to_owned()),
                ..work.entry(Event::StepUpRefused, company.id, Some(account.id))
            };
            self.record(&mut work, &entry).await?;
            work.commit().await?;
            let provider = flow.provider;
            return Err(Refusal::IdentityOther { provider }.into());
        }
        let receiver = Receiver::new(&company, &account);
        let next = flow.next.clone().unwrap_or_else(|| SECURITY.to_owned());
        let confirmed = self
            .confirm_in(&mut work, receiver, (session, Proof::Provider), &next, visitor)
            .await?;
        work.commit().await?;
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
        let (
            mut work,
            SignedIn {
                session: present,
                company,
                account,
                ..
            },
        ) = self.enter(Need::Home, visitor).await?;
        // Somebody else has signed in in this browser meanwhile.
        let refused = if present == session {
            self.may_link(&mut work, flow, identity, &company, &account).await
        } else {
            Err(over())
        };
        if !work.end_sso_flow(flow.id).await? {
            return Err(over());
        }
        if let Err(Failure::Refused(refusal)) = refused {
            let entry = AuditEntry {
                detail: Some(flow.provider.as_str().to_owned()),
                ..work.entry(Event::SsoRefused, company.id, Some(account.id))
            };
            self.record(&mut work, &entry).await?;
            work.commit().await?;
            return Err(refusal.into());
        }
        refused?;
        let receiver = Receiver::new(&company, &account);
        self.link(&mut work, receiver, identity, visitor).await?;
        work.commit().await?;
        Ok(())
    }

    /// Takes the identity of a provider from an account, which hears of it; says whether there was one. `last` is what is
    /// said when there is neither a password nor another provider.
    pub(crate) async fn unlink_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        provider: Provider,
        last: Refusal,
    ) -> Result<bool, Failure> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        let linked = work.identities_of(company, account).await?;
        if !linked.iter().any(|linked| linked.identity.provider == provider) {
            return Ok(false);
        }
        if !receiver.account.has_password {
            let ways = self.ways_in(work, company, account).await?;
            if ways.iter().all(|way| *way == provider) {
                return Err(last.into());
            }
        }
        work.unlink_identity(company, account, provider).await?;
        let mail = Mail::SsoDisconnected {
            about: receiver.about(&work.seen_by(receiver.account)),
            provider: provider.name().to_owned(),
        };
        self.tell(work, receiver, mail).await?;
        let entry = AuditEntry {
            detail: Some(provider.as_str().to_owned()),
            ..work.entry(Event::SsoDisconnected, company, Some(account))
        };
        self.record(work, &entry).await?;
        Ok(true)
    }
}
