//! What stands on pages.

/// What stands in an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// What was saved, or what was typed before the form came back.
    pub value: String,
    /// What somebody else saved meanwhile, where that differs.
    pub meanwhile: Option<String>,
}

/// A moment, written for this page: in the company's time zone and the account's time format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// RFC 3339, for programs.
    pub datetime: String,
    /// For people, such as `2026-01-05 21:30`.
    pub shown: String,
}
