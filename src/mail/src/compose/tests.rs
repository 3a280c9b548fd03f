//! Every mail in every language, with ordinary and with hostile facts.

use vestibule_translations::all;

use super::*;

const LINK: &str = "https://vestibule.test/login?company=Acme";

/// One of each, with every fact set to what `fact` makes of the field's name.
fn mails(fact: impl Fn(&str) -> String) -> Vec<Mail> {
    let [name, company, account, browser, address] =
        ["name", "company", "account", "browser", "address"].map(fact);
    vec![
        Mail::SignInCode {
            name: name.clone(),
            company: company.clone(),
            code: "042719".to_owned(),
            minutes: 10,
            browser: browser.clone(),
            address: address.clone(),
        },
        Mail::AccountLocked {
            name: name.clone(),
            company: company.clone(),
            account: account.clone(),
            browser,
            address,
        },
        Mail::AccountUnlocked {
            name,
            company,
            account,
            link: LINK.to_owned(),
        },
    ]
}

/// All mails in all languages, written.
fn written(fact: impl Fn(&str) -> String) -> Vec<(String, Mail, Message)> {
    let mails = mails(fact);
    let all = all().iter().flat_map(|&locale| {
        let tag = tag(locale).to_owned();
        mails
            .iter()
            .map(move |mail| (tag.clone(), mail.clone(), compose(mail, &tag)))
    });
    all.collect()
}

/// What is between tags, unescaped far enough to compare it with text.
fn words_of(html: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                words.push(' ');
            }
            _ if !inside => words.push(c),
            _ => {}
        }
    }
    words
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[test]
fn every_mail_is_whole_in_every_language() {
    for (tag, mail, message) in written(|field| format!("The {field} & co")) {
        let context = format!("{mail:?} in {tag}: {}", message.text);
        assert!(
            !message.subject.trim().is_empty() && !message.subject.contains(['\r', '\n']),
            "{context}"
        );
        for part in [&message.subject, &message.text, &message.html] {
            assert!(!part.contains("{{"), "{context}");
        }
        assert!(
            message.text.lines().count() > 5 && !message.text.contains('\r'),
            "{context}"
        );
        for field in ["name", "company"] {
            assert!(
                message.text.contains(&format!("The {field} & co")),
                "{field}: {context}"
            );
            assert!(
                message.html.contains(&format!("The {field} &amp; co")),
                "{field}: {context}"
            );
        }
        // Both versions say the same.
        let words = words_of(&message.html);
        let line = |line: &&str| !line.is_empty() && *line != "-- ";
        for word in message.text.lines().filter(line).flat_map(str::split_whitespace) {
            assert!(words.contains(word.trim_end_matches(':')), "{word}: {context}");
        }
    }
}

#[test]
fn every_page_says_its_language_and_direction() {
    for (tag, _, message) in written(str::to_owned) {
        let direction = if ["ar", "fa", "he", "ur"].contains(&tag.as_str()) {
            "rtl"
        } else {
            "ltr"
        };
        let expected = format!("<!DOCTYPE html><html lang=\"{tag}\" dir=\"{direction}\">");
        assert!(message.html.starts_with(&expected), "{}", message.html);
    }
}

#[test]
fn nothing_is_loaded_and_the_only_link_is_ours() {
    for (_, mail, message) in
        written(|field| format!("<a href=http://evil.test/{field}><img src=//evil.test>"))
    {
        let html = &message.html;
        for bad in [
            "<img",
            "<script",
            "<link",
            "<iframe",
            "url(",
            "@import",
            "src=\"",
            "background=\"",
        ] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        let links: Vec<_> = html
            .match_indices("href=\"")
            .map(|(at, _)| &html[at + 6..])
            .collect();
        let expected = usize::from(matches!(mail, Mail::AccountUnlocked { .. }));
        assert_eq!(links.len(), expected, "{html}");
        assert!(links.iter().all(|link| link.starts_with(LINK)), "{html}");
        assert_eq!(message.text.matches(LINK).count(), expected);
    }
}

