//! The list of agents, and changing somebody else's account (product.md section 3, Agents).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::{Account, Person, Role},
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    id::{AccountId, CompanyId},
    name::EmailAddress,
    ports::Moment,
    search::is_short,
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

pub(crate) const POSITION: &str = concat!(
    "SELECT a.alias_key, a.name_key, a.email_key, ",
    account_columns!(),
    " FROM account a WHERE a.company_id = $1 AND a.id = $2"
);
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
    /// Of them with codes by e-mail.
    pub with_email: i64,
    /// Of them with an app.
    pub with_app: i64,
}

/// Where an account stands in each order.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) id: Uuid,
    pub(crate) alias_key: String,
    pub(crate) name_key: String,
    pub(crate) email_key: String,
    pub(crate) last_sign_in_at: Option<Moment>,
    /// Its group in the order that was asked for.
    pub(crate) group: Group,
}

#[derive(FromRow)]
struct PositionColumns {
    alias_key: String,
    name_key: String,
    email_key: String,
    #[sqlx(flatten)]
    account: AccountColumns,
}

impl PositionColumns {
    fn in_order(self, sort: AgentSort) -> Result<Position, StoreError> {
        let account = Account::try_from(self.account)?;
        Ok(Position {
            id: account.id.0,
            alias_key: self.alias_key,
            name_key: self.name_key,
            email_key: self.email_key,
            last_sign_in_at: account.last_sign_in_at,
            group: Group::of(&account, sort),
        })
    }
}

/// Accounts that stand together in an order: what they are sorted by has few values, so that an order is a few lists one
/// after the other, each of them found and walked through like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    All,
    Admins,
    Supervisors,
    Agents,
    Locked,
    Active,
    Inactive,
    WithoutFactor,
    EmailOnly,
    AppOnly,
    BothFactors,
    NeverSignedIn,
    SignedIn,
}

/// What accounts of a group are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Alias,
    Name,
    Email,
    LastSignIn,
    Id,
}

impl Group {
    /// The groups of an order, from its beginning.
    pub(crate) const fn all_of(sort: AgentSort) -> &'static [Self] {
        match sort {
            AgentSort::Alias | AgentSort::Account | AgentSort::Email | AgentSort::Created => &[Self::All],
            AgentSort::Role => &[Self::Admins, Self::Supervisors, Self::Agents],
            AgentSort::State => &[Self::Locked, Self::Active, Self::Inactive],
            AgentSort::Factor => &[
                Self::WithoutFactor,
                Self::EmailOnly,
                Self::AppOnly,
                Self::BothFactors,
            ],
            AgentSort::LastSignIn => &[Self::NeverSignedIn, Self::SignedIn],
        }
    }

    /// The group of an account.
    fn of(account: &Account, sort: AgentSort) -> Self {
        match sort {
            AgentSort::Alias | AgentSort::Account | AgentSort::Email | AgentSort::Created => Self::All,
            AgentSort::Role => match account.highest_role() {
                Role::Admin => Self::Admins,
                Role::Supervisor => Self::Supervisors,
                Role::Agent => Self::Agents,
            },
            AgentSort::State if account.is_locked() => Self::Locked,
            AgentSort::State if account.active => Self::Active,
            AgentSort::State => Self::Inactive,
            AgentSort::Factor => match (account.app_factor, account.email_factor) {
                (false, false) => Self::WithoutFactor,
                (false, true) => Self::EmailOnly,
                (true, false) => Self::AppOnly,
                (true, true) => Self::BothFactors,
            },
            AgentSort::LastSignIn if account.last_sign_in_at.is_none() => Self::NeverSignedIn,
            AgentSort::LastSignIn => Self::SignedIn,
        }
    }

    /// What its accounts are sorted by.
    pub(crate) const fn key(self, sort: AgentSort) -> Key {
        match (sort, self) {
            (AgentSort::Alias, _) => Key::Alias,
            (AgentSort::Email, _) => Key::Email,
            (AgentSort::Created, _) => Key::Id,
            (AgentSort::LastSignIn, Self::SignedIn) => Key::LastSignIn,
            _ => Key::Name,
        }
    }

    /// The list that an index has of its accounts, and of some others perhaps.
    fn source(self) -> Option<Source> {
        Some(match self {
            Self::All | Self::Agents | Self::Active | Self::SignedIn => return None,
            Self::Admins => Source::Role(Role::Admin),
            Self::Supervisors => Source::Role(Role::Supervisor),
            Self::Locked => Source::Locked,
            Self::Inactive => Source::Inactive,
            Self::WithoutFactor => Source::Factor(FactorFilter::None),
            Self::EmailOnly => Source::Factor(FactorFilter::Email),
            Self::AppOnly | Self::BothFactors => Source::Factor(FactorFilter::App),
            Self::NeverSignedIn => Source::NeverSignedIn,
        })
    }

    /// What is asked of its accounts, to be added to another condition.
    const fn condition(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Admins => {
                " AND (SELECT 1 FROM account_role r WHERE r.company_id = a.company_id \
                 AND r.account_id = a.id AND r.role = 'admin') IS NOT NULL"
            }
            Self::Supervisors => {
                " AND (SELECT 1 FROM account_role r WHERE r.company_id = a.company_id \
                 AND r.account_id = a.id AND r.role = 'supervisor') IS NOT NULL \
                 AND (SELECT 1 FROM account_role r WHERE r.company_id = a.company_id \
                 AND r.account_id = a.id AND r.role = 'admin') IS NULL"
            }
            Self::Agents => {
                " AND (SELECT 1 FROM account_role r WHERE r.company_id = a.company_id \
                 AND r.account_id = a.id AND r.role <> 'agent' LIMIT 1) IS NULL"
            }
            Self::Locked => " AND (a.locked_at IS NOT NULL OR a.wrong_codes >= 5)",
            Self::Active => " AND a.active AND a.locked_at IS NULL AND a.wrong_codes < 5",
            Self::Inactive => " AND NOT a.active AND a.locked_at IS NULL AND a.wrong_codes < 5",
            Self::WithoutFactor => " AND a.app_secret IS NULL AND NOT a.email_factor",
            Self::EmailOnly => " AND a.app_secret IS NULL AND a.email_factor",
            Self::AppOnly => " AND a.app_secret IS NOT NULL AND NOT a.email_factor",
            Self::BothFactors => " AND a.app_secret IS NOT NULL AND a.email_factor",
            Self::NeverSignedIn => " AND a.last_sign_in_at IS NULL",
            Self::SignedIn => " AND a.last_sign_in_at IS NOT NULL",
        }
    }
}

