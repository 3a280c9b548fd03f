//! What a form sent, once it has been read, and the type that is made of it.

use std::sync::Arc;

use serde::{
    de::{
        DeserializeOwned, Deserializer, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use vestibule_core::refusal::Refusal;
use zeroize::Zeroizing;

/// The fields of a form, in the order they were sent; an extension of the request. They may hold a password: they are wiped,
/// `Debug` shows names only, and copies share the same memory.
#[derive(Clone, Default)]
pub struct FormFields(Arc<Vec<(String, Zeroizing<String>)>>);

impl FormFields {
    /// The fields with these names, which are no secrets.
    #[must_use]
    pub fn kept(&self, names: &[&str]) -> Self {
        let kept = self.iter().filter(|(name, _)| names.contains(name));
        kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The fields as they may be kept: of a password, a secret or a code only the name.
    pub fn without_secrets(&self) -> Vec<(String, String)> {
        // How long passwords have to be is a policy.
        let is_password = |name: &str| name.contains("password") && name != "password_min";
        let is_secret = |name: &str| is_password(name) || name.contains("secret") || name == "code";
        self.iter()
            .map(|(name, value)| {
                let value = if is_secret(name) { "" } else { value };
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }

    /// The value of a field; `None` when the form did not send it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// All values of a field that may be sent several times.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// All fields, in the order they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The form that they are.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when a field is missing that the form always sends, or does not hold what its type wants.
    pub fn read<F: DeserializeOwned>(&self) -> Result<F, Refusal> {
        let mut grouped: Vec<(&str, Values<'_>)> = Vec::new();
        for (name, value) in self.iter() {
            match grouped.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.0.push(value),
                None => grouped.push((name, Values(vec![value]))),
            }
        }
        // What the library says of it may quote what was typed.
        F::deserialize(MapDeserializer::new(grouped.into_iter())).map_err(|_: Error| Refusal::Malformed)
    }
}

impl FromIterator<(String, String)> for FormFields {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        let fields = fields.into_iter();
        Self(Arc::new(
            fields
                .map(|(name, value)| (name, Zeroizing::new(value)))
                .collect(),
        ))
    }
}

impl std::fmt::Debug for FormFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// The values of one name.
struct Values<'a>(Vec<&'a str>);

impl<'a> Values<'a> {
    fn first(&self) -> &'a str {
        self.0.first().copied().unwrap_or_default()
    }
}

impl IntoDeserializer<'_, Error> for Values<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A number is what its text says; all else is text.
macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty),*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                match self.first().parse::<$number>() {
                    Ok(number) => visitor.$visit(number),
                    Err(error) => Err(serde::de::Error::custom(error)),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.first())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let values = self.0.into_iter().map(StrDeserializer::<Error>::new);
        visitor.visit_seq(SeqDeserializer::new(values))
    }

    numbers!(deserialize_i64 visit_i64 i64, deserialize_u64 visit_u64 u64);

    forward_to_deserialize_any! {
        bool i8 i16 i32 u8 u16 u32 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    struct Example {
        id: String,
        version: i64,
        #[serde(rename = "roles[]", default)]
        roles: Vec<String>,
        active: Option<String>,
    }

    fn read(sent: &[(&str, &str)]) -> Result<Example, Refusal> {
        let fields: FormFields = sent
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        fields.read()
    }

    #[test]
    fn fields_become_the_form() {
        assert_eq!(
            read(&[
                ("roles[]", "agent"),
                ("id", ""),
                ("version", "7"),
                ("roles[]", "admin")
            ]),
            Ok(Example {
                id: String::new(),
                version: 7,
                roles: vec!["agent".to_owned(), "admin".to_owned()],
                active: None,
            })
        );
        let on = read(&[("id", "7"), ("version", "-1"), ("active", "on")]).unwrap();
        assert_eq!((on.id.as_str(), on.active.as_deref()), ("7", Some("on")));
    }

    #[test]
    fn what_is_missing_or_no_number_is_malformed() {
        for sent in [
            &[("id", "a")][..],
            &[("version", "1")],
            &[("id", "a"), ("version", "")],
            &[("id", "a"), ("version", "1.0")],
            &[("id", "a"), ("version", "99999999999999999999")],
        ] {
            assert_eq!(read(sent), Err(Refusal::Malformed), "{sent:?}");
        }
    }

    #[test]
    fn secrets_are_not_kept_but_for_their_names() {
        let sent = [
            ("user", "relay"),
            ("mail_password", "hush"),
            ("google_client_secret", "hush"),
            ("code", "123456"),
            ("new_password", "hush"),
            ("password_min", "14"),
        ];
        let fields: FormFields = sent
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let kept = fields.without_secrets();
        let kept: Vec<_> = kept.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [
            ("user", "relay"),
            ("mail_password", ""),
            ("google_client_secret", ""),
            ("code", ""),
            ("new_password", ""),
            ("password_min", "14"),
        ];
        assert_eq!(kept, expected);
    }

    #[test]
    fn what_was_typed_is_not_shown() {
        let fields: FormFields = [("password".to_owned(), "secret".to_owned())]
            .into_iter()
            .collect();
        assert_eq!(format!("{fields:?}"), "[\"password\"]");
    }
}
