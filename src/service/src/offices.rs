//! Offices of companies: ranges of network addresses from which many people sign in at once (N8). An operator names them, or
//! an admin of the company.

use std::net::IpAddr;

use ipnet::IpNet;
use vestibule_core::{
    audit::{AuditEntry, Event},
    company::Company,
    limits::{OFFICE_PREFIX_IPV4, OFFICE_PREFIX_IPV6, OFFICES_MAX, PERSON_FIELD_MAX},
    name::has_bad_characters,
    refusal::{Field, FieldProblem, Problem, Refusal},
    text::trim,
};
use vestibule_storage::{Office, again};

use crate::{Failure, Operator, Service, operator::OperatorError, work::Work};

/// Why what was typed at a command line is no office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfficeProblem {
    /// It is not `NAME=RANGE`.
    #[error("an office is NAME=RANGE, such as Berlin=192.0.2.0/28")]
    Form,
    /// The name is missing, too long or has characters that no name has.
    #[error("the name of an office has 1 to 100 characters")]
    Name,
    /// The range is none.
    #[error("a range is an address, or one with a slash and a number, such as 192.0.2.0/28 or 2001:db8::/48")]
    Range,
    /// It would hold half the world.
    #[error("an office is no wider than /16, or /32 of IPv6")]
    TooWide,
}

/// Reads what an office is called, and its range: an address, or a range in CIDR notation.
///
/// # Errors
/// [`Refusal::Invalid`]: everything that is wrong with either.
pub fn read(name: &str, range: &str) -> Result<Office, Refusal> {
    let name = trim(name);
    let mut fields = Vec::new();
    if let Some(problem) = name_problem(name) {
        fields.push(FieldProblem {
            field: Field::OfficeName,
            problem,
        });
    }
    match network_of(trim(range)) {
        Ok(network) if fields.is_empty() => Ok(Office {
            network: network.to_string(),
            name: name.to_owned(),
        }),
        Ok(_) => Err(Refusal::Invalid { fields }),
        Err(problem) => {
            fields.push(FieldProblem {
                field: Field::OfficeRange,
                problem,
            });
            Err(Refusal::Invalid { fields })
        }
    }
}

/// Reads `NAME=RANGE`.
///
/// # Errors
/// [`OfficeProblem`].
pub fn parse(text: &str) -> Result<Office, OfficeProblem> {
    let (name, range) = text.split_once('=').ok_or(OfficeProblem::Form)?;
    read(name, range).map_err(|refusal| {
        if refusal.problem(Field::OfficeName).is_some() {
            OfficeProblem::Name
        } else if refusal.problem(Field::OfficeRange) == Some(Problem::WideRange) {
            OfficeProblem::TooWide
        } else {
            OfficeProblem::Range
        }
    })
}

fn name_problem(name: &str) -> Option<Problem> {
    if name.is_empty() {
        Some(Problem::Missing)
    } else if name.chars().count() > PERSON_FIELD_MAX {
        Some(Problem::TooLong {
            most: PERSON_FIELD_MAX,
        })
    } else {
        has_bad_characters(name).then_some(Problem::BadCharacters)
    }
}

fn network_of(range: &str) -> Result<IpNet, Problem> {
    if range.is_empty() {
        return Err(Problem::Missing);
    }
    let network = match range.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => range.parse::<IpNet>().map_err(|_| Problem::NotARange)?,
    };
    let least = match network {
        IpNet::V4(_) => OFFICE_PREFIX_IPV4,
        IpNet::V6(_) => OFFICE_PREFIX_IPV6,
    };
    if network.prefix_len() < least {
        return Err(Problem::WideRange);
    }
    Ok(network.trunc())
}

/// Whether a network address lies in one of these offices.
pub fn hold(offices: &[Office], address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    offices
        .iter()
        .filter_map(|office| office.network.parse::<IpNet>().ok())
        .any(|network| network.contains(&address))
}

/// Which ranges went and which came, for the audit log; `None` = all is as it was.
fn changed(before: &[Office], after: &[Office]) -> Option<String> {
    let without = |these: &[Office], those: &[Office]| {
        let ranges: Vec<&str> = these
            .iter()
            .filter(|office| !those.contains(office))
            .map(|office| office.network.as_str())
            .collect();
        (!ranges.is_empty()).then(|| ranges.join(", "))
    };
    let (gone, come) = (without(before, after), without(after, before));
    if gone.is_none() && come.is_none() {
        return None;
    }
    let or_none = |ranges: Option<String>| ranges.unwrap_or_else(|| "none".to_owned());
    Some(format!("offices: {} -> {}", or_none(gone), or_none(come)))
}

