//! How a source tells a host that it has other values.

use std::fmt;
use std::sync::Arc;

/// Tells a host that a source has other values; see
/// [`ConfigurationSource::on_change`](super::ConfigurationSource::on_change). Clones tell the same host.
#[derive(Clone)]
pub struct ChangeSignal(Arc<dyn Fn() -> bool + Send + Sync>);

impl ChangeSignal {
    /// One that calls this, which says whether somebody is there who cares.
    pub(crate) fn new(tell: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Lets the host read its sources again, once it runs, and returns at once. `false` if that host is gone.
    pub fn send(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for ChangeSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeSignal").finish_non_exhaustive()
    }
}
