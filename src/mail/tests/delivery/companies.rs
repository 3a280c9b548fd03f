//! Companies with mail servers of their own: other lanes, other senders, and what happens when they fail.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;
use vestibule_core::{
    id::CompanyId,
    mail::{About, Mail},
    mail_server::MailSecurity,
};
use vestibule_mail::{
    CheckedHost, Mailbox, Reach, Reason, SendError, Sender, SmtpSettings, Transport,
    outbox::{Claimed, OwnServer, Problem, Route},
};

use crate::{
    server::{Mischief, Server, Stage},
    worker::{Fate, Memory, code, smtp, worker},
};

const PATIENCE: Duration = Duration::from_mins(1);
const IMPATIENCE: Duration = Duration::from_millis(300);

/// Company number one's own server.
fn own(server: &Server, limit: Duration) -> OwnServer {
    let host = CheckedHost::parse(&server.address.ip().to_string()).unwrap();
    let login = Some(["mailer".to_owned(), "s3cret-pass".to_owned()]);
    let settings = SmtpSettings::of_company(
        &host,
        server.address.port(),
        MailSecurity::None,
        login,
        Reach::Anywhere,
    );
    OwnServer {
        company: CompanyId(Uuid::from_u128(1)),
        version: 1,
        settings: settings.unwrap().with_limits(limit, limit),
        sender: Sender::parse("Acme <no-reply@acme.test>").unwrap(),
        reply_to: Some(Sender::parse("help@acme.test").unwrap()),
        fall_back: false,
    }
}

fn through(server: &OwnServer, number: u128) -> Claimed {
    Claimed {
        route: Route::Own(Arc::new(server.clone())),
        ..code(number, "ann@example.org")
    }
}

fn test_mail(route: Route) -> Claimed {
    let mail = Mail::TestMail {
        about: About {
            name: "Ann".to_owned(),
            company: "Acme".to_owned(),
            account: "ann".to_owned(),
            ..About::default()
        },
        server: "mail.acme.test:465".to_owned(),
    };
    Claimed {
        mail,
        route,
        ..code(9, "ann@example.org")
    }
}

#[tokio::test]
async fn a_companys_mail_goes_through_its_own_server_in_its_own_name() {
    let (server, mailbox) = (Server::start().await, Mailbox::new());
    let own = own(&server, PATIENCE);
    let queue = Memory::new(vec![
        through(&own, 1),
        through(&own, 2),
        code(3, "bob@example.org"),
    ]);
    let worker = worker(Transport::Mailbox(mailbox.clone()));
    while worker.run_once(&*queue).await > 0 {}
    let mails = server.mails();
    assert_eq!((mails.len(), mailbox.mails(None).len()), (2, 1));
    assert!(server.connections() <= 2, "connections are used again");
    for mail in mails {
        assert_eq!(mail.from, "no-reply@acme.test");
        assert!(
            mail.data.contains("From: Acme <no-reply@acme.test>")
                && mail.data.contains("Reply-To: help@acme.test"),
            "{}",
            mail.data
        );
    }
    assert_eq!(worker.counters().taken(), 3);
}

#[tokio::test]
async fn a_server_that_hangs_holds_up_nobody_else() {
    let (hanging, other) = (Server::start().await, Server::start().await);
    hanging.misbehave(Stage::Greeting, Mischief::Hang);
    let slow = own(&hanging, PATIENCE);
    let quick = OwnServer {
        company: CompanyId(Uuid::from_u128(2)),
        ..own(&other, PATIENCE)
    };
    let mut mails: Vec<_> = (0..20).map(|number| through(&slow, number)).collect();
    mails.extend((100..130).map(|number| through(&quick, number)));
    mails.extend((200..230).map(|number| code(number, "bob@example.org")));
    let queue = Memory::new(mails);
    let run = tokio::spawn(worker(Transport::Mailbox(Mailbox::new())).run(
        Arc::clone(&queue),
        Arc::default(),
        std::future::pending(),
    ));
    queue.wait_for(|rows| rows.fates.len() == 60).await;
    assert!(
        queue
            .fates()
            .iter()
            .all(|(number, fate)| *number >= 100 && *fate == Fate::Sent)
    );
    hanging.wait_for_open(2).await;
    assert_eq!(hanging.connections(), 2, "no more than its places");
    run.abort();
}

#[tokio::test]
async fn a_new_version_takes_its_own_way() {
    let (first, second) = (Server::start().await, Server::start().await);
    let old = own(&first, PATIENCE);
    let new = OwnServer {
        version: 2,
        ..own(&second, PATIENCE)
    };
    let worker = worker(Transport::Mailbox(Mailbox::new()));
    for server in [&old, &new] {
        worker.run_once(&*Memory::new(vec![through(server, 1)])).await;
    }
    assert_eq!((first.mails().len(), second.mails().len()), (1, 1));
}

