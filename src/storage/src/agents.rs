//! The list of agents, and changing somebody else's account (product.md section 3, Agents).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::{Account, Person, Role},
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    id::{AccountId, CompanyId},
    name::EmailAddress,
    ports::Moment,
};

use crate::{
    Changed, Reader, StoreError, Writer,
    built::{Built, built_all},
    columns::{AccountColumns, account_columns},
    link::{all, execute, optional},
    words::{alias_key, end_of, wanted},
};

/// Accounts that are few: so many are found first and sorted then. More are walked through in their order, because the
/// page is soon full.
const FEW: usize = 1_000;

pub(crate) const POSITION: &str =
    "SELECT id, alias_key, name_key, email_key FROM account WHERE company_id = $1 AND id = $2";
pub(crate) const COUNTS: &str = "SELECT COUNT(*), COUNT(CASE WHEN active THEN 1 END), \
    COUNT(CASE WHEN NOT active THEN 1 END), COUNT(CASE WHEN locked_at IS NOT NULL OR wrong_codes >= 5 THEN 1 END), \
    COUNT(CASE WHEN active AND (email_factor OR app_secret IS NOT NULL) THEN 1 END) \
    FROM account WHERE company_id = $1";
pub(crate) const COUNT_ADMINS: &str = "SELECT COUNT(*) FROM account_role r \
    JOIN account a ON a.company_id = r.company_id AND a.id = r.account_id \
    WHERE r.company_id = $1 AND r.role = 'admin' AND a.active AND a.id IS DISTINCT FROM $2";
pub(crate) const ADMINS: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM account_role o JOIN account a ON a.company_id = o.company_id AND a.id = o.account_id \
     WHERE o.company_id = $1 AND o.role = 'admin' AND a.active ORDER BY o.account_id LIMIT 100"
);
pub(crate) const EMAIL_TAKEN: &str =
    "SELECT COUNT(*) FROM account WHERE company_id = $1 AND email_key = $2 AND id IS DISTINCT FROM $3";
pub(crate) const AFTER: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM account a WHERE a.company_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3"
);
const SET: &str = "UPDATE account SET first_name = $4, last_name = $5, alias = $6, alias_key = $7, phone = $8, \
    title = $9, hour_clock = $10, language = $11, active = $12, changed_at = $13, version = version + 1 \
    WHERE company_id = $1 AND id = $2 AND version = $3";
const DELETE_ROLES: &str = "DELETE FROM account_role WHERE company_id = $1 AND account_id = $2";
const SET_PENDING_EMAIL: &str = "UPDATE account SET pending_email = $3, pending_email_at = $4, changed_at = $5, \
    version = version + 1 WHERE company_id = $1 AND id = $2";
const PUT_EMAIL: &str = "UPDATE account SET email = $3, email_key = $4, pending_email = NULL, \
    pending_email_at = NULL, credential_version = credential_version + 1, version = version + 1, \
    changed_at = $5 WHERE company_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM account WHERE company_id = $1 AND id = $2";
const HOLD_COMPANY: &str = "UPDATE company SET changed_at = changed_at WHERE id = $1";

/// Where a page of the list begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// At the start.
    #[default]
    Start,
    /// After this account.
    After(AccountId),
    /// Before this account: the page that ends right before it.
    Before(AccountId),
}

/// One page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentPage {
    /// The accounts, in the order of the filter.
    pub accounts: Vec<Account>,
    /// Whether there are accounts before this page.
    pub before: bool,
    /// Whether there are accounts after it.
    pub after: bool,
}

/// The data of an account as an admin edits them. The account name never changes; the e-mail address changes only by
/// [`Writer::put_email`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentData {
    /// Whom it belongs to.
    pub person: Person,
    /// Roles, each once, never empty.
    pub roles: Vec<Role>,
    /// An admin's switch.
    pub active: bool,
}

/// How many accounts of a company are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentCounts {
    /// All accounts.
    pub all: i64,
    /// Switched on.
    pub active: i64,
    /// Switched off.
    pub inactive: i64,
    /// Locked, switched on or off.
    pub locked: i64,
    /// Active accounts with a second factor.
    pub with_second_factor: i64,
}

