//! What the two live screens look like before scripts.

use vestibule_app::{
    components::frame::Shell,
    page::{Assets, CodePage, Content, Frame, Links, LoginPage, Page},
    shell::document::render,
};
use vestibule_core::{
    refusal::{Field, FieldProblem, Problem, Refusal},
    sign_in_view::{CodeMail, CodeView, Method},
};
use vestibule_translations::Locale;

use super::{code::Code, sign_in::Login};

const HOSTILE: &str = "</title></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&";

pub fn frame() -> Frame {
    Frame {
        locale: Locale::en,
        path: "/login".to_owned(),
        links: Links {
            terms: "/terms".to_owned(),
            privacy: "/privacy".to_owned(),
            mailbox: None,
        },
        nonce: "bm9uY2U".to_owned(),
        assets: Assets {
            style: "/assets/vestibule.1.css".to_owned(),
            account_style: "/assets/account.7.css".to_owned(),
            console_style: "/assets/console.9.css".to_owned(),
            account_script: "/assets/account.8.js".to_owned(),
            console_script: "/assets/console.10.js".to_owned(),
            session_script: "/assets/session.10.js".to_owned(),
            script: "/assets/vestibule.2.js".to_owned(),
            bindings: "/assets/bindings.3.js".to_owned(),
            wasm: "/assets/vestibule.4.wasm".to_owned(),
            texts: vec![
                ("en".to_owned(), "/assets/texts-en.9.txt".to_owned()),
                ("de".to_owned(), "/assets/texts-de.9.txt".to_owned()),
            ],
            logo: "/assets/logo.5.svg".to_owned(),
            icon: "/assets/icon.6.svg".to_owned(),
        },
        signed_in: None,
        answers_form: false,
        refused: false,
    }
}

fn code_page(refusal: Option<Refusal>) -> CodePage {
    let view = CodeView {
        method: Method::Email,
        other_method: false,
        step_up: false,
        mailed_to: "a***@d***.test".to_owned(),
        mail: CodeMail::Sent,
        resend_in: 42,
        resends_left: true,
        trust_days: Some(30),
    };
    CodePage {
        view,
        refusal,
        resent: false,
        trust: true,
        backup: false,
    }
}

fn login_page(refusal: Option<Refusal>) -> LoginPage {
    LoginPage {
        company: "Acme".to_owned(),
        account: "alice".to_owned(),
        refusal,
        ..LoginPage::default()
    }
}

fn shown(content: impl Content) -> String {
    shown_in(Locale::en, content)
}

/// The page without the texts that it brings for later.
fn shown_in(locale: Locale, content: impl Content) -> String {
    let html = whole(locale, content);
    let (before, rest) = html.split_once("data-texts=\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    [before, after].concat()
}

fn whole(locale: Locale, content: impl Content) -> String {
    render(Page {
        frame: Frame { locale, ..frame() },
        content,
    })
}

#[test]
fn only_what_comes_to_life_is_loaded() {
    let script = "<script type=\"module\" src=\"/assets/vestibule.2.js\" nonce=\"bm9uY2U\" \
                  data-bindings=\"/assets/bindings.3.js\" data-wasm=\"/assets/vestibule.4.wasm\"></script>";
    for html in [shown(Login(login_page(None))), shown(Code(code_page(None)))] {
        assert!(html.contains(script), "{html}");
        assert_eq!(html.matches("<script").count(), 1, "{html}");
        assert_eq!(html.matches("<leptos-island").count(), 1, "{html}");
    }
}

#[test]
fn an_island_gets_its_facts_back_unharmed() {
    let html = shown(Login(LoginPage {
        company: HOSTILE.to_owned(),
        ..LoginPage::default()
    }));
    let (_, rest) = html.split_once("data-facts=\"").unwrap();
    let (facts, _) = rest.split_once('"').unwrap();
    let json = facts
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    let facts: (Shell, LoginPage) = serde_json::from_str(&json).unwrap();
    assert_eq!(facts.1.company, HOSTILE);
}

#[test]
fn a_page_brings_the_texts_of_its_language_and_says_where_the_others_are() {
    for html in [
        whole(Locale::de, Login(login_page(None))),
        whole(Locale::de, Code(code_page(None))),
    ] {
        let (_, rest) = html.split_once("data-texts=\"").unwrap();
        let (texts, _) = rest.split_once('"').unwrap();
        assert!(texts.starts_with("de\nltr\n"), "{texts}");
        // What the page does not show yet is there too, and nothing of another language.
        assert!(texts.contains("\nDer Code ist falsch.\n"), "{texts}");
        assert!(!texts.contains("Sign in"), "{texts}");
        let addresses = "data-languages=\"en=/assets/texts-en.9.txt de=/assets/texts-de.9.txt\"";
        assert!(html.contains(addresses), "{html}");
    }
}

#[test]
fn a_page_says_its_language_and_direction() {
    let html = shown_in(Locale::ar, Login(login_page(None)));
    assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">"), "{html}");
    assert!(
        html.contains("<option value=\"ar\" lang=\"ar\" selected>"),
        "{html}"
    );
    assert!(
        html.contains("<option value=\"de\" lang=\"de\">Deutsch</option>"),
        "{html}"
    );
    let html = shown_in(Locale::de, Code(code_page(None)));
    assert!(html.contains("<html lang=\"de\" dir=\"ltr\">"), "{html}");
}

