//! Applications behind a proxy: what a proxy is told, and how a browser gets there.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_core::account::Role;

use crate::{
    applications::application,
    company::{account, signed_in},
    site::{Answer, Browser, HOST, Site},
};

const WALL: &str = "wall.acme.test";
const EXPIRED: &str = "http://127.0.0.1:3000/login?ended";
const HEADERS: [&str; 6] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "remote-company",
    "remote-assertion",
];

struct Wall {
    site: Site,
    id: String,
}

impl Wall {
    async fn new() -> Self {
        let site = Site::with(&[("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1")]).await;
        let id = application(&site, "Wallboard", "behind_proxy", "https://wall.acme.test/").await;
        Self { site, id }
    }

    /// What nginx is told when this browser asks for a path with this method, and sends these headers along.
    async fn ask(
        &self,
        browser: &mut Browser,
        (method, path): (&str, &str),
        more: &[(&'static str, &str)],
    ) -> Answer {
        let mut headers = vec![
            ("x-original-url", format!("https://{WALL}{path}")),
            ("x-original-method", method.to_owned()),
        ];
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.told("nginx", browser, headers).await
    }

    async fn told(
        &self,
        family: &str,
        browser: &mut Browser,
        headers: Vec<(&'static str, String)>,
    ) -> Answer {
        browser.extra = headers;
        let path = format!("/forward-auth/{family}/{}", self.id);
        let answer = browser.get(&self.site, &path).await;
        browser.extra.clear();
        answer
    }

    async fn page(&self, browser: &mut Browser) -> Answer {
        self.ask(browser, ("GET", "/calls?day=1"), &[]).await
    }

    /// Asks on the host of the application.
    async fn on_wall(&self, browser: &mut Browser, address: &str) -> Answer {
        browser.host = WALL;
        let path = address.strip_prefix("https://wall.acme.test").unwrap();
        let answer = browser.get(&self.site, path).await;
        browser.host = HOST;
        answer
    }

    /// Begins the way to the application; gives the address of Vestibule that it leads to.
    async fn start(&self, browser: &mut Browser) -> String {
        let led = self.page(browser).await;
        assert_eq!(led.status, 401);
        let started = self.on_wall(browser, led.location()).await;
        let to = started.location().strip_prefix("http://127.0.0.1:3000").unwrap();
        assert!(to.starts_with("/open?application="), "{to}");
        to.to_owned()
    }

    /// Goes the whole way of somebody who is signed in.
    async fn enter(&self, browser: &mut Browser) -> Answer {
        let open = self.start(browser).await;
        let ticket = browser.get(&self.site, &open).await;
        assert_eq!(ticket.status, 303, "{}", ticket.body);
        self.on_wall(browser, ticket.location()).await
    }
}

#[tokio::test]
async fn a_browser_gets_to_an_application_and_back_to_where_it_wanted() {
    let wall = Wall::new().await;
    let mut browser = Browser::default();
    let open = wall.start(&mut browser).await;
    let login = browser.get(&wall.site, &open).await;
    assert!(
        login.location().starts_with("/login?next=%2Fopen%3Fapplication"),
        "{}",
        login.location()
    );
    let next = form_urlencoded::parse(login.location().split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "next")
        .unwrap()
        .1
        .into_owned();
    let fields = [
        ("company", "Acme"),
        ("account", "bob"),
        ("password", crate::site::PASSWORD),
        ("next", next.as_str()),
    ];
    let signed_in = browser.post(&wall.site, "/login", &fields).await;
    assert_eq!(signed_in.location(), next, "{}", signed_in.body);

    // After a form a redirect may lead to this site only.
    browser.extra = vec![("sec-fetch-site", "same-origin".to_owned())];
    let going = browser.get(&wall.site, &next).await;
    browser.extra.clear();
    assert_eq!(going.status, 200);
    assert!(
        going
            .body
            .contains("url=https://wall.acme.test/.vestibule/enter?ticket="),
        "{}",
        going.body
    );

    let ticket = browser.get(&wall.site, &next).await.location().to_owned();
    let entered = wall.on_wall(&mut browser, &ticket).await;
    assert_eq!(entered.location(), "https://wall.acme.test/calls?day=1");
    let cookie = entered.set_cookies().join(" ");
    assert!(cookie.starts_with("__Host-vestibule="), "{cookie}");
    for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");

    let told = wall.page(&mut browser).await;
    assert_eq!(told.status, 200);
    let values = HEADERS.map(|name| told.header(name).to_owned());
    assert_eq!(values[..5], ["bob", "Bob", "bob@acme.test", "agent", "Acme"]);
    let claims = URL_SAFE_NO_PAD
        .decode(values[5].split('.').nth(1).unwrap())
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], WALL);
    assert_eq!(claims["iss"], "http://127.0.0.1:3000");
    assert_eq!(claims["preferred_username"], "bob");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        60
    );
}

