use vestibule_core::{
    refusal::{Field, FieldProblem, Problem, Refusal},
    sign_in_view::{CodeMail, CodeView, Method},
    signed_in::{FormField, FormFieldProblem, FormProblem, FormRefusal},
    sso::Provider,
};
use vestibule_translations::Locale;

use super::render;
use crate::components::frame::Shell;
use crate::page::{
    AppCodePage, AppSetUp, AppSetUpPage, Assets, AuditPage, BackupCodesPage, BindPage, Body,
    ChooseCompanyPage, CodePage, CompanyPage, ConfirmPage, ConfirmReason, EmailSetUp, EmailSetUpPage,
    EventLine, ForgotPasswordPage, Frame, ImportPage, ImportRow, ImportStage, LandingPage, Legal, LegalPage,
    Links, LoginPage, MailServerPage, MailboxMessage, MailboxRow, NewBackupCodesPage, OnwardPage,
    OverviewPage, Page, PoliciesPage, ProfileForm, ProfileNotice, ProfilePage, ProviderForm, ProviderRow,
    Role, SecurityNotice, SecurityPage, SessionRow, SetUpPage, SignedIn, SsoCompanyPage, SsoSettingsPage,
    TestMail, TestMailPage, TestOutcome, TrustedRow, Typed, UploadPage, When, Who,
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
            account_style: "/assets/account.7.css".to_owned(),
            console_style: "/assets/console.9.css".to_owned(),
            account_script: "/assets/account.8.js".to_owned(),
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
        confined: false,
    }
}

fn when(text: &str) -> When {
    When {
        datetime: "2026-01-05T20:30:00Z".to_owned(),
        shown: text.to_owned(),
    }
}

fn profile_page(text: &str) -> ProfilePage {
    let text = || text.to_owned();
    ProfilePage {
        first_name: text(),
        last_name: text(),
        alias: text(),
        phone: text(),
        title: text(),
        time_format: "12".to_owned(),
        language: "de".to_owned(),
        company_language: "ar".to_owned(),
        password_min: 14,
        ..ProfilePage::default()
    }
}

fn security_page(text: &str) -> SecurityPage {
    let text = || text.to_owned();
    SecurityPage {
        email: true,
        app: false,
        few_backup_codes: Some(3),
        providers: vec![
            ProviderRow {
                provider: Provider::Google,
                connected: Some(text()),
            },
            ProviderRow {
                provider: Provider::Office365,
                connected: None,
            },
        ],
        trusted: vec![TrustedRow {
            id: text(),
            browser: Some(text()),
            address: Some(text()),
            since: when("2026-01-05 21:30"),
            until: when("2026-02-04 21:30"),
            last_used: when("2026-01-06 08:00"),
            this: true,
        }],
        sessions: vec![
            SessionRow {
                id: text(),
                browser: Some(text()),
                address: Some(text()),
                since: when("2026-01-06 08:00"),
                last_used: when("2026-01-06 09:00"),
                this: true,
            },
            SessionRow {
                id: text(),
                browser: None,
                address: None,
                since: when("2026-01-05 08:00"),
                last_used: when("2026-01-05 09:00"),
                this: false,
            },
        ],
        notice: None,
        refusal: None,
    }
}

fn email_set_up(text: &str, mail: CodeMail, resend_in: u32) -> EmailSetUpPage {
    EmailSetUpPage {
        set_up: Some(EmailSetUp {
            id: text.to_owned(),
            address: text.to_owned(),
            mail,
            resend_in,
        }),
        ..EmailSetUpPage::default()
    }
}

fn app_set_up(secret: &str) -> AppSetUpPage {
    AppSetUpPage {
        set_up: Some(AppSetUp {
            id: "set-up".to_owned(),
            qr: "<svg viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9H0z\"></path></svg>".to_owned(),
            secret: secret.to_owned(),
        }),
        refusal: None,
    }
}

fn new_codes(text: &str) -> NewBackupCodesPage {
    NewBackupCodesPage {
        codes: vec![text.to_owned(), "ZW0F-Y07Z-0093-8NKR".to_owned()],
        file: "data:text/plain;charset=utf-8,one%0Atwo".to_owned(),
        to: "/profile/security".to_owned(),
    }
}

