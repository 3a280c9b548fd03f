//! Custom SMTP Server, as a browser without scripts sees it.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use vestibule_core::limits::{STEP_UP_SECONDS, TEST_MAILS_OF_COMPANY};

use crate::{
    company::{other_company, signed_in, version},
    site::{self, Browser, Site},
};

/// Lines that a mail server heard.
type Heard = Arc<Mutex<Vec<String>>>;

/// A mail server on this machine that takes every mail, and what it hears; `sign_in` is its answer to a password.
async fn mail_server(sign_in: &'static str) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let heard = Heard::default();
    let inbox = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, sign_in, Arc::clone(&inbox)));
        }
    });
    (port, heard)
}

async fn converse(stream: TcpStream, sign_in: &'static str, heard: Heard) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await?;
    let mut in_mail = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let answer = match line.get(..4).unwrap_or_default() {
            _ if in_mail && line != "." => continue,
            _ if in_mail => {
                in_mail = false;
                "250 2.0.0 Queued as SINK"
            }
            "DATA" => {
                in_mail = true;
                "354 Go on"
            }
            "EHLO" => "250-sink\r\n250 AUTH PLAIN",
            "AUTH" => sign_in,
            _ => "250 Fine",
        };
        heard.lock().unwrap().push(line);
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// With which words somebody signed in to a mail server, and how many mails to this address it was asked to take.
fn counted(heard: &Heard, email: &str) -> (Vec<String>, usize) {
    let heard = heard.lock().unwrap();
    let all = |beginning: &str| -> Vec<String> {
        let lines = heard.iter().filter(|line| line.starts_with(beginning));
        lines.cloned().collect()
    };
    (all("AUTH "), all(&format!("RCPT TO:<{email}>")).len())
}

/// The form with a server on this machine.
fn here<'a>(port: &'a str, password: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut here = fields("0", "127.0.0.1");
    here[3].1 = port;
    here[4].1 = "none";
    here[6].1 = password;
    here
}

/// A site whose companies may have mail servers on this machine.
async fn with_private_hosts() -> Site {
    Site::with(&[("VESTIBULE_COMPANY_MAIL_PRIVATE_HOSTS", "true")]).await
}

/// A server that nothing listens on.
fn fields<'a>(version: &'a str, host: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", version),
        ("way", "own"),
        ("host", host),
        ("port", "465"),
        ("security", "tls"),
        ("user", "mailer"),
        ("mail_password", "hunter2 and more"),
        ("sender", "no-reply@example.org"),
        ("reply_to", ""),
        ("fall_back", "yes"),
    ]
}

#[tokio::test]
async fn a_server_is_saved_shown_without_its_password_and_taken_away() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/mail").await;
    assert!(
        page.status == 200 && page.body.contains("<h1>Custom SMTP Server</h1>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("value=\"installation\" checked") && !page.body.contains("Send test mail"));
    let saved = root
        .post(&site, "/admin/mail", &fields(&version(&page), "mail.example.org"))
        .await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, "/admin/mail?saved=untested")
    );
    let page = root.get(&site, saved.location()).await;
    for shown in [
        "Saved. These settings haven't been tested yet: send a test email below.",
        "value=\"own\" checked",
        "value=\"mail.example.org\"",
        "value=\"mailer\"",
        "value=\"no-reply@example.org\"",
        "name=\"fall_back\" value=\"yes\" checked",
        ">Send test mail</button>",
        "Sends an email to root@acme.test",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("hunter2"));
    let late = root
        .post(&site, "/admin/mail", &fields("1", "mail.example.net"))
        .await;
    assert_eq!(late.status, 409);
    assert!(
        late.body.contains("Saved value: mail.example.org"),
        "{}",
        late.body
    );
    let now = version(&page);
    let mut gone = fields(&now, "");
    gone[1].1 = "installation";
    assert_eq!(root.post(&site, "/admin/mail", &gone).await.status, 303);
    let page = root.get(&site, "/admin/mail").await;
    assert!(page.body.contains("value=\"installation\" checked"));
}

