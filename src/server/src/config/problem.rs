//! What is wrong with the settings, in sentences for an operator.

use std::fmt;

/// One problem with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, or the file that cannot be used.
    pub key: String,
    /// Where its value came from.
    pub source: String,
    /// What is wrong and what would be right. Holds no password.
    pub reason: String,
}

impl Problem {
    /// Puts a problem together.
    pub fn new(key: impl Into<String>, source: &impl ToString, reason: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            source: source.to_string(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.reason.ends_with(['.', '?']) {
            ""
        } else {
            "."
        };
        write!(f, "{} (from {}): {}{end}", self.key, self.source, self.reason)
    }
}

/// All problems with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    pub(super) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "There is 1 problem with the settings:")?,
            many => write!(f, "There are {many} problems with the settings:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigError {}
