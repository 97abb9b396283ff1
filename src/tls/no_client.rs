//! What stands for secured connections to other servers in a build without the feature `tls`: there are none.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use super::options::{CertificateSource, SslProtocols};
use super::places::Places;
use crate::configuration::Problem;

/// How connections to other servers are secured.
#[derive(Debug, PartialEq)]
pub(crate) enum ClientTls {}

/// Certificates of authorities: nobody reads them.
#[derive(Debug)]
pub(crate) struct Authorities;

/// A certificate of our own with its key: there is none.
pub(crate) type OwnCertificate = Infallible;

/// Whose certificates are taken does not matter.
pub(crate) fn authorities(
    _: &Path,
    _: &str,
    _: &mut Vec<PathBuf>,
    _: &mut Vec<Problem>,
) -> Authorities {
    Authorities
}

/// What is shown to servers neither.
pub(crate) fn own_certificate(
    _: &CertificateSource,
    _: &Places,
    _: &mut Vec<Problem>,
) -> Option<OwnCertificate> {
    None
}

/// What is said of them.
#[derive(Debug)]
#[expect(dead_code, reason = "nobody reads it")]
pub(crate) struct ClientMaterial<'a> {
    pub(crate) versions: SslProtocols,
    pub(crate) accept_any: bool,
    pub(crate) roots: Option<Authorities>,
    pub(crate) places: &'a Places,
    pub(crate) certificate: Option<OwnCertificate>,
}

impl ClientTls {
    /// What stands in the way of TLS in this build.
    pub(crate) const MISSING: &'static str =
        "https destinations take the feature `tls`, without which this program was built";

    /// There are none.
    ///
    /// # Errors
    ///
    /// Always: the feature is missing.
    pub(crate) fn new(_: ClientMaterial<'_>) -> Result<Self, Problem> {
        let problem = Problem::error(
            "An https destination cannot be asked: this program was built without the feature 'tls'.",
        );
        Err(problem
            .fix("build it with the feature 'tls' of the crate kestrel, or write http in the place of https"))
    }

    pub(crate) fn believes_like(&self, _: &Self) -> bool {
        match *self {}
    }

    pub(crate) fn shows_like(&self, _: &Self) -> bool {
        match *self {}
    }
}
