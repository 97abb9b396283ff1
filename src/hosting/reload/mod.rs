//! What a running host does when its configuration is read again.
//!
//! A reload is one transaction: everything is read and checked, the plan is computed and compared
//! with the one that runs ([`difference`](crate::addresses::difference)), the server goes over to it
//! as a whole, and only then do levels, addresses and the live configuration follow. Whatever fails
//! is told, and leaves everything as it was; the next good edit is applied.
//!
//! `running` does it, `making` makes the app of the new configuration, `telling` tells of it. `watch` notices changes of
//! files (`folders` is told of them by the system, `files` tells which file is which), `watching` says which, `follow`
//! reloads for them, `report` puts what happened into words. Without the feature `reload` nothing watches files: SIGHUP
//! and `RunningHost::reload` stay, which take nothing that is not here anyway.
//!
//! What is not read again: variables and arguments are those of the start, and what they, or code,
//! say stays. Of addresses only `Kestrel:Endpoints` is reloaded, as on Kestrel.

#[cfg(feature = "reload")]
mod files;
#[cfg(feature = "reload")]
mod folders;
mod follow;
mod making;
mod report;
mod running;
mod telling;
#[cfg(feature = "reload")]
mod watch;
#[cfg(feature = "reload")]
mod watching;
#[cfg(not(feature = "reload"))]
#[path = "no_watching.rs"]
mod watching;
mod wishes;

pub(super) use follow::follow;
pub use running::Reloaded;
pub(super) use running::{Running, Serving, Started};
pub(super) use watching::{Watch, start as watch_files};
pub(super) use wishes::{Wish, Wishes};
