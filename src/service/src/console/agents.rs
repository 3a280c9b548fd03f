//! The list of agents, one agent, adding, editing, switching, deleting.

use vestibule_core::{
    account::{Account, Role},
    agents::{AgentFilter, gives_rights},
    audit::{AuditEntry, Event},
    id::AccountId,
    limits::{
        COUNTED_ALL_MAX, COUNTED_MAX, EMAIL_LINK_HOURS, FOUND_MAX, NOT_CHANGED_TOLD_SECONDS, SELECTED_MAX,
        UNDO_SECONDS,
    },
    link::LinkPurpose,
    mail::Mail,
    name::{EmailAddress, key},
    refusal::{Field, Problem, Refusal},
    rights::{Action, Scope},
    session::{EndReason, is_alive},
    sign_in::trust_holds,
};
use vestibule_storage::{AgentData, EventFilter, PageFrom, StoreError, Writer, again};

use super::{AgentDetails, AgentInput, AgentList, AgentQuery, Chosen, ChosenAgents, Edited, Hold, Selected};
use crate::{
    Console, Failure, Service, Visitor,
    accounts::{EMAIL_LINKS, optional_reason},
    letters::{Receiver, Sending},
    new_agents::{check_email, taken_field},
    notes::NoteKind,
    recovery::REPLACED,
    sessions::SignedIn,
    work::Work,
};

/// Events on the page of an agent.
const NEWEST_EVENTS: usize = 10;
/// Accounts that are named before something is done to many, and after it could not be done to some.
const NAMED: usize = 20;
/// Accounts that are read together when a filter chose them.
const TOGETHER: usize = 500;
/// How much longer an undo is taken than it is offered: the page has to arrive, and the answer to come back.
const UNDO_GRACE_SECONDS: i64 = 5;

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
        let roles = (target.roles != data.roles).then_some(Field::Roles.name());
        target.person.changed(&data.person).chain(roles).collect()
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
        return Err(Refusal::OwnAccount.into());
    }
    if is_active_admin(target)
        && writer
            .count_active_admins(own.company.id, Some(target.id))
            .await?
            == 0
    {
        return Err(Refusal::LastAdmin.into());
    }
    Ok(())
}

/// The own e-mail address is changed in the profile, which limits the mails: not as if it were somebody else's.
fn not_oneself(own: &SignedIn, target: &Account) -> Result<(), Refusal> {
    if own.account.id == target.id {
        Err(Refusal::OwnAccount)
    } else {
        Ok(())
    }
}

impl From<&[String]> for Chosen {
    fn from(ids: &[String]) -> Self {
        Self::Ticked(ids.to_vec())
    }
}

impl<const N: usize> From<&[String; N]> for Chosen {
    fn from(ids: &[String; N]) -> Self {
        Self::Ticked(ids.to_vec())
    }
}

impl From<&Vec<String>> for Chosen {
    fn from(ids: &Vec<String>) -> Self {
        Self::Ticked(ids.clone())
    }
}

