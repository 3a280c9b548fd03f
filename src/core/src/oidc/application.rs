//! What stands behind the door: an application, where browsers may be sent back to, and who may use it.

use url::{Origin, Url};

use crate::{
    account::{Account, Role},
    id::{ApplicationId, CompanyId},
    limits::{APPLICATION_NAME_MAX, APPLICATION_URI_MAX, APPLICATION_URIS_MAX},
    name::has_bad_characters_in_name,
    ports::Moment,
    refusal::{Field, FieldProblem, Problem},
    text::trim,
    words,
};

/// Hosts of the visitor's own machine.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

words! {
    /// What an application is, and so how it can keep a secret.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ApplicationKind {
        /// Runs on a server: it has a secret.
        Web = "web",
        /// Runs in the browser or on the visitor's machine: it can keep no secret and proves itself with PKCE.
        SinglePage = "single_page",
        /// Knows no protocol: a proxy before it asks who is signed in.
        BehindProxy = "behind_proxy",
    }
}

words! {
    /// How its ID tokens are signed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Signing {
        /// RSA, which every library knows (OpenID Connect Core 1.0, section 15.1).
        Rs256 = "RS256",
        /// A curve: shorter and quicker.
        Es256 = "ES256",
    }
}

/// An application of a company, or of the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its identifier, by which it calls itself too (`client_id`).
    pub id: ApplicationId,
    /// The company; `None` = the installation, for all companies.
    pub company: Option<CompanyId>,
    /// What was entered about it.
    pub settings: ApplicationSettings,
    /// Differs after every change.
    pub version: i64,
    /// When it was added.
    pub created_at: Moment,
    /// When somebody last got something for it, to the minute.
    pub last_used_at: Option<Moment>,
}

/// What is entered about an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSettings {
    /// What agents call it.
    pub name: String,
    /// What it is.
    pub kind: ApplicationKind,
    /// Where browsers may be sent back to after a sign-in, each compared whole.
    pub redirect_uris: Vec<String>,
    /// Where browsers may be sent to after a sign-out.
    pub logout_uris: Vec<String>,
    /// Is told of every end of a session (OpenID Connect Back-Channel Logout 1.0).
    pub back_channel_uri: Option<String>,
    /// Where an agent opens it.
    pub launch_uri: Option<String>,
    /// Who may use it: accounts with one of these roles.
    pub roles: Vec<Role>,
    /// How its ID tokens are signed.
    pub signing: Signing,
}

/// What was typed about an application. Addresses stand one a line.
#[derive(Clone, Debug, Default)]
pub struct ApplicationInput {
    /// Name.
    pub name: String,
    /// Word of the kind.
    pub kind: String,
    /// Redirect URIs.
    pub redirect_uris: String,
    /// Addresses after a sign-out.
    pub logout_uris: String,
    /// Back-channel address; empty = none.
    pub back_channel_uri: String,
    /// Address to open it; empty = none.
    pub launch_uri: String,
    /// Words of roles.
    pub roles: Vec<String>,
    /// Word of the signature; empty = RS256.
    pub signing: String,
}

impl Application {
    /// Whether it can keep no secret.
    pub const fn is_public(&self) -> bool {
        matches!(self.settings.kind, ApplicationKind::SinglePage)
    }

    /// Whether it may ask the endpoints of the protocol at all.
    pub const fn speaks_protocol(&self) -> bool {
        !matches!(self.settings.kind, ApplicationKind::BehindProxy)
    }

    /// Whether it is there for the accounts of this company.
    pub fn serves(&self, company: CompanyId) -> bool {
        self.company.is_none_or(|own| own == company)
    }

    /// Whether accounts of this company can open it.
    pub fn can_be_opened_in(&self, company: CompanyId) -> bool {
        self.serves(company) && self.settings.launch_uri.is_some()
    }

    /// Where agents open it: scheme, host and port.
    pub fn origin(&self) -> Option<Origin> {
        let url = Url::parse(self.settings.launch_uri.as_deref()?).ok()?;
        Some(url.origin()).filter(Origin::is_tuple)
    }