#[test]
fn the_sign_in_form_works_without_scripts() {
    let page = LoginPage {
        next: Some("/agent?tab=1".to_owned()),
        ..login_page(None)
    };
    let html = shown(Login(page));
    assert!(
        html.contains("<form method=\"post\" action=\"/login\" novalidate class=\"fields\">"),
        "{html}"
    );
    assert!(html.contains("name=\"next\" value=\"/agent?tab=1\""), "{html}");
    for (name, label, value, autocomplete) in [
        ("company", "Company", "Acme", "organization"),
        ("account", "Account", "alice", "username"),
        ("password", "Password", "", "current-password"),
    ] {
        assert!(
            html.contains(&format!("<label for=\"{name}\">{label}</label>")),
            "{html}"
        );
        assert!(
            html.contains(&format!("<input id=\"{name}\" name=\"{name}\"")),
            "{html}"
        );
        assert!(
            html.contains(&format!(
                "value=\"{value}\" dir=\"auto\" autocomplete=\"{autocomplete}\""
            )),
            "{html}"
        );
    }
    assert!(html.contains(">Sign in</button>"), "{html}");
    assert!(html.contains("aria-describedby=\"account-hint\""), "{html}");
    assert_eq!(html.matches("autofocus").count(), 1, "{html}");
    assert!(
        !html.contains("name=\"next\"") || html.contains("/agent"),
        "{html}"
    );
}