/// The accounts that were ticked, each once; what is no identifier is nobody's.
fn ticked(ids: &[String]) -> Result<Vec<AccountId>, Refusal> {
    if ids.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    if ids.len() > SELECTED_MAX {
        return Err(Refusal::Malformed);
    }
    let mut ids: Vec<_> = ids.iter().filter_map(|id| AccountId::parse(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Whether a failure is the matter of the one account that it happened to. Others are about whoever acts, or about the
/// database, and the next account would fail like it.
fn is_about_one(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(refusal) => matches!(
            refusal,
            Refusal::OwnAccount | Refusal::LastAdmin | Refusal::ChangedMeanwhile
        ),
        Failure::Store(error) => !error.is_unavailable(),
        Failure::Unsealable(_) => true,
        Failure::Hashing(_) => false,
    }
}

fn taken(error: StoreError) -> Failure {
    match error {
        StoreError::Conflict(unique) => Refusal::field(taken_field(unique), Problem::Taken).into(),
        other => other.into(),
    }
}

impl Console {
    /// The session of this browser, if its account's role may do `action` to anybody and, where the action asks for it,
    /// identity was proved moments ago. For pages with a form.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`Refusal::Forbidden`], which is noted in the audit log; `StepUpNeeded`;
    /// `SetUpRequired`; `PasswordChangeRequired`.
    pub async fn authorize(&self, action: Action, visitor: &Visitor) -> Result<SignedIn, Refusal> {
        visitor.attempt(self.allowed(action, visitor)).await
    }

    /// One page of the list of agents.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn agents(&self, query: AgentQuery, visitor: &Visitor) -> Result<AgentList, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::SeeAgents, visitor).await?;
                let filter = in_scope(query.filter, Action::SeeAgents, &own);
                let place = |id: Option<String>| id.as_deref().and_then(AccountId::parse);
                let from = place(query.after)
                    .map(PageFrom::After)
                    .or_else(|| place(query.before).map(PageFrom::Before))
                    .unwrap_or_default();
                let most = if filter.finds_all() {
                    COUNTED_ALL_MAX
                } else {
                    COUNTED_MAX
                };
                let mut reader = self.inner.store.read().await?;
                let page = reader
                    .agent_page(own.company.id, &filter, from, query.rows)
                    .await?;
                let found = reader.count_found(own.company.id, &filter, most).await?;
                let undo: Option<Vec<AccountId>> =
                    self.kept_note(&mut reader, &own, NoteKind::Deactivated).await?;
                let not_changed = self.kept_note(&mut reader, &own, NoteKind::NotChanged).await?;
                Ok(AgentList {
                    company: own.company,
                    own: own.account,
                    filter,
                    page,
                    found,
                    found_more: found == most,
                    undo: undo.map(|ids| ids.len()),
                    not_changed,
                })
            })
            .await
    }

    /// Agents to whom `action` is about to be done: how many they are, and the first of them.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; as [`crate::Console::activate_agents`] for what was chosen.
    pub async fn chosen_agents(
        &self,
        action: Action,
        chosen: &Chosen,
        visitor: &Visitor,
    ) -> Result<ChosenAgents, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(action, visitor).await?;
                let ids = self.identifiers(action, chosen, &own).await?;
                let mut reader = self.inner.store.read().await?;
                let mut first = Vec::new();
                let mut gone = 0;
                for id in ids.iter().take(NAMED) {
                    match reader.account(own.company.id, *id).await? {
                        Some(account) => first.push(account),
                        None => gone += 1,
                    }
                }
                Ok(ChosenAgents {
                    company: own.company,
                    own: own.account,
                    first,
                    count: ids.len() - gone,
                })
            })
            .await
    }

    /// One agent, for a page on which `action` is done to them; on the own account it is not offered where it is never done
    /// to oneself.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::NotFound`] for everybody outside the scope.
    pub async fn agent(&self, action: Action, id: &str, visitor: &Visitor) -> Result<AgentDetails, Refusal> {
        visitor
            .attempt(async {
                let (
                    SignedIn {
                        company,
                        account: own,
                        ..
                    },
                    target,
                ) = self.require_in_scope(action, id, visitor).await?;
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
                            && is_alive(now, row.last_used_at, row.ends_at, company.settings.idle_minutes)
                    })
                    .count();
                let trusted_browsers = reader
                    .trusted_of(company.id, target.id)
                    .await?
                    .iter()
                    .filter(|row| {
                        row.credential_version == target.credential_version
                            && trust_holds(now, row.created_at, row.ends_at, company.settings.two_factor)
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
            })
            .await
    }

    /// Creates an agent and tells them how to sign in, in the company's way.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid` with everything that is wrong; `StepUpNeeded` for roles above Agent.
    pub async fn add_agent(&self, input: AgentInput, visitor: &Visitor) -> Result<AccountId, Refusal> {
        visitor
            .transact(async || {
                let own = self.allowed(Action::AddAgent, visitor).await?;
                let agent = match self.check_new_agent(&input) {
                    _ if input.person.time_format.is_none() => return Err(Refusal::Malformed.into()),
                    Err(fields) => return Err(Refusal::Invalid { fields }.into()),
                    Ok(agent) => agent,
                };
                let rights = gives_rights(None, &agent.data.roles, agent.data.active, true);
                if rights {
                    self.step_up(&own)?;
                }
                let prepared = self.prepare_new_agent(&own.company, agent).await?;
                let (mut work, own) = self.act(Action::AddAgent, Hold::Accounts, visitor).await?;
                if rights {
                    self.step_up(&own)?;
                }
                let account = self
                    .create_in(&mut work, &own.company, prepared)
                    .await
                    .map_err(taken)?;
                work.commit().await?;
                Ok(account.id)
            })
            .await
    }

    /// Saves an agent whose version is still `version`. A changed e-mail address waits for its confirmation: a link goes
    /// to the new one and a notice to the old one.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `Invalid`; `StepUpNeeded` for other roles, another address or switching somebody
    /// on; `ChangedMeanwhile`; `LastAdmin`; `OwnAccount` for switching oneself off, taking the role Admin from oneself, or
    /// another address for oneself.
    pub async fn edit_agent(
        &self,
        id: &str,
        version: i64,
        input: AgentInput,
        visitor: &Visitor,
    ) -> Result<Edited, Refusal> {
        visitor
            .transact(async || {
                let (_, target) = self.require_target(Action::EditAgent, id, visitor).await?;
                if input.person.time_format.is_none() {
                    return Err(Refusal::Malformed.into());
                }
                let mut fields = Vec::new();
                let email = check_email(&input.email, &mut fields);
                let data = self.check_agent_data(&input, &target.name, &mut fields);
                let (Some(email), Some(data)) = (email, data) else {
                    return Err(Refusal::Invalid { fields }.into());
                };
                let (mut work, own, target) = self
                    .act_behind_locks(Action::EditAgent, Hold::Company, target.id, visitor)
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
                    return Err(Refusal::ChangedMeanwhile.into());
                }
                if email_changes {
                    not_oneself(&own, &target)?;
                }
                change.may_be_made(&mut work).await?;
                if gives_rights(Some(&target), &data.roles, data.active, email_changes) {
                    self.step_up(&own)?;
                }
                if email_changes
                    && work
                        .email_is_taken(own.company.id, &email, Some(target.id))
                        .await?
                {
                    return Err(Refusal::field(Field::Email, Problem::Taken).into());
                }
                self.save_change(&mut work, &change).await?;
                let receiver = own.receiver(&target);
                if email_changes {
                    self.begin_email_change(&mut work, receiver, &email).await?;
                } else if waiting.is_some() && email.display() == target.email {
                    self.end_email_change(&mut work, receiver).await?;
                }
                work.commit().await?;
                Ok(Edited {
                    email_to_confirm: email_changes.then(|| email.display().to_owned()),
                })
            })
            .await
    }

    /// Switches agents on. One that cannot be switched does not keep the others from it, and what was done is counted,
    /// whatever became of the rest.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `NothingSelected`; `FoundChanged` when a filter finds another number than was
    /// told; [`Refusal::Malformed`] for more than may be changed in one go.
    pub async fn activate_agents(
        &self,
        chosen: impl Into<Chosen>,
        visitor: &Visitor,
    ) -> Result<Selected, Refusal> {
        self.switch_chosen(chosen.into(), true, "", visitor).await
    }

    /// Switches agents off, in the same way. That ends sessions, set-ups, trusted browsers and links; a sign-in under way is
    /// stopped by the gate. The reason, unless it is left empty, goes into the audit log and is told where the sessions were.
    /// It can be undone for a few seconds: [`crate::Console::undo_deactivation`].
    ///
    /// # Errors
    /// As [`crate::Console::activate_agents`]; `Invalid` for the reason.
    pub async fn deactivate_agents(
        &self,
        chosen: impl Into<Chosen>,
        reason: &str,
        visitor: &Visitor,
    ) -> Result<Selected, Refusal> {
        self.switch_chosen(chosen.into(), false, reason, visitor).await
    }

    async fn switch_chosen(
        &self,
        chosen: Chosen,
        active: bool,
        reason: &str,
        visitor: &Visitor,
    ) -> Result<Selected, Refusal> {
        visitor
            .attempt(async {
                let action = if active {
                    Action::ActivateAgents
                } else {
                    Action::EditAgent
                };
                let own = self.allowed(action, visitor).await?;
                let reason = optional_reason(reason)?;
                let ids = self.identifiers(action, &chosen, &own).await?;
                let switch = |id| self.switch_agent(action, id, (active, reason), visitor);
                let (selected, changed) = self.each(&own, &ids, visitor, switch).await?;
                let undo = if active { &[][..] } else { &changed[..] };
                self.keep_outcome(&own, &selected, undo, visitor).await;
                Ok(selected)
            })
            .await
    }

    /// Switches those on again whom this session switched off just now. `None`: it is too late, and nothing was done. It
    /// gives back what the same session has just taken, so it asks for no proof of identity.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn undo_deactivation(&self, visitor: &Visitor) -> Result<Option<Selected>, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::EditAgent, visitor).await?;
                let mut writer = self.inner.store.write().await?;
                let ids: Option<Vec<AccountId>> =
                    self.kept_note(&mut writer, &own, NoteKind::Deactivated).await?;
                NoteKind::Deactivated.forget(&mut writer, &own).await?;
                writer.commit().await?;
                let Some(ids) = ids else {
                    return Ok(None);
                };
                let switch = |id| self.switch_agent(Action::EditAgent, id, (true, None), visitor);
                let (selected, _) = self.each(&own, &ids, visitor, switch).await?;
                self.keep_outcome(&own, &selected, &[], visitor).await;
                Ok(Some(selected))
            })
            .await
    }

    /// Deletes an agent, whose account name has to be repeated. Its names are free then; the audit log keeps them.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `Invalid` for another name; `LastAdmin`; `OwnAccount`.
    pub async fn delete_agent(&self, id: &str, confirm_name: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own, target) = self
                    .act_on(Action::DeleteAgent, Hold::Company, id, visitor)
                    .await?;
                may_lose_admin(&own, &target, true, &mut work).await?;
                let typed = key(confirm_name);
                if typed != key(&target.name) {
                    let problem = if typed.is_empty() {
                        Problem::Missing
                    } else {
                        Problem::Different
                    };
                    return Err(Refusal::field(Field::ConfirmName, problem).into());
                }
                let receiver = own.receiver(&target);
                self.delete_account_in(&mut work, receiver).await?;
                Ok(work.commit().await?)
            })
            .await
    }

    /// Sends the mail that confirms a new e-mail address once more, with a new link.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`; `NoEmailChange`.
    pub async fn resend_email_change(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own, target) = self
                    .act_on(Action::EditAgent, Hold::Accounts, id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                not_oneself(&own, &target)?;
                let Some(waiting) = &target.pending_email else {
                    return Err(Refusal::NoEmailChange.into());
                };
                let email = EmailAddress::parse(&waiting.address).map_err(|_| Refusal::NoEmailChange)?;
                // The notice goes out again too: its link has to last as long as the one that confirms.
                self.begin_email_change(&mut work, receiver, &email).await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Gives a change of the e-mail address up; its links are over.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `NoEmailChange`.
    pub async fn cancel_email_change(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own, target) = self
                    .act_on(Action::EditAgent, Hold::Accounts, id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                if target.pending_email.is_none() {
                    return Err(Refusal::NoEmailChange.into());
                }
                self.end_email_change(&mut work, receiver).await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }
}

