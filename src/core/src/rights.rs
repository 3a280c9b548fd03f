//! Rights: which role may do what, and on whom (product.md section 1). The one table that everything asks.

use crate::account::{Account, Role};

/// Something that a server function does, or a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Signing in and what belongs to it; links of mails. Asks for no session: each has its own proof.
    ComeIn,
    /// Everything about the own account.
    OwnAccount,
    /// The list of agents, and one agent's page.
    SeeAgents,
    /// Creating an account.
    AddAgent,
    /// Changing fields, roles and the active switch of an account, and its e-mail address; switching accounts off.
    EditAgent,
    /// Switching accounts on again.
    ActivateAgents,
    /// Deleting an account.
    DeleteAgent,
    /// A new password for an account, a link to choose one, or none at all; taking the account of a
    /// provider from it.
    ResetPassword,
    /// The mail that tells a new agent how to sign in, once more.
    SendAccountDetails,
    /// A backup code for an account.
    IssueBackupCode,
    /// Unlocking an account.
    Unlock,
    /// Ending the sessions of an account.
    EndSessions,
    /// Adding many accounts from a file.
    ImportAgents,
    /// All accounts as a file.
    ExportAgents,
    /// The numbers of the company.
    SeeOverview,
    /// The settings of the company, and changing none of them.
    SeeSettings,
    /// General Information.
    ChangeCompany,
    /// The company's policies.
    ChangePolicies,
    /// The company's own mail server, and a test mail through it.
    ChangeMailServer,
    /// Single Sign-On, and a test of it.
    ChangeSso,
    /// Applications: adding, changing and deleting them, and their secrets.
    ChangeApplications,
    /// The audit log, on screen and as a file.
    SeeAudit,
}

/// Whose accounts a role may do something to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Nobody's.
    Nobody,
    /// The own account's.
    Own,
    /// Those of accounts whose only role is Agent.
    Agents,
    /// Everybody's in the company.
    Company,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::ComeIn,
        Self::OwnAccount,
        Self::SeeAgents,
        Self::AddAgent,
        Self::EditAgent,
        Self::ActivateAgents,
        Self::DeleteAgent,
        Self::ResetPassword,
        Self::SendAccountDetails,
        Self::IssueBackupCode,
        Self::Unlock,
        Self::EndSessions,
        Self::ImportAgents,
        Self::ExportAgents,
        Self::SeeOverview,
        Self::SeeSettings,
        Self::ChangeCompany,
        Self::ChangePolicies,
        Self::ChangeMailServer,
        Self::ChangeSso,
        Self::ChangeApplications,
        Self::SeeAudit,
    ];

    /// Whose accounts somebody with this highest role may do it to. Never beyond the own company.
    pub const fn scope(self, highest: Role) -> Scope {
        match self {
            Self::ComeIn | Self::OwnAccount => Scope::Own,
            Self::SeeAgents | Self::Unlock | Self::IssueBackupCode => match highest {
                Role::Admin => Scope::Company,
                Role::Supervisor => Scope::Agents,
                Role::Agent => Scope::Nobody,
            },
            Self::AddAgent
            | Self::EditAgent
            | Self::ActivateAgents
            | Self::DeleteAgent
            | Self::ResetPassword
            | Self::SendAccountDetails
            | Self::EndSessions
            | Self::ImportAgents
            | Self::ExportAgents
            | Self::SeeOverview
            | Self::SeeSettings
            | Self::ChangeCompany
            | Self::ChangePolicies
            | Self::ChangeMailServer
            | Self::ChangeSso
            | Self::ChangeApplications
            | Self::SeeAudit => match highest {
                Role::Admin => Scope::Company,
                Role::Supervisor | Role::Agent => Scope::Nobody,
            },
        }
    }

    /// Whether it always asks for a whole and recent proof of identity first (N21): what opens, or helps to open,
    /// somebody else's account, or loosens the rules. Unlocking does too: it gives five more guesses. So does switching an
    /// account on: whoever was shut out comes in again. Adding and editing do when [`crate::agents::gives_rights`] says so.
    pub const fn needs_step_up(self) -> bool {
        matches!(
            self,
            Self::ActivateAgents
                | Self::DeleteAgent
                | Self::ResetPassword
                | Self::SendAccountDetails
                | Self::IssueBackupCode
                | Self::Unlock
                | Self::ChangePolicies
                | Self::ChangeMailServer
                | Self::ChangeSso
                | Self::ChangeApplications
        )
    }

    /// Whether it is never done to the own account, whatever the role: what helps to open an account. Somebody with a
    /// stolen session would open the account it belongs to with it; its owner has the profile, or another admin.
    /// Ending sessions opens nothing; deleting, deactivating and demoting oneself are refused with what they change.
    pub const fn is_for_others(self) -> bool {
        matches!(
            self,
            Self::ResetPassword | Self::SendAccountDetails | Self::IssueBackupCode | Self::Unlock
        )
    }

    /// Whether somebody may do it to this account.
    pub fn reaches(self, own: &Account, target: &Account) -> bool {
        self.scope(own.highest_role()).holds(own, target) && !(self.is_for_others() && own.id == target.id)
    }
}

