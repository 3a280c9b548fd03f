//! Who is asking: the visitor's network address, believed only from proxies that the operator named
//! (security.md 4.1.3, attacks.md T008).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use ipnet::{IpNet, Ipv6Net};

use super::said::Said;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Most peers whose header the log says is not believed.
const PEERS_TOLD: usize = 4;

/// The visitor's address, as an extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What tries are counted by (N8): an IPv4 address, or an IPv6 network of 64 bits, which is what one customer
    /// gets.
    pub fn source(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().to_string(),
        }
    }
}

/// The proxies whose word about the visitor's address counts.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    told: Arc<Said>,
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl TrustedProxies {
    /// Proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self {
            networks: networks.into(),
            told: Arc::new(Said::new(PEERS_TOLD)),
        }
    }

    /// Whether somebody at this address is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether this peer speaks for somebody else, as a proxy does that the operator forgot to name, and the log has to
    /// say now that it is not believed.
    fn is_news(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let peer = peer.to_canonical();
        headers.contains_key(FORWARDED_FOR) && !self.trusts(peer) && self.told.is_new(&peer.to_string())
    }

    /// The visitor's address: the nearest hop that is not a trusted proxy, told by trusted proxies only.
    ///
    /// A hop that is no address, next to trusted ones, makes the whole header worthless: then it is the peer, so that
    /// a limit is never skipped.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let mut nearest = peer;
        for line in headers.get_all(FORWARDED_FOR).iter().rev() {
            for hop in line.as_bytes().rsplit(|byte| *byte == b',') {
                let Some(hop) = parse(hop) else { return peer };
                nearest = hop;
                if !self.trusts(hop) {
                    return nearest;
                }
            }
        }
        nearest
    }
}

/// An address, with a port when a proxy adds one.
fn parse(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(inside) => IpAddr::V6(inside.parse::<Ipv6Addr>().ok()?),
        None => hop
            .parse()
            .or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()))
            .ok()?,
    };
    Some(address.to_canonical())
}

/// The layer that adds [`ClientAddress`]. Needs [`ConnectInfo`], which the listener adds; without it (a router that is
/// called directly) the address is 0.0.0.0 and no header is believed.
pub async fn find(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let address = match request.extensions().get::<ConnectInfo<SocketAddr>>() {
        Some(ConnectInfo(peer)) => {
            let peer = peer.ip();
            if proxies.is_news(peer, request.headers()) {
                tracing::warn!(
                    %peer,
                    "X-Forwarded-For of this peer is not believed, so its visitors count as one: if it is your proxy, name it \
                     in trusted_proxies"
                );
            }
            proxies.client(peer, request.headers())
        }
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::{Extension, Router, http::HeaderValue, middleware::from_fn_with_state, routing::get};

    use super::*;
    use crate::http::testing::{ask, text};

    fn client(trusted: &[&str], peer: &str, lines: &[&[u8]]) -> String {
        let proxies = TrustedProxies::new(trusted.iter().map(|network| network.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    const PROXIES: &[&str] = &["10.0.0.0/8", "fd00::/8"];

    #[test]
    fn strangers_cannot_say_who_they_are() {
        assert_eq!(client(PROXIES, "203.0.113.7", &[b"198.51.100.1"]), "203.0.113.7");
        assert_eq!(client(&[], "127.0.0.1", &[b"198.51.100.1"]), "127.0.0.1");
    }

    #[test]
    fn the_nearest_hop_that_is_not_ours_is_the_visitor() {
        assert_eq!(client(PROXIES, "10.0.0.1", &[b"198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client(PROXIES, "10.0.0.1", &[b"1.1.1.1, 198.51.100.1 ,10.2.3.4"]),
            "198.51.100.1"
        );
        assert_eq!(
            client(PROXIES, "10.0.0.1", &[b"1.1.1.1", b"198.51.100.1", b"10.2.3.4"]),
            "198.51.100.1"
        );
        assert_eq!(client(PROXIES, "10.0.0.1", &[b"10.2.3.4, 10.9.9.9"]), "10.2.3.4");
        assert_eq!(client(PROXIES, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            client(PROXIES, "fd00::1", &[b"2001:db8::5, [fd00::2]:443"]),
            "2001:db8::5"
        );
        assert_eq!(
            client(PROXIES, "10.0.0.1", &[b"198.51.100.1:4711"]),
            "198.51.100.1"
        );
        assert_eq!(client(PROXIES, "10.0.0.1", &[b"[2001:db8::5]"]), "2001:db8::5");
    }

    #[test]
    fn what_a_visitor_wrote_before_the_proxy_is_never_reached() {
        assert_eq!(
            client(PROXIES, "10.0.0.1", &[b"unreadable, \xff, 198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            client(PROXIES, "10.0.0.1", &[b"rubbish", b"198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            client(PROXIES, "10.0.0.1", &[b"unreadable,,198.51.100.1"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn nonsense_from_a_trusted_proxy_leaves_the_peer() {
        for bad in [
            &b"rubbish"[..],
            b"",
            b"198.51.100.1,",
            b"unknown",
            b"198.51.100.1, [::1",
            b"300.1.1.1",
            b"\xfc",
        ] {
            assert_eq!(client(PROXIES, "10.0.0.1", &[bad]), "10.0.0.1", "{bad:?}");
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_form_is_the_ipv4_address() {
        assert_eq!(
            client(PROXIES, "::ffff:10.0.0.1", &[b"::ffff:198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            client(PROXIES, "::ffff:203.0.113.7", &[b"198.51.100.1"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn tries_are_counted_by_address_or_by_ipv6_network() {
        let source = |address: &str| ClientAddress(address.parse().unwrap()).source();
        assert_eq!(source("198.51.100.1"), "198.51.100.1");
        assert_eq!(source("::ffff:198.51.100.1"), "198.51.100.1");
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(source("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
        assert_ne!(source("2001:db8:1:3::"), source("2001:db8:1:2::"));
    }

    #[test]
    fn a_proxy_that_was_forgotten_is_news_once() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        let news = |peer: &str, headers: &HeaderMap| proxies.is_news(peer.parse().unwrap(), headers);
        assert!(!news("127.0.0.1", &headers), "it speaks for itself");
        headers.append(FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
        assert!(!news("10.0.0.1", &headers), "it is believed");
        assert!(news("127.0.0.1", &headers));
        assert!(!news("::ffff:127.0.0.1", &headers), "it was said");
        let many = (1..=100).filter(|last| news(&format!("203.0.113.{last}"), &headers));
        assert_eq!(many.count(), PEERS_TOLD - 1, "strangers do not fill the log");
    }

    #[tokio::test]
    async fn the_layer_hands_the_address_on() {
        let proxies = TrustedProxies::new(vec!["0.0.0.0/0".parse().unwrap()]);
        let router = Router::new()
            .route(
                "/",
                get(
                    |Extension(ClientAddress(address)): Extension<ClientAddress>| async move {
                        address.to_string()
                    },
                ),
            )
            .layer(from_fn_with_state(proxies, find));
        let forged = [
            (FORWARDED_FOR, "198.51.100.1"),
            ("forwarded", "for=198.51.100.1"),
            ("x-real-ip", "198.51.100.1"),
        ];
        assert_eq!(
            text(ask(router.clone(), "GET", "/", &forged, "").await).await,
            "0.0.0.0"
        );
        let peer = SocketAddr::from(([10, 0, 0, 1], 4711));
        let router = router.layer(Extension(ConnectInfo(peer)));
        assert_eq!(
            text(ask(router, "GET", "/", &forged, "").await).await,
            "198.51.100.1"
        );
    }
}
