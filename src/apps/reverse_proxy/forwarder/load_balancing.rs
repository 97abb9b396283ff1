//! Which of the destinations that can answer gets a request.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::apps::reverse_proxy::options::LoadBalancing;

/// What balancing looks at.
pub(crate) trait Candidate {
    fn name(&self) -> &str;

    /// How many requests it answers at the moment.
    fn load(&self) -> usize;

    /// Its share at the moment, beside the others. At least 1.
    fn weight(&self) -> u64;
}

/// The destinations that can answer, prepared for one policy.
#[derive(Debug)]
pub(crate) struct Choice<D> {
    policy: LoadBalancing,
    candidates: Box<[D]>,
    /// Their shares, beside each other.
    weights: Box<[u64]>,
    /// Places of candidates in the order of their turns; empty where all have the same weight.
    turns: Box<[u32]>,
    /// The weights of candidates up to and with each; empty where all have the same.
    shares: Box<[u32]>,
    first: usize,
}

/// Weights are scaled down to this sum, so that the order of turns stays short.
const MOST_TURNS: u128 = 4096;

impl<D: Candidate> Choice<D> {
    pub(crate) fn new(policy: LoadBalancing, candidates: Vec<D>) -> Self {
        let by_name = |a: &(usize, &D), b: &(usize, &D)| ordinal(a.1.name(), b.1.name());
        let first = candidates.iter().enumerate().min_by(by_name).map_or(0, |(place, _)| place);
        let weights = reduced(candidates.iter().map(Candidate::weight).collect());
        let are_equal = weights.windows(2).all(|two| two[0] == two[1]);
        let scaled = if are_equal { Vec::new() } else { scaled(&weights) };
        let mut sum = 0;
        let shares = scaled.iter().map(|weight| {
            sum += weight;
            sum
        });
        let shares = shares.collect();
        let turns = match policy {
            LoadBalancing::RoundRobin | LoadBalancing::LeastRequests => smooth_turns(&scaled),
            _ => Box::default(),
        };
        let (candidates, weights) = (candidates.into(), weights.into());
        Self { policy, candidates, weights, turns, shares, first }
    }

    pub(crate) fn candidates(&self) -> &[D] {
        &self.candidates
    }

    /// Picks one; `None` if there is none. `turn` counts the requests of the cluster, `random` gives a number
    /// below another one.
    pub(crate) fn pick(&self, turn: &AtomicUsize, random: impl Fn(usize) -> usize) -> Option<&D> {
        let count = self.candidates.len();
        if count < 2 {
            return self.candidates.first();
        }
        let place = match self.policy {
            LoadBalancing::FirstAlphabetical => self.first,
            LoadBalancing::Random => self.at_random(&random),
            LoadBalancing::RoundRobin => self.of_turn(turn),
            LoadBalancing::LeastRequests => {
                // Those that are level take turns.
                let first = self.of_turn(turn);
                let places = (first..count).chain(0..first);
                places.min_by(|a, b| self.compare_load(*a, *b)).unwrap_or(first)
            }
            LoadBalancing::PowerOfTwoChoices => {
                let one = self.at_random(&random);
                let other = (one + 1 + random(count - 1)) % count;
                match self.compare_load(one, other) {
                    Order::Greater => other,
                    Order::Less | Order::Equal => one,
                }
            }
        };
        self.candidates.get(place)
    }

    /// Whose turn it is.
    fn of_turn(&self, turn: &AtomicUsize) -> usize {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        match self.turns.len() {
            0 => turn % self.candidates.len(),
            turns => self.turns[turn % turns] as usize,
        }
    }

    fn at_random(&self, random: &impl Fn(usize) -> usize) -> usize {
        match self.shares.last() {
            None => random(self.candidates.len()),
            Some(sum) => {
                let drawn = random(*sum as usize) as u32;
                self.shares.partition_point(|upto| *upto <= drawn)
            }
        }
    }

    /// Compares what two answer, each in proportion to its weight.
    fn compare_load(&self, one: usize, other: usize) -> Order {
        let of = |it: usize, beside: usize| {
            self.candidates[it].load() as u128 * u128::from(self.weights[beside])
        };
        of(one, other).cmp(&of(other, one))
    }
}

/// Compares names as .NET does by their ordinals, ignoring case.
fn ordinal(one: &str, other: &str) -> Order {
    let upper = |name: &str| name.chars().flat_map(char::to_uppercase).collect::<String>();
    upper(one).cmp(&upper(other))
}

/// The same weights in the smallest numbers.
fn reduced(mut weights: Vec<u64>) -> Vec<u64> {
    let common = weights.iter().fold(0, |common, weight| greatest_common(common, *weight));
    weights.iter_mut().for_each(|weight| *weight /= common.max(1));
    weights
}

fn greatest_common(mut one: u64, mut other: u64) -> u64 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

