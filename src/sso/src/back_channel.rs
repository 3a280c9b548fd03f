//! Tells applications that a session is over (OpenID Connect Back-Channel Logout 1.0): one POST, with limits, and only to
//! addresses that may be reached.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use url::{Host, Url};

use crate::error::SsoError;

const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long one application may take.
const TOTAL_LIMIT: Duration = Duration::from_secs(5);

/// Which addresses may be reached.
pub type MayReach = fn(IpAddr) -> bool;

/// Speaks to applications.
#[derive(Clone, Debug)]
pub struct BackChannel {
    client: reqwest::Client,
    may_reach: MayReach,
}

/// What a name means, without what may not be reached.
struct Filtered(MayReach);

/// A name leads nowhere that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the address may not be reached")]
struct OutOfReach;

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let may_reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good: Vec<SocketAddr> = found.filter(|address| may_reach(address.ip())).collect();
            if good.is_empty() {
                return Err(OutOfReach.into());
            }
            let addresses: Addrs = Box::new(good.into_iter());
            Ok(addresses)
        })
    }
}

impl BackChannel {
    /// A way to applications at addresses that `may_reach` allows.
    ///
    /// # Errors
    /// When the machine offers no randomness or no certificates.
    pub fn new(may_reach: MayReach) -> Result<Self, SsoError> {
        reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(TOTAL_LIMIT)
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(Filtered(may_reach)))
            .build()
            .map(|client| Self { client, may_reach })
            .map_err(|_| SsoError::Unreachable)
    }

    /// Posts a logout token. Done when the application answers with 200 or 204.
    ///
    /// # Errors
    /// [`SsoError`]: what kept it from being taken.
    pub async fn post(&self, uri: &str, logout_token: &str) -> Result<(), SsoError> {
        let url = Url::parse(uri).map_err(|_| SsoError::NotUnderstood)?;
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if literal.is_some_and(|address| !(self.may_reach)(address)) {
            return Err(SsoError::Unreachable);
        }
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("logout_token", logout_token)
            .finish();
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .map_err(|error| {
                if error.is_timeout() {
                    SsoError::TimedOut
                } else {
                    SsoError::Unreachable
                }
            })?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(SsoError::Status(answer.status().as_u16()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing listens there: what is asked is whether it is tried at all.
    #[tokio::test]
    async fn what_may_not_be_reached_is_not_asked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let closed = BackChannel::new(|_| false).unwrap();
        for host in ["127.0.0.1", "localhost"] {
            let told = closed.post(&format!("http://{host}:{port}/"), "token").await;
            assert!(matches!(told, Err(SsoError::Unreachable)), "{host}: {told:?}");
        }
        let asked = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(asked.is_err(), "nobody came");
    }
}
