//! What stands for what a program made with rustls in a build without the feature `tls`: nothing.

/// A chain with what signs for it.
#[derive(Clone, PartialEq)]
pub(super) enum ReadyKey {}

/// A whole configuration of rustls' that a program made, which takes the feature `tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadyConfig {}
