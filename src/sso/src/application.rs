//! An application as it is registered with a provider.

use url::Url;
use vestibule_core::sso::Provider;
use zeroize::Zeroizing;

/// An application that is registered with a provider. It holds a secret, so its `Debug` shows none of it.
#[derive(Clone)]
pub struct Application {
    pub(crate) provider: Provider,
    pub(crate) client_id: String,
    pub(crate) client_secret: Zeroizing<String>,
    pub(crate) issuer: String,
    pub(crate) tenants: Vec<String>,
    pub(crate) redirect_uri: String,
}

/// Why an application cannot be used. No variant repeats what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationProblem {
    /// The issuer.
    #[error("the issuer has to be an https address without query, such as https://accounts.google.com")]
    Issuer,
    /// The identifier or the secret.
    #[error("an application needs an identifier and a secret")]
    Credentials,
    /// The address that the provider sends browsers back to.
    #[error("the redirect address has to be a web address")]
    Redirect,
}

impl Application {
    /// The issuer of Google.
    pub const GOOGLE: &str = "https://accounts.google.com";

    /// Checks an application. `issuer` is where its discovery document is, without `/.well-known/…`; it is `https`, or
    /// `http` on this machine.
    ///
    /// # Errors
    /// [`ApplicationProblem`].
    pub fn new(
        provider: Provider,
        client_id: &str,
        client_secret: &str,
        issuer: &str,
        redirect_uri: &str,
    ) -> Result<Self, ApplicationProblem> {
        let issuer = issuer.trim().trim_end_matches('/');
        let url = Url::parse(issuer).map_err(|_| ApplicationProblem::Issuer)?;
        if !is_safe(&url) || url.query().is_some() || url.fragment().is_some() {
            return Err(ApplicationProblem::Issuer);
        }
        let (client_id, client_secret) = (client_id.trim(), client_secret.trim());
        if client_id.is_empty() || client_secret.is_empty() {
            return Err(ApplicationProblem::Credentials);
        }
        let redirect = Url::parse(redirect_uri).map_err(|_| ApplicationProblem::Redirect)?;
        if !redirect.has_host() {
            return Err(ApplicationProblem::Redirect);
        }
        Ok(Self {
            provider,
            client_id: client_id.to_owned(),
            client_secret: Zeroizing::new(client_secret.to_owned()),
            issuer: issuer.to_owned(),
            tenants: Vec::new(),
            redirect_uri: redirect_uri.to_owned(),
        })
    }

    /// Where the discovery document of Office 365 is, for one tenant or for `common` and `organizations`.
    pub fn office365(tenant: &str) -> String {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    }

    /// The same for another tenant than the one that an issuer names.
    pub fn office365_of(issuer: &str, tenant: &str) -> String {
        let parts = issuer.trim_end_matches('/').rsplit_once('/');
        match parts.and_then(|(rest, version)| Some((rest.rsplit_once('/')?.0, version))) {
            Some((authority, version)) => format!("{authority}/{tenant}/{version}"),
            None => issuer.to_owned(),
        }
    }

    /// Lets only these tenants of Office 365 in; none named = all.
    #[must_use]
    pub fn of_tenants(mut self, tenants: Vec<String>) -> Self {
        self.tenants = tenants;
        self
    }

    /// Who it is registered with.
    pub const fn provider(&self) -> Provider {
        self.provider
    }
}

/// Encrypted, or on this machine.
pub(crate) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(issuer: &str, id: &str, secret: &str, redirect: &str) -> Result<(), ApplicationProblem> {
        Application::new(Provider::Google, id, secret, issuer, redirect).map(drop)
    }

    #[test]
    fn an_application_is_checked_before_it_is_used() {
        const BACK: &str = "https://login.example.com/auth/google/callback";
        for issuer in [
            Application::GOOGLE,
            "https://accounts.google.com/",
            "http://127.0.0.1:9000/common/v2.0",
            "http://[::1]:9000",
            "http://localhost:9000",
        ] {
            assert_eq!(made(issuer, "id", "secret", BACK), Ok(()), "{issuer}");
        }
        for issuer in [
            "",
            "accounts.google.com",
            "http://accounts.google.com",
            "http://10.0.0.1",
            "https://accounts.google.com?x",
            "https://accounts.google.com#x",
            "file:///etc/passwd",
        ] {
            assert_eq!(
                made(issuer, "id", "secret", BACK),
                Err(ApplicationProblem::Issuer),
                "{issuer}"
            );
        }
        for (id, secret) in [("", "secret"), ("id", " ")] {
            let problem = made(Application::GOOGLE, id, secret, BACK);
            assert_eq!(problem, Err(ApplicationProblem::Credentials));
        }
        assert_eq!(
            made(Application::GOOGLE, "id", "secret", "/callback"),
            Err(ApplicationProblem::Redirect)
        );
    }

    #[test]
    fn the_tenant_of_an_issuer_is_exchanged() {
        let common = Application::office365("common");
        assert_eq!(
            Application::office365_of(&common, "1b6d"),
            Application::office365("1b6d")
        );
        let other = Application::office365_of("http://127.0.0.1:9000/common/v2.0/", "1b6d");
        assert_eq!(other, "http://127.0.0.1:9000/1b6d/v2.0");
        assert_eq!(Application::office365_of("nothing", "1b6d"), "nothing");
    }

    #[test]
    fn a_secret_is_in_no_debug_output() {
        let back = "https://login.example.com/auth/google/callback";
        let made = Application::new(
            Provider::Google,
            "the-id",
            "the-secret",
            Application::GOOGLE,
            back,
        );
        let shown = format!("{made:?}");
        assert!(
            !shown.contains("the-secret") && !shown.contains("the-id"),
            "{shown}"
        );
    }
}
