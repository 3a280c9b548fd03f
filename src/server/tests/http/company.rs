//! The pages about a whole company, as a browser without scripts sees them.

use vestibule_core::{account::Role, company::RequireSecondFactor, secret::Password};
use vestibule_service::operator::{AccountInput, CompanyInput};

use crate::site::{Answer, Browser, PASSWORD, Site};

/// One more account.
pub async fn account(site: &Site, company: &str, account: &str, role: Role) {
    let input = AccountInput {
        company: company.to_owned(),
        account: account.to_owned(),
        email: format!("{account}@{company}.test"),
        first_name: account.to_owned(),
        last_name: String::new(),
        roles: vec![role],
        language: None,
        email_factor: false,
        password: Password::new(PASSWORD.to_owned()),
    };
    site.service.operator().create_account(input).await.unwrap();
}

/// Another company, with the admin `boss`.
pub async fn other_company(site: &Site) -> Browser {
    let company = CompanyInput {
        name: "Globex".to_owned(),
        allow_mixed_script: false,
        language: "en".to_owned(),
        time_zone: "UTC".to_owned(),
        two_factor_days: 0,
        require_second_factor: RequireSecondFactor::Off,
    };
    site.service.operator().create_company(company).await.unwrap();
    account(site, "Globex", "boss", Role::Admin).await;
    signed_in(site, "Globex", "boss").await
}

/// A browser in which an account without a second factor is signed in.
pub async fn signed_in(site: &Site, company: &str, account: &str) -> Browser {
    let mut browser = Browser::default();
    let fields = [("company", company), ("account", account), ("password", PASSWORD)];
    let answer = browser.post(site, "/login", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(browser.has("session"), "{}", answer.body);
    browser
}

/// The version that a form would save over.
pub fn version(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"version\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

const PAGES: [&str; 9] = [
    "/admin",
    "/admin/mail",
    "/admin/mail/test",
    "/admin/company",
    "/admin/security",
    "/admin/audit",
    "/admin/audit/export",
    "/admin/agents/export",
    "/admin/agents/import",
];

#[tokio::test]
async fn pages_about_the_company_are_for_its_admins() {
    let site = Site::new().await;
    account(&site, "Acme", "sam", Role::Supervisor).await;
    let mut anonymous = Browser::default();
    let mut agent = signed_in(&site, "Acme", "bob").await;
    let mut supervisor = signed_in(&site, "Acme", "sam").await;
    let mut admin = signed_in(&site, "Acme", "root").await;
    for path in PAGES {
        let answer = anonymous.get(&site, path).await;
        let login = format!("/login?next={}", path.replace('/', "%2F"));
        assert_eq!(
            (answer.status, answer.location()),
            (303, login.as_str()),
            "{path}"
        );
        assert_eq!(agent.get(&site, path).await.status, 403, "{path}");
        let answer = supervisor.get(&site, path).await;
        if path == "/admin" {
            assert_eq!((answer.status, answer.location()), (303, "/admin/agents"));
        } else {
            assert_eq!(answer.status, 403, "{path}");
        }
        let answer = admin.get(&site, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    for (path, fields) in [
        ("/admin/company", general("1", "de", "UTC")),
        ("/admin/security", policies("1", "14", "never", "")),
    ] {
        let answer = anonymous.post(&site, path, &fields).await;
        assert!(answer.location().starts_with("/login?next="), "{path}");
        assert_eq!(agent.post(&site, path, &fields).await.status, 403, "{path}");
        assert_eq!(supervisor.post(&site, path, &fields).await.status, 403, "{path}");
    }
}

fn general<'a>(version: &'a str, language: &'a str, time_zone: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", version),
        ("language", language),
        ("time_zone", time_zone),
        ("new_agent_mail", "activation_link"),
    ]
}

fn policies<'a>(
    version: &'a str,
    days: &'a str,
    log_out: &'a str,
    minutes: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", version),
        ("two_factor_days", days),
        ("require_second_factor", "off"),
        ("log_out", log_out),
        ("idle_minutes", minutes),
        ("password_min", "16"),
    ]
}