#[tokio::test]
async fn a_ticket_is_good_once_and_in_the_browser_that_asked_for_it() {
    let wall = Wall::new().await;
    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    let open = wall.start(&mut bob).await;
    let ticket = bob.get(&wall.site, &open).await.location().to_owned();
    // A ticket that somebody else hands to a victim signs the victim in as nobody.
    let mut victim = Browser::default();
    assert_eq!(wall.on_wall(&mut victim, &ticket).await.location(), EXPIRED);
    wall.start(&mut victim).await;
    assert_eq!(wall.on_wall(&mut victim, &ticket).await.location(), EXPIRED);
    let entered = wall.on_wall(&mut bob, &ticket).await;
    assert_eq!(entered.location(), "https://wall.acme.test/calls?day=1");
    assert_eq!(wall.on_wall(&mut bob, &ticket).await.location(), EXPIRED);
    let late = bob.get(&wall.site, &open).await.location().to_owned();
    wall.site.clock.advance(61);
    assert_eq!(wall.on_wall(&mut bob, &late).await.location(), EXPIRED);
}

#[tokio::test]
async fn an_ended_session_is_refused_at_once() {
    let wall = Wall::new().await;
    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    wall.enter(&mut bob).await;
    assert_eq!(wall.page(&mut bob).await.status, 200);
    let out = bob.post(&wall.site, "/logout", &[]).await;
    assert_eq!(out.location(), "/login?signed_out");
    assert_eq!(wall.page(&mut bob).await.status, 401);

    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    wall.enter(&mut bob).await;
    assert_eq!(wall.page(&mut bob).await.status, 200);
    wall.site
        .service
        .operator()
        .set_company_enabled("Acme", false)
        .await
        .unwrap();
    assert_eq!(wall.page(&mut bob).await.status, 401);
}

#[tokio::test]
async fn a_check_asks_nothing_of_the_database_and_writes_once_a_minute() {
    let wall = Wall::new().await;
    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    wall.enter(&mut bob).await;
    assert_eq!(wall.page(&mut bob).await.status, 200);
    let before = wall.site.service.store().traffic();
    for _ in 0..10 {
        assert_eq!(wall.page(&mut bob).await.status, 200);
    }
    assert_eq!(wall.site.service.store().traffic(), before);
    // What is remembered is a second old at most.
    wall.site.clock.advance(1);
    assert_eq!(wall.page(&mut bob).await.status, 200);
    let after = wall.site.service.store().traffic();
    assert_eq!(
        (
            after.statements - before.statements,
            after.commits - before.commits
        ),
        (2, 0)
    );

    // Whoever works in an application does not become idle: 30 minutes are the policy.
    for _ in 0..45 {
        wall.site.clock.advance(60);
        assert_eq!(wall.page(&mut bob).await.status, 200);
    }
    assert_eq!(bob.get(&wall.site, "/agent").await.status, 200);
    // And whoever does not, does.
    wall.site.clock.advance(30 * 60);
    assert_eq!(wall.page(&mut bob).await.status, 401);
}

#[tokio::test]
async fn only_whom_the_application_admits_is_let_in() {
    let wall = Wall::new().await;
    account(&wall.site, "Acme", "sam", Role::Supervisor).await;
    let mut sam = signed_in(&wall.site, "Acme", "sam").await;
    let open = wall.start(&mut sam).await;
    let answer = sam.get(&wall.site, &open).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let other = application(&wall.site, "CRM", "behind_proxy", "https://crm.acme.test/").await;
    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    wall.enter(&mut bob).await;
    // The cookie of one application is worth nothing at another.
    bob.extra = vec![
        ("x-original-url", "https://crm.acme.test/".to_owned()),
        ("x-original-method", "GET".to_owned()),
    ];
    let answer = bob.get(&wall.site, &format!("/forward-auth/nginx/{other}")).await;
    assert_eq!(answer.status, 401);
    let web = application(&wall.site, "Desktop", "web", "https://wall.acme.test/").await;
    let answer = bob.get(&wall.site, &format!("/forward-auth/nginx/{web}")).await;
    assert_eq!(
        answer.status, 404,
        "an application that speaks the protocol is not asked about here"
    );
}

