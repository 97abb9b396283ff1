//! Who wants a reload: a file that has changed, a signal, the program.

use std::future::pending;

use tokio::sync::watch;

/// What a reload is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hosting) enum Wish {
    /// To follow what a watched file says now.
    Notice,
    /// To follow what is different, whatever that is.
    Follow,
    /// To make the app anew, too, even if nothing is different: what it reads by itself may be.
    Renew,
}

impl Wish {
    /// What one reload is asked for that is to be both: who noticed that a file is gone is heeded.
    pub(in crate::hosting) fn with(self, other: Self) -> Self {
        if self == Self::Notice { self } else { other }
    }
}

/// Asks for reloads. One that waits for code of the program gives way to the next.
#[derive(Clone, Debug)]
pub(in crate::hosting) struct Wishes(watch::Sender<()>);

impl Wishes {
    pub(in crate::hosting) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// A reload is wanted.
    pub(in crate::hosting) fn ask(&self) {
        self.0.send_replace(());
    }

    pub(in crate::hosting) fn heard(&self) -> Heard {
        Heard(self.0.subscribe())
    }
}

/// Hears what is asked for.
#[derive(Clone, Debug)]
pub(in crate::hosting) struct Heard(watch::Receiver<()>);

impl Heard {
    /// Whatever was asked for until now is being done.
    pub(super) fn take(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits until something is asked for that is not being done. Never, if nobody is left who could.
    pub(super) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            pending().await
        }
    }
}
