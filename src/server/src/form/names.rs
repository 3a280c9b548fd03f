//! The names of a form's fields, from the type that it is.

use serde::{
    de::{DeserializeOwned, Deserializer, Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};

/// The names of the fields, as serde reads them.
pub fn names_of<F: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It always fails: there is nothing to read, only somebody to ask for their names.
    let _ = F::deserialize(Asked(&mut names));
    names
}

/// Is asked for a struct, notes the names of its fields, and has none.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("asked for names only"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("a form is a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::names_of;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its names are asked for")]
    struct Example {
        id: String,
        #[serde(rename = "roles[]", default)]
        roles: Vec<String>,
        active: Option<String>,
    }

    #[derive(Deserialize)]
    struct Button {}

    #[test]
    fn a_form_knows_its_fields() {
        assert_eq!(names_of::<Example>(), ["id", "roles[]", "active"]);
        assert!(names_of::<Button>().is_empty());
    }
}
