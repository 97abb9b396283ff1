//! Small files in memory, and large ones that are open, by the path that asks for them. What is here is looked up
//! on the disk again after a second; what was asked for once only does not come in, and what is least asked for
//! goes first.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::encodings::Accepted;
use super::representation::{Content, Representation};

/// The largest file that is kept.
pub(super) const MOST_OF_ONE: u64 = 64 * 1024;

/// How much all files take together.
const MOST: usize = 64 * 1024 * 1024;

/// What one takes besides its bytes: headers, and those that are prepared; names, places in tables.
const OVERHEAD: usize = 3 * 1024;

/// How many files are open. Descriptors are few, and a file that is open keeps its room on the disk when it is
/// removed.
const MOST_OPEN: usize = 128;

/// How long a file is taken to be what it was.
const FRESH: Duration = Duration::from_secs(1);

/// How long a file stays open that nobody asks for; it may be twice that.
pub(super) const UNUSED: Duration = Duration::from_secs(5);

/// Files that are kept: in memory, or open.
#[derive(Debug)]
pub(super) struct Cache {
    kept: RwLock<Kept>,
    /// Marks of what was asked for lately, by its hash.
    seen: OnceLock<Box<[AtomicU32]>>,
    most: usize,
    /// Somebody sees to it that nothing stays open.
    swept: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    by_path: HashMap<Box<str>, Vec<(Accepted, Arc<Representation>)>>,
    /// The same, the oldest first.
    order: VecDeque<(Box<str>, Accepted)>,
    size: usize,
}

impl Cache {
    /// For files in memory.
    pub(super) fn of_bytes() -> Self {
        Self::new(MOST)
    }

    /// For files that are open.
    pub(super) fn of_open_files() -> Self {
        Self::new(MOST_OPEN)
    }