impl Service {
    /// Puts these offices, made by [`read`], in the place of those of `company`, which the transaction holds. What changed
    /// stands in the audit log, and all admins hear of it, as of other policies: `by` is whose name they read.
    ///
    /// # Errors
    /// [`Problem::ManyOffices`]; a failing database.
    pub(crate) async fn put_offices(
        &self,
        work: &mut Work<'_>,
        company: &Company,
        offices: &[Office],
        by: &str,
    ) -> Result<(), Failure> {
        let before = work.offices_of(company.id).await?;
        // Who has more from before the limit can take some away.
        if offices.len() > OFFICES_MAX.max(before.len()) {
            let many = Problem::ManyOffices { most: OFFICES_MAX };
            return Err(Refusal::field(Field::OfficeRange, many).into());
        }
        let Some(detail) = changed(&before, offices) else {
            return Ok(());
        };
        work.replace_offices(company.id, offices).await?;
        let entry = AuditEntry {
            detail: Some(detail),
            ..work.entry(Event::PolicyChanged, company.id, None)
        };
        self.record(work, &entry).await?;
        self.tell_admins(work, company, by).await?;
        Ok(())
    }
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

    /// Puts these offices, made by [`parse`], in the place of those that the company had, and tells all admins.
    ///
    /// # Errors
    /// An unknown company; more offices than a company may have; a failing database.
    pub async fn set_offices(&self, company: &str, offices: Vec<Office>) -> Result<(), OperatorError> {
        again(async || {
            let id = self.company_named(company).await?.id;
            let mut work = self.operate().await?;
            work.hold_company(id).await?;
            let company = work.company(id).await?.ok_or(OperatorError::UnknownCompany)?;
            self.put_offices(&mut work, &company, &offices, "").await?;
            Ok(work.commit().await?)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(network: &str, name: &str) -> Office {
        Office {
            network: network.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn an_office_is_a_name_and_a_range_that_is_not_half_the_world() {
        for (text, expected) in [
            ("Berlin=192.0.2.7/28", Ok(office("192.0.2.0/28", "Berlin"))),
            (
                " Köln Mitte = 2001:db8:1::/48 ",
                Ok(office("2001:db8:1::/48", "Köln Mitte")),
            ),
            ("Bonn=198.51.100.7/32", Ok(office("198.51.100.7/32", "Bonn"))),
            ("Bonn=198.51.100.7", Ok(office("198.51.100.7/32", "Bonn"))),
            ("Bonn=2001:db8::7", Ok(office("2001:db8::7/128", "Bonn"))),
            ("Bonn=::ffff:198.51.100.7", Ok(office("198.51.100.7/32", "Bonn"))),
            ("192.0.2.0/28", Err(OfficeProblem::Form)),
            ("=192.0.2.0/28", Err(OfficeProblem::Name)),
            ("a\u{202e}b=192.0.2.0/28", Err(OfficeProblem::Name)),
            ("Bonn=", Err(OfficeProblem::Range)),
            ("Bonn=192.0.2", Err(OfficeProblem::Range)),
            ("Bonn=192.0.2.0/33", Err(OfficeProblem::Range)),
            ("Bonn=10.0.0.0/8", Err(OfficeProblem::TooWide)),
            ("Bonn=::/0", Err(OfficeProblem::TooWide)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn whatever_is_wrong_is_said_at_its_field() {
        let long = "ü".repeat(101);
        for (name, range, of_name, of_range) in [
            ("", " ", Some(Problem::Missing), Some(Problem::Missing)),
            (
                &*long,
                "here",
                Some(Problem::TooLong { most: 100 }),
                Some(Problem::NotARange),
            ),
            (
                "a\u{202e}b",
                "10.0.0.0/15",
                Some(Problem::BadCharacters),
                Some(Problem::WideRange),
            ),
            ("Bonn", "2001:db8::/31", None, Some(Problem::WideRange)),
            ("", "10.0.0.0/16", Some(Problem::Missing), None),
        ] {
            let refusal = read(name, range).unwrap_err();
            assert_eq!(refusal.problem(Field::OfficeName), of_name, "{name}");
            assert_eq!(refusal.problem(Field::OfficeRange), of_range, "{range}");
        }
    }

    #[test]
    fn an_address_lies_in_an_office_or_it_does_not() {
        let offices = [
            office("192.0.2.0/28", "Berlin"),
            office("2001:db8::/48", "Aachen"),
        ];
        for (address, inside) in [
            ("192.0.2.15", true),
            ("192.0.2.16", false),
            ("2001:db8::7", true),
            ("2001:db8:1::7", false),
            ("", false),
        ] {
            assert_eq!(hold(&offices, address), inside, "{address}");
        }
    }

    #[test]
    fn the_audit_log_says_which_ranges_went_and_which_came() {
        let [berlin, aachen] = [
            office("192.0.2.0/28", "Berlin"),
            office("2001:db8::/48", "Aachen"),
        ];
        let both = [berlin.clone(), aachen.clone()];
        assert_eq!(changed(&both, &both), None);
        assert_eq!(
            changed(&[], &both).as_deref(),
            Some("offices: none -> 192.0.2.0/28, 2001:db8::/48")
        );
        assert_eq!(
            changed(&both, &[aachen]).as_deref(),
            Some("offices: 192.0.2.0/28 -> none")
        );
        assert_eq!(
            changed(&[berlin], &[office("192.0.2.0/28", "Bonn")]).as_deref(),
            Some("offices: 192.0.2.0/28 -> 192.0.2.0/28"),
            "another name"
        );
    }
}
