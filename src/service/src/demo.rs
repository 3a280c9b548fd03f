//! A past for the demo: colleagues, three weeks of shifts with their slips, locks, an import and changes of policies. Nothing
//! of it is told to anybody or counted anywhere; it stands in the database as if it had happened.

use chrono::{Datelike, TimeDelta, Weekday};
use vestibule_core::{
    account::{Account, Person, Role, TimeFormat},
    audit::{Actor, AuditEntry, Event},
    company::Company,
    id::{AccountId, CompanyId, EventId, PublicId, SessionId},
    name::{AccountName, EmailAddress},
    ports::Moment,
    secret::{Password, Token},
    session::{Proof, absolute_end},
};
use vestibule_storage::{NewAccount, NewSession, Writer};

use crate::{
    Operator, Service, Visitor,
    operator::{OperatorError, taken},
};

/// How far back the past reaches, in days.
const DAYS: i64 = 21;
const FIRST_NAMES: [&str; 57] = [
    "Amira", "Anton", "Aiko", "Bea", "Boris", "Carla", "Chidi", "Dana", "Diego", "Elif", "Emil", "Esther",
    "Farid", "Fatima", "Felix", "Gita", "Goran", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kaya",
    "Kofi", "Lara", "Leo", "Lin", "Luca", "Maja", "Marek", "Mei", "Milan", "Nadia", "Nils", "Noor", "Olga",
    "Omar", "Paula", "Petra", "Quinn", "Rana", "Ravi", "Rosa", "Samir", "Sara", "Sven", "Talia", "Tariq",
    "Uma", "Viktor", "Wanda", "Xenia", "Yara", "Yusuf", "Zara", "Zeno",
];
const LAST_NAMES: [&str; 12] = [
    "Andersen", "Bianchi", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen",
    "Kowalski", "Laurent",
];
const BROWSERS: [&str; 4] = [
    "Chrome on Windows 10",
    "Edge on Windows 10",
    "Firefox on Linux",
    "Safari on Mac OSX",
];
/// Hours at which shifts begin.
const SHIFTS: [i64; 4] = [6, 8, 9, 14];

/// A die, so that no two demos are quite alike.
struct Die<'a>(&'a Service);

impl Die<'_> {
    /// A number from 0 to `sides`, that not included.
    fn below(&self, sides: u32) -> u32 {
        let mut bytes = [0; 4];
        self.0.random().fill(&mut bytes);
        u32::from_le_bytes(bytes) % sides.max(1)
    }

    /// Whether something happens that does in so many of a hundred cases.
    fn happens(&self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn minutes(&self, most: u32) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.below(most * 60)))
    }

    fn of<T: Copy>(&self, things: &[T]) -> Option<T> {
        let sides = u32::try_from(things.len()).unwrap_or(1);
        things.get(self.below(sides) as usize).copied()
    }
}

/// A colleague of the demo, and where they sit.
struct Colleague {
    id: AccountId,
    company: CompanyId,
    active: bool,
    email_factor: bool,
    role: Role,
    shift: i64,
    seat: Visitor,
}

impl Colleague {
    /// A line of the audit log about them, by themselves or by somebody who has proved nothing yet.
    fn line(&self, event: Event, detail: Option<&str>) -> AuditEntry {
        let by_stranger = matches!(
            event,
            Event::PasswordRefused | Event::PasswordAccepted | Event::CodeRefused | Event::AccountLocked
        );
        AuditEntry {
            actor: if by_stranger {
                Actor::Visitor
            } else {
                Actor::Account(self.id)
            },
            detail: detail.map(str::to_owned),
            ..self.seat.entry(event, Some(self.company), Some(self.id))
        }
    }
}

impl Operator {
    /// Gives a company of the demo its past. Everybody in it has this password.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn make_up_past(
        &self,
        company: &str,
        admin: &str,
        password: &Password,
    ) -> Result<(), OperatorError> {
        let (company, admin) = self.account_named(company, admin).await?;
        let hash = self.inner.hasher.hash(password, self.random()).await?;
        let mut writer = self.inner.store.write().await?;
        let colleagues = self.hire(&mut writer, &company, &admin, &hash).await?;
        for day in (0..DAYS).rev() {
            for colleague in &colleagues {
                self.live_a_day(&mut writer, colleague, &admin, day).await?;
            }
        }
        self.leave_some_locked(&mut writer, &colleagues).await?;
        self.seat_some(&mut writer, &colleagues).await?;
        Ok(writer.commit().await?)
    }
}

