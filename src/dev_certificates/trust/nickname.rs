//! What a certificate is called where others keep it.

use crate::dev_certificates::certificate::DevelopmentCertificate;

/// The name a certificate goes by in folders and databases.
pub(super) fn nickname(certificate: &DevelopmentCertificate) -> String {
    format!("aspnetcore-localhost-{}", certificate.thumbprint)
}
