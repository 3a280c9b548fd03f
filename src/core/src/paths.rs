//! The addresses of pages and server functions, and the test for a harmless return address.

/// Sign-in page; a POST to it is the sign-in server function.
pub const LOGIN: &str = "/login";
/// Code page; a POST to it verifies a code.
pub const LOGIN_CODE: &str = "/login/code";
/// Where people wait in line for their password to be compared.
pub const LOGIN_WAIT: &str = "/login/wait";
/// Server function: send a new code.
pub const LOGIN_CODE_RESEND: &str = "/login/code/resend";
/// Server function: give the pending sign-in up.
pub const LOGIN_CODE_CANCEL: &str = "/login/code/cancel";
/// Server function: offer the other method on the code page.
pub const LOGIN_CODE_METHOD: &str = "/login/code/method";
/// Server function: end this session.
pub const LOGOUT: &str = "/logout";
/// Server function: remember a language.
pub const LANGUAGE: &str = "/language";
/// Landing page of agents.
pub const AGENT: &str = "/agent";
/// Where agents go after a sign-in when the company has chosen an application.
pub const AGENT_START: &str = "/agent/start";
/// Landing page of admins.
pub const ADMIN: &str = "/admin";
/// An agent's own data; a POST to it saves them.
pub const PROFILE: &str = "/profile";
/// Where password managers look for the page on which a password is changed (W3C, "A Well-Known URL for Changing
/// Passwords").
pub const CHANGE_PASSWORD: &str = "/.well-known/change-password";
/// Server function: how good a new password is. Changes nothing.
pub const PROFILE_PASSWORD_CHECK: &str = "/profile/password/check";
/// Step-up: asks for the password again; a POST to it checks it.
pub const PROFILE_CONFIRM: &str = "/profile/confirm";
/// Security Settings.
pub const SECURITY: &str = "/profile/security";
/// Where somebody is led who has to set up a second factor.
pub const SECURITY_SET_UP: &str = "/profile/security/set-up";
/// Set-up of codes by e-mail; a POST to it begins one.
pub const SECURITY_EMAIL: &str = "/profile/security/email";
/// Set-up of the authenticator app: the QR code; a POST to it begins one.
pub const SECURITY_APP: &str = "/profile/security/app";
/// Set-up of the authenticator app: its first code; a POST to it finishes the set-up.
pub const SECURITY_APP_CODE: &str = "/profile/security/app/code";
/// Which backup codes are used; a POST to it makes new ones.
pub const SECURITY_BACKUP_CODES: &str = "/profile/security/backup-codes";
/// The backup codes that were made moments ago; a POST to it says that they are saved.
pub const SECURITY_BACKUP_CODES_NEW: &str = "/profile/security/backup-codes/new";
/// Server function: until when the session lasts, and staying signed in.
pub const SESSION: &str = "/session";
/// General Information; a POST to it saves it.
pub const ADMIN_COMPANY: &str = "/admin/company";
/// The company's policies; a POST to it saves them.
pub const ADMIN_SECURITY: &str = "/admin/security";
/// Custom SMTP Server; a POST to it saves it.
pub const ADMIN_MAIL: &str = "/admin/mail";
/// How the newest test mail is doing; a POST to it sends one.
pub const ADMIN_MAIL_TEST: &str = "/admin/mail/test";
/// Single Sign-On; a POST to it saves it.
pub const ADMIN_SSO: &str = "/admin/sso";
/// Who is signed in to the company.
pub const ADMIN_SESSIONS: &str = "/admin/sessions";
/// Applications.
pub const ADMIN_APPLICATIONS: &str = "/admin/applications";
/// Add application; a POST to it adds one.
pub const ADMIN_APPLICATIONS_NEW: &str = "/admin/applications/new";
/// Audit log.
pub const ADMIN_AUDIT: &str = "/admin/audit";
/// The audit log as a file.
pub const ADMIN_AUDIT_EXPORT: &str = "/admin/audit/export";
/// List of agents.
pub const AGENTS: &str = "/admin/agents";
/// Add agent; a POST to it creates one.
pub const AGENTS_NEW: &str = "/admin/agents/new";
/// CSV import; a POST to it uploads a file and checks it.
pub const AGENTS_IMPORT: &str = "/admin/agents/import";
/// The list of agents as a CSV file.
pub const AGENTS_EXPORT: &str = "/admin/agents/export";
/// Connecting who came back from a provider with an account; a POST to it does it.
pub const LOGIN_BIND: &str = "/login/bind";
/// Server function: the company to sign in to, where several know who came back from a provider.
pub const LOGIN_BIND_COMPANY: &str = "/login/bind/company";
/// Server function: forget who came back from a provider.
pub const LOGIN_BIND_CANCEL: &str = "/login/bind/cancel";
/// Where a browser that came back from a provider goes on.
pub const AUTH_CONTINUE: &str = "/auth/continue";
/// Where applications find out what this provider can do (OpenID Connect Discovery 1.0).
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// The same for programs that know no OpenID (RFC 8414).
pub const OAUTH_SERVER: &str = "/.well-known/oauth-authorization-server";
/// Authorization endpoint.
pub const OAUTH_AUTHORIZE: &str = "/oauth/authorize";
/// Where a request of an application goes on after a sign-in.
pub const OAUTH_RESUME: &str = "/oauth/resume";
/// Goes on as who is signed in, as somebody else, or back to the application; a POST.
pub const OAUTH_CHOOSE: &str = "/oauth/choose";
/// Token endpoint.
pub const OAUTH_TOKEN: &str = "/oauth/token";
/// Userinfo endpoint.
pub const OAUTH_USERINFO: &str = "/oauth/userinfo";
/// Keys that tokens are signed with.
pub const OAUTH_KEYS: &str = "/oauth/jwks";
/// Introspection endpoint.
pub const OAUTH_INTROSPECT: &str = "/oauth/introspect";
/// Revocation endpoint.
pub const OAUTH_REVOKE: &str = "/oauth/revoke";
/// End-session endpoint.
pub const OAUTH_LOGOUT: &str = "/oauth/logout";
/// Signs out after the agent was asked; a POST.
pub const OAUTH_SIGN_OUT: &str = "/oauth/logout/confirm";
/// Begins the addresses of Vestibule on the host of an application behind a proxy.
pub const BEHIND: &str = "/.vestibule/";
/// Begins a sign-in on the host of an application behind a proxy.
pub const BEHIND_START: &str = "/.vestibule/start";
/// Ends it there.
pub const BEHIND_ENTER: &str = "/.vestibule/enter";
/// Gives whoever is signed in a ticket to an application behind a proxy.
pub const OPEN: &str = "/open";
/// Forgot Password; a POST to it asks for a link.
pub const FORGOT_PASSWORD: &str = "/forgot-password";
/// Choosing a password, with a link of a mail or in place of a temporary one; a POST to it saves it.
pub const CHOOSE_PASSWORD: &str = "/choose-password";
/// Server function: how good the chosen password is. Changes nothing.
pub const CHOOSE_PASSWORD_CHECK: &str = "/choose-password/check";
/// Confirms a new e-mail address; a POST to it does.
pub const CONFIRM_EMAIL: &str = "/confirm-email";
/// Stops a change of the e-mail address; a POST to it does.
pub const STOP_EMAIL_CHANGE: &str = "/stop-email-change";
/// Begins the address of a link that activates an account; the token follows.
pub const ACTIVATE_LINK: &str = "/activate/";
/// Begins the address of a link to choose a new password; the token follows.
pub const RESET_LINK: &str = "/reset-password/";
/// Begins the address of a link that confirms an e-mail address; the token follows.
pub const CONFIRM_EMAIL_LINK: &str = "/confirm-email/";
/// Begins the address of a link that stops a change of the e-mail address; the token follows.
pub const STOP_EMAIL_LINK: &str = "/stop-email-change/";
/// Terms of Service.
pub const TERMS: &str = "/terms";
/// Privacy Policy.
pub const PRIVACY: &str = "/privacy";
/// The demo's local mailbox.
pub const MAILBOX: &str = "/mailbox";

