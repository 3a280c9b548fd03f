//! The discovery document (OpenID Connect Discovery 1.0, RFC 8414).

use serde::Serialize;

use crate::{
    oidc::{application::Signing, claims::Acr, scope::Scope},
    paths,
};

/// What this provider can do, and where. The issuer is the public URL and never changes.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the standard has a flag for each")]
pub struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    end_session_endpoint: String,
    scopes_supported: [&'static str; Scope::ALL.len()],
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    grant_types_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; Signing::ALL.len()],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    acr_values_supported: [&'static str; Acr::ALL.len()],
    prompt_values_supported: [&'static str; 3],
    claim_types_supported: [&'static str; 1],
    claims_supported: [&'static str; CLAIMS.len()],
    ui_locales_supported: Vec<String>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
}

/// What may stand in an ID token or come from the userinfo endpoint.
const CLAIMS: [&str; 22] = [
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "sub",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "locale",
    "zoneinfo",
    "email",
    "email_verified",
    "phone_number",
    "company",
    "company_id",
    "roles",
];

/// How applications prove themselves.
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

impl Discovery {
    /// The document of the provider at `issuer`, which has no slash at its end, in these languages.
    pub fn of(issuer: &str, languages: &[String]) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: at(paths::OAUTH_AUTHORIZE),
            token_endpoint: at(paths::OAUTH_TOKEN),
            userinfo_endpoint: at(paths::OAUTH_USERINFO),
            jwks_uri: at(paths::OAUTH_KEYS),
            introspection_endpoint: at(paths::OAUTH_INTROSPECT),
            revocation_endpoint: at(paths::OAUTH_REVOKE),
            end_session_endpoint: at(paths::OAUTH_LOGOUT),
            scopes_supported: Scope::ALL.map(Scope::as_str),
            response_types_supported: ["code"],
            response_modes_supported: ["query", "form_post"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: Signing::ALL.map(Signing::as_str),
            token_endpoint_auth_methods_supported: METHODS,
            introspection_endpoint_auth_methods_supported: [METHODS[0], METHODS[1]],
            revocation_endpoint_auth_methods_supported: METHODS,
            code_challenge_methods_supported: ["S256"],
            acr_values_supported: Acr::ALL.map(Acr::as_str),
            prompt_values_supported: ["none", "login", "select_account"],
            claim_types_supported: ["normal"],
            claims_supported: CLAIMS,
            ui_locales_supported: languages.to_vec(),
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            authorization_response_iss_parameter_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `oidcc-discovery-endpoint-verification`, `oidcc-rp-initiated-logout-discovery-endpoint-verification`,
    /// `oidcc-backchannel-logout-discovery-endpoint-verification`
    #[test]
    fn the_document_says_what_this_provider_can_do() {
        let document = Discovery::of("https://login.acme.test", &["en".to_owned(), "de".to_owned()]);
        let document = serde_json::to_value(document).unwrap();
        assert_eq!(document["issuer"], "https://login.acme.test");
        for endpoint in [
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
            "introspection_endpoint",
            "revocation_endpoint",
            "end_session_endpoint",
        ] {
            let address = document[endpoint].as_str().unwrap();
            assert!(address.starts_with("https://login.acme.test/oauth/"), "{address}");
        }
        let has = |name: &str, word: &str| document[name].as_array().unwrap().iter().any(|said| said == word);
        assert!(has("id_token_signing_alg_values_supported", "RS256"));
        assert!(has("id_token_signing_alg_values_supported", "ES256"));
        assert!(!has("response_types_supported", "token"));
        assert!(has("scopes_supported", "openid"));
        assert!(has("ui_locales_supported", "de"));
        assert_eq!(document["backchannel_logout_session_supported"], true);
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["request_uri_parameter_supported"], false);
    }
}
