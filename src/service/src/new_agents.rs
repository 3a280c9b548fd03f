//! New agents: what is checked, how they are created, and how they are told (product.md sections 3 and 5). The console,
//! an import and the operator all go through here.

use chrono::TimeDelta;
use vestibule_core::{
    account::{Account, Person, Role},
    audit::{AuditEntry, Event},
    backup_code::BackupCode,
    company::{Company, NewAgentMail},
    id::{AccountId, PublicId},
    limits::{ACCOUNT_MAX, EMAIL_MAX, NEW_AGENT_HOURS},
    link::LinkPurpose,
    mail::Mail,
    name::{AccountName, EmailAddress, NameProblem, whole_name},
    ports::Moment,
    refusal::{Field, FieldProblem, Problem, person_problem},
    secret::Password,
    text::trim,
};
use vestibule_storage::{AgentData, NewAccount, StoreError, Unique, Writer};

use crate::{
    Failure, Service,
    accounts::PasswordToSet,
    console::AgentInput,
    letters::{Receiver, Sending},
    profile::PersonInput,
    work::Work,
};

/// A new agent whose input was checked. Whether the names are free turns out when it is created.
pub(crate) struct NewAgent {
    pub name: AccountName,
    pub email: EmailAddress,
    pub data: AgentData,
    /// Whether a code by e-mail is a second factor from the start.
    pub email_factor: bool,
}

/// How an agent will be told to sign in, with everything that takes time done.
pub(crate) enum Invitation {
    /// A temporary password, and its hash.
    Temporary { password: BackupCode, hash: String },
    /// A link.
    Link,
}

/// A new agent that is ready to be created.
pub(crate) struct Prepared {
    agent: NewAgent,
    invitation: Invitation,
}

/// What a new account can be opened with.
pub(crate) struct FirstPassword {
    pub hash: String,
    /// Until when it can be used, if it is a temporary one.
    pub temporary_until: Option<Moment>,
}

/// What is wrong with a name or an address, in the words of the forms.
pub(crate) const fn name_problem(problem: NameProblem, most: usize) -> Problem {
    match problem {
        NameProblem::Missing => Problem::Missing,
        NameProblem::TooLong => Problem::TooLong { most },
        NameProblem::BadCharacters => Problem::BadCharacters,
        NameProblem::NotAnAddress => Problem::NotAnAddress,
    }
}

