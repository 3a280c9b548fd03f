//! Applications in the console, on the Agent Panel, and at the end of a session.

use vestibule_core::{
    account::Role,
    id::{ApplicationId, GrantId},
    oidc::application::ApplicationInput,
    secret::Token,
};
use vestibule_storage::NewGrant;

use crate::{
    company::{account, other_company, signed_in, version},
    site::{Answer, Browser, Site},
};

const NEW: [(&str, &str); 9] = [
    ("name", "Agent Desktop"),
    ("kind", "web"),
    ("launch_uri", "https://desktop.acme.test/"),
    (
        "redirect_uris",
        "https://desktop.acme.test/callback\r\nhttps://desktop.acme.test/other",
    ),
    ("logout_uris", ""),
    ("back_channel_uri", ""),
    ("roles[]", "agent"),
    ("roles[]", "admin"),
    ("signing", "ES256"),
];

/// An application of Acme, which agents may use; gives its identifier.
pub async fn application(site: &Site, name: &str, kind: &str, address: &str) -> String {
    let input = ApplicationInput {
        name: name.to_owned(),
        kind: kind.to_owned(),
        redirect_uris: "https://callback.acme.test/".to_owned(),
        launch_uri: address.to_owned(),
        roles: vec!["agent".to_owned()],
        signing: "ES256".to_owned(),
        ..ApplicationInput::default()
    };
    let added = site
        .service
        .operator()
        .add_application(Some("Acme"), &input)
        .await;
    added.unwrap().application.id.to_string()
}

