use vestibule_core::{
    refusal::{Field, FieldProblem, Problem, Refusal},
    sign_in_view::{CodeMail, CodeView},
};
use vestibule_translations::Locale;

use super::render;
use crate::components::frame::Shell;
use crate::page::{
    Assets, Body, CodePage, Frame, Legal, LegalPage, Links, LoginPage, MailboxMessage, MailboxRow, Page,
    Role, SignedIn,
};

const HOSTILE: &str = "</title></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&";

fn frame() -> Frame {
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
            script: "/assets/vestibule.2.js".to_owned(),
            bindings: "/assets/bindings.3.js".to_owned(),
            wasm: "/assets/vestibule.4.wasm".to_owned(),
            logo: "/assets/logo.5.svg".to_owned(),
            icon: "/assets/icon.6.svg".to_owned(),
        },
        signed_in: None,
    }
}

fn somebody(text: &str) -> SignedIn {
    SignedIn {
        alias: text.to_owned(),
        account: text.to_owned(),
        email: text.to_owned(),
        company: text.to_owned(),
        role: Role::Admin,
    }
}

fn code_page(refusal: Option<Refusal>) -> CodePage {
    let view = CodeView {
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

fn shown(body: Body) -> String {
    render(Page { frame: frame(), body })
}

fn shown_in(locale: Locale, body: Body) -> String {
    render(Page {
        frame: Frame { locale, ..frame() },
        body,
    })
}

fn shown_to(somebody: SignedIn, body: Body) -> String {
    render(Page {
        frame: Frame {
            signed_in: Some(somebody),
            ..frame()
        },
        body,
    })
}

/// Every page, with `text` wherever somebody else's text can stand.
fn every_page(text: &str) -> Vec<String> {
    let text = || text.to_owned();
    let legal = |kind| {
        Body::Legal(LegalPage {
            kind,
            language: "en".to_owned(),
            html: "<h1>Terms</h1>".to_owned(),
        })
    };
    let bodies = vec![
        Body::Login(LoginPage {
            company: text(),
            account: text(),
            next: Some(text()),
            refusal: Some(Refusal::Internal { reference: text() }),
            signed_out: true,
        }),
        Body::Code(CodePage {
            view: CodeView {
                mailed_to: text(),
                ..code_page(None).view
            },
            ..code_page(Some(Refusal::Internal { reference: text() }))
        }),
        Body::Locked,
        Body::Agent,
        Body::Admin,
        legal(Legal::Terms),
        legal(Legal::Privacy),
        Body::Mailbox(Vec::new()),
        Body::Mailbox(vec![MailboxRow {
            href: text(),
            to: text(),
            subject: text(),
            at: text(),
        }]),
        Body::MailboxMessage(MailboxMessage {
            to: text(),
            from: text(),
            subject: text(),
            at: text(),
            text: text(),
            html_href: text(),
        }),
        Body::Problem(Refusal::Internal { reference: text() }),
        Body::Problem(Refusal::NotFound),
    ];
    bodies
        .into_iter()
        .map(|body| shown_to(somebody(&text()), body))
        .collect()
}

#[test]
fn every_page_is_a_complete_document() {
    for html in every_page("Acme") {
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\"><head><meta charset=\"utf-8\">"),
            "{html}"
        );
        assert!(html.ends_with("</body></html>"), "{html}");
        assert!(html.contains(" · Vestibule</title>"), "{html}");
        assert_eq!(html.matches("<h1").count(), 1, "{html}");
        assert_eq!(html.matches("<main id=\"content\"").count(), 1, "{html}");
        assert!(html.contains("href=\"#content\""), "{html}");
        assert!(
            html.contains("<form method=\"post\" action=\"/language\""),
            "{html}"
        );
        assert!(html.contains("name=\"return_to\" value=\"/login\""), "{html}");
        assert!(
            html.contains("href=\"/terms\"") && html.contains("href=\"/privacy\""),
            "{html}"
        );
    }
}

#[test]
fn only_the_sign_in_screens_load_webassembly() {
    let script = "<script type=\"module\" src=\"/assets/vestibule.2.js\" nonce=\"bm9uY2U\" \
                  data-bindings=\"/assets/bindings.3.js\" data-wasm=\"/assets/vestibule.4.wasm\"></script>";
    for html in [
        shown(Body::Login(login_page(None))),
        shown(Body::Code(code_page(None))),
    ] {
        assert!(html.contains(script), "{html}");
        assert_eq!(html.matches("<script").count(), 1, "{html}");
        assert_eq!(html.matches("<leptos-island").count(), 1, "{html}");
    }
    for html in [
        shown(Body::Locked),
        shown(Body::Problem(Refusal::NotFound)),
        shown_to(somebody("Ada"), Body::Agent),
        shown_to(somebody("Ada"), Body::Admin),
        shown(Body::Mailbox(Vec::new())),
    ] {
        assert!(
            !html.contains("<script") && !html.contains("leptos-island") && !html.contains(".wasm"),
            "{html}"
        );
    }
}