#[tokio::test]
async fn a_failing_server_falls_back_only_if_the_company_says_so_and_never_against_a_refusal() {
    let (server, mailbox) = (Server::start().await, Mailbox::new());
    let worker = worker(Transport::Mailbox(mailbox.clone()));
    let own = own(&server, IMPATIENCE);
    let cases = [
        (Stage::Rcpt, Mischief::Answer("451 later".to_owned()), true, None),
        (Stage::Greeting, Mischief::Hang, true, None),
        (Stage::Data, Mischief::Drop, true, None),
        (
            Stage::Rcpt,
            Mischief::Answer("451 later".to_owned()),
            false,
            Some(Reason::Rejected(451)),
        ),
        (Stage::Greeting, Mischief::Hang, false, Some(Reason::TimedOut)),
        (
            Stage::Rcpt,
            Mischief::Answer("550 nobody".to_owned()),
            true,
            Some(Reason::Rejected(550)),
        ),
    ];
    for (number, (stage, mischief, fall_back, expected)) in (1..).zip(cases) {
        let context = format!("{stage:?} {mischief:?} {fall_back}");
        let before = mailbox.mails(None).len();
        server.misbehave(stage, mischief);
        let own = OwnServer {
            fall_back,
            ..own.clone()
        };
        let queue = Memory::new(vec![through(&own, number)]);
        worker.run_once(&*queue).await;
        let fell_back = mailbox.mails(None).len() - before;
        match (expected, &queue.fates()[..]) {
            (None, [(_, Fate::Sent)]) => assert_eq!(fell_back, 1, "{context}"),
            (Some(expected), [(_, Fate::Retry(_, reason) | Fate::GivenUp(Problem::NotTaken(reason)))]) => {
                assert_eq!((*reason, fell_back), (expected, 0), "{context}");
            }
            (_, fates) => panic!("{context}: {fates:?}"),
        }
    }
    for (fall_back, sent) in [(true, 1), (false, 0)] {
        let before = mailbox.mails(None).len();
        let mail = Claimed {
            route: Route::Unusable { fall_back },
            ..code(100, "ann@example.org")
        };
        worker.run_once(&*Memory::new(vec![mail])).await;
        assert_eq!(mailbox.mails(None).len() - before, sent);
    }
}

#[tokio::test]
async fn a_test_mail_is_tried_once_and_says_what_the_server_said() {
    let (server, mailbox) = (Server::start().await, Mailbox::new());
    let worker = worker(Transport::Mailbox(mailbox.clone()));
    let own = OwnServer {
        fall_back: true,
        ..own(&server, IMPATIENCE)
    };
    let test = || test_mail(Route::Own(Arc::new(own.clone())));
    let queue = Memory::new(vec![test()]);
    worker.run_once(&*queue).await;
    assert_eq!(queue.fates(), [(9, Fate::Sent)]);
    assert!(queue.answers()[0].starts_with("250 "), "{:?}", queue.answers());
    for (mischief, reason, said) in [
        (
            Mischief::Answer("451 4.7.1 Greylisted, come back".to_owned()),
            Reason::Rejected(451),
            "451 4.7.1 Greylisted, come back",
        ),
        (
            Mischief::Answer("550 5.1.1 No such user 1234567".to_owned()),
            Reason::Rejected(550),
            "550 5.1.1 No such user 1234567",
        ),
        (Mischief::Hang, Reason::TimedOut, ""),
    ] {
        server.misbehave(Stage::Rcpt, mischief);
        let queue = Memory::new(vec![test()]);
        worker.run_once(&*queue).await;
        assert_eq!(queue.fates(), [(9, Fate::GivenUp(Problem::NotTaken(reason)))]);
        assert_eq!(queue.answers(), [said]);
    }
    let unusable = Memory::new(vec![test_mail(Route::Unusable { fall_back: true })]);
    worker.run_once(&*unusable).await;
    let again = Memory::new(vec![Claimed { tries: 1, ..test() }]);
    worker.run_once(&*again).await;
    assert_eq!(again.fates(), [(9, Fate::GivenUp(Problem::TriesUsedUp))]);
    assert!(mailbox.mails(None).is_empty(), "it never takes another way");
}

#[tokio::test]
async fn a_server_that_is_tried_gets_one_mail_and_no_connection_stays() {
    let server = Server::start().await;
    let own = own(&server, IMPATIENCE);
    let mail = test_mail(Route::Own(Arc::new(own)));
    let tried = mail.send_alone().await;
    assert!(
        tried.result.is_ok() && tried.said.starts_with("250 "),
        "{tried:?}"
    );
    assert_eq!(server.mails().len(), 1);
    server.wait_for_open(0).await;
    server.misbehave(Stage::Greeting, Mischief::Hang);
    let late = mail.send_alone().await;
    assert_eq!(late.result, Err(SendError::Temporary(Reason::TimedOut)));
    let nowhere = test_mail(Route::Installation).send_alone().await;
    assert_eq!(nowhere.result, Err(SendError::Temporary(Reason::Other)));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_password_that_a_server_repeats_is_in_no_answer() {
    let server = Server::start().await;
    server.misbehave(
        Stage::Auth,
        Mischief::Answer("535 bad: s3cret-pass AG1haWxlcgBzM2NyZXQtcGFzcw==".to_owned()),
    );
    let own = own(&server, PATIENCE);
    let queue = Memory::new(vec![test_mail(Route::Own(Arc::new(own)))]);
    worker(Transport::Mailbox(Mailbox::new())).run_once(&*queue).await;
    assert_eq!(
        queue.fates(),
        [(9, Fate::GivenUp(Problem::NotTaken(Reason::Rejected(535))))]
    );
    let said = &queue.answers()[0];
    assert!(said.contains("bad: … …") && !said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn a_server_inside_the_network_is_not_connected_to() {
    let server = Server::start().await;
    for name in ["127.0.0.1", "localhost"] {
        let host = CheckedHost::parse(name).unwrap();
        let settings = SmtpSettings::of_company(
            &host,
            server.address.port(),
            MailSecurity::None,
            None,
            Reach::Public,
        );
        let own = OwnServer {
            settings: settings.unwrap(),
            ..own(&server, PATIENCE)
        };
        let queue = Memory::new(vec![through(&own, 1)]);
        worker(smtp(&server)).run_once(&*queue).await;
        assert_eq!(
            queue.fates(),
            [(1, Fate::GivenUp(Problem::NotTaken(Reason::Forbidden)))]
        );
    }
    assert_eq!(server.connections(), 0);
}
