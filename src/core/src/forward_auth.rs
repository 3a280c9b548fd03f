//! Applications that know no protocol: a proxy before them asks who is signed in, and tells them in headers. What the
//! proxy says about a request, and where a browser is sent back to.
//!
//! Two sets of headers are in use. Which one counts is decided by the kind of proxy and not by what is there; everything
//! that could be read in two ways is refused, because the visitor may have sent a part of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Origin, Url};

use crate::{paths::BEHIND, words};

/// Who is signed in, in headers for the application. Whoever sends one of them is no browser.
pub const IDENTITY: [&str; 6] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "remote-company",
    "remote-assertion",
];

const ORIGINAL_URL: &str = "x-original-url";
const ORIGINAL_METHOD: &str = "x-original-method";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_URI: &str = "x-forwarded-uri";
const FORWARDED_METHOD: &str = "x-forwarded-method";

const ASKED: [&str; 6] = [
    ORIGINAL_URL,
    ORIGINAL_METHOD,
    FORWARDED_PROTO,
    FORWARDED_HOST,
    FORWARDED_URI,
    FORWARDED_METHOD,
];

/// Longest path that a browser is sent back to, in bytes: twice encoded it fits into an address of ours.
const PATH_MAX: usize = 1200;

words! {
    /// A kind of proxy.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Family {
        /// `auth_request`: passes on no address of a sign-in page by itself.
        Nginx = "nginx",
        /// `forward_auth`.
        Caddy = "caddy",
        /// `forwardAuth`.
        Traefik = "traefik",
        /// With our script.
        Haproxy = "haproxy",
        /// With our script.
        Apache = "apache",
    }
}

impl Family {
    /// Whether the proxy takes 401 and 403 only for an answer, and reads the address of the sign-in from it.
    pub const fn redirects_itself(self) -> bool {
        matches!(self, Self::Nginx)
    }

    /// Whether it names the request with `X-Original-…`, and not with `X-Forwarded-…`.
    const fn says_original(self) -> bool {
        matches!(self, Self::Nginx)
    }
}

/// Why it cannot be told what a visitor has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// A header that this kind of proxy sets is missing or cannot be read.
    Missing,
    /// A header that counts is there twice.
    Doubled,
    /// A name differs from one that counts only in `_`.
    Disguised,
    /// The two sets of headers contradict each other.
    Contradicting,
    /// The visitor has sent who is signed in.
    Identity,
}

impl std::fmt::Display for Unclear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "a header of the proxy is missing or cannot be read: look at its configuration",
            Self::Doubled => "a header that counts is there twice",
            Self::Disguised => "the name of a header differs from one that counts only in an underscore",
            Self::Contradicting => "headers contradict each other",
            Self::Identity => "the visitor has sent a header that says who is signed in",
        })
    }
}

/// What a visitor has asked of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Method, as it was sent.
    pub method: String,
    /// Scheme, host and port.
    pub origin: Origin,
    /// Path and query.
    pub path: String,
}

/// The headers that count, as they were sent.
#[derive(Default)]
struct Sent<'a>([Option<&'a str>; ASKED.len()]);

