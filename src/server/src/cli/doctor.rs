//! `doctor --behind`: asks an application behind a proxy as a visitor would, and says whether the proxy is set up right.

use std::time::Duration;

use reqwest::{
    Method,
    header::{ACCEPT, LOCATION, SET_COOKIE},
    redirect,
};
use tokio::net::TcpStream;
use url::Url;
use vestibule_core::paths::{BEHIND_START, OPEN};

use super::{Refused, Streams};

/// How long the application may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection past the proxy is tried.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Headers that a visitor may send to become somebody else, or to be somewhere else.
const FORGED: [(&str, &[(&str, &str)]); 6] = [
    (
        "who is signed in",
        &[
            ("remote-user", "root"),
            ("remote-groups", "admin"),
            ("remote-company", "Acme"),
        ],
    ),
    ("who is signed in, with underscores", &[("remote_user", "root")]),
    (
        "another host",
        &[
            ("x-forwarded-host", "evil.invalid"),
            ("x-forwarded-proto", "https"),
        ],
    ),
    ("another address", &[("x-original-url", "https://evil.invalid/")]),
    ("another path", &[("x-forwarded-uri", BEHIND_START)]),
    (
        "another method",
        &[
            ("x-http-method-override", "OPTIONS"),
            ("x-forwarded-method", "OPTIONS"),
        ],
    ),
];

/// What came back.
#[derive(Debug, Default)]
struct Answer {
    status: u16,
    location: Option<String>,
    cookies: Vec<String>,
}

impl Answer {
    fn is_let_in(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn leads_on(&self) -> bool {
        (300..400).contains(&self.status)
    }
}

/// Whether something is as it should be, and what it is, in a sentence.
type Finding = Result<String, String>;

/// Asks and tells.
///
/// # Errors
/// [`Refused`] when something is not as it should be.
pub(super) async fn behind(
    url: &Url,
    direct: Option<&str>,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let findings = examine(url, direct).await?;
    let mut wrong = 0;
    for finding in &findings {
        match finding {
            Ok(sentence) => writeln!(streams.output, "Right: {sentence}")?,
            Err(sentence) => {
                wrong += 1;
                writeln!(streams.output, "Wrong: {sentence}")?;
            }
        }
    }
    if direct.is_none() {
        writeln!(
            streams.output,
            "Not tried: whether the application can be reached past the proxy. Name where it listens with --direct."
        )?;
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Refused::because("1 thing is wrong.")),
        many => Err(Refused::because(format!("{many} things are wrong."))),
    }
}

async fn examine(url: &Url, direct: Option<&str>) -> Result<Vec<Finding>, Refused> {
    let failed = |error: reqwest::Error| {
        Refused::because(format!(
            "{} does not answer: {}.",
            url.origin().ascii_serialization(),
            error.without_url()
        ))
    };
    let client = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(ANSWER_WITHIN)
        .referer(false)
        .no_proxy()
        .build()
        .map_err(failed)?;
    let ask = async |method: Method, url: Url, headers: &[(&str, &str)]| {
        let mut request = client.request(method, url).header(ACCEPT, "text/html");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.map(|answer| read(&answer))
    };
    let anonymous = ask(Method::GET, url.clone(), &[]).await.map_err(failed)?;
    let mut findings = vec![is_led_to_sign_in(url, &anonymous)];
    for (what, headers) in FORGED {
        let answer = ask(Method::GET, url.clone(), headers).await.map_err(failed)?;
        findings.push(has_no_effect(url, what, &answer));
    }
    let posted = ask(Method::POST, url.clone(), &[]).await.map_err(failed)?;
    findings.push(is_not_let_in("a form", &posted));
    let start = anonymous.location.as_deref().and_then(|to| Url::parse(to).ok());
    if let Some(start) = start.filter(|start| start.origin() == url.origin()) {
        let answer = ask(Method::GET, start, &[]).await.map_err(failed)?;
        findings.push(goes_on_to_sign_in(url, &answer));
        findings.push(leaves_a_good_cookie(url, &answer));
    }
    if let Some(address) = direct {
        let connected = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address)).await;
        findings.push(is_out_of_reach(address, matches!(connected, Ok(Ok(_)))));
    }
    Ok(findings)
}

fn read(answer: &reqwest::Response) -> Answer {
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = answer.headers();
    Answer {
        status: answer.status().as_u16(),
        location: headers.get(LOCATION).map(text),
        cookies: headers.get_all(SET_COOKIE).iter().map(text).collect(),
    }
}

fn start_of(url: &Url) -> String {
    format!("{}{BEHIND_START}?", url.origin().ascii_serialization())
}

fn is_led_to_sign_in(url: &Url, answer: &Answer) -> Finding {
    let leads = answer
        .location
        .as_deref()
        .is_some_and(|to| to.starts_with(&start_of(url)));
    if answer.leads_on() && leads {
        Ok("whoever is not signed in is led to the sign-in.".into())
    } else if answer.is_let_in() {
        Err("somebody who is not signed in is let in: the proxy does not ask.".into())
    } else {
        Err(format!(
            "whoever is not signed in gets {} and no way to the sign-in: the log of Vestibule may say why.",
            answer.status
        ))
    }
}

fn has_no_effect(url: &Url, what: &str, answer: &Answer) -> Finding {
    let stays = answer
        .location
        .as_deref()
        .is_none_or(|to| to.starts_with(&start_of(url)));
    if answer.is_let_in() {
        Err(format!("whoever sends headers that say {what} is let in."))
    } else if !stays {
        Err(format!("whoever sends headers that say {what} is led elsewhere."))
    } else {
        Ok(format!("headers of a visitor that say {what} have no effect."))
    }
}

