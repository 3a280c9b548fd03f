//! What tokens say about an account (product.md section 10: these names are built on).

use serde::Serialize;

use crate::{
    account::Account,
    company::Company,
    id::{PublicId, SessionId},
    oidc::scope::{Scope, Scopes},
    ports::Moment,
    session::Proof,
    words,
};

/// What a logout token tells of (OpenID Connect Back-Channel Logout 1.0, section 2.4).
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

words! {
    /// How much was proved, the least first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Acr {
        /// A password, perhaps in a browser that is trusted.
        Password = "urn:vestibule:acr:password",
        /// A provider's word.
        Provider = "urn:vestibule:acr:provider",
        /// Besides it a code: by mail, or a backup code.
        MailCode = "urn:vestibule:acr:mail-code",
        /// Besides it a code of an authenticator app.
        AppCode = "urn:vestibule:acr:app-code",
    }
}

impl Acr {
    /// What a session has proved.
    pub const fn of(proof: Proof) -> Self {
        match proof {
            Proof::Password | Proof::TrustedBrowser => Self::Password,
            Proof::Provider => Self::Provider,
            Proof::EmailCode | Proof::BackupCode | Proof::IssuedCode => Self::MailCode,
            Proof::AppCode => Self::AppCode,
        }
    }

    /// Whether whoever has proved `reached` has proved this.
    pub fn is_met_by(self, reached: Self) -> bool {
        match self {
            Self::Password => true,
            Self::Provider => reached == Self::Provider,
            Self::MailCode => matches!(reached, Self::MailCode | Self::AppCode),
            Self::AppCode => reached == Self::AppCode,
        }
    }

    /// Whether the account could prove this here.
    pub const fn is_within_reach_of(self, account: &Account) -> bool {
        match self {
            Self::Password => true,
            Self::Provider => false,
            Self::MailCode => account.has_second_factor(),
            Self::AppCode => account.app_factor,
        }
    }
}

/// What was asked for at a sign-in (RFC 8176). A code says nothing about what came before it, a password or a provider.
pub const fn amr(proof: Proof) -> &'static [&'static str] {
    match proof {
        Proof::Password => &["pwd"],
        Proof::EmailCode | Proof::AppCode | Proof::BackupCode | Proof::IssuedCode => &["mfa", "otp"],
        Proof::TrustedBrowser => &["rba"],
        Proof::Provider => &[],
    }
}

/// What is said about a person, as far as the scopes allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserClaims {
    /// By what the account is known outside.
    pub sub: PublicId,
    /// Alias: what colleagues see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Account name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Time zone of the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether codes that were sent there came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Phone number, free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Name of the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Identifier of the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Words of the roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<&'static str>>,
}

impl UserClaims {
    /// What these scopes let an application know. A field that is empty is left out.
    pub fn of(company: &Company, account: &Account, scopes: &Scopes) -> Self {
        let if_any = |scope, text: &str| (scopes.has(scope) && !text.is_empty()).then(|| text.to_owned());
        let person = &account.person;
        let language = person.language.as_deref().unwrap_or(&company.settings.language);
        let company_id = company.id.to_string();
        Self {
            sub: account.public_id,
            name: if_any(Scope::Profile, &person.alias),
            given_name: if_any(Scope::Profile, &person.first_name),
            family_name: if_any(Scope::Profile, &person.last_name),
            preferred_username: if_any(Scope::Profile, &account.name),
            locale: if_any(Scope::Profile, language),
            zoneinfo: if_any(Scope::Profile, &company.settings.time_zone),
            email: if_any(Scope::Email, &account.email),
            email_verified: scopes.has(Scope::Email).then_some(account.email_factor),
            phone_number: if_any(Scope::Phone, &person.phone),
            company: if_any(Scope::Company, &company.name),
            company_id: if_any(Scope::Company, &company_id),
            roles: scopes
                .has(Scope::Roles)
                .then(|| account.roles.iter().map(|role| role.as_str()).collect()),
        }
    }
}

