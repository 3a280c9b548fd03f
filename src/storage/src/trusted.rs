//! Browsers that may skip the second factor for a while (N18), and browsers that are merely known (N9).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    company::TwoFactorPolicy,
    id::{AccountId, CompanyId, TrustedBrowserId},
    ports::Moment,
    secret::TokenHash,
};

use crate::{
    Reader, StoreError, Writer,
    built::{Built, built_all},
    columns::token_hash,
    later::{Later, values},
    link::{beside, execute, optional},
};

const INSERT: &str = "INSERT INTO trusted_browser (company_id, id, account_id, token_hash, created_at, ends_at, \
    last_used_at, credential_version, address, browser, browser_hash) \
    VALUES ($1, $2, $3, $4, $5, $6, $5, $7, $8, $9, $10)";
macro_rules! trusted_columns {
    () => {
        "t.id, t.token_hash, t.previous_hash, t.created_at, t.ends_at, t.last_used_at, t.credential_version, \
         t.address, t.browser, t.browser_hash"
    };
}
pub(crate) const OF_ACCOUNT: &str = concat!(
    "SELECT ",
    trusted_columns!(),
    " FROM trusted_browser t WHERE t.company_id = $1 AND t.account_id = $2 ORDER BY t.created_at DESC, t.id DESC"
);
const OF_TOKENS: &str = concat!(
    "SELECT ",
    trusted_columns!(),
    ", c.skip_second_factor_days FROM trusted_browser t JOIN company c ON c.id = t.company_id \
     JOIN account a ON a.company_id = t.company_id AND a.id = t.account_id \
     AND a.credential_version = t.credential_version WHERE "
);
const ROTATE: &str = "UPDATE trusted_browser SET token_hash = $4, previous_hash = $3, last_used_at = $5, \
    browser_hash = $6 WHERE company_id = $1 AND id = $2 AND token_hash = $3";
const TRIM: &str = "DELETE FROM trusted_browser WHERE company_id = $1 AND account_id = $2 AND id NOT IN ( \
    SELECT t.id FROM trusted_browser t JOIN account a ON a.company_id = t.company_id AND a.id = t.account_id \
    AND a.credential_version = t.credential_version \
    WHERE t.company_id = $1 AND t.account_id = $2 AND t.ends_at > $4 \
    ORDER BY t.created_at DESC, t.id DESC LIMIT $3)";
const END: &str = "DELETE FROM trusted_browser WHERE company_id = $1 AND account_id = $2 AND id = $3";
const END_OF_ACCOUNT: &str = "DELETE FROM trusted_browser WHERE company_id = $1 AND account_id = $2";
const KNOWS: &str = "SELECT count(*) FROM known_browser \
    WHERE company_id = $1 AND account_id = $2 AND browser_hash = $3";
const REMEMBER: &str = "INSERT INTO known_browser (company_id, account_id, browser_hash, first_at, last_at) \
    VALUES ($1, $2, $3, $4, $4) \
    ON CONFLICT (company_id, account_id, browser_hash) DO UPDATE SET last_at = excluded.last_at";

/// A browser to trust.
#[derive(Clone, Debug)]
pub struct NewTrusted {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: TrustedBrowserId,
    /// The account that trusts it.
    pub account: AccountId,
    /// Hash of the token in the cookie.
    pub token_hash: TokenHash,
    /// When trust begins.
    pub created_at: Moment,
    /// Its fixed end.
    pub ends_at: Moment,
    /// Version of the credentials it was given with.
    pub credential_version: i64,
    /// The visitor's network address.
    pub address: Option<String>,
    /// The visitor's browser, shortened.
    pub browser: Option<String>,
    /// Hash of the browser's number.
    pub browser_hash: Option<TokenHash>,
}

/// A trusted browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRow {
    /// Its identifier.
    pub id: TrustedBrowserId,
    /// Hash of the token in its cookie.
    pub token_hash: TokenHash,
    /// Hash of the token before; `None` = it has its first.
    pub previous_hash: Option<TokenHash>,
    /// When trust began.
    pub created_at: Moment,
    /// Its fixed end.
    pub ends_at: Moment,
    /// When it last spared a code, and got a new token for it.
    pub last_used_at: Moment,
    /// Version of the credentials it was given with.
    pub credential_version: i64,
    /// Network address it was given from.
    pub address: Option<String>,
    /// The browser, shortened.
    pub browser: Option<String>,
    /// Hash of the number of the browser that its token was given to, where it is known.
    pub browser_hash: Option<TokenHash>,
}

#[derive(FromRow)]
struct TrustedColumns {
    id: Uuid,
    token_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    created_at: Moment,
    ends_at: Moment,
    last_used_at: Moment,
    credential_version: i64,
    address: Option<String>,
    browser: Option<String>,
    browser_hash: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct TokenColumns {
    skip_second_factor_days: i64,
    #[sqlx(flatten)]
    trusted: TrustedColumns,
}

/// The statement of [`Reader::trusted_of_tokens`].
pub(crate) fn of_tokens(tokens: &[TokenHash]) -> Built {
    let mut built = Built::new(OF_TOKENS);
    for list in ["t.token_hash IN (", " OR t.previous_hash IN ("] {
        built.add(list);
        for (index, token) in tokens.iter().enumerate() {
            built.add(if index > 0 { ", " } else { "" }).bind(*token);
        }
        built.add(")");
    }
    built
}

impl TryFrom<TrustedColumns> for TrustedRow {
    type Error = StoreError;