/// What colleagues see unless something else was typed: the person's names, or else the account's.
pub(crate) fn alias_or_names(alias: &str, first_name: &str, last_name: &str, account: &str) -> String {
    let names = whole_name(trim(first_name), trim(last_name));
    [alias, &names, account]
        .map(trim)
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// The field that a taken name belongs to.
pub(crate) const fn taken_field(unique: Unique) -> Field {
    match unique {
        Unique::Email => Field::Email,
        Unique::AccountName | Unique::CompanyName => Field::AccountName,
    }
}

impl Service {
    /// Checks everything about a new agent at once.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the form.
    pub(crate) fn check_new_agent(&self, input: &AgentInput) -> Result<NewAgent, Vec<FieldProblem>> {
        let mut fields = Vec::new();
        let name = AccountName::parse(&input.account)
            .map_err(|problem| {
                fields.push(FieldProblem {
                    field: Field::AccountName,
                    problem: name_problem(problem, ACCOUNT_MAX),
                });
            })
            .ok();
        let email = check_email(&input.email, &mut fields);
        let account = name.as_ref().map_or("", AccountName::display);
        let data = self.check_agent_data(input, account, &mut fields);
        match (name, email, data) {
            (Some(name), Some(email), Some(data)) if fields.is_empty() => Ok(NewAgent {
                name,
                email,
                data,
                email_factor: false,
            }),
            _ => Err(fields),
        }
    }

    /// Checks the data of an agent, all but account name and e-mail address. `None` when something is wrong.
    pub(crate) fn check_agent_data(
        &self,
        input: &AgentInput,
        account: &str,
        fields: &mut Vec<FieldProblem>,
    ) -> Option<AgentData> {
        let person = self.check_person(&input.person, account, fields);
        let words = input.roles.iter().map(|word| word.parse::<Role>());
        let mut roles = words.collect::<Result<Vec<_>, _>>().unwrap_or_default();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            let problem = if input.roles.is_empty() {
                Problem::Missing
            } else {
                Problem::NotOffered
            };
            // On the page the roles stand before the language.
            let language = fields.iter().position(|found| found.field == Field::Language);
            let roles = FieldProblem {
                field: Field::Roles,
                problem,
            };
            fields.insert(language.unwrap_or(fields.len()), roles);
            return None;
        }
        Some(AgentData {
            person: person?,
            roles,
            active: input.active,
        })
    }

    /// Checks what was typed about a person. `None` when something is wrong.
    pub(crate) fn check_person(
        &self,
        input: &PersonInput,
        account: &str,
        fields: &mut Vec<FieldProblem>,
    ) -> Option<Person> {
        let before = fields.len();
        let typed = [
            (Field::FirstName, &input.first_name),
            (Field::LastName, &input.last_name),
            (Field::Alias, &input.alias),
            (Field::Phone, &input.phone),
            (Field::Title, &input.title),
        ];
        fields.extend(typed.into_iter().filter_map(|(field, typed)| {
            person_problem(field, typed).map(|problem| FieldProblem { field, problem })
        }));
        let language = Some(input.language.clone()).filter(|language| !language.is_empty());
        let offered = |language: &String| self.inner.settings.languages.contains(language);
        if language.as_ref().is_some_and(|language| !offered(language)) {
            fields.push(FieldProblem {
                field: Field::Language,
                problem: Problem::NotOffered,
            });
        }
        if fields.len() > before {
            return None;
        }
        let [first_name, last_name, alias, phone, title] = typed.map(|(_, typed)| trim(typed).to_owned());
        Some(Person {
            alias: alias_or_names(&alias, &first_name, &last_name, account),
            first_name,
            last_name,
            phone,
            title,
            time_format: input.time_format?,
            language,
        })
    }

    /// Does what takes time before a new agent is created in a transaction.
    pub(crate) async fn prepare_new_agent(
        &self,
        company: &Company,
        agent: NewAgent,
    ) -> Result<Prepared, Failure> {
        let invitation = self.prepare_invitation(company).await?;
        Ok(Prepared { agent, invitation })
    }

    /// Creates a prepared agent and tells them how to sign in.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the account name or the e-mail address is taken.
    pub(crate) async fn create_in(
        &self,
        work: &mut Work<'_>,
        company: &Company,
        prepared: Prepared,
    ) -> Result<Account, StoreError> {
        let Prepared { agent, invitation } = prepared;
        let password = match &invitation {
            Invitation::Temporary { hash, .. } => Some(FirstPassword {
                hash: hash.clone(),
                temporary_until: Some(self.temporary_until()),
            }),
            Invitation::Link => None,
        };
        let account = self.insert_new(work, company, agent, password).await?;
        let entry = work.entry(Event::AccountCreated, company.id, Some(account.id));
        self.record(work, &entry).await?;
        let receiver = Receiver::new(company, &account);
        self.send_invitation(work, receiver, &invitation).await?;
        Ok(account)
    }

    /// Writes a new account down. Nobody is told, nothing is noted.
    pub(crate) async fn insert_new(
        &self,
        writer: &mut Writer,
        company: &Company,
        agent: NewAgent,
        password: Option<FirstPassword>,
    ) -> Result<Account, StoreError> {
        let NewAgent {
            name,
            email,
            data:
                AgentData {
                    person,
                    roles,
                    active,
                },
            email_factor,
        } = agent;
        let now = self.now();
        let until = password.as_ref().and_then(|password| password.temporary_until);
        let account = Account {
            company: company.id,
            id: AccountId::new(now, self.random()),
            public_id: PublicId::draw(self.random()),
            name: name.display().to_owned(),
            email: email.display().to_owned(),
            person,
            roles,
            active,
            locked_at: None,
            lock_reason: None,
            password_must_change: until.is_some(),
            has_password: password.is_some(),
            pending_email: None,
            version: 1,
            wrong_codes: 0,
            email_factor,
            app_factor: false,
            credential_version: 1,
            created_at: now,
            last_sign_in_at: None,
        };
        writer
            .insert_account(&NewAccount {
                company: company.id,
                id: account.id,
                public_id: account.public_id,
                name,
                email,
                person: account.person.clone(),
                roles: account.roles.clone(),
                active: account.active,
                email_factor,
                password_hash: password.map(|password| password.hash),
                password_must_change: account.password_must_change,
                password_expires_at: until,
                created_at: now,
            })
            .await?;
        Ok(account)
    }

    /// Draws and hashes what an agent will be told, in the company's way.
    pub(crate) async fn prepare_invitation(&self, company: &Company) -> Result<Invitation, Failure> {
        Ok(match company.settings.new_agent_mail {
            NewAgentMail::AccountDetails => {
                // The form of a backup code: 80 random bits, easy to read out and to type.
                let (password, hash) = self.draw_password().await?;
                Invitation::Temporary { password, hash }
            }
            NewAgentMail::ActivationLink => Invitation::Link,
        })
    }

    async fn draw_password(&self) -> Result<(BackupCode, String), Failure> {
        let password = BackupCode::draw(self.random());
        let hash = self
            .inner
            .hasher
            .hash(&Password::new(password.reveal()), self.random())
            .await?;
        Ok((password, hash))
    }

    /// The hash of a password that nobody knows.
    pub(crate) async fn unknown_password(&self) -> Result<String, Failure> {
        Ok(self.draw_password().await?.1)
    }

    /// Tells an agent again how to sign in; whatever they were told before is dead. `unknown` is the hash of a password
    /// that nobody knows, to take the place of a temporary one.
    pub(crate) async fn invite_again(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        invitation: &Invitation,
        unknown: &str,
    ) -> Result<(), StoreError> {
        let password = match invitation {
            Invitation::Temporary { hash, .. } => Some((hash.as_str(), self.temporary_until())),
            Invitation::Link => receiver.account.has_password.then(|| (unknown, self.now())),
        };
        if let Some((hash, until)) = password {
            let password = PasswordToSet {
                hash,
                temporary_until: Some(until),
            };
            self.put_password(work, receiver, password).await?;
        }
        self.send_invitation(work, receiver, invitation).await
    }

    async fn send_invitation(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        invitation: &Invitation,
    ) -> Result<(), StoreError> {
        let about = receiver.about(&crate::Visitor::default());
        let hours = u32::try_from(NEW_AGENT_HOURS).unwrap_or_default();
        let (mail, expires_at, way) = match invitation {
            Invitation::Temporary { password, .. } => {
                let mail = Mail::AccountDetails {
                    about,
                    sign_in: self.sign_in_url(receiver.company),
                    email: receiver.account.email.clone(),
                    password: password.reveal(),
                    hours,
                };
                (mail, self.temporary_until(), NewAgentMail::AccountDetails)
            }
            Invitation::Link => {
                let (link, expires_at) = self
                    .make_link(work, receiver, LinkPurpose::Activate, None)
                    .await?;
                let mail = Mail::ActivationLink {
                    about,
                    link,
                    sign_in: self.sign_in_url(receiver.company),
                    hours,
                };
                (mail, expires_at, NewAgentMail::ActivationLink)
            }
        };
        let sending = Sending {
            address: None,
            expires_at,
        };
        self.tell_until(work, receiver, mail, sending).await?;
        let entry = AuditEntry {
            detail: Some(way.as_str().to_owned()),
            ..work.entry(
                Event::AccountDetailsSent,
                receiver.company.id,
                Some(receiver.account.id),
            )
        };
        self.record(work, &entry).await
    }

    /// Until when a temporary password that is set now can be used.
    pub(crate) fn temporary_until(&self) -> Moment {
        self.now() + TimeDelta::hours(NEW_AGENT_HOURS)
    }
}

/// Reads an e-mail address.
pub(crate) fn check_email(typed: &str, fields: &mut Vec<FieldProblem>) -> Option<EmailAddress> {
    EmailAddress::parse(typed)
        .map_err(|problem| {
            fields.push(FieldProblem {
                field: Field::Email,
                problem: name_problem(problem, EMAIL_MAX),
            });
        })
        .ok()
}