/// A filter that finds nobody beyond the scope of an action.
fn in_scope(filter: AgentFilter, action: Action, own: &SignedIn) -> AgentFilter {
    AgentFilter {
        only_agents: action.scope(own.account.highest_role()) < Scope::Company,
        ..filter
    }
}

impl Service {
    /// The agents that were chosen, each once. All that a filter finds are searched for again: when they are not as many as
    /// whoever chose them was told, others would be meant by it.
    pub(super) async fn identifiers(
        &self,
        action: Action,
        chosen: &Chosen,
        own: &SignedIn,
    ) -> Result<Vec<AccountId>, Failure> {
        let (filter, counted) = match chosen {
            Chosen::Ticked(ids) => return Ok(ticked(ids)?),
            Chosen::Found { filter, counted } => (in_scope(filter.clone(), action, own), *counted),
        };
        if counted.is_some_and(|counted| counted > FOUND_MAX) {
            return Err(Refusal::Malformed.into());
        }
        let mut reader = self.inner.store.read().await?;
        let mut ids: Vec<AccountId> = Vec::new();
        let mut from = PageFrom::Start;
        // One more than were counted is enough to know. Whoever was told no number meant nobody.
        while counted.is_some_and(|counted| ids.len() <= counted) {
            let page = reader.agent_page(own.company.id, &filter, from, TOGETHER).await?;
            ids.extend(page.accounts.iter().map(|account| account.id));
            match ids.last() {
                Some(last) if page.after => from = PageFrom::After(*last),
                _ => break,
            }
        }
        // Whoever is created or deleted meanwhile may shift a page.
        ids.sort_unstable();
        ids.dedup();
        let now = reader.count_found(own.company.id, &filter, COUNTED_MAX).await?;
        if counted != Some(ids.len()) || counted != Some(now) {
            return Err(Refusal::FoundChanged { now }.into());
        }
        if ids.is_empty() {
            return Err(Refusal::NothingSelected.into());
        }
        Ok(ids)
    }

