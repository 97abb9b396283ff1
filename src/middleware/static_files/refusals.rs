//! Files that are there and cannot be read: each is told by itself, and again at most once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::diagnostics::{Repeated, Telling};

/// How many are told by themselves. A folder that was copied with the wrong rights has thousands: those behind the
/// first are told together.
const MOST: usize = 16;

/// What was told of which file.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    named: Mutex<Vec<(Box<str>, Repeated)>>,
    others: Repeated,
}

impl Refusals {
    /// The file of this name could not be read `now`.
    pub(super) fn happened(&self, name: &str, now: Instant) -> Telling {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, told)) = named.iter().find(|(known, _)| &**known == name) {
            return told.happened(now);
        }
        if named.len() == MOST {
            return self.others.happened(now);
        }
        let told = Repeated::default();
        let telling = told.happened(now);
        named.push((name.into(), told));
        telling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_told_and_many_are_told_together() {
        let refusals = Refusals::default();
        let now = Instant::now();
        let is_told = |name: &str| matches!(refusals.happened(name, now), Telling::Now { .. });
        assert!(is_told("a") && is_told("b"));
        assert!(!is_told("a") && !is_told("b"));
        let told = (0..1000).filter(|number| is_told(&number.to_string())).count();
        assert_eq!(told, MOST - 2 + 1);
    }
}
