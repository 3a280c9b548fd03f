//! Every mail in every language, with ordinary and with hostile facts.

use chrono::DateTime;
use vestibule_core::{
    account::TimeFormat,
    mail::{About, FactorChange, TimeStyle},
};
use vestibule_translations::{Locale, all, tag, td_string};

use super::*;

const CHANGES: [FactorChange; 5] = [
    FactorChange::EmailOn,
    FactorChange::EmailOff,
    FactorChange::AppOn,
    FactorChange::AppOff,
    FactorChange::BackupCodes,
];
const LINK: &str = "https://vestibule.test/login?company=Acme";
const PASSWORD: &str = "kx7m-Qd2t-9RwP";
/// Where and when everything happened to Alice.
const PLACE_AND_TIME: &str = "Firefox on Windows · 203.0.113.9 Time: Jan 5, 2026, 21:30 GMT+1";

/// The mail, about something that happened in the evening of 5 January 2026.
fn compose(mail: &Mail, language: &str) -> Message {
    super::compose(
        mail,
        language,
        DateTime::from_timestamp_nanos(1_767_645_000_000_000_000),
    )
}

fn berlin() -> TimeStyle {
    TimeStyle {
        zone: "Europe/Berlin".to_owned(),
        format: TimeFormat::Hours24,
    }
}

/// One of each, with every fact set to what `fact` makes of the field's name.
fn mails(fact: impl Fn(&str) -> String) -> Vec<Mail> {
    let [name, company, account, browser, address] =
        ["name", "company", "account", "browser", "address"].map(&fact);
    let about = About {
        name: name.clone(),
        company: company.clone(),
        account: account.clone(),
        browser: browser.clone(),
        address: address.clone(),
        times: berlin(),
    };
    let mut mails = vec![
        Mail::SignInCode {
            name: name.clone(),
            company: company.clone(),
            code: "042719".to_owned(),
            minutes: 10,
            browser: browser.clone(),
            address: address.clone(),
            times: berlin(),
        },
        Mail::AccountLocked {
            name: name.clone(),
            company: company.clone(),
            account: account.clone(),
            browser,
            address,
            times: berlin(),
        },
        Mail::AccountUnlocked {
            name,
            company,
            account,
            link: LINK.to_owned(),
        },
    ];
    mails.extend(mails_about(&about));
    mails.extend(console_mails(&about, fact("email"), fact("by")));
    mails
}

/// One of each that follows from what an admin or an operator does.
fn console_mails(about: &About, email: String, by: String) -> Vec<Mail> {
    let about = || about.clone();
    let link = || LINK.to_owned();
    vec![
        Mail::AccountDetails {
            about: about(),
            sign_in: link(),
            email: email.clone(),
            password: PASSWORD.to_owned(),
            hours: 72,
        },
        Mail::ActivationLink {
            about: about(),
            link: link(),
            sign_in: LINK.to_owned(),
            hours: 72,
        },
        Mail::ResetLink {
            about: about(),
            link: link(),
            minutes: 30,
        },
        Mail::PasswordReset { about: about() },
        Mail::PasswordRemoved {
            about: about(),
            provider: "Google".to_owned(),
        },
        Mail::ConfirmEmail {
            about: about(),
            link: link(),
            hours: 72,
        },
        Mail::EmailChangeBegan {
            about: about(),
            email,
            stop: link(),
            hours: 72,
        },
        Mail::SsoConnected {
            about: about(),
            provider: "Google".to_owned(),
            shown: "alice@gmail.test".to_owned(),
        },
        Mail::SsoDisconnected {
            about: about(),
            provider: "Google".to_owned(),
        },
        Mail::TestMail {
            about: about(),
            server: "mail.example.test:465".to_owned(),
        },
        Mail::PoliciesChanged { about: about(), by },
    ]
}

fn links_in(mail: &Mail) -> usize {
    match mail {
        Mail::AccountUnlocked { .. }
        | Mail::AccountDetails { .. }
        | Mail::ResetLink { .. }
        | Mail::ConfirmEmail { .. }
        | Mail::EmailChangeBegan { .. } => 1,
        // To choose a password, and to sign in with it.
        Mail::ActivationLink { .. } => 2,
        _ => 0,
    }
}

/// The page without what only Outlook for Windows reads.
fn without_outlook(html: &str) -> String {
    let mut parts = html.split("<!--[if mso]>");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + part.split_once("<![endif]-->").map_or("", |(_, rest)| rest)
    })
}