    fn new(most: usize) -> Self {
        let (kept, seen, swept) = Default::default();
        Self { kept, seen, most, swept }
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

    /// Keeps what was found at a path just now, if it is not asked for the first time.
    pub(super) fn offer(&self, path: &str, accepted: Accepted, found: &Arc<Representation>) {
        // What was changed just now may be in the middle of it, and is looked at each time until then.
        found.check(if found.is_young() { 0 } else { now() });
        if size(path, found) > self.most {
            return;
        }
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if !kept.by_path.contains_key(path) && !self.again(&kept, path) {
                return;
            }
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

    /// Whether somebody has to begin to see to it that nothing stays open, by [`close_unused`].
    ///
    /// [`close_unused`]: Self::close_unused
    pub(super) fn begins_to_be_swept(&self) -> bool {
        !self.swept.load(Ordering::Acquire) && !self.swept.swap(true, Ordering::AcqRel)
    }

    /// Lets go of what nobody has asked for lately. Whether something is left: else this has come to its end.
    pub(super) fn close_unused(&self) -> bool {
        let since = now().saturating_sub(UNUSED.as_millis() as u64);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.keep_checked(since);
        if kept.by_path.is_empty() {
            // Whoever puts something in from now on begins again.
            self.swept.store(false, Ordering::Release);
        }
        !kept.by_path.is_empty()
    }

    /// Whether a path was asked for before, and not many others since.
    fn again(&self, kept: &Kept, path: &str) -> bool {
        const PLACES: usize = 4096;
        let seen = self.seen.get_or_init(|| (0..PLACES).map(|_| AtomicU32::new(0)).collect());
        let hash = kept.by_path.hasher().hash_one(path);
        // The upper half marks, the lower half finds the place. No mark is 0, which is nobody's.
        let mark = (hash >> 32) as u32 | 1;
        let Some(place) = seen.get(hash as usize % PLACES) else { return false };
        place.swap(mark, Ordering::Relaxed) == mark
    }
}

impl Kept {
    fn put(&mut self, path: &str, accepted: Accepted, found: &Arc<Representation>) {
        self.size += size(path, found);
        let all = match self.by_path.get_mut(path) {
            Some(all) => all,
            None => self.by_path.entry(path.into()).or_default(),
        };
        match all.iter_mut().find(|(of, _)| *of == accepted) {
            Some((_, before)) => {
                self.size -= size(path, before);
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
            self.size -= size(&path, &all.swap_remove(place).1);
            if all.is_empty() {
                self.by_path.remove(&path);
            }
        }
    }

    /// Drops what was not looked up since then.
    fn keep_checked(&mut self, since: u64) {
        let Self { by_path, order, size: all } = self;
        by_path.retain(|path, of_path| {
            of_path.retain(|(_, it)| {
                let stays = it.checked() >= since;
                if !stays {
                    *all -= size(path, it);
                }
                stays
            });
            !of_path.is_empty()
        });
        order.retain(|(path, accepted)| {
            by_path.get(path).is_some_and(|all| all.iter().any(|(of, _)| of == accepted))
        });
    }

    fn remove(&mut self, path: &str) {
        for (_, gone) in self.by_path.remove(path).into_iter().flatten() {
            self.size -= size(path, &gone);
        }
        self.order.retain(|(of, _)| &**of != path);
    }
}

/// What one takes. Its path stands in both tables; it may be longer than the file, which has many: `/a`, `//a`, `///a`.
fn size(path: &str, of: &Representation) -> usize {
    match &of.content {
        Content::Bytes(bytes) => bytes.len() + OVERHEAD + 2 * path.len(),
        Content::File(_) => 1,
    }
}

/// Milliseconds since some moment before. The first one is far from 0, when nothing was checked.
#[cfg(target_os = "linux")]
fn now() -> u64 {
    use nix::time::{ClockId, clock_gettime};

    // A few milliseconds coarse, and a fraction of the exact one's price.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).map_or(Duration::ZERO, Duration::from);
    u64::try_from((now + EARLIER).as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since some moment before. The first one is far from 0, when nothing was checked.
#[cfg(not(target_os = "linux"))]
fn now() -> u64 {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    let since = START.get_or_init(std::time::Instant::now).elapsed() + EARLIER;
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How long ago the clock began, at least.
const EARLIER: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::middleware::static_files::options::FileOptions;
    use crate::middleware::static_files::representation::Named;
    use crate::middleware::static_files::root::{Found, Root, Wait};

    /// A file of so many bytes, in memory.
    fn file(bytes: usize) -> Arc<Representation> {
        represented(bytes, Some(Bytes::from(vec![0; bytes])))
    }

    #[test]
    fn what_was_changed_just_now_is_looked_at_each_time_and_read_again_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "a").unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let now = std::time::SystemTime::now();
        for (modified, is_fresh) in
            [(now, false), (now - FRESH, false), (now - 2 * FRESH, true), (now + 60 * FRESH, true)]
        {
            file.set_modified(modified).unwrap();
            let Ok(Found::File(open)) = Root::new(folder.path().into()).open("a", Wait::Yes) else {
                panic!("it is there");
            };
            let named = Named { name: "a", content_type: None, encoding: None };
            let bytes = Some(Bytes::from_static(b"a"));
            let it = Arc::new(Representation::new(named, open, bytes, &FileOptions::default()));
            let cache = Cache::of_bytes();
            for _ in 0..2 {
                cache.offer("/a", Accepted::default(), &it);
            }
            let (_, fresh) = cache.get("/a", Accepted::default()).unwrap();
            assert_eq!(fresh, is_fresh, "{modified:?}");
            // Where the system's clock ticks slowly, one more change may look the same.
            assert_eq!(it.is("a", it.identity), is_fresh, "{modified:?}");
            assert!(!it.is("b", it.identity));
        }
    }

    fn represented(bytes: usize, content: Option<Bytes>) -> Arc<Representation> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, vec![0; bytes]).unwrap();
        let long_ago = std::time::SystemTime::now() - 10 * FRESH;
        std::fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        let Ok(Found::File(open)) = Root::new(folder.path().into()).open("a", Wait::Yes) else {
            panic!("it is there");
        };
        let named = Named { name: "a", content_type: None, encoding: None };
        Arc::new(Representation::new(named, open, content, &FileOptions::default()))
    }

    fn has(cache: &Cache, path: &str) -> bool {
        cache.get(path, Accepted::default()).is_some()
    }

    #[test]
    fn what_is_asked_for_twice_is_kept_and_fresh_for_a_second() {
        let cache = Cache::of_bytes();
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
        let size = |path: &str| 1000 + OVERHEAD + 2 * path.len();
        let cache = Cache::new(10 * size("/00"));
        for round in 0..40 {
            for _ in 0..2 {
                cache.offer(&format!("/{round}"), Accepted::default(), &file(1000));
            }
            assert!(round == 0 || has(&cache, "/0"), "{round}");
        }
        let kept = cache.kept.read().unwrap();
        assert_eq!(kept.size, kept.by_path.keys().map(|path| size(path)).sum::<usize>());
        assert_eq!((kept.by_path.len(), kept.order.len()), (10, 10));
    }

    #[test]
    fn ways_to_write_the_path_of_a_file_take_no_more_than_files_do() {
        let (most, file) = (100 * (10 + OVERHEAD), file(10));
        let cache = Cache::new(most);
        for slashes in 4000..4200 {
            for _ in 0..2 {
                cache.offer(&format!("{}a", "/".repeat(slashes)), Accepted::default(), &file);
            }
        }
        let kept = cache.kept.read().unwrap();
        let paths = kept.by_path.keys().chain(kept.order.iter().map(|(path, _)| path));
        let taken: usize = paths.map(|path| path.len()).sum();
        assert!(taken > 0 && taken < most, "{taken} of {most}");
    }

    #[test]
    fn a_file_in_another_state_takes_the_place_of_the_first() {
        let cache = Cache::of_bytes();
        for bytes in [10, 10, 20] {
            cache.offer("/a", Accepted::default(), &file(bytes));
        }
        let (it, _) = cache.get("/a", Accepted::default()).unwrap();
        assert_eq!(it.length, 20);
        assert_eq!(cache.kept.read().unwrap().size, 20 + OVERHEAD + 2 * "/a".len());
    }

    #[test]
    fn open_files_are_few_and_closed_when_nobody_asks_for_them() {
        let cache = Cache::of_open_files();
        assert!(cache.begins_to_be_swept() && !cache.begins_to_be_swept());
        let files: Vec<_> = (0..2 * MOST_OPEN).map(|_| represented(10, None)).collect();
        for (number, file) in files.iter().enumerate() {
            for _ in 0..2 {
                cache.offer(&format!("/{number}"), Accepted::default(), file);
            }
        }
        assert_eq!(cache.kept.read().unwrap().size, MOST_OPEN);
        assert!(cache.close_unused());
        let last = format!("/{}", files.len() - 1);
        for file in &files[..files.len() - 1] {
            file.check(now() - 2 * UNUSED.as_millis() as u64);
        }
        assert!(cache.close_unused() && has(&cache, &last));
        {
            let kept = cache.kept.read().unwrap();
            assert_eq!((kept.size, kept.order.len()), (1, 1));
        }
        files[files.len() - 1].check(0);
        assert!(!cache.close_unused() && !has(&cache, &last));
        assert!(cache.begins_to_be_swept());
        assert!(files.iter().all(|file| Arc::strong_count(file) == 1));
    }
}
