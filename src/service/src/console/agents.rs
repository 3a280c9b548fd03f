//! The list of agents, one agent, adding, editing, switching, deleting.

use vestibule_core::{
    account::{Account, Role},
    agents::{AgentFilter, gives_rights},
    audit::{Actor, AuditEntry, Event},
    id::AccountId,
    limits::{EMAIL_LINK_HOURS, PAGE_SIZE, SELECTED_MAX},
    link::LinkPurpose,
    mail::Mail,
    name::{EmailAddress, key},
    refusal::Refusal,
    rights::{Action, Scope},
    session::is_alive,
    sign_in::trust_holds,
    signed_in::{FormField, FormProblem, FormRefusal},
};
use vestibule_storage::{AgentData, EventFilter, PageFrom, StoreError, Writer, again};

use super::{AgentDetails, AgentInput, AgentList, Edited, Hold, Selected, gate::Act};
use crate::{
    Failure, Service, Visitor,
    accounts::EMAIL_LINKS,
    audit::By,
    letters::{Receiver, Sending},
    new_agents::{check_email, taken_field},
    recovery::REPLACED,
    sessions::SignedIn,
};

/// Events on the page of an agent.
const NEWEST_EVENTS: usize = 10;

/// A change of an agent's data that is about to be saved.
struct Change<'a> {
    own: &'a SignedIn,
    target: &'a Account,
    data: &'a AgentData,
}

impl Change<'_> {
    /// Nobody shuts themselves out, and no company is left without an admin.
    async fn may_be_made(&self, writer: &mut Writer) -> Result<(), Failure> {
        let stays = self.data.active && self.data.roles.contains(&Role::Admin);
        let own_loses = self.own.account.id == self.target.id && !stays;
        may_lose_admin(
            self.own,
            self.target,
            own_loses || (is_active_admin(self.target) && !stays),
            writer,
        )
        .await
    }

    /// Names of the fields that change, for the audit log: never their values.
    fn fields(&self) -> Vec<&'static str> {
        let Self { target, data, .. } = self;
        [
            (FormField::FirstName, target.first_name != data.first_name),
            (FormField::LastName, target.last_name != data.last_name),
            (FormField::Alias, target.alias != data.alias),
            (FormField::Phone, target.phone != data.phone),
            (FormField::Title, target.title != data.title),
            (FormField::Language, target.language != data.language),
            (FormField::Roles, target.roles != data.roles),
        ]
        .into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(field, _)| field.name())
        .chain((target.time_format != data.time_format).then_some("time_format"))
        .collect()
    }
}

fn is_active_admin(account: &Account) -> bool {
    account.active && account.roles.contains(&Role::Admin)
}

/// Whether the company may lose this account as an admin, or as an account at all. Behind the company's lock.
async fn may_lose_admin(
    own: &SignedIn,
    target: &Account,
    loses: bool,
    writer: &mut Writer,
) -> Result<(), Failure> {
    if !loses {
        return Ok(());
    }
    if own.account.id == target.id {
        return Err(FormRefusal::OwnAccount.into());
    }
    if is_active_admin(target)
        && writer
            .count_active_admins(own.company.id, Some(target.id))
            .await?
            == 0
    {
        return Err(FormRefusal::LastAdmin.into());
    }
    Ok(())
}

/// The own e-mail address is changed in the profile, which limits the mails: not as if it were somebody else's.
fn not_oneself(own: &SignedIn, target: &Account) -> Result<(), FormRefusal> {
    if own.account.id == target.id {
        Err(FormRefusal::OwnAccount)
    } else {
        Ok(())
    }
}

