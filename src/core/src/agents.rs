//! The list of agents: what may be searched, filtered and sorted, and the rules of changing somebody else's account
//! (product.md section 3, Agents).

use crate::{
    account::{Account, Role},
    limits::{PAGE_SIZE, PAGE_SIZES},
    words,
};

words! {
    /// Active, inactive or locked.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum AgentState {
        /// Switched on, locked or not.
        Active = "active",
        /// Switched off by an admin.
        Inactive = "inactive",
        /// Locked by wrong codes.
        Locked = "locked",
    }
}

words! {
    /// Which second factor an account has.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FactorFilter {
        /// None at all.
        None = "none",
        /// Codes by e-mail, with or without an app.
        Email = "email",
        /// An authenticator app, with or without codes by e-mail.
        App = "app",
    }
}

words! {
    /// What the list is sorted by.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum AgentSort {
        /// What colleagues see.
        Alias = "name",
        /// Account name.
        #[default]
        Account = "account",
        /// E-mail address.
        Email = "email",
        /// The highest role, admins first.
        Role = "role",
        /// The locked ones, the active ones, the inactive ones.
        State = "state",
        /// Second factors: none, e-mail, app, both.
        Factor = "factor",
        /// The last sign-in; first who never signed in.
        LastSignIn = "last_sign_in",
        /// When it was created.
        Created = "created",
    }
}

words! {
    /// A column of the list, besides the name, which is always there.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum AgentColumn {
        /// Account name.
        Account = "account",
        /// E-mail address.
        Email = "email",
        /// Phone.
        Phone = "phone",
        /// Title.
        Title = "title",
        /// Roles.
        Roles = "roles",
        /// Active, inactive or locked.
        State = "state",
        /// Second factors.
        Factor = "factor",
        /// When it signed in last.
        LastSignIn = "last_sign_in",
        /// When it was created.
        Created = "created",
    }
}

/// How somebody wants to see the list: kept in their browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// The columns, in their order, each once.
    pub columns: Vec<AgentColumn>,
    /// Rows on a page: one of [`PAGE_SIZES`].
    pub rows: usize,
}

impl Default for AgentView {
    fn default() -> Self {
        Self {
            columns: AgentColumn::ALL
                .into_iter()
                .filter(|column| {
                    !matches!(
                        column,
                        AgentColumn::Phone | AgentColumn::Title | AgentColumn::Created
                    )
                })
                .collect(),
            rows: PAGE_SIZE,
        }
    }
}

impl AgentView {
    /// From words of columns and a number of rows. What is unknown is left out; a number that is not offered is the usual
    /// one.
    pub fn new<'w>(columns: impl IntoIterator<Item = &'w str>, rows: &str) -> Self {
        let asked: Vec<AgentColumn> = columns.into_iter().filter_map(AgentColumn::from_word).collect();
        let known = AgentColumn::ALL
            .into_iter()
            .filter(|column| asked.contains(column));
        Self {
            columns: known.collect(),
            rows: rows
                .parse()
                .ok()
                .filter(|rows| PAGE_SIZES.contains(rows))
                .unwrap_or(PAGE_SIZE),
        }
    }

    /// As [`AgentView::to_text`] wrote it; the usual view for anything else.
    pub fn from_text(text: &str) -> Self {
        match text.split_once('-') {
            Some((rows, columns)) => Self::new(columns.split('.'), rows),
            None => Self::default(),
        }
    }

    /// For a cookie: `50-account.email.state`.
    pub fn to_text(&self) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.as_str()).collect();
        format!("{}-{}", self.rows, columns.join("."))
    }

    /// Whether a column is shown.
    pub fn shows(&self, column: AgentColumn) -> bool {
        self.columns.contains(&column)
    }
}

/// Which agents are wanted, in which order. The default is all of them by account name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Beginnings of words of alias, names, account name or e-mail address, parts of them from three letters on, or a part
    /// of the phone number; all must be found.
    pub search: String,
    /// Active, inactive or locked.
    pub state: Option<AgentState>,
    /// Accounts that have this role, whatever others they have.
    pub role: Option<Role>,
    /// Which second factor.
    pub factor: Option<FactorFilter>,
    /// What the list is sorted by.
    pub sort: AgentSort,
    /// Whether the order is turned round.
    pub descending: bool,
    /// Only accounts whose single role is Agent: all that a supervisor may see.
    pub only_agents: bool,
}

