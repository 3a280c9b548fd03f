//! Custom SMTP Server (product.md section 3): a company's mails through a server of its own. Whoever configures it reads
//! every link that mails bring, so it asks for a recent proof of identity.

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use vestibule_core::{
    audit::{AuditEntry, Event},
    id::CompanyId,
    limits::{EMAIL_MAX, HOST_MAX, MAIL_LOGIN_MAX, PENDING_SECONDS, TEST_MAILS_OF_COMPANY},
    mail::Mail,
    mail_server::MailSecurity,
    name::has_bad_characters,
    refusal::{Field, FieldProblem, Problem, Refusal},
    rights::Action,
    text::trim,
};
use vestibule_mail::{
    CheckedHost, Reach, Sender, SmtpSettings, Try,
    outbox::{OwnServer, Problem as MailProblem, Queue, Route},
};
use vestibule_storage::{MailServerRow, Reader, StoreError};
use zeroize::Zeroizing;

use super::{Hold, MailServerInput, MailServerPage, MailServerSaved, company::whole_number};
use crate::{
    Console, Failure, Service, Visitor,
    keys::Purpose,
    letters::{Receiver, Sending},
    locked,
    notes::NoteKind,
    sessions::SignedIn,
};

/// What an admin chose, checked.
struct Chosen {
    host: CheckedHost,
    port: u16,
    security: MailSecurity,
    user: Option<String>,
    sender: Sender,
    reply_to: Option<Sender>,
}

/// A server that was tried in this session as it was typed. It is kept for a while, so that what was tried is what is saved:
/// a password never comes back to the page.
#[derive(Serialize, Deserialize)]
struct Tried {
    host: String,
    port: u16,
    /// Word of how connections are encrypted.
    security: String,
    /// Empty = none.
    user: String,
    /// Empty = the one that was stored.
    password: Zeroizing<String>,
    sender: String,
    /// Version of the server that was saved then.
    version: Option<i64>,
    /// Whether the server took the mail.
    good: bool,
}

impl Tried {
    /// Whether its password is that of the host and the user which are typed now.
    fn is_for(&self, input: &MailServerInput) -> bool {
        let host = CheckedHost::parse(&input.host);
        host.is_some_and(|host| host.name == self.host) && input.user.trim() == self.user
    }

    /// Whether a mail went the way that is saved now, in the place of `version`.
    fn proves(&self, row: &MailServerRow, input: &MailServerInput, version: Option<i64>) -> bool {
        let same_password = if self.password.is_empty() {
            input.password.is_empty() && self.version == version
        } else {
            self.password == input.password
        };
        self.good
            && same_password
            && self.host == row.host
            && self.port == row.port
            && self.security == row.security.as_str()
            && self.user == row.user.as_deref().unwrap_or_default()
            && self.sender == row.sender
    }
}

impl MailServerInput {
    /// The same with the password that was typed for a test of this host and this user, when none is typed now.
    fn knowing(mut self, tried: Option<&Tried>) -> Self {
        if self.password.is_empty()
            && let Some(tried) = tried.filter(|tried| tried.is_for(&self))
        {
            self.password = tried.password.clone();
        }
        self
    }
}

/// What is wrong with the inputs, collected.
#[derive(Default)]
struct Problems(Vec<FieldProblem>);

impl Problems {
    fn add(&mut self, field: Field, problem: Problem) {
        self.0.push(FieldProblem { field, problem });
    }

    /// The text, when it is neither too long nor unreadable.
    fn text<'a>(&mut self, field: Field, typed: &'a str, most: usize) -> Option<&'a str> {
        if typed.chars().count() > most {
            self.add(field, Problem::TooLong { most });
            None
        } else if has_bad_characters(typed) {
            self.add(field, Problem::BadCharacters);
            None
        } else {
            Some(typed)
        }
    }
}

