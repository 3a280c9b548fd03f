//! How the transport deals with mail servers that are well, ill, slow, or not to be trusted (attacks.md T166, T167).

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};
use uuid::Uuid;
use vestibule_core::{id::MailId, ports::Moment};
use vestibule_mail::{Envelope, Message, Reason, SendError, Sender, SmtpSettings, SmtpTransport, Transport};

use crate::server::{Mischief, Server, Stage, Tls};

/// Long enough for a busy test machine, for conversations that are meant to succeed.
const PATIENCE: Duration = Duration::from_secs(30);
/// For conversations that are meant to be cut short.
const IMPATIENCE: Duration = Duration::from_millis(300);

fn envelope(number: u128, to: &str) -> Envelope {
    let message = Message {
        subject: format!("{number} ✓"),
        text: format!("Text {number}\n.\nend\n"),
        html: format!("<p>{number}</p>"),
    };
    Envelope {
        from: Sender::parse("Vestibule <no-reply@vestibule.test>").unwrap(),
        reply_to: None,
        to: to.to_owned(),
        message,
        message_id: MailId(Uuid::from_u128(number)),
        at: Moment::UNIX_EPOCH,
    }
}

fn settings(url: &str, limit: Duration) -> SmtpSettings {
    SmtpSettings::parse(url).unwrap().with_limits(limit, limit)
}

fn transport(server: &Server, limit: Duration) -> Transport {
    Transport::Smtp(SmtpTransport::new(settings(
        &format!("smtp://{}", server.address),
        limit,
    )))
}

#[tokio::test]
async fn a_mail_arrives_whole_and_the_connection_is_used_again() {
    let server = Server::start().await;
    let transport = transport(&server, PATIENCE);
    for number in 1..=3 {
        transport
            .send(&envelope(number, "ann@example.org"))
            .await
            .result
            .unwrap();
    }
    let mails = server.mails();
    assert_eq!((mails.len(), server.connections()), (3, 1));
    let mail = &mails[1];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str()),
        ("no-reply@vestibule.test", "ann@example.org")
    );
    assert!(
        mail.data
            .contains("From: Vestibule <no-reply@vestibule.test>\r\n"),
        "{}",
        mail.data
    );
    assert!(mail.data.contains("Text 2\r\n.\r\nend\r\n"), "{}", mail.data);
    assert!(mail.data.contains("Auto-Submitted: auto-generated\r\n"));
    transport.close().await;
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn other_settings_count_from_the_next_mail_on() {
    let (old, new) = (Server::start().await, Server::start().await);
    let smtp = SmtpTransport::new(settings(&format!("smtp://{}", old.address), PATIENCE));
    let transport = Transport::Smtp(smtp.clone());
    let send = async |number| {
        let tried = transport.send(&envelope(number, "ann@example.org")).await;
        tried.result.unwrap();
    };
    send(1).await;
    smtp.replace(settings(&format!("smtp://{}", new.address), PATIENCE))
        .await;
    old.wait_for_open(0).await;
    send(2).await;
    assert_eq!((old.mails().len(), new.mails().len()), (1, 1));
}

#[tokio::test]
async fn answers_are_told_apart() {
    use SendError::{Permanent, Temporary};
    let server = Server::start().await;
    for (stage, answer, expected) in [
        (Stage::Greeting, "421 later", Temporary(Reason::Rejected(421))),
        (Stage::Greeting, "554 go away", Temporary(Reason::Rejected(554))),
        (Stage::Mail, "451 4.7.1 later", Temporary(Reason::Rejected(451))),
        (
            Stage::Mail,
            "530 5.7.0 sign in first",
            Temporary(Reason::Rejected(530)),
        ),
        (
            Stage::Mail,
            "553 5.1.8 no such sender",
            Permanent(Reason::Rejected(553)),
        ),
        (Stage::Rcpt, "451 greylisted", Temporary(Reason::Rejected(451))),
        (
            Stage::Rcpt,
            "550-5.1.1 nobody\r\n550 5.1.1 here",
            Permanent(Reason::Rejected(550)),
        ),
        (Stage::Data, "452 disk full", Temporary(Reason::Rejected(452))),
        (Stage::End, "451 later", Temporary(Reason::Rejected(451))),
        (Stage::End, "554 spam", Permanent(Reason::Rejected(554))),
        (Stage::Rcpt, "hello?", Temporary(Reason::Unreachable)),
    ] {
        server.misbehave(stage, Mischief::Answer(answer.to_owned()));
        let outcome = transport(&server, PATIENCE)
            .send(&envelope(1, "ann@example.org"))
            .await
            .result;
        assert_eq!(outcome, Err(expected), "{stage:?} {answer}");
    }
    assert!(server.mails().is_empty());
    server.wait_for_open(0).await;
}

