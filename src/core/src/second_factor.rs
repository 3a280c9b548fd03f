//! Which second factors an account has, may have and must have (product.md sections 4.3 and 6).

use crate::refusal::Refusal;
use chrono::TimeDelta;

use crate::{
    account::Account, company::Company, limits::SET_UP_SECONDS, ports::Moment, sign_in_view::Method,
};

/// The method that the code page asks for first: the app where there is one. `None`: the password is enough.
pub fn first_method(account: &Account) -> Option<Method> {
    if account.app_factor {
        Some(Method::App)
    } else {
        account.email_factor.then_some(Method::Email)
    }
}

/// Whether the account has this method.
pub const fn has_method(account: &Account, method: Method) -> bool {
    match method {
        Method::Email => account.email_factor,
        Method::App => account.app_factor,
    }
}

/// Whether nothing is open to this account but setting up a second factor.
pub fn must_set_up(company: &Company, account: &Account) -> bool {
    company
        .settings
        .require_second_factor
        .asks(account.highest_role())
        && !account.has_second_factor()
}

/// Whether this method may be turned off.
///
/// # Errors
/// [`Refusal::LastFactor`] when the company requires a second factor and no other is on.
pub fn may_turn_off(company: &Company, account: &Account, method: Method) -> Result<(), Refusal> {
    let other = match method {
        Method::Email => account.app_factor,
        Method::App => account.email_factor,
    };
    if other
        || !company
            .settings
            .require_second_factor
            .asks(account.highest_role())
    {
        Ok(())
    } else {
        Err(Refusal::LastFactor)
    }
}

/// When a set-up that begins now ends.
pub fn set_up_ends_at(now: Moment) -> Moment {
    now + TimeDelta::seconds(SET_UP_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::Role,
        company::RequireSecondFactor,
        sign_in::tests::{account, company},
    };

    fn with(email: bool, app: bool) -> Account {
        Account {
            email_factor: email,
            app_factor: app,
            ..account()
        }
    }

    fn requiring(require_second_factor: RequireSecondFactor) -> Company {
        let mut company = company();
        company.settings.require_second_factor = require_second_factor;
        company
    }

    #[test]
    fn the_app_is_asked_first() {
        assert_eq!(first_method(&with(true, true)), Some(Method::App));
        assert_eq!(first_method(&with(true, false)), Some(Method::Email));
        assert_eq!(first_method(&with(false, false)), None);
    }

    #[test]
    fn the_last_factor_stays_where_one_is_required() {
        let strict = requiring(RequireSecondFactor::Everyone);
        assert_eq!(
            may_turn_off(&strict, &with(true, false), Method::Email),
            Err(Refusal::LastFactor)
        );
        assert_eq!(may_turn_off(&strict, &with(true, true), Method::Email), Ok(()));
        assert_eq!(
            may_turn_off(&company(), &with(true, false), Method::Email),
            Ok(())
        );
        assert!(must_set_up(&strict, &with(false, false)));
        assert!(!must_set_up(&strict, &with(false, true)));
        let admins = requiring(RequireSecondFactor::Admins);
        let admin = Account {
            roles: vec![Role::Agent, Role::Admin],
            ..with(false, false)
        };
        assert!(must_set_up(&admins, &admin) && !must_set_up(&admins, &with(false, false)));
    }
}