impl Chosen {
    /// Reads what was typed. `kept`: whether a password is stored for this host and this user.
    fn read(
        input: &MailServerInput,
        reach: Reach,
        kept: impl Fn(&str, &str) -> bool,
    ) -> Result<Self, Refusal> {
        let mut problems = Problems::default();
        let host = read_host(&input.host, reach, &mut problems);
        let port = whole_number(&input.port).filter(|port| *port > 0);
        if port.is_none() {
            let range = Problem::OutOfRange {
                least: 1,
                most: usize::from(u16::MAX),
            };
            problems.add(Field::Port, range);
        }
        let security = MailSecurity::from_word(&input.security);
        match (security, &host) {
            (None, _) => problems.add(Field::MailSecurity, Problem::NotOffered),
            (Some(MailSecurity::None), Some(host)) if !host.loopback => {
                problems.add(Field::MailSecurity, Problem::Unencrypted);
            }
            _ => {}
        }
        let user = problems.text(Field::MailUser, input.user.trim(), MAIL_LOGIN_MAX);
        problems.text(Field::MailPassword, &input.password, MAIL_LOGIN_MAX);
        if user == Some("") && !input.password.is_empty() {
            problems.add(Field::MailUser, Problem::Missing);
        }
        let user = user.unwrap_or_default();
        let known = host.as_ref().is_some_and(|host| kept(&host.name, user));
        if !user.is_empty() && input.password.is_empty() && !known {
            problems.add(Field::MailPassword, Problem::Missing);
        }
        let sender = read_sender(Field::Sender, &input.sender, &mut problems);
        if trim(&input.sender).is_empty() {
            problems.add(Field::Sender, Problem::Missing);
        }
        let reply_to = read_sender(Field::ReplyTo, &input.reply_to, &mut problems);
        match (host, port, security, sender) {
            (Some(host), Some(port), Some(security), Some(sender)) if problems.0.is_empty() => Ok(Self {
                host,
                port,
                security,
                user: Some(user.to_owned()).filter(|user| !user.is_empty()),
                sender,
                reply_to,
            }),
            _ => Err(Refusal::Invalid { fields: problems.0 }),
        }
    }
}

fn read_host(typed: &str, reach: Reach, problems: &mut Problems) -> Option<CheckedHost> {
    let typed = problems.text(Field::Host, trim(typed), HOST_MAX)?;
    if typed.is_empty() {
        problems.add(Field::Host, Problem::Missing);
        return None;
    }
    let host = CheckedHost::parse(typed);
    match &host {
        None => problems.add(Field::Host, Problem::NotAHost),
        Some(host) if reach == Reach::Public && !host.may_be_public() => {
            problems.add(Field::Host, Problem::PrivateHost);
        }
        Some(_) => {}
    }
    host
}

/// An address with or without a name; nothing when nothing was typed.
fn read_sender(field: Field, typed: &str, problems: &mut Problems) -> Option<Sender> {
    let typed = problems.text(field, trim(typed), EMAIL_MAX)?;
    if typed.is_empty() {
        return None;
    }
    Sender::parse(typed)
        .map_err(|_| problems.add(field, Problem::NotASender))
        .ok()
}

/// Whether mails go the same way through both.
fn same_way(one: &MailServerRow, other: &MailServerRow) -> bool {
    (&one.host, one.port, one.security) == (&other.host, other.port, other.security)
        && (&one.user, &one.sealed_password) == (&other.user, &other.sealed_password)
        && one.sender == other.sender
}

/// Which server was tried, for the audit log.
fn which(row: &MailServerRow) -> String {
    format!("host: {}; port: {}", row.host, row.port)
}

