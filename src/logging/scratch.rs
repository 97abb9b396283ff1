//! The buffers an event passes through, so that logging one allocates nothing in the long run.

use std::cell::Cell;

use super::fields::Fields;
use super::limits::LARGEST_KEPT_BUFFER;
use super::scopes::Scope;

/// Each thread keeps one set; it is taken out while in use, because a value that is being formatted may log an event of
/// its own.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) fields: Fields,
    pub(super) scopes: Vec<Scope>,
    pub(super) timestamp: String,
    pub(super) line: String,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    pub(super) fn take() -> Box<Self> {
        // The thread may be ending and its buffers gone.
        SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    pub(super) fn put_back(mut self: Box<Self>) {
        self.fields.clear();
        // The scopes hold on to the fields of spans.
        self.scopes.clear();
        self.timestamp.clear();
        if self.line.capacity() > LARGEST_KEPT_BUFFER {
            self.line = String::new();
        }
        self.line.clear();
        _ = SCRATCH.try_with(|slot| slot.set(Some(self)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_logged_while_another_is_formatted_has_buffers_of_its_own() {
        let mut outer = Scratch::take();
        outer.line.push_str("outer");
        let mut inner = Scratch::take();
        assert_eq!(inner.line, "");
        inner.line.push_str("inner");
        inner.put_back();
        assert_eq!(outer.line, "outer");
        outer.put_back();
        assert_eq!(Scratch::take().line, "");
    }
}
