//! A table with a bound: what is not there yet takes the place of what was used longest ago.

use std::collections::HashMap;

/// The oldest entries that are looked at for one that may go: a table full of those that may not must
/// not take time.
const LOOKED_AT: usize = 64;

/// No place.
const NONE: usize = usize::MAX;

/// Values by their keys, and in the order in which they were used.
#[derive(Debug)]
pub(super) struct Recent<V> {
    most: usize,
    places: HashMap<u64, usize>,
    entries: Vec<Entry<V>>,
    oldest: usize,
    newest: usize,
}

#[derive(Debug)]
struct Entry<V> {
    key: u64,
    older: usize,
    newer: usize,
    value: V,
}

impl<V> Recent<V> {
    /// For so many at most. Room is made as it is needed.
    pub(super) fn new(most: usize) -> Self {
        Self { most, places: HashMap::new(), entries: Vec::new(), oldest: NONE, newest: NONE }
    }

    /// What is there for a key, which is not used by that.
    pub(super) fn get(&mut self, key: u64) -> Option<&mut V> {
        let place = *self.places.get(&key)?;
        self.entries.get_mut(place).map(|entry| &mut entry.value)
    }

    /// What is there for a key, or is made now, and used. The oldest that `may_go` goes for it, if need
    /// be; `None` if there is none.
    pub(super) fn used(
        &mut self,
        key: u64,
        make: impl FnOnce() -> V,
        may_go: impl Fn(&V) -> bool,
    ) -> Option<&mut V> {
        let place = match self.places.get(&key) {
            Some(place) => {
                let place = *place;
                self.take_out(place);
                place
            }
            None => {
                let entry = Entry { key, older: NONE, newer: NONE, value: make() };
                let place = self.put(entry, may_go)?;
                self.places.insert(key, place);
                place
            }
        };
        self.make_newest(place);
        self.entries.get_mut(place).map(|entry| &mut entry.value)
    }

    /// Puts an entry somewhere; it is not in the order yet.
    fn put(&mut self, entry: Entry<V>, may_go: impl Fn(&V) -> bool) -> Option<usize> {
        if self.entries.len() < self.most {
            self.entries.push(entry);
            return Some(self.entries.len() - 1);
        }
        let mut place = self.oldest;
        for _ in 0..LOOKED_AT {
            let old = self.entries.get(place)?;
            if may_go(&old.value) {
                self.places.remove(&old.key);
                self.take_out(place);
                self.entries[place] = entry;
                return Some(place);
            }
            place = old.newer;
        }
        None
    }

    fn take_out(&mut self, place: usize) {
        let Entry { older, newer, .. } = self.entries[place];
        match self.entries.get_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.entries.get_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }

    fn make_newest(&mut self, place: usize) {
        let before = std::mem::replace(&mut self.newest, place);
        match self.entries.get_mut(before) {
            Some(entry) => entry.newer = place,
            None => self.oldest = place,
        }
        let entry = &mut self.entries[place];
        (entry.older, entry.newer) = (before, NONE);
    }

    #[cfg(test)]
    fn in_order(&self) -> Vec<u64> {
        let mut keys = Vec::new();
        let mut place = self.oldest;
        while let Some(entry) = self.entries.get(place) {
            keys.push(entry.key);
            place = entry.newer;
        }
        assert_eq!(keys.len(), self.places.len());
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_and_may_go_makes_room() {
        let mut recent = Recent::new(3);
        let may_go = |value: &u64| *value < 100;
        for (key, order) in [
            (1, Some(&[1][..])),
            (2, Some(&[1, 2])),
            (1, Some(&[2, 1])),
            (1, Some(&[2, 1])),
            (103, Some(&[2, 1, 103])),
            (4, Some(&[1, 103, 4])),
            (5, Some(&[103, 4, 5])),
            (6, Some(&[103, 5, 6])),
            (107, Some(&[103, 6, 107])),
            (108, Some(&[103, 107, 108])),
            (9, None),
            (103, Some(&[107, 108, 103])),
        ] {
            let used = recent.used(key, || key, may_go).copied();
            assert_eq!(used, order.map(|_| key), "{key}");
            if let Some(order) = order {
                assert_eq!(recent.in_order(), order, "{key}");
            }
        }
        assert_eq!(recent.get(108), Some(&mut 108));
        assert_eq!(recent.get(9), None);
        assert_eq!(recent.in_order(), [107, 108, 103]);
    }

    #[test]
    fn a_table_never_grows_beyond_its_bound() {
        let mut recent = Recent::new(10);
        for key in 0..10_000 {
            assert!(recent.used(key, || (), |()| true).is_some());
        }
        assert_eq!(recent.in_order(), (9990..10_000).collect::<Vec<_>>());
        assert_eq!(recent.entries.len(), 10);
    }
}