/// Where an account stands in each order.
#[derive(Clone, FromRow)]
pub(crate) struct Position {
    pub(crate) id: Uuid,
    pub(crate) alias_key: String,
    pub(crate) name_key: String,
    pub(crate) email_key: String,
}

/// Something a filter asks for that an index answers by itself: a list of accounts that may be a short one.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Word(String),
    Role(Role),
    Locked,
    Inactive,
    Factor(FactorFilter),
}

impl Source {
    /// All that a filter asks for.
    pub(crate) fn all_of(filter: &AgentFilter) -> Vec<Self> {
        let mut sources: Vec<Self> = wanted(&filter.search).into_iter().map(Self::Word).collect();
        sources.extend(filter.role.map(Self::Role));
        sources.extend(match filter.state {
            Some(AgentState::Locked) => Some(Self::Locked),
            Some(AgentState::Inactive) => Some(Self::Inactive),
            Some(AgentState::Active) | None => None,
        });
        sources.extend(filter.factor.map(Self::Factor));
        sources
    }

    /// Adds the statement that selects the identifiers of its accounts.
    fn select(&self, company: CompanyId, built: &mut Built) {
        match self {
            Self::Word(word) => {
                built.add("SELECT w.account_id FROM account_word w WHERE w.company_id = ");
                built.bind(company);
                begins_with(word, built);
            }
            Self::Role(role) => {
                built.add("SELECT r.account_id FROM account_role r WHERE r.company_id = ");
                built.bind(company).add(" AND r.role = ").bind(role.as_str());
            }
            Self::Locked | Self::Inactive | Self::Factor(_) => {
                built
                    .add("SELECT s.id FROM account s WHERE s.company_id = ")
                    .bind(company);
                // Word for word the conditions of the partial indexes.
                built.add(match self {
                    Self::Inactive => " AND NOT s.active",
                    Self::Factor(FactorFilter::App) => " AND s.app_secret IS NOT NULL",
                    Self::Factor(FactorFilter::Email) => " AND s.email_factor",
                    Self::Factor(FactorFilter::None) => " AND s.app_secret IS NULL AND NOT s.email_factor",
                    _ => " AND (s.locked_at IS NOT NULL OR s.wrong_codes >= 5)",
                });
            }
        }
    }

    /// The identifiers of its accounts, no more than tell whether they are few. An account may stand there twice.
    pub(crate) fn first_few(&self, company: CompanyId) -> Built {
        let mut built = Built::new("");
        self.select(company, &mut built);
        built
            .add(" LIMIT ")
            .bind(i64::try_from(FEW + 1).unwrap_or(i64::MAX));
        built
    }
}

/// Adds the range of words with this beginning; `LIKE` would take `%` and `_` for something else.
fn begins_with(word: &str, built: &mut Built) {
    built.add(" AND w.word >= ").bind(word);
    if let Some(end) = end_of(word) {
        built.add(" AND w.word < ").bind(end.as_str());
    }
}

/// Adds what a filter asks of an account, as a condition. Not with `EXISTS`, which PostgreSQL may answer by reading
/// everything that any account has.
fn asked(filter: &AgentFilter, built: &mut Built) {
    built.add(match filter.state {
        None => "TRUE",
        Some(AgentState::Active) => "a.active",
        Some(AgentState::Inactive) => "NOT a.active",
        Some(AgentState::Locked) => "(a.locked_at IS NOT NULL OR a.wrong_codes >= 5)",
    });
    built.add(match filter.factor {
        None => "",
        Some(FactorFilter::None) => " AND a.app_secret IS NULL AND NOT a.email_factor",
        Some(FactorFilter::Email) => " AND a.email_factor",
        Some(FactorFilter::App) => " AND a.app_secret IS NOT NULL",
    });
    if let Some(role) = filter.role {
        built.add(
            " AND (SELECT 1 FROM account_role r \
             WHERE r.company_id = a.company_id AND r.account_id = a.id AND r.role = ",
        );
        built.bind(role.as_str()).add(" LIMIT 1) IS NOT NULL");
    }
    if filter.only_agents {
        built.add(
            " AND (SELECT 1 FROM account_role r \
             WHERE r.company_id = a.company_id AND r.account_id = a.id AND r.role <> ",
        );
        built.bind(Role::Agent.as_str()).add(" LIMIT 1) IS NULL");
    }
    for word in wanted(&filter.search) {
        built.add(
            " AND (SELECT 1 FROM account_word w \
             WHERE w.company_id = a.company_id AND w.account_id = a.id",
        );
        begins_with(&word, built);
        built.add(" LIMIT 1) IS NOT NULL");
    }
}

