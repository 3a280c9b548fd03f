//! Accounts from a file, as a browser without scripts sends them.

use vestibule_core::account::Role;
use vestibule_storage::test_support::until;

use crate::{
    company::{account, other_company, signed_in},
    site::{Answer, Browser, Site},
};

const IMPORT: &str = "/admin/agents/import";
const MULTIPART: &str = "multipart/form-data; boundary=----x";

/// A form with one file.
fn form(name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "------x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n------x--\r\n"].concat()
}

async fn send(browser: &mut Browser, site: &Site, body: Vec<u8>) -> Answer {
    let usual = std::mem::replace(&mut browser.content_type, MULTIPART.to_owned());
    browser.extra = vec![("content-length", body.len().to_string())];
    let answer = browser.send(site, "POST", IMPORT, Some(body)).await;
    browser.content_type = usual;
    browser.extra = Vec::new();
    answer
}

async fn upload(browser: &mut Browser, site: &Site, file: &[u8]) -> Answer {
    send(browser, site, form("file", file)).await
}

const GOOD: &str = "account;email;first_name;roles\r\n\
    ada;ada@acme.test;Ada;agent\r\n\
    bob;other@acme.test;Bob;agent\r\n\
    grace;grace@acme.test;Grace;\r\n\
    =cmd;no;;king\r\n";

#[tokio::test]
async fn a_good_file_is_checked_and_then_imported() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, IMPORT).await;
    for shown in [
        "enctype=\"multipart/form-data\"",
        "type=\"file\"",
        "data:text/csv",
        "Check file",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let sent = upload(&mut root, &site, GOOD.as_bytes()).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let address = sent.location().to_owned();
    let id = address.strip_prefix("/admin/agents/import/").unwrap();

    let page = root.get(&site, &address).await;
    for shown in [
        "Import 2 agents",
        "Nothing has been created yet",
        "<bdi>ada</bdi>",
        "<bdi>=cmd</bdi>",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("http-equiv"), "nothing is under way");
    let mut stranger = other_company(&site).await;
    assert_eq!(
        stranger.get(&site, &address).await.status,
        404,
        "of another company"
    );
    let start = [("id", id)];
    let theirs = stranger.post(&site, "/admin/agents/import/start", &start).await;
    assert_eq!(theirs.status, 404);
    let list = root.get(&site, "/admin/agents/export").await;
    assert!(!list.body.contains("ada@acme.test"), "nothing is created");

    let sent = root.post(&site, "/admin/agents/import/start", &start).await;
    assert_eq!(
        (sent.status, sent.location()),
        (303, address.as_str()),
        "{}",
        sent.body
    );
    let page = until(async || {
        let page = root.get(&site, &address).await;
        let is_over = page.body.contains("Import complete.");
        assert!(
            is_over
                || page.body.contains("<meta http-equiv=\"refresh\" content=\"2\">")
                    && page.body.contains("<progress"),
            "{}",
            page.body
        );
        is_over.then_some(page)
    })
    .await;
    assert!(page.body.contains("2 agents imported."), "{}", page.body);
    assert!(
        page.body.contains("<bdi>bob</bdi>") && !page.body.contains("<bdi>ada</bdi>"),
        "the lines that were not imported: {}",
        page.body
    );
    let list = root.get(&site, "/admin/agents/export").await;
    assert!(list.body.contains("ada@acme.test") && list.body.contains("grace@acme.test"));

    let again = root.post(&site, "/admin/agents/import/start", &start).await;
    assert_eq!(again.status, 409);
    let again = root.get(&site, "/admin/agents/import/start").await;
    assert_eq!((again.status, again.location()), (303, IMPORT));
}

#[tokio::test]
async fn a_column_that_says_neither_yes_nor_no_is_named_with_its_words() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let file = "account,email,first_name,active\na1,a1@x.test,Ann,TRUE\na2,a2@x.test,Ann,perhaps\n";
    let sent = upload(&mut root, &site, file.as_bytes()).await;
    let page = root.get(&site, sent.location()).await;
    for shown in [
        "Import 1 agent",
        "The column active must contain yes, true, or 1, or no, false, or 0.",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("The first name is missing"));
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_says_what_is_wrong() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    for (file, sentence) in [
        (&b""[..], "Choose a file that contains at least one account."),
        (
            &b"name,mail\r\nada,ada@acme.test\r\n"[..],
            "The first line must contain the column names",
        ),
        (b"PK\x03\x04\x14\0\x06\0", "not a CSV file"),
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "of the file"),
    ] {
        let page = upload(&mut root, &site, file).await;
        assert_eq!(page.status, 422, "{sentence}");
        assert!(
            page.body.contains(sentence) && page.body.contains("href=\"#file\""),
            "{sentence}: {}",
            page.body
        );
    }
    for (wrong, status) in [
        (form("other", b"x"), 400),
        (
            [
                &form("file", b"x")[..form("file", b"x").len() - 11],
                &form("file", b"y"),
            ]
            .concat(),
            400,
        ),
        (b"------x--\r\n".to_vec(), 400),
        (
            b"------x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf".to_vec(),
            400,
        ),
    ] {
        let page = send(&mut root, &site, wrong).await;
        assert_eq!(page.status, status, "{}", page.body);
    }
    root.content_type = "text/csv".to_owned();
    let page = root.send(&site, "POST", IMPORT, Some(GOOD.into())).await;
    assert_eq!(page.status, 415);
}

#[tokio::test]
async fn a_large_file_gets_a_page_and_an_endless_one_is_cut() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = upload(&mut root, &site, &vec![b'a'; 20 * 1024 * 1024]).await;
    assert_eq!(page.status, 413);
    assert!(
        page.body.contains("the maximum is 5 MB") && page.body.contains("type=\"file\""),
        "{}",
        page.body
    );
    assert!(!page.has_header("connection"), "it was read to its end");
    let page = upload(&mut root, &site, &vec![b'a'; 33 * 1024 * 1024]).await;
    assert_eq!((page.status, page.header("connection")), (413, "close"));
    // Without an announced length as well.
    root.content_type = MULTIPART.to_owned();
    let body = form("file", &vec![b'a'; 33 * 1024 * 1024]);
    let page = root.send(&site, "POST", IMPORT, Some(body)).await;
    assert_eq!(page.status, 413);
}

#[tokio::test]
async fn who_sends_a_file_is_asked_before_it_is_read() {
    let site = Site::new().await;
    account(&site, "Acme", "sam", Role::Supervisor).await;
    let mut anonymous = Browser::default();
    let answer = upload(&mut anonymous, &site, GOOD.as_bytes()).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/login?next=%2Fadmin%2Fagents%2Fimport")
    );
    for name in ["bob", "sam"] {
        let mut browser = signed_in(&site, "Acme", name).await;
        let answer = upload(&mut browser, &site, GOOD.as_bytes()).await;
        assert_eq!(answer.status, 403, "{name}");
        let start = [("id", "0")];
        let answer = browser.post(&site, "/admin/agents/import/start", &start).await;
        assert_eq!(answer.status, 403, "{name}");
    }
    let mut root = signed_in(&site, "Acme", "root").await;
    root.without_origin();
    let answer = upload(&mut root, &site, GOOD.as_bytes()).await;
    assert_eq!(answer.status, 403, "from another site");
    for id in ["0", "../../etc/passwd", "00000000-0000-0000-0000-000000000000"] {
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let answer = root.get(&site, &format!("{IMPORT}/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
    }
}
