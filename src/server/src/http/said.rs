//! What the log says once and not at every request.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Remembers what was said already. There is a most, so that strangers cannot fill the log or the memory.
#[derive(Debug)]
pub struct Said {
    most: usize,
    seen: Mutex<HashSet<String>>,
}

impl Said {
    /// For up to so many different things.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            seen: Mutex::default(),
        }
    }

    /// Whether this is to be said now.
    pub fn is_new(&self, thing: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.len() < self.most && !seen.contains(thing) && seen.insert(thing.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_said_once_and_not_more_than_the_most() {
        let said = Said::new(2);
        assert_eq!(
            ["a", "a", "b", "a", "c", "b"].map(|thing| said.is_new(thing)),
            [true, false, true, false, false, false]
        );
    }
}