/// What changes from what to what, for the audit log; never the password.
fn changes(before: Option<&MailServerRow>, after: Option<&MailServerRow>) -> String {
    let words = |row: Option<&MailServerRow>| {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        [
            ("host", or_none(row.map(|row| row.host.clone()))),
            ("port", or_none(row.map(|row| row.port.to_string()))),
            (
                "security",
                or_none(row.map(|row| row.security.as_str().to_owned())),
            ),
            ("user", or_none(row.and_then(|row| row.user.clone()))),
            ("sender", or_none(row.map(|row| row.sender.clone()))),
            ("reply_to", or_none(row.and_then(|row| row.reply_to.clone()))),
            ("fall_back", or_none(row.map(|row| row.fall_back.to_string()))),
        ]
    };
    let mut changed: Vec<String> = words(before)
        .into_iter()
        .zip(words(after))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| format!("{name}: {old} -> {new}"))
        .collect();
    let password = |row: Option<&MailServerRow>| row.and_then(|row| row.sealed_password.clone());
    if after.is_some() && password(before) != password(after) {
        changed.push("password: changed".to_owned());
    }
    changed.join("; ")
}

impl Console {
    /// The company's own mail server and how its newest test mail is doing. Whoever may only look need not prove anything
    /// anew: the password is not among it.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn mail_server(&self, visitor: &Visitor) -> Result<MailServerPage, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::SeeSettings, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let server = reader.mail_server(own.company.id).await?;
                let test = reader.newest_test_mail(own.company.id).await?;
                let tried: Option<Tried> = self
                    .kept_note(&mut reader, &own, NoteKind::TriedMailServer)
                    .await?;
                let SignedIn { company, account, .. } = own;
                Ok(MailServerPage {
                    company,
                    own: account,
                    server,
                    test,
                    tried: tried
                        .filter(|tried| !tried.password.is_empty())
                        .map(|tried| (tried.host, tried.user)),
                })
            })
            .await
    }

    /// Saves the company's own mail server, or takes it away, if it still has `version`; `None` = there is none. Mails
    /// that wait go the new way. When no password was typed, the one that was typed to try the same host and user moments
    /// ago counts, or else the stored one, if host and user stay.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`; `ChangedMeanwhile`.
    pub async fn save_mail_server(
        &self,
        version: Option<i64>,
        input: MailServerInput,
        visitor: &Visitor,
    ) -> Result<MailServerSaved, Refusal> {
        visitor
            .attempt(self.put_mail_server(version, input, visitor))
            .await
    }

    /// Sends a mail to the admin who asks through the server that was typed, and saves nothing of it. It waits for the
    /// server's answer, as long as a conversation with one may take (N27); what became of the mail is the newest test mail
    /// afterwards.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`; `MailLimit`.
    pub async fn try_mail_server(&self, input: MailServerInput, visitor: &Visitor) -> Result<(), Refusal> {
        // It talks to a mail server: too much to lie on the stack of whoever waits.
        Box::pin(visitor.attempt(self.try_typed_server(input, visitor))).await
    }

    /// Sends a mail to the admin who asks through the company's own server, and through nothing else.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `NoMailServer`; `MailLimit`.
    pub async fn send_test_mail(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let (mut work, own) = self.act(Action::ChangeMailServer, Hold::Company, visitor).await?;
                let company = own.company.id;
                let row = work.mail_server(company).await?.ok_or(Refusal::NoMailServer)?;
                self.may_test(&mut work, company).await?;
                let receiver = Receiver::new(&own.company, &own.account);
                let mail = Mail::TestMail {
                    about: receiver.about(visitor),
                    server: format!("{}:{}", row.host, row.port),
                };
                let sending = Sending {
                    address: None,
                    expires_at: self.now() + TimeDelta::seconds(PENDING_SECONDS),
                };
                self.tell_until(&mut work, receiver, mail, sending).await?;
                let entry = AuditEntry {
                    detail: Some(which(&row)),
                    ..work.entry(Event::MailTested, company, Some(own.account.id))
                };
                self.record(&mut work, &entry).await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }
}

impl Service {
    /// Whether the company may send one more test mail now.
    ///
    /// # Errors
    /// `MailLimit`.
    async fn may_test(&self, reader: &mut Reader, company: CompanyId) -> Result<(), Failure> {
        let since = self.now() - TimeDelta::hours(1);
        if reader.test_mails_since(company, since).await? >= TEST_MAILS_OF_COMPANY {
            return Err(Refusal::MailLimit.into());
        }
        Ok(())
    }

