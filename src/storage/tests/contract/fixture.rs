//! Companies, accounts and what belongs to them, with as few words as possible.

use chrono::TimeDelta;
use futures::future::join_all;
use uuid::Uuid;
use vestibule_core::{
    account::{Person, Role, TimeFormat},
    audit::{Actor, AuditEntry, Event},
    company::{CompanySettings, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    id::{
        AccountId, CodeId, CompanyId, EventId, ImportId, LinkId, MailId, PendingId, PublicId, ResetRequestId,
        SessionId, SetUpId, SsoFlowId, TrustedBrowserId,
    },
    link::LinkPurpose,
    mail_server::MailSecurity,
    name::{AccountName, CompanyName, EmailAddress},
    ports::{Moment, Randomness, SeededRandomness},
    secret::{Token, TokenHash},
    session::Proof,
    sign_in::Purpose,
    sign_in_view::Method,
    sso::Provider,
};
use vestibule_storage::{
    ImportLine, MailServerRow, NewAccount, NewCode, NewCompany, NewImport, NewIssuedCode, NewLink, NewMail,
    NewPending, NewSession, NewSetUp, NewSsoFlow, NewTrusted, ResetRequest, Store, StoreError, Writer,
    test_support::TestStore,
};

/// The moment this many seconds after the tests' beginning, with microseconds that must survive.
pub fn at(seconds: i64) -> Moment {
    Moment::from_timestamp(1_800_000_000 + seconds, 123_456_000).unwrap()
}

/// The same in days.
pub fn day(days: i64) -> Moment {
    at(0) + TimeDelta::days(days)
}

/// Runs one transaction.
pub async fn write<T>(
    store: &Store,
    act: impl AsyncFnOnce(&mut Writer) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut writer = store.write().await?;
    let done = act(&mut writer).await?;
    writer.commit().await?;
    Ok(done)
}

/// Runs the same transaction twenty times at once; gives how often it said yes.
pub async fn winners_of_twenty(
    store: &Store,
    act: impl AsyncFn(&mut Writer) -> Result<bool, StoreError>,
) -> usize {
    let tries = (0..20).map(|_| write(store, &act));
    join_all(tries)
        .await
        .into_iter()
        .filter(|won| *won.as_ref().unwrap())
        .count()
}

/// Runs statements that no method has, such as those of a broken database.
pub async fn raw(store: &TestStore, sql: &'static str) {
    use sqlx::Connection;
    if store.url().starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(store.url()).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
}

/// The number that a statement gives.
pub async fn count(store: &TestStore, sql: &'static str) -> i64 {
    use sqlx::Connection;
    let (count,): (i64,) = if store.url().starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = sqlx::PgConnection::connect(store.url()).await.unwrap();
        sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
    };
    count
}

/// Whether the database itself refuses a statement.
pub async fn refuses(store: &TestStore, sql: &'static str) -> bool {
    use sqlx::Connection;
    if store.url().starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.is_err()
    } else {
        let mut connection = sqlx::PgConnection::connect(store.url()).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.is_err()
    }
}

/// Makes new things out of a seed, all valid, all different.
pub struct Maker {
    randomness: SeededRandomness,
}

impl Maker {
    pub fn new() -> Self {
        Self {
            randomness: SeededRandomness::new(7),
        }
    }

    /// The same with other numbers.
    pub fn seeded(seed: u64) -> Self {
        Self {
            randomness: SeededRandomness::new(seed),
        }
    }

    pub fn uuid(&self) -> Uuid {
        PublicId::draw(&self.randomness).0
    }