/// One of each that brings its facts as [`About`], and one for every change of the second factor.
fn mails_about(about: &About) -> Vec<Mail> {
    let about = || about.clone();
    let code = || "042719".to_owned();
    let mut mails = vec![
        Mail::ConfirmCode {
            about: about(),
            code: code(),
            minutes: 10,
        },
        Mail::SetUpCode {
            about: about(),
            code: code(),
            minutes: 10,
        },
        Mail::PasswordChanged { about: about() },
        Mail::BackupCodeUsed {
            about: about(),
            left: 3,
        },
        Mail::BackupCodeIssued {
            about: about(),
            minutes: 60,
        },
        Mail::NewBrowser { about: about() },
        Mail::SessionCut { about: about() },
    ];
    mails.extend(CHANGES.map(|change| Mail::SecondFactorChanged {
        about: about(),
        change,
    }));
    mails
}

fn has_code(mail: &Mail) -> bool {
    matches!(
        mail,
        Mail::SignInCode { .. } | Mail::ConfirmCode { .. } | Mail::SetUpCode { .. }
    )
}

/// Alice at Acme, with everything known.
fn alice() -> About {
    About {
        name: "Alice".to_owned(),
        company: "Acme".to_owned(),
        account: "alice".to_owned(),
        browser: "Firefox / Windows".to_owned(),
        address: "203.0.113.9".to_owned(),
        times: berlin(),
    }
}

/// What a mail says in English between greeting and footer, a paragraph each.
fn said(mail: &Mail) -> Vec<String> {
    let text = compose(mail, "en").text;
    let parts: Vec<_> = text.split("\n\n").map(|part| part.replace('\n', " ")).collect();
    assert_eq!(parts.first().map(String::as_str), Some("Hello Alice,"), "{text}");
    parts[1..parts.len() - 1].to_vec()
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
        let unwrapped = message.text.replace('\n', " ");
        for field in ["name", "company"] {
            assert!(
                unwrapped.contains(&format!("The {field} & co")),
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
        // Only the text has a colon behind a label.
        let apart = |c: char| c.is_whitespace() || c == '：';
        for word in message
            .text
            .lines()
            .filter(line)
            .flat_map(|line| line.split(apart))
        {
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
        let shown = without_outlook(html);
        let links: Vec<_> = shown
            .match_indices("href=\"")
            .map(|(at, _)| &shown[at + 6..])
            .collect();
        let expected = links_in(&mail);
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
            let opened = part.matches('\u{2068}').count();
            assert_eq!(opened, part.matches('\u{2069}').count(), "{part:?}");
        }
        // The text is wrapped between words, so a line of it may begin with anything.
        for part in [&message.subject, &message.html] {
            assert!(part.lines().all(|line| !line.starts_with("Bcc:")), "{part:?}");
        }
        assert!(!message.subject.contains('\n'));
    }
}

#[test]
fn a_joiner_inside_a_name_stays() {
    let name = "علی\u{200c}رضا";
    for (_, _, message) in written(|_| format!("{name}\u{200c}")) {
        assert!(message.html.contains(name), "{}", message.html);
        assert!(
            !message.html.contains(&format!("{name}\u{200c}")),
            "{}",
            message.html
        );
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
        assert_eq!(lines, usize::from(has_code(&mail)), "{}", message.text);
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
        browser: "Firefox / Windows".to_owned(),
        address: "203.0.113.9".to_owned(),
        times: berlin(),
    };
    let message = compose(&mail, "en-GB");
    assert_eq!(message.subject, "042719 is your verification code");
    let life = td_string!(Locale::en, mail.code_life, time = "10 minutes");
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
            "Use this code to finish signing in to Acme:",
            "042719",
            life.as_str(),
            ["Requested from: ", PLACE_AND_TIME].concat().as_str(),
            warning,
            footer.as_str(),
        ]
    );
    assert!(
        message.text.contains("\n\n-- \nSent by Vestibule"),
        "{}",
        message.text
    );
    assert!(message.text.ends_with('\n'));
}

#[test]
fn the_other_code_mails_say_what_their_code_is_for() {
    let mail = Mail::ConfirmCode {
        about: alice(),
        code: "042719".to_owned(),
        minutes: 10,
    };
    assert_eq!(
        compose(&mail, "en").subject,
        "042719 is your verification code to confirm it's you"
    );
    assert_eq!(
        said(&mail),
        [
            "Use this code to confirm it's you at Acme:",
            "042719",
            "The code is valid for 10 minutes and can be used once.",
            ["Requested from: ", PLACE_AND_TIME].concat().as_str(),
            td_string!(Locale::en, mail.account_code_not_you),
        ]
    );
    let mail = Mail::SetUpCode {
        about: alice(),
        code: "042719".to_owned(),
        minutes: 10,
    };
    assert_eq!(
        compose(&mail, "en").subject,
        "042719 is your verification code for email authentication"
    );
    assert_eq!(
        said(&mail)[0],
        "Use this code to turn on email authentication at Acme:"
    );
}

