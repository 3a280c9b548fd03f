//! Turns that each of many has for itself, so that nobody takes those of all others.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::Semaphore;

use crate::locked;

/// The turns of everybody who has one or waits for one; nobody else is remembered.
pub(crate) struct TurnsOf<K> {
    each: usize,
    known: Mutex<HashMap<K, Weak<Semaphore>>>,
}

impl<K: Eq + Hash> TurnsOf<K> {
    /// So many for each at once.
    pub fn new(each: usize) -> Self {
        Self {
            each,
            known: Mutex::default(),
        }
    }

    /// The turns of one of them, to be waited for.
    pub fn of(&self, who: K) -> Arc<Semaphore> {
        let mut known = locked(&self.known);
        known.retain(|_, turns| turns.strong_count() > 0);
        if let Some(turns) = known.get(&who).and_then(Weak::upgrade) {
            return turns;
        }
        let turns = Arc::new(Semaphore::new(self.each));
        known.insert(who, Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_and_whoever_is_through_is_forgotten() {
        let turns = TurnsOf::new(2);
        let taken = [(); 2].map(|()| turns.of("a").try_acquire_owned().unwrap());
        assert!(turns.of("a").try_acquire_owned().is_err());
        assert!(turns.of("b").try_acquire_owned().is_ok());
        drop(taken);
        let again = turns.of("a");
        assert_eq!((again.available_permits(), locked(&turns.known).len()), (2, 1));
    }
}