    async fn try_typed_server(&self, input: MailServerInput, visitor: &Visitor) -> Result<(), Failure> {
        let (mut work, own) = self.act(Action::ChangeMailServer, Hold::Company, visitor).await?;
        let company = own.company.id;
        let before = work.mail_server(company).await?;
        let tried: Option<Tried> = self.kept_note(&mut work, &own, NoteKind::TriedMailServer).await?;
        let input = input.knowing(tried.as_ref());
        let row = self.mail_server_row(company, &input, before.as_ref())?;
        // A stored password that no key opens has to be typed again.
        let unusable = || Refusal::field(Field::MailPassword, Problem::Missing);
        let server = self.own_server(&row).ok_or_else(unusable)?;
        self.may_test(&mut work, company).await?;
        let receiver = Receiver::new(&own.company, &own.account);
        let mail = Mail::TestMail {
            about: receiver.about(visitor),
            server: format!("{}:{}", row.host, row.port),
        };
        let route = Route::Own(Arc::new(server));
        let mail = self.tell_in_person(&mut work, receiver, mail, route).await?;
        let entry = AuditEntry {
            detail: Some(which(&row)),
            ..work.entry(Event::MailTested, company, Some(own.account.id))
        };
        self.record(&mut work, &entry).await?;
        work.commit().await?;
        // Counted and noted; nothing is held while the server is spoken to.
        let Try { result, said } = mail.send_alone().await;
        let now = self.now();
        match result {
            Ok(()) => self.sent(mail.id, now, Some(said.as_str())).await?,
            Err(error) => {
                let problem = MailProblem::NotTaken(error.reason());
                self.given_up(mail.id, now, problem, Some(said.as_str())).await?;
            }
        }
        // A password that the server does not take has to be typed again.
        let is_wrong = result.is_err_and(|error| error.reason().is_about_sign_in());
        let tried = Tried {
            host: row.host,
            port: row.port,
            security: row.security.as_str().to_owned(),
            user: row.user.unwrap_or_default(),
            password: input.password,
            sender: row.sender,
            version: before.map(|row| row.version),
            good: result.is_ok(),
        };
        let tried = Some(tried).filter(|_| !is_wrong);
        self.keep_tried(&own, NoteKind::TriedMailServer, tried.as_ref(), visitor)
            .await;
        Ok(())
    }