fn is_not_let_in(what: &str, answer: &Answer) -> Finding {
    if answer.is_let_in() {
        Err(format!(
            "{what} of somebody who is not signed in reaches the application."
        ))
    } else {
        Ok(format!(
            "{what} of somebody who is not signed in does not reach the application."
        ))
    }
}

fn goes_on_to_sign_in(url: &Url, answer: &Answer) -> Finding {
    let to = answer.location.as_deref().and_then(|to| Url::parse(to).ok());
    match to {
        Some(to) if answer.leads_on() && to.path() == OPEN && to.origin() != url.origin() => Ok(format!(
            "/.vestibule/ is passed on to Vestibule, which signs in at {}.",
            to.origin().ascii_serialization()
        )),
        _ => Err(format!(
            "/.vestibule/ gives {}: the proxy has to pass it on to Vestibule, with the host that the visitor asked for.",
            answer.status
        )),
    }
}

fn leaves_a_good_cookie(url: &Url, answer: &Answer) -> Finding {
    let https = url.scheme() == "https";
    let name = if https {
        "__Host-vestibule-state="
    } else {
        "vestibule-state="
    };
    let Some(cookie) = answer.cookies.iter().find(|cookie| cookie.starts_with(name)) else {
        return Err("the cookie of the sign-in does not arrive.".into());
    };
    let attributes: Vec<String> = cookie
        .split(';')
        .skip(1)
        .map(|part| part.trim().to_ascii_lowercase())
        .collect();
    let has = |attribute: &str| attributes.iter().any(|found| found == attribute);
    let good = has("httponly")
        && has("path=/")
        && has("samesite=lax")
        && (has("secure") || !https)
        && !attributes.iter().any(|found| found.starts_with("domain="));
    if good {
        Ok("the cookie stays on this host, and scripts cannot read it.".into())
    } else {
        Err("the proxy changes the cookie of the sign-in.".into())
    }
}

fn is_out_of_reach(address: &str, connected: bool) -> Finding {
    if connected {
        Err(format!(
            "the application can be reached past the proxy at {address}: close it."
        ))
    } else {
        Ok(format!(
            "the application cannot be reached past the proxy at {address}."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        "https://wall.acme.test/calls".parse().unwrap()
    }

    fn answer(status: u16, location: &str, cookies: &[&str]) -> Answer {
        Answer {
            status,
            location: (!location.is_empty()).then(|| location.to_owned()),
            cookies: cookies.iter().map(|&cookie| cookie.to_owned()).collect(),
        }
    }

    const START: &str = "https://wall.acme.test/.vestibule/start?application=x&to=y";

    #[test]
    fn a_visitor_who_is_not_signed_in_is_led_to_the_sign_in() {
        assert!(is_led_to_sign_in(&url(), &answer(303, START, &[])).is_ok());
        for (status, location) in [
            (200, ""),
            (200, START),
            (401, ""),
            (303, "https://evil.test/.vestibule/start?x"),
            (303, "https://wall.acme.test.evil.test/.vestibule/start?x"),
            (500, ""),
        ] {
            let found = is_led_to_sign_in(&url(), &answer(status, location, &[]));
            assert!(found.is_err(), "{status} {location}");
        }
    }

    #[test]
    fn what_a_visitor_says_counts_for_nothing() {
        for (status, location) in [(303, START), (400, ""), (500, ""), (401, "")] {
            let found = has_no_effect(&url(), "another host", &answer(status, location, &[]));
            assert!(found.is_ok(), "{status} {location}");
        }
        for (status, location) in [(200, ""), (303, "https://evil.invalid/.vestibule/start?x")] {
            let found = has_no_effect(&url(), "another host", &answer(status, location, &[]));
            assert!(found.is_err(), "{status} {location}");
        }
        assert!(is_not_let_in("a form", &answer(401, "", &[])).is_ok());
        assert!(is_not_let_in("a form", &answer(204, "", &[])).is_err());
    }

    #[test]
    fn our_addresses_lead_on_and_the_cookie_arrives_as_it_was_sent() {
        let to = "https://login.example.test/open?application=x";
        assert!(goes_on_to_sign_in(&url(), &answer(303, to, &[])).is_ok());
        assert!(goes_on_to_sign_in(&url(), &answer(303, "https://wall.acme.test/open?x", &[])).is_err());
        assert!(goes_on_to_sign_in(&url(), &answer(404, "", &[])).is_err());
        let good = "__Host-vestibule-state=x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600";
        assert!(leaves_a_good_cookie(&url(), &answer(303, to, &[good])).is_ok());
        for bad in [
            "vestibule-state=x; HttpOnly; SameSite=Lax; Secure; Path=/",
            "__Host-vestibule-state=x; HttpOnly; SameSite=Lax; Path=/",
            "__Host-vestibule-state=x; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=acme.test",
            "__Host-vestibule-state=x; SameSite=Lax; Secure; Path=/",
        ] {
            assert!(
                leaves_a_good_cookie(&url(), &answer(303, to, &[bad])).is_err(),
                "{bad}"
            );
        }
        assert!(leaves_a_good_cookie(&url(), &answer(303, to, &[])).is_err());
        assert!(is_out_of_reach("10.0.0.5:80", false).is_ok());
        assert!(is_out_of_reach("10.0.0.5:80", true).is_err());
    }
}
