//! Links of mails: choosing a password, confirming or stopping a new e-mail address (N22; product.md sections 3 and 5).
//! Opening a link uses nothing up; only the form behind it does.

use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    company::Company,
    link::LinkPurpose,
    mail::Mail,
    name::EmailAddress,
    refusal::{Field, Problem, Refusal},
    secret::Password,
    session::EndReason,
};
use vestibule_storage::{LinkRow, StoreError};

use crate::{
    Failure, Recovery, Service, Visitor,
    accounts::{PASSWORD_LINKS, PasswordToSet},
    hashing::Verdict,
    letters::Receiver,
    profile::Judgement,
    sessions::SignedIn,
    work::{By, Work},
};

/// What the page behind a link shows.
pub struct OpenLink {
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// The new e-mail address that it is about.
    pub email: Option<String>,
}

/// Whose password is chosen, and why.
pub struct PasswordChoice {
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// The link it is chosen with; `None`: somebody signed in with a temporary password.
    pub link: Option<LinkPurpose>,
}

/// A choice, and the link it is made with.
struct Choice {
    shown: PasswordChoice,
    row: Option<LinkRow>,
}

impl Recovery {
    /// The link of this browser (`Visitor::link`), if it is still good and has one of these purposes. Changes nothing.
    ///
    /// # Errors
    /// `LinkOver`.
    pub async fn open_link(&self, purposes: &[LinkPurpose], visitor: &Visitor) -> Result<OpenLink, Refusal> {
        visitor
            .attempt(async {
                let row = self.find_link(purposes, visitor).await?;
                Ok(OpenLink {
                    purpose: row.purpose,
                    company: row.company,
                    account: row.account,
                    email: row.email,
                })
            })
            .await
    }

    /// Whose password may be chosen now: of the link of this browser, or else of whoever is signed in with a temporary
    /// password.
    ///
    /// # Errors
    /// `LinkOver` when there is a link that is not good any more; [`Refusal::NotSignedIn`] when there is nothing.
    pub async fn password_choice(&self, visitor: &Visitor) -> Result<PasswordChoice, Refusal> {
        visitor
            .attempt(self.find_choice(visitor))
            .await
            .map(|choice| choice.shown)
    }

    /// Chooses a password: uses the link up, ends all sessions, trusted browsers, pending sign-ins and links that choose
    /// passwords, and tells the account. Signs nobody in, unlocks nothing, leaves the second factor alone. Locked and
    /// inactive accounts may choose one all the same: the gate stays shut.
    ///
    /// # Errors
    /// As [`crate::Recovery::password_choice`]; `Invalid` with everything that is wrong, which uses nothing up.
    pub async fn choose_password(
        &self,
        new: Password,
        confirm: Password,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let Choice { shown, row } = self.find_choice(visitor).await?;
                let fields = self
                    .judge_new(&new, &confirm, &shown.company, &shown.account)
                    .await?;
                if !fields.is_empty() {
                    return Err(Refusal::Invalid { fields }.into());
                }
                if shown.account.password_must_change {
                    // Somebody else knows the temporary one.
                    let mut reader = self.inner.store.read().await?;
                    let stored = reader.password_of(shown.company.id, shown.account.id).await?;
                    drop(reader);
                    let hash = stored.as_ref().and_then(|stored| stored.hash.as_deref());
                    if self.inner.hasher.verify(&new, hash).await? != Verdict::Wrong {
                        return Err(Refusal::field(Field::NewPassword, Problem::Unchanged).into());
                    }
                }
                let hash = self.inner.hasher.hash(&new, self.random()).await?;

                let (mut work, company, account, means) = if let Some(link) = &row {
                    let (work, row) = self.use_up_link(link, &PASSWORD_LINKS, visitor).await?;
                    let means = match row.purpose {
                        LinkPurpose::Activate => "activation",
                        _ => "reset",
                    };
                    (work, row.company, row.account, means)
                } else {
                    let (work, SignedIn { company, account, .. }) = self.enter_confined(visitor).await?;
                    (work, company, account, "temporary")
                };
                let receiver = Receiver::new(&company, &account);
                let password = PasswordToSet {
                    hash: &hash,
                    temporary_until: None,
                };
                self.put_password(&mut work, receiver, password).await?;
                if means != "activation" {
                    let about = receiver.about(visitor);
                    self.tell(&mut work, receiver, Mail::PasswordChanged { about })
                        .await?;
                }
                let entry = AuditEntry {
                    detail: Some(means.to_owned()),
                    ..work.entry(Event::PasswordChosen, company.id, Some(account.id))
                };
                self.record(&mut work, &entry).await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// How good a password is that is being chosen. Changes nothing.
    ///
    /// # Errors
    /// As [`crate::Recovery::password_choice`].
    pub async fn judge_chosen_password(
        &self,
        new: &Password,
        visitor: &Visitor,
    ) -> Result<Judgement, Refusal> {
        let PasswordChoice { company, account, .. } = self.password_choice(visitor).await?;
        visitor.attempt(self.judge_typed(new, company, account)).await
    }

    /// Confirms a new e-mail address. Sessions and trusted browsers end with the old one; the codes of an e-mail factor go
    /// to the new one.
    ///
    /// # Errors
    /// `LinkOver`, also when another account has taken the address meanwhile.
    pub async fn confirm_email(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let purposes = [LinkPurpose::ConfirmEmail];
                let link = self.find_link(&purposes, visitor).await?;
                let (mut work, row) = self.use_up_link(&link, &purposes, visitor).await?;
                let email = row
                    .email
                    .as_deref()
                    .and_then(|email| EmailAddress::parse(email).ok())
                    .ok_or(Refusal::LinkOver)?;
                let (company, account) = (row.company.id, row.account.id);
                match work.put_email(company, account, &email, self.now()).await {
                    Err(StoreError::Conflict(_)) => {
                        drop(work);
                        return Err(self.refuse_link(Some(&row), visitor));
                    }
                    other => other?,
                };
                let receiver = Receiver::new(&row.company, &row.account);
                // Links that went to the old address are over with it.
                self.shut_out(
                    &mut work,
                    receiver,
                    &LinkPurpose::ALL,
                    EndReason::CredentialsChanged,
                )
                .await?;
                let entry = work.entry(Event::EmailChanged, company, Some(account));
                self.record(&mut work, &entry).await?;
                Ok(work.commit().await?)
            })
            .await
    }

    /// Stops a change of the e-mail address from the old one.
    ///
    /// # Errors
    /// `LinkOver`.
    pub async fn stop_email_change(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let purposes = [LinkPurpose::StopEmailChange];
                let link = self.find_link(&purposes, visitor).await?;
                let (mut work, row) = self.use_up_link(&link, &purposes, visitor).await?;
                let receiver = Receiver::new(&row.company, &row.account);
                self.end_email_change(&mut work, receiver).await?;
                Ok(work.commit().await?)
            })
            .await
    }
}

