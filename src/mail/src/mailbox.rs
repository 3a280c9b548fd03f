//! Mails kept in memory instead of sent: the demo's mailbox page and the test kit read them here.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vestibule_core::{id::MailId, name::EmailAddress, ports::Moment};

use crate::envelope::Envelope;

/// Mails that are kept; the oldest goes when one more arrives.
const KEPT: usize = 500;

/// A mail as its receiver has it. It may hold a code, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMail {
    /// Its identifier in the outbox.
    pub id: MailId,
    /// The sender.
    pub from: String,
    /// The receiver's address.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML page.
    pub html: String,
    /// When it was written.
    pub at: Moment,
}

/// The last 500 mails. Clones share them.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<VecDeque<StoredMail>>>);

impl Mailbox {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a mail on top. A mail that arrives twice, because the outbox could not be told of the first time, is kept once.
    pub fn deliver(&self, envelope: &Envelope) {
        let mail = StoredMail {
            id: envelope.message_id,
            from: envelope.from.to_string(),
            to: envelope.to.clone(),
            subject: envelope.message.subject.clone(),
            text: envelope.message.text.clone(),
            html: envelope.message.html.clone(),
            at: envelope.at,
        };
        let mut mails = self.lock();
        mails.retain(|kept| kept.id != mail.id);
        mails.push_front(mail);
        mails.truncate(KEPT);
    }

    /// All mails, or those to one address however it is capitalised; newest first.
    pub fn mails(&self, to: Option<&str>) -> Vec<StoredMail> {
        let wanted = to.map(EmailAddress::lookup_key);
        let matches = |mail: &&StoredMail| {
            wanted
                .as_ref()
                .is_none_or(|key| EmailAddress::lookup_key(&mail.to) == *key)
        };
        self.lock().iter().filter(matches).cloned().collect()
    }

    /// One mail.
    pub fn mail(&self, id: MailId) -> Option<StoredMail> {
        self.lock().iter().find(|mail| mail.id == id).cloned()
    }

    /// Throws all mails away.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<StoredMail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{Message, Sender};

    fn envelope(number: u128, to: &str) -> Envelope {
        let message = Message {
            subject: number.to_string(),
            text: "T".to_owned(),
            html: "H".to_owned(),
        };
        Envelope {
            from: Sender::parse("V <v@v.test>").unwrap(),
            reply_to: None,
            to: to.to_owned(),
            message,
            message_id: MailId(Uuid::from_u128(number)),
            at: Moment::UNIX_EPOCH,
        }
    }

    fn subjects(mails: &[StoredMail]) -> Vec<&str> {
        mails.iter().map(|mail| mail.subject.as_str()).collect()
    }

    #[test]
    fn the_newest_mail_comes_first_and_receivers_are_told_apart() {
        let mailbox = Mailbox::new();
        for (number, to) in [
            (1, "ann@x.test"),
            (2, "bob@x.test"),
            (3, "Ann@X.test"),
            (1, "ann@x.test"),
        ] {
            mailbox.clone().deliver(&envelope(number, to));
        }
        assert_eq!(subjects(&mailbox.mails(None)), ["1", "3", "2"]);
        assert_eq!(subjects(&mailbox.mails(Some(" ANN@x.test"))), ["1", "3"]);
        assert!(mailbox.mails(Some("eve@x.test")).is_empty());
        assert_eq!(mailbox.mail(MailId(Uuid::from_u128(2))).unwrap().to, "bob@x.test");
        mailbox.clear();
        assert!(mailbox.mails(None).is_empty());
    }

    #[test]
    fn only_the_last_five_hundred_are_kept() {
        let mailbox = Mailbox::new();
        (0..510).for_each(|number| mailbox.deliver(&envelope(number, "a@x.test")));
        let mails = mailbox.mails(None);
        assert_eq!(
            (
                mails.len(),
                mails[0].subject.as_str(),
                mails[499].subject.as_str()
            ),
            (500, "509", "10")
        );
    }
}