/// The Content-Security-Policy allows neither.
#[test]
fn no_page_has_inline_styles_or_scripts() {
    for html in every_page("Acme") {
        for bad in [
            " style=",
            "<style",
            " onclick=",
            " onsubmit=",
            " onload=",
            "javascript:",
        ] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
    }
}

#[test]
fn foreign_text_stays_text() {
    for html in every_page(HOSTILE) {
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(!html.contains("<img src=x"), "{html}");
        assert_eq!(html.matches("</title>").count(), 1, "{html}");
        // Inside an attribute a quote would begin a new one.
        assert!(!html.contains("\"'>"), "{html}");
    }
}

#[test]
fn an_island_gets_its_facts_back_unharmed() {
    let html = shown(Body::Login(LoginPage {
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
fn a_page_says_its_language_and_direction() {
    let html = shown_in(Locale::ar, Body::Login(login_page(None)));
    assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">"), "{html}");
    assert!(
        html.contains("<option value=\"ar\" lang=\"ar\" selected>"),
        "{html}"
    );
    assert!(
        html.contains("<option value=\"de\" lang=\"de\">Deutsch</option>"),
        "{html}"
    );
    let html = shown_in(Locale::de, Body::Code(code_page(None)));
    assert!(html.contains("<html lang=\"de\" dir=\"ltr\">"), "{html}");
    let legal = LegalPage {
        kind: Legal::Terms,
        language: "ar".to_owned(),
        html: "<h1>x</h1>".to_owned(),
    };
    let html = shown(Body::Legal(legal));
    assert!(
        html.contains("<article lang=\"ar\" dir=\"rtl\" class=\"prose\"><h1>x</h1></article>"),
        "{html}"
    );
}

#[test]
fn the_sign_in_form_works_without_scripts() {
    let page = LoginPage {
        next: Some("/agent?tab=1".to_owned()),
        ..login_page(None)
    };
    let html = shown(Body::Login(page));
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
        let html = shown(Body::Login(page));
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
        focused(login_page(Some(Refusal::field(Field::Company, Problem::TooLong)))),
        "summary"
    );
}

#[test]
fn every_problem_is_said_at_the_top_and_at_its_field() {
    let problem = |field, problem| FieldProblem { field, problem };
    let refusal = Refusal::Invalid {
        fields: vec![
            problem(Field::Account, Problem::Missing),
            problem(Field::Password, Problem::TooLong),
        ],
    };
    let html = shown(Body::Login(login_page(Some(refusal))));
    assert!(html.contains("role=\"alert\""), "{html}");
    assert!(
        html.contains("<a href=\"#account\">Enter your username or your e-mail address.</a>"),
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
    let html = shown(Body::Login(login_page(Some(Refusal::WrongCredentials))));
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
    let html = shown(Body::Code(code_page(None)));
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
    assert!(html.contains("You can ask for a new code in 0:42."), "{html}");
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
        shown(Body::Code(page))
    };
    for mail in [CodeMail::Queued, CodeMail::Sent] {
        assert!(html(mail).contains("<p class=\"lead\">We sent"), "{mail:?}");
    }
    for (mail, sentence) in [
        (CodeMail::Failing, "The mail server does not take our mail"),
        (CodeMail::Limited, "No new code was sent"),
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
    assert!(!shown(Body::Code(page)).contains("name=\"trust\""));
}

#[test]
fn the_last_tries_are_announced() {
    let html = |left| shown(Body::Code(code_page(Some(Refusal::WrongCode { left }))));
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
    assert!(shown(Body::Locked).contains("Your account is locked. Contact your administrator to unlock it."));
}

#[test]
fn an_ended_sign_in_leads_back() {
    let html = shown(Body::Code(code_page(Some(Refusal::SignInExpired))));
    assert!(html.contains("<a href=\"/login\">Back to sign-in</a>"), "{html}");
}

#[test]
fn somebody_signed_in_can_leave_from_every_page() {
    for body in [Body::Agent, Body::Admin, Body::Problem(Refusal::Forbidden)] {
        let html = shown_to(somebody("Ada"), body);
        assert!(
            html.contains("<form method=\"post\" action=\"/logout\">"),
            "{html}"
        );
        assert!(html.contains(">Logout</button>"), "{html}");
    }
}

#[test]
fn an_error_page_says_what_happened_and_the_way_on() {
    let internal = shown(Body::Problem(Refusal::Internal {
        reference: "AB12CD34".to_owned(),
    }));
    assert!(
        internal.contains("AB12CD34") && internal.contains("href=\"/\""),
        "{internal}"
    );
    let expired = shown(Body::Problem(Refusal::NotSignedIn));
    assert!(expired.contains("href=\"/login\""), "{expired}");
}

#[test]
fn a_mail_cannot_run_scripts() {
    let html = every_page("x")
        .into_iter()
        .find(|html| html.contains("<iframe"))
        .unwrap();
    let (_, frame) = html.split_once("<iframe").unwrap();
    let (frame, _) = frame.split_once('>').unwrap();
    assert!(frame.contains("sandbox=\""), "{frame}");
    assert!(
        !frame.contains("allow-scripts") && !frame.contains("allow-same-origin"),
        "{frame}"
    );
}