#[tokio::test]
async fn what_is_refused_comes_back_in_any_language_without_the_password() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.post(&site, "/admin/mail", &fields("0", "10.0.0.1")).await;
    assert_eq!(page.status, 422);
    assert!(
        page.body.contains("on Vestibule's internal network")
            && page.body.contains("href=\"#host\"")
            && page.body.contains("value=\"10.0.0.1\"")
            && !page.body.contains("hunter2"),
        "{}",
        page.body
    );
    let mut switch = fields("0", "mail.example.org");
    switch.extend([("shown_in", "ar"), ("return_to", "/admin/mail")]);
    let page = root.post(&site, "/language", &switch).await;
    assert!(
        page.status == 200
            && page.body.contains("<html lang=\"ar\" dir=\"rtl\"")
            && page.body.contains("value=\"mail.example.org\"")
            && !page.body.contains("hunter2"),
        "{}",
        page.body
    );
    site.clock.advance(STEP_UP_SECONDS + 1);
    let page = root
        .post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    assert_eq!(page.location(), "/profile/confirm?next=/admin/mail?kept&again");
    let proof = [("password", site::PASSWORD), ("next", "/admin/mail?kept")];
    root.post(&site, "/profile/confirm", &proof).await;
    let page = root.get(&site, "/admin/mail?kept").await;
    assert!(
        page.body.contains("value=\"mail.example.org\"") && !page.body.contains("hunter2"),
        "what was typed is still there, but for the password"
    );
    site.clock.advance(STEP_UP_SECONDS + 1);
    let page = root.get(&site, "/admin/mail").await;
    assert_eq!(page.location(), "/profile/confirm?next=/admin/mail&again");
}

#[tokio::test]
async fn a_server_is_tried_before_it_is_saved_and_what_was_tried_is_what_is_saved() {
    let (port, heard) = mail_server("235 Welcome").await;
    let site = with_private_hosts().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/mail").await;
    assert!(
        page.body.contains("formaction=\"/admin/mail/try\"")
            && page.body.contains("Send a test email with these settings"),
        "{}",
        page.body
    );
    // Later than whatever else has happened: its event is the newest.
    site.clock.advance(1);
    let tried = root
        .post(&site, "/admin/mail/try", &here(&port, "hunter2 and more"))
        .await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    let typed_port = format!("value=\"{port}\"");
    for shown in [
        "The mail server accepted the test email to root@acme.test.",
        "Nothing was saved.",
        "250 2.0.0 Queued as SINK",
        "value=\"own\" checked",
        "value=\"127.0.0.1\"",
        &typed_port,
        "name=\"fall_back\" value=\"yes\" checked",
        "The password you just tested is kept for a few minutes",
    ] {
        assert!(tried.body.contains(shown), "{shown}: {}", tried.body);
    }
    assert!(!tried.body.contains("hunter2"));
    let (sign_ins, mails) = counted(&heard, "root@acme.test");
    assert_eq!((sign_ins.len(), mails), (1, 1));

    // Nothing is live.
    let page = root.get(&site, "/admin/mail").await;
    assert!(
        page.body.contains("value=\"installation\" checked") && !page.body.contains("value=\"127.0.0.1\""),
        "{}",
        page.body
    );
    let company = site.service.operator().company_named("Acme").await.unwrap().id;
    let mut reader = site.service.store().read().await.unwrap();
    assert!(reader.mail_server(company).await.unwrap().is_none());
    let newest = reader.events(Some(company), 1).await.unwrap().remove(0);
    let detail = format!("host: 127.0.0.1; port: {port}");
    assert_eq!(
        (newest.event, newest.detail),
        ("mail_tested".to_owned(), Some(detail))
    );
    drop(reader);

    // Without a password, it is the one that was tried.
    let saved = root.post(&site, "/admin/mail", &here(&port, "")).await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, "/admin/mail?saved"),
        "{}",
        saved.body
    );
    let page = root.get(&site, saved.location()).await;
    assert!(
        page.body.contains("A password is stored and never shown.") && !page.body.contains("been tested yet"),
        "{}",
        page.body
    );
    // What still waited, such as the word about a sign-in, goes the new way already.
    while site.worker.run_once(&site.service).await > 0 {}
    let (_, before) = counted(&heard, "root@acme.test");
    site.clock.advance(1);
    root.post(&site, "/admin/mail/test", &[]).await;
    while site.worker.run_once(&site.service).await > 0 {}
    let (sign_ins, mails) = counted(&heard, "root@acme.test");
    assert_eq!(mails, before + 1);
    assert!(
        sign_ins.iter().all(|one| *one == sign_ins[0]),
        "with the same password"
    );
}