impl Service {
    /// Imports the colleagues, as the admin would.
    async fn hire(
        &self,
        writer: &mut Writer,
        company: &Company,
        admin: &Account,
        hash: &str,
    ) -> Result<Vec<Colleague>, OperatorError> {
        let at = self.now() - TimeDelta::days(DAYS) - TimeDelta::hours(2);
        let mut colleagues = Vec::new();
        for (place, first) in FIRST_NAMES.iter().enumerate() {
            let (new, colleague) = self.colleague(company, hash, (place, first), at)?;
            writer.insert_account(&new).await.map_err(taken)?;
            let entry = AuditEntry {
                actor: Actor::Account(admin.id),
                ..Visitor::default().entry(Event::AccountCreated, Some(company.id), Some(new.id))
            };
            self.happened(writer, at, &entry).await?;
            colleagues.push(colleague);
        }
        let by_admin = |event, detail: &str| AuditEntry {
            actor: Actor::Account(admin.id),
            detail: Some(detail.to_owned()),
            ..Visitor::default().entry(event, Some(company.id), None)
        };
        let imported = by_admin(Event::AgentsImported, &FIRST_NAMES.len().to_string());
        self.happened(writer, at + TimeDelta::minutes(1), &imported)
            .await?;
        let policy = by_admin(Event::PolicyChanged, "two_factor_days: 0 -> 30");
        self.happened(writer, at + TimeDelta::minutes(9), &policy).await?;
        Ok(colleagues)
    }

    fn colleague(
        &self,
        company: &Company,
        hash: &str,
        (place, first): (usize, &str),
        at: Moment,
    ) -> Result<(NewAccount, Colleague), OperatorError> {
        let last = LAST_NAMES[(place * 5) % LAST_NAMES.len()];
        let name = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
        let role = match place % 19 {
            7 => Role::Supervisor,
            _ => Role::Agent,
        };
        let new = NewAccount {
            company: company.id,
            id: AccountId::new(at, self.random()),
            public_id: PublicId::draw(self.random()),
            name: AccountName::parse(&name).map_err(OperatorError::BadAccountName)?,
            email: EmailAddress::parse(&format!("{name}@demo.test")).map_err(OperatorError::BadEmail)?,
            person: Person {
                first_name: first.to_owned(),
                last_name: last.to_owned(),
                alias: format!("{first} {last}"),
                phone: format!("+1 555 01{place:02}"),
                title: if role == Role::Supervisor {
                    "Team lead"
                } else {
                    "Agent"
                }
                .to_owned(),
                time_format: TimeFormat::Hours24,
                language: None,
            },
            roles: vec![role],
            active: place % 23 != 11,
            email_factor: place % 4 != 3,
            password_hash: Some(hash.to_owned()),
            password_must_change: false,
            password_expires_at: None,
            created_at: at,
        };
        let colleague = Colleague {
            id: new.id,
            company: company.id,
            active: new.active,
            email_factor: new.email_factor,
            role,
            shift: SHIFTS[place % SHIFTS.len()],
            seat: Visitor {
                address: Some(format!("203.0.113.{}", 10 + place % 40)),
                browser: BROWSERS
                    .get(place % BROWSERS.len())
                    .map(|&browser| browser.to_owned()),
                ..Visitor::default()
            },
        };
        Ok((new, colleague))
    }

