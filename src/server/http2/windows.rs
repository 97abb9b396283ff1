//! How much the client lets us send, and for how long it has let us send nothing (RFC 9113 section
//! 5.2).
//!
//! hyper's library waits for a window as long as it takes. A client that asks for much and opens
//! no window would hold the answer for ever, so that whatever waits behind a window that is used up
//! has to go on at `MinResponseDataRate`. The time in which a window is open is not the client's:
//! then it is the app that has nothing to send.
//!
//! What was sent and for which no window was given back lies with the client, which may take its time
//! for it, at the rate. Where nothing does, the grace period is all there is.

use tokio::time::{Duration, Instant};

use crate::server::pace::Pace;

/// The window of a stream, or of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Negative when the client made it smaller than what was sent.
    left: i64,
    /// What was sent, and the client has not said that it took it.
    held: u64,
    /// Only of one that was used up.
    stall: Option<Stall>,
}

#[derive(Clone, Copy, Debug)]
struct Stall {
    by: Instant,
    /// Since when there is something left again.
    open_since: Option<Instant>,
}

impl Window {
    pub(super) fn new(left: i64) -> Self {
        Self { left, held: 0, stall: None }
    }

    /// So many bytes were sent; true if it is used up now.
    pub(super) fn spend(&mut self, length: u32, pace: Option<Pace>) -> bool {
        self.left -= i64::from(length);
        self.held += u64::from(length);
        // Mostly there is something left, and no clock is asked.
        if self.left > 0 && self.stall.is_none() {
            return false;
        }
        let Some(pace) = pace else {
            return false;
        };
        let now = Instant::now();
        let by = match self.stall {
            None => pace.by_when(self.held),
            Some(stall) => {
                let open = stall.open_since.map_or(Duration::ZERO, |since| now - since);
                pace.earn(stall.by + open, u64::from(length), self.held)
            }
        };
        self.stall = Some(Stall { by, open_since: (self.left > 0).then_some(now) });
        self.left <= 0
    }

    /// The client took something, and lets us send as much again, or still more.
    pub(super) fn widen(&mut self, more: u32) {
        self.held = self.held.saturating_sub(u64::from(more));
        self.resize(i64::from(more));
    }

    /// The client wants the window to be larger, or smaller.
    pub(super) fn resize(&mut self, more: i64) {
        self.left += more;
        if let Some(stall) = &mut self.stall {
            stall.open_since = match self.left > 0 {
                true => stall.open_since.or_else(|| Some(Instant::now())),
                false => None,
            };
        }
    }

    /// By when the client has to open it, if it is used up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.stall.filter(|stall| stall.open_since.is_none()).map(|stall| stall.by)
    }

    /// Nothing waited for it: the time begins anew.
    pub(super) fn put_off(&mut self, pace: Pace) {
        if let Some(stall) = &mut self.stall {
            stall.by = pace.by_when(self.held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::MinDataRate;

    const SECOND: Duration = Duration::from_secs(1);

    /// Ten seconds, or 100 bytes a second.
    fn pace() -> Pace {
        let rate = MinDataRate::new(100.0, 10 * SECOND).expect("a rate");
        Pace { rate, step: 1000 }
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_is_used_up_has_to_be_opened_at_the_rate() {
        let begin = Instant::now();
        let mut window = Window::new(1000);
        assert!(!window.spend(999, Some(pace())));
        assert_eq!(window.due(), None);
        assert!(window.spend(1, Some(pace())));
        assert_eq!(window.due(), Some(begin + 10 * SECOND));
        tokio::time::advance(4 * SECOND).await;
        window.widen(200);
        assert_eq!(window.due(), None, "it is the app that sends nothing");
        tokio::time::advance(60 * SECOND).await;
        assert!(window.spend(200, Some(pace())));
        // Two seconds for 200 bytes, besides the six that were left.
        assert_eq!(window.due(), Some(Instant::now() + 8 * SECOND));
        // A trickle earns next to nothing.
        for _ in 0..7 {
            tokio::time::advance(SECOND).await;
            window.widen(1);
            assert!(window.spend(1, Some(pace())));
        }
        assert_eq!(window.due(), Some(Instant::now() + Duration::from_millis(1070)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_at_once_earns_no_more_than_the_patience() {
        let mut window = Window::new(10);
        for _ in 0..5 {
            assert!(window.spend(100_000, Some(pace())));
            window.widen(100_000);
        }
        window.resize(-1_000_000);
        assert_eq!(window.due(), Some(Instant::now() + 10 * SECOND));
        assert!(!Window::new(1).spend(5, None), "no rate, no time");
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_lies_with_the_client_earns_more_than_the_grace_period() {
        let pace = Pace { step: 4000, ..pace() };
        let in_seconds = |window: &Window| window.due().map(|due| due - Instant::now());
        // It never let anything be sent.
        let mut window = Window::new(0);
        assert!(window.spend(0, Some(pace)));
        assert_eq!(in_seconds(&window), Some(10 * SECOND));
        // It has 3,000 bytes, for which it may take half a minute.
        let mut window = Window::new(3000);
        assert!(window.spend(3000, Some(pace)));
        assert_eq!(in_seconds(&window), Some(30 * SECOND));
        // It took them, and made its window smaller: it has none.
        window.widen(3000);
        window.resize(-3000);
        assert!(window.spend(0, Some(pace)));
        assert_eq!(in_seconds(&window), Some(10 * SECOND));
        // It has more than may lie with it unseen.
        let mut window = Window::new(1_000_000);
        assert!(window.spend(1_000_000, Some(pace)));
        assert_eq!(in_seconds(&window), Some(40 * SECOND));
    }
}
