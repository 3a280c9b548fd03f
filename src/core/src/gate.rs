//! The one gate: may this account come in at all? Every way in asks it, and asks again at its last step
//! (product.md sections 2 and 4.10).

use crate::{account::Account, company::Company, limits::WRONG_CODES_TO_LOCK, refusal::Refusal};

/// Lets the account pass, or says why not.
///
/// # Errors
/// [`Refusal::CompanyDisabled`], [`Refusal::AccountInactive`] or [`Refusal::AccountLocked`]. An account with five
/// counted wrong codes is locked even if the lock itself was not written any more (a crash in between).
pub fn admit(company: &Company, account: &Account) -> Result<(), Refusal> {
    if !company.enabled {
        return Err(Refusal::CompanyDisabled);
    }
    if !account.active {
        return Err(Refusal::AccountInactive);
    }
    if account.locked_at.is_some() || account.wrong_codes >= WRONG_CODES_TO_LOCK {
        return Err(Refusal::AccountLocked);
    }
    Ok(())
}