/// The accounts that were ticked, each once; what is no identifier is nobody's.
pub(super) fn selection(ids: &[String]) -> Result<Vec<AccountId>, Refusal> {
    if ids.is_empty() {
        return Err(Refusal::Form(FormRefusal::NothingSelected));
    }
    if ids.len() > SELECTED_MAX {
        return Err(Refusal::Malformed);
    }
    let mut ids: Vec<_> = ids.iter().filter_map(|id| AccountId::parse(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn taken(error: StoreError) -> Failure {
    match error {
        StoreError::Conflict(unique) => FormRefusal::field(taken_field(unique), FormProblem::Taken).into(),
        other => other.into(),
    }
}

impl Service {
    /// The session of this browser, if its account's role may do `action` to anybody and, where the action asks for it,
    /// identity was proved moments ago. For pages with a form.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`Refusal::Forbidden`], which is noted in the audit log; `StepUpNeeded`;
    /// `SetUpRequired`; `PasswordChangeRequired`.
    pub async fn console(&self, action: Action, visitor: &Visitor) -> Result<SignedIn, Refusal> {
        self.allowed(action, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    /// One page of the list of agents. `after` and `before` are identifiers of accounts as the page's links have them; one
    /// that cannot be read begins at the start.
    ///
    /// # Errors
    /// As [`Service::console`].
    pub async fn agents(
        &self,
        filter: AgentFilter,
        after: Option<&str>,
        before: Option<&str>,
        visitor: &Visitor,
    ) -> Result<AgentList, Refusal> {
        self.list_agents(filter, after, before, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn list_agents(
        &self,
        filter: AgentFilter,
        after: Option<&str>,
        before: Option<&str>,
        visitor: &Visitor,
    ) -> Result<AgentList, Failure> {
        let SignedIn { company, account, .. } = self.allowed(Action::SeeAgents, visitor).await?;
        let scope = Action::SeeAgents.scope(account.highest_role());
        let filter = AgentFilter {
            only_agents: scope < Scope::Company,
            ..filter
        };
        let from = after
            .and_then(AccountId::parse)
            .map(PageFrom::After)
            .or_else(|| before.and_then(AccountId::parse).map(PageFrom::Before))
            .unwrap_or_default();
        let mut reader = self.inner.store.read().await?;
        let page = reader.agent_page(company.id, &filter, from, PAGE_SIZE).await?;
        Ok(AgentList {
            company,
            own: account,
            filter,
            page,
        })
    }

    /// One agent, for a page on which `action` is done to them; on the own account it is not offered where it is never done
    /// to oneself.
    ///
    /// # Errors
    /// As [`Service::console`]; [`Refusal::NotFound`] for everybody outside the scope.
    pub async fn agent(&self, action: Action, id: &str, visitor: &Visitor) -> Result<AgentDetails, Refusal> {
        self.details(action, id, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn details(&self, action: Action, id: &str, visitor: &Visitor) -> Result<AgentDetails, Failure> {
        let (
            SignedIn {
                company,
                account: own,
                ..
            },
            target,
        ) = self.look_for(action, id, visitor).await?;
        let now = self.now();
        let may: Vec<_> = Action::ALL
            .into_iter()
            .filter(|action| {
                action.scope(own.highest_role()) >= Scope::Agents && action.reaches(&own, &target)
            })
            .collect();
        let mut reader = self.inner.store.read().await?;
        let sessions = reader
            .sessions_of(company.id, target.id)
            .await?
            .iter()
            .filter(|row| {
                row.credential_version == target.credential_version
                    && is_alive(now, row.last_used_at, row.ends_at, company.idle_minutes)
            })
            .count();
        let trusted_browsers = reader
            .trusted_of(company.id, target.id)
            .await?
            .iter()
            .filter(|row| {
                row.credential_version == target.credential_version
                    && trust_holds(now, row.created_at, row.ends_at, company.two_factor)
            })
            .count();
        let backup_codes_left = reader.backup_codes_left(company.id, target.id).await?;
        let issued_code_until = reader
            .issued_code_of(company.id, target.id)
            .await?
            .filter(|issued| issued.used_at.is_none() && issued.expires_at > now)
            .map(|issued| issued.expires_at);
        let identities = reader.identities_of(company.id, target.id).await?;
        let providers = self.ways_in(&mut reader, company.id, target.id).await?;
        let events = if may.contains(&Action::SeeAudit) {
            let filter = EventFilter {
                account: Some(target.id),
                ..EventFilter::default()
            };
            reader
                .event_page(company.id, &filter, NEWEST_EVENTS)
                .await?
                .events
        } else {
            Vec::new()
        };
        Ok(AgentDetails {
            company,
            own,
            target,
            may,
            sessions,
            trusted_browsers,
            backup_codes_left,
            issued_code_until,
            providers,
            identities: identities.into_iter().map(|linked| linked.identity).collect(),
            events,
        })
    }

    /// Creates an agent and tells them how to sign in, in the company's way.
    ///
    /// # Errors
    /// As [`Service::console`]; `Invalid` with everything that is wrong; `StepUpNeeded` for roles above Agent.
    pub async fn add_agent(&self, input: AgentInput, visitor: &Visitor) -> Result<AccountId, Refusal> {
        again(|| self.create_agent(&input, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn create_agent(&self, input: &AgentInput, visitor: &Visitor) -> Result<AccountId, Failure> {
        let own = self.allowed(Action::AddAgent, visitor).await?;
        let agent = match self.check_new_agent(input) {
            _ if input.time_format.is_none() => return Err(Refusal::Malformed.into()),
            Err(fields) => return Err(FormRefusal::Invalid { fields }.into()),
            Ok(agent) => agent,
        };
        let rights = gives_rights(None, &agent.data.roles, true);
        if rights {
            self.step_up(&own)?;
        }
        let prepared = self.prepare_new_agent(&own.company, agent).await?;
        let (mut writer, own) = self.act(Action::AddAgent, Hold::Accounts, visitor).await?;
        if rights {
            self.step_up(&own)?;
        }
        let account = self
            .create_in(&mut writer, &own.company, prepared, &own.by(visitor))
            .await
            .map_err(taken)?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(account.id)
    }

    /// Saves an agent whose version is still `version`. A changed e-mail address waits for its confirmation: a link goes
    /// to the new one and a notice to the old one.
    ///
    /// # Errors
    /// As [`Service::agent`]; `Invalid`; `StepUpNeeded` for other roles or another address; `ChangedMeanwhile`;
    /// `LastAdmin`; `OwnAccount` for switching oneself off, taking the role Admin from oneself, or another address for
    /// oneself.
    pub async fn edit_agent(
        &self,
        id: &str,
        version: i64,
        input: AgentInput,
        visitor: &Visitor,
    ) -> Result<Edited, Refusal> {
        again(|| self.save_agent(id, version, &input, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn save_agent(
        &self,
        id: &str,
        version: i64,
        input: &AgentInput,
        visitor: &Visitor,
    ) -> Result<Edited, Failure> {
        let (_, target) = self.look_at(Action::EditAgent, id, visitor).await?;
        if input.time_format.is_none() {
            return Err(Refusal::Malformed.into());
        }
        let mut fields = Vec::new();
        let email = check_email(&input.email, &mut fields);
        let data = self.check_agent_data(input, &target.name, &mut fields);
        let (Some(email), Some(data)) = (email, data) else {
            return Err(FormRefusal::Invalid { fields }.into());
        };
        let Act {
            mut writer,
            own,
            target,
        } = self
            .act_on(Action::EditAgent, Hold::Company, target.id, visitor)
            .await?;
        let waiting = target
            .pending_email
            .as_ref()
            .map(|pending| pending.address.as_str());
        let email_changes = email.display() != target.email && Some(email.display()) != waiting;
        let change = Change {
            own: &own,
            target: &target,
            data: &data,
        };
        if target.version != version {
            return Err(FormRefusal::ChangedMeanwhile.into());
        }
        if email_changes {
            not_oneself(&own, &target)?;
        }
        change.may_be_made(&mut writer).await?;
        if gives_rights(Some(&target), &data.roles, email_changes) {
            self.step_up(&own)?;
        }
        if email_changes
            && writer
                .email_is_taken(own.company.id, &email, Some(target.id))
                .await?
        {
            return Err(FormRefusal::field(FormField::Email, FormProblem::Taken).into());
        }
        self.save_change(&mut writer, &change, visitor).await?;
        let receiver = Receiver {
            company: &own.company,
            account: &target,
        };
        if email_changes {
            self.begin_email_change(&mut writer, receiver, &email, &own.by(visitor))
                .await?;
        } else if waiting.is_some() && email.display() == target.email {
            self.end_email_change(&mut writer, receiver, &own.by(visitor))
                .await?;
        }
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(Edited {
            email_to_confirm: email_changes.then(|| email.display().to_owned()),
        })
    }

    /// Saves the data, notes what changed, and ends what must not go on.
    async fn save_change(
        &self,
        writer: &mut Writer,
        change: &Change<'_>,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let Change { own, target, data } = change;
        let (company, by) = (own.company.id, own.by(visitor));
        let fields = change.fields();
        let switched = data.active != target.active;
        if fields.is_empty() && !switched {
            return Ok(());
        }
        if !writer
            .set_agent(company, target.id, target.version, data, self.now())
            .await?
        {
            return Err(FormRefusal::ChangedMeanwhile.into());
        }
        if !fields.is_empty() {
            let entry = AuditEntry {
                detail: Some(fields.join(", ")),
                ..by.entry(Event::AccountChanged, company, Some(target.id))
            };
            self.record(writer, &entry).await?;
        }
        if data.roles != target.roles {
            // New rights begin with a new sign-in, and old ones do not linger.
            writer.end_sessions_of(company, target.id).await?;
        }
        if switched {
            let receiver = Receiver {
                company: &own.company,
                account: target,
            };
            self.switched(writer, receiver, data.active, &by).await?;
        }
        Ok(())
    }

    /// What follows from switching an account on or off.
    async fn switched(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        active: bool,
        by: &By<'_>,
    ) -> Result<(), StoreError> {
        let event = if active {
            Event::AccountActivated
        } else {
            self.shut_out(writer, receiver, &LinkPurpose::ALL).await?;
            Event::AccountDeactivated
        };
        let entry = by.entry(event, receiver.company.id, Some(receiver.account.id));
        self.record(writer, &entry).await
    }

    /// A new e-mail address waits: whoever reads it confirms it, and whoever reads the old one can stop it.
    pub(crate) async fn begin_email_change(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        email: &EmailAddress,
        by: &By<'_>,
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        writer
            .set_pending_email(company, account, Some(email), self.now())
            .await?;
        for kind in [Mail::CONFIRM_EMAIL, Mail::EMAIL_CHANGE_BEGAN] {
            writer
                .drop_mails(company, account, kind, self.now(), REPLACED)
                .await?;
        }
        let address = email.display();
        let (link, expires_at) = self
            .make_link(writer, receiver, LinkPurpose::ConfirmEmail, Some(address))
            .await?;
        let (stop, _) = self
            .make_link(writer, receiver, LinkPurpose::StopEmailChange, Some(address))
            .await?;
        // Where an admin sits is no business of the agent's.
        let nowhere = Visitor::default();
        let about = receiver.about(if by.actor == Actor::Account(account) {
            by.visitor
        } else {
            &nowhere
        });
        let hours = u32::try_from(EMAIL_LINK_HOURS).unwrap_or_default();
        let confirm = Mail::ConfirmEmail {
            about: about.clone(),
            link,
            hours,
        };
        let sending = Sending {
            address: Some(address),
            expires_at,
        };
        self.tell_until(writer, receiver, confirm, sending).await?;
        let notice = Mail::EmailChangeBegan {
            about,
            email: address.to_owned(),
            stop,
            hours,
        };
        let sending = Sending {
            address: None,
            expires_at,
        };
        self.tell_until(writer, receiver, notice, sending).await?;
        let entry = by.entry(Event::EmailChangeBegan, company, Some(account));
        self.record(writer, &entry).await
    }

    /// A change of the e-mail address is given up.
    pub(crate) async fn end_email_change(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        by: &By<'_>,
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        writer
            .set_pending_email(company, account, None, self.now())
            .await?;
        writer.end_links_of(company, account, &EMAIL_LINKS).await?;
        let entry = by.entry(Event::EmailChangeStopped, company, Some(account));
        self.record(writer, &entry).await
    }

    /// Switches agents on or off. One that cannot be switched does not keep the others from it. Switching off ends
    /// sessions, pending sign-ins, set-ups and links.
    ///
    /// # Errors
    /// As [`Service::console`]; `NothingSelected`; [`Refusal::Malformed`] for more than a page.
    pub async fn set_agents_active(
        &self,
        ids: &[String],
        active: bool,
        visitor: &Visitor,
    ) -> Result<Selected, Refusal> {
        self.switch_agents(ids, active, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn switch_agents(
        &self,
        ids: &[String],
        active: bool,
        visitor: &Visitor,
    ) -> Result<Selected, Failure> {
        self.allowed(Action::EditAgent, visitor).await?;
        let mut selected = Selected::default();
        for id in selection(ids)? {
            match again(|| self.switch_agent(id, active, visitor)).await {
                Ok(Ok(true)) => selected.changed += 1,
                Ok(Ok(false)) => selected.unchanged += 1,
                Ok(Err(refused)) => selected.refused.push(refused),
                Err(Failure::Refused(Refusal::NotFound)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(selected)
    }

    /// Switches one agent on or off; says whether it was not so before, or whose account stays and why.
    async fn switch_agent(
        &self,
        id: AccountId,
        active: bool,
        visitor: &Visitor,
    ) -> Result<Result<bool, (String, FormRefusal)>, Failure> {
        let Act {
            mut writer,
            own,
            target,
        } = self.act_on(Action::EditAgent, Hold::Company, id, visitor).await?;
        if target.active == active {
            return Ok(Ok(false));
        }
        match may_lose_admin(&own, &target, !active, &mut writer).await {
            Err(Failure::Refused(Refusal::Form(refusal))) => return Ok(Err((target.name, refusal))),
            other => other?,
        }
        writer
            .set_account_active(own.company.id, target.id, active, self.now())
            .await?;
        let receiver = Receiver {
            company: &own.company,
            account: &target,
        };
        self.switched(&mut writer, receiver, active, &own.by(visitor))
            .await?;
        writer.commit().await?;
        Ok(Ok(true))
    }

    /// Deletes an agent, whose account name has to be repeated. Its names are free then; the audit log keeps them.
    ///
    /// # Errors
    /// As [`Service::agent`]; `Invalid` for another name; `LastAdmin`; `OwnAccount`.
    pub async fn delete_agent(&self, id: &str, confirm_name: &str, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.remove_agent(id, confirm_name, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn remove_agent(&self, id: &str, confirm_name: &str, visitor: &Visitor) -> Result<(), Failure> {
        let (_, target) = self.look_at(Action::DeleteAgent, id, visitor).await?;
        let Act {
            mut writer,
            own,
            target,
        } = self
            .act_on(Action::DeleteAgent, Hold::Company, target.id, visitor)
            .await?;
        may_lose_admin(&own, &target, true, &mut writer).await?;
        let typed = key(confirm_name);
        if typed != key(&target.name) {
            let problem = if typed.is_empty() {
                FormProblem::Missing
            } else {
                FormProblem::Different
            };
            return Err(FormRefusal::field(FormField::ConfirmName, problem).into());
        }
        // First the line of the audit log: it takes the name from the account.
        let entry = own
            .by(visitor)
            .entry(Event::AccountDeleted, own.company.id, Some(target.id));
        self.record(&mut writer, &entry).await?;
        writer.delete_account(own.company.id, target.id).await?;
        Ok(writer.commit().await?)
    }

    /// Sends the mail that confirms a new e-mail address once more, with a new link.
    ///
    /// # Errors
    /// As [`Service::agent`]; `OwnAccount`; `NoEmailChange`.
    pub async fn resend_email_change(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.send_email_change_again(id, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn send_email_change_again(&self, id: &str, visitor: &Visitor) -> Result<(), Failure> {
        let (_, target) = self.look_at(Action::EditAgent, id, visitor).await?;
        let Act {
            mut writer,
            own,
            target,
        } = self
            .act_on(Action::EditAgent, Hold::Accounts, target.id, visitor)
            .await?;
        let receiver = Receiver {
            company: &own.company,
            account: &target,
        };
        not_oneself(&own, &target)?;
        let Some(waiting) = &target.pending_email else {
            return Err(FormRefusal::NoEmailChange.into());
        };
        let email = EmailAddress::parse(&waiting.address).map_err(|_| FormRefusal::NoEmailChange)?;
        // The notice goes out again too: its link has to last as long as the one that confirms.
        self.begin_email_change(&mut writer, receiver, &email, &own.by(visitor))
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    /// Gives a change of the e-mail address up; its links are over.
    ///
    /// # Errors
    /// As [`Service::agent`]; `NoEmailChange`.
    pub async fn cancel_email_change(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        again(|| self.give_email_change_up(id, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn give_email_change_up(&self, id: &str, visitor: &Visitor) -> Result<(), Failure> {
        let (_, target) = self.look_at(Action::EditAgent, id, visitor).await?;
        let Act {
            mut writer,
            own,
            target,
        } = self
            .act_on(Action::EditAgent, Hold::Accounts, target.id, visitor)
            .await?;
        let receiver = Receiver {
            company: &own.company,
            account: &target,
        };
        if target.pending_email.is_none() {
            return Err(FormRefusal::NoEmailChange.into());
        }
        self.end_email_change(&mut writer, receiver, &own.by(visitor))
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }
}
