//! Scopes: what an application wants to know. Those that nobody knows are passed over (RFC 6749, section 3.3).

use crate::words;

words! {
    /// What an application may ask for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Scope {
        /// Who it is. Without it there is no answer.
        OpenId = "openid",
        /// Names, language and time zone.
        Profile = "profile",
        /// E-mail address.
        Email = "email",
        /// Phone number.
        Phone = "phone",
        /// The company.
        Company = "company",
        /// Roles.
        Roles = "roles",
        /// Refresh tokens, for as long as the session lives.
        OfflineAccess = "offline_access",
    }
}

/// A set of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads a list with spaces between; what is not known is left out.
    pub fn parse(text: &str) -> Self {
        let mut scopes: Vec<Scope> = text.split(' ').filter_map(Scope::from_word).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// Whether it is among them.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of these are among them.
    pub fn has_all(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.has(*scope))
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `oidcc-ensure-other-scope-order-succeeds`
    #[test]
    fn scopes_are_known_in_any_order_and_others_are_passed_over() {
        let scopes = Scopes::parse("email future openid  email OPENID");
        assert_eq!(scopes.to_string(), "openid email");
        assert!(scopes.has(Scope::Email) && !scopes.has(Scope::Profile));
        assert!(scopes.has_all(&Scopes::parse("openid")) && !scopes.has_all(&Scopes::parse("roles")));
        assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
        assert_eq!(Scopes::parse(""), Scopes::default());
    }
}
