//! What stands for the store of a user's authorities in a build without the feature `pkcs12`: it consists of
//! PKCS#12 files, so that nobody is trusted by it.

use rustls::pki_types::CertificateDer;

use crate::tls::places::Places;

/// None.
pub(super) fn certificates(_: &Places) -> Vec<CertificateDer<'static>> {
    Vec::new()
}
