//! Small files in memory, by the path that asks for them. What is here is looked up on the disk again after a
//! second; what was asked for once only does not come in, and what is least asked for goes first.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::encodings::Accepted;
use super::representation::{Content, Representation};

/// The largest file that is kept.
pub(super) const MOST_OF_ONE: u64 = 64 * 1024;

/// How much all files take together.
const MOST: usize = 64 * 1024 * 1024;

/// What one takes besides its bytes: headers, names, places in tables.
const OVERHEAD: usize = 1024;

/// How long a file is taken to be what it was.
const FRESH: Duration = Duration::from_secs(1);

/// The files in memory.
#[derive(Debug)]
pub(super) struct Cache {
    kept: RwLock<Kept>,
    /// Marks of what was asked for lately, by its hash.
    seen: OnceLock<Box<[AtomicU32]>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Kept {
    by_path: HashMap<Box<str>, Vec<(Accepted, Arc<Representation>)>>,
    /// The same, the oldest first.
    order: VecDeque<(Box<str>, Accepted)>,
    size: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Cache {
    fn of(most: usize) -> Self {
        Self { kept: RwLock::default(), seen: OnceLock::new(), most }
    }

    /// What is kept for a path, and whether it has to be looked up again.
    pub(super) fn get(
        &self,
        path: &str,
        accepted: Accepted,
    ) -> Option<(Arc<Representation>, bool)> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let all = kept.by_path.get(path)?;
        let (_, it) = all.iter().find(|(of, _)| *of == accepted)?;
        it.mark_used();
        let fresh = now().saturating_sub(it.checked()) < FRESH.as_millis() as u64;
        Some((Arc::clone(it), fresh))
    }

    /// Keeps what was found at a path just now, if it is small and not asked for the first time.
    pub(super) fn offer(&self, path: &str, accepted: Accepted, found: &Arc<Representation>) {
        found.check(now());
        if matches!(found.content, Content::File(_)) || size(found) > self.most {
            return;
        }
        let is_known = |kept: &Kept| kept.by_path.contains_key(path);
        if !is_known(&self.kept.read().unwrap_or_else(PoisonError::into_inner)) && !self.again(path)
        {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.put(path, accepted, found);
        kept.shrink(self.most);
    }

    /// Forgets what was at a path.
    pub(super) fn forget(&self, path: &str) {
        let is_kept = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            kept.by_path.contains_key(path)
        };
        if is_kept {
            self.kept.write().unwrap_or_else(PoisonError::into_inner).remove(path);
        }
    }

    /// Whether a path was asked for before, and not many others since.
    fn again(&self, path: &str) -> bool {
        const PLACES: usize = 4096;
        let seen = self.seen.get_or_init(|| (0..PLACES).map(|_| AtomicU32::new(0)).collect());
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let hash = kept.by_path.hasher().hash_one(path);
        // The upper half marks, the lower half finds the place. No mark is 0, which is nobody's.
        let mark = (hash >> 32) as u32 | 1;
        let Some(place) = seen.get(hash as usize % PLACES) else { return false };
        place.swap(mark, Ordering::Relaxed) == mark
    }
}

impl Kept {
    fn put(&mut self, path: &str, accepted: Accepted, found: &Arc<Representation>) {
        self.size += size(found);
        let all = match self.by_path.get_mut(path) {
            Some(all) => all,
            None => self.by_path.entry(path.into()).or_default(),
        };
        match all.iter_mut().find(|(of, _)| *of == accepted) {
            Some((_, before)) => {
                self.size -= size(before);
                *before = Arc::clone(found);
            }
            None => {
                all.push((accepted, Arc::clone(found)));
                self.order.push_back((path.into(), accepted));
            }
        }
    }

    /// Drops the oldest that nobody asked for since they were looked at last.
    fn shrink(&mut self, most: usize) {
        while self.size > most
            && let Some((path, accepted)) = self.order.pop_front()
        {
            let Some(all) = self.by_path.get_mut(&path) else { continue };
            let Some(place) = all.iter().position(|(of, _)| *of == accepted) else { continue };
            if all[place].1.take_used() {
                self.order.push_back((path, accepted));
                continue;
            }
            self.size -= size(&all.swap_remove(place).1);
            if all.is_empty() {
                self.by_path.remove(&path);
            }
        }
    }

    fn remove(&mut self, path: &str) {
        for (_, gone) in self.by_path.remove(path).into_iter().flatten() {
            self.size -= size(&gone);
        }
        self.order.retain(|(of, _)| &**of != path);
    }
}

fn size(of: &Representation) -> usize {
    match &of.content {
        Content::Bytes(bytes) => bytes.len() + OVERHEAD,
        Content::File(_) => OVERHEAD,
    }
}

/// Milliseconds since some moment before. The first one is far from 0, when nothing was checked.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed() + Duration::from_secs(3600);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::middleware::static_files::options::FileOptions;
    use crate::middleware::static_files::representation::Named;
    use crate::middleware::static_files::root::{Found, Root, Wait};

    /// A file of so many bytes.
    fn file(bytes: usize) -> Arc<Representation> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), vec![0; bytes]).unwrap();
        let Ok(Found::File(open)) = Root::new(folder.path().into()).open("a", Wait::Yes) else {
            panic!("it is there");
        };
        let named = Named { name: "a", content_type: None, encoding: None };
        let content = Some(Bytes::from(vec![0; bytes]));
        Arc::new(Representation::new(named, open, content, &FileOptions::default()))
    }

    fn has(cache: &Cache, path: &str) -> bool {
        cache.get(path, Accepted::default()).is_some()
    }

    #[test]
    fn what_is_asked_for_twice_is_kept_and_fresh_for_a_second() {
        let cache = Cache::default();
        let it = file(10);
        cache.offer("/a", Accepted::default(), &it);
        assert!(!has(&cache, "/a"), "it came once");
        cache.offer("/a", Accepted::default(), &it);
        assert!(cache.get("/a", Accepted::default()).is_some_and(|(_, fresh)| fresh));
        it.check(now() - 1000);
        assert!(cache.get("/a", Accepted::default()).is_some_and(|(_, fresh)| !fresh));
        cache.forget("/a");
        assert!(!has(&cache, "/a"));
    }

    #[test]
    fn what_is_least_used_goes_first_and_the_size_is_kept() {
        let cache = Cache::of(10 * (1000 + OVERHEAD));
        for round in 0..40 {
            for _ in 0..2 {
                cache.offer(&format!("/{round}"), Accepted::default(), &file(1000));
            }
            assert!(round == 0 || has(&cache, "/0"), "{round}");
        }
        let kept = cache.kept.read().unwrap();
        assert_eq!(kept.size, 10 * (1000 + OVERHEAD));
        assert_eq!((kept.by_path.len(), kept.order.len()), (10, 10));
    }

    #[test]
    fn a_file_in_another_state_takes_the_place_of_the_first() {
        let cache = Cache::default();
        for bytes in [10, 10, 20] {
            cache.offer("/a", Accepted::default(), &file(bytes));
        }
        let (it, _) = cache.get("/a", Accepted::default()).unwrap();
        assert_eq!(it.length, 20);
        assert_eq!(cache.kept.read().unwrap().size, 20 + OVERHEAD);
    }
}