#[tokio::test]
async fn general_information_is_saved_and_comes_back_when_it_is_refused() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/company").await;
    for shown in [
        "<bdi>Acme</bdi>",
        "<option value=\"Europe/Berlin\">Berlin</option>",
        "label=\"Europe\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let first = version(&page);

    let refused = root
        .post(&site, "/admin/company", &general(&first, "de", "Nowhere/\"<b>"))
        .await;
    assert_eq!(refused.status, 422);
    for kept in [
        "<option value=\"Nowhere/&quot;&lt;b&gt;\" selected>",
        "<option value=\"de\" lang=\"de\" selected>",
        "value=\"activation_link\" checked",
        "href=\"#time_zone\"",
    ] {
        assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
    }
    assert_eq!(version(&refused), first);

    let saved = root
        .post(&site, "/admin/company", &general(&first, "en", "Europe/Berlin"))
        .await;
    assert_eq!((saved.status, saved.location()), (303, "/admin/company?saved"));
    let page = root.get(&site, "/admin/company?saved").await;
    assert!(
        page.body.contains("<option value=\"Europe/Berlin\" selected>") && page.body.contains("Saved."),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn nobody_overwrites_unseen_what_somebody_else_saved() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let first = version(&root.get(&site, "/admin/company").await);
    root.post(&site, "/admin/company", &general(&first, "en", "Asia/Tokyo"))
        .await;
    let late = root
        .post(&site, "/admin/company", &general(&first, "en", "Europe/Berlin"))
        .await;
    assert_eq!(late.status, 409);
    assert!(
        late.body.contains("Saved value: Asia/Tokyo")
            && late.body.contains("<option value=\"Europe/Berlin\" selected>"),
        "{}",
        late.body
    );
    assert_eq!(
        late.body.matches("Saved value:").count(),
        1,
        "only where it differs"
    );
    let second = version(&late);
    assert_ne!(second, first);
    let saved = root
        .post(&site, "/admin/company", &general(&second, "en", "Europe/Berlin"))
        .await;
    assert_eq!(saved.status, 303, "saving again is a choice");
}

#[tokio::test]
async fn policies_are_saved_and_say_what_is_wrong() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/security").await;
    for shown in [
        "Every login",
        "Allow agents to skip for 90 days",
        "name=\"two_factor_days\" value=\"30\" checked",
        "name=\"log_out\" value=\"after\" checked",
        "take effect immediately",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let first = version(&page);
    for minutes in ["", "14", "1000", "many"] {
        let refused = root
            .post(
                &site,
                "/admin/security",
                &policies(&first, "14", "after", minutes),
            )
            .await;
        assert_eq!(refused.status, 422, "{minutes}");
        for kept in [
            "href=\"#idle_minutes\"",
            "name=\"two_factor_days\" value=\"14\" checked",
            "value=\"16\"",
        ] {
            assert!(refused.body.contains(kept), "{minutes} {kept}: {}", refused.body);
        }
    }
    let saved = root
        .post(&site, "/admin/security", &policies(&first, "0", "never", "30"))
        .await;
    assert_eq!((saved.status, saved.location()), (303, "/admin/security?saved"));
    let page = root.get(&site, "/admin/security?saved").await;
    for shown in [
        "name=\"two_factor_days\" value=\"0\" checked",
        "name=\"log_out\" value=\"never\" checked",
        "value=\"16\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let late = root
        .post(&site, "/admin/security", &policies(&first, "0", "after", "45"))
        .await;
    assert_eq!(late.status, 409);
    assert!(late.body.contains("Saved value: Never"), "{}", late.body);
}

#[tokio::test]
async fn whoever_has_to_confirm_first_keeps_what_they_typed() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let first = version(&root.get(&site, "/admin/security").await);
    site.clock.advance(301);
    let refused = root
        .post(&site, "/admin/security", &policies(&first, "90", "after", "123"))
        .await;
    let page = "/admin/security?kept";
    assert_eq!(refused.location(), format!("/profile/confirm?next={page}&again"));
    let proof = [("password", PASSWORD), ("next", page)];
    assert_eq!(
        root.post(&site, "/profile/confirm", &proof).await.location(),
        page
    );
    let back = root.get(&site, page).await;
    for kept in [
        "name=\"two_factor_days\" value=\"90\" checked",
        "value=\"123\"",
        "save again",
    ] {
        assert!(back.body.contains(kept), "{kept}: {}", back.body);
    }
    let saved = root
        .post(&site, "/admin/security", &policies(&first, "90", "after", "123"))
        .await;
    assert_eq!(saved.status, 303);
    let after = root.get(&site, page).await;
    assert!(!after.body.contains("still here"), "it was sent: {}", after.body);
}

#[tokio::test]
async fn the_language_switch_keeps_what_was_typed_about_the_company() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    for (path, mut fields, kept) in [
        (
            "/admin/company",
            general("1", "ar", "Asia/Tokyo"),
            "<option value=\"Asia/Tokyo\" selected>",
        ),
        (
            "/admin/security",
            policies("1", "60", "after", "77"),
            "value=\"77\"",
        ),
    ] {
        fields.extend([("shown_in", "de"), ("return_to", path)]);
        let page = root.post(&site, "/language", &fields).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.body.contains("<html lang=\"de\"") && page.body.contains(kept),
            "{path}: {}",
            page.body
        );
    }
}

