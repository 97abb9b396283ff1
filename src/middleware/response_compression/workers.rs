//! Where encoders work that take long: on few threads that nobody else needs, and few of them at all.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many encoders there may be: one takes 30 MB and more.
const MOST: usize = 16;

static THERE: Semaphore = Semaphore::const_new(MOST);

/// Half of the processors are left to everybody else, even when all of these are at work.
static AT_WORK: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, usize::from);
    Semaphore::new((processors / 2).max(1))
});

/// What an encoder has as long as it is there.
#[derive(Debug)]
pub(super) struct Place(
    #[expect(dead_code, reason = "it is given back when it is dropped")] SemaphorePermit<'static>,
);

/// A place for one more encoder, if one is free.
pub(super) fn place() -> Option<Place> {
    THERE.try_acquire().ok().map(Place)
}

/// Works on another thread, behind those who have waited longer. `None`, if it failed.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = AT_WORK.acquire().await.ok()?;
    let work = move || {
        // Until it is done, even if nobody waits for it any more.
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.ok()
}
