//! The words that the contract fixes. Everything else about the files is checked by the crate `vestibule-locales`.

use std::{collections::BTreeMap, fs, path::Path};

use vestibule_locales::Catalogue;

use crate::{all, tag};

/// The English texts of a file.
fn texts(file: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../locales/en")
        .join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_language_on_offer_is_compiled_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales");
    let catalogue = Catalogue::read(&folder).unwrap();
    let mut offered: Vec<String> = catalogue
        .offered()
        .iter()
        .map(|language| language.tag.clone())
        .collect();
    let mut compiled: Vec<String> = all().iter().map(|locale| tag(*locale).to_owned()).collect();
    offered.sort();
    compiled.sort();
    assert_eq!(compiled, offered);
}

/// The labels and sentences that product.md fixes word for word, file by file.
const CONTRACT: &[(&str, &[(&str, &str)])] = &[
    (
        "common.json",
        &[
            ("terms", "Terms of Service"),
            ("privacy", "Privacy Policy"),
            ("logout", "Logout"),
            ("cancel", "Cancel"),
        ],
    ),
    (
        "sign_in.json",
        &[
            ("title", "Sign in"),
            ("company", "Company"),
            ("account", "Account"),
            ("password", "Password"),
            ("submit", "Sign in"),
            ("forgot", "Forgot Password"),
            ("code_title", "Input Authentication Code"),
            ("verify", "Verify"),
            ("cancel", "Cancel"),
            ("resend", "Resend"),
            ("trust", "Don't ask again for {{ days }} days"),
            ("other_method", "Use another method"),
            ("use_backup_code", "Use a backup code"),
        ],
    ),
    (
        "sso.json",
        &[
            ("sign_in_with", "Sign in with {{ provider }}"),
            ("bind_title", "Connect your account"),
            ("bind_submit", "Bind"),
            ("connect", "Connect"),
            ("disconnect", "Disconnect"),
            ("client_id", "Client ID"),
            ("client_secret", "Client secret"),
            ("redirect_uri", "Redirect URI"),
            ("trusted", "Trust the provider's sign-in"),
        ],
    ),
    (
        "recovery.json",
        &[("email", "Email"), ("submit", "Send reset link")],
    ),
    (
        "console.json",
        &[
            ("agent_title", "Agent Panel"),
            ("admin_title", "Admin console"),
            ("agents", "Agents"),
            ("general", "General Information"),
            ("security", "Security"),
            ("sso", "Single Sign-On"),
            ("mail", "Custom SMTP Server"),
            ("audit", "Audit log"),
            ("role_agent", "Agent"),
            ("role_supervisor", "Supervisor"),
            ("role_admin", "Admin"),
        ],
    ),
    (
        "profile.json",
        &[
            ("title", "Profile"),
            ("basic", "Basic information"),
            ("change_password", "Change Password"),
            ("security_title", "Security Settings"),
            ("two_factor_title", "Two-Factor Authentication (2FA)"),
            ("email_row", "Email authentication"),
            ("app_row", "Authenticator app authentication"),
            ("set_up", "Set Up"),
            ("reset", "Reset"),
            ("turn_off", "Turn off"),
            ("view_backup_codes", "View Backup Codes"),
            ("sso_title", "Single Sign-On (SSO)"),
            (
                "sso_none",
                "Your company hasn't set up Google or Office 365 sign-in. Contact your administrator if you need it.",
            ),
            ("trusted_title", "Trusted browsers"),
            ("remove", "Remove"),
            ("sessions_title", "Sessions"),
            ("end", "End"),
            ("end_others", "End all others"),
            ("generate", "Generate new codes"),
            ("download", "Download"),
        ],
    ),
    (
        "agents.json",
        &[
            ("title", "Agents"),
            ("add", "Add agent"),
            ("add_title", "Add agent"),
            ("edit_title", "Edit agent"),
            ("active", "Active"),
            ("inactive", "Inactive"),
            ("locked", "Locked"),
            ("view", "View"),
            ("edit", "Edit"),
            ("delete", "Delete"),
            ("unlock", "Unlock"),
            ("backup_code", "Backup Code"),
            ("reset_password", "Reset password"),
            ("end_sessions", "End sessions"),
            ("resend_email", "Resend verification email"),
            ("cancel_email", "Cancel this change"),
            ("choose_title", "Choose a password"),
        ],
    ),
    (
        "company.json",
        &[
            ("general_title", "General Information"),
            ("new_agent_mail", "New-agent mail"),
            ("account_details", "Account details"),
            ("activation_link", "Activation link"),
            ("security_title", "Security"),
            ("two_factor", "2FA Policy"),
            ("every_login", "Every login"),
            ("allow_skip", "Allow agents to skip for {{ days }} days"),
            ("require", "Require a second factor"),
            ("require_off", "Off"),
            ("require_admins", "Admins"),
            ("require_everyone", "Everyone"),
            ("password_policy", "Password Policy"),
            ("password_min", "Minimum password length"),
            ("log_out", "Log-out Policy"),
            ("audit_title", "Audit log"),
        ],
    ),
    ("mail_server.json", &[("send_test", "Send test mail")]),
    (
        "mail.json",
        &[
            ("details_url", "Login URL"),
            ("details_company", "Company Name"),
            ("details_account", "Login Username"),
            ("details_email", "Login Email"),
            ("details_password", "Login Password"),
        ],
    ),
    (
        "errors.json",
        &[
            ("wrong_credentials", "Company, account or password is incorrect"),
            (
                "account_locked",
                "Your account is locked. Contact your administrator to unlock it.",
            ),
            (
                "account_inactive",
                "Your account is inactive. Contact your administrator.",
            ),
            (
                "two_left",
                "You have 2 login attempts before your account is locked",
            ),
            (
                "one_left",
                "You have 1 login attempt before your account is locked",
            ),
        ],
    ),
];

#[test]
fn english_keeps_the_words_of_the_contract() {
    for (file, labels) in CONTRACT {
        let texts = texts(file);
        for (key, text) in *labels {
            assert_eq!(texts.get(*key).map(String::as_str), Some(*text), "{file}: {key}");
        }
    }
}

/// product.md section 5: what helps while no code can be mailed.
#[test]
fn a_page_whose_code_cannot_be_mailed_says_what_else_helps() {
    let texts = texts("sign_in.json");
    for key in ["code_mail_failing", "code_mail_given_up"] {
        let text = &texts[key];
        assert!(text.contains("use your app or a backup code"), "{key}: {text}");
    }
}