impl Scope {
    /// Whether this account lies in it. `own` is the account of whoever asks.
    pub fn holds(self, own: &Account, target: &Account) -> bool {
        if own.company != target.company {
            return false;
        }
        match self {
            Self::Nobody => false,
            Self::Own => own.id == target.id,
            Self::Agents => target.highest_role() == Role::Agent,
            Self::Company => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AccountId, CompanyId},
        sign_in::tests::account,
    };

    fn with(roles: &[Role]) -> Account {
        Account {
            roles: roles.to_vec(),
            ..account()
        }
    }

    #[test]
    fn supervisors_see_unlock_and_help_agents_and_nothing_else() {
        let allowed: Vec<Action> = Action::ALL
            .into_iter()
            .filter(|action| action.scope(Role::Supervisor) >= Scope::Agents)
            .collect();
        assert_eq!(
            allowed,
            [Action::SeeAgents, Action::IssueBackupCode, Action::Unlock]
        );
        let supervisor = with(&[Role::Supervisor]);
        let scope = Action::Unlock.scope(Role::Supervisor);
        assert!(scope.holds(&supervisor, &with(&[Role::Agent])));
        for other in [&[Role::Agent, Role::Supervisor][..], &[Role::Admin]] {
            assert!(!scope.holds(&supervisor, &with(other)), "{other:?}");
        }
    }

    #[test]
    fn agents_have_nothing_to_do_with_the_console() {
        for action in Action::ALL {
            assert!(action.scope(Role::Agent) <= Scope::Own, "{action:?}");
            assert!(
                action.scope(Role::Admin) >= action.scope(Role::Supervisor),
                "{action:?}"
            );
        }
    }

    #[test]
    fn nobody_helps_the_own_account_open() {
        let admin = with(&[Role::Admin]);
        let colleague = Account {
            id: AccountId(uuid::Uuid::from_u128(98)),
            ..with(&[Role::Admin])
        };
        let refused: Vec<Action> = Action::ALL
            .into_iter()
            .filter(|action| action.scope(Role::Admin) == Scope::Company && !action.reaches(&admin, &admin))
            .collect();
        assert_eq!(
            refused,
            [
                Action::ResetPassword,
                Action::SendAccountDetails,
                Action::IssueBackupCode,
                Action::Unlock
            ]
        );
        for action in refused {
            assert!(action.reaches(&admin, &colleague), "{action:?}");
            assert!(action.needs_step_up(), "{action:?}");
        }
    }

    #[test]
    fn whatever_lets_somebody_in_asks_who_it_is_first() {
        for action in [
            Action::ActivateAgents,
            Action::ResetPassword,
            Action::SendAccountDetails,
            Action::IssueBackupCode,
            Action::Unlock,
        ] {
            assert!(action.needs_step_up(), "{action:?}");
        }
        // Shutting somebody out can wait for nothing.
        for action in [Action::EditAgent, Action::EndSessions] {
            assert!(!action.needs_step_up(), "{action:?}");
        }
    }

    #[test]
    fn no_scope_reaches_into_another_company() {
        let admin = with(&[Role::Admin]);
        let stranger = Account {
            company: CompanyId(uuid::Uuid::from_u128(99)),
            id: AccountId(uuid::Uuid::from_u128(98)),
            ..with(&[Role::Agent])
        };
        for scope in [Scope::Nobody, Scope::Own, Scope::Agents, Scope::Company] {
            assert!(!scope.holds(&admin, &stranger), "{scope:?}");
        }
    }
}
