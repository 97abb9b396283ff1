//! Where endpoints are bound.

#[cfg(feature = "testing")]
use super::in_memory::InMemory;

/// Where endpoints are bound.
#[derive(Clone, Debug, Default)]
pub(crate) enum Network {
    /// On sockets of the system.
    #[default]
    System,
    /// In this process, where no address is ever taken.
    #[cfg(feature = "testing")]
    InMemory(InMemory),
}
