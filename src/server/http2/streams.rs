//! Which streams of a connection are open, as the frames that pass tell it.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::windows::Window;
use crate::server::pace::Pace;

/// How many of the streams that we have reset are remembered: what a client sends on them in one
/// round trip, before it knows, is no fault of it.
const RESETS: usize = 1024;

/// How many gaps between the ids of streams are remembered. A client that leaves many is told of a
/// closed stream where there was none.
const PLACES: usize = 16;

/// What a window holds at the beginning (RFC 9113 section 6.9.2).
const WINDOW: i64 = 65_535;

/// The open streams, oldest first.
///
/// Ids only grow, so that the table is sorted by itself. It is bounded by what hyper lets be open,
/// and keeps its memory: a request allocates nothing here.
#[derive(Debug)]
pub(super) struct Streams {
    open: Vec<Entry>,
    highest: u32,
    /// Those that we have reset, the last ones.
    reset: VecDeque<u32>,
    /// Where ids were passed over: the ones before and behind, the last places.
    passed_over: VecDeque<(u32, u32)>,
    /// How fast the client has to open its windows.
    pace: Option<Pace>,
    window: Window,
    /// What windows of new streams hold.
    initial_window: i64,
    /// A window was used up since none was found to be.
    stalled: bool,
    /// One was reset on which we had something left to send.
    cut_off: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u32,
    /// The client has sent all it wants to send.
    remote_ended: bool,
    /// We have.
    local_ended: bool,
    /// The head of the answer is sent.
    answered: bool,
    window: Window,
}

/// What the client may still send on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was never opened.
    Idle,
    Open,
    /// The client has ended its side.
    HalfClosed,
    /// It is over, or was reset by one of us.
    Closed,
}