/// Stands in [`OAUTH_RESUME`] before the request.
const ASKED: &str = "?asked=";

/// The address at which a request of an application goes on that is carried along as this, or under this name.
pub fn resuming(asked: &str) -> String {
    [OAUTH_RESUME, ASKED, asked].concat()
}

/// What [`resuming`] made an address of; `None` for every other address.
pub fn resumed(address: &str) -> Option<&str> {
    address.strip_prefix(OAUTH_RESUME)?.strip_prefix(ASKED)
}

/// Longest return address that is kept, in bytes. A browser that goes to a provider and back loses those for which
/// [`crate::limits::SSO_FLOWS_BYTES`] have no room: never one of [`crate::limits::CARRIED_ADDRESS_MAX`].
pub const LOCAL_PATH_MAX: usize = 2048;

/// Says whether `path` may be used as a return address: an absolute path on this host and nothing that any
/// browser could read as another host (product.md section 4.9, attacks.md T114).
///
/// ```
/// use vestibule_core::paths::is_local;
/// assert!(is_local("/agent?tab=1"));
/// assert!(!is_local("//evil.example"));
/// assert!(!is_local("/\\evil.example"));
/// assert!(!is_local("https://evil.example"));
/// ```
pub fn is_local(path: &str) -> bool {
    path.len() <= LOCAL_PATH_MAX
        && path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'@')
        && !contains_encoded(path)
}

/// Encoded slashes, backslashes and control characters have no business in a return address and some
/// proxies decode them.
fn contains_encoded(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2f", "%5c", "%0", "%1", "%40"]
        .iter()
        .any(|bad| lower.contains(bad))
}

#[cfg(test)]
mod tests {
    use super::{is_local, resumed, resuming};

    #[test]
    fn a_request_is_found_in_the_address_at_which_it_goes_on() {
        assert_eq!(resuming("abc"), "/oauth/resume?asked=abc");
        assert_eq!(resumed(&resuming("abc")), Some("abc"));
        for other in ["/agent?asked=abc", "/oauth/resume", "/oauth/resume?abc"] {
            assert_eq!(resumed(other), None, "{other}");
        }
    }

    #[test]
    fn a_return_address_never_leaves_the_host() {
        for good in [
            "/",
            "/agent",
            "/admin/agents?filter=locked&page=2",
            "/profile#top",
        ] {
            assert!(is_local(good), "{good}");
        }
        let long = format!("/{}", "a".repeat(5000));
        for bad in [
            "",
            "agent",
            "//evil",
            "/\\evil",
            "\\\\evil",
            "https:evil",
            "https://evil",
            "/%09/evil",
            "/\t/evil",
            "/@evil",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=1",
            "/%0d%0aSet-Cookie:x",
            "/%2f/evil",
            "/%5Cevil",
            "/ü",
            long.as_str(),
        ] {
            assert!(!is_local(bad), "{bad}");
        }
    }
}
