//! What decides which certificates there are besides those that settings name.

use crate::tls::places::Places;

/// Where certificates are looked for besides the files that settings name.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) places: Places,
    /// The name of the application's development file.
    pub(super) application: String,
    /// The environment, such as `Development`: what is to be done about a certificate depends on it.
    pub(super) environment: String,
    /// Whether no certificate is looked for that nobody names.
    pub(super) only_code: bool,
}
