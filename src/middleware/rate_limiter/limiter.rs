//! A policy at work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::StatusCode;

use super::limit::Limit;
use super::partition_by::{Keys, PartitionBy};
use super::partitions::{Asked, Partitions, Queue};
use crate::diagnostics::{Repeated, events};
use crate::pipeline::Request;

/// How many requests pass of whom, and who may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RatePolicy {
    /// Its name in the settings.
    pub(crate) name: String,
    pub(crate) limit: Limit,
    pub(crate) by: PartitionBy,
    pub(crate) queue: Queue,
}

/// A policy at work.
#[derive(Debug)]
pub(super) struct Limiter {
    policy: RatePolicy,
    most_partitions: usize,
    keys: Keys,
    partitions: Arc<Partitions>,
    told: Repeated,
}

impl Limiter {
    fn new(policy: RatePolicy, most_partitions: usize) -> Self {
        let partitions = Partitions::new(policy.limit, policy.queue, most_partitions);
        Self {
            policy,
            most_partitions,
            keys: Keys::default(),
            partitions,
            told: Repeated::default(),
        }
    }

    /// Whether it is the policy of this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let own = self.policy.name.strip_prefix("Policies:");
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    pub(super) fn ask(&self, request: &Request) -> Asked {
        self.partitions.ask(self.keys.of(&self.policy.by, request))
    }

    pub(super) fn tell_rejected(&self, status: StatusCode) {
        let telling = self.told.happened(Instant::now());
        events::rate_limit_exceeded(&self.policy.name, status.as_u16(), telling);
    }
}

/// The policies that are at work, from one reload to the next.
#[derive(Debug, Default)]
pub(crate) struct Limiters(Mutex<Vec<Arc<Limiter>>>);

impl Limiters {
    /// A limiter for each of these policies: the one that is at work, with all that it has counted, if it
    /// goes by the same; else a new one.
    pub(super) fn of<'a>(
        &self,
        policies: impl Iterator<Item = &'a RatePolicy>,
        most_partitions: usize,
    ) -> Vec<Arc<Limiter>> {
        let mut at_work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = |policy: &RatePolicy| {
            let same =
                |it: &&Arc<Limiter>| it.policy == *policy && it.most_partitions == most_partitions;
            match at_work.iter().find(same) {
                Some(same) => Arc::clone(same),
                None => Arc::new(Limiter::new(policy.clone(), most_partitions)),
            }
        };
        let limiters: Vec<_> = policies.map(limiter).collect();
        at_work.clone_from(&limiters);
        limiters
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn policy(name: &str, permits: u32) -> RatePolicy {
        RatePolicy {
            name: name.to_owned(),
            limit: Limit::FixedWindow { permits, window: Duration::from_secs(1) },
            by: PartitionBy::ClientAddress,
            queue: Queue::default(),
        }
    }

    #[test]
    fn a_policy_that_stays_as_it_is_goes_on_counting() {
        let at_work = Limiters::default();
        let before = at_work.of([policy("a", 1), policy("b", 1)].iter(), 10);
        let after = at_work.of([policy("b", 1), policy("a", 2)].iter(), 10);
        assert!(Arc::ptr_eq(&before[1], &after[0]));
        assert!(!Arc::ptr_eq(&before[0], &after[1]));
        let smaller = at_work.of([policy("b", 1)].iter(), 5);
        assert!(!Arc::ptr_eq(&after[0], &smaller[0]));
    }
}