    /// Its host, with the port where that is not the usual one: for whom the word on who is signed in is signed.
    pub fn audience(&self) -> String {
        let origin = self.origin().map(|origin| origin.ascii_serialization());
        let host = origin.as_deref().and_then(|origin| origin.split_once("://"));
        host.map_or_else(String::new, |(_, host)| host.to_owned())
    }

    /// Whether this account may use it: by company and role.
    pub fn admits(&self, account: &Account) -> bool {
        self.serves(account.company)
            && account
                .roles
                .iter()
                .any(|role| self.settings.roles.contains(role))
    }

    /// Whether a browser may be sent back to this address: one that was entered, letter by letter. An application on the
    /// visitor's own machine may listen on any port (RFC 8252, section 7.3).
    pub fn allows_redirect(&self, uri: &str) -> bool {
        self.settings.redirect_uris.iter().any(|known| {
            known == uri
                || (self.is_public()
                    && without_port(known).is_some()
                    && without_port(known) == without_port(uri))
        })
    }

    /// Whether a browser may be sent to this address after a sign-out.
    pub fn allows_logout_redirect(&self, uri: &str) -> bool {
        self.settings.logout_uris.iter().any(|known| known == uri)
    }

    /// Whether scripts of this origin are the application's own.
    pub fn has_origin(&self, origin: &str) -> bool {
        self.settings.kind == ApplicationKind::SinglePage
            && self.settings.redirect_uris.iter().any(|known| {
                let same_machine = || {
                    let bare = |uri| without_port(uri).map(|(host, _)| host.to_owned());
                    bare(known).is_some() && bare(known) == bare(origin)
                };
                Url::parse(known).is_ok_and(|url| url.origin().ascii_serialization() == origin)
                    || same_machine()
            })
    }
}

/// Host and rest of an address on the visitor's own machine, whatever its port.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    LOOPBACK.contains(&host).then_some((host, tail))
}

/// What is wrong with an address that browsers are sent to: whole, encrypted unless on the visitor's own machine, nothing
/// that others could fill in.
fn address_problem(uri: &str) -> Option<Problem> {
    if uri.len() > APPLICATION_URI_MAX {
        return Some(Problem::TooLong {
            most: APPLICATION_URI_MAX,
        });
    }
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['*', '\\', '#']);
    let good = plain
        && Url::parse(uri).is_ok_and(|url| {
            let encrypted = match url.scheme() {
                "https" => true,
                "http" => url.host_str().is_some_and(|host| LOOPBACK.contains(&host)),
                _ => false,
            };
            let whole = url.has_host() && uri.starts_with(&format!("{}://", url.scheme()));
            encrypted && whole && url.username().is_empty() && url.password().is_none()
        });
    (!good).then_some(Problem::NotAnApplicationAddress)
}

/// The addresses of a field, one a line.
fn addresses(typed: &str) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for line in typed.lines().map(trim).filter(|line| !line.is_empty()) {
        if !list.iter().any(|known| known == line) {
            list.push(line.to_owned());
        }
    }
    list
}

fn addresses_problem(list: &[String]) -> Option<Problem> {
    if list.len() > APPLICATION_URIS_MAX {
        return Some(Problem::ManyAddresses {
            most: APPLICATION_URIS_MAX,
        });
    }
    list.iter().find_map(|uri| address_problem(uri))
}

fn one_address(typed: &str) -> Option<String> {
    Some(trim(typed)).filter(|uri| !uri.is_empty()).map(str::to_owned)
}

fn name_problem(name: &str) -> Option<Problem> {
    if name.is_empty() {
        Some(Problem::Missing)
    } else if name.chars().count() > APPLICATION_NAME_MAX {
        Some(Problem::TooLong {
            most: APPLICATION_NAME_MAX,
        })
    } else {
        has_bad_characters_in_name(name).then_some(Problem::BadCharacters)
    }
}

