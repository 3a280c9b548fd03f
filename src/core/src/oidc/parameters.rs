//! The parameters of a request. One that comes twice is refused by whoever asks for it, and those that nobody asks for do
//! not matter (RFC 6749, section 3.1). One without a value is as if it were not there.

use std::collections::HashSet;

use url::form_urlencoded;

/// The parameters of a query or a form.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

/// A parameter came more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubled;

impl std::fmt::Debug for Parameters {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Parameters {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// [`Doubled`].
    pub fn one(&self, name: &str) -> Result<Option<&str>, Doubled> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        if found.next().is_some() {
            return Err(Doubled);
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether any parameter comes twice, but for those that may.
    pub fn any_doubled(&self) -> bool {
        let mut seen = HashSet::new();
        !self.0.iter().all(|(name, _)| seen.insert(name.as_str()))
    }
}

/// An address with more parameters in its query; those that it has stay as they are.
pub fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let added = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    if added.is_empty() {
        return uri.to_owned();
    }
    let between = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{between}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_counts_once_or_not_at_all() {
        let read = Parameters::parse("a=1&b=&c=x+y%26&c=2&d=%FF");
        assert_eq!(read.one("a"), Ok(Some("1")));
        assert_eq!(read.one("b"), Ok(None));
        assert_eq!(read.one("c"), Err(Doubled));
        assert_eq!(read.one("d"), Ok(Some("\u{fffd}")));
        assert_eq!(read.one("e"), Ok(None));
        assert!(read.any_doubled() && !Parameters::parse("a=1&b=1").any_doubled());
        assert_eq!(format!("{:?}", Parameters::parse("code=secret")), r#"["code"]"#);
    }

    /// `oidcc-redirect-uri-query-OK`
    #[test]
    fn an_answer_keeps_the_query_of_its_address() {
        for (uri, expected) in [
            ("https://a.test/", "https://a.test/?state=a+b%26"),
            ("https://a.test/?", "https://a.test/?state=a+b%26"),
            ("https://a.test/?x=%20", "https://a.test/?x=%20&state=a+b%26"),
        ] {
            assert_eq!(with_parameters(uri, &[("state", "a b&")]), expected);
        }
        assert_eq!(with_parameters("https://a.test/", &[]), "https://a.test/");
    }
}
