//! Which hosts a company may name as its mail server: none inside the operator's network, unless the operator allows it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;
use vestibule_core::limits::HOST_MAX;

/// Which addresses a connection may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that anybody on the internet could reach.
    Public,
    /// All.
    Anywhere,
}

/// A host as somebody typed it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedHost {
    /// A domain in ASCII, or a network address without brackets.
    pub name: String,
    /// Whether it is this machine.
    pub loopback: bool,
    literal: Option<IpAddr>,
}

/// Endings of names that are never public (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
const PRIVATE_ENDINGS: [&str; 6] = [
    ".localhost",
    ".local",
    ".internal",
    ".home.arpa",
    ".lan",
    ".invalid",
];

impl CheckedHost {
    /// Reads a domain or a network address; an IPv6 address may stand in brackets. `None` when it is neither.
    ///
    /// ```
    /// use vestibule_mail::CheckedHost;
    /// assert_eq!(CheckedHost::parse(" Mail.Example.ORG ").unwrap().name, "mail.example.org");
    /// assert!(CheckedHost::parse("mail example").is_none());
    /// ```
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        if typed.len() > HOST_MAX {
            return None;
        }
        let bracketed = if typed.contains(':') && !typed.starts_with('[') {
            format!("[{typed}]")
        } else {
            typed.to_owned()
        };
        let literal = match Host::parse(&bracketed).ok()? {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.').to_owned();
                let loopback = name == "localhost" || name.ends_with(".localhost");
                return (!name.is_empty()).then_some(Self {
                    name,
                    loopback,
                    literal: None,
                });
            }
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        Some(Self {
            name: literal.to_string(),
            loopback: literal.to_canonical().is_loopback(),
            literal: Some(literal),
        })
    }

    /// Whether it can be a server that is reachable from the internet, as far as its name says. What a name resolves to
    /// is looked at when a connection is made.
    pub fn may_be_public(&self) -> bool {
        match self.literal {
            Some(address) => is_public(address),
            None => {
                self.name.contains('.')
                    && !self.loopback
                    && !PRIVATE_ENDINGS.iter().any(|ending| self.name.ends_with(ending))
            }
        }
    }
}

/// Whether an address is one of the internet: not of this machine, of a private network, of a link, of a carrier, of a
/// multicast group, or reserved (IANA special-purpose registries).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Of the whole range only 2000::/3 is handed out. Addresses in it that carry an IPv4 address (6to4, Teredo) lead to
    // wherever that one leads, so they are not taken.
    match address.segments() {
        [0x2001, second, ..] => second >= 0x0200 && second != 0x0db8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_in_one_spelling() {
        for (typed, name, loopback) in [
            (" Mail.Example.org. ", "mail.example.org", false),
            ("b\u{fc}cher.test", "xn--bcher-kva.test", false),
            ("localhost", "localhost", true),
            ("smtp.localhost", "smtp.localhost", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.1", "127.0.0.1", true),
            ("2130706433", "127.0.0.1", true),
            ("0x7f.1", "127.0.0.1", true),
            ("[::1]", "::1", true),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", true),
            ("192.0.2.1", "192.0.2.1", false),
        ] {
            let host = CheckedHost::parse(typed).unwrap();
            assert_eq!((host.name.as_str(), host.loopback), (name, loopback), "{typed}");
        }
        for bad in [
            "",
            ".",
            "two words",
            "host:25",
            "user@host",
            "host/path",
            "http://host",
            "a\r\nb",
            "[::1",
            "999.1.1.1",
            &"a.".repeat(127).repeat(2),
        ] {
            assert_eq!(CheckedHost::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn hosts_inside_the_operators_network_are_told_apart() {
        for private in [
            "localhost",
            "mailserver",
            "mail.local",
            "db.internal",
            "127.0.0.1",
            "127.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!CheckedHost::parse(private).unwrap().may_be_public(), "{private}");
        }
        for public in [
            "mail.example.org",
            "8.8.8.8",
            "100.128.0.1",
            "2a00:1450:4001::1a",
            "2001:4860:4860::8888",
        ] {
            assert!(CheckedHost::parse(public).unwrap().may_be_public(), "{public}");
        }
    }
}