/// Something a filter asks for that an index answers by itself: a list of accounts that may be a short one.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Word(String),
    Role(Role),
    Locked,
    Inactive,
    Factor(FactorFilter),
    NeverSignedIn,
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
                is_word(word, built);
            }
            Self::Role(role) => {
                built.add("SELECT r.account_id FROM account_role r WHERE r.company_id = ");
                built.bind(company).add(" AND r.role = ").bind(role.as_str());
            }
            Self::Locked | Self::Inactive | Self::Factor(_) | Self::NeverSignedIn => {
                built
                    .add("SELECT s.id FROM account s WHERE s.company_id = ")
                    .bind(company);
                // Word for word the conditions of the partial indexes.
                built.add(match self {
                    Self::Inactive => " AND NOT s.active",
                    Self::Factor(FactorFilter::App) => " AND s.app_secret IS NOT NULL",
                    Self::Factor(FactorFilter::Email) => " AND s.email_factor",
                    Self::Factor(FactorFilter::None) => " AND s.app_secret IS NULL AND NOT s.email_factor",
                    Self::NeverSignedIn => " AND s.last_sign_in_at IS NULL",
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

/// Adds by which words an account is found, as [`vestibule_core::search::is_found`] says: a short word as it is, another
/// as the range of words with this beginning; `LIKE` would take `%` and `_` for something else.
fn is_word(word: &str, built: &mut Built) {
    if is_short(word) {
        built.add(" AND w.word = ").bind(word);
        return;
    }
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
        is_word(&word, built);
        built.add(" LIMIT 1) IS NOT NULL");
    }
}

/// Which accounts of a group are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Stretch<'p> {
    /// The group.
    pub(crate) group: Group,
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
/// keys alone are an order; aliases and moments are not.
fn beyond(key: Key, stretch: Stretch<'_>, position: &Position, built: &mut Built) {
    built.add(match key {
        Key::Alias => "(a.alias_key, a.id)",
        Key::Name => "a.name_key",
        Key::Email => "a.email_key",
        Key::LastSignIn => "(a.last_sign_in_at, a.id)",
        Key::Id => "a.id",
    });
    built.add(match (stretch.ascending, stretch.inclusive) {
        (true, false) => " > ",
        (true, true) => " >= ",
        (false, false) => " < ",
        (false, true) => " <= ",
    });
    match key {
        Key::Alias => built
            .add("(")
            .bind(position.alias_key.as_str())
            .add(", ")
            .bind(position.id)
            .add(")"),
        Key::Name => built.bind(position.name_key.as_str()),
        Key::Email => built.bind(position.email_key.as_str()),
        Key::LastSignIn => built
            .add("(")
            .bind(position.last_sign_in_at.unwrap_or_default())
            .add(", ")
            .bind(position.id)
            .add(")"),
        Key::Id => built.bind(position.id),
    };
}

/// The statement of a stretch of a group. With `few` it finds the accounts of that source and sorts them; without it
/// walks through the index of the order. What stands in a `CASE`, and the keys to sort by that have something added,
/// keep a planner from taking any other index.
pub(crate) fn stretch_of(
    company: CompanyId,
    filter: &AgentFilter,
    stretch: Stretch<'_>,
    few: Option<&Source>,
) -> Built {
    let key = stretch.group.key(filter.sort);
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
        beyond(key, stretch, position, &mut built);
    } else if key == Key::LastSignIn {
        // Where the index has those that are in this group.
        built.add(" AND a.last_sign_in_at IS NOT NULL");
    }
    built.add(" AND CASE WHEN ");
    asked(filter, &mut built);
    built.add(stretch.group.condition());
    if let (Some(_), Some(position)) = (few, stretch.beyond) {
        built.add(" AND ");
        beyond(key, stretch, position, &mut built);
    }
    built.add(" THEN TRUE ELSE FALSE END ORDER BY ");
    built.add(match (key, few.is_some(), stretch.ascending) {
        (Key::Alias, false, true) => "a.alias_key, a.id",
        (Key::Alias, false, false) => "a.alias_key DESC, a.id DESC",
        (Key::Name, false, true) => "a.name_key",
        (Key::Name, false, false) => "a.name_key DESC",
        (Key::Email, false, true) => "a.email_key",
        (Key::Email, false, false) => "a.email_key DESC",
        (Key::LastSignIn, false, true) => "a.last_sign_in_at, a.id",
        (Key::LastSignIn, false, false) => "a.last_sign_in_at DESC, a.id DESC",
        (Key::Id, _, true) => "a.id",
        (Key::Id, _, false) => "a.id DESC",
        (Key::Alias, true, true) => "a.alias_key || '', a.id",
        (Key::Alias, true, false) => "a.alias_key || '' DESC, a.id DESC",
        (Key::Name, true, true) => "a.name_key || ''",
        (Key::Name, true, false) => "a.name_key || '' DESC",
        (Key::Email, true, true) => "a.email_key || ''",
        (Key::Email, true, false) => "a.email_key || '' DESC",
        (Key::LastSignIn, true, true) => "COALESCE(a.last_sign_in_at, a.created_at), a.id",
        (Key::LastSignIn, true, false) => "COALESCE(a.last_sign_in_at, a.created_at) DESC, a.id DESC",
    });
    built.add(" LIMIT ").bind(stretch.most);
    built
}

/// The statement that counts what a filter finds, up to `most`.
pub(crate) fn count_of(company: CompanyId, filter: &AgentFilter, most: i64, few: Option<&Source>) -> Built {
    let mut built = Built::new("SELECT COUNT(*) FROM (SELECT a.id FROM account a WHERE a.company_id = ");
    built.bind(company);
    if let Some(few) = few {
        built.add(" AND a.id IN (");
        few.select(company, &mut built);
        built.add(")");
    }
    if !filter.finds_all() {
        built.add(" AND CASE WHEN ");
        asked(filter, &mut built);
        built.add(" THEN TRUE ELSE FALSE END");
    }
    built.add(" LIMIT ").bind(most).add(") AS found");
    built
}

/// What a filter comes down to.
#[derive(Clone)]
enum Finding {
    /// No account at all.
    Nothing,
    /// From the shortest list of accounts, which has so many.
    Few(Source, usize),
    /// Walking through all accounts in their order.
    Walk,
}

impl Finding {
    const fn few(&self) -> Option<&Source> {
        match self {
            Self::Few(source, _) => Some(source),
            Self::Nothing | Self::Walk => None,
        }
    }
}

/// A walk through a list.
#[derive(Clone, Copy)]
struct Way<'p> {
    beyond: Option<&'p Position>,
    inclusive: bool,
    ascending: bool,
}