    /// Does something to one account after the other, each in a transaction of its own; `act` says whether there was
    /// anything to do. Gives those to whom it was done, too. One that fails keeps it from nobody else, unless everybody else
    /// would fail like it: then the rest is left as it is, and what was done stays done.
    ///
    /// # Errors
    /// Why nothing was done, when it is nobody's own matter.
    pub(super) async fn each<F>(
        &self,
        own: &SignedIn,
        ids: &[AccountId],
        visitor: &Visitor,
        mut act: impl FnMut(AccountId) -> F,
    ) -> Result<(Selected, Vec<AccountId>), Failure>
    where
        F: Future<Output = Result<bool, Failure>>,
    {
        let (mut selected, mut changed) = (Selected::default(), Vec::new());
        for (before, &id) in ids.iter().enumerate() {
            match again(|| act(id)).await {
                Ok(true) => changed.push(id),
                Ok(false) => selected.unchanged += 1,
                // Whoever is foreign, out of scope or gone meanwhile does not exist.
                Err(Failure::Refused(Refusal::NotFound)) => {}
                Err(failure) if is_about_one(&failure) && selected.not_changed.named.len() < NAMED => {
                    let refusal = visitor.explain(&failure);
                    selected
                        .not_changed
                        .named
                        .push((self.name_of(own, id).await, refusal));
                }
                Err(failure) if changed.is_empty() && selected.not_changed.named.is_empty() => {
                    return Err(failure);
                }
                Err(failure) => {
                    selected.not_changed.left = Some((ids.len() - before, visitor.explain(&failure)));
                    break;
                }
            }
        }
        selected.changed = changed.len();
        Ok((selected, changed))
    }

