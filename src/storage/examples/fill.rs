//! Fills a company with accounts, for `cargo xtask bench`: `fill DATABASE_URL COMPANY COUNT`, or with many companies of
//! one account each: `fill DATABASE_URL --companies COUNT`. Every account gets the password of the first account of
//! the company Bench.

use std::{
    env,
    error::Error,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use vestibule_core::{
    account::{Person, Role},
    company::CompanySettings,
    id::{AccountId, CompanyId, PublicId},
    name::{AccountName, CompanyName, EmailAddress},
    ports::{Moment, SeededRandomness},
};
use vestibule_storage::{NewAccount, NewCompany, Store, StoreOptions};

/// Accounts of one transaction.
const AT_ONCE: usize = 1000;
/// The company whose first account lends its password.
const LENDER: &str = "Bench";
const FIRST_NAMES: [&str; 8] = ["Ada", "Bo", "Chi", "Dilek", "Émile", "Farah", "Goran", "Hana"];
const LAST_NAMES: [&str; 7] = [
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Rossi",
    "Smith",
];

/// Makes accounts that differ in everything that is looked up.
struct Maker {
    random: SeededRandomness,
    now: Moment,
    hash: String,
}

impl Maker {
    fn company(&self, name: &str) -> Result<NewCompany, Box<dyn Error>> {
        Ok(NewCompany {
            id: CompanyId::new(self.now, &self.random),
            name: CompanyName::parse(name).map_err(|problem| format!("{problem:?}"))?,
            created_at: self.now,
            settings: CompanySettings::new("en".into(), "UTC".into()),
        })
    }

    fn account(&self, company: CompanyId, number: usize) -> Result<NewAccount, Box<dyn Error>> {
        let name = format!("agent{number}");
        let first = FIRST_NAMES[number % FIRST_NAMES.len()];
        let last = format!("{} {number}", LAST_NAMES[number % LAST_NAMES.len()]);
        Ok(NewAccount {
            public_id: PublicId::draw(&self.random),
            company,
            id: AccountId::new(self.now, &self.random),
            email: EmailAddress::parse(&format!("{name}@bench.test"))
                .map_err(|problem| format!("{problem:?}"))?,
            name: AccountName::parse(&name).map_err(|problem| format!("{problem:?}"))?,
            roles: vec![if number == 0 { Role::Admin } else { Role::Agent }],
            active: true,
            email_factor: false,
            password_hash: Some(self.hash.clone()),
            password_must_change: false,
            password_expires_at: None,
            created_at: self.now,
            person: Person {
                first_name: first.to_owned(),
                alias: format!("{first} {last}"),
                last_name: last,
                ..Person::default()
            },
        })
    }
}

/// A seed of their own for each run, so that no two draw the same identifiers into one database.
fn seed(what: &str, count: usize) -> u64 {
    let mut seed = DefaultHasher::new();
    (what, count).hash(&mut seed);
    seed.finish()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, what, count] = arguments.as_slice() else {
        return Err("usage: fill DATABASE_URL COMPANY|--companies COUNT".into());
    };
    let count: usize = count.parse()?;
    let store = Store::open(url, StoreOptions::default()).await?;
    let mut reader = store.read().await?;
    let lender = reader.company_by_name(LENDER).await?.ok_or("no company Bench")?;
    let first = reader.accounts_after(lender.id, None, 1).await?;
    let first = first.first().ok_or("the company Bench has no account")?;
    let password = reader.password_of(lender.id, first.id).await?;
    drop(reader);
    let maker = Maker {
        random: SeededRandomness::new(seed(what, count)),
        now: lender.created_at,
        hash: password
            .and_then(|password| password.hash)
            .ok_or("no password to lend")?,
    };
    if what == "--companies" {
        for start in (0..count).step_by(AT_ONCE) {
            let mut writer = store.write().await?;
            for number in start..count.min(start + AT_ONCE) {
                let company = maker.company(&format!("Company {number}"))?;
                writer.insert_company(&company).await?;
                writer.insert_account(&maker.account(company.id, 0)?).await?;
            }
            writer.commit().await?;
        }
    } else {
        let company = maker.company(what)?;
        let mut writer = store.write().await?;
        writer.insert_company(&company).await?;
        writer.commit().await?;
        for start in (0..count).step_by(AT_ONCE) {
            let mut writer = store.write().await?;
            for number in start..count.min(start + AT_ONCE) {
                writer.insert_account(&maker.account(company.id, number)?).await?;
            }
            writer.commit().await?;
        }
    }
    store.close().await;
    Ok(())
}