impl ApplicationSettings {
    /// Reads what was typed.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn read(input: &ApplicationInput) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Vec::new();
        let mut note = |field, problem: Option<Problem>| {
            problems.extend(problem.map(|problem| FieldProblem { field, problem }));
        };
        let name = trim(&input.name).to_owned();
        note(Field::ApplicationName, name_problem(&name));
        let kind = ApplicationKind::from_word(&input.kind);
        note(
            Field::ApplicationKind,
            kind.is_none().then_some(Problem::NotOffered),
        );
        let kind = kind.unwrap_or(ApplicationKind::Web);
        let behind_proxy = kind == ApplicationKind::BehindProxy;
        let redirect_uris = addresses(&input.redirect_uris);
        let missing = (redirect_uris.is_empty() && !behind_proxy).then_some(Problem::Missing);
        note(
            Field::RedirectUris,
            missing.or_else(|| addresses_problem(&redirect_uris)),
        );
        let logout_uris = addresses(&input.logout_uris);
        note(Field::LogoutUris, addresses_problem(&logout_uris));
        let back_channel_uri = one_address(&input.back_channel_uri);
        note(
            Field::BackChannelUri,
            back_channel_uri.as_deref().and_then(address_problem),
        );
        let launch_uri = one_address(&input.launch_uri);
        let missing = (launch_uri.is_none() && behind_proxy).then_some(Problem::Missing);
        note(
            Field::LaunchUri,
            missing.or_else(|| launch_uri.as_deref().and_then(address_problem)),
        );
        let roles: Option<Vec<Role>> = input.roles.iter().map(|word| Role::from_word(word)).collect();
        let role_problem = match &roles {
            None => Some(Problem::NotOffered),
            Some(roles) => roles.is_empty().then_some(Problem::Missing),
        };
        note(Field::Roles, role_problem);
        let signing = match input.signing.as_str() {
            "" => Some(Signing::Rs256),
            word => Signing::from_word(word),
        };
        note(Field::Signing, signing.is_none().then_some(Problem::NotOffered));
        let mut roles = roles.unwrap_or_default();
        roles.sort_unstable();
        roles.dedup();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            name,
            kind,
            redirect_uris,
            logout_uris,
            back_channel_uri,
            launch_uri,
            roles,
            signing: signing.unwrap_or(Signing::Rs256),
        })
    }

    /// The names of the settings that are others in `after`, for the audit log.
    pub fn changed(&self, after: &Self) -> impl Iterator<Item = &'static str> + use<> {
        [
            ("name", self.name != after.name),
            ("kind", self.kind != after.kind),
            ("redirect_uris", self.redirect_uris != after.redirect_uris),
            ("logout_uris", self.logout_uris != after.logout_uris),
            (
                "back_channel_uri",
                self.back_channel_uri != after.back_channel_uri,
            ),
            ("launch_uri", self.launch_uri != after.launch_uri),
            ("roles", self.roles != after.roles),
            ("signing", self.signing != after.signing),
        ]
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{oidc::tests::application, sign_in::tests::account};

    fn input() -> ApplicationInput {
        ApplicationInput {
            name: " Agent Desktop ".into(),
            kind: "web".into(),
            redirect_uris: "https://desktop.acme.test/callback\r\n\r\nhttps://desktop.acme.test/callback"
                .into(),
            roles: vec!["supervisor".into(), "agent".into()],
            ..ApplicationInput::default()
        }
    }

    fn problems(input: &ApplicationInput) -> Vec<(Field, Problem)> {
        let read = ApplicationSettings::read(input).unwrap_err();
        read.into_iter()
            .map(|found| (found.field, found.problem))
            .collect()
    }

    #[test]
    fn an_application_is_read_as_it_was_meant() {
        let read = ApplicationSettings::read(&input()).unwrap();
        assert_eq!(read.name, "Agent Desktop");
        assert_eq!(read.redirect_uris, ["https://desktop.acme.test/callback"]);
        assert_eq!(read.roles, [Role::Agent, Role::Supervisor]);
        assert_eq!(read.signing, Signing::Rs256);
        let renamed = ApplicationSettings {
            name: "Desktop".into(),
            ..read.clone()
        };
        assert_eq!(read.changed(&renamed).collect::<Vec<_>>(), ["name"]);
        let empty = ApplicationInput::default();
        assert_eq!(
            problems(&empty),
            [
                (Field::ApplicationName, Problem::Missing),
                (Field::ApplicationKind, Problem::NotOffered),
                (Field::RedirectUris, Problem::Missing),
                (Field::Roles, Problem::Missing),
            ]
        );
        let behind_proxy = ApplicationInput {
            kind: "behind_proxy".into(),
            redirect_uris: String::new(),
            ..input()
        };
        assert_eq!(problems(&behind_proxy), [(Field::LaunchUri, Problem::Missing)]);
    }

    #[test]
    fn an_address_leads_to_one_place_and_nobody_can_read_along() {
        for good in [
            "https://desktop.acme.test/callback?tenant=1",
            "https://desktop.acme.test:8443",
            "http://127.0.0.1/callback",
            "http://[::1]:4000/callback",
            "http://localhost:4000/",
        ] {
            assert_eq!(address_problem(good), None, "{good}");
        }
        for bad in [
            "",
            "desktop.acme.test",
            "/callback",
            "http://desktop.acme.test/callback",
            "http://127.0.0.1.evil.test/",
            "https://*.acme.test/callback",
            "https://desktop.acme.test/callback#here",
            "https://me:secret@desktop.acme.test/",
            "https:desktop.acme.test",
            "https://desktop.acme.test/a b",
            "https://desktop.acme.test\\@evil.test/",
            "https://dësktop.acme.test/",
            "javascript:alert(1)",
            "data:text/html,x",
            "com.acme.desktop:/callback",
        ] {
            assert_eq!(
                address_problem(bad),
                Some(Problem::NotAnApplicationAddress),
                "{bad}"
            );
        }
        let long = format!("https://desktop.acme.test/{}", "a".repeat(APPLICATION_URI_MAX));
        assert!(matches!(address_problem(&long), Some(Problem::TooLong { .. })));
    }

    /// `oidcc-ensure-registered-redirect-uri`, `oidcc-redirect-uri-query-mismatch`, `oidcc-redirect-uri-query-added`
    #[test]
    fn a_redirect_uri_is_compared_letter_by_letter() {
        let web = application(ApplicationKind::Web);
        assert!(web.allows_redirect("https://desktop.acme.test/callback"));
        for other in [
            "",
            "https://desktop.acme.test/callback/",
            "https://desktop.acme.test/callback?x=1",
            "https://desktop.acme.test/callback#x",
            "https://desktop.acme.test/Callback",
            "https://desktop.acme.test:443/callback",
            "https://desktop.acme.test/callback/../callback",
            "https://desktop.acme.test/callback%2e",
            "https://desktop.acme.test.evil.test/callback",
            "http://127.0.0.1:4000/callback",
        ] {
            assert!(!web.allows_redirect(other), "{other}");
        }
    }

    #[test]
    fn on_the_visitors_own_machine_any_port_will_do_for_whoever_has_no_secret() {
        let public = application(ApplicationKind::SinglePage);
        for good in ["http://127.0.0.1/callback", "http://127.0.0.1:51004/callback"] {
            assert!(public.allows_redirect(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:80@evil.test/callback",
            "http://127.0.0.1.evil.test:80/callback",
            "http://localhost:51004/callback",
            "https://desktop.acme.test:444/callback",
        ] {
            assert!(!public.allows_redirect(bad), "{bad}");
        }
        assert!(public.has_origin("https://desktop.acme.test"));
        assert!(public.has_origin("http://127.0.0.1:51004"));
        for foreign in [
            "",
            "null",
            "https://evil.test",
            "https://desktop.acme.test.evil.test",
        ] {
            assert!(!public.has_origin(foreign), "{foreign}");
        }
        assert!(!application(ApplicationKind::Web).has_origin("https://desktop.acme.test"));
    }

    #[test]
    fn an_application_is_there_for_its_company_and_its_roles() {
        let mut application = application(ApplicationKind::Web);
        assert!(application.admits(&account()));
        application.settings.roles = vec![Role::Supervisor];
        assert!(!application.admits(&account()));
        application.settings.roles = vec![Role::Agent];
        let stranger = CompanyId(uuid::Uuid::from_u128(99));
        application.company = Some(stranger);
        assert!(!application.admits(&account()));
        application.company = None;
        assert!(application.admits(&account()) && application.serves(stranger));
    }
}
