//! Offices on the page of the company's policies, as a browser without scripts sees them.

use vestibule_core::account::Role;

use crate::{
    company::{account, other_company, signed_in, version},
    site::{Answer, Browser, PASSWORD, Site},
};

const PAGE: &str = "/admin/security";
const ADD: &str = "/admin/security/offices";
const REMOVE: &str = "/admin/security/offices/remove";

async fn add(site: &Site, browser: &mut Browser, name: &str, range: &str) -> Answer {
    let fields = [("office_name", name), ("office_range", range)];
    browser.post(site, ADD, &fields).await
}

/// The offices of a company, as the command line lists them.
async fn named(site: &Site, company: &str) -> Vec<String> {
    let offices = site.service.operator().offices(company).await.unwrap();
    let lines = offices
        .iter()
        .map(|office| format!("{}={}", office.name, office.network));
    lines.collect()
}

/// What stands in the form.
fn filled(page: &Answer) -> [String; 2] {
    ["office_name", "office_range"].map(|name| {
        let (before, after) = page.body.split_once(&format!("name=\"{name}\"")).unwrap();
        let (_, before) = before.rsplit_once('<').unwrap();
        let (after, _) = after.split_once('>').unwrap();
        let input = [before, after].concat();
        let (_, value) = input.split_once("value=\"").unwrap();
        value.split_once('"').unwrap().0.to_owned()
    })
}

/// A browser of an admin of Acme at this address.
async fn admin_at(site: &Site, address: &'static str) -> Browser {
    let mut browser = Browser::default();
    browser.address = address;
    let fields = [("company", "Acme"), ("account", "root"), ("password", PASSWORD)];
    let answer = browser.post(site, "/login", &fields).await;
    assert!(browser.has("session"), "{}", answer.body);
    browser
}

#[tokio::test]
async fn an_office_is_named_where_it_is_and_removed() {
    let site = Site::new().await;
    let mut root = admin_at(&site, "198.51.100.7").await;
    let page = root.get(&site, PAGE).await;
    for shown in ["No offices yet.", "You are at 198.51.100.7 now."] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert_eq!(filled(&page), ["", "198.51.100.7"]);
    let added = add(&site, &mut root, " Berlin ", "198.51.100.7").await;
    assert_eq!(
        (added.status, added.location()),
        (303, "/admin/security?office_added")
    );
    let page = root.get(&site, added.location()).await;
    for shown in ["Office added.", "<bdi>Berlin</bdi>", "<bdi>198.51.100.7/32</bdi>"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert_eq!(
        filled(&page),
        ["", ""],
        "whoever sits in an office need not name it"
    );
    assert_eq!(named(&site, "Acme").await, ["Berlin=198.51.100.7/32"]);
    let log = root.get(&site, "/admin/audit?event=policy_changed").await;
    assert!(log.body.contains("Offices: – → 198.51.100.7/32"), "{}", log.body);
    let mails = site.mails("root2@acme.test").await;
    assert!(
        mails
            .iter()
            .any(|text| text.contains("The security policies of Acme")),
        "{mails:?}"
    );

    let removed = root.post(&site, REMOVE, &[("network", "198.51.100.7/32")]).await;
    assert_eq!(
        (removed.status, removed.location()),
        (303, "/admin/security?office_removed")
    );
    let page = root.get(&site, removed.location()).await;
    for shown in ["Office removed.", "No offices yet."] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(named(&site, "Acme").await.is_empty());
    for path in [ADD, REMOVE] {
        let opened = root.get(&site, path).await;
        assert_eq!((opened.status, opened.location()), (303, PAGE), "{path}");
    }
}

#[tokio::test]
async fn of_an_ipv6_address_its_network_is_suggested() {
    let site = Site::new().await;
    let mut root = admin_at(&site, "[2001:db8:1:2::7]").await;
    let page = root.get(&site, PAGE).await;
    assert!(
        page.body.contains("You are at 2001:db8:1:2::7 now."),
        "{}",
        page.body
    );
    assert_eq!(filled(&page), ["", "2001:db8:1:2::/64"]);
}

#[tokio::test]
async fn offices_are_for_admins() {
    let site = Site::new().await;
    account(&site, "Acme", "sam", Role::Supervisor).await;
    let berlin = vestibule_service::offices::parse("Berlin=192.0.2.0/28").unwrap();
    let operator = site.service.operator();
    operator.set_offices("Acme", vec![berlin]).await.unwrap();
    let mut anonymous = Browser::default();
    let answer = add(&site, &mut anonymous, "Bonn", "198.51.100.7").await;
    assert!(answer.location().starts_with("/login?next="), "{}", answer.body);
    for name in ["bob", "sam"] {
        let mut browser = signed_in(&site, "Acme", name).await;
        let added = add(&site, &mut browser, "Bonn", "198.51.100.7").await;
        assert_eq!(added.status, 403, "{name}");
        let removed = browser.post(&site, REMOVE, &[("network", "192.0.2.0/28")]).await;
        assert_eq!(removed.status, 403, "{name}");
    }
    assert_eq!(named(&site, "Acme").await, ["Berlin=192.0.2.0/28"]);
}

#[tokio::test]
async fn what_is_no_office_is_said_at_its_field_and_stays() {
    const NAME: &str = "Enter a name for the office.";
    const LONG: &str = "Use no more than 100 characters.";
    const NONE: &str = "Enter the address or range of the office.";
    const NONSENSE: &str = "Enter an IPv4 or IPv6 address, or a range such as 192.0.2.0/28";
    const WIDE: &str = "The widest is /16 for IPv4 and /32 for IPv6.";
    const DOUBLED: &str = "One of your offices already has this range.";
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    add(&site, &mut root, "Berlin", "192.0.2.0/28").await;
    let long = "x".repeat(101);
    for (name, range, field, sentence) in [
        ("", "198.51.100.7", "office_name", NAME),
        (&*long, "198.51.100.7", "office_name", LONG),
        ("Bonn", "", "office_range", NONE),
        ("Bonn", "here", "office_range", NONSENSE),
        ("Bonn", "192.0.2.0/33", "office_range", NONSENSE),
        ("Bonn", "10.0.0.0/8", "office_range", WIDE),
        ("Bonn", "::/0", "office_range", WIDE),
        ("Bonn", "192.0.2.9/28", "office_range", DOUBLED),
    ] {
        let refused = add(&site, &mut root, name, range).await;
        assert_eq!(refused.status, 422, "{name} {range}");
        for shown in [&*format!("href=\"#{field}\""), sentence, "<bdi>Berlin</bdi>"] {
            let body = &refused.body;
            assert!(body.contains(shown), "{name} {range} {shown}: {body}");
        }
        assert_eq!(filled(&refused), [name, range]);
    }
    let odd = [
        ("office_name", "Bonn"),
        ("office_range", "10.1.0.0/24"),
        ("id", "x"),
    ];
    assert_eq!(
        root.post(&site, ADD, &odd).await.status,
        400,
        "nothing else is read"
    );
    assert_eq!(named(&site, "Acme").await, ["Berlin=192.0.2.0/28"]);
}

#[tokio::test]
async fn a_company_has_no_more_than_fifty_offices() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    for number in 0..50 {
        let range = format!("10.0.{number}.0/24");
        let added = add(&site, &mut root, "Bonn", &range).await;
        assert_eq!(added.status, 303, "{range}");
    }
    let many = add(&site, &mut root, "Bonn", "198.51.100.7").await;
    assert_eq!(many.status, 422);
    assert!(many.body.contains("up to 50 offices"), "{}", many.body);
    assert_eq!(filled(&many), ["Bonn", "198.51.100.7"]);
    assert_eq!(named(&site, "Acme").await.len(), 50);
}