    async fn put_mail_server(
        &self,
        version: Option<i64>,
        input: MailServerInput,
        visitor: &Visitor,
    ) -> Result<MailServerSaved, Failure> {
        self.allowed(Action::ChangeMailServer, visitor).await?;
        let (mut work, own) = self.act(Action::ChangeMailServer, Hold::Company, visitor).await?;
        let company = own.company.id;
        let before = work.mail_server(company).await?;
        if before.as_ref().map(|row| row.version) != version {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        let kind = NoteKind::TriedMailServer;
        let tried: Option<Tried> = self.kept_note(&mut work, &own, kind).await?;
        let input = input.knowing(tried.as_ref());
        let after = if input.own {
            Some(self.mail_server_row(company, &input, before.as_ref())?)
        } else {
            None
        };
        let detail = changes(before.as_ref(), after.as_ref());
        if detail.is_empty() {
            return Ok(MailServerSaved::default());
        }
        let untested = after.as_ref().is_some_and(|row| {
            let is_new = before.as_ref().is_none_or(|before| !same_way(before, row));
            is_new && tried.is_none_or(|tried| !tried.proves(row, &input, version))
        });
        let saved = match (&after, version) {
            (Some(row), _) => work.put_mail_server(row, version).await?,
            (None, Some(version)) => work.delete_mail_server(company, version).await?,
            (None, None) => true,
        };
        if !saved {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        let entry = AuditEntry {
            detail: Some(detail),
            ..work.entry(Event::MailServerChanged, company, None)
        };
        self.record(&mut work, &entry).await?;
        work.drop_session_note(company, own.session, kind.as_str())
            .await?;
        work.commit().await?;
        Ok(MailServerSaved { untested })
    }

    fn mail_server_row(
        &self,
        company: CompanyId,
        input: &MailServerInput,
        before: Option<&MailServerRow>,
    ) -> Result<MailServerRow, Failure> {
        let stored = |host: &str, user: &str| {
            let same = |row: &&MailServerRow| row.host == host && row.user.as_deref() == Some(user);
            before.filter(same).and_then(|row| row.sealed_password.clone())
        };
        let chosen = Chosen::read(input, self.inner.settings.company_mail_reach, |host, user| {
            stored(host, user).is_some()
        })?;
        let sealed_password = match &chosen.user {
            None => None,
            Some(user) if input.password.is_empty() => stored(&chosen.host.name, user),
            Some(_) => Some(self.inner.keys.seal(
                Purpose::MailPassword,
                company.0.as_bytes(),
                input.password.as_bytes(),
                self.random(),
            )?),
        };
        let now = self.now();
        Ok(MailServerRow {
            company,
            version: now.timestamp_micros(),
            host: chosen.host.name,
            port: chosen.port,
            security: chosen.security,
            user: chosen.user,
            sealed_password,
            sender: chosen.sender.to_string(),
            reply_to: chosen.reply_to.map(|reply_to| reply_to.to_string()),
            fall_back: input.fall_back,
            changed_at: now,
        })
    }

    /// The way of mails through this server. Settings are read anew when they have another version.
    pub(crate) fn route_through(&self, row: Option<&MailServerRow>) -> Route {
        let Some(row) = row else {
            return Route::Installation;
        };
        let mut known = locked(&self.inner.own_servers);
        if let Some(server) = known.get(&row.company)
            && server.version == row.version
        {
            return Route::Own(Arc::clone(server));
        }
        let Some(server) = self.own_server(row) else {
            tracing::warn!(company = %row.company, "the company's mail server cannot be used as it is stored");
            return Route::Unusable {
                fall_back: row.fall_back,
            };
        };
        let server = Arc::new(server);
        known.insert(row.company, Arc::clone(&server));
        Route::Own(server)
    }

    /// Forgets the servers of companies that have none any more, or are gone: a password stands with each.
    pub(crate) async fn forget_own_servers(&self) -> Result<(), StoreError> {
        let known: Vec<_> = locked(&self.inner.own_servers).keys().copied().collect();
        if known.is_empty() {
            return Ok(());
        }
        let mut reader = self.inner.store.read().await?;
        for company in known {
            if reader.mail_server(company).await?.is_none() {
                locked(&self.inner.own_servers).remove(&company);
            }
        }
        Ok(())
    }

    fn own_server(&self, row: &MailServerRow) -> Option<OwnServer> {
        let login = match (&row.user, &row.sealed_password) {
            (Some(user), Some(sealed)) => {
                let plain = self
                    .inner
                    .keys
                    .open(Purpose::MailPassword, row.company.0.as_bytes(), sealed)
                    .ok()?;
                let password = Zeroizing::new(String::from_utf8(plain.to_vec()).ok()?);
                Some([user.clone(), (*password).clone()])
            }
            (None, None) => None,
            _ => return None,
        };
        let host = CheckedHost::parse(&row.host)?;
        let reach = self.inner.settings.company_mail_reach;
        Some(OwnServer {
            company: row.company,
            version: row.version,
            settings: SmtpSettings::of_company(&host, row.port, row.security, login, reach).ok()?,
            sender: Sender::parse(&row.sender).ok()?,
            reply_to: match &row.reply_to {
                Some(reply_to) => Some(Sender::parse(reply_to).ok()?),
                None => None,
            },
            fall_back: row.fall_back,
        })
    }
}