#[test]
fn the_first_empty_field_has_the_focus() {
    let focused = |page: LoginPage| {
        let html = shown(Login(page));
        let (before, _) = html.split_once(" autofocus").unwrap();
        before
            .rsplit_once("id=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0
            .to_owned()
    };
    let page = |company: &str, account: &str| LoginPage {
        company: company.to_owned(),
        account: account.to_owned(),
        ..LoginPage::default()
    };
    assert_eq!(focused(page("", "")), "company");
    assert_eq!(focused(page("Acme", "")), "account");
    assert_eq!(focused(login_page(Some(Refusal::WrongCredentials))), "password");
    assert_eq!(
        focused(login_page(Some(Refusal::field(
            Field::Company,
            Problem::TooLong { most: 64 }
        )))),
        "summary"
    );
}

#[test]
fn every_problem_is_said_at_the_top_and_at_its_field() {
    let problem = |field, problem| FieldProblem { field, problem };
    let refusal = Refusal::Invalid {
        fields: vec![
            problem(Field::Account, Problem::Missing),
            problem(Field::Password, Problem::TooLong { most: 64 }),
        ],
    };
    let html = shown(Login(login_page(Some(refusal))));
    assert!(html.contains("role=\"alert\""), "{html}");
    assert!(
        html.contains("<a href=\"#account\">Enter your username or email address.</a>"),
        "{html}"
    );
    assert!(
        html.contains("id=\"account-problem\" class=\"problem\">Enter your username"),
        "{html}"
    );
    assert!(
        html.contains("aria-invalid=\"true\" aria-describedby=\"account-problem account-hint\""),
        "{html}"
    );
    assert!(
        html.contains("aria-invalid=\"true\" aria-describedby=\"password-problem\""),
        "{html}"
    );
    assert_eq!(html.matches("aria-invalid").count(), 2, "{html}");
}

#[test]
fn wrong_credentials_keep_company_and_account() {
    let html = shown(Login(login_page(Some(Refusal::WrongCredentials))));
    assert_eq!(
        html.matches("Company, account or password is incorrect").count(),
        1,
        "{html}"
    );
    assert!(
        html.contains("value=\"Acme\"") && html.contains("value=\"alice\""),
        "{html}"
    );
    assert!(
        html.contains("aria-invalid=\"true\" aria-describedby=\"summary\""),
        "{html}"
    );
}

#[test]
fn the_code_page_works_without_scripts() {
    let html = shown(Code(code_page(None)));
    for form in ["/login/code", "/login/code/cancel", "/login/code/resend"] {
        assert!(
            html.contains(&format!("<form method=\"post\" action=\"{form}\"")),
            "{form}: {html}"
        );
    }
    assert!(html.contains("<label for=\"code\">"), "{html}");
    assert!(
        html.contains("inputmode=\"numeric\" autocomplete=\"one-time-code\""),
        "{html}"
    );
    assert!(
        !html.contains("maxlength"),
        "a pasted code with a space must not be cut: {html}"
    );
    assert!(html.contains("a***@d***.test"), "{html}");
    assert!(html.contains("name=\"trust\" value=\"yes\" checked"), "{html}");
    assert!(
        html.contains("<label for=\"trust\">Don't ask again for 30 days</label>"),
        "{html}"
    );
    assert!(
        html.contains("You can request a new code in 42 seconds."),
        "{html}"
    );
    for button in [">Verify</button>", ">Cancel</button>", ">Resend</button>"] {
        assert!(html.contains(button), "{html}");
    }
    assert!(
        !html.contains("disabled"),
        "without scripts the server decides about a resend: {html}"
    );
}

/// A sentence that says so would be a lie.
#[test]
fn no_code_was_sent_where_none_was() {
    let html = |mail| {
        let mut page = code_page(None);
        page.view.mail = mail;
        shown(Code(page))
    };
    for mail in [CodeMail::Queued, CodeMail::Sent] {
        assert!(html(mail).contains("<p class=\"lead\">We sent"), "{mail:?}");
    }
    for (mail, sentence) in [
        (CodeMail::Failing, "We can't send email right now."),
        (CodeMail::GivenUp, "couldn't be delivered"),
        (CodeMail::Undeliverable, "couldn't be delivered to this address"),
        (CodeMail::Limited, "no new one was sent"),
    ] {
        assert!(
            html(mail).contains("<p hidden class=\"lead\">We sent"),
            "{mail:?}"
        );
        assert!(html(mail).contains(sentence), "{mail:?}");
    }
}

#[test]
fn no_trust_is_offered_where_the_policy_forbids_it() {
    let mut page = code_page(None);
    page.view.trust_days = None;
    assert!(!shown(Code(page)).contains("name=\"trust\""));
}

#[test]
fn no_trust_is_offered_for_a_backup_code() {
    let mut page = code_page(None);
    page.backup = true;
    assert!(!shown(Code(page)).contains("name=\"trust\""));
}

#[test]
fn the_last_tries_are_announced() {
    let html = |left| {
        let refusal = Refusal::WrongCode { left, hint: None };
        shown(Code(code_page(Some(refusal))))
    };
    let third = html(Some(2));
    assert!(third.contains("role=\"alert\""), "{third}");
    assert!(third.contains("The code is incorrect."), "{third}");
    assert!(
        third.contains("<strong>You have 2 login attempts before your account is locked</strong>"),
        "{third}"
    );
    assert!(
        html(Some(1)).contains("<strong>You have 1 login attempt before your account is locked</strong>")
    );
    assert!(!html(None).contains("<strong>"));
}

#[test]
fn an_ended_sign_in_leads_back() {
    let html = shown(Code(code_page(Some(Refusal::SignInExpired))));
    assert!(html.contains("<a href=\"/login\">Back to sign-in</a>"), "{html}");
}

#[test]
fn an_app_is_asked_without_a_word_about_mail() {
    let mut page = code_page(None);
    page.view.method = Method::App;
    page.view.other_method = true;
    page.view.mail = CodeMail::Failing;
    let html = shown(Code(page));
    assert!(html.contains("<p hidden class=\"lead\">We sent"), "{html}");
    assert!(
        html.contains("<p class=\"lead\">Enter the verification code shown in your authenticator app.</p>"),
        "{html}"
    );
    assert!(!html.contains("We can't send email"), "{html}");
    assert!(
        html.contains("<form method=\"post\" action=\"/login/code/resend\" hidden"),
        "{html}"
    );
    assert!(
        html.contains("id=\"resend-when\" hidden") || html.contains("hidden id=\"resend-when\""),
        "{html}"
    );
    assert!(
        html.contains("<form method=\"post\" action=\"/login/code/method\"><button"),
        "{html}"
    );
    assert!(html.contains(">Use another method</button>"), "{html}");
    assert!(
        html.contains("<a href=\"/login/code?backup\">Use a backup code</a>"),
        "{html}"
    );
    let one = shown(Code(code_page(None)));
    assert!(
        one.contains("<form method=\"post\" action=\"/login/code/method\" hidden"),
        "{one}"
    );
}

#[test]
fn a_backup_code_has_a_plain_field() {
    let page = CodePage {
        backup: true,
        ..code_page(Some(Refusal::WrongCode {
            left: Some(2),
            hint: None,
        }))
    };
    let html = shown(Code(page));
    assert!(html.contains("<label for=\"code\">Backup code</label>"), "{html}");
    assert!(html.contains("name=\"backup\" value=\"yes\""), "{html}");
    assert!(
        !html.contains("inputmode=\"numeric\"") && !html.contains("one-time-code"),
        "{html}"
    );
    assert!(
        html.contains("<div class=\"control\" dir=\"ltr\">")
            || html.contains("<div dir=\"ltr\" class=\"control\">"),
        "{html}"
    );
    assert!(
        html.contains("<a href=\"/login/code\">Use a verification code</a>"),
        "{html}"
    );
    let digits = shown(Code(code_page(None)));
    assert!(!digits.contains("name=\"backup\""), "{digits}");
}

#[test]
fn an_ended_step_up_leads_to_the_password_and_offers_no_trust() {
    let mut page = code_page(Some(Refusal::SignInExpired));
    page.view.step_up = true;
    page.view.trust_days = None;
    let html = shown(Code(page));
    assert!(
        html.contains("<a href=\"/profile/confirm\">Start over</a>"),
        "{html}"
    );
    assert!(!html.contains("name=\"trust\""), "{html}");
}

#[test]
fn the_sign_in_page_leads_to_the_forgotten_password_with_its_company() {
    let html = shown(Login(LoginPage {
        forgot: "/forgot-password?company=Acme".to_owned(),
        ..login_page(None)
    }));
    assert!(
        html.contains("<a href=\"/forgot-password?company=Acme\">Forgot Password</a>"),
        "{html}"
    );
}

#[test]
fn a_changed_password_is_said_on_the_sign_in_page() {
    let html = shown(Login(LoginPage {
        notice: vec![
            ("de".to_owned(), "Ihr Passwort wurde geändert.".to_owned()),
            ("en".to_owned(), "Your password was changed.".to_owned()),
        ],
        good: true,
        ..LoginPage::default()
    }));
    let (_, shown) = html.split_once("class=\"notice good\"").unwrap();
    assert!(shown.starts_with(">Your password was changed.<"), "{html}");
    assert!(!html.contains("You're signed out."), "{html}");
}