/// What stands in the input with this id.
fn value_of(page: &Answer, id: &str) -> String {
    let (_, rest) = page.body.split_once(&format!("id=\"{id}\"")).unwrap();
    let (_, rest) = rest.split_once("value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn an_application_is_added_changed_and_deleted_and_its_secret_is_shown_once() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let list = root.get(&site, "/admin/applications").await;
    assert!(list.body.contains("No applications yet"), "{}", list.body);
    assert!(
        list.body.contains("href=\"/admin/applications/new\""),
        "{}",
        list.body
    );

    let page = root.get(&site, "/admin/applications/new").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let shown = root.post(&site, "/admin/applications/new", &NEW).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let (id, secret) = (value_of(&shown, "client-id"), value_of(&shown, "client-secret"));
    assert_eq!(secret.len(), 43);
    let list = root.get(&site, "/admin/applications").await;
    assert!(
        list.body.contains("Agent Desktop") && list.body.contains(&id),
        "{}",
        list.body
    );

    let path = format!("/admin/applications/{id}");
    let page = root.get(&site, &path).await;
    assert!(!page.body.contains(&secret), "{}", page.body);
    assert_eq!(value_of(&page, "client-id"), id);
    assert!(value_of(&page, "discovery").ends_with("/.well-known/openid-configuration"));
    assert!(
        page.body.contains("https://desktop.acme.test/other"),
        "{}",
        page.body
    );

    let shown_version = version(&page);
    let mut changed = NEW.to_vec();
    changed[0].1 = "Desktop";
    changed.extend([("id", id.as_str()), ("version", shown_version.as_str())]);
    let saved = root.post(&site, "/admin/applications/edit", &changed).await;
    assert_eq!(saved.location(), format!("{path}?saved"), "{}", saved.body);
    let late = root.post(&site, "/admin/applications/edit", &changed).await;
    assert_eq!(late.status, 409, "{}", late.body);

    let renewed = root
        .post(&site, "/admin/applications/secret", &[("id", &id)])
        .await;
    assert_ne!(value_of(&renewed, "client-secret"), secret);
    let page = root.get(&site, &path).await;
    assert_eq!(
        page.body.matches("Created Jan 5, 2026").count(),
        2,
        "{}",
        page.body
    );
    assert!(page.body.contains("valid until"), "{}", page.body);

    let ask = root.get(&site, &format!("{path}/delete")).await;
    assert!(ask.body.contains("sign in to Desktop"), "{}", ask.body);
    let gone = root
        .post(&site, "/admin/applications/delete", &[("id", &id)])
        .await;
    assert_eq!(gone.location(), "/admin/applications?deleted");
    assert_eq!(root.get(&site, &path).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_an_application_is_said_beside_its_field() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let mut wrong = NEW.to_vec();
    wrong[0].1 = "";
    wrong[3].1 = "http://desktop.acme.test/<script>";
    let page = root.post(&site, "/admin/applications/new", &wrong).await;
    assert_eq!(page.status, 422);
    for shown in ["href=\"#name\"", "href=\"#redirect_uris\"", "&lt;script&gt;"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("<script>"), "{}", page.body);
}

#[tokio::test]
async fn another_company_and_an_old_proof_get_nowhere() {
    let site = Site::new().await;
    let id = application(&site, "Wallboard", "web", "https://wall.acme.test/").await;
    let mut stranger = other_company(&site).await;
    let list = stranger.get(&site, "/admin/applications").await;
    assert!(!list.body.contains("Wallboard"), "{}", list.body);
    assert_eq!(
        stranger
            .get(&site, &format!("/admin/applications/{id}"))
            .await
            .status,
        404
    );
    for path in ["/admin/applications/secret", "/admin/applications/delete"] {
        assert_eq!(
            stranger.post(&site, path, &[("id", &id)]).await.status,
            404,
            "{path}"
        );
    }
    let mut root = signed_in(&site, "Acme", "root").await;
    site.clock.advance(6 * 60);
    for path in ["/admin/applications/secret", "/admin/applications/delete"] {
        let answer = root.post(&site, path, &[("id", &id)]).await;
        assert!(
            answer.location().starts_with("/profile/confirm?next="),
            "{path}: {}",
            answer.body
        );
    }
    let kept = root.post(&site, "/admin/applications/new", &NEW).await;
    assert!(
        kept.location().starts_with("/profile/confirm?next="),
        "{}",
        kept.body
    );
    assert_eq!(
        root.get(&site, "/admin/applications").await.status,
        200,
        "looking needs no proof"
    );
}

#[tokio::test]
async fn agents_find_their_applications_on_the_panel() {
    let site = Site::new().await;
    account(&site, "Acme", "sam", Role::Supervisor).await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    assert!(!bob.get(&site, "/agent").await.body.contains("Your applications"));
    application(
        &site,
        "Wallboard",
        "behind_proxy",
        "https://wall.acme.test:8443/calls",
    )
    .await;
    application(&site, "Hidden", "web", "").await;
    let panel = bob.get(&site, "/agent").await;
    assert!(
        panel.body.contains("href=\"https://wall.acme.test:8443/calls\""),
        "{}",
        panel.body
    );
    assert!(panel.body.contains("<bdi>Wallboard</bdi>"), "{}", panel.body);
    assert!(!panel.body.contains("Hidden"), "{}", panel.body);
    let mut sam = signed_in(&site, "Acme", "sam").await;
    assert!(
        !sam.get(&site, "/agent").await.body.contains("Wallboard"),
        "not with this role"
    );
    let mut stranger = other_company(&site).await;
    assert!(!stranger.get(&site, "/agent").await.body.contains("Wallboard"));
}

#[tokio::test]
async fn a_company_chooses_where_agents_go_after_a_sign_in() {
    let site = Site::new().await;
    account(&site, "Acme", "sam", Role::Supervisor).await;
    let id = application(&site, "Wallboard", "web", "https://wall.acme.test/calls").await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/applications").await;
    let shown = version(&page);
    let fields = [("version", shown.as_str()), ("after_sign_in", id.as_str())];
    let saved = root.post(&site, "/admin/applications", &fields).await;
    assert_eq!(saved.location(), "/admin/applications?saved", "{}", saved.body);

    let sign_in = async |account: &str| {
        let mut browser = Browser::default();
        let password = crate::site::PASSWORD;
        let fields = [("company", "Acme"), ("account", account), ("password", password)];
        let landing = browser.post(&site, "/login", &fields).await.location().to_owned();
        let page = browser.get(&site, &landing).await;
        (landing, page)
    };
    let (landing, page) = sign_in("bob").await;
    assert_eq!(landing, "/agent/start");
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("url=https://wall.acme.test/calls"),
        "{}",
        page.body
    );
    let (_, page) = sign_in("sam").await;
    assert_eq!(page.location(), "/agent", "whose role cannot use it");
    assert_eq!(sign_in("root").await.0, "/admin");

    for bad in ["x", "00000000-0000-0000-0000-000000000001"] {
        let page = root.get(&site, "/admin/applications").await;
        let shown = version(&page);
        let fields = [("version", shown.as_str()), ("after_sign_in", bad)];
        assert_eq!(
            root.post(&site, "/admin/applications", &fields).await.status,
            400,
            "{bad}"
        );
    }
    site.service.operator().delete_application(&id).await.unwrap();
    assert_eq!(
        sign_in("bob").await.0,
        "/agent",
        "an application that is gone leads nowhere"
    );
}

#[tokio::test]
async fn a_sign_out_names_what_it_could_not_reach() {
    let site = Site::new().await;
    let id = application(&site, "Wallboard <b>", "web", "https://wall.acme.test/").await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    let token = Token::parse(&bob.cookie("session").unwrap()).unwrap();
    let store = site.service.store();
    let session = store.read().await.unwrap().session_by_token(token.hash()).await;
    let session = session.unwrap().unwrap();
    let grant = NewGrant {
        id: GrantId(session.id.0),
        company: session.company.id,
        application: ApplicationId::parse(&id).unwrap(),
        account: session.account.id,
        subject: session.account.public_id,
        session: session.id,
        scopes: "openid".to_owned(),
        nonce: None,
        proof: session.proof,
        proved_at: session.proved_at,
        code_hash: token.hash(),
        redirect_uri: "https://callback.acme.test/".to_owned(),
        challenge: None,
        created_at: site.now(),
        expires_at: session.ends_at,
    };
    let mut writer = store.write().await.unwrap();
    writer.insert_grant(&grant).await.unwrap();
    assert!(writer.use_authorization_code(grant.id, site.now()).await.unwrap());
    writer.commit().await.unwrap();

    let out = bob.post(&site, "/logout", &[]).await;
    assert_eq!(out.status, 200);
    assert!(out.body.contains("Wallboard &lt;b&gt;"), "{}", out.body);
    assert!(!bob.has("session"));
    assert_eq!(bob.get(&site, "/agent").await.status, 303);
}