#[test]
fn every_notice_says_what_happened_where_from_and_what_to_do() {
    let mails = mails_about(&alice()).into_iter().filter(|mail| !has_code(mail));
    for mail in mails {
        let said = said(&mail);
        let (first, last) = (&said[0], &said[said.len() - 1]);
        assert!(first.contains(" account alice at Acme"), "{first}");
        assert!(
            last.starts_with("If ") && last.to_lowercase().contains("contact your administrator"),
            "{last}"
        );
        let place = &said[said.len() - 2];
        assert!(place.ends_with(&[": ", PLACE_AND_TIME].concat()), "{place}");
    }
}

/// The mails for Alice, in the order of [`console_mails`].
fn alices() -> [Mail; 11] {
    let mails = console_mails(&alice(), "alice@new.test".to_owned(), "Bob".to_owned());
    mails.try_into().unwrap_or_else(|_| panic!("eleven"))
}

#[test]
fn account_details_are_labelled_as_the_contract_says() {
    let [details, ..] = alices();
    let text = compose(&details, "en").text;
    let block: Vec<_> = text.split("\n\n").nth(2).unwrap().lines().collect();
    assert_eq!(
        block,
        [
            &format!("Login URL: {LINK}"),
            "Company Name: Acme",
            "Login Username: alice",
            "Login Email: alice@new.test",
            &format!("Login Password: {PASSWORD}"),
        ]
    );
    let life = &said(&details)[2];
    assert!(
        life.contains("temporary") && life.contains("72 hours") && life.contains("first sign in"),
        "{life}"
    );
}

#[test]
fn a_password_is_easy_to_copy_and_never_in_a_subject() {
    let about = About {
        company: "شركة أكمي".to_owned(),
        ..alice()
    };
    for about in [alice(), about] {
        for &locale in all() {
            let mails = console_mails(&about, "alice@new.test".to_owned(), String::new());
            for mail in mails {
                let message = compose(&mail, tag(locale));
                let is_details = matches!(mail, Mail::AccountDetails { .. });
                assert!(!message.subject.contains(PASSWORD));
                assert_eq!(message.text.matches(PASSWORD).count(), usize::from(is_details));
                assert_eq!(message.html.matches(PASSWORD).count(), usize::from(is_details));
                if !is_details {
                    continue;
                }
                // Whole, at the end of its line, and selected by one click; nothing invisible is copied along.
                let line = message
                    .text
                    .lines()
                    .find(|line| line.ends_with(PASSWORD))
                    .unwrap();
                let before = line.strip_suffix(PASSWORD).unwrap();
                assert!(
                    before.is_empty() || before.ends_with(": ") || before.ends_with('：'),
                    "{line}"
                );
                let at = message.html.find(PASSWORD).unwrap();
                let element = &message.html[message.html[..at].rfind("<span").unwrap()..at];
                assert!(
                    element.contains("user-select:all") && element.contains("dir=\"ltr\""),
                    "{element}"
                );
                for copied in ["alice@new.test", &about.company] {
                    let isolated = format!("\u{2068}{copied}");
                    let line = message.text.lines().find(|line| line.ends_with(copied)).unwrap();
                    assert!(!line.contains(&isolated), "{line}");
                    assert!(
                        message
                            .html
                            .contains(&format!("<bdi translate=\"no\">{copied}</bdi>"))
                    );
                }
            }
        }
    }
}

#[test]
fn links_stand_alone_on_their_line_and_say_their_life() {
    let [_, activation, reset, _, _, confirm, began, ..] = alices();
    for (mail, life, button) in [
        (
            activation,
            "72 hours. You can open it more than once.",
            "Choose a password",
        ),
        (
            reset,
            "30 minutes. You can open it more than once.",
            "Choose a password",
        ),
        (confirm, "72 hours", "Confirm this address"),
        (began, "72 hours", "Cancel this change"),
    ] {
        let said = said(&mail);
        assert!(said.iter().any(|part| part.contains(life)), "{said:?}");
        assert!(said.contains(&LINK.to_owned()), "{said:?}");
        assert!(said[0].contains("ccount alice at Acme"), "{said:?}");
        let html = compose(&mail, "en").html;
        assert!(html.contains(&format!(">{button}</a>")), "{html}");
        assert!(
            html.contains(&format!("<span dir=\"ltr\">{LINK}</span>")),
            "{html}"
        );
    }
}

