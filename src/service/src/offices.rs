//! Offices of companies: ranges of network addresses from which many people sign in at once (N8).

use std::str::FromStr;

use ipnet::IpNet;
use vestibule_core::{
    audit::{AuditEntry, Event},
    limits::{OFFICE_PREFIX_IPV4, OFFICE_PREFIX_IPV6, PERSON_FIELD_MAX},
    name::has_bad_characters,
    text::trim,
};
use vestibule_storage::{Office, again};

use crate::{Operator, operator::OperatorError};

/// Why a range is no office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfficeProblem {
    /// It is not `NAME=RANGE`.
    #[error("an office is NAME=RANGE, such as Berlin=192.0.2.0/28")]
    Form,
    /// The name is missing, too long or has characters that no name has.
    #[error("the name of an office has 1 to 100 characters")]
    Name,
    /// The range is none.
    #[error("a range is an address, a slash and a number, such as 192.0.2.0/28 or 2001:db8::/48")]
    Range,
    /// It would hold half the world.
    #[error("an office is no wider than /16, or /32 of IPv6")]
    TooWide,
}

/// Reads `NAME=RANGE`.
///
/// # Errors
/// [`OfficeProblem`].
pub fn parse(text: &str) -> Result<Office, OfficeProblem> {
    let (name, range) = text.split_once('=').ok_or(OfficeProblem::Form)?;
    let name = trim(name);
    if name.is_empty() || name.chars().count() > PERSON_FIELD_MAX || has_bad_characters(name) {
        return Err(OfficeProblem::Name);
    }
    let network = IpNet::from_str(trim(range)).map_err(|_| OfficeProblem::Range)?;
    let least = match network {
        IpNet::V4(_) => OFFICE_PREFIX_IPV4,
        IpNet::V6(_) => OFFICE_PREFIX_IPV6,
    };
    if network.prefix_len() < least {
        return Err(OfficeProblem::TooWide);
    }
    Ok(Office {
        network: network.trunc().to_string(),
        name: name.to_owned(),
    })
}

impl Operator {
    /// The offices of a company, by name.
    ///
    /// # Errors
    /// An unknown company; a failing database.
    pub async fn offices(&self, company: &str) -> Result<Vec<Office>, OperatorError> {
        let id = self.company_named(company).await?.id;
        Ok(self.inner.store.read().await?.offices_of(id).await?)
    }

    /// Puts these offices, made by [`parse`], in the place of those that the company had.
    ///
    /// # Errors
    /// An unknown company; a failing database.
    pub async fn set_offices(&self, company: &str, offices: Vec<Office>) -> Result<(), OperatorError> {
        again(async || {
            let id = self.company_named(company).await?.id;
            let mut work = self.operate().await?;
            work.hold_company(id).await?;
            work.replace_offices(id, &offices).await?;
            let ranges: Vec<_> = offices.iter().map(|office| office.network.as_str()).collect();
            let entry = AuditEntry {
                detail: Some(format!("offices={}", ranges.join(","))),
                ..work.entry(Event::PolicyChanged, id, None)
            };
            self.record(&mut work, &entry).await?;
            Ok(work.commit().await?)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_is_a_name_and_a_range_that_is_not_half_the_world() {
        let office = |network: &str, name: &str| Office {
            network: network.to_owned(),
            name: name.to_owned(),
        };
        for (text, expected) in [
            ("Berlin=192.0.2.7/28", Ok(office("192.0.2.0/28", "Berlin"))),
            (
                " Köln Mitte = 2001:db8:1::/48 ",
                Ok(office("2001:db8:1::/48", "Köln Mitte")),
            ),
            ("Bonn=198.51.100.7/32", Ok(office("198.51.100.7/32", "Bonn"))),
            ("192.0.2.0/28", Err(OfficeProblem::Form)),
            ("=192.0.2.0/28", Err(OfficeProblem::Name)),
            ("a\u{202e}b=192.0.2.0/28", Err(OfficeProblem::Name)),
            ("Bonn=192.0.2.0", Err(OfficeProblem::Range)),
            ("Bonn=192.0.2.0/33", Err(OfficeProblem::Range)),
            ("Bonn=10.0.0.0/8", Err(OfficeProblem::TooWide)),
            ("Bonn=::/0", Err(OfficeProblem::TooWide)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
