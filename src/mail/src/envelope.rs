//! A composed mail with its sender and receiver, and its form on the wire.

use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use vestibule_core::{id::MailId, name::has_bad_characters, ports::Moment};

use crate::{
    compose::Message,
    transport::{Reason, SendError},
};

/// Who mails come from, such as `Vestibule <no-reply@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Mailbox);

/// A sender that is not of the form `name@example.org` or `Name <name@example.org>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sender is an address like no-reply@example.org or Vestibule <no-reply@example.org>")]
pub struct NotASender;

impl Sender {
    /// Checks what an operator configured.
    ///
    /// # Errors
    /// [`NotASender`].
    pub fn parse(text: &str) -> Result<Self, NotASender> {
        if has_bad_characters(text) {
            return Err(NotASender);
        }
        let mailbox: Mailbox = text.trim().parse().map_err(|_| NotASender)?;
        let email = address(mailbox.email.as_ref()).ok_or(NotASender)?;
        Ok(Self(Mailbox::new(
            mailbox.name.filter(|name| !name.is_empty()),
            email,
        )))
    }

    /// The domain of the address, in ASCII.
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A mail ready to go. It may hold a code, so it has no `Debug`.
#[derive(Clone)]
pub struct Envelope {
    /// Who it is from.
    pub from: Sender,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Sender>,
    /// The receiver's address.
    pub to: String,
    /// What it says.
    pub message: Message,
    /// Its identifier in the outbox. The `Message-ID` is made from it, so that every try carries the same.
    pub message_id: MailId,
    /// When it was written: the `Date`.
    pub at: Moment,
}

impl Envelope {
    /// The addresses for the mail server and the bytes of the mail.
    ///
    /// # Errors
    /// [`SendError::Permanent`] when the receiver's address is none.
    pub(crate) fn wire_form(&self) -> Result<(lettre::address::Envelope, Vec<u8>), SendError> {
        let unusable = SendError::Permanent(Reason::Address);
        let to = address(&self.to).ok_or(unusable)?;
        // The boundary needs no randomness of its own: nobody who writes into a mail knows its identifier beforehand.
        let body = MultiPart::alternative()
            .boundary(format!("=_{}", self.message_id.0.simple()))
            .singlepart(SinglePart::plain(self.message.text.clone()))
            .singlepart(SinglePart::html(self.message.html.clone()));
        let builder = match &self.reply_to {
            Some(reply_to) => lettre::Message::builder().reply_to(reply_to.0.clone()),
            None => lettre::Message::builder(),
        };
        let mail = builder
            .from(self.from.0.clone())
            .to(Mailbox::new(None, to))
            .subject(self.message.subject.replace(|c: char| c.is_control(), " "))
            .date(self.at.into())
            .message_id(Some(format!("<{}@{}>", self.message_id, self.from.domain())))
            .header(AutoSubmitted)
            .header(AutoResponseSuppress)
            .multipart(body)
            .map_err(|_| unusable)?;
        Ok((mail.envelope().clone(), mail.formatted()))
    }
}

/// An address with its domain in ASCII, so that only a foreign local part needs a server with SMTPUTF8.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let url::Host::Domain(domain) = url::Host::parse(domain).ok()? else {
        return None;
    };
    Address::new(local, domain).ok()
}

/// A header that always says the same.
macro_rules! fixed_header {
    ($(#[$doc:meta])* $type:ident, $name:literal, $value:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $type;

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self)
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value.to_owned())
            }
        }
    };
}

fixed_header! {
    /// Tells vacation responders to stay quiet (RFC 3834, section 5).
    AutoSubmitted, "Auto-Submitted", "auto-generated"
}

fixed_header! {
    /// Tells those of Exchange and Outlook, which do not look at the other one ([MS-OXCMAIL], 2.2.3.2.14).
    AutoResponseSuppress, "X-Auto-Response-Suppress", "All"
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn envelope(to: &str, subject: &str) -> Envelope {
        let message = Message {
            subject: subject.to_owned(),
            text: "Grüße\n".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
        };
        Envelope {
            from: Sender::parse("Vestibülé <no-reply@bücher.test>").unwrap(),
            reply_to: None,
            to: to.to_owned(),
            message,
            message_id: MailId(Uuid::from_u128(7)),
            at: Moment::UNIX_EPOCH + TimeDelta::seconds(784_887_151),
        }
    }

    #[test]
    fn a_mail_has_all_its_headers_and_only_ascii() {
        let (addresses, bytes) = envelope("ann@example.org", "Grüße").wire_form().unwrap();
        assert_eq!(addresses.to()[0].to_string(), "ann@example.org");
        assert_eq!(
            addresses.from().unwrap().to_string(),
            "no-reply@xn--bcher-kva.test"
        );
        let wire = String::from_utf8(bytes).unwrap();
        assert!(wire.is_ascii());
        for line in [
            "To: ann@example.org",
            "Date: Tue, 15 Nov 1994 08:12:31 +0000",
            "Message-ID: <00000000-0000-0000-0000-000000000007@xn--bcher-kva.test>",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
        ] {
            assert!(
                wire.contains(&format!("{line}\r\n")),
                "{line} is missing in\n{wire}"
            );
        }
        assert!(wire.contains("multipart/alternative"));
        assert_eq!(
            wire,
            String::from_utf8(envelope("ann@example.org", "Grüße").wire_form().unwrap().1).unwrap()
        );
    }

    #[test]
    fn nothing_adds_a_header() {
        let (_, bytes) = envelope("ann@example.org", "A\r\nBcc: eve@evil.test\r\n\r\nx")
            .wire_form()
            .unwrap();
        let wire = String::from_utf8(bytes).unwrap();
        assert!(
            wire.lines()
                .all(|line| !line.to_ascii_lowercase().starts_with("bcc")),
            "{wire}"
        );
        for bad in [
            "",
            "ann",
            "a@b@",
            "a@x.test\r\nBcc: eve@evil.test",
            "a@x.test,b@x.test",
            "<a@x.test>",
            "a@[1.2.3.4]",
        ] {
            assert!(
                matches!(
                    envelope(bad, "S").wire_form(),
                    Err(SendError::Permanent(Reason::Address))
                ),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_sender_may_have_a_name() {
        for good in [
            "a@b.test",
            " Vestibule <a@b.test> ",
            "\"Sign-in, Acme\" <a@b.test>",
        ] {
            assert_eq!(Sender::parse(good).unwrap().domain(), "b.test", "{good}");
        }
        for bad in ["", "Vestibule", "a@", "a@b.test, c@d.test", "A\r\nB <a@b.test>"] {
            assert_eq!(Sender::parse(bad), Err(NotASender), "{bad:?}");
        }
    }
}