#[test]
fn a_link_that_is_none_is_left_out() {
    let bad = || "javascript:alert(1)".to_owned();
    for mail in [
        Mail::AccountDetails {
            about: alice(),
            sign_in: bad(),
            email: "alice@demo.test".to_owned(),
            password: PASSWORD.to_owned(),
            hours: 72,
        },
        Mail::ResetLink {
            about: alice(),
            link: bad(),
            minutes: 30,
        },
        Mail::EmailChangeBegan {
            about: alice(),
            email: "alice@new.test".to_owned(),
            stop: bad(),
            hours: 72,
        },
    ] {
        let message = compose(&mail, "en");
        assert!(!message.html.contains("javascript") && !message.text.contains("javascript"));
    }
}

#[test]
fn the_old_address_is_told_the_new_one_and_how_to_stop_it() {
    let [.., began, _, _, _, _] = alices();
    let said = said(&began);
    assert_eq!(said[1], "New email address: alice@new.test");
    assert_eq!(
        said[2],
        "If you didn't request this, cancel it here. The link is valid for 72 hours:"
    );
    assert_eq!(said[3], LINK);
    assert_eq!(said[4], ["Device: ", PLACE_AND_TIME].concat());
}

#[test]
fn what_was_done_on_the_command_line_has_no_place() {
    let about = About {
        browser: String::new(),
        address: String::new(),
        ..alice()
    };
    for mail in console_mails(&about, "alice@new.test".to_owned(), String::new()) {
        let said = said(&mail);
        assert!(
            !said.iter().any(|part| part.contains("Unknown browser")),
            "{said:?}"
        );
    }
    let by = |by: &str| Mail::PoliciesChanged {
        about: about.clone(),
        by: by.to_owned(),
    };
    assert!(
        said(&by(""))[0].starts_with("The security policies of Acme were changed by the Vestibule operator.")
    );
    assert!(said(&by("Bob"))[0].starts_with("The security policies of Acme were changed by Bob."));
}

#[test]
fn mails_are_told_apart_by_subject_and_changes_by_their_sentence() {
    for &locale in all() {
        let mut subjects: Vec<String> = Vec::new();
        let mut sentences: Vec<String> = Vec::new();
        for mail in mails(str::to_owned) {
            let Message { subject, text, .. } = compose(&mail, tag(locale));
            if matches!(mail, Mail::SecondFactorChanged { .. }) {
                assert_eq!(subject, td_string!(locale, mail.factor_subject));
                // The check of the files keeps those of other languages apart.
                assert!(locale != Locale::en || !sentences.contains(&text), "{text}");
                sentences.push(text);
            } else {
                assert!(locale != Locale::en || !subjects.contains(&subject), "{subject}");
                subjects.push(subject);
            }
        }
        assert_eq!(sentences.len(), CHANGES.len());
    }
}

#[test]
fn a_used_backup_code_warns_when_few_are_left() {
    for left in 0..10 {
        let mail = Mail::BackupCodeUsed { about: alice(), left };
        for &locale in all() {
            let text = compose(&mail, tag(locale)).text;
            let count = td_string!(locale, mail.backup_left, count = left);
            assert!(text.lines().any(|line| line == count), "{text}");
            let warned = text.contains(td_string!(locale, mail.backup_low));
            assert_eq!(warned, left <= 3, "{left}: {text}");
        }
    }
    let mail = Mail::BackupCodeUsed {
        about: alice(),
        left: 3,
    };
    assert_eq!(
        said(&mail),
        [
            "One of the backup codes of your account alice at Acme was used. It can't be used again.",
            "You have 3 backup codes left.",
            "Please generate new codes in your Security Settings.",
            ["Device: ", PLACE_AND_TIME].concat().as_str(),
            "If this wasn't you, change your password and contact your administrator.",
        ]
    );
}

#[test]
fn an_issued_backup_code_says_its_life_and_no_place_that_is_not_known() {
    let issued = |about| Mail::BackupCodeIssued { about, minutes: 60 };
    let unknown = About {
        browser: String::new(),
        address: " ".to_owned(),
        ..alice()
    };
    let said = said(&issued(unknown));
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(said[2], "Time: Jan 5, 2026, 21:30 GMT+1");
    assert_eq!(said[1], "The code is valid for 1 hour and can be used once.");
    let address_only = About {
        browser: String::new(),
        ..alice()
    };
    let text = compose(&issued(address_only), "en").text;
    assert!(text.contains("Unknown browser · 203.0.113.9"), "{text}");
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
            .contains("Device: Unknown browser")
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