    /// One shift of somebody: they mistype, come in, go home; seldom they lock themselves out, and the admin helps.
    async fn live_a_day(
        &self,
        writer: &mut Writer,
        colleague: &Colleague,
        admin: &Account,
        days_ago: i64,
    ) -> Result<(), OperatorError> {
        let die = Die(self);
        let midnight = (self.now() - TimeDelta::days(days_ago)).date_naive();
        let weekend = matches!(midnight.weekday(), Weekday::Sat | Weekday::Sun);
        if !colleague.active || die.happens(if weekend { 75 } else { 8 }) {
            return Ok(());
        }
        let start = midnight.and_time(chrono::NaiveTime::MIN).and_utc();
        let mut at = start + TimeDelta::hours(colleague.shift) + die.minutes(25);
        if die.happens(9) {
            let line = colleague.line(Event::PasswordRefused, None);
            self.happened(writer, at, &line).await?;
            at += die.minutes(1);
        }
        let proof = if colleague.email_factor && die.happens(60) {
            let line = colleague.line(Event::PasswordAccepted, None);
            self.happened(writer, at, &line).await?;
            at += die.minutes(2);
            if die.happens(1) {
                at = self.lock_and_unlock(writer, colleague, admin, at).await?;
            } else if die.happens(6) {
                self.happened(writer, at, &colleague.line(Event::CodeRefused, Some("1")))
                    .await?;
            }
            Proof::EmailCode
        } else if colleague.email_factor {
            Proof::TrustedBrowser
        } else {
            Proof::Password
        };
        if at >= self.now() {
            return Ok(());
        }
        let line = colleague.line(Event::SignedIn, Some(proof.as_str()));
        self.happened(writer, at, &line).await?;
        writer.note_sign_in(colleague.company, colleague.id, at).await?;
        let end = at + TimeDelta::hours(8);
        if end < self.now() && die.happens(55) {
            self.happened(writer, end, &colleague.line(Event::SignedOut, None))
                .await?;
        }
        Ok(())
    }

    /// Five wrong codes, and the call to the admin; gives when it is mended.
    async fn lock_and_unlock(
        &self,
        writer: &mut Writer,
        colleague: &Colleague,
        admin: &Account,
        mut at: Moment,
    ) -> Result<Moment, OperatorError> {
        for number in 1..=5 {
            at += TimeDelta::seconds(40);
            let line = colleague.line(Event::CodeRefused, Some(&number.to_string()));
            self.happened(writer, at, &line).await?;
        }
        self.happened(writer, at, &colleague.line(Event::AccountLocked, None))
            .await?;
        at += TimeDelta::minutes(11);
        let unlocked = AuditEntry {
            actor: Actor::Account(admin.id),
            ..Visitor::default().entry(
                Event::AccountUnlocked,
                Some(colleague.company),
                Some(colleague.id),
            )
        };
        self.happened(writer, at, &unlocked).await?;
        Ok(at + TimeDelta::minutes(2))
    }

    /// Two who wait for help now.
    async fn leave_some_locked(
        &self,
        writer: &mut Writer,
        colleagues: &[Colleague],
    ) -> Result<(), OperatorError> {
        let at = self.now() - TimeDelta::minutes(17);
        let agents = colleagues
            .iter()
            .filter(|one| one.active && one.email_factor && one.role == Role::Agent);
        for colleague in agents.skip(4).step_by(20).take(2) {
            writer
                .lock_account(colleague.company, colleague.id, "wrong_codes", at)
                .await?;
            self.happened(writer, at, &colleague.line(Event::AccountLocked, None))
                .await?;
        }
        Ok(())
    }

    /// Some who are at work while somebody looks at the demo.
    async fn seat_some(&self, writer: &mut Writer, colleagues: &[Colleague]) -> Result<(), OperatorError> {
        let die = Die(self);
        let now = self.now();
        for colleague in colleagues.iter().filter(|one| one.active && one.shift != 14) {
            if !die.happens(45) {
                continue;
            }
            let created_at = now - die.minutes(25);
            writer
                .insert_session(&NewSession {
                    company: colleague.company,
                    id: SessionId::new(created_at, self.random()),
                    account: colleague.id,
                    token_hash: Token::new(self.random()).hash(),
                    created_at,
                    ends_at: absolute_end(created_at, colleague.role),
                    proof: Proof::Password,
                    address: colleague.seat.address.clone(),
                    browser: die.of(&BROWSERS).map(str::to_owned),
                    credential_version: 1,
                })
                .await?;
        }
        Ok(())
    }

    /// Writes down something that is made up: no log and no number tells of it. What would lie ahead has not happened.
    async fn happened(
        &self,
        writer: &mut Writer,
        at: Moment,
        entry: &AuditEntry,
    ) -> Result<(), OperatorError> {
        if at < self.now() {
            writer
                .insert_event(EventId::new(at, self.random()), at, entry)
                .await?;
        }
        Ok(())
    }
}
