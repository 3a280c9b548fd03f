//! Letters to an account: who gets them, in which language, and what they say about the place it happened in.

use vestibule_core::{
    account::Account,
    company::Company,
    id::PendingId,
    link::LinkPurpose,
    mail::{About, Letter, Mail, TimeStyle},
    name::form_of_address,
    paths,
    ports::Moment,
    secret::Token,
};
use vestibule_mail::outbox::{Claimed, Route};
use vestibule_storage::{StoreError, Writer};

use crate::{Service, Visitor};

/// Somebody who gets a mail.
#[derive(Clone, Copy)]
pub(crate) struct Receiver<'a> {
    pub company: &'a Company,
    pub account: &'a Account,
}

/// When a letter with a code is of no use any more, and which code page shows how it is doing.
pub(crate) struct CodeLetter {
    pub expires_at: Moment,
    pub pending: Option<PendingId>,
}

/// Where else a letter goes than to the account's address, and when it is of no use any more.
pub(crate) struct Sending<'a> {
    pub address: Option<&'a str>,
    pub expires_at: Moment,
}

impl<'a> Receiver<'a> {
    /// This account of this company.
    pub const fn new(company: &'a Company, account: &'a Account) -> Self {
        Self { company, account }
    }

    /// What the mail says in every case.
    pub fn about(self, visitor: &Visitor) -> About {
        About {
            name: form_of_address(&self.account.person.first_name, &self.account.person.last_name),
            company: self.company.name.clone(),
            account: self.account.name.clone(),
            browser: visitor.browser.clone().unwrap_or_default(),
            address: visitor.address.clone().unwrap_or_default(),
            times: TimeStyle {
                zone: self.company.settings.time_zone.clone(),
                format: self.account.person.time_format,
            },
        }
    }

    fn letter(self, mail: Mail) -> Letter {
        Letter {
            company: self.company.id,
            account: self.account.id,
            receiver: self.account.email.clone(),
            language: language_of(self.company, self.account),
            mail,
            expires_at: None,
            pending: None,
        }
    }
}

impl Service {
    /// Address of the sign-in page with the company filled in.
    pub(crate) fn sign_in_url(&self, company: &Company) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("company", &company.name)
            .finish();
        [&self.inner.settings.origin, paths::LOGIN, "?", &query].concat()
    }

    /// The whole address of a link.
    pub(crate) fn link_url(&self, purpose: LinkPurpose, token: &Token) -> String {
        [self.inner.settings.origin.as_str(), &purpose.address(token)].concat()
    }

    /// Tells an account something that has happened, in its own language.
    pub(crate) async fn tell(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        mail: Mail,
    ) -> Result<(), StoreError> {
        self.post(writer, &receiver.letter(mail)).await
    }

    /// Tells an account something that is of use for a while only.
    pub(crate) async fn tell_until(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        mail: Mail,
        sending: Sending<'_>,
    ) -> Result<(), StoreError> {
        let letter = receiver.letter(mail);
        let letter = Letter {
            receiver: sending.address.map_or(letter.receiver, str::to_owned),
            expires_at: Some(sending.expires_at),
            ..letter
        };
        self.post(writer, &letter).await
    }

    /// Writes a mail to an account that whoever asks for it sends at once; see [`Service::post_claimed`].
    pub(crate) async fn tell_in_person(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        mail: Mail,
        route: Route,
    ) -> Result<Claimed, StoreError> {
        self.post_claimed(writer, receiver.letter(mail), route).await
    }

    /// Sends an account a code it waits for, in the language of the page it waits on.
    pub(crate) async fn send_code(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        mail: Mail,
        code: CodeLetter,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        let letter = receiver.letter(mail);
        let letter = Letter {
            language: visitor.language.clone().unwrap_or(letter.language),
            expires_at: Some(code.expires_at),
            pending: code.pending,
            ..letter
        };
        self.post(writer, &letter).await
    }
}

/// Language of mails to an account: its own, or else the company's.
fn language_of(company: &Company, account: &Account) -> String {
    account
        .person
        .language
        .clone()
        .unwrap_or_else(|| company.settings.language.clone())
}