/// Which accounts of a list are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Stretch<'p> {
    /// Beginning beyond this position; `None` = at the end from which is counted.
    pub(crate) beyond: Option<&'p Position>,
    /// Whether the account at the position is wanted too.
    pub(crate) inclusive: bool,
    /// Whether keys grow.
    pub(crate) ascending: bool,
    /// How many at most.
    pub(crate) most: i64,
}

/// Adds the condition that an account lies beyond a position. Names and addresses are unique in their company, so their
/// keys alone are an order; aliases are not.
fn beyond(sort: AgentSort, stretch: Stretch<'_>, position: &Position, built: &mut Built) {
    built.add(match sort {
        AgentSort::Alias => "(a.alias_key, a.id)",
        AgentSort::Account => "a.name_key",
        AgentSort::Email => "a.email_key",
        AgentSort::Created => "a.id",
    });
    built.add(match (stretch.ascending, stretch.inclusive) {
        (true, false) => " > ",
        (true, true) => " >= ",
        (false, false) => " < ",
        (false, true) => " <= ",
    });
    match sort {
        AgentSort::Alias => built
            .add("(")
            .bind(position.alias_key.as_str())
            .add(", ")
            .bind(position.id)
            .add(")"),
        AgentSort::Account => built.bind(position.name_key.as_str()),
        AgentSort::Email => built.bind(position.email_key.as_str()),
        AgentSort::Created => built.bind(position.id),
    };
}

/// The statement of a stretch of the list. With `few` it finds the accounts of that source and sorts them; without it
/// walks through the index of the order. What stands in a `CASE`, and the keys to sort by that have something added,
/// keep a planner from taking any other index.
pub(crate) fn stretch_of(
    company: CompanyId,
    filter: &AgentFilter,
    stretch: Stretch<'_>,
    few: Option<&Source>,
) -> Built {
    let mut built = Built::new(concat!(
        "SELECT ",
        account_columns!(),
        " FROM account a WHERE a.company_id = "
    ));
    built.bind(company);
    if let Some(few) = few {
        built.add(" AND a.id IN (");
        few.select(company, &mut built);
        built.add(")");
    } else if let Some(position) = stretch.beyond {
        built.add(" AND ");
        beyond(filter.sort, stretch, position, &mut built);
    }
    built.add(" AND CASE WHEN ");
    asked(filter, &mut built);
    if let (Some(_), Some(position)) = (few, stretch.beyond) {
        built.add(" AND ");
        beyond(filter.sort, stretch, position, &mut built);
    }
    built.add(" THEN TRUE ELSE FALSE END ORDER BY ");
    built.add(match (filter.sort, few.is_some(), stretch.ascending) {
        (AgentSort::Alias, false, true) => "a.alias_key, a.id",
        (AgentSort::Alias, false, false) => "a.alias_key DESC, a.id DESC",
        (AgentSort::Account, false, true) => "a.name_key",
        (AgentSort::Account, false, false) => "a.name_key DESC",
        (AgentSort::Email, false, true) => "a.email_key",
        (AgentSort::Email, false, false) => "a.email_key DESC",
        (AgentSort::Created, _, true) => "a.id",
        (AgentSort::Created, _, false) => "a.id DESC",
        (AgentSort::Alias, true, true) => "a.alias_key || '', a.id",
        (AgentSort::Alias, true, false) => "a.alias_key || '' DESC, a.id DESC",
        (AgentSort::Account, true, true) => "a.name_key || ''",
        (AgentSort::Account, true, false) => "a.name_key || '' DESC",
        (AgentSort::Email, true, true) => "a.email_key || ''",
        (AgentSort::Email, true, false) => "a.email_key || '' DESC",
    });
    built.add(" LIMIT ").bind(stretch.most);
    built
}

