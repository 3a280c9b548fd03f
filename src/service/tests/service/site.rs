//! A Vestibule without HTTP: a fresh database, a clock that stands still, randomness that repeats itself.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use vestibule_core::{
    account::{Account, Role},
    authenticator::AppSecret,
    backup_code::BackupCode,
    company::{CompanySettings, NewAgentMail, RequireSecondFactor},
    mail::Mail,
    ports::{Clock, ManualClock, Moment, SeededRandomness},
    refusal::{CodeHint, Refusal},
    secret::{Password, Token},
    throttle::SourceLimits,
};
use vestibule_mail::{
    Reach,
    outbox::{Claimed, Queue},
};
use vestibule_service::{
    Service, Settings, Visitor,
    hashing::{HashCost, Hasher},
    keys::{Key, Keys},
    operator::{AccountInput, CompanyInput, OperatorError},
    sign_in::{Granted, Outcome, SignInForm, sso::Providers},
};
pub use vestibule_storage::test_support::until;
use vestibule_storage::{Store, test_support::TestStore};

/// The password of every account.
pub const PASSWORD: &str = "violet harbour kettle";

/// Two processes draw different numbers.
static NEXT_SEED: AtomicU64 = AtomicU64::new(43);

pub struct Site {
    pub service: Service,
    pub store: Arc<TestStore>,
    pub clock: Arc<ManualClock>,
}

