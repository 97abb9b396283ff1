//! What the scripted servers of a case got, in the order in which it came.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

/// What all servers of a case took note of.
#[derive(Debug, Default)]
pub(crate) struct Got {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<Map<String, Value>>,
    /// Connections that are still served.
    open: usize,
}

/// One entry, to which more may be added.
#[derive(Debug)]
pub(super) struct Entry {
    got: Arc<Got>,
    at: usize,
}

impl Got {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what connection `connection` of the server `number` got.
    pub(super) fn note(self: &Arc<Self>, number: usize, connection: usize) -> Entry {
        let mut inner = self.lock();
        let mut entry = Map::new();
        entry.insert("up".to_owned(), number.into());
        entry.insert("conn".to_owned(), connection.into());
        inner.entries.push(entry);
        Entry { got: Arc::clone(self), at: inner.entries.len() - 1 }
    }

    pub(super) fn opened(&self) {
        self.lock().open += 1;
    }

    pub(super) fn closed(&self) {
        self.lock().open -= 1;
        self.changed.notify_all();
    }

    /// Everything, once no connection is open any more or the time for that is over.
    pub(crate) fn all(&self, limit: Duration) -> Vec<Value> {
        let inner = self.changed.wait_timeout_while(self.lock(), limit, |inner| inner.open > 0);
        let (inner, _) = inner.unwrap_or_else(PoisonError::into_inner);
        inner.entries.iter().cloned().map(Value::Object).collect()
    }
}

impl Entry {
    pub(super) fn set(&self, name: &str, value: impl Into<Value>) {
        self.got.lock().entries[self.at].insert(name.to_owned(), value.into());
    }

    /// Adds to a text of the entry.
    pub(super) fn add(&self, name: &str, more: &str) {
        let entry = &mut self.got.lock().entries[self.at];
        match entry.get_mut(name) {
            Some(Value::String(text)) => text.push_str(more),
            _ => drop(entry.insert(name.to_owned(), more.into())),
        }
    }
}
