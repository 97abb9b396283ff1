//! What stands for the certificate stores of .NET in a build without the feature `pkcs12`: nothing is found.

use std::time::SystemTime;

use super::told::Told;
use super::wanted::Wanted;
use crate::tls::certificate::ServerCertificate;
use crate::tls::places::Places;

/// Says that stores are not looked into.
pub(super) fn find(
    wanted: &Wanted<'_>,
    _: &Places,
    _: SystemTime,
) -> Result<ServerCertificate, Told> {
    Err(wanted
        .not_found()
        .cause(
            "A store is a folder of PKCS#12 files, and this program was built without the feature 'pkcs12'.",
        )
        .fix(
            "build it with the feature 'pkcs12' of the crate kestrel, or set Path and KeyPath to the \
             certificate's PEM files",
        ))
}