/// Stamps each test for both databases.
macro_rules! on_both {
    ($(async fn $name:ident($site:ident: Site) $body:block)*) => {
        $(async fn $name($site: Site) $body)*

        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Site::on(vestibule_storage::test_support::TestStore::sqlite().await)).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(fresh) = vestibule_storage::test_support::TestStore::postgres().await {
                    super::$name(super::Site::on(fresh)).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

pub fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

/// Keys of a node: another number, other keys; a higher one stands for a rotation.
pub fn keys_of(version: u32) -> Keys {
    Keys::new(versions(version)).unwrap()
}

/// The keys of a file that was rotated until it had this version.
pub fn versions(version: u32) -> Vec<Key> {
    let keys = (1..=version).map(|version| Key {
        version,
        secret: [if version == 1 { 7 } else { 8 }; 32].into(),
    });
    keys.collect()
}

/// What the sign-in page sends with the right password.
pub fn form(company: &str, account: &str) -> SignInForm {
    SignInForm {
        company: company.to_owned(),
        account: account.to_owned(),
        password: password(PASSWORD),
        next: None,
    }
}

/// Waits until somebody stands in line.
pub async fn until_in_line(visitor: &Visitor) {
    until(async || visitor.place.get()).await;
}

/// A code that is not this one.
pub fn other_code(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// A plain wrong code.
pub fn wrong(left: Option<u8>) -> Refusal {
    Refusal::WrongCode { left, hint: None }
}

/// A wrong code about which something is known.
pub fn wrong_but(left: Option<u8>, hint: CodeHint) -> Refusal {
    Refusal::WrongCode {
        left,
        hint: Some(hint),
    }
}

/// A browser in which this link of a mail was opened.
pub fn with_link(link: &str) -> Visitor {
    let token = link.rsplit('/').next().and_then(Token::parse);
    assert!(token.is_some(), "no link: {link}");
    Visitor {
        link: token,
        ..visitor()
    }
}

/// A browser that nobody knows, at an address of its own.
pub fn visitor() -> Visitor {
    Visitor {
        address: Some("192.0.2.77".to_owned()),
        source: "192.0.2.77".to_owned(),
        ..Visitor::default()
    }
}

fn service(
    store: &Store,
    clock: &Arc<ManualClock>,
    keys: Keys,
    seed: u64,
    sso: Option<Arc<Providers>>,
) -> Service {
    let randomness = Arc::new(SeededRandomness::new(seed));
    let cheap = HashCost {
        memory_kib: 64,
        passes: 1,
    };
    let hasher = Hasher::new(cheap, 8, randomness.as_ref()).unwrap();
    let settings = Settings {
        languages: ["en", "de", "ar"].map(str::to_owned).to_vec(),
        source_limits: SourceLimits::default(),
        report_sources_only: false,
        audit_retention_days: Some(365),
        origin: "https://login.test".to_owned(),
        company_mail_reach: Reach::Public,
        sso,
    };
    let as_clock: Arc<dyn Clock> = clock.clone();
    Service::new(store.clone(), as_clock, randomness, hasher, keys, settings)
}

/// The key of every process that has none of its own.
fn first_key() -> Keys {
    Keys::new(vec![Key {
        version: 1,
        secret: [7; 32].into(),
    }])
    .unwrap()
}

impl Site {
    pub fn on(store: TestStore) -> Self {
        let start = "2026-01-05T09:00:00Z".parse::<Moment>().unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let store = Arc::new(store);
        let service = service(&store, &clock, first_key(), 42, None);
        Self {
            service,
            store,
            clock,
        }
    }

    /// The same with providers.
    pub fn with_providers(&self, providers: Providers) -> Self {
        let seed = NEXT_SEED.fetch_add(1, Ordering::Relaxed);
        Self {
            service: service(
                &self.store,
                &self.clock,
                first_key(),
                seed,
                Some(Arc::new(providers)),
            ),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Another process on the same database, with keys of its own.
    pub fn with_keys(&self, keys: Keys) -> Self {
        Self {
            service: service(
                &self.store,
                &self.clock,
                keys,
                NEXT_SEED.fetch_add(1, Ordering::Relaxed),
                None,
            ),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Another process with the same keys, and a clock of its own.
    pub fn with_clock(&self, clock: ManualClock) -> Self {
        let apart = Self {
            clock: Arc::new(clock),
            store: Arc::clone(&self.store),
            service: self.service.clone(),
        };
        apart.with_keys(first_key())
    }

    /// Another process with the same keys, and connections of its own.
    pub fn with_connections(&self, store: &Store) -> Self {
        let seed = NEXT_SEED.fetch_add(1, Ordering::Relaxed);
        Self {
            service: service(store, &self.clock, first_key(), seed, None),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
        }
    }

    pub async fn company(&self, name: &str, days: i64) {
        let input = CompanyInput {
            name: name.to_owned(),
            allow_mixed_script: false,
            language: "en".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            two_factor_days: days,
            require_second_factor: RequireSecondFactor::Off,
        };
        self.service.operator().create_company(input).await.unwrap();
    }

    pub async fn account(&self, company: &str, account: &str, email_factor: bool) {
        self.person(company, account, &[Role::Agent], email_factor).await;
    }

    /// An account with these roles.
    pub async fn person(&self, company: &str, account: &str, roles: &[Role], email_factor: bool) {
        let input = AccountInput {
            company: company.to_owned(),
            account: account.to_owned(),
            email: format!("{account}@{}.test", company.to_lowercase()),
            first_name: account.to_owned(),
            last_name: String::new(),
            roles: roles.to_vec(),
            language: Some("de".to_owned()),
            email_factor,
            password: password(PASSWORD),
        };
        self.service.operator().create_account(input).await.unwrap();
    }

    /// An account with this address, of which a password is enough.
    pub async fn person_at(&self, company: &str, account: &str, email: &str) {
        let created = self.try_person_at(company, account, email).await;
        created.unwrap();
    }

    /// The same, if it can be.
    pub async fn try_person_at(
        &self,
        company: &str,
        account: &str,
        email: &str,
    ) -> Result<(), OperatorError> {
        let input = AccountInput {
            company: company.to_owned(),
            account: account.to_owned(),
            email: email.to_owned(),
            first_name: account.to_owned(),
            last_name: String::new(),
            roles: vec![Role::Agent],
            language: None,
            email_factor: false,
            password: password(PASSWORD),
        };
        self.service.operator().create_account(input).await.map(drop)
    }

    pub async fn lock(&self, company: &str, account: &str) {
        self.service
            .operator()
            .lock_account(company, account)
            .await
            .unwrap();
    }

    pub async fn account_of(&self, company: &str, account: &str) -> Account {
        self.service
            .operator()
            .account_named(company, account)
            .await
            .unwrap()
            .1
    }

    pub async fn try_password(
        &self,
        company: &str,
        account: &str,
        typed: &str,
        visitor: &Visitor,
    ) -> Result<Outcome, Refusal> {
        let form = SignInForm {
            company: company.to_owned(),
            account: account.to_owned(),
            password: password(typed),
            next: None,
        };
        self.service.sign_in().with_password(form, visitor).await
    }

    pub async fn signed_in(&self, company: &str, account: &str, visitor: &Visitor) -> Granted {
        match self
            .try_password(company, account, PASSWORD, visitor)
            .await
            .unwrap()
        {
            Outcome::SignedIn(granted) => granted,
            Outcome::CodeAsked { .. } => panic!("a code is asked"),
        }
    }

    /// A browser that has passed the password.
    pub async fn past_password(&self, company: &str, account: &str) -> Visitor {
        match self
            .try_password(company, account, PASSWORD, &visitor())
            .await
            .unwrap()
        {
            Outcome::CodeAsked { pending, .. } => Visitor {
                pending: Some(pending),
                ..visitor()
            },
            Outcome::SignedIn(_) => panic!("no code is asked"),
        }
    }

    /// A browser that has passed the password, and the code it was mailed.
    pub async fn at_code_page(&self, company: &str, account: &str) -> (Visitor, String) {
        let visitor = self.past_password(company, account).await;
        (visitor, self.code_for(account).await)
    }

    pub async fn verify(&self, code: &str, visitor: &Visitor) -> Result<(), Refusal> {
        self.service
            .sign_in()
            .verify_code(code, false, visitor)
            .await
            .map(drop)
    }

    /// An account whose second factor is an authenticator app, with ten backup codes.
    pub async fn app_account(&self, company: &str, account: &str) -> (AppSecret, Vec<String>) {
        self.account(company, account, false).await;
        self.give_app(company, account).await
    }

    pub async fn give_app(&self, company: &str, account: &str) -> (AppSecret, Vec<String>) {
        let (secret, codes) = self.service.operator().give_app(company, account).await.unwrap();
        let codes = codes.iter().map(BackupCode::reveal).collect();
        (secret, codes)
    }

    /// The code that an app shows this many steps of 30 seconds from now.
    pub fn app_code(&self, secret: &AppSecret, steps: i64) -> String {
        let moment = self.clock.now() + chrono::TimeDelta::seconds(30 * steps);
        secret.code_at(moment).reveal().to_owned()
    }

    /// A browser that is signed in, however that is done for this account; its clock has moved on so that app codes
    /// are fresh again.
    pub async fn at_home(&self, company: &str, account: &str, secret: Option<&AppSecret>) -> Visitor {
        let outcome = self
            .try_password(company, account, PASSWORD, &visitor())
            .await
            .unwrap();
        let granted = match outcome {
            Outcome::SignedIn(granted) => granted,
            Outcome::CodeAsked { pending, .. } => {
                let visitor = Visitor {
                    pending: Some(pending),
                    ..visitor()
                };
                let code = match secret {
                    Some(secret) => {
                        self.clock.advance(60);
                        self.app_code(secret, 0)
                    }
                    None => self.code_for(account).await,
                };
                self.service
                    .sign_in()
                    .verify_code(&code, false, &visitor)
                    .await
                    .unwrap()
            }
        };
        self.no_mail().await;
        Visitor {
            session: Some(granted.session),
            ..visitor()
        }
    }

    /// The set-up code in the last mail.
    pub async fn set_up_code(&self) -> String {
        let mails = self.mails().await;
        let codes: Vec<_> = mails
            .iter()
            .filter_map(|mail| match &mail.mail {
                Mail::SetUpCode { code, .. } => Some(code.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(codes.len(), 1, "one set-up code");
        codes[0].clone()
    }

    /// Kinds of the mails that wait, in the order of the alphabet.
    pub async fn mail_kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.mails().await.iter().map(|mail| mail.mail.kind()).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Takes all waiting mails out of the outbox, as the worker does.
    pub async fn mails(&self) -> Vec<Claimed> {
        let now = self.clock.now();
        let mut all = Vec::new();
        loop {
            let lanes = self.service.lanes(now).await.unwrap();
            if lanes.is_empty() {
                return all;
            }
            for lane in lanes {
                for mail in self.service.claim(lane, now, 50).await.unwrap() {
                    self.service.sent(mail.id, now, None).await.unwrap();
                    all.push(mail);
                }
            }
        }
    }

    pub async fn no_mail(&self) {
        self.mails().await;
    }

    /// The code in the last mail to an account.
    pub async fn code_for(&self, account: &str) -> String {
        let mails = self.mails().await;
        let codes: Vec<_> = mails
            .iter()
            .filter(|mail| mail.receiver.starts_with(&format!("{account}@")))
            .filter_map(|mail| match &mail.mail {
                Mail::SignInCode { code, .. } | Mail::ConfirmCode { code, .. } => Some(code.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(codes.len(), 1, "one code for {account}");
        codes[0].clone()
    }

    /// The identifier of an account, as forms send it.
    pub async fn id_of(&self, company: &str, account: &str) -> String {
        self.account_of(company, account).await.id.to_string()
    }

    /// How new agents of a company are told from now on.
    pub async fn tell_new_agents(&self, company: &str, mode: NewAgentMail) {
        let company = self.service.operator().company_named(company).await.unwrap();
        let settings = CompanySettings {
            new_agent_mail: mode,
            ..company.settings
        };
        let mut writer = self.store.write().await.unwrap();
        let saved = writer
            .set_company(company.id, company.version, &settings, self.clock.now())
            .await
            .unwrap();
        assert!(saved);
        writer.commit().await.unwrap();
    }

    /// Words of the events of a company with their details, newest first.
    pub async fn events(&self, company: &str) -> Vec<(String, Option<String>)> {
        self.service.upkeep().write_stranger_lines().await.unwrap();
        let company = self.service.operator().company_named(company).await.unwrap();
        let mut reader = self.store.read().await.unwrap();
        let events = reader.events(Some(company.id), 200).await.unwrap();
        events.into_iter().map(|row| (row.event, row.detail)).collect()
    }

    /// Events that belong to no company.
    pub async fn events_of_nobody(&self) -> Vec<(String, Option<String>)> {
        let mut reader = self.store.read().await.unwrap();
        let events = reader.events(None, 200).await.unwrap().into_iter();
        events
            .filter(|row| row.company.is_none())
            .map(|row| (row.event, row.detail))
            .collect()
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    pub async fn sessions(&self, company: &str, account: &str) -> usize {
        let account = self.account_of(company, account).await;
        self.store
            .read()
            .await
            .unwrap()
            .sessions_of(account.company, account.id)
            .await
            .unwrap()
            .len()
    }

    /// Everything the database holds, as text.
    pub async fn dump(&self) -> String {
        self.store.dump().await
    }
}