#[tokio::test]
async fn the_overview_counts() {
    let site = Site::new().await;
    signed_in(&site, "Acme", "bob").await;
    Browser::default().past_password(&site, "alice").await;
    let mut stranger = Browser::default();
    let wrong = [
        ("company", "Acme"),
        ("account", "bob"),
        ("password", "not this one"),
    ];
    stranger.post(&site, "/login", &wrong).await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin").await;
    assert_eq!(page.status, 200);
    for shown in [
        "Admin console",
        "3 of 5 active accounts",
        "60%",
        "/admin/agents?factor=none",
        "Sign-ins in the last 14 days",
        "role=\"img\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let (_, table) = page.body.split_once("<tbody>").unwrap();
    assert_eq!(table.matches("<tr>").count(), 14, "{table}");
    let (_, today) = table.split_once("2026-01-05").unwrap();
    assert!(
        today.contains("<td>2</td><td>1</td>"),
        "two came in, one password was wrong: {today}"
    );
    assert!(!page.body.contains("state=locked"), "nobody is locked");
}

#[tokio::test]
async fn the_audit_log_is_filtered_paged_and_kept_apart() {
    let site = Site::new().await;
    let mut boss = other_company(&site).await;
    let mut root = signed_in(&site, "Acme", "root").await;
    signed_in(&site, "Acme", "bob").await;
    let page = root.get(&site, "/admin/audit").await;
    assert_eq!(page.status, 200);
    for shown in [
        "<bdi>bob</bdi>",
        "Jan 5, 2026, 09:00",
        "127.0.0.1",
        "value=\"signed_in\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let only = root
        .get(
            &site,
            "/admin/audit?event=signed_in&account=bob&from=2026-01-05&until=2026-01-05",
        )
        .await;
    assert_eq!(
        only.body.matches("<bdi>root</bdi>").count(),
        1,
        "in the menu only: {}",
        only.body
    );
    assert!(
        only.body.contains("<option value=\"signed_in\" selected>")
            && only.body.contains("value=\"2026-01-05\"")
            && only.body.contains(
                "/admin/audit/export?event=signed_in&amp;account=bob&amp;from=2026-01-05&amp;until=2026-01-05"
            ),
        "{}",
        only.body
    );
    let none = root.get(&site, "/admin/audit?until=2020-01-01").await;
    assert!(none.body.contains("No events match."), "{}", none.body);
    let unreadable = root
        .get(&site, "/admin/audit?event=%3Cb%3E&from=yesterday&before=1%27--")
        .await;
    assert_eq!(unreadable.status, 200);
    assert!(!unreadable.body.contains("<b>\""));
    assert!(
        unreadable.body.contains("be read: Event, From.")
            && unreadable.body.contains("href=\"/admin/audit/export\""),
        "{}",
        unreadable.body
    );
    let other = boss.get(&site, "/admin/audit").await;
    assert!(
        other.status == 200 && !other.body.contains("<bdi>bob</bdi>"),
        "{}",
        other.body
    );

    // Events of one millisecond have no order.
    site.clock.advance(1);
    for _ in 0..60 {
        root.get(&site, "/admin/audit/export").await;
    }
    let page = root.get(&site, "/admin/audit").await;
    let older = page
        .body
        .split("href=\"")
        .find(|rest| rest.starts_with("/admin/audit?before="));
    let older = older.unwrap().split('"').next().unwrap().to_owned();
    let page = root.get(&site, &older).await;
    assert!(
        page.body.contains("Newest events") && page.body.contains("<bdi>bob</bdi>"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn files_are_downloads_that_nobody_keeps() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    for (path, name, cell) in [
        (
            "/admin/agents/export?state=active",
            "agents-2026-01-05.csv",
            "bob@acme.test",
        ),
        ("/admin/audit/export", "audit-2026-01-05.csv", "signed_in"),
    ] {
        let file = root.get(&site, path).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(
            file.header("content-disposition"),
            format!("attachment; filename=\"{name}\"")
        );
        assert_eq!(file.header("cache-control"), "no-store");
        assert!(file.body.contains(cell), "{path}: {}", file.body);
    }
    let mut boss = other_company(&site).await;
    let file = boss.get(&site, "/admin/agents/export").await;
    assert!(
        file.body.contains("boss") && !file.body.contains("acme.test"),
        "{}",
        file.body
    );
    let none = root.get(&site, "/admin/agents/export?state=inactive").await;
    assert!(!none.body.contains("acme.test"), "{}", none.body);
}