#[test]
fn hostile_facts_are_inert() {
    let hostile = "</p><script>alert(1)</script>\"'&lt;\r\nBcc: eve@evil.test\0\u{202e}\u{2066}\u{200b}x";
    for (_, _, message) in written(|_| hostile.to_owned()) {
        assert!(
            !message.html.contains("<script") && !message.html.contains("\"'&lt;"),
            "{}",
            message.html
        );
        assert!(
            message
                .html
                .contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"),
            "{}",
            message.html
        );
        for part in [&message.subject, &message.text, &message.html] {
            assert!(
                !part.contains(['\0', '\r', '\u{202e}', '\u{2066}', '\u{200b}']),
                "{part:?}"
            );
            assert!(part.lines().all(|line| !line.starts_with("Bcc:")), "{part:?}");
            let opened = part.matches('\u{2068}').count();
            assert_eq!(opened, part.matches('\u{2069}').count(), "{part:?}");
        }
        assert!(!message.subject.contains('\n'));
    }
}

#[test]
fn template_marks_in_facts_are_text() {
    let mail = &mails(|_| "{{ name }} {0} {} $t(x) &amp;".to_owned())[0];
    let message = compose(mail, "en");
    assert!(
        message.text.starts_with("Hello {{ name }} {0} {} $t(x) &amp;,"),
        "{}",
        message.text
    );
    assert!(message.html.contains("$t(x) &amp;amp;,"), "{}", message.html);
}

#[test]
fn the_code_stands_alone_on_its_line() {
    for (_, mail, message) in written(str::to_owned) {
        let lines = message.text.lines().filter(|line| *line == "042719").count();
        assert_eq!(
            lines,
            usize::from(matches!(mail, Mail::SignInCode { .. })),
            "{}",
            message.text
        );
        if lines == 1 {
            assert!(message.subject.contains("042719"));
            assert!(message.html.contains(">042719</p>"));
            // Programs that look for the code must find no other six digits.
            let digits = message
                .text
                .split(|c: char| !c.is_ascii_digit())
                .filter(|run| run.len() == 6)
                .count();
            assert_eq!(digits, 1, "{}", message.text);
        }
    }
}

#[test]
fn the_english_code_mail_reads_well() {
    let mail = Mail::SignInCode {
        name: "Alice".to_owned(),
        company: "Acme".to_owned(),
        code: "042719".to_owned(),
        minutes: 10,
        browser: "Firefox on Windows".to_owned(),
        address: "203.0.113.9".to_owned(),
    };
    let message = compose(&mail, "en-GB");
    assert_eq!(message.subject, "042719 is your sign-in code");
    let life = td_string!(Locale::en, mail.code_life, minutes = 10);
    let warning = td_string!(Locale::en, mail.code_not_you);
    let footer = format!("--  {}", td_string!(Locale::en, mail.footer, company = "Acme"));
    let paragraphs: Vec<_> = message
        .text
        .trim_end()
        .split("\n\n")
        .map(|part| part.replace('\n', " "))
        .collect();
    assert_eq!(
        paragraphs,
        [
            "Hello Alice,",
            "Use this code to finish signing in at Acme:",
            "042719",
            life.as_str(),
            "Asked for from: Firefox on Windows · 203.0.113.9",
            warning,
            footer.as_str(),
        ]
    );
    assert!(
        message.text.contains("\n\n-- \nThis mail was sent by"),
        "{}",
        message.text
    );
    assert!(message.text.ends_with('\n'));
}

#[test]
fn unknown_facts_leave_no_gaps() {
    for (_, mail, message) in written(|field| {
        if field == "company" {
            "Acme".to_owned()
        } else {
            String::new()
        }
    }) {
        assert!(
            !message.text.contains(" · ") && !message.text.contains("\n\n\n"),
            "{mail:?}: {}",
            message.text
        );
    }
    assert!(
        compose(&mails(|_| String::new())[1], "en")
            .text
            .contains("The last attempt came from: an unknown browser")
    );
    let mail = Mail::AccountUnlocked {
        name: "Ann".to_owned(),
        company: "Acme".to_owned(),
        account: "ann".to_owned(),
        link: "javascript:alert(1)".to_owned(),
    };
    assert!(!compose(&mail, "en").html.contains("javascript"));
}

#[test]
fn an_unknown_language_is_written_in_the_nearest_known_one() {
    let mail = &mails(str::to_owned)[0];
    for (tag, expected) in [
        ("en-US", "en"),
        ("EN", "en"),
        ("de-AT", "de"),
        ("xx", "en"),
        ("", "en"),
        ("../../etc/passwd", "en"),
    ] {
        assert!(compose(mail, tag) == compose(mail, expected), "{tag}");
    }
}