    pub fn token(&self) -> TokenHash {
        Token::new(&self.randomness).hash()
    }

    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.randomness.fill(&mut bytes);
        bytes
    }

    pub fn event_id(&self) -> EventId {
        EventId::new(at(0), &self.randomness)
    }

    pub fn event_id_at(&self, moment: Moment) -> EventId {
        EventId::new(moment, &self.randomness)
    }

    pub fn session_id(&self) -> SessionId {
        SessionId::new(at(0), &self.randomness)
    }

    pub fn company(&self, name: &str) -> NewCompany {
        NewCompany {
            id: CompanyId::new(at(0), &self.randomness),
            name: CompanyName::parse(name).unwrap(),
            created_at: at(0),
            settings: CompanySettings {
                language: "de".into(),
                time_zone: "Europe/Berlin".into(),
                two_factor: TwoFactorPolicy::Skip(30),
                require_second_factor: RequireSecondFactor::Admins,
                password_min: 14,
                idle_minutes: Some(30),
                new_agent_mail: NewAgentMail::ActivationLink,
                after_sign_in: None,
            },
        }
    }

    pub fn account(&self, company: CompanyId, name: &str) -> NewAccount {
        NewAccount {
            company,
            id: AccountId::new(at(0), &self.randomness),
            public_id: PublicId::draw(&self.randomness),
            name: AccountName::parse(name).unwrap(),
            email: EmailAddress::parse(&format!("{name}@Example.test")).unwrap(),
            roles: vec![Role::Admin, Role::Agent],
            active: true,
            email_factor: true,
            password_hash: Some(format!("hash of {name}")),
            password_must_change: false,
            password_expires_at: None,
            created_at: at(0),
            person: Person {
                first_name: "Zoë".into(),
                last_name: "O'Neil".into(),
                alias: "Zoë O'Neil".into(),
                phone: String::new(),
                title: String::new(),
                time_format: TimeFormat::Hours24,
                language: None,
            },
        }
    }

    pub fn session(&self, account: &NewAccount, now: Moment) -> NewSession {
        NewSession {
            company: account.company,
            id: SessionId::new(now, &self.randomness),
            account: account.id,
            token_hash: self.token(),
            created_at: now,
            ends_at: now + TimeDelta::hours(12),
            proof: Proof::EmailCode,
            address: Some("192.0.2.1".into()),
            browser: Some("Firefox on Windows".into()),
            credential_version: 1,
        }
    }

    pub fn pending(&self, account: &NewAccount, now: Moment) -> NewPending {
        NewPending {
            company: account.company,
            id: PendingId::new(now, &self.randomness),
            account: account.id,
            token_hash: self.token(),
            purpose: Purpose::SignIn,
            method: Method::Email,
            created_at: now,
            mailed_at: None,
            expires_at: now + TimeDelta::seconds(600),
            credential_version: 1,
            next: Some("/profile".into()),
            address: Some("192.0.2.1".into()),
            browser: None,
        }
    }

    pub fn code(&self, pending: &NewPending, now: Moment) -> NewCode {
        NewCode {
            company: pending.company,
            id: CodeId::new(now, &self.randomness),
            account: pending.account,
            pending: Some(pending.id),
            purpose: "sign_in",
            code_hash: self.bytes().to_vec(),
            created_at: now,
            expires_at: now + TimeDelta::seconds(600),
        }
    }

    pub fn code_id(&self, now: Moment) -> CodeId {
        CodeId::new(now, &self.randomness)
    }

    pub fn set_up(&self, account: &NewAccount, method: Method, now: Moment) -> NewSetUp {
        NewSetUp {
            company: account.company,
            id: SetUpId::new(now, &self.randomness),
            account: account.id,
            session: self.session_id(),
            method,
            sealed: (method == Method::App).then(|| self.bytes().to_vec()),
            created_at: now,
            expires_at: now + TimeDelta::seconds(600),
        }
    }

    pub fn issued(&self, account: &NewAccount, now: Moment) -> NewIssuedCode {
        NewIssuedCode {
            company: account.company,
            account: account.id,
            salt: self.salt(),
            code_hash: self.bytes(),
            created_at: now,
            expires_at: now + TimeDelta::hours(1),
        }
    }

    pub fn salt(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.randomness.fill(&mut bytes);
        bytes
    }

    /// Hashes of a set of backup codes.
    pub fn hashes(&self) -> Vec<[u8; 32]> {
        (0..10).map(|_| self.bytes()).collect()
    }

    /// A link to choose a new password.
    pub fn link(&self, account: &NewAccount, now: Moment) -> NewLink {
        let purpose = LinkPurpose::ResetPassword;
        NewLink {
            company: account.company,
            id: LinkId::new(now, &self.randomness),
            account: account.id,
            purpose,
            token_hash: self.token(),
            email: None,
            created_at: now,
            expires_at: purpose.ends_at(now),
        }
    }

    /// A file of which every third line is bad.
    pub fn import(&self, account: &NewAccount, lines: i64, now: Moment) -> NewImport {
        let line = |line: i64| ImportLine {
            line,
            account: format!("new_{line}"),
            fields: (line % 3 != 0).then(|| format!("fields of {line}")),
            verdict: if line % 3 == 0 { "bad" } else { "good" }.into(),
        };
        NewImport {
            company: account.company,
            id: ImportId::new(now, &self.randomness),
            account: account.id,
            created_at: now,
            expires_at: now + TimeDelta::hours(24),
            lines: (1..=lines).map(line).collect(),
        }
    }

    pub fn trusted(&self, account: &NewAccount, now: Moment) -> NewTrusted {
        NewTrusted {
            company: account.company,
            id: TrustedBrowserId::new(now, &self.randomness),
            account: account.id,
            token_hash: self.token(),
            created_at: now,
            ends_at: now + TimeDelta::days(30),
            credential_version: 1,
            address: Some("192.0.2.1".into()),
            browser: Some("Firefox on Windows".into()),
            browser_hash: Some(self.token()),
        }
    }

    /// Somebody asks for a link to choose a new password.
    pub fn reset_request(&self, now: Moment) -> ResetRequest {
        ResetRequest {
            id: ResetRequestId::new(now, &self.randomness),
            company_key: "acme".into(),
            email_key: "alice@example.test".into(),
            address: Some("192.0.2.1".into()),
            browser: None,
            request: Some("r-1".into()),
            created_at: now,
        }
    }

    /// A browser comes back from Google.
    pub fn sso_flow(&self, now: Moment) -> NewSsoFlow {
        NewSsoFlow {
            id: SsoFlowId::new(now, &self.randomness),
            token_hash: self.token(),
            provider: Provider::Google,
            company: None,
            session: None,
            sealed: self.bytes().to_vec(),
            next: Some("/agent".into()),
            created_at: now,
            expires_at: now + TimeDelta::seconds(600),
        }
    }

    pub fn mail(&self, account: &NewAccount, pending: Option<&NewPending>, now: Moment) -> NewMail {
        NewMail {
            id: MailId::new(now, &self.randomness),
            company: account.company,
            account: account.id,
            kind: "sign_in_code",
            receiver: account.email.display().to_owned(),
            language: "de".into(),
            sealed: self.bytes().to_vec(),
            priority: 0,
            created_at: now,
            due_at: now,
            expires_at: Some(now + TimeDelta::seconds(600)),
            pending: pending.map(|pending| pending.id),
        }
    }
}

/// A mail server of a company's own.
pub fn mail_server(company: CompanyId) -> MailServerRow {
    MailServerRow {
        company,
        version: 5,
        host: "mail.example.test".into(),
        port: 465,
        security: MailSecurity::Tls,
        user: Some("mailer".into()),
        sealed_password: Some(b"sealed".to_vec()),
        sender: "Acme <no-reply@example.test>".into(),
        reply_to: Some("help@example.test".into()),
        fall_back: true,
        changed_at: at(0),
    }
}

/// An audit event of a company.
pub fn entry(company: Option<CompanyId>, actor: Actor) -> AuditEntry {
    AuditEntry {
        company,
        actor,
        target: None,
        event: Event::SignedIn,
        address: Some("192.0.2.1".into()),
        browser: None,
        request: Some("r-1".into()),
        detail: Some("3".into()),
    }
}

/// A company with one account, written down.
pub async fn alice(store: &Store, maker: &Maker) -> NewAccount {
    let company = maker.company("Acme");
    let account = maker.account(company.id, "alice");
    write(store, async |writer| {
        writer.insert_company(&company).await?;
        writer.insert_account(&account).await
    })
    .await
    .unwrap();
    account
}
