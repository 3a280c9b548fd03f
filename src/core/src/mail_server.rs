//! A company's own mail server (product.md section 3, Custom SMTP Server).

use crate::words;

words! {
    /// How connections to a company's mail server are encrypted.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum MailSecurity {
        /// TLS from the first byte.
        #[default]
        Tls = "tls",
        /// STARTTLS, or no mail is sent.
        StartTls = "starttls",
        /// Not at all: only to a server on the same machine.
        None = "none",
    }
}

impl MailSecurity {
    /// The port that servers usually listen on for it.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MailSecurity;

    #[test]
    fn words_are_read_as_they_are_written() {
        for security in MailSecurity::ALL {
            assert_eq!(MailSecurity::from_word(security.as_str()), Some(security));
        }
        assert_eq!(MailSecurity::from_word("TLS"), None);
    }
}
