//! The first admin of a company, created together with it and told by mail how to sign in (product.md sections 1 and 5).

use chrono::TimeDelta;
use vestibule_core::{
    account::{Account, Role, TimeFormat},
    audit::{AuditEntry, Event},
    company::{Company, NewAgentMail},
    id::{AccountId, LinkId},
    limits::NEW_AGENT_HOURS,
    link::LinkPurpose,
    mail::{Letter, Mail},
    name::{AccountName, EmailAddress, NameProblem},
    secret::{Password, Token},
};
use vestibule_storage::{NewAccount, NewLink, StoreError, Writer};

use crate::{
    Service, Visitor,
    letters::Receiver,
    operator::{OperatorError, operator_entry, person_name},
};

/// Letters and digits that nobody takes for one another: 32, so that a byte cut to five bits chooses evenly.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of a temporary password: 100 bits.
const TEMPORARY_CHARS: usize = 20;

/// The first admin of a company.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// Account name.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// First name; empty = the account name.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
}

/// A first admin with everything that takes time, before the transaction begins.
pub(crate) struct ReadyAdmin {
    account: Account,
    name: AccountName,
    email: EmailAddress,
    way_in: WayIn,
}

/// How the admin comes in for the first time.
enum WayIn {
    Password { password: Password, hash: String },
    Link(Token),
}

impl Service {
    /// Checks a first admin, and draws what is needed to come in.
    pub(crate) async fn ready_first_admin(
        &self,
        input: FirstAdmin,
        company: &Company,
    ) -> Result<ReadyAdmin, OperatorError> {
        let name = AccountName::parse(&input.account).map_err(OperatorError::BadAccountName)?;
        let email = EmailAddress::parse(&input.email).map_err(OperatorError::BadEmail)?;
        let mut first_name = person_name(&input.first_name)?;
        if first_name.is_empty() {
            name.display().clone_into(&mut first_name);
        }
        let last_name = person_name(&input.last_name)?;
        let alias = [first_name.as_str(), last_name.as_str()]
            .join(" ")
            .trim()
            .to_owned();
        if alias.is_empty() {
            return Err(OperatorError::BadPersonName(NameProblem::Missing));
        }
        let way_in = match company.new_agent_mail {
            NewAgentMail::AccountDetails => {
                let password = self.temporary_password();
                let hash = self.inner.hasher.hash(&password, self.random()).await?;
                WayIn::Password { password, hash }
            }
            NewAgentMail::ActivationLink => WayIn::Link(Token::new(self.random())),
        };
        let now = self.now();
        let account = Account {
            company: company.id,
            id: AccountId::new(now, self.random()),
            name: name.display().to_owned(),
            email: email.display().to_owned(),
            first_name,
            last_name,
            alias,
            phone: String::new(),
            title: String::new(),
            time_format: TimeFormat::default(),
            language: None,
            roles: vec![Role::Admin],
            active: true,
            locked_at: None,
            lock_reason: None,
            password_must_change: matches!(way_in, WayIn::Password { .. }),
            has_password: matches!(way_in, WayIn::Password { .. }),
            pending_email: None,
            version: 1,
            wrong_codes: 0,
            // Whoever reads the first mail can read the codes: the console is never behind a password alone.
            email_factor: true,
            app_factor: false,
            credential_version: 1,
            created_at: now,
            last_sign_in_at: None,
        };
        Ok(ReadyAdmin {
            account,
            name,
            email,
            way_in,
        })
    }

    /// Creates the admin and puts the mail into the outbox, as part of the transaction that creates the company.
    pub(crate) async fn insert_first_admin(
        &self,
        writer: &mut Writer,
        ready: ReadyAdmin,
        company: &Company,
    ) -> Result<(), StoreError> {
        let ReadyAdmin {
            account,
            name,
            email,
            way_in,
        } = ready;
        let ends = account.created_at + TimeDelta::hours(NEW_AGENT_HOURS);
        let hash = match &way_in {
            WayIn::Password { hash, .. } => Some(hash.clone()),
            WayIn::Link(_) => None,
        };
        writer
            .insert_account(&NewAccount {
                company: company.id,
                id: account.id,
                name,
                email,
                first_name: account.first_name.clone(),
                last_name: account.last_name.clone(),
                alias: account.alias.clone(),
                phone: String::new(),
                title: String::new(),
                time_format: account.time_format,
                language: None,
                roles: account.roles.clone(),
                active: true,
                email_factor: account.email_factor,
                password_expires_at: hash.is_some().then_some(ends),
                password_hash: hash,
                password_must_change: account.password_must_change,
                created_at: account.created_at,
            })
            .await?;
        self.record_operator(writer, Event::AccountCreated, company.id, Some(account.id))
            .await?;
        let mail = self.first_mail(writer, way_in, company, &account).await?;
        self.post(
            writer,
            &Letter {
                company: company.id,
                account: account.id,
                receiver: account.email.clone(),
                language: company.language.clone(),
                mail,
                expires_at: Some(ends),
                pending: None,
            },
        )
        .await?;
        let entry = AuditEntry {
            detail: Some(company.new_agent_mail.as_str().to_owned()),
            ..operator_entry(Event::AccountDetailsSent, company.id, Some(account.id))
        };
        self.record(writer, &entry).await
    }

    async fn first_mail(
        &self,
        writer: &mut Writer,
        way_in: WayIn,
        company: &Company,
        account: &Account,
    ) -> Result<Mail, StoreError> {
        let about = Receiver { company, account }.about(&Visitor::default());
        let hours = u32::try_from(NEW_AGENT_HOURS).unwrap_or_default();
        match way_in {
            WayIn::Password { password, .. } => Ok(Mail::AccountDetails {
                about,
                sign_in: self.sign_in_url(),
                email: account.email.clone(),
                password: password.reveal().to_owned(),
                hours,
            }),
            WayIn::Link(token) => {
                let purpose = LinkPurpose::Activate;
                writer
                    .put_link(&NewLink {
                        company: company.id,
                        id: LinkId::new(account.created_at, self.random()),
                        account: account.id,
                        purpose,
                        token_hash: token.hash(),
                        email: None,
                        created_at: account.created_at,
                        expires_at: purpose.ends_at(account.created_at),
                    })
                    .await?;
                Ok(Mail::ActivationLink {
                    about,
                    link: self.link_url(purpose, &token),
                    hours,
                })
            }
        }
    }

    /// A password that is good for one sign-in only and easy to copy.
    fn temporary_password(&self) -> Password {
        let mut bytes = zeroize::Zeroizing::new([0; TEMPORARY_CHARS]);
        self.random().fill(bytes.as_mut_slice());
        let letter =
            |byte: &u8| char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or_default());
        Password::new(bytes.iter().map(letter).collect())
    }
}