impl Service {
    /// The link of this browser, if it is good for one of these. One that is over is noted.
    async fn find_link(&self, purposes: &[LinkPurpose], visitor: &Visitor) -> Result<LinkRow, Failure> {
        let token = visitor.link.as_ref().ok_or(Refusal::LinkOver)?;
        let mut reader = self.inner.store.read().await?;
        let row = reader.link_by_token(token.hash()).await?;
        drop(reader);
        match row {
            Some(row) if self.is_good(&row, purposes) => Ok(row),
            row => Err(self.refuse_link(row.as_ref(), visitor)),
        }
    }

    fn is_good(&self, row: &LinkRow, purposes: &[LinkPurpose]) -> bool {
        purposes.contains(&row.purpose) && self.now() < row.expires_at
    }

    fn refuse_link(&self, row: Option<&LinkRow>, visitor: &Visitor) -> Failure {
        let (company, account) = row.map(|row| (row.company.id, row.account.id)).unzip();
        let entry = AuditEntry {
            detail: row.map(|row| row.purpose.as_str().to_owned()),
            ..visitor.entry(Event::LinkRefused, company, account)
        };
        self.note_stranger(entry, visitor);
        Refusal::LinkOver.into()
    }

    /// Uses the link up behind its account's lock, as part of the transaction that it opens the door for. Of several
    /// at once, one gets through.
    async fn use_up_link<'a>(
        &self,
        link: &LinkRow,
        purposes: &[LinkPurpose],
        visitor: &'a Visitor,
    ) -> Result<(Work<'a>, LinkRow), Failure> {
        let token = visitor.link.as_ref().ok_or(Refusal::LinkOver)?;
        let mut writer = self.inner.store.write().await?;
        writer.hold_account(link.company.id, link.account.id).await?;
        let row = writer.link_by_token(token.hash()).await?;
        if let Some(row) = row
            && row.account.id == link.account.id
            && self.is_good(&row, purposes)
            && writer.use_link(row.company.id, row.id).await?
        {
            // Whoever has the link is the account.
            return Ok((Work::new(writer, By::account(row.account.id, visitor)), row));
        }
        drop(writer);
        Err(self.refuse_link(Some(link), visitor))
    }

    async fn find_choice(&self, visitor: &Visitor) -> Result<Choice, Failure> {
        if visitor.link.is_some() {
            let row = self.find_link(&PASSWORD_LINKS, visitor).await?;
            return Ok(Choice {
                shown: PasswordChoice {
                    company: row.company.clone(),
                    account: row.account.clone(),
                    link: Some(row.purpose),
                },
                row: Some(row),
            });
        }
        let SignedIn { company, account, .. } = self.find_confined(visitor).await?;
        Ok(Choice {
            shown: PasswordChoice {
                company,
                account,
                link: None,
            },
            row: None,
        })
    }

    async fn find_confined(&self, visitor: &Visitor) -> Result<SignedIn, Failure> {
        let signed_in = self.find_session(visitor).await?;
        Ok(signed_in
            .filter(|signed_in| signed_in.account.password_must_change)
            .ok_or(Refusal::NotSignedIn)?)
    }
}
