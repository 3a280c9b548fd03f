//! Which browser it was, as a fact without a word of any language.

/// What stands between the two facts.
const BETWEEN: &str = " / ";
/// What stood there when it was still an English sentence.
const BETWEEN_BEFORE: &str = " on ";

/// A browser and the system that it runs on, by their own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser<'a> {
    /// Such as `Firefox`.
    pub name: &'a str,
    /// Such as `Linux`; `None` = it does not say.
    pub system: Option<&'a str>,
}

impl<'a> Browser<'a> {
    /// Reads the stored form, and that of rows which are older.
    ///
    /// ```
    /// use vestibule_core::browser::Browser;
    /// assert_eq!(Browser::read("Firefox / Linux").system, Some("Linux"));
    /// assert_eq!(Browser::read("Firefox on Linux"), Browser::read("Firefox / Linux"));
    /// assert_eq!(Browser::read("Lynx"), Browser { name: "Lynx", system: None });
    /// ```
    pub fn read(stored: &'a str) -> Self {
        let parts = stored
            .split_once(BETWEEN)
            .or_else(|| stored.split_once(BETWEEN_BEFORE));
        match parts {
            Some((name, system)) => Self {
                name,
                system: Some(system),
            },
            None => Self {
                name: stored,
                system: None,
            },
        }
    }

    /// The form in which it is stored.
    pub fn stored(self) -> String {
        match self.system {
            Some(system) => [self.name, BETWEEN, system].concat(),
            None => self.name.to_owned(),
        }
    }
}