    fn try_from(row: TrustedColumns) -> Result<Self, StoreError> {
        let hash = |hash: Option<Vec<u8>>| hash.map(|hash| token_hash(&hash, "trusted_browser")).transpose();
        Ok(Self {
            id: TrustedBrowserId(row.id),
            token_hash: token_hash(&row.token_hash, "trusted_browser")?,
            previous_hash: hash(row.previous_hash)?,
            created_at: row.created_at,
            ends_at: row.ends_at,
            last_used_at: row.last_used_at,
            credential_version: row.credential_version,
            address: row.address,
            browser: row.browser,
            browser_hash: hash(row.browser_hash)?,
        })
    }
}

impl Reader {
    /// The trusted browsers of an account whose token, or the one before, is one of these, newest first. Whether trust
    /// still holds is for the caller to decide.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trusted_of_browser(
        &mut self,
        company: CompanyId,
        account: AccountId,
        tokens: &[TokenHash],
    ) -> Result<Vec<TrustedRow>, StoreError> {
        // An account has a handful at most, so one plain statement serves for any number of tokens.
        let mut rows = self.trusted_of(company, account).await?;
        rows.retain(|row| {
            let token = [Some(row.token_hash), row.previous_hash];
            token.into_iter().flatten().any(|hash| tokens.contains(&hash))
        });
        Ok(rows)
    }

    /// Of the tokens of one browser, whatever account and company each is of, those that stand for trust given with
    /// today's credentials, with the policy of the company. Whether it still holds is for the caller to decide.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trusted_of_tokens(
        &mut self,
        tokens: &[TokenHash],
    ) -> Result<Vec<(TrustedRow, TwoFactorPolicy)>, StoreError> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let built = of_tokens(tokens);
        built_all!(self, TokenColumns, built)?
            .into_iter()
            .map(|row| {
                let policy = TwoFactorPolicy::from_days(row.skip_second_factor_days)
                    .ok_or(StoreError::corrupt("company", "skip_second_factor_days"))?;
                Ok((row.trusted.try_into()?, policy))
            })
            .collect()
    }

    /// All trusted browsers of an account, newest first, those whose trust is over included (product.md section 4.7).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trusted_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<Vec<TrustedRow>, StoreError> {
        let rows = beside!(self, "trusted_browser", |connection| {
            sqlx::query_as::<_, TrustedColumns>(OF_ACCOUNT)
                .bind(company.0)
                .bind(account.0)
                .fetch_all(connection)
                .await
        })?;
        rows.into_iter().map(TrustedRow::try_from).collect()
    }

    /// Whether this account has signed in from this browser before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn knows_browser(
        &mut self,
        company: CompanyId,
        account: AccountId,
        browser: [u8; 32],
    ) -> Result<bool, StoreError> {
        let row = optional!(self, (i64,), KNOWS, company.0, account.0, &browser[..])?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }
}

impl Writer {
    /// Trusts a browser.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_trusted(&mut self, new: &NewTrusted) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.company.0,
            new.id.0,
            new.account.0,
            &new.token_hash.0[..],
            new.created_at,
            new.ends_at,
            new.credential_version,
            &new.address,
            &new.browser,
            new.browser_hash.as_ref().map(|hash| &hash.0[..]),
        )
        .map(drop)
    }

    /// Gives a trusted browser, that has this number, a new token, if `old` is still its token, and remembers that one. Of
    /// several requests at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rotate_trusted(
        &mut self,
        company: CompanyId,
        id: TrustedBrowserId,
        (old, new): (TokenHash, TokenHash),
        browser: Option<TokenHash>,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let browser = browser.as_ref().map(|hash| &hash.0[..]);
        Ok(execute!(
            self,
            ROTATE,
            company.0,
            id.0,
            &old.0[..],
            &new.0[..],
            now,
            browser
        )? == 1)
    }

    /// Ends trust in the oldest browsers of an account so that at most `most` stay; gives the number of ended ones. What is
    /// over takes nobody's place.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_trusted(
        &mut self,
        company: CompanyId,
        account: AccountId,
        most: i64,
        now: Moment,
    ) -> Result<u64, StoreError> {
        execute!(self, TRIM, company.0, account.0, most, now)
    }

    /// Ends trust in one browser of this account; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_trusted(
        &mut self,
        company: CompanyId,
        account: AccountId,
        id: TrustedBrowserId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, END, company.0, account.0, id.0)? == 1)
    }

    /// Ends trust in all browsers of an account; gives their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_trusted_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<u64, StoreError> {
        execute!(self, END_OF_ACCOUNT, company.0, account.0)
    }

    /// Remembers that this account has signed in from this browser.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember_browser(
        &mut self,
        company: CompanyId,
        account: AccountId,
        browser: [u8; 32],
        now: Moment,
    ) -> Result<(), StoreError> {
        let values = values![company.0, account.0, &browser[..], now];
        self.write_later(Later::changing("known_browser", REMEMBER, values))
            .await
    }
}