#[tokio::test]
async fn a_server_that_is_tried_and_fails_says_why_and_what_it_refuses_is_not_kept() {
    let (port, heard) = mail_server("535 5.7.8 <b>Bad</b> login").await;
    let site = with_private_hosts().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let tried = root
        .post(&site, "/admin/mail/try", &here(&port, "hunter2 and more"))
        .await;
    assert_eq!(tried.status, 200);
    for shown in [
        "The mail server rejected the test email",
        "The server doesn't accept the user and password.",
        "535 5.7.8 &lt;b&gt;Bad&lt;/b&gt; login",
        "Nothing was saved.",
        "value=\"127.0.0.1\"",
    ] {
        assert!(tried.body.contains(shown), "{shown}: {}", tried.body);
    }
    assert!(!tried.body.contains("hunter2") && !tried.body.contains("is kept for a few minutes"));
    assert_eq!(counted(&heard, "root@acme.test").1, 0);
    let untyped = root.post(&site, "/admin/mail/try", &here(&port, "")).await;
    assert_eq!(untyped.status, 422);
    assert!(
        untyped.body.contains("href=\"#mail_password\""),
        "{}",
        untyped.body
    );

    // Nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    site.clock.advance(1);
    let tried = root
        .post(&site, "/admin/mail/try", &here(&closed, "hunter2 and more"))
        .await;
    assert!(
        tried
            .body
            .contains("No mail server answers at this host and port.")
            && tried.body.contains("is kept for a few minutes"),
        "{}",
        tried.body
    );
    // It can be saved all the same, and the page says so.
    let saved = root.post(&site, "/admin/mail", &here(&closed, "")).await;
    assert_eq!(saved.location(), "/admin/mail?saved=untested", "{}", saved.body);
}