    /// What an account is called when it is told what became of it: by its name, if that can be read.
    async fn name_of(&self, own: &SignedIn, id: AccountId) -> String {
        let found = async { self.inner.store.read().await?.account(own.company.id, id).await };
        match found.await {
            Ok(Some(account)) => account.name,
            Ok(None) | Err(_) => id.to_string(),
        }
    }

    /// Keeps for a moment what the list tells of an act upon several: who was not changed, and who can be switched on again.
    /// What was done is done: when this cannot be kept, it is counted all the same.
    pub(super) async fn keep_outcome(
        &self,
        own: &SignedIn,
        selected: &Selected,
        undo: &[AccountId],
        visitor: &Visitor,
    ) {
        let kept = async {
            let mut writer = self.inner.store.write().await?;
            let kind = NoteKind::NotChanged;
            let told = &selected.not_changed;
            if told.count() > 0 {
                self.keep_note(&mut writer, own, kind, told, NOT_CHANGED_TOLD_SECONDS)
                    .await?;
            } else {
                kind.forget(&mut writer, own).await?;
            }
            if !undo.is_empty() {
                let seconds = UNDO_SECONDS + UNDO_GRACE_SECONDS;
                self.keep_note(&mut writer, own, NoteKind::Deactivated, &undo, seconds)
                    .await?;
            }
            Ok::<(), Failure>(writer.commit().await?)
        };
        if let Err(failure) = kept.await {
            visitor.explain(&failure);
        }
    }