#[tokio::test]
async fn a_silent_server_is_left_in_time_and_no_connection_stays() {
    for stage in [Stage::Greeting, Stage::Mail, Stage::Data, Stage::End] {
        let server = Server::start().await;
        server.misbehave(stage, Mischief::Hang);
        let started = Instant::now();
        let outcome = transport(&server, IMPATIENCE)
            .send(&envelope(1, "ann@example.org"))
            .await
            .result;
        assert_eq!(outcome, Err(SendError::Temporary(Reason::TimedOut)), "{stage:?}");
        assert!(started.elapsed() >= IMPATIENCE, "{stage:?}");
        // The silent server sees that the client has closed its side.
        server.wait_for_open(0).await;
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_none_and_belongs_to_no_later_mail() {
    let server = Server::start().await;
    let transport = transport(&server, IMPATIENCE);
    for stage in [Stage::Greeting, Stage::Rcpt, Stage::End] {
        server.misbehave(stage, Mischief::Late(IMPATIENCE * 2));
        let outcome = transport.send(&envelope(1, "ann@example.org")).await.result;
        assert_eq!(outcome, Err(SendError::Temporary(Reason::TimedOut)), "{stage:?}");
        server.wait_for_open(0).await;
    }
    server.misbehave(Stage::Rcpt, Mischief::Answer("550 nobody".to_owned()));
    let outcome = transport.send(&envelope(2, "bob@example.org")).await.result;
    assert_eq!(outcome, Err(SendError::Permanent(Reason::Rejected(550))));
}

#[tokio::test]
async fn a_mail_that_was_cut_short_does_not_run_into_the_next() {
    let server = Server::start().await;
    let transport = transport(&server, IMPATIENCE);
    server.misbehave(Stage::End, Mischief::Hang);
    transport
        .send(&envelope(1, "ann@example.org"))
        .await
        .result
        .unwrap_err();
    server.behave();
    while transport
        .send(&envelope(2, "bob@example.org"))
        .await
        .result
        .is_err()
    {}
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "bob@example.org");
    assert!(!mails[0].data.contains("Text 1"));
    assert!(
        server.connections() >= 2,
        "the first connection was not used again"
    );
}

#[tokio::test]
async fn a_broken_or_missing_connection_is_temporary() {
    let server = Server::start().await;
    for stage in [Stage::Greeting, Stage::Mail, Stage::Data, Stage::End] {
        server.misbehave(stage, Mischief::Drop);
        let outcome = transport(&server, PATIENCE)
            .send(&envelope(1, "ann@example.org"))
            .await
            .result;
        assert_eq!(
            outcome,
            Err(SendError::Temporary(Reason::Unreachable)),
            "{stage:?}"
        );
    }
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let transport = SmtpTransport::new(settings(&format!("smtp://{free}"), PATIENCE));
    let outcome = transport.send(&envelope(1, "ann@example.org")).await.result;
    assert_eq!(outcome, Err(SendError::Temporary(Reason::Refused)));
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let server = Server::start().await;
    let transport = transport(&server, PATIENCE);
    transport
        .send(&envelope(1, "ann@example.org"))
        .await
        .result
        .unwrap();
    server.close_connections();
    server.wait_for_open(0).await;
    transport
        .send(&envelope(2, "ann@example.org"))
        .await
        .result
        .unwrap();
    assert_eq!((server.mails().len(), server.connections()), (2, 2));
}

#[tokio::test]
async fn the_password_is_given_and_a_wrong_one_can_be_mended() {
    let server = Server::start().await;
    let url = format!("smtp://mail%40er:p%40ss@{}", server.address);
    let transport = SmtpTransport::new(settings(&url, PATIENCE));
    server.misbehave(Stage::Auth, Mischief::Answer("535 5.7.8 no".to_owned()));
    let outcome = transport.send(&envelope(1, "ann@example.org")).await.result;
    assert_eq!(outcome, Err(SendError::Temporary(Reason::Rejected(535))));
    server.behave();
    transport
        .send(&envelope(1, "ann@example.org"))
        .await
        .result
        .unwrap();
    // "\0mail@er\0p@ss" in base64.
    assert_eq!(server.credentials(), ["AUTH PLAIN AG1haWxAZXIAcEBzcw=="; 2]);
}

#[tokio::test]
async fn keywords_of_a_server_are_read_in_any_spelling() {
    // "\0mailer\0secret" in base64.
    let plain = ["AUTH PLAIN AG1haWxlcgBzZWNyZXQ="].as_slice();
    let login = ["AUTH LOGIN", "bWFpbGVy", "c2VjcmV0"].as_slice();
    for (offers, given) in [
        (["auth login plain", "8bitmime"].as_slice(), plain),
        (&["Auth Login", "size 1000"], login),
        (&["AUTH=LOGIN PLAIN"], plain),
        (&["AUTH=LOGIN", "AUTH login cram-md5"], login),
        (&["auth=plain", "PIPELINING"], plain),
    ] {
        let server = Server::start().await;
        server.offer(offers);
        server.ask(&["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]);
        let url = format!("smtp://mailer:secret@{}", server.address);
        let transport = SmtpTransport::new(settings(&url, PATIENCE));
        let tried = transport.send(&envelope(1, "ann@example.org")).await;
        assert_eq!(tried.result, Ok(()), "{offers:?}");
        assert_eq!(server.credentials(), given, "{offers:?}");
    }
}

#[tokio::test]
async fn the_first_question_of_login_is_for_the_name_and_the_second_for_the_password() {
    for prompts in [
        // "Benutzername:" and "Passwort:", "用户名:" and "密码:".
        ["334 QmVudXR6ZXJuYW1lOg==", "334 UGFzc3dvcnQ6"],
        ["334 55So5oi35ZCNOg==", "334 5a+G56CBOg=="],
        ["334 Benutzername:", "334 kein base64!"],
        ["334", "334 "],
    ] {
        let server = Server::start().await;
        server.offer(&["AUTH LOGIN"]);
        server.ask(&prompts);
        let url = format!("smtp://mailer:secret@{}", server.address);
        let transport = SmtpTransport::new(settings(&url, PATIENCE));
        let tried = transport.send(&envelope(1, "ann@example.org")).await;
        assert_eq!(tried.result, Ok(()), "{prompts:?}");
        assert_eq!(server.credentials(), ["AUTH LOGIN", "bWFpbGVy", "c2VjcmV0"]);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_user_and_password_is_quoted() {
    let no_sign_in = Err(SendError::Temporary(Reason::NoSignIn));
    for (offers, said) in [
        (["AUTH XOAUTH2", "8BITMIME"].as_slice(), "XOAUTH2"),
        (
            &["auth cram-md5 DIGEST-MD5", "AUTH=CRAM-MD5"],
            "CRAM-MD5, DIGEST-MD5",
        ),
        (&["8BITMIME"], ""),
    ] {
        let server = Server::start().await;
        server.offer(offers);
        let url = format!("smtp://mailer:secret@{}", server.address);
        let transport = SmtpTransport::new(settings(&url, PATIENCE));
        let tried = transport.send(&envelope(1, "ann@example.org")).await;
        assert_eq!((tried.result, tried.said.as_str()), (no_sign_in, said));
        assert!(server.credentials().is_empty() && server.mails().is_empty());
    }
}

#[tokio::test]
async fn a_foreign_address_goes_to_servers_that_know_its_letters() {
    let server = Server::start().await;
    let foreign = envelope(1, "jörg@example.org");
    let tried = transport(&server, PATIENCE).send(&foreign).await;
    assert_eq!(tried.result, Err(SendError::Permanent(Reason::Address)));
    server.offer(&["8bitmime", "smtputf8"]);
    let tried = transport(&server, PATIENCE).send(&foreign).await;
    assert_eq!(tried.result, Ok(()));
}

#[tokio::test]
async fn an_answer_in_another_alphabet_is_an_answer() {
    let server = Server::start().await;
    for (answer, expected) in [("550 Empf\u{e4}nger unbekannt", 550), ("550", 550)] {
        server.misbehave(Stage::Rcpt, Mischief::Answer(answer.to_owned()));
        let tried = transport(&server, PATIENCE)
            .send(&envelope(1, "ann@example.org"))
            .await;
        assert_eq!(
            tried.result,
            Err(SendError::Permanent(Reason::Rejected(expected)))
        );
    }
}

/// An authority and an acceptor with a certificate from it for `name`.
fn certificate(name: &str) -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    (authority.pem(), acceptor(&certificate, &key))
}

fn acceptor(certificate: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// What `openssl req -x509` makes: signed by itself, an authority's certificate, without a name that is looked at.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), acceptor(&certificate, &key))
}

/// Sends one mail and says whether it went through an encrypted connection.
async fn send_over(
    server: &Server,
    scheme: &str,
    options: &str,
    authority: Option<&str>,
) -> Result<bool, SendError> {
    let url = format!("{scheme}://localhost:{}{options}", server.address.port());
    let settings = settings(&url, PATIENCE);
    let settings = match authority {
        Some(pem) => settings.with_root_certificate(pem.as_bytes()).unwrap(),
        None => settings,
    };
    SmtpTransport::new(settings)
        .send(&envelope(1, "ann@example.org"))
        .await
        .result?;
    Ok(server.mails().last().unwrap().encrypted)
}

const NOT_TRUSTED: Result<bool, SendError> = Err(SendError::Temporary(Reason::Tls));

#[tokio::test]
async fn starttls_is_used_as_the_settings_say() {
    let (authority, acceptor) = certificate("localhost");
    let server = Server::start_with(Tls::Upgrade(acceptor)).await;
    let trusted = Some(authority.as_str());
    assert_eq!(
        send_over(&server, "smtp", "?tls=required", trusted).await,
        Ok(true)
    );
    assert_eq!(
        send_over(&server, "smtp", "?tls=optional", trusted).await,
        Ok(true)
    );
    assert_eq!(send_over(&server, "smtp", "", trusted).await, Ok(true));
    assert_eq!(send_over(&server, "smtp", "?tls=none", trusted).await, Ok(false));
    assert_eq!(
        send_over(&server, "smtp", "?tls=required", None).await,
        NOT_TRUSTED
    );
    assert_eq!(
        send_over(&server, "smtp", "?tls=optional", None).await,
        NOT_TRUSTED
    );
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_that_must_be_encrypted() {
    let server = Server::start().await;
    assert_eq!(
        send_over(&server, "smtp", "?tls=required", None).await,
        NOT_TRUSTED
    );
    assert!(server.mails().is_empty());
    assert_eq!(
        send_over(&server, "smtp", "", None).await,
        Ok(false),
        "on loopback it is optional"
    );
}

#[tokio::test]
async fn implicit_encryption_is_from_the_first_byte() {
    let (authority, acceptor) = certificate("localhost");
    let server = Server::start_with(Tls::Implicit(acceptor)).await;
    assert_eq!(send_over(&server, "smtps", "", Some(&authority)).await, Ok(true));
    assert_eq!(send_over(&server, "smtps", "", None).await, NOT_TRUSTED);
    let plain = Server::start().await;
    assert_eq!(
        send_over(&plain, "smtps", "", Some(&authority)).await,
        NOT_TRUSTED
    );
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (authority, acceptor) = certificate("other.test");
    let implicit = Server::start_with(Tls::Implicit(acceptor.clone())).await;
    let starttls = Server::start_with(Tls::Upgrade(acceptor)).await;
    assert_eq!(
        send_over(&implicit, "smtps", "", Some(&authority)).await,
        NOT_TRUSTED
    );
    assert_eq!(
        send_over(&starttls, "smtp", "?tls=required", Some(&authority)).await,
        NOT_TRUSTED
    );
    assert!(implicit.mails().is_empty() && starttls.mails().is_empty());
}

#[tokio::test]
async fn the_certificate_that_the_operator_gave_is_trusted_itself() {
    let (given, acceptor) = self_signed(|_| {});
    let server = Server::start_with(Tls::Implicit(acceptor)).await;
    assert_eq!(send_over(&server, "smtps", "", Some(&given)).await, Ok(true));
    assert_eq!(send_over(&server, "smtps", "", None).await, NOT_TRUSTED);
    let (other, _) = self_signed(|_| {});
    assert_eq!(
        send_over(&server, "smtps", "", Some(&other)).await,
        NOT_TRUSTED,
        "one that looks the same"
    );
    let both = format!("{other}{given}");
    assert_eq!(send_over(&server, "smtps", "", Some(&both)).await, Ok(true));
}

#[tokio::test]
async fn a_given_certificate_must_be_in_date() {
    for (from, until) in [(2000, 2001), (2100, 2101)] {
        let (given, acceptor) = self_signed(|params| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
        });
        let server = Server::start_with(Tls::Implicit(acceptor)).await;
        assert_eq!(
            send_over(&server, "smtps", "", Some(&given)).await,
            NOT_TRUSTED,
            "{from}"
        );
    }
}

#[tokio::test]
async fn starttls_is_read_in_any_spelling_and_what_follows_counts() {
    let (authority, acceptor) = certificate("localhost");
    let server = Server::start_with(Tls::Upgrade(acceptor)).await;
    server.offer(&["starttls", "auth login plain"]);
    let url = format!("smtp://mailer:secret@localhost:{}", server.address.port());
    let settings = settings(&format!("{url}?tls=required"), PATIENCE);
    let settings = settings.with_root_certificate(authority.as_bytes()).unwrap();
    let transport = SmtpTransport::new(settings);
    let tried = transport.send(&envelope(1, "ann@example.org")).await;
    assert_eq!(tried.result, Ok(()));
    assert!(server.mails()[0].encrypted);
    assert_eq!(server.credentials(), ["AUTH PLAIN AG1haWxlcgBzZWNyZXQ="]);
}

#[tokio::test]
async fn what_is_said_before_the_encryption_is_not_believed_after_it() {
    let (authority, acceptor) = certificate("localhost");
    let server = Server::start_with(Tls::Upgrade(acceptor)).await;
    server.offer(&["STARTTLS", "8BITMIME"]);
    server.add_to_starttls("220 hello\r\n250-hello\r\n250 AUTH PLAIN LOGIN\r\n");
    let url = format!("smtp://mailer:secret@localhost:{}", server.address.port());
    let settings = settings(&format!("{url}?tls=required"), PATIENCE);
    let settings = settings.with_root_certificate(authority.as_bytes()).unwrap();
    let transport = SmtpTransport::new(settings);
    let tried = transport.send(&envelope(1, "ann@example.org")).await;
    assert_eq!(tried.result, Err(SendError::Temporary(Reason::NoSignIn)));
    assert!(server.credentials().is_empty());
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_server_that_repeats_secrets_does_not_get_them_into_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start().await;
    let url = format!("smtp://mailer:s3cret-password@{}", server.address);
    let transport = SmtpTransport::new(settings(&url, PATIENCE));
    let mut mail = envelope(1, "ann@example.org");
    mail.message.subject = "042719 is your code".to_owned();
    mail.message.text = "042719\n".to_owned();
    server.misbehave(
        Stage::Auth,
        Mischief::Answer("535 wrong: s3cret-password AG1haWxlcg==".to_owned()),
    );
    transport.send(&mail).await.result.unwrap_err();
    server.misbehave(
        Stage::End,
        Mischief::Answer("550 no <042719> \"042719 is your code\" 0-4-2-7-1-9".to_owned()),
    );
    transport.send(&mail).await.result.unwrap_err();
    server.behave();
    transport.send(&mail).await.result.unwrap();
    drop(guard);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("rejected_535") && log.contains("rejected_550"),
        "{log}"
    );
    for secret in [
        "042719",
        "0-4-2",
        "s3cret",
        "AG1haWxlcg",
        "czNjcmV0",
        "ann@example.org",
    ] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
