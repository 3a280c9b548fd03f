//! The one gate: may this account come in at all? Every way in asks it, and asks again at its last step
//! (product.md sections 2 and 4.11).

use crate::{account::Account, company::Company, refusal::Refusal};

/// Lets the account pass, or says why not.
///
/// # Errors
/// [`Refusal::CompanyDisabled`], [`Refusal::AccountInactive`] or [`Refusal::AccountLocked`].
pub fn admit(company: &Company, account: &Account) -> Result<(), Refusal> {
    if !company.enabled {
        return Err(Refusal::CompanyDisabled);
    }
    if !account.active {
        return Err(Refusal::AccountInactive);
    }
    if account.is_locked() {
        return Err(Refusal::AccountLocked);
    }
    Ok(())
}
