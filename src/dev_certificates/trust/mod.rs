//! Who trusts a certificate: .NET by its own store, OpenSSL by a folder, browsers by databases.

mod nickname;
mod nss;
mod openssl;
pub(super) mod system;

use std::time::SystemTime;

use super::certificate::DevelopmentCertificate;
use super::report::Report;
use super::store::Store;
use crate::tls::places::Places;

/// Who trusts a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nobody.
    None,
    /// Some do, and some do not.
    Partial,
    /// Everybody we know of.
    Full,
}

impl Trust {
    /// From whether somebody does and whether somebody does not.
    fn of(yes: bool, no: bool) -> Self {
        match (yes, no) {
            (true, false) => Self::Full,
            (true, true) => Self::Partial,
            (false, _) => Self::None,
        }
    }
}

/// Asks everybody.
pub(super) fn level(
    places: &Places,
    certificate: &DevelopmentCertificate,
    now: SystemTime,
    report: &mut Report,
) -> Trust {
    openssl::tell_folder_is_not_asked(places, report);
    let openssl = openssl::trusts(places, certificate);
    // .NET trusts what its own store has and what OpenSSL trusts, as long as the dates are right.
    let dotnet =
        certificate.is_valid_at(now) && (openssl || Store::trusted(places).contains(certificate));
    if !dotnet {
        report.step(
            75,
            "The certificate is not trusted by .NET. This will likely affect System.Net.Http.HttpClient.",
        );
    }
    if !openssl {
        report.step(
            76,
            "The certificate is not trusted by OpenSSL.  Ensure that the SSL_CERT_DIR environment variable is set correctly.",
        );
    }
    let mut answers = vec![dotnet, openssl];
    answers.extend(nss::trust_levels(places, certificate, report));
    Trust::of(answers.contains(&true), answers.contains(&false))
}

/// The command that is left to do for a certificate that is trusted by some only: OpenSSL does not look
/// where it lies. `None` if that is not what it lacks.
pub(super) fn command_that_is_left(
    places: &Places,
    certificate: &DevelopmentCertificate,
) -> Option<String> {
    openssl::lacks_only_the_variable(places, certificate)
}

/// Has everybody trust a certificate, as far as they can be made to.
pub(super) fn establish(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> Trust {
    report.step(29, format!("Trusting the certificate to: {certificate}."));
    match establish_each(places, certificate, report) {
        Ok(trust) => {
            report.step(30, "Finished trusting the certificate.");
            trust
        }
        Err(why) => {
            report.failed_step(
                31,
                format!("An error has occurred while trusting the certificate: {why}."),
            );
            report.cause(why);
            Trust::None
        }
    }
}

/// As [`establish`]; the reason if it had to be given up.
fn establish_each(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> Result<Trust, String> {
    let trusted = Store::trusted(places);
    let dotnet = if trusted.contains(certificate) {
        true
    } else {
        match trusted.save(std::slice::from_ref(&certificate.der), None) {
            Ok(()) => {
                report.step(87, "Trusted the certificate in .NET.");
                true
            }
            Err(error) => {
                let why = format!("{}: {error}", trusted.folder().display());
                report.drawback(86, format!("Failed to trust the certificate in .NET: {why}."));
                false
            }
        }
    };
    let linked = match openssl::trust(places, certificate, report)? {
        openssl::Outcome::Done => true,
        openssl::Outcome::NotLinked => false,
        openssl::Outcome::Occupied => return Ok(Trust::None),
    };
    let browsers = nss::trust(places, certificate, &openssl::file(places, certificate), report);
    let trust = Trust::of(dotnet || linked, !(dotnet && linked && browsers));
    if trust == Trust::Partial {
        report.step(
            97,
            "The certificate is only partially trusted - some clients will not accept it.",
        );
    }
    // The folder counts only once OpenSSL is told of it.
    if linked && !openssl::advise(places, certificate, report) && trust == Trust::Full {
        return Ok(Trust::Partial);
    }
    Ok(trust)
}

/// Has nobody trust a certificate any more; `false` if somebody still does.
pub(super) fn withdraw(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    let removed = Store::trusted(places).remove(certificate);
    if let Err(error) = &removed {
        let why = format!("{}: {error}", Store::trusted(places).folder().display());
        report.drawback(92, format!("Failed to untrust the certificate in .NET: {why}."));
    }
    let unlinked = openssl::withdraw(places, certificate, report);
    let browsers = nss::withdraw(places, certificate, report);
    let machine = system::withdraw(places, certificate, report);
    removed.is_ok() && unlinked && browsers && machine
}