#[tokio::test]
async fn what_a_visitor_sends_is_never_believed() {
    let wall = Wall::new().await;
    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    wall.enter(&mut bob).await;
    for forged in [
        ("remote-user", "root"),
        ("remote_user", "root"),
        ("remote-assertion", "a.b.c"),
        ("x-forwarded-host", "evil.test"),
        ("x_original_url", "https://evil.test/"),
        ("x-original-url", "https://wall.acme.test/calls?day=1"),
        ("x-forwarded-method", "POST"),
    ] {
        let answer = wall.ask(&mut bob, ("GET", "/calls?day=1"), &[forged]).await;
        assert_eq!(answer.status, 400, "{forged:?}");
        assert!(!answer.has_header("remote-user"), "{forged:?}");
    }
    // A method that is asked for in another way counts for nothing.
    let mut nobody = Browser::default();
    let answer = wall
        .ask(
            &mut nobody,
            ("POST", "/calls"),
            &[("x-http-method-override", "GET")],
        )
        .await;
    assert_eq!((answer.status, answer.location()), (401, ""));
    // Only a proxy that the operator named gets an answer.
    bob.address = "203.0.113.7";
    assert_eq!(wall.page(&mut bob).await.status, 403);
}

#[tokio::test]
async fn each_kind_of_proxy_leads_to_the_sign_in_in_its_own_way() {
    let wall = Wall::new().await;
    let mut nobody = Browser::default();
    for (family, status) in [
        ("caddy", 303),
        ("traefik", 303),
        ("haproxy", 303),
        ("apache", 303),
    ] {
        let headers = vec![
            ("x-forwarded-proto", "https".to_owned()),
            ("x-forwarded-host", WALL.to_owned()),
            ("x-forwarded-uri", "/calls".to_owned()),
            ("x-forwarded-method", "GET".to_owned()),
        ];
        let answer = wall.told(family, &mut nobody, headers).await;
        assert_eq!(answer.status, status, "{family}");
        assert!(
            answer
                .location()
                .starts_with("https://wall.acme.test/.vestibule/start?"),
            "{family}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(wall.told("lighttpd", &mut nobody, Vec::new()).await.status, 404);
    let mut program = Browser::program();
    let answer = wall.page(&mut program).await;
    assert_eq!(
        (answer.status, answer.location()),
        (401, ""),
        "a program is not led to a page"
    );
}

#[tokio::test]
async fn nobody_is_led_round_in_a_circle_or_elsewhere() {
    let wall = Wall::new().await;
    let mut nobody = Browser::default();
    // The proxy asks about our own addresses instead of passing them on.
    let answer = wall
        .ask(&mut nobody, ("GET", "/.vestibule/enter?ticket=x"), &[])
        .await;
    assert_eq!((answer.status, answer.location()), (403, ""));
    // It asks for another host than the application's.
    let headers = vec![
        ("x-original-url", "https://evil.test/".to_owned()),
        ("x-original-method", "GET".to_owned()),
    ];
    let answer = wall.told("nginx", &mut nobody, headers).await;
    assert_eq!((answer.status, answer.location()), (403, ""));
    // Our addresses are asked for on another host.
    let start = format!("/.vestibule/start?application={}&to=Lw", wall.id);
    assert_eq!(nobody.get(&wall.site, &start).await.status, 421);

    let mut bob = signed_in(&wall.site, "Acme", "bob").await;
    for path in ["//evil.test/", "/\\evil.test", "@evil.test/", ".evil.test/"] {
        bob.forget("__Host-vestibule");
        let open = wall.start(&mut bob).await;
        let (before, _) = open.split_once("&to=").unwrap();
        let open = format!("{before}&to={}", URL_SAFE_NO_PAD.encode(path));
        let ticket = bob.get(&wall.site, &open).await.location().to_owned();
        assert!(
            ticket.starts_with("https://wall.acme.test/.vestibule/enter?"),
            "{ticket}"
        );
        let back = wall.on_wall(&mut bob, &ticket).await.location().to_owned();
        assert!(back.starts_with("https://wall.acme.test/"), "{path}: {back}");
    }
}
