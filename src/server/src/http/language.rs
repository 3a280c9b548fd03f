//! Which language an answer is in (product.md section 7).

use axum::http::{HeaderMap, header::ACCEPT_LANGUAGE};
use vestibule_translations::{Locale, from_tag, negotiate};

/// The language that the browser asks for; `None` when it asks for none on offer.
pub fn accepted(headers: &HeaderMap) -> Option<Locale> {
    negotiate(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?)
}

/// The language of an answer: what was chosen in this browser, else the account's, else the company's, else what the
/// browser asks for, else English. Tags of languages that are not on offer are passed over.
pub fn choose(
    chosen: Option<Locale>,
    account: Option<&str>,
    company: Option<&str>,
    accepted: Option<Locale>,
) -> Locale {
    let known = |tag: Option<&str>| tag.and_then(from_tag);
    chosen
        .or_else(|| known(account))
        .or_else(|| known(company))
        .or(accepted)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from_header(value: &[u8]) -> Option<Locale> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_bytes(value).unwrap());
        accepted(&headers)
    }

    #[test]
    fn the_nearest_wish_wins() {
        let (de, ar) = (from_tag("de"), from_tag("ar"));
        assert!(de.is_some() && ar.is_some());
        assert_eq!(Some(choose(de, Some("ar"), Some("en"), ar)), de);
        assert_eq!(Some(choose(None, Some("ar"), Some("de"), de)), ar);
        assert_eq!(Some(choose(None, None, Some("de"), ar)), de);
        assert_eq!(Some(choose(None, Some("xx"), Some("../de"), ar)), ar);
        assert_eq!(choose(None, None, None, None), Locale::en);
    }

    #[test]
    fn what_no_browser_sends_is_no_wish() {
        assert_eq!(from_header(b"xx, de-AT;q=0.9, ar;q=0.5"), from_tag("de"));
        for bad in [
            &b""[..],
            b"xx",
            b"*",
            b"\xff\xfe",
            b"*;q=nan, ../de",
            &[b','; 8000],
        ] {
            assert_eq!(from_header(bad), None);
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }
}
