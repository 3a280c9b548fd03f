//! Forgotten passwords (product.md section 3; N22). The request only writes down what was typed; a worker looks it up
//! later. So neither the words nor the time of the answer say whether there is such an account.

use chrono::TimeDelta;
use vestibule_core::{
    audit::{AuditEntry, Event},
    company::Company,
    id::ResetRequestId,
    limits::{COMPANY_MAX, RESET_LINK_MINUTES, RESET_LINKS_OF_ACCOUNT, RESET_LINKS_OF_SOURCE},
    link::LinkPurpose,
    mail::Mail,
    name::{self, EmailAddress, has_bad_characters},
    refusal::{Field, FieldProblem, Problem, Refusal},
    text::trim,
};
use vestibule_storage::{ResetRequest, StoreError, Writer};

use crate::{
    Recovery, Service, Visitor,
    letters::{Receiver, Sending},
    new_agents::check_email,
};

/// What was typed by somebody who forgot the password.
pub struct ResetInput {
    /// The company's name.
    pub company: String,
    /// The account's e-mail address.
    pub email: String,
}

impl ResetInput {
    /// What is wrong with it, whoever asks.
    pub fn problems(&self) -> Option<Refusal> {
        keys_of(self).err()
    }
}

/// Why nobody gets a link; the words are those of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoLink {
    TooLate,
    UnknownCompany,
    UnknownAccount,
    CompanyDisabled,
    AccountInactive,
    NoPassword,
    AccountLimit,
}

impl NoLink {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TooLate => "too_late",
            Self::UnknownCompany => "unknown_company",
            Self::UnknownAccount => "unknown_account",
            Self::CompanyDisabled => "company_disabled",
            Self::AccountInactive => "account_inactive",
            Self::NoPassword => "no_password",
            Self::AccountLimit => "account_limit",
        }
    }
}

/// A source that asked too often; noted once an hour.
const SOURCE_LIMIT: &str = "source_limit";
/// Stored for a mail whose link a newer one has replaced.
pub(crate) const REPLACED: &str = "replaced";

/// The keys of what was typed.
fn keys_of(input: &ResetInput) -> Result<[String; 2], Refusal> {
    let mut fields = Vec::new();
    let company = trim(&input.company);
    let problem = if name::key(company).is_empty() {
        Some(Problem::Missing)
    } else if company.chars().count() > COMPANY_MAX {
        Some(Problem::TooLong { most: COMPANY_MAX })
    } else {
        has_bad_characters(company).then_some(Problem::BadCharacters)
    };
    fields.extend(problem.map(|problem| FieldProblem {
        field: Field::Company,
        problem,
    }));
    match check_email(&input.email, &mut fields) {
        // The former keys, which say which of two twins is meant.
        Some(email) if fields.is_empty() => Ok([
            name::former_key(company),
            EmailAddress::former_key(email.display()),
        ]),
        _ => Err(Refusal::Invalid { fields }),
    }
}

impl Recovery {
    /// Writes down that somebody asks for a link to choose a new password. The answer is the same for everything that
    /// can be read, and nothing is looked up for it.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for what is no company's name or no e-mail address.
    pub async fn ask_for_reset_link(&self, input: &ResetInput, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let [company_key, email_key] = keys_of(input)?;
                let now = self.now();
                if self.inner.strangers.asked_too_often(&visitor.source, now) {
                    return Ok(());
                }
                let mut writer = self.inner.store.write().await?;
                let asked = writer.count_reset_request(&visitor.source, now).await?;
                if asked <= RESET_LINKS_OF_SOURCE {
                    let request = ResetRequest {
                        id: ResetRequestId::new(now, self.random()),
                        company_key,
                        email_key,
                        address: visitor.address.clone(),
                        browser: visitor.browser.clone(),
                        request: (!visitor.request.is_empty()).then(|| visitor.request.clone()),
                        created_at: now,
                    };
                    writer.insert_reset_request(&request).await?;
                } else if asked == RESET_LINKS_OF_SOURCE + 1 {
                    let entry = AuditEntry {
                        detail: Some(SOURCE_LIMIT.to_owned()),
                        ..visitor.entry(Event::ResetRefused, None, None)
                    };
                    self.record(&mut writer, &entry).await?;
                }
                writer.commit().await?;
                if asked > RESET_LINKS_OF_SOURCE {
                    self.inner.strangers.remember_asking(&visitor.source, now);
                    return Ok(());
                }
                self.inner.reset_asked.notify_one();
                Ok(())
            })
            .await
    }

    /// Looks up everybody who asked for a link to choose a new password and mails those who get one; gives how many it
    /// looked up. Several nodes share the work.
    ///
    /// # Errors
    /// A failing database: what was not answered waits for the next time.
    pub async fn answer_reset_requests(&self) -> Result<usize, StoreError> {
        let mut answered = 0;
        // Looking costs no write: an idle Vestibule leaves its disk alone.
        while self.inner.store.read().await?.has_reset_request().await? {
            let mut writer = self.inner.store.write().await?;
            let Some(request) = writer.take_reset_request().await? else {
                break;
            };
            self.answer_reset_request(&mut writer, request).await?;
            writer.commit().await?;
            answered += 1;
        }
        Ok(answered)
    }
}