    /// Saves the data, notes what changed, and ends what must not go on.
    async fn save_change(&self, work: &mut Work<'_>, change: &Change<'_>) -> Result<(), Failure> {
        let Change { own, target, data } = change;
        let company = own.company.id;
        let fields = change.fields();
        let switched = data.active != target.active;
        if fields.is_empty() && !switched {
            return Ok(());
        }
        if !work
            .set_agent(company, target.id, target.version, data, self.now())
            .await?
        {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        if !fields.is_empty() {
            let entry = AuditEntry {
                detail: Some(fields.join(", ")),
                ..work.entry(Event::AccountChanged, company, Some(target.id))
            };
            self.record(work, &entry).await?;
        }
        if data.roles != target.roles {
            // New rights begin with a new sign-in, and old ones do not linger.
            work.end_sessions_of(company, target.id, self.ending(EndReason::RolesChanged), None)
                .await?;
        }
        if switched {
            let receiver = Receiver::new(&own.company, target);
            self.switched_in(work, receiver, data.active, None).await?;
        }
        Ok(())
    }

    /// A new e-mail address waits: whoever reads it confirms it, and whoever reads the old one can stop it.
    pub(crate) async fn begin_email_change(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        email: &EmailAddress,
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        work.set_pending_email(company, account, Some(email), self.now())
            .await?;
        for kind in [Mail::CONFIRM_EMAIL, Mail::EMAIL_CHANGE_BEGAN] {
            work.drop_mails(company, account, kind, self.now(), REPLACED)
                .await?;
        }
        let address = email.display();
        let (link, expires_at) = self
            .make_link(work, receiver, LinkPurpose::ConfirmEmail, Some(address))
            .await?;
        let (stop, _) = self
            .make_link(work, receiver, LinkPurpose::StopEmailChange, Some(address))
            .await?;
        let about = receiver.about(&work.seen_by(receiver.account));
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
        self.tell_until(work, receiver, confirm, sending).await?;
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
        self.tell_until(work, receiver, notice, sending).await?;
        let entry = work.entry(Event::EmailChangeBegan, company, Some(account));
        self.record(work, &entry).await
    }

    /// A change of the e-mail address is given up.
    pub(crate) async fn end_email_change(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        work.set_pending_email(company, account, None, self.now()).await?;
        work.end_links_of(company, account, &EMAIL_LINKS).await?;
        let entry = work.entry(Event::EmailChangeStopped, company, Some(account));
        self.record(work, &entry).await
    }

    /// Switches one agent on or off; says whether it was not so before.
    async fn switch_agent(
        &self,
        action: Action,
        id: AccountId,
        (active, reason): (bool, Option<&str>),
        visitor: &Visitor,
    ) -> Result<bool, Failure> {
        let (mut work, own, target) = self.act_behind_locks(action, Hold::Company, id, visitor).await?;
        if target.active == active {
            return Ok(false);
        }
        may_lose_admin(&own, &target, !active, &mut work).await?;
        let receiver = own.receiver(&target);
        self.switch_account_in(&mut work, receiver, active, reason)
            .await?;
        work.commit().await?;
        Ok(true)
    }
}