/// What a filter comes down to.
enum Finding {
    /// No account at all.
    Nothing,
    /// From the shortest list of accounts.
    Few(Source),
    /// Walking through all accounts in their order.
    Walk,
}

impl Reader {
    async fn position(&mut self, company: CompanyId, id: AccountId) -> Result<Option<Position>, StoreError> {
        optional!(self, Position, POSITION, company.0, id.0)
    }

    async fn finding(&mut self, company: CompanyId, filter: &AgentFilter) -> Result<Finding, StoreError> {
        // No word has this character, and PostgreSQL takes no text with it.
        if filter.search.contains('\0') {
            return Ok(Finding::Nothing);
        }
        let mut best = None;
        let mut shortest = FEW + 1;
        for source in Source::all_of(filter) {
            let count = built_all!(self, (Uuid,), source.first_few(company))?.len();
            if count == 0 {
                return Ok(Finding::Nothing);
            }
            if count < shortest {
                shortest = count;
                best = Some(source);
            }
        }
        Ok(best.map_or(Finding::Walk, Finding::Few))
    }

    async fn stretch(
        &mut self,
        company: CompanyId,
        filter: &AgentFilter,
        stretch: Stretch<'_>,
        few: Option<&Source>,
    ) -> Result<Vec<Account>, StoreError> {
        built_all!(self, AccountColumns, stretch_of(company, filter, stretch, few))?
            .into_iter()
            .map(Account::try_from)
            .collect()
    }

    /// One page of at most `most` accounts, found by an index however large the company is. `from` an account that is
    /// not there any more, or not of this company, begins at the start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agent_page(
        &mut self,
        company: CompanyId,
        filter: &AgentFilter,
        from: PageFrom,
        most: usize,
    ) -> Result<AgentPage, StoreError> {
        let few = match self.finding(company, filter).await? {
            Finding::Nothing => return Ok(AgentPage::default()),
            Finding::Few(source) => Some(source),
            Finding::Walk => None,
        };
        let (cursor, backwards) = match from {
            PageFrom::Start => (None, false),
            PageFrom::After(id) => (self.position(company, id).await?, false),
            PageFrom::Before(id) => (self.position(company, id).await?, true),
        };
        // Without its account a cursor means the start.
        let backwards = backwards && cursor.is_some();
        let ahead = Stretch {
            beyond: cursor.as_ref(),
            inclusive: false,
            ascending: filter.descending == backwards,
            most: i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1),
        };
        let mut accounts = self.stretch(company, filter, ahead, few.as_ref()).await?;
        let more_ahead = accounts.len() > most;
        accounts.truncate(most);
        // What lies behind: anything on the other side of the page's first account, or, when the page is empty, of
        // the cursor and with it.
        let behind = if let Some(cursor) = &cursor {
            let first = match accounts.first() {
                Some(first) => self.position(company, first.id).await?,
                None => None,
            };
            let behind = Stretch {
                beyond: Some(first.as_ref().unwrap_or(cursor)),
                inclusive: first.is_none(),
                ascending: !ahead.ascending,
                most: 1,
            };
            !self
                .stretch(company, filter, behind, few.as_ref())
                .await?
                .is_empty()
        } else {
            false
        };
        if backwards {
            accounts.reverse();
        }
        Ok(AgentPage {
            accounts,
            before: if backwards { more_ahead } else { behind },
            after: if backwards { behind } else { more_ahead },
        })
    }

    /// How many accounts are how.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_agents(&mut self, company: CompanyId) -> Result<AgentCounts, StoreError> {
        let row = optional!(self, (i64, i64, i64, i64, i64), COUNTS, company.0)?;
        let (all, active, inactive, locked, with_second_factor) = row.unwrap_or_default();
        Ok(AgentCounts {
            all,
            active,
            inactive,
            locked,
            with_second_factor,
        })
    }

    /// How many accounts with the role Admin are active, but for `without`. Inside a transaction that called
    /// [`Writer::hold_company`] nobody changes it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_active_admins(
        &mut self,
        company: CompanyId,
        without: Option<AccountId>,
    ) -> Result<i64, StoreError> {
        let without = without.map(|id| id.0);
        let row = optional!(self, (i64,), COUNT_ADMINS, company.0, without)?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// The active accounts with the role Admin, for mails to them; at most 100.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn active_admins(&mut self, company: CompanyId) -> Result<Vec<Account>, StoreError> {
        all!(self, AccountColumns, ADMINS, company.0)?
            .into_iter()
            .map(Account::try_from)
            .collect()
    }

    /// Whether an account of the company, other than `without`, has this e-mail address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn email_is_taken(
        &mut self,
        company: CompanyId,
        email: &EmailAddress,
        without: Option<AccountId>,
    ) -> Result<bool, StoreError> {
        let without = without.map(|id| id.0);
        let row = optional!(self, (i64,), EMAIL_TAKEN, company.0, email.key(), without)?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    /// Up to `most` accounts of the company after this one by identifier, for exports and for walking over all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_after(
        &mut self,
        company: CompanyId,
        after: Option<AccountId>,
        most: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        all!(self, AccountColumns, AFTER, company.0, after, most)?
            .into_iter()
            .map(Account::try_from)
            .collect()
    }
}