impl Reader {
    async fn position(
        &mut self,
        company: CompanyId,
        id: AccountId,
        sort: AgentSort,
    ) -> Result<Option<Position>, StoreError> {
        optional!(self, PositionColumns, POSITION, company.0, id.0)?
            .map(|found| found.in_order(sort))
            .transpose()
    }

    async fn finding(&mut self, company: CompanyId, filter: &AgentFilter) -> Result<Finding, StoreError> {
        // No word has this character, and PostgreSQL takes no text with it.
        if filter.search.contains('\0') {
            return Ok(Finding::Nothing);
        }
        let mut finding = Finding::Walk;
        for source in Source::all_of(filter) {
            finding = self.shorter(company, finding, source).await?;
        }
        Ok(finding)
    }

    /// The shorter of two lists.
    async fn shorter(
        &mut self,
        company: CompanyId,
        than: Finding,
        source: Source,
    ) -> Result<Finding, StoreError> {
        let shortest = match than {
            Finding::Nothing => return Ok(Finding::Nothing),
            Finding::Few(_, count) => count,
            Finding::Walk => FEW + 1,
        };
        let count = built_all!(self, (Uuid,), source.first_few(company))?.len();
        Ok(match count {
            0 => Finding::Nothing,
            count if count < shortest => Finding::Few(source, count),
            _ => than,
        })
    }

