//! What lines have, and where they are.

use std::time::Duration;

use http::HeaderName;

use super::fields::W3cFields;
use crate::middleware::line_writer::W3cPlace;

/// What is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct W3cOptions {
    pub(crate) fields: W3cFields,
    /// Headers of requests besides, each as it is called in the files.
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) place: W3cPlace,
    /// How long a line waits.
    pub(crate) interval: Duration,
}