impl Service {
    async fn answer_reset_request(
        &self,
        writer: &mut Writer,
        request: ResetRequest,
    ) -> Result<(), StoreError> {
        let visitor = Visitor {
            address: request.address,
            browser: request.browser,
            request: request.request.unwrap_or_default(),
            ..Visitor::default()
        };
        let refused = |reason: NoLink, company: Option<&Company>, account| AuditEntry {
            detail: Some(reason.as_str().to_owned()),
            ..visitor.entry(Event::ResetRefused, company.map(|company| company.id), account)
        };
        let too_late = request.created_at + TimeDelta::minutes(RESET_LINK_MINUTES) <= self.now();
        let company = writer.company_by_name(&request.company_key).await?;
        let entry = match company {
            _ if too_late => refused(NoLink::TooLate, None, None),
            None => refused(NoLink::UnknownCompany, None, None),
            Some(company) => {
                let email = &request.email_key;
                match writer.account_by_sign_in(company.id, email, email).await? {
                    Some((found, _))
                        if EmailAddress::lookup_key(&found.email) == EmailAddress::lookup_key(email) =>
                    {
                        let account = found.id;
                        match self.mail_asked_link(writer, &company, account, &visitor).await? {
                            Ok(()) => visitor.entry(Event::ResetLinkSent, Some(company.id), Some(account)),
                            Err(reason) => refused(reason, Some(&company), Some(account)),
                        }
                    }
                    _ => refused(NoLink::UnknownAccount, Some(&company), None),
                }
            }
        };
        self.record(writer, &entry).await
    }

    /// Mails a link to an account that is known, behind its lock. Locked accounts get one too: the gate stays shut.
    async fn mail_asked_link(
        &self,
        writer: &mut Writer,
        company: &Company,
        account: vestibule_core::id::AccountId,
        visitor: &Visitor,
    ) -> Result<Result<(), NoLink>, StoreError> {
        writer.hold_account(company.id, account).await?;
        let Some(account) = writer.account(company.id, account).await? else {
            return Ok(Err(NoLink::UnknownAccount));
        };
        if !company.enabled {
            return Ok(Err(NoLink::CompanyDisabled));
        }
        if !account.active {
            return Ok(Err(NoLink::AccountInactive));
        }
        if !account.has_password {
            return Ok(Err(NoLink::NoPassword));
        }
        let now = self.now();
        let mailed = writer
            .mails_since(
                company.id,
                account.id,
                Mail::RESET_LINK,
                now - TimeDelta::hours(1),
            )
            .await?;
        if mailed >= RESET_LINKS_OF_ACCOUNT {
            return Ok(Err(NoLink::AccountLimit));
        }
        writer
            .drop_mails(company.id, account.id, Mail::RESET_LINK, now, REPLACED)
            .await?;
        let receiver = Receiver::new(company, &account);
        let (link, expires_at) = self
            .make_link(writer, receiver, LinkPurpose::ResetPassword, None)
            .await?;
        let mail = Mail::ResetLink {
            about: receiver.about(visitor),
            link,
            minutes: u32::try_from(RESET_LINK_MINUTES).unwrap_or_default(),
        };
        let sending = Sending {
            address: None,
            expires_at,
        };
        self.tell_until(writer, receiver, mail, sending).await?;
        Ok(Ok(()))
    }
}
