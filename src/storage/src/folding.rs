//! Keys of names, made anew when the rules that fold them have changed. What a name means is decided in
//! `vestibule_core::name`, so this is no migration in SQL.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::name::{self, EmailAddress};

use crate::{
    Reader, Store, StoreError, Writer,
    link::{all, execute, optional},
};

/// Goes up with every change of `vestibule_core::name::key` or of the key of an address.
const NAMES: Folding = Folding {
    part: "names",
    version: 1,
};
/// Accounts that are looked at in one go.
const STEP: i64 = 200;

pub(crate) const VERSION: &str = "SELECT version FROM folding WHERE part = $1";
const MARK: &str = "INSERT INTO folding (part, version) VALUES ($1, $2) \
    ON CONFLICT (part) DO UPDATE SET version = excluded.version";
const COMPANIES: &str = "SELECT id, name, name_key FROM company ORDER BY id";
const COMPANY_OF_KEY: &str = "SELECT name FROM company WHERE name_key = $1 AND id <> $2";
const SET_COMPANY_KEY: &str = "UPDATE company SET name_key = $3 WHERE id = $1 AND name_key = $2";
pub(crate) const ADDRESSES: &str = "SELECT id, name, email, email_key FROM account \
    WHERE company_id = $1 AND id > $2 ORDER BY id LIMIT $3";
pub(crate) const ACCOUNT_OF_KEY: &str = "SELECT name FROM account \
    WHERE company_id = $1 AND email_key = $2 AND id <> $3";
const SET_EMAIL_KEY: &str =
    "UPDATE account SET email_key = $4 WHERE company_id = $1 AND id = $2 AND email_key = $3";

/// Something that is folded, and the version of the rules it is folded by now.
#[derive(Clone, Copy)]
pub(crate) struct Folding {
    pub(crate) part: &'static str,
    pub(crate) version: i64,
}

/// Two rows that older rules told apart and today's do not. Both work on: the second is found by the spelling that it
/// has been found by before, and by no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Twins {
    /// Two companies of one name.
    Companies {
        /// The one that every spelling finds.
        found: String,
        /// The other one.
        other: String,
    },
    /// Two accounts of one e-mail address.
    Accounts {
        /// Their company.
        company: String,
        /// The one that every spelling finds.
        found: String,
        /// The other one.
        other: String,
    },
}

impl std::fmt::Display for Twins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Companies { found, other } => write!(
                f,
                "the names of the companies {found:?} and {other:?} are spellings of one name; other spellings of it mean \
                 {found:?}"
            ),
            Self::Accounts {
                company,
                found,
                other,
            } => write!(
                f,
                "the accounts {found:?} and {other:?} of the company {company:?} have one e-mail address in two spellings; \
                 other spellings of it mean {found:?}. Change one of them"
            ),
        }
    }
}

#[derive(FromRow)]
struct Named {
    id: Uuid,
    name: String,
    name_key: String,
}

#[derive(FromRow)]
struct Addressed {
    id: Uuid,
    name: String,
    email: String,
    email_key: String,
}

impl Reader {
    async fn company_keys(&mut self) -> Result<Vec<Named>, StoreError> {
        all!(self, Named, COMPANIES)
    }

    async fn address_keys(&mut self, company: Uuid, after: Uuid) -> Result<Vec<Addressed>, StoreError> {
        all!(self, Addressed, ADDRESSES, company, after, STEP)
    }

    async fn is_folded(&mut self, folding: Folding) -> Result<bool, StoreError> {
        let row = optional!(self, (i64,), VERSION, folding.part)?;
        Ok(row.is_some_and(|(version,)| version >= folding.version))
    }
}

impl Writer {
    /// Gives a company its new key; or the name of the one that has it already.
    async fn fold_company(&mut self, company: &Named, key: &str) -> Result<Option<String>, StoreError> {
        if let Some((twin,)) = optional!(self, (String,), COMPANY_OF_KEY, key, company.id)? {
            return Ok(Some(twin));
        }
        // Renamed meanwhile, it has a new key.
        execute!(self, SET_COMPANY_KEY, company.id, &company.name_key, key)?;
        Ok(None)
    }

    /// The same for the address of an account.
    async fn fold_address(
        &mut self,
        company: Uuid,
        account: &Addressed,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        if let Some((twin,)) = optional!(self, (String,), ACCOUNT_OF_KEY, company, key, account.id)? {
            return Ok(Some(twin));
        }
        execute!(self, SET_EMAIL_KEY, company, account.id, &account.email_key, key)?;
        Ok(None)
    }

    async fn mark_folded(&mut self, folding: Folding) -> Result<(), StoreError> {
        execute!(self, MARK, folding.part, folding.version).map(drop)
    }
}

/// Once more when another server was faster in giving the key to another row: now the twin is seen.
async fn first_come<T>(fold: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    match fold().await {
        Err(StoreError::Conflict(_)) => fold().await,
        folded => folded,
    }
}

impl Store {
    /// Gives the keys of today's rules to companies and addresses that have others, and tells which cannot have them
    /// because another one has. As long as there are such, every start tries again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn fold_names(&self) -> Result<Vec<Twins>, StoreError> {
        let mut twins = Vec::new();
        if self.is_folded(NAMES).await? {
            return Ok(twins);
        }
        let companies = self.read().await?.company_keys().await?;
        for company in &companies {
            let key = name::key(&company.name);
            if key != company.name_key {
                let folded = first_come(async || {
                    let mut writer = self.write().await?;
                    let twin = writer.fold_company(company, &key).await?;
                    writer.commit().await.map(|()| twin)
                });
                twins.extend(folded.await?.map(|found| Twins::Companies {
                    found,
                    other: company.name.clone(),
                }));
            }
            self.fold_addresses(company, &mut twins).await?;
        }
        if twins.is_empty() {
            self.mark_folded(NAMES).await?;
        }
        Ok(twins)
    }

    /// Names of accounts are of ASCII: their keys have not changed.
    async fn fold_addresses(&self, company: &Named, twins: &mut Vec<Twins>) -> Result<(), StoreError> {
        let mut after = Uuid::nil();
        loop {
            let accounts = self.read().await?.address_keys(company.id, after).await?;
            let Some(last) = accounts.last() else {
                return Ok(());
            };
            after = last.id;
            for account in &accounts {
                let key = EmailAddress::lookup_key(&account.email);
                if key == account.email_key {
                    continue;
                }
                let folded = first_come(async || {
                    let mut writer = self.write().await?;
                    let twin = writer.fold_address(company.id, account, &key).await?;
                    writer.commit().await.map(|()| twin)
                });
                twins.extend(folded.await?.map(|found| Twins::Accounts {
                    company: company.name.clone(),
                    found,
                    other: account.name.clone(),
                }));
            }
        }
    }

    pub(crate) async fn is_folded(&self, folding: Folding) -> Result<bool, StoreError> {
        self.read().await?.is_folded(folding).await
    }

    pub(crate) async fn mark_folded(&self, folding: Folding) -> Result<(), StoreError> {
        let mut writer = self.write().await?;
        writer.mark_folded(folding).await?;
        writer.commit().await
    }
}
