//! What stands for the development certificate in a build without the feature `dev-certs`: it is not looked
//! for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::surroundings::Surroundings;
use crate::diagnostics::Notice;
use crate::tls::Secret;
use crate::tls::certificate::ServerCertificate;

/// How to come by one.
pub(super) const TO_MAKE_ONE: &str = "build the program with the feature 'dev-certs' of the crate kestrel, and make one for development: \
     kestrel dev-certs https";

/// What is to be said of it: nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Development {}

impl Development {
    /// In words.
    pub(super) fn notice(&self) -> Notice {
        match *self {}
    }
}

/// What was found: nothing.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) certificate: Option<Arc<ServerCertificate>>,
    pub(super) said: Vec<Development>,
    pub(super) files: Vec<PathBuf>,
}

/// Looks nowhere.
pub(super) fn find(_: Option<&Secret>, _: &Surroundings, _: SystemTime) -> Found {
    Found::default()
}

/// That it was not looked for.
pub(super) fn looked_at(
    _: Option<&Secret>,
    _: &[Development],
    _: &Surroundings,
    _: SystemTime,
) -> Vec<String> {
    let line = "the development certificate: not looked for, since this program was built without the \
                feature 'dev-certs'";
    vec![line.to_owned()]
}
