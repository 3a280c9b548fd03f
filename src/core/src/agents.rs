//! The list of agents: what may be searched, filtered and sorted, and the rules of changing somebody else's account
//! (product.md section 3, Agents).

use crate::{
    account::{Account, Role},
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
        /// When it was created.
        Created = "created",
    }
}

/// Which agents are wanted, in which order. The default is all of them by account name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Beginnings of words of alias, names, account name or e-mail address; all must be found.
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

/// Whether saving these roles or a changed e-mail address gives somebody rights or a way in: then whoever saves it has
/// to prove their identity first (N21). `before` is `None` for a new account.
pub fn gives_rights(before: Option<&Account>, roles: &[Role], email_changes: bool) -> bool {
    let more_than_agent = |roles: &[Role]| roles.iter().any(|&role| role > Role::Agent);
    match before {
        None => more_than_agent(roles),
        Some(before) => email_changes || before.roles != roles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in::tests::account;

    #[test]
    fn rights_and_addresses_are_given_only_by_somebody_who_proved_who_they_are() {
        let before = account();
        assert!(!gives_rights(None, &[Role::Agent], true));
        assert!(gives_rights(None, &[Role::Agent, Role::Admin], false));
        assert!(!gives_rights(Some(&before), &before.roles, false));
        assert!(gives_rights(Some(&before), &before.roles, true));
        assert!(gives_rights(Some(&before), &[Role::Supervisor], false));
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
    }
}
