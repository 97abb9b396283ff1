//! The pauses between looks whether a process is ready.
//!
//! They grow with the time that it takes: fast programs do not wait for their host, and the others are not disturbed.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// The shortest of them, and the longest.
const SHORTEST: Duration = Duration::from_micros(250);
const LONGEST: Duration = Duration::from_millis(20);

/// What a start may take longer because nobody looked, as a part of it.
const PART: u32 = 16;

/// From here on, the clock of the runtime is fine enough: its pauses are of whole milliseconds, and one of a millisecond takes
/// up to two.
const COARSE: Duration = Duration::from_millis(4);

#[derive(Debug)]
pub(super) struct Pauses {
    since: Instant,
}

impl Pauses {
    /// The pauses of a start that begins now.
    pub(super) fn new() -> Self {
        Self { since: Instant::now() }
    }

    /// Begins with short ones again: something has happened.
    pub(super) fn begin_again(&mut self) {
        self.since = Instant::now();
    }

    fn length(&self) -> Duration {
        (self.since.elapsed() / PART).clamp(SHORTEST, LONGEST)
    }

    /// Waits for the time of the next look.
    pub(super) async fn next(&self) {
        let pause = self.length();
        if pause >= COARSE {
            return sleep(pause).await;
        }
        tokio::select! {
            // A thread sleeps as long as it is told to.
            _ = spawn_blocking(move || thread::sleep(pause)) => {}
            // There may be none to be had.
            () = sleep(COARSE) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pauses_grow_with_the_time_that_a_start_takes() {
        for (taken, least) in [(0, 250), (100, 6_250), (1_000, 20_000), (60_000, 20_000)] {
            let since = Instant::now() - Duration::from_millis(taken);
            let mut pauses = Pauses { since };
            let pause = pauses.length();
            assert!(
                pause >= Duration::from_micros(least) && pause <= LONGEST,
                "{taken}: {pause:?}"
            );
            let begun = Instant::now();
            pauses.next().await;
            assert!(begun.elapsed() >= pause.min(COARSE), "{taken}");
            pauses.begin_again();
            assert!(pauses.length() < LONGEST);
        }
    }
}
