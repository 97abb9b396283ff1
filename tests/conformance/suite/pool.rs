//! Many cases at once.
//!
//! A case mostly waits, for the answer or to see that there is none, so that there are many more
//! workers than processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{panic, thread};

/// What `work` makes of each item, in the order of the items. Items are begun in that order too.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers.min(items.len()))
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(at) else { return };
                        let result = work(item);
                        done.lock().expect("no worker panics while it puts").push((at, result));
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
    });
    let mut done = done.into_inner().expect("no worker panics while it puts");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The harness's test of this file.
pub(crate) fn check() {
    assert_eq!(map(&[3, 1, 2], 2, |item| item * 2), [6, 2, 4]);
    assert!(map(&[] as &[u8], 2, |item| *item).is_empty());
}