fn scaled(weights: &[u64]) -> Vec<u32> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let scale = |weight: &u64| match sum > MOST_TURNS {
        true => (u128::from(*weight) * MOST_TURNS / sum).max(1) as u32,
        false => *weight as u32,
    };
    weights.iter().map(scale).collect()
}

/// The order of turns in which heavier ones do not come several times in a row where others could come
/// between.
fn smooth_turns(weights: &[u32]) -> Box<[u32]> {
    let sum: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
    let mut due = vec![0i64; weights.len()];
    let turn = |_| {
        for (due, weight) in due.iter_mut().zip(weights) {
            *due += i64::from(*weight);
        }
        let next = (0..due.len()).rev().max_by_key(|place| due[*place]).unwrap_or(0);
        due[next] -= sum;
        u32::try_from(next).unwrap_or(0)
    };
    (0..sum).map(turn).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Fixed(&'static str, usize, u32);

    impl Candidate for Fixed {
        fn name(&self) -> &str {
            self.0
        }

        fn load(&self) -> usize {
            self.1
        }

        fn weight(&self) -> u64 {
            u64::from(self.2)
        }
    }

    fn picks(policy: LoadBalancing, all: &[Fixed], drawn: &[usize], times: usize) -> String {
        let choice = Choice::new(policy, all.to_vec());
        let (turn, drawn) = (AtomicUsize::new(0), (Cell::new(0), drawn));
        let random = |below: usize| {
            let at = drawn.0.replace(drawn.0.get() + 1);
            drawn.1[at % drawn.1.len()] % below
        };
        (0..times).map(|_| choice.pick(&turn, random).map_or("-", |it| it.0)).collect()
    }

    #[test]
    fn each_policy_picks_by_its_rule() {
        use LoadBalancing::*;
        let level = [Fixed("b", 0, 1), Fixed("A", 0, 1), Fixed("c", 0, 1)];
        let busy = [Fixed("b", 3, 1), Fixed("A", 1, 1), Fixed("c", 2, 1)];
        let heavy = [Fixed("b", 3, 4), Fixed("A", 1, 1), Fixed("c", 2, 1)];
        for (policy, all, drawn, expected) in [
            (RoundRobin, &level, &[0][..], "bAcbAc"),
            (RoundRobin, &heavy, &[0], "bbAbcb"),
            (FirstAlphabetical, &level, &[0], "AAAAAA"),
            (Random, &level, &[2, 0, 1], "cbAcbA"),
            (Random, &heavy, &[3, 4, 5], "bAcbAc"),
            (LeastRequests, &level, &[0], "bAcbAc"),
            (
                LeastRequests,
                &[Fixed("b", 0, 20), Fixed("A", 0, 10), Fixed("c", 9, 10)],
                &[0],
                "bAbbbA",
            ),
            (LeastRequests, &busy, &[0], "AAAAAA"),
            (LeastRequests, &heavy, &[0], "bbbbbb"),
            // The one that is drawn first, and the distance of the other.
            (PowerOfTwoChoices, &level, &[0, 0, 2, 1], "bcbcbc"),
            (PowerOfTwoChoices, &busy, &[0, 0, 0, 1], "AcAcAc"),
        ] {
            assert_eq!(picks(policy, all, drawn, 6), expected, "{policy:?} {all:?}");
        }
    }

    #[test]
    fn one_is_picked_whatever_the_policy_and_none_of_none() {
        assert_eq!(picks(LoadBalancing::Random, &[Fixed("a", 9, 1)], &[0], 2), "aa");
        assert_eq!(picks(LoadBalancing::RoundRobin, &[], &[0], 1), "-");
    }

    proptest! {
        /// Whatever the numbers are in which they are written.
        #[test]
        fn turns_are_in_proportion_to_weights(
            weights in prop::collection::vec(1_u32..20, 2..6), times in 1_u32..1000,
        ) {
            const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
            let all = |times: u32| -> Vec<Fixed> {
                NAMES.iter().zip(&weights).map(|(name, weight)| Fixed(name, 0, weight * times)).collect()
            };
            let sum: u32 = weights.iter().sum();
            for policy in [LoadBalancing::RoundRobin, LoadBalancing::LeastRequests] {
                let picked = picks(policy, &all(times), &[0], sum as usize * 2);
                prop_assert_eq!(&picked, &picks(policy, &all(1), &[0], sum as usize * 2));
                for (name, weight) in NAMES.iter().zip(&weights) {
                    prop_assert_eq!(picked.matches(name).count(), 2 * *weight as usize, "{:?} {}", policy, picked);
                }
            }
        }
    }

    #[test]
    fn large_weights_are_kept_in_proportion() {
        let turns = smooth_turns(&scaled(&[3_000_000_000, 1_000_000_000]));
        let first = turns.iter().filter(|turn| **turn == 0).count();
        assert_eq!((turns.len(), first), (4096, 3072));
    }
}