impl Streams {
    pub(super) fn new(pace: Option<Pace>) -> Self {
        Self {
            open: Vec::new(),
            highest: 0,
            reset: VecDeque::new(),
            passed_over: VecDeque::new(),
            pace,
            window: Window::new(WINDOW),
            initial_window: WINDOW,
            stalled: false,
            cut_off: false,
        }
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    /// The highest id the client has used.
    pub(super) fn highest(&self) -> u32 {
        self.highest
    }

    pub(super) fn state(&self, id: u32) -> State {
        match self.find(id) {
            Some(at) if self.open[at].remote_ended => State::HalfClosed,
            Some(_) => State::Open,
            None if id > self.highest => State::Idle,
            None => State::Closed,
        }
    }

    /// A request begins on a stream that was idle.
    pub(super) fn open(&mut self, id: u32) {
        debug_assert!(id > self.highest, "ids grow");
        // Streams begin at 1, and every client counts in twos.
        let next = if self.highest == 0 { 1 } else { self.highest + 2 };
        if id != next {
            if self.passed_over.len() == PLACES {
                self.passed_over.pop_front();
            }
            self.passed_over.push_back((self.highest, id));
        }
        self.highest = id;
        self.open.push(Entry {
            id,
            remote_ended: false,
            local_ended: false,
            answered: false,
            window: Window::new(self.initial_window),
        });
    }

    /// The client has ended its side.
    pub(super) fn end_remote(&mut self, id: u32) {
        if let Some(at) = self.find(id) {
            self.open[at].remote_ended = true;
            self.settle(at);
        }
    }

    /// We have sent the head of an answer, or its end; true if that ends our side.
    pub(super) fn sent_head(&mut self, id: u32, end: bool) -> bool {
        let Some(at) = self.find(id) else {
            return false;
        };
        if end {
            return self.end_local(at);
        }
        let entry = &mut self.open[at];
        entry.answered = true;
        // What comes next may have to wait from the beginning.
        self.stalled |= entry.window.spend(0, self.pace);
        false
    }

    /// We have sent so much of an answer, and perhaps its end; true if that ends our side.
    pub(super) fn sent_data(&mut self, id: u32, length: u32, end: bool) -> bool {
        self.stalled |= self.window.spend(length, self.pace);
        let Some(at) = self.find(id) else {
            return false;
        };
        if end {
            return self.end_local(at);
        }
        self.stalled |= self.open[at].window.spend(length, self.pace);
        false
    }

    fn end_local(&mut self, at: usize) -> bool {
        self.open[at].local_ended = true;
        self.settle(at);
        true
    }

    /// Whether one was reset, since this was asked last, on which we had something left to send.
    pub(super) fn take_cut_off(&mut self) -> bool {
        std::mem::take(&mut self.cut_off)
    }

    /// On how many of them we have not sent all.
    pub(super) fn unsent(&self) -> usize {
        self.open.iter().filter(|entry| !entry.local_ended).count()
    }

    /// The client opens the window of a stream, or of the connection, which is stream 0.
    pub(super) fn widen(&mut self, id: u32, more: u32) {
        if id == 0 {
            self.window.widen(more);
        } else if let Some(at) = self.find(id) {
            self.open[at].window.widen(more);
        }
    }

    /// The client says what the windows of streams hold, and held from their beginning.
    pub(super) fn set_initial_window(&mut self, size: u32) {
        let more = i64::from(size) - self.initial_window;
        self.initial_window = i64::from(size);
        for entry in &mut self.open {
            entry.window.resize(more);
            if entry.answered {
                self.stalled |= entry.window.spend(0, self.pace);
            }
        }
    }

    /// By when the client has to open a window, if one is used up.
    pub(super) fn due(&mut self) -> Option<Instant> {
        if !self.stalled {
            return None;
        }
        let streams = self.open.iter().filter_map(Entry::due);
        let due = self.window.due().into_iter().chain(streams).min();
        self.stalled = due.is_some();
        due
    }

    /// What the client lets wait too long at `now`: at most `waiting` answers wait at all. Where
    /// none does, nobody has asked for the window that is used up.
    pub(super) fn overdue(&mut self, now: Instant, waiting: usize) -> Option<Overdue> {
        let pace = self.pace?;
        let is_over = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if is_over(self.window.due()) {
            if waiting > 0 {
                return Some(Overdue::Connection);
            }
            self.window.put_off(pace);
        }
        for entry in self.open.iter_mut().filter(|entry| is_over(entry.due())) {
            if waiting > 0 {
                return Some(Overdue::Stream(entry.id));
            }
            entry.window.put_off(pace);
        }
        None
    }

    /// On how many streams our side has not ended.
    pub(super) fn unended(&self) -> usize {
        self.open.iter().filter(|entry| !entry.local_ended).count()
    }

    /// We have reset it.
    pub(super) fn reset_by_us(&mut self, id: u32) {
        self.reset(id);
        if self.reset.len() == RESETS {
            self.reset.pop_front();
        }
        self.reset.push_back(id);
    }

    /// Whether we have reset it, not long ago.
    pub(super) fn was_reset_by_us(&self, id: u32) -> bool {
        self.reset.contains(&id)
    }

    /// Whether it was never opened although a higher one was, as far as that is remembered.
    pub(super) fn was_passed_over(&self, id: u32) -> bool {
        self.passed_over.iter().any(|(before, behind)| (before + 1..*behind).contains(&id))
    }

    /// One of us has reset it; false if it was over before.
    pub(super) fn reset(&mut self, id: u32) -> bool {
        let found = self.find(id);
        if let Some(at) = found {
            self.cut_off |= !self.open.remove(at).local_ended;
        }
        found.is_some()
    }

    fn settle(&mut self, at: usize) {
        if self.open[at].remote_ended && self.open[at].local_ended {
            self.open.remove(at);
        }
    }

    fn find(&self, id: u32) -> Option<usize> {
        // Mostly the only one, or the newest.
        match self.open.last() {
            Some(last) if last.id == id => Some(self.open.len() - 1),
            Some(last) if last.id > id => {
                self.open.binary_search_by_key(&id, |entry| entry.id).ok()
            }
            _ => None,
        }
    }
}

impl Entry {
    fn due(&self) -> Option<Instant> {
        self.window.due().filter(|_| !self.local_ended)
    }
}

/// What waits for a client that lets us send nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// One stream.
    Stream(u32),
    /// All of them.
    Connection,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_open_until_both_sides_have_ended_or_one_has_reset_it() {
        let mut streams = Streams::new(None);
        assert_eq!(streams.state(1), State::Idle);
        for id in [1, 3, 7] {
            streams.open(id);
        }
        assert_eq!((streams.count(), streams.highest()), (3, 7));
        assert_eq!(streams.state(5), State::Closed, "it was passed over");
        assert_eq!(streams.state(9), State::Idle);
        assert!(streams.was_passed_over(5) && !streams.was_passed_over(3));
        assert!(!streams.was_passed_over(7) && !streams.was_passed_over(9));
        streams.end_remote(3);
        assert_eq!(streams.state(3), State::HalfClosed);
        assert!(streams.sent_head(3, true));
        assert_eq!(streams.state(3), State::Closed);
        assert!(!streams.sent_data(3, 1, true));
        assert!(!streams.sent_head(1, false));
        assert!(streams.sent_data(1, 1, true));
        assert_eq!(streams.state(1), State::Open, "the client may still send");
        assert!(streams.reset(1));
        assert!(!streams.reset(1));
        streams.reset_by_us(7);
        assert_eq!(streams.count(), 0);
        assert!(streams.was_reset_by_us(7) && !streams.was_reset_by_us(1));
    }
}