impl<'a> Sent<'a> {
    fn collect(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Unclear> {
        let mut sent = Self::default();
        for (name, value) in headers {
            if name.contains('_') {
                let plain = name.replace('_', "-");
                if IDENTITY.contains(&plain.as_str()) || ASKED.contains(&plain.as_str()) {
                    return Err(Unclear::Disguised);
                }
            }
            if IDENTITY.contains(&name) {
                return Err(Unclear::Identity);
            }
            let Some(place) = ASKED.iter().position(|known| *known == name) else {
                continue;
            };
            let value = str::from_utf8(value).ok().filter(|value| is_plain(value));
            if sent.0[place].is_some() {
                return Err(Unclear::Doubled);
            }
            sent.0[place] = Some(value.ok_or(Unclear::Missing)?);
        }
        Ok(sent)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let place = ASKED.iter().position(|known| *known == name)?;
        self.0.get(place).copied().flatten()
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

impl Asked {
    /// Reads what a trusted proxy of this kind says about a request. Names are in lower case.
    ///
    /// # Errors
    /// [`Unclear`]: nothing is known then.
    pub fn read<'a>(
        family: Family,
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Unclear> {
        let sent = Sent::collect(headers)?;
        let asked = if family.says_original() {
            Self::original(&sent)
        } else {
            Self::forwarded(&sent)
        };
        let asked = asked.ok_or(Unclear::Missing)?;
        if asked.agrees_with(&sent) {
            Ok(asked)
        } else {
            Err(Unclear::Contradicting)
        }
    }

    fn original(sent: &Sent<'_>) -> Option<Self> {
        let (origin, path) = split(sent.get(ORIGINAL_URL)?)?;
        Some(Self {
            method: sent.get(ORIGINAL_METHOD)?.to_owned(),
            origin,
            path: path.to_owned(),
        })
    }

    fn forwarded(sent: &Sent<'_>) -> Option<Self> {
        let path = sent.get(FORWARDED_URI)?;
        Some(Self {
            method: sent.get(FORWARDED_METHOD)?.to_owned(),
            origin: origin_of(sent.get(FORWARDED_PROTO)?, sent.get(FORWARDED_HOST)?)?,
            path: path.starts_with('/').then(|| path.to_owned())?,
        })
    }

    /// Whether everything that was sent, also in the set that does not count, says the same.
    fn agrees_with(&self, sent: &Sent<'_>) -> bool {
        let same = |name, own: &str| sent.get(name).is_none_or(|value| value == own);
        let Origin::Tuple(scheme, _, _) = &self.origin else {
            return false;
        };
        let host_agrees = sent
            .get(FORWARDED_HOST)
            .is_none_or(|host| origin_of(scheme, host).as_ref() == Some(&self.origin));
        let url_agrees = sent.get(ORIGINAL_URL).is_none_or(|url| {
            split(url).is_some_and(|(origin, path)| origin == self.origin && path == self.path)
        });
        same(ORIGINAL_METHOD, &self.method)
            && same(FORWARDED_METHOD, &self.method)
            && same(FORWARDED_PROTO, scheme)
            && same(FORWARDED_URI, &self.path)
            && host_agrees
            && url_agrees
    }

    /// Whether a browser may be led to a sign-in and back: what is only read can be asked for once more.
    pub fn can_come_back(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Whether it is an address of Vestibule on the application's host. The proxy has to pass those on instead of asking:
    /// whoever signs in would be led round in a circle.
    pub fn is_ours(&self) -> bool {
        let host = self.origin.ascii_serialization();
        // Most paths do not come near it, and this is asked at every request of every application.
        self.path.contains(BEHIND.trim_matches('/'))
            && Url::parse(&[host.as_str(), self.path.as_str()].concat())
                .is_ok_and(|url| url.path().starts_with(BEHIND))
    }
}

/// An http or https origin; `None` when there is anything besides a host and a port.
fn origin_of(scheme: &str, host: &str) -> Option<Origin> {
    let good = matches!(scheme, "http" | "https") && !host.contains(['/', '@', '?', '#', ',']);
    let url = Url::parse(&[scheme, "://", host].concat()).ok()?;
    (good && url.has_host()).then(|| url.origin())
}

/// Origin, and path with query, of a whole address.
fn split(url: &str) -> Option<(Origin, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    Some((origin_of(scheme, host)?, path))
}

/// A path of an application as it travels through addresses of ours; one that is too long becomes the beginning.
pub fn pack_path(path: &str) -> String {
    let path = if path.len() <= PATH_MAX { path } else { "/" };
    URL_SAFE_NO_PAD.encode(path)
}

/// Where a browser is sent back to: this packed path on the application's host and never anywhere else. What is no path
/// becomes the beginning.
pub fn way_back(origin: &Origin, packed: &str) -> String {
    let host = origin.ascii_serialization();
    let beginning = [host.as_str(), "/"].concat();
    let Ok(path) = URL_SAFE_NO_PAD.decode(packed) else {
        return beginning;
    };
    let Some(path) = str::from_utf8(&path)
        .ok()
        .filter(|path| is_plain(path) && path.starts_with('/'))
    else {
        return beginning;
    };
    let address = [host.as_str(), path].concat();
    let stays = Url::parse(&address).is_ok_and(|url| {
        url.origin() == *origin && url.username().is_empty() && !url.path().starts_with(BEHIND)
    });
    if path.len() <= PATH_MAX && stays {
        address
    } else {
        beginning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(family: Family, headers: &[(&str, &str)]) -> Result<(String, String, String), Unclear> {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let asked = Asked::read(family, headers)?;
        Ok((asked.method, asked.origin.ascii_serialization(), asked.path))
    }

    const NGINX: [(&str, &str); 3] = [
        ("cookie", "vestibule=x"),
        ("x-original-url", "https://wall.acme.test/calls?day=1"),
        ("x-original-method", "GET"),
    ];
    const CADDY: [(&str, &str); 4] = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "wall.acme.test"),
        ("x-forwarded-uri", "/calls?day=1"),
        ("x-forwarded-method", "GET"),
    ];

    #[test]
    fn each_kind_of_proxy_names_a_request_in_its_own_way() {
        let expected = Ok((
            "GET".into(),
            "https://wall.acme.test".into(),
            "/calls?day=1".into(),
        ));
        assert_eq!(read(Family::Nginx, &NGINX), expected);
        for family in [Family::Caddy, Family::Traefik, Family::Haproxy, Family::Apache] {
            assert_eq!(read(family, &CADDY), expected, "{family:?}");
            assert_eq!(read(family, &NGINX), Err(Unclear::Missing), "{family:?}");
        }
        assert_eq!(read(Family::Nginx, &CADDY), Err(Unclear::Missing));
        let both = [&NGINX[..], &CADDY[..]].concat();
        assert_eq!(read(Family::Nginx, &both), expected);
        assert_eq!(read(Family::Caddy, &both), expected);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (extra, why) in [
            (("x-forwarded-host", "evil.test"), Unclear::Contradicting),
            (("x-forwarded-proto", "http"), Unclear::Contradicting),
            (("x-forwarded-uri", "/public"), Unclear::Contradicting),
            (("x-forwarded-method", "OPTIONS"), Unclear::Contradicting),
            (
                ("x-original-url", "https://wall.acme.test/calls?day=1"),
                Unclear::Doubled,
            ),
            (("x_original_url", "https://evil.test/"), Unclear::Disguised),
            (("x-forwarded_host", "wall.acme.test"), Unclear::Disguised),
            (("remote-user", "root"), Unclear::Identity),
            (("remote_user", "root"), Unclear::Disguised),
            (("remote-assertion", "x.y.z"), Unclear::Identity),
        ] {
            let headers = [&NGINX[..], &[extra]].concat();
            assert_eq!(read(Family::Nginx, &headers), Err(why), "{extra:?}");
        }
        for (extra, why) in [
            (
                ("x-original-url", "https://evil.test/calls?day=1"),
                Unclear::Contradicting,
            ),
            (("x-original-method", "POST"), Unclear::Contradicting),
            (("x-forwarded-host", "wall.acme.test"), Unclear::Doubled),
        ] {
            let headers = [&CADDY[..], &[extra]].concat();
            assert_eq!(read(Family::Caddy, &headers), Err(why), "{extra:?}");
        }
    }

    #[test]
    fn a_method_is_taken_from_nowhere_else() {
        for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
            let headers = [&CADDY[..], &[(name, "POST")]].concat();
            assert_eq!(read(Family::Caddy, &headers).unwrap().0, "GET", "{name}");
        }
        let asked = |method: &str| Asked {
            method: method.into(),
            origin: Url::parse("https://wall.acme.test").unwrap().origin(),
            path: "/".into(),
        };
        assert!(asked("GET").can_come_back() && asked("HEAD").can_come_back());
        for method in ["POST", "PUT", "DELETE", "get", "OPTIONS"] {
            assert!(!asked(method).can_come_back(), "{method}");
        }
    }

    #[test]
    fn a_host_is_a_host_and_nothing_else() {
        for host in [
            "evil.test/",
            "me@evil.test",
            "a.test,b.test",
            "a.test?",
            "a.test#",
            "",
            "a b",
        ] {
            let headers = [CADDY[0], ("x-forwarded-host", host), CADDY[2], CADDY[3]];
            assert_eq!(read(Family::Caddy, &headers), Err(Unclear::Missing), "{host}");
        }
        for proto in ["ftp", "https,http", "javascript"] {
            let headers = [("x-forwarded-proto", proto), CADDY[1], CADDY[2], CADDY[3]];
            assert_eq!(read(Family::Caddy, &headers), Err(Unclear::Missing), "{proto}");
        }
    }

    #[test]
    fn our_own_addresses_are_known_however_they_are_written() {
        let is_ours = |path: &str| {
            let origin = Url::parse("https://wall.acme.test").unwrap().origin();
            let asked = Asked {
                method: "GET".into(),
                origin,
                path: path.into(),
            };
            asked.is_ours()
        };
        assert!(is_ours("/.vestibule/enter?ticket=1"));
        assert!(is_ours("/x/../.vestibule/start"));
        assert!(!is_ours("/.vestibule"));
        assert!(!is_ours("/x?y=/.vestibule/"));
    }

    #[test]
    fn a_browser_comes_back_to_the_application_and_nowhere_else() {
        let origin = Url::parse("https://wall.acme.test:8443/start").unwrap().origin();
        let back = |path: &str| way_back(&origin, &pack_path(path));
        for path in [
            "/",
            "/calls?day=1&to=%2Fx%40y",
            "/a//b",
            "//evil.test",
            "/@evil.test",
            "/..//evil.test",
        ] {
            assert!(
                back(path).starts_with("https://wall.acme.test:8443/"),
                "{path}: {}",
                back(path)
            );
        }
        assert_eq!(back("/calls?day=1"), "https://wall.acme.test:8443/calls?day=1");
        for bad in [
            "calls",
            "@evil.test",
            ".evil.test",
            ":1@evil.test/",
            "/\\evil.test",
            "/a\r\nSet-Cookie: x=1",
            "/ü",
            "/.vestibule/start?to=",
        ] {
            assert_eq!(back(bad), "https://wall.acme.test:8443/", "{bad}");
        }
        assert_eq!(
            back(&format!("/{}", "a".repeat(PATH_MAX))),
            "https://wall.acme.test:8443/"
        );
        assert_eq!(way_back(&origin, "no base64!"), "https://wall.acme.test:8443/");
    }
}