#[tokio::test]
async fn offices_ask_for_a_fresh_proof() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    add(&site, &mut root, "Berlin", "192.0.2.0/28").await;
    site.clock.advance(301);
    let removed = root.post(&site, REMOVE, &[("network", "192.0.2.0/28")]).await;
    assert_eq!(
        removed.location(),
        "/profile/confirm?next=/admin/security&again",
        "{}",
        removed.body
    );
    let added = add(&site, &mut root, "Bonn", "198.51.100.7").await;
    let page = "/admin/security?kept";
    assert_eq!(added.location(), format!("/profile/confirm?next={page}&again"));
    assert_eq!(named(&site, "Acme").await, ["Berlin=192.0.2.0/28"]);
    let proof = [("password", PASSWORD), ("next", page)];
    assert_eq!(
        root.post(&site, "/profile/confirm", &proof).await.location(),
        page
    );
    let back = root.get(&site, page).await;
    assert_eq!(filled(&back), ["Bonn", "198.51.100.7"]);
    for kept in ["save again", "name=\"two_factor_days\" value=\"30\" checked"] {
        assert!(back.body.contains(kept), "{kept}: {}", back.body);
    }
    assert!(!version(&back).is_empty(), "the policies can be saved as ever");
    let added = add(&site, &mut root, "Bonn", "198.51.100.7").await;
    assert_eq!(added.status, 303, "{}", added.body);
}

#[tokio::test]
async fn an_office_is_of_one_company() {
    let site = Site::new().await;
    let mut boss = other_company(&site).await;
    let mut root = signed_in(&site, "Acme", "root").await;
    add(&site, &mut root, "Berlin", "192.0.2.0/28").await;
    add(&site, &mut root, "Aachen", "198.51.100.7").await;
    let page = boss.get(&site, PAGE).await;
    assert!(
        page.body.contains("No offices yet.") && !page.body.contains("Aachen"),
        "{}",
        page.body
    );
    let added = add(&site, &mut boss, "Springfield", "192.0.2.0/28").await;
    assert_eq!(added.status, 303, "{}", added.body);
    for range in ["192.0.2.0/28", "198.51.100.7/32", "192.0.2.0/28' OR 1=1"] {
        boss.post(&site, REMOVE, &[("network", range)]).await;
    }
    assert!(named(&site, "Globex").await.is_empty());
    assert_eq!(
        named(&site, "Acme").await,
        ["Aachen=198.51.100.7/32", "Berlin=192.0.2.0/28"]
    );
}