impl Writer {
    /// Saves the data and roles of an account if its version is still `version`, and makes the version one higher; its
    /// words for the search follow. Says whether it did.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Other`] without a role.
    pub async fn set_agent(
        &mut self,
        company: CompanyId,
        id: AccountId,
        version: i64,
        data: &AgentData,
        now: Moment,
    ) -> Result<bool, StoreError> {
        if data.roles.is_empty() {
            return Err(StoreError::other("an account without a role"));
        }
        let set = execute!(
            self,
            SET,
            company.0,
            id.0,
            version,
            &data.person.first_name,
            &data.person.last_name,
            &data.person.alias,
            alias_key(&data.person.alias),
            &data.person.phone,
            &data.person.title,
            data.person.time_format.hours(),
            &data.person.language,
            data.active,
            now,
        )? == 1;
        if set {
            execute!(self, DELETE_ROLES, company.0, id.0)?;
            self.insert_roles(company, id, &data.roles).await?;
            self.put_words_of(company, id).await?;
        }
        Ok(set)
    }

    /// Sets, or with `None` gives up, the new e-mail address that waits for its confirmation, and makes the version one
    /// higher. Says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_pending_email(
        &mut self,
        company: CompanyId,
        id: AccountId,
        email: Option<&EmailAddress>,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let address = email.map(EmailAddress::display);
        let since = email.map(|_| now);
        Ok(execute!(self, SET_PENDING_EMAIL, company.0, id.0, address, since, now)? == 1)
    }

    /// Makes `email` the address of the account: nothing waits any more, the credential version and the version are one
    /// higher, its words for the search follow. Says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another account of the company has this address.
    pub async fn put_email(
        &mut self,
        company: CompanyId,
        id: AccountId,
        email: &EmailAddress,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let put = execute!(
            self,
            PUT_EMAIL,
            company.0,
            id.0,
            email.display(),
            email.key(),
            now
        )? == 1;
        if put {
            self.put_words_of(company, id).await?;
        }
        Ok(put)
    }

    /// Deletes an account with everything that hangs on it, except its audit events; says whether it existed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_account(&mut self, company: CompanyId, id: AccountId) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, company.0, id.0)? == 1)
    }

    /// Holds the company until the transaction ends: whoever else wants to hold it waits. Decisions about the company's
    /// last admin begin with this, before [`Writer::hold_account`]. Says whether it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_company(&mut self, id: CompanyId) -> Result<bool, StoreError> {
        self.note_change(Changed::Company(id));
        Ok(execute!(self, HOLD_COMPANY, id.0)? == 1)
    }
}