fn codes_page() -> BackupCodesPage {
    BackupCodesPage {
        made_at: Some(when("2026-01-05 21:30")),
        used_at: vec![None, Some(when("2026-01-06 08:00")), None],
        available: true,
        ..BackupCodesPage::default()
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

/// The pages about a company, with `text` wherever somebody else's text can stand.
fn company_pages(text: &str) -> Vec<Body> {
    let text = || text.to_owned();
    let typed = || Typed {
        value: text(),
        meanwhile: Some(text()),
    };
    let late = || Some(Refusal::Form(FormRefusal::ChangedMeanwhile));
    vec![
        Body::Company(CompanyPage {
            name: text(),
            language: typed(),
            time_zone: typed(),
            new_agent_mail: typed(),
            zones: vec!["Europe/Berlin", "UTC"],
            refusal: late(),
            ..CompanyPage::default()
        }),
        Body::Policies(PoliciesPage {
            two_factor_days: typed(),
            require_second_factor: typed(),
            password_min: typed(),
            idle_minutes: typed(),
            without_second_factor: 3,
            refusal: Some(Refusal::Form(FormRefusal::StepUpNeeded)),
            ..PoliciesPage::default()
        }),
        Body::Audit(AuditPage {
            event: text(),
            account: text(),
            from: text(),
            until: text(),
            rows: vec![EventLine {
                at: when(&text()),
                event: text(),
                refused: true,
                who: Who::Account(Some(text())),
                target: Some(text()),
                address: Some(text()),
                browser: Some(text()),
                detail: Some(text()),
            }],
            older: Some(text()),
            newest: Some(text()),
            export: text(),
        }),
        Body::Upload(UploadPage::default()),
        Body::Import(ImportPage {
            id: text(),
            stage: ImportStage::Stalled,
            verdicts: vec![("good", 2)],
            good: 2,
            lines: vec![ImportRow {
                line: 2,
                account: text(),
                verdict: text(),
            }],
            refusal: Some(Refusal::Form(FormRefusal::ImportOver)),
            ..ImportPage::default()
        }),
    ]
}

/// The pages of the company's own mail server and of a forgotten password.
fn mail_pages(text: &str) -> Vec<Body> {
    let text = || text.to_owned();
    let typed = || Typed {
        value: text(),
        meanwhile: Some(text()),
    };
    vec![
        Body::MailServer(MailServerPage {
            version: 1,
            way: typed(),
            host: typed(),
            port: typed(),
            security: typed(),
            user: typed(),
            has_password: true,
            sender: typed(),
            reply_to: typed(),
            fall_back: true,
            email: text(),
            last_test: Some(when(&text())),
            saved: true,
            refusal: Some(Refusal::Form(FormRefusal::field(
                FormField::MailSecurity,
                FormProblem::Unencrypted,
            ))),
        }),
        Body::TestMail(TestMailPage {
            test: Some(TestMail {
                email: text(),
                at: when(&text()),
                outcome: TestOutcome::Failed(text()),
                answer: Some(text()),
            }),
            refusal: Some(Refusal::Form(FormRefusal::MailLimit)),
        }),
        Body::ForgotPassword(ForgotPasswordPage {
            company: text(),
            email: text(),
            sent: false,
            refusal: Some(Refusal::Internal { reference: text() }),
        }),
        Body::ForgotPassword(ForgotPasswordPage {
            sent: true,
            ..ForgotPasswordPage::default()
        }),
    ]
}

/// Every page, with `text` wherever somebody else's text can stand.
fn provider_pages(text: &str) -> Vec<Body> {
    let text = || text.to_owned();
    let typed = || Typed {
        value: text(),
        meanwhile: Some(text()),
    };
    vec![
        Body::Onward(OnwardPage {
            provider: Provider::Google,
            to: "/auth/continue".to_owned(),
            leaves: false,
        }),
        Body::Bind(BindPage {
            provider: Provider::Office365,
            shown: text(),
            company: text(),
            account: text(),
            refusal: Some(Refusal::WrongCredentials),
        }),
        Body::ChooseCompany(ChooseCompanyPage {
            provider: Provider::Google,
            companies: vec![(text(), text())],
        }),
        Body::SsoCompany(SsoCompanyPage {
            provider: Provider::Google,
            company: text(),
            next: Some(text()),
            refusal: Some(Refusal::Form(FormRefusal::SsoNotOffered)),
        }),
        Body::Confirm(ConfirmPage {
            next: text(),
            providers: vec![Provider::Google],
            ..ConfirmPage::default()
        }),
        Body::SsoSettings(SsoSettingsPage {
            providers: Provider::ALL
                .map(|provider| ProviderForm {
                    provider,
                    version: 1,
                    enabled: typed(),
                    client_id: typed(),
                    has_secret: provider == Provider::Google,
                    tenants: typed(),
                    trusted: typed(),
                    installation: provider == Provider::Google,
                    redirect_uri: text(),
                })
                .to_vec(),
            saved: true,
            tested: Some(Provider::Google),
            refusal: Some(Refusal::Form(FormRefusal::field(
                FormField::Office365Tenants,
                FormProblem::NotATenant,
            ))),
        }),
    ]
}

fn every_page(text: &str) -> Vec<String> {
    let text = || text.to_owned();
    let legal = |kind| {
        Body::Legal(LegalPage {
            kind,
            language: "en".to_owned(),
            html: "<h1>Terms</h1>".to_owned(),
        })
    };
    let mut bodies = vec![
        Body::Login(LoginPage {
            company: text(),
            account: text(),
            next: Some(text()),
            refusal: Some(Refusal::Internal { reference: text() }),
            signed_out: true,
            password_changed: true,
            forgot: text(),
            providers: vec![(text(), "/auth/google/start".to_owned())],
        }),
        Body::Code(CodePage {
            view: CodeView {
                mailed_to: text(),
                ..code_page(None).view
            },
            ..code_page(Some(Refusal::Internal { reference: text() }))
        }),
        Body::Locked,
        Body::Waiting(Some(7)),
        Body::Waiting(None),
        Body::Agent(LandingPage::default()),
        Body::Admin(OverviewPage {
            few_backup_codes: Some(1),
            ..OverviewPage::default()
        }),
        Body::Profile(profile_page(&text())),
        Body::Profile(ProfilePage {
            must_confirm: true,
            refused: Some((ProfileForm::Data, Refusal::Internal { reference: text() })),
            ..profile_page(&text())
        }),
        Body::Confirm(ConfirmPage {
            next: text(),
            reason: ConfirmReason::TooOld,
            providers: Vec::new(),
            refusal: Some(Refusal::Internal { reference: text() }),
        }),
        Body::Security(security_page(&text())),
        Body::Security(SecurityPage::default()),
        Body::SetUp(SetUpPage {
            refusal: Some(Refusal::Internal { reference: text() }),
        }),
        Body::EmailSetUp(email_set_up(&text(), CodeMail::Sent, 42)),
        Body::EmailSetUp(EmailSetUpPage::default()),
        Body::AppSetUp(app_set_up(&text())),
        Body::AppSetUp(AppSetUpPage::default()),
        Body::AppCode(AppCodePage {
            set_up: text(),
            refusal: Some(Refusal::Internal { reference: text() }),
        }),
        Body::BackupCodes(codes_page()),
        Body::BackupCodes(BackupCodesPage::default()),
        Body::NewBackupCodes(new_codes(&text())),
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
    bodies.extend(provider_pages(&text()));
    bodies.extend(mail_pages(&text()));
    bodies.extend(company_pages(&text()));
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
            html.contains("method=\"post\" action=\"/language\"")
                || html.contains("formaction=\"/language\""),
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
fn only_pages_that_come_to_life_load_webassembly() {
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
        shown_to(somebody("Ada"), Body::Profile(profile_page("Ada"))),
        shown_to(somebody("Ada"), Body::NewBackupCodes(new_codes("A"))),
    ] {
        let small = "<script type=\"module\" src=\"/assets/account.8.js\" nonce=\"bm9uY2U\"></script>";
        assert!(html.contains(small) && !html.contains(".wasm"), "{html}");
        assert!(
            !html.contains("<leptos-island") && !html.contains("data-facts"),
            "{html}"
        );
    }
    for html in [
        shown(Body::Locked),
        shown(Body::Problem(Refusal::NotFound)),
        shown_to(somebody("Ada"), Body::Agent(LandingPage::default())),
        shown_to(somebody("Ada"), Body::Admin(OverviewPage::default())),
        shown_to(somebody("Ada"), Body::Security(security_page("x"))),
        shown_to(somebody("Ada"), Body::AppSetUp(app_set_up("x"))),
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
        // A chart has a title of its own, which is ours.
        let titles = html.replace("</title><desc", "").matches("</title>").count();
        assert_eq!(titles, 1, "{html}");
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
        (CodeMail::GivenUp, "could not be delivered"),
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
fn no_trust_is_offered_for_a_backup_code() {
    let mut page = code_page(None);
    page.backup = true;
    assert!(!shown(Body::Code(page)).contains("name=\"trust\""));
}

#[test]
fn the_last_tries_are_announced() {
    let html = |left| {
        let refusal = Refusal::WrongCode { left, hint: None };
        shown(Body::Code(code_page(Some(refusal))))
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
    assert!(shown(Body::Locked).contains("Your account is locked. Contact your administrator to unlock it."));
}

#[test]
fn an_ended_sign_in_leads_back() {
    let html = shown(Body::Code(code_page(Some(Refusal::SignInExpired))));
    assert!(html.contains("<a href=\"/login\">Back to sign-in</a>"), "{html}");
}

#[test]
fn somebody_signed_in_can_leave_from_every_page() {
    for body in [
        Body::Agent(LandingPage::default()),
        Body::Admin(OverviewPage::default()),
        Body::SetUp(SetUpPage::default()),
        Body::Problem(Refusal::Forbidden),
    ] {
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

fn form(action: &str) -> String {
    format!("method=\"post\" action=\"{action}\"")
}

#[test]
fn an_app_is_asked_without_a_word_about_mail() {
    let mut page = code_page(None);
    page.view.method = Method::App;
    page.view.other_method = true;
    page.view.mail = CodeMail::Failing;
    let html = shown(Body::Code(page));
    assert!(html.contains("<p hidden class=\"lead\">We sent"), "{html}");
    assert!(
        html.contains("<p class=\"lead\">Enter the six-digit code that your authenticator app shows.</p>"),
        "{html}"
    );
    assert!(!html.contains("The mail server does not take"), "{html}");
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
    let one = shown(Body::Code(code_page(None)));
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
    let html = shown(Body::Code(page));
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
        html.contains("<a href=\"/login/code\">Use a six-digit code</a>"),
        "{html}"
    );
    let digits = shown(Body::Code(code_page(None)));
    assert!(!digits.contains("name=\"backup\""), "{digits}");
}

#[test]
fn an_ended_step_up_leads_to_the_password_and_offers_no_trust() {
    let mut page = code_page(Some(Refusal::SignInExpired));
    page.view.step_up = true;
    page.view.trust_days = None;
    let html = shown(Body::Code(page));
    assert!(
        html.contains("<a href=\"/profile/confirm\">Start again</a>"),
        "{html}"
    );
    assert!(!html.contains("name=\"trust\""), "{html}");
}

#[test]
fn the_profile_is_a_form_with_labels_that_keeps_what_is_typed() {
    let html = shown_to(somebody("Ada"), Body::Profile(profile_page("Ada")));
    assert!(html.contains(&form("/profile")), "{html}");
    for (name, label, autocomplete) in [
        ("first_name", "First name", "given-name"),
        ("last_name", "Last name", "family-name"),
        ("alias", "Alias", "nickname"),
        ("phone", "Phone", "tel"),
        ("title", "Title", "organization-title"),
    ] {
        assert!(
            html.contains(&format!("<label for=\"{name}\">{label}</label>")),
            "{name}: {html}"
        );
        let (_, input) = html
            .split_once(&format!("<input id=\"{name}\" name=\"{name}\""))
            .unwrap();
        let (input, _) = input.split_once('>').unwrap();
        assert!(
            input.contains("value=\"Ada\"") && input.contains(&format!("autocomplete=\"{autocomplete}\"")),
            "{input}"
        );
    }
    assert!(html.contains("<option value=\"12\" selected>"), "{html}");
    assert!(
        html.contains("<option value=\"de\" lang=\"de\" selected>"),
        "{html}"
    );
    assert!(html.contains("Same as the company (العربية)"), "{html}");
    assert!(
        html.contains(">Save</button>") && html.contains("href=\"/profile/security\""),
        "{html}"
    );
    let saved = shown_to(
        somebody("Ada"),
        Body::Profile(ProfilePage {
            notice: Some(ProfileNotice::Saved),
            ..profile_page("Ada")
        }),
    );
    assert!(saved.contains("Your profile was saved."), "{saved}");
}

/// The switch sends the profile along, and Enter in a field does not press it.
#[test]
fn changing_the_language_does_not_lose_the_profile() {
    let html = shown_to(somebody("Ada"), Body::Profile(profile_page("Ada")));
    let buttons: Vec<_> = html
        .split("<button")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
        .collect();
    let of_form: Vec<_> = buttons
        .iter()
        .filter(|button| button.contains("form=\"profile-form\""))
        .collect();
    assert!(!of_form[0].contains("formaction"), "{of_form:?}");
    assert!(
        of_form[1].contains("formaction=\"/language\"") && of_form[1].contains("formnovalidate"),
        "{of_form:?}"
    );
    assert!(html.contains("name=\"shown_in\" form=\"profile-form\""), "{html}");
}

#[test]
fn a_forgotten_password_is_asked_for_by_a_plain_form_that_keeps_what_was_typed() {
    let page = ForgotPasswordPage {
        company: "Acme".to_owned(),
        email: "bob".to_owned(),
        sent: false,
        refusal: Some(Refusal::Form(FormRefusal::field(
            FormField::Email,
            FormProblem::NotAnAddress,
        ))),
    };
    let html = shown(Body::ForgotPassword(page));
    assert!(html.contains(&form("/forgot-password")), "{html}");
    for part in [
        "<h1>Forgot Password</h1>",
        "<label for=\"company\">Company</label>",
        "<label for=\"email\">Email</label>",
        "value=\"Acme\"",
        "value=\"bob\"",
        ">Send reset link</button>",
        "<a href=\"#email\">This is not an e-mail address.",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    // The language form takes the refusal along, so that it is said in the new language.
    assert!(
        html.contains("<form id=\"language-form\"")
            && html.contains("name=\"refused\" form=\"language-form\" value=\"{&quot;"),
        "{html}"
    );
    let sent = shown(Body::ForgotPassword(ForgotPasswordPage {
        sent: true,
        ..ForgotPasswordPage::default()
    }));
    assert!(
        sent.contains("role=\"status\"") && sent.contains("href=\"/login\"") && !sent.contains("<input id"),
        "{sent}"
    );
}

#[test]
fn the_sign_in_page_leads_to_the_forgotten_password_with_its_company() {
    let html = shown(Body::Login(LoginPage {
        forgot: "/forgot-password?company=Acme".to_owned(),
        ..login_page(None)
    }));
    assert!(
        html.contains("<a href=\"/forgot-password?company=Acme\">Forgot Password</a>"),
        "{html}"
    );
}

#[test]
fn the_own_address_is_changed_by_a_form_of_its_own_and_waits_in_sight() {
    let html = shown_to(somebody("Ada"), Body::Profile(profile_page("Ada")));
    assert!(html.contains(&form("/profile/email")), "{html}");
    assert!(
        html.contains("<label for=\"email\">New e-mail address</label>") && !html.contains("/profile/email/"),
        "{html}"
    );
    let waiting = shown_to(
        somebody("Ada"),
        Body::Profile(ProfilePage {
            pending_email: Some(("new@acme.test".to_owned(), when("2026"))),
            must_confirm_for_email: true,
            ..profile_page("Ada")
        }),
    );
    assert!(
        waiting.contains("new@acme.test waits for its confirmation")
            && waiting.contains("action=\"/profile/email/resend\"")
            && waiting.contains("action=\"/profile/email/cancel\"")
            && !waiting.contains(&form("/profile/email"))
            && waiting.contains(
                "href=\"/profile/confirm?next=/profile\" class=\"button\">Change e-mail address</a>"
            ),
        "{waiting}"
    );
}

#[test]
fn the_password_is_changed_by_a_form_of_its_own() {
    let html = shown_to(somebody("Ada"), Body::Profile(profile_page("Ada")));
    assert!(html.contains(&form("/profile/password")), "{html}");
    for (name, label, autocomplete) in [
        ("old_password", "Old password", "current-password"),
        ("new_password", "New password", "new-password"),
        ("confirm_password", "Confirm password", "new-password"),
    ] {
        assert!(
            html.contains(&format!("<label for=\"{name}\">{label}</label>")),
            "{html}"
        );
        assert!(
            html.contains(&format!(
                "<input id=\"{name}\" name=\"{name}\" type=\"password\" value=\"\""
            )),
            "{html}"
        );
        assert!(
            html.contains(&format!("autocomplete=\"{autocomplete}\"")),
            "{html}"
        );
    }
    assert!(html.contains("At least 14 characters."), "{html}");
    assert!(
        html.contains("id=\"strength\" role=\"status\""),
        "the place for the feedback is there before it is filled: {html}"
    );
    let first = shown_to(
        somebody("Ada"),
        Body::Profile(ProfilePage {
            must_confirm: true,
            ..profile_page("Ada")
        }),
    );
    assert!(
        first.contains("href=\"/profile/confirm?next=/profile\" class=\"button\">Change Password</a>"),
        "{first}"
    );
    assert!(!first.contains("type=\"password\""), "{first}");
}

#[test]
fn a_refused_profile_says_so_at_the_top_and_at_its_field() {
    let refusal = Refusal::Form(FormRefusal::Invalid {
        fields: vec![
            FormFieldProblem {
                field: FormField::NewPassword,
                problem: FormProblem::Weak,
            },
            FormFieldProblem {
                field: FormField::ConfirmPassword,
                problem: FormProblem::Different,
            },
        ],
    });
    let html = shown_to(
        somebody("Ada"),
        Body::Profile(ProfilePage {
            refused: Some((ProfileForm::Password, refusal)),
            ..profile_page("Ada")
        }),
    );
    assert!(
        html.contains("<a href=\"#new_password\">") && html.contains("<a href=\"#confirm_password\">"),
        "{html}"
    );
    assert!(
        html.contains("aria-invalid=\"true\" aria-describedby=\"new_password-problem new_password-hint\""),
        "{html}"
    );
    assert_eq!(html.matches("aria-invalid").count(), 2, "{html}");
    assert_eq!(html.matches(" autofocus").count(), 1, "{html}");
}

#[test]
fn identity_is_confirmed_by_a_form_that_knows_the_way_on() {
    let page = |reason| ConfirmPage {
        next: "/profile/security/app".to_owned(),
        reason,
        providers: Vec::new(),
        refusal: None,
    };
    let html = shown_to(somebody("Ada"), Body::Confirm(page(ConfirmReason::TooOld)));
    assert!(html.contains(&form("/profile/confirm")), "{html}");
    assert!(
        html.contains("name=\"next\" value=\"/profile/security/app\""),
        "{html}"
    );
    assert!(
        html.contains("<label for=\"password\">Password</label>"),
        "{html}"
    );
    assert!(
        html.contains(">Continue</button>") && html.contains("href=\"/profile/security\""),
        "{html}"
    );
    let expired = shown_to(somebody("Ada"), Body::Confirm(page(ConfirmReason::Expired)));
    assert!(expired.contains("Nothing was changed."), "{expired}");
}

#[test]
fn the_settings_have_the_words_of_the_contract() {
    let html = shown_to(somebody("Ada"), Body::Security(security_page("Firefox")));
    for heading in [
        "Two-Factor Authentication (2FA)</h2>",
        "Single Sign-On(SSO)</h2>",
        "Trusted browsers</h2>",
        "Sessions</h2>",
    ] {
        assert!(html.contains(heading), "{heading}: {html}");
    }
    for words in [
        "Email authentication",
        "Authenticator app authentication",
        "Not connected",
        ">Disconnect</button>",
        "This browser",
        "This session",
        "Unknown browser",
        "Backup codes left: 3.",
        ">View Backup Codes</a>",
        ">Remove all</button>",
        ">End all others</button>",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    for action in [
        "/profile/security/email",
        "/profile/security/email/off",
        "/profile/security/app",
        "/profile/security/trusted/remove",
        "/profile/security/trusted/remove-all",
        "/profile/security/sessions/end",
        "/profile/security/sessions/end-others",
    ] {
        assert!(html.contains(&form(action)), "{action}: {html}");
    }
    assert!(!html.contains(&form("/profile/security/app/off")), "{html}");
    for button in [
        "aria-describedby=\"row-profile-security-email\" class=\"button small\">Reset<",
        "aria-describedby=\"row-profile-security-email\" class=\"button small\">Turn off<",
        "aria-describedby=\"row-profile-security-app\" class=\"button small\">Set Up<",
        "aria-describedby=\"row-Firefox\" class=\"button small\">End<",
        "aria-describedby=\"row-Firefox\" class=\"button small\">Remove<",
    ] {
        assert!(html.contains(button), "{button}: {html}");
    }
    assert!(
        html.contains("<time datetime=\"2026-01-05T20:30:00Z\"><bdi>2026-02-04 21:30</bdi></time>"),
        "{html}"
    );
    let none = shown_to(somebody("Ada"), Body::Security(SecurityPage::default()));
    let words = "You haven't added any application. Please contact your system admin.";
    assert!(none.contains(words), "{none}");
}

#[test]
fn nothing_to_list_is_said() {
    let html = shown_to(somebody("Ada"), Body::Security(SecurityPage::default()));
    assert!(html.contains("No browser is trusted."), "{html}");
    assert!(
        !html.contains("View Backup Codes") && !html.contains("End all others"),
        "{html}"
    );
    for (notice, sentence) in [
        (SecurityNotice::Confirmed, "choose again"),
        (SecurityNotice::Changed, "Your second factor was changed."),
        (SecurityNotice::Ended, "Ended."),
    ] {
        let page = SecurityPage {
            notice: Some(notice),
            ..SecurityPage::default()
        };
        assert!(
            shown_to(somebody("Ada"), Body::Security(page)).contains(sentence),
            "{sentence}"
        );
    }
}

#[test]
fn an_app_is_set_up_with_a_picture_or_by_typing() {
    let html = shown_to(somebody("Ada"), Body::AppSetUp(app_set_up("ABCD EFGH")));
    assert!(
        html.contains(
            "role=\"img\" aria-label=\"QR code for your authenticator app. The key below says the same.\""
        ),
        "{html}"
    );
    assert!(
        html.contains("<svg viewBox") && html.contains("<code dir=\"ltr\">ABCD EFGH</code>"),
        "{html}"
    );
    assert!(
        html.contains("method=\"get\" action=\"/profile/security/app/code\"")
            && html.contains(">Next</button>"),
        "{html}"
    );
    let none = shown_to(somebody("Ada"), Body::AppSetUp(AppSetUpPage::default()));
    assert!(
        none.contains(&form("/profile/security/app")) && none.contains(">Set Up</button>"),
        "{none}"
    );
}

#[test]
fn a_set_up_is_finished_with_one_code_of_this_set_up() {
    let wrong = Refusal::WrongCode {
        left: None,
        hint: None,
    };
    for (html, action) in [
        (
            shown_to(
                somebody("Ada"),
                Body::AppCode(AppCodePage {
                    set_up: "0194".to_owned(),
                    refusal: Some(wrong),
                }),
            ),
            "/profile/security/app/code",
        ),
        (
            shown_to(
                somebody("Ada"),
                Body::EmailSetUp(email_set_up("0194", CodeMail::Sent, 0)),
            ),
            "/profile/security/email/code",
        ),
    ] {
        assert!(html.contains(&form(action)), "{html}");
        assert!(html.contains("name=\"set_up\" value=\"0194\""), "{html}");
        assert!(
            html.contains("<label for=\"code\">Six-digit code</label>"),
            "{html}"
        );
        assert!(
            html.contains("inputmode=\"numeric\" autocomplete=\"one-time-code\""),
            "{html}"
        );
        assert!(
            html.contains(">Confirm</button>") && html.contains(">Cancel</a>"),
            "{html}"
        );
        assert_eq!(html.matches(" autofocus").count(), 1, "{html}");
    }
}

#[test]
fn the_set_up_by_mail_says_how_the_mail_is_doing() {
    let html = |mail, resend_in| {
        shown_to(
            somebody("Ada"),
            Body::EmailSetUp(email_set_up("ada@acme.test", mail, resend_in)),
        )
    };
    let sent = html(CodeMail::Sent, 42);
    assert!(
        sent.contains("that we sent to") && sent.contains("<bdi>ada@acme.test</bdi>"),
        "{sent}"
    );
    assert!(sent.contains("You can ask for a new code in 0:42."), "{sent}");
    assert!(sent.contains(&form("/profile/security/email/resend")), "{sent}");
    let failing = html(CodeMail::Failing, 0);
    assert!(!failing.contains("that we sent to"), "{failing}");
    assert!(
        failing.contains("The mail server does not take our mail"),
        "{failing}"
    );
    let given_up = html(CodeMail::GivenUp, 0);
    assert!(given_up.contains("could not be delivered"), "{given_up}");
    for html in [failing, given_up] {
        assert!(
            !html.contains("your app"),
            "only the mailed code finishes this: {html}"
        );
    }
}

#[test]
fn whoever_has_to_set_up_a_second_factor_finds_no_other_way_but_out() {
    let confined = SignedIn {
        confined: true,
        ..somebody("Ada")
    };
    for body in [
        Body::SetUp(SetUpPage::default()),
        Body::AppSetUp(app_set_up("ABCD")),
    ] {
        let html = shown_to(confined.clone(), body);
        assert!(html.contains(">Logout</button>"), "{html}");
        for link in ["href=\"/\"", "href=\"/profile\"", "href=\"/agent\""] {
            assert!(!html.contains(link), "{link}: {html}");
        }
    }
    let html = shown_to(confined, Body::SetUp(SetUpPage::default()));
    let app = html.find(&form("/profile/security/app")).unwrap();
    let email = html.find(&form("/profile/security/email")).unwrap();
    assert!(app < email, "the app is recommended, so it comes first");
}

#[test]
fn backup_codes_are_shown_once_and_can_be_taken_along() {
    let html = shown_to(
        somebody("Ada"),
        Body::NewBackupCodes(new_codes("7KQ2-M0ZD-4T8V-XH1R")),
    );
    assert!(
        html.contains("<li><code dir=\"ltr\">7KQ2-M0ZD-4T8V-XH1R</code></li>"),
        "{html}"
    );
    let (_, link) = html
        .split_once("download=\"vestibule-backup-codes.txt\"")
        .unwrap();
    assert!(
        link.starts_with(" href=\"data:text/plain;charset=utf-8,one%0Atwo\""),
        "{link}"
    );
    assert!(
        html.contains("data-text=\"7KQ2-M0ZD-4T8V-XH1R\nZW0F-Y07Z-0093-8NKR\""),
        "{html}"
    );
    assert!(
        html.contains("<button type=\"button\" hidden data-text=") && html.contains(">Copy</button>"),
        "{html}"
    );
    assert!(html.contains("shown only now"), "{html}");
    assert!(
        html.contains("href=\"/profile/security\" class=\"button primary\">Done</a>"),
        "{html}"
    );

    let list = shown_to(somebody("Ada"), Body::BackupCodes(codes_page()));
    assert!(
        list.contains("Code 1") && list.contains("unused") && list.contains("used on"),
        "{list}"
    );
    assert!(
        list.contains(&form("/profile/security/backup-codes"))
            && list.contains(">Generate new codes</button>"),
        "{list}"
    );
    assert!(!list.contains("<code"), "{list}");
    let none = shown_to(somebody("Ada"), Body::BackupCodes(BackupCodesPage::default()));
    assert!(!none.contains("Generate new codes"), "{none}");
}

#[test]
fn few_backup_codes_are_said_where_somebody_lands() {
    let landing = |few_backup_codes| Body::Agent(LandingPage { few_backup_codes });
    let html = shown_to(somebody("Ada"), landing(Some(2)));
    assert!(
        html.contains("Backup codes left: 2.") && html.contains("href=\"/profile/security/backup-codes\""),
        "{html}"
    );
    assert!(html.contains("href=\"/profile\""), "{html}");
    assert!(!shown_to(somebody("Ada"), landing(None)).contains("Backup codes left"));
}

#[test]
fn a_changed_password_is_said_on_the_sign_in_page() {
    let html = shown(Body::Login(LoginPage {
        password_changed: true,
        ..LoginPage::default()
    }));
    assert!(html.contains("Your password was changed"), "{html}");
    assert!(!html.contains("You are signed out."), "{html}");
}