    /// Up to `most` accounts along a way, through one group after the other.
    async fn walk(
        &mut self,
        company: CompanyId,
        filter: &AgentFilter,
        finding: &Finding,
        way: Way<'_>,
        most: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let mut groups: Vec<Group> = Group::all_of(filter.sort).to_vec();
        if !way.ascending {
            groups.reverse();
        }
        let mut beyond = way.beyond;
        let mut found: Vec<Account> = Vec::new();
        for group in groups {
            if beyond.is_some_and(|position| position.group != group) {
                continue;
            }
            let here = match group.source() {
                Some(source) => self.shorter(company, finding.clone(), source).await?,
                None => finding.clone(),
            };
            if matches!(here, Finding::Nothing) {
                beyond = None;
                continue;
            }
            let missing = most.saturating_sub(found.len());
            let stretch = Stretch {
                group,
                beyond: beyond.take(),
                inclusive: way.inclusive,
                ascending: way.ascending,
                most: i64::try_from(missing).unwrap_or(i64::MAX),
            };
            let statement = stretch_of(company, filter, stretch, here.few());
            for row in built_all!(self, AccountColumns, statement)? {
                found.push(row.try_into()?);
            }
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
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
        let finding = self.finding(company, filter).await?;
        if matches!(finding, Finding::Nothing) {
            return Ok(AgentPage::default());
        }
        let (cursor, backwards) = match from {
            PageFrom::Start => (None, false),
            PageFrom::After(id) => (self.position(company, id, filter.sort).await?, false),
            PageFrom::Before(id) => (self.position(company, id, filter.sort).await?, true),
        };
        // Without its account a cursor means the start.
        let backwards = backwards && cursor.is_some();
        let ahead = Way {
            beyond: cursor.as_ref(),
            inclusive: false,
            ascending: filter.descending == backwards,
        };
        let mut accounts = self
            .walk(company, filter, &finding, ahead, most.saturating_add(1))
            .await?;
        let more_ahead = accounts.len() > most;
        accounts.truncate(most);
        // What lies behind: anything on the other side of the page's first account, or, when the page is empty, of
        // the cursor and with it.
        let behind = if let Some(cursor) = &cursor {
            let first = match accounts.first() {
                Some(first) => self.position(company, first.id, filter.sort).await?,
                None => None,
            };
            let behind = Way {
                beyond: Some(first.as_ref().unwrap_or(cursor)),
                inclusive: first.is_none(),
                ascending: !ahead.ascending,
            };
            !self.walk(company, filter, &finding, behind, 1).await?.is_empty()
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

    /// How many accounts a filter finds; no more than `most` are counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_found(
        &mut self,
        company: CompanyId,
        filter: &AgentFilter,
        most: usize,
    ) -> Result<usize, StoreError> {
        let finding = self.finding(company, filter).await?;
        if matches!(finding, Finding::Nothing) {
            return Ok(0);
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = built_all!(self, (i64,), count_of(company, filter, most, finding.few()))?;
        let count = rows.first().map_or(0, |(count,)| *count);
        Ok(usize::try_from(count).unwrap_or_default())
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
