//! Which streams of a connection are open, as the frames that pass tell it.

/// The open streams, oldest first.
///
/// Ids only grow, so that the table is sorted by itself. It is bounded by what hyper lets be open,
/// and keeps its memory: a request allocates nothing here.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Vec<Entry>,
    highest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u32,
    /// The client has sent all it wants to send.
    remote_ended: bool,
    /// We have.
    local_ended: bool,
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
        self.highest = id;
        self.open.push(Entry { id, remote_ended: false, local_ended: false });
    }

    /// The client has ended its side.
    pub(super) fn end_remote(&mut self, id: u32) {
        if let Some(at) = self.find(id) {
            self.open[at].remote_ended = true;
            self.settle(at);
        }
    }

    /// We have ended ours; false if that is no news.
    pub(super) fn end_local(&mut self, id: u32) -> bool {
        let Some(at) = self.find(id) else {
            return false;
        };
        self.open[at].local_ended = true;
        self.settle(at);
        true
    }

    /// One of us has reset it; false if it was over before.
    pub(super) fn reset(&mut self, id: u32) -> bool {
        let found = self.find(id);
        if let Some(at) = found {
            self.open.remove(at);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_open_until_both_sides_have_ended_or_one_has_reset_it() {
        let mut streams = Streams::default();
        assert_eq!(streams.state(1), State::Idle);
        for id in [1, 3, 7] {
            streams.open(id);
        }
        assert_eq!((streams.count(), streams.highest()), (3, 7));
        assert_eq!(streams.state(5), State::Closed, "it was passed over");
        assert_eq!(streams.state(9), State::Idle);
        streams.end_remote(3);
        assert_eq!(streams.state(3), State::HalfClosed);
        assert!(streams.end_local(3));
        assert_eq!(streams.state(3), State::Closed);
        assert!(!streams.end_local(3));
        assert!(streams.end_local(1));
        assert_eq!(streams.state(1), State::Open, "the client may still send");
        assert!(streams.reset(1));
        assert!(!streams.reset(1));
        assert!(streams.reset(7));
        assert_eq!(streams.count(), 0);
    }
}