#[tokio::test]
async fn trying_a_server_asks_what_saving_one_asks() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root
        .post(&site, "/admin/mail/try", &fields("0", "10.0.0.1"))
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.body.contains("on Vestibule's internal network")
            && page.body.contains("value=\"10.0.0.1\"")
            && !page.body.contains("hunter2"),
        "{}",
        page.body
    );
    let opened = root.get(&site, "/admin/mail/try").await;
    assert_eq!((opened.status, opened.location()), (303, "/admin/mail"));
    site.clock.advance(STEP_UP_SECONDS + 1);
    let late = root
        .post(&site, "/admin/mail/try", &fields("0", "mail.example.org"))
        .await;
    assert_eq!(late.location(), "/profile/confirm?next=/admin/mail?kept&again");
    let proof = [("password", site::PASSWORD), ("next", "/admin/mail?kept")];
    root.post(&site, "/profile/confirm", &proof).await;
    let page = root.get(&site, "/admin/mail?kept").await;
    assert!(
        page.body.contains("value=\"mail.example.org\"") && !page.body.contains("hunter2"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn trying_a_server_counts_as_a_test_mail() {
    let (port, heard) = mail_server("235 Welcome").await;
    let site = with_private_hosts().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let form = here(&port, "hunter2 and more");
    for _ in 0..TEST_MAILS_OF_COMPANY {
        let tried = root.post(&site, "/admin/mail/try", &form).await;
        assert_eq!(tried.status, 200, "{}", tried.body);
        site.clock.advance(1);
    }
    let limited = root.post(&site, "/admin/mail/try", &form).await;
    assert_eq!(limited.status, 429);
    assert!(limited.body.contains("value=\"127.0.0.1\""), "{}", limited.body);
    let (_, mails) = counted(&heard, "root@acme.test");
    assert_eq!(i64::try_from(mails), Ok(TEST_MAILS_OF_COMPANY));
}

#[tokio::test]
async fn a_test_mail_shows_what_became_of_it() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let none = root.post(&site, "/admin/mail/test", &[]).await;
    assert_eq!(none.status, 409);
    assert!(
        none.body.contains("doesn't have its own mail server yet"),
        "{}",
        none.body
    );
    // Reserved for examples: nobody answers there.
    root.post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    let sent = root.post(&site, "/admin/mail/test", &[]).await;
    assert_eq!((sent.status, sent.location()), (303, "/admin/mail/test"));
    let waiting = root.get(&site, "/admin/mail/test").await;
    assert!(
        waiting
            .body
            .contains("The test email to root@acme.test is on its way.")
            && waiting
                .body
                .contains("<meta http-equiv=\"refresh\" content=\"2\">"),
        "{}",
        waiting.body
    );
    let company = site.service.operator().company_named("Acme").await.unwrap().id;
    let mut writer = site.service.store().write().await.unwrap();
    let claimed = writer
        .claim_mails(
            vestibule_storage::MailLane::Company(company),
            site.now(),
            site.now(),
            9,
        )
        .await
        .unwrap();
    let said = "535 5.7.8 <b>Bad</b> login";
    writer
        .mail_given_up(claimed[0].id, site.now(), "rejected_535", Some(said))
        .await
        .unwrap();
    writer.commit().await.unwrap();
    let failed = root.get(&site, "/admin/mail/test").await;
    for part in [
        "The mail server rejected the test email",
        "The server doesn't accept the user and password.",
        "535 5.7.8 &lt;b&gt;Bad&lt;/b&gt; login",
    ] {
        assert!(failed.body.contains(part), "{part}: {}", failed.body);
    }
    assert!(!failed.body.contains("http-equiv=\"refresh\""));
    let overview = root.get(&site, "/admin").await;
    assert!(
        overview.body.contains("Emails waiting")
            && overview
                .body
                .contains("1 email couldn't be delivered in the last 24 hours.")
            && overview.body.contains("href=\"/admin/mail\""),
        "{}",
        overview.body
    );
}

#[tokio::test]
async fn a_server_that_offers_no_password_is_quoted_with_what_is_spoken_here() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    root.post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    for (offered, sentence) in [
        (
            "XOAUTH2, CRAM-MD5",
            "supports only these sign-in methods: XOAUTH2, CRAM-MD5. Vestibule signs in with a user and password, using PLAIN \
             or LOGIN.",
        ),
        ("", "support signing in with a user and password"),
    ] {
        root.post(&site, "/admin/mail/test", &[]).await;
        let company = site.service.operator().company_named("Acme").await.unwrap().id;
        let lane = vestibule_storage::MailLane::Company(company);
        let mut writer = site.service.store().write().await.unwrap();
        let claimed = writer.claim_mails(lane, site.now(), site.now(), 9).await.unwrap();
        writer
            .mail_given_up(claimed[0].id, site.now(), "no_sign_in", Some(offered))
            .await
            .unwrap();
        writer.commit().await.unwrap();
        let page = root.get(&site, "/admin/mail/test").await;
        assert!(
            page.body.contains(sentence) && !page.body.contains("Enter the password again"),
            "{}",
            page.body
        );
        site.clock.advance(1);
    }
}

#[tokio::test]
async fn the_mail_server_is_for_admins_of_its_company() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    root.post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    let mut boss = other_company(&site).await;
    let page = boss.get(&site, "/admin/mail").await;
    assert!(page.status == 200 && !page.body.contains("mail.example.org"));
    let mut bob = signed_in(&site, "Acme", "bob").await;
    let form = fields("0", "mail.example.net");
    assert_eq!(bob.post(&site, "/admin/mail/try", &form).await.status, 403);
    for path in ["/admin/mail", "/admin/mail/test"] {
        assert_eq!(bob.get(&site, path).await.status, 403, "{path}");
        assert_eq!(bob.post(&site, path, &[]).await.status, 403, "{path}");
        let nobody = Browser::default().get(&site, path).await;
        assert!(nobody.location().starts_with("/login?next="), "{path}");
    }
}
