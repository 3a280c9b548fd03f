//! What is done to somebody else's account, whoever does it: an admin, a supervisor or an operator. Each is a part of
//! the transaction of its caller.

use chrono::TimeDelta;
use vestibule_core::{
    audit::{AuditEntry, Event},
    backup_code::BackupCode,
    id::LinkId,
    limits::{ISSUED_CODE_SECONDS, REASON_MAX},
    link::LinkPurpose,
    mail::Mail,
    name::has_bad_characters,
    ports::Moment,
    refusal::{Field, Problem, Refusal},
    secret::Token,
    session::EndReason,
    text::trim,
};
use vestibule_storage::{NewIssuedCode, NewLink, StoreError, Writer};
use zeroize::Zeroizing;

use crate::{Failure, Service, letters::Receiver, sign_in::tries::subject_of, work::Work};

/// The links that choose a password.
pub(crate) const PASSWORD_LINKS: [LinkPurpose; 2] = [LinkPurpose::Activate, LinkPurpose::ResetPassword];
/// The links of a change of the e-mail address.
pub(crate) const EMAIL_LINKS: [LinkPurpose; 2] = [LinkPurpose::ConfirmEmail, LinkPurpose::StopEmailChange];

/// A password to set.
pub(crate) struct PasswordToSet<'a> {
    pub hash: &'a str,
    /// Until when it can be used, if it is a temporary one.
    pub temporary_until: Option<Moment>,
}

/// A backup code that is about to be issued.
pub(crate) struct DrawnCode {
    pub code: BackupCode,
    salt: [u8; 16],
    hash: [u8; 32],
}

/// What is wrong with the reason of a backup code.
pub(crate) fn reason_problem(reason: &str) -> Option<Problem> {
    if reason.is_empty() {
        Some(Problem::Missing)
    } else if reason.chars().count() > REASON_MAX {
        Some(Problem::TooLong { most: REASON_MAX })
    } else {
        has_bad_characters(reason).then_some(Problem::BadCharacters)
    }
}

/// A reason that may be left out, as it was typed; `None` = it was.
///
/// # Errors
/// `Invalid` for one that is too long, or has characters that nobody sees.
pub(crate) fn optional_reason(typed: &str) -> Result<Option<&str>, Refusal> {
    let reason = trim(typed);
    match reason_problem(reason) {
        None => Ok(Some(reason)),
        Some(Problem::Missing) => Ok(None),
        Some(problem) => Err(Refusal::field(Field::Reason, problem)),
    }
}

/// How many sessions were ended and why, for the audit log.
pub(crate) fn ended_detail(ended: u64, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{ended}: {reason}"),
        None => ended.to_string(),
    }
}

impl Service {
    /// Ends everything that lets somebody in without the password: sessions, pending sign-ins, set-ups, trusted
    /// browsers, and these links.
    pub(crate) async fn shut_out(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        links: &[LinkPurpose],
        reason: EndReason,
    ) -> Result<(), StoreError> {
        writer
            .delete_pendings_of(receiver.company.id, receiver.account.id)
            .await?;
        self.end_what_is_open(writer, receiver, links, (reason, None))
            .await
    }

    /// The same but for pending sign-ins, with what is told to the agent besides.
    async fn end_what_is_open(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        links: &[LinkPurpose],
        (reason, note): (EndReason, Option<&str>),
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        writer
            .end_sessions_of(company, account, self.ending(reason), note)
            .await?;
        writer.end_set_ups_of(company, account).await?;
        writer.end_trusted_of(company, account).await?;
        writer.end_links_of(company, account, links).await?;
        Ok(())
    }

    /// Replaces the password; nothing that was opened with the old one stays open.
    pub(crate) async fn put_password(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        password: PasswordToSet<'_>,
    ) -> Result<(), StoreError> {
        let Receiver { company, account } = receiver;
        let until = password.temporary_until;
        writer
            .set_password(
                company.id,
                account.id,
                password.hash,
                until.is_some(),
                until,
                self.now(),
            )
            .await?;
        self.shut_out(writer, receiver, &PASSWORD_LINKS, EndReason::PasswordChanged)
            .await?;
        writer
            .clear_all_password_tries(&subject_of(company, account))
            .await
    }