impl AgentFilter {
    /// Whether it finds every account of the company.
    pub fn finds_all(&self) -> bool {
        let Self {
            search,
            state,
            role,
            factor,
            only_agents,
            ..
        } = self;
        search.trim().is_empty() && state.is_none() && role.is_none() && factor.is_none() && !only_agents
    }
}

/// Whether saving these roles, the active switch or a changed e-mail address gives somebody rights or a way in: then
/// whoever saves it has to prove their identity first (N21). `before` is `None` for a new account.
pub fn gives_rights(before: Option<&Account>, roles: &[Role], active: bool, email_changes: bool) -> bool {
    let more_than_agent = |roles: &[Role]| roles.iter().any(|&role| role > Role::Agent);
    match before {
        None => more_than_agent(roles),
        Some(before) => email_changes || before.roles != roles || (active && !before.active),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in::tests::account;

    #[test]
    fn rights_and_addresses_are_given_only_by_somebody_who_proved_who_they_are() {
        let before = account();
        assert!(!gives_rights(None, &[Role::Agent], true, true));
        assert!(gives_rights(None, &[Role::Agent, Role::Admin], true, false));
        assert!(!gives_rights(Some(&before), &before.roles, true, false));
        assert!(gives_rights(Some(&before), &before.roles, true, true));
        assert!(gives_rights(Some(&before), &[Role::Supervisor], true, false));
        let shut_out = Account {
            active: false,
            ..before
        };
        assert!(gives_rights(Some(&shut_out), &shut_out.roles, true, false));
        assert!(!gives_rights(Some(&shut_out), &shut_out.roles, false, false));
    }

    #[test]
    fn words_in_addresses_are_read_as_written() {
        for state in AgentState::ALL {
            assert_eq!(AgentState::from_word(state.as_str()), Some(state));
        }
        for factor in FactorFilter::ALL {
            assert_eq!(FactorFilter::from_word(factor.as_str()), Some(factor));
        }
        for sort in AgentSort::ALL {
            assert_eq!(AgentSort::from_word(sort.as_str()), Some(sort));
        }
        for column in AgentColumn::ALL {
            assert_eq!(AgentColumn::from_word(column.as_str()), Some(column));
        }
    }

    #[test]
    fn a_view_is_read_as_it_was_written_and_nonsense_is_the_usual_one() {
        let view = AgentView::new(["phone", "account", "phone", "nonsense"], "100");
        assert_eq!(view.columns, [AgentColumn::Account, AgentColumn::Phone]);
        assert_eq!(AgentView::from_text(&view.to_text()), view);
        let bare = AgentView::new([], "3");
        assert_eq!((bare.columns.len(), bare.rows), (0, PAGE_SIZE));
        assert_eq!(AgentView::from_text(&bare.to_text()), bare);
        for nonsense in ["", "50", "rubbish"] {
            assert_eq!(AgentView::from_text(nonsense), AgentView::default());
        }
        assert!(!AgentView::default().shows(AgentColumn::Phone));
    }

    #[test]
    fn only_an_empty_filter_finds_all() {
        let all = AgentFilter {
            sort: AgentSort::Role,
            descending: true,
            ..AgentFilter::default()
        };
        assert!(all.finds_all());
        for narrower in [
            AgentFilter {
                search: "a".into(),
                ..all.clone()
            },
            AgentFilter {
                state: Some(AgentState::Active),
                ..all.clone()
            },
            AgentFilter {
                role: Some(Role::Agent),
                ..all.clone()
            },
            AgentFilter {
                factor: Some(FactorFilter::None),
                ..all.clone()
            },
            AgentFilter {
                only_agents: true,
                ..all.clone()
            },
        ] {
            assert!(!narrower.finds_all(), "{narrower:?}");
        }
    }
}