/// An ID token before it is signed (OpenID Connect Core 1.0, section 2). Times are seconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct IdClaims<'a> {
    /// Who says it.
    pub iss: &'a str,
    /// To which application.
    pub aud: String,
    /// When it stops being of use.
    pub exp: i64,
    /// When it is said.
    pub iat: i64,
    /// When the account last proved who it is.
    pub auth_time: i64,
    /// What came with the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    /// How much was proved.
    pub acr: &'static str,
    /// With what.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub amr: &'static [&'static str],
    /// The session: comes again in the logout token.
    pub sid: SessionId,
    /// Binds it to the access token.
    pub at_hash: String,
    /// About whom.
    #[serde(flatten)]
    pub user: UserClaims,
}

/// A logout token before it is signed.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutClaims<'a> {
    /// Who says it.
    pub iss: &'a str,
    /// To which application.
    pub aud: String,
    /// When it stops being of use.
    pub exp: i64,
    /// When it is said.
    pub iat: i64,
    /// Another one each time.
    pub jti: String,
    /// Whose session is over.
    pub sub: PublicId,
    /// Which session.
    pub sid: SessionId,
    /// That it is over.
    pub events: LogoutEvents,
}

/// The event of a logout token.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LogoutEvents {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    ended: Nothing,
}

/// An empty object.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Nothing {}

/// What the introspection endpoint says (RFC 7662).
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Introspection {
    /// The token is good.
    Active(Box<ActiveToken>),
    /// It is not, or whoever asks has no business with it.
    Inactive {
        /// Always false.
        active: bool,
    },
}

/// A token that is good.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveToken {
    /// Always true.
    pub active: bool,
    /// What it allows to know.
    pub scope: String,
    /// The application that it was given to.
    pub client_id: String,
    /// `Bearer`, or nothing for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it ends.
    pub exp: i64,
    /// When it was given.
    pub iat: i64,
    /// Who gave it.
    pub iss: String,
    /// About whom it is.
    pub sub: PublicId,
    /// Account name.
    pub username: String,
}

/// Seconds since 1970.
pub const fn seconds(moment: Moment) -> i64 {
    moment.timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in::tests::{account, company};

    fn said(scopes: &str) -> serde_json::Value {
        let claims = UserClaims::of(&company(), &account(), &Scopes::parse(scopes));
        serde_json::to_value(claims).unwrap()
    }

    fn names(value: &serde_json::Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// `oidcc-scope-profile`, `oidcc-scope-email`, `oidcc-scope-phone`, `oidcc-scope-all`
    #[test]
    fn nothing_is_said_that_was_not_asked_for() {
        assert_eq!(names(&said("openid")), ["sub"]);
        assert_eq!(names(&said("openid email")), ["email", "email_verified", "sub"]);
        assert_eq!(names(&said("openid company")), ["company", "company_id", "sub"]);
        // The account has neither last name nor phone number.
        let all = said("openid profile email phone company roles");
        assert!(all.get("family_name").is_none() && all.get("phone_number").is_none());
        assert_eq!(all["name"], "Alice");
        assert_eq!(all["locale"], "en");
        assert_eq!(all["zoneinfo"], "UTC");
        assert_eq!(all["roles"], serde_json::json!(["agent"]));
        assert_eq!(all["sub"], account().public_id.to_string());
    }

    #[test]
    fn every_proof_is_worth_what_it_is_and_more_proves_less() {
        for (proof, acr) in [
            (Proof::Password, Acr::Password),
            (Proof::TrustedBrowser, Acr::Password),
            (Proof::Provider, Acr::Provider),
            (Proof::EmailCode, Acr::MailCode),
            (Proof::BackupCode, Acr::MailCode),
            (Proof::IssuedCode, Acr::MailCode),
            (Proof::AppCode, Acr::AppCode),
        ] {
            assert_eq!(Acr::of(proof), acr);
            assert_eq!(amr(proof).contains(&"mfa"), proof.has_second_factor());
        }
        assert!(Acr::MailCode.is_met_by(Acr::AppCode) && !Acr::AppCode.is_met_by(Acr::MailCode));
        assert!(!Acr::MailCode.is_met_by(Acr::Password) && Acr::Password.is_met_by(Acr::Provider));
    }

    #[test]
    fn a_logout_token_names_its_event() {
        let events = serde_json::to_value(LogoutEvents::default()).unwrap();
        assert_eq!(events, serde_json::json!({ LOGOUT_EVENT: {} }));
    }
}