    /// The same on behalf of the account, which hears of it.
    pub(crate) async fn reset_password_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        password: PasswordToSet<'_>,
    ) -> Result<(), StoreError> {
        self.put_password(work, receiver, password).await?;
        // Where the admin sits is no business of the agent's.
        let about = receiver.about(&crate::Visitor::default());
        self.tell(work, receiver, Mail::PasswordReset { about }).await?;
        let entry = work.entry(Event::PasswordSet, receiver.company.id, Some(receiver.account.id));
        self.record(work, &entry).await
    }

    /// Takes the password away on behalf of the account, which hears of it; nothing that was opened with it stays open.
    pub(crate) async fn remove_password_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        provider: String,
    ) -> Result<(), StoreError> {
        let Receiver { company, account } = receiver;
        work.remove_password(company.id, account.id, self.now()).await?;
        self.shut_out(work, receiver, &PASSWORD_LINKS, EndReason::CredentialsChanged)
            .await?;
        let about = receiver.about(&crate::Visitor::default());
        self.tell(work, receiver, Mail::PasswordRemoved { about, provider })
            .await?;
        let entry = work.entry(Event::PasswordRemoved, company.id, Some(account.id));
        self.record(work, &entry).await
    }

    /// Unlocks an account, sets its counter to zero and tells the agent. Says whether there was anything to unlock.
    pub(crate) async fn unlock_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
    ) -> Result<bool, StoreError> {
        let Receiver { company, account } = receiver;
        if !work.unlock_account(company.id, account.id, self.now()).await? {
            return Ok(false);
        }
        let mail = Mail::AccountUnlocked {
            name: account.person.first_name.clone(),
            company: company.name.clone(),
            account: account.name.clone(),
            link: self.sign_in_url(company),
        };
        self.tell(work, receiver, mail).await?;
        let entry = work.entry(Event::AccountUnlocked, company.id, Some(account.id));
        self.record(work, &entry).await?;
        Ok(true)
    }

    /// Switches an account on or off. Off ends its sessions, set-ups, trusted browsers and links, and a backup code that was
    /// issued to it; a sign-in under way is stopped by the gate, which tells why. The reason goes into the audit log, and is
    /// told where sessions end.
    pub(crate) async fn switch_account_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        active: bool,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        work.set_account_active(company, account, active, self.now())
            .await?;
        self.switched_in(work, receiver, active, reason).await
    }

    /// What follows from switching an account on or off.
    pub(crate) async fn switched_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        active: bool,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let event = if active {
            Event::AccountActivated
        } else {
            let ending = (EndReason::Deactivated, reason);
            self.end_what_is_open(work, receiver, &LinkPurpose::ALL, ending)
                .await?;
            work.end_issued_code(receiver.company.id, receiver.account.id, self.now())
                .await?;
            Event::AccountDeactivated
        };
        let entry = AuditEntry {
            detail: reason.map(str::to_owned),
            ..work.entry(event, receiver.company.id, Some(receiver.account.id))
        };
        self.record(work, &entry).await
    }

    /// Ends all sessions and pending sign-ins of an account; gives the number of sessions. The reason goes into the audit log
    /// and is told where the sessions were.
    pub(crate) async fn end_sessions_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        reason: Option<&str>,
    ) -> Result<u64, StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        let ended = work
            .end_sessions_of(company, account, self.ending(EndReason::ByAdmin), reason)
            .await?;
        work.delete_pendings_of(company, account).await?;
        let entry = AuditEntry {
            detail: Some(ended_detail(ended, reason)),
            ..work.entry(Event::SessionsEnded, company, Some(account))
        };
        self.record(work, &entry).await?;
        Ok(ended)
    }

    /// Deletes an account with everything that hangs on it; its names are free then, the audit log keeps them. Says whether
    /// it was there.
    pub(crate) async fn delete_account_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
    ) -> Result<bool, StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        // First the line of the audit log: it takes the name from the account.
        let entry = work.entry(Event::AccountDeleted, company, Some(account));
        self.record(work, &entry).await?;
        work.end_sessions_of(company, account, self.ending(EndReason::Deleted), None)
            .await?;
        work.delete_account(company, account).await
    }

    /// Draws a backup code and hashes it. Nothing is stored yet.
    pub(crate) async fn draw_issued_code(&self) -> Result<DrawnCode, Failure> {
        let code = BackupCode::draw(self.random());
        let mut salt = [0; 16];
        self.random().fill(&mut salt);
        let secret = Zeroizing::new(code.bytes().to_vec());
        let hashes = self.inner.hasher.derive(vec![secret], salt.to_vec()).await?;
        Ok(DrawnCode {
            code,
            salt,
            hash: hashes.first().copied().unwrap_or_default(),
        })
    }

    /// Issues a backup code in place of any earlier one (N17). The agent is told that there is one, not what it is.
    pub(crate) async fn issue_code_in(
        &self,
        work: &mut Work<'_>,
        receiver: Receiver<'_>,
        drawn: &DrawnCode,
        reason: &str,
    ) -> Result<(), StoreError> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        let now = self.now();
        work.put_issued_code(&NewIssuedCode {
            company,
            account,
            salt: drawn.salt,
            code_hash: drawn.hash,
            created_at: now,
            expires_at: now + TimeDelta::seconds(ISSUED_CODE_SECONDS),
        })
        .await?;
        let mail = Mail::BackupCodeIssued {
            about: receiver.about(&crate::Visitor::default()),
            minutes: u32::try_from(ISSUED_CODE_SECONDS / 60).unwrap_or_default(),
        };
        self.tell(work, receiver, mail).await?;
        let entry = AuditEntry {
            detail: Some(reason.to_owned()),
            ..work.entry(Event::BackupCodeIssued, company, Some(account))
        };
        self.record(work, &entry).await
    }

    /// Makes a link in place of an older one of the same purpose; gives its whole address and its end.
    pub(crate) async fn make_link(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        purpose: LinkPurpose,
        email: Option<&str>,
    ) -> Result<(String, Moment), StoreError> {
        let now = self.now();
        let token = Token::new(self.random());
        let expires_at = purpose.ends_at(now);
        writer
            .put_link(&NewLink {
                company: receiver.company.id,
                id: LinkId::new(now, self.random()),
                account: receiver.account.id,
                purpose,
                token_hash: token.hash(),
                email: email.map(str::to_owned),
                created_at: now,
                expires_at,
            })
            .await?;
        Ok((self.link_url(purpose, &token), expires_at))
    }
}
