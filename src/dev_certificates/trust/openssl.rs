//! OpenSSL trusts the certificates in the folders that `SSL_CERT_DIR` lists, which it finds by
//! links with the digest of their subject for a name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::certificate::DevelopmentCertificate;
use super::super::export::pem;
use super::super::file as files;
use super::super::programs::Program;
use super::super::report::Report;
use super::super::store;
use super::nickname::nickname;
use crate::configuration::regular_file;
use crate::tls::certificate::in_pem;
use crate::tls::places::Places;

const VARIABLE: &str = "SSL_CERT_DIR";
const FOLDER_VARIABLE: &str = "DOTNET_DEV_CERTS_OPENSSL_CERTIFICATE_DIRECTORY";
const MORE: &str = "See https://aka.ms/dev-certs-trust for more information.";
/// Where distributions keep what OpenSSL trusts if no variable says otherwise.
const USUAL_FOLDERS: [&str; 3] = ["/usr/lib/ssl/certs", "/etc/ssl/certs", "/etc/pki/tls/certs"];

/// Whether programs with OpenSSL trust a certificate, as far as its name in the folders tells.
pub(super) fn trusts(places: &Places, certificate: &DevelopmentCertificate) -> bool {
    let name = format!("{}.pem", nickname(certificate));
    let listed = match &places.ssl_cert_dir {
        Some(folders) => {
            std::env::split_paths(folders).any(|folder| holds(&folder.join(&name), certificate))
        }
        None => {
            USUAL_FOLDERS.iter().any(|folder| holds(&Path::new(folder).join(&name), certificate))
        }
    };
    listed
        || places.ssl_cert_file.as_ref().is_some_and(|bundle| holds(Path::new(bundle), certificate))
}

/// Whether a file in PEM form has this very certificate.
fn holds(path: &Path, certificate: &DevelopmentCertificate) -> bool {
    let Ok(text) = regular_file::read(path) else { return false };
    in_pem(&text).any(|der| der == certificate.der)
}

/// The file of a certificate in the trust folder.
pub(super) fn file(places: &Places, certificate: &DevelopmentCertificate) -> PathBuf {
    folder(places).join(format!("{}.pem", nickname(certificate)))
}

/// What became of putting a certificate into the folder.
pub(super) enum Outcome {
    /// It is there, and the links are.
    Done,
    /// It is there, but OpenSSL will not find it.
    NotLinked,
    /// Another file has its place.
    Occupied,
}

/// Puts a certificate into the trust folder.
///
/// # Errors
///
/// The reason if it cannot be written there.
pub(super) fn trust(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> Result<Outcome, String> {
    tell_folder(places, report);
    let (folder, path) = (folder(places), file(places, certificate));
    if !path.exists() {
        write(&folder, &path, certificate, report)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    } else if !holds(&path, certificate) {
        report.failure(
            109,
            format!(
                "Unable to export the certificate since '{}' already exists. Please remove it.",
                path.display()
            ),
        );
        return Ok(Outcome::Occupied);
    }
    if link(places, &folder, report) {
        report.step(89, "Trusted the certificate in OpenSSL.");
        Ok(Outcome::Done)
    } else {
        report.drawback(
            88,
            "Clients that validate certificate trust using OpenSSL will not trust the certificate.",
        );
        Ok(Outcome::NotLinked)
    }
}

fn write(
    folder: &Path,
    path: &Path,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> io::Result<()> {
    let shown = path.display();
    report.step(23, format!("Saving certificate '{certificate}' to {shown} without private key."));
    report.step(25, format!("Creating directory {}.", folder.display()));
    if folder.is_dir() {
        files::tell_if_open(folder, report);
    }
    files::private_folder(folder)?;
    report.step(27, format!("Writing the certificate to: {shown}."));
    files::write(path, pem("CERTIFICATE", &certificate.der).as_bytes())
}

/// Takes a certificate out of the trust folder; `false` if it stays trusted.
pub(super) fn withdraw(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    tell_folder(places, report);
    let (folder, path) = (folder(places), file(places, certificate));
    let shown = path.display();
    if !path.exists() {
        report.step(
            107,
            format!(
                "Untrusting the certificate in OpenSSL was skipped since '{shown}' does not exist."
            ),
        );
        return true;
    }
    // Without the program the links would stay, and point nowhere.
    let done = program(places, report).is_some()
        && match store::remove(&path) {
            Ok(()) => link(places, &folder, report),
            Err(error) => {
                let told = format!("Failed to delete certificate file '{shown}': {error}.");
                report.drawback(108, told);
                false
            }
        };
    if done {
        report.step(94, "Untrusted the certificate in OpenSSL.");
    } else {
        report.drawback(93, "Failed to untrust the certificate in OpenSSL.");
    }
    done
}

/// Says what to set so that the trust folder counts; `true` if it does already, or if OpenSSL
/// finds the certificate elsewhere.
pub(super) fn advise(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    let shown = shown_folder(places);
    if is_listed(places) {
        report.step(
            113,
            format!("The certificate directory '{shown}' is already included in the {VARIABLE} environment variable."),
        );
        return true;
    }
    if trusts(places, certificate) {
        return true;
    }
    let must = format!(
        "For OpenSSL trust to take effect, '{shown}' must be listed in the {VARIABLE} environment variable."
    );
    let example = |line: String| format!("{must} For example, `{line}`. {MORE}");
    match (&places.ssl_cert_dir, export_line(places)) {
        (Some(_), Some(line)) => report.advice(114, example(line)),
        (None, Some(line)) => report.advice(110, example(line)),
        (_, None) => report.advice(111, format!("{must} {MORE}")),
    }
    false
}

/// The command that makes OpenSSL look into the trust folder, if that is all that a certificate lacks
/// for its trust: it is in the folder, and the folder is not listed.
pub(super) fn lacks_only_the_variable(
    places: &Places,
    certificate: &DevelopmentCertificate,
) -> Option<String> {
    let there = holds(&file(places, certificate), certificate);
    let lacks = there && !is_listed(places) && !trusts(places, certificate);
    lacks.then(|| export_line(places)).flatten()
}

/// Whether the variable lists the trust folder. It may be listed by another way to it.
fn is_listed(places: &Places) -> bool {
    let folder = folder(places);
    let real = fs::canonicalize(&folder).ok();
    let is_it =
        |one: PathBuf| one == folder || (real.is_some() && fs::canonicalize(one).ok() == real);
    places.ssl_cert_dir.as_ref().is_some_and(|listed| std::env::split_paths(listed).any(is_it))
}

/// The command that lists the trust folder in the variable, beside what counts now.
fn export_line(places: &Places) -> Option<String> {
    let rest = match &places.ssl_cert_dir {
        Some(_) => format!("${VARIABLE}"),
        None => usual_folder(places)?,
    };
    Some(format!("export {VARIABLE}=\"{}:{rest}\"", shown_folder(places)))
}

/// The trust folder as a shell takes it.
fn shown_folder(places: &Places) -> String {
    let folder = folder(places);
    match folder.strip_prefix(&places.home) {
        Ok(rest) => format!("$HOME/{}", rest.display()),
        Err(_) => folder.display().to_string(),
    }
}

/// The folder that OpenSSL looks into if no variable says otherwise.
fn usual_folder(places: &Places) -> Option<String> {
    let answer = Program::find(places, "openssl")?.run(["version", "-d"])?;
    let folder = answer.split('"').nth(1)?;
    Some(format!("{folder}/certs"))
}

/// Says that a folder of the user's own does not count when trust is asked for: OpenSSL does not
/// know the variable.
pub(super) fn tell_folder_is_not_asked(places: &Places, report: &mut Report) {
    if places.openssl_trust_folder.is_some() {
        report.step(
            104,
            format!("The {FOLDER_VARIABLE} environment variable is set but will not be consumed while checking trust."),
        );
    }
}

fn tell_folder(places: &Places, report: &mut Report) {
    if places.openssl_trust_folder.is_some() {
        report.step(
            72,
            format!("Reading OpenSSL trusted certificates location from {FOLDER_VARIABLE}."),
        );
    }
}

fn folder(places: &Places) -> PathBuf {
    match &places.openssl_trust_folder {
        Some(folder) => folder.clone(),
        None => places.home.join(".aspnet").join("dev-certs").join("trust"),
    }
}

fn program(places: &Places, report: &mut Report) -> Option<Program> {
    let program = Program::find(places, "openssl");
    if program.is_none() {
        report.drawback(
            105,
            "The openssl command is unavailable.  It is required for updating certificate trust in OpenSSL.",
        );
        report.fix(if cfg!(windows) {
            "most programs ask Windows, which is told so: kestrel dev-certs https --export-path localhost.pem --format \
             pem --no-password, then certutil -user -addstore Root localhost.pem"
        } else {
            "install it (Debian: apt-get install openssl), and put it on PATH"
        });
    }
    program
}

/// Makes the links of a folder anew; `false` if OpenSSL will not find what is in it.
fn link(places: &Places, folder: &Path, report: &mut Report) -> bool {
    let Some(openssl) = program(places, report) else { return false };
    let Err(failure) = link_with(&openssl, folder) else { return true };
    match failure {
            NoLink::Digest(path) => report.failure(
                82,
                format!(
                    "Unable to compute the hash of certificate {}. OpenSSL trust is likely in an inconsistent state.",
                    path.display()
                ),
            ),
            NoLink::Folder(error) => report.failure(
                85,
                format!(
                    "Unable to update the OpenSSL trusted certificate hash collection: {}: {error}. Manually rehashing may help. {MORE}",
                    folder.display()
                ),
            ),
    }
    false
}

/// Why OpenSSL will not find what is in a folder.
enum NoLink {
    /// The program cannot read the certificate.
    Digest(PathBuf),
    /// The links cannot be written.
    Folder(io::Error),
}

impl From<io::Error> for NoLink {
    fn from(error: io::Error) -> Self {
        Self::Folder(error)
    }
}

fn link_with(openssl: &Program, folder: &Path) -> Result<(), NoLink> {
    let mut certificates = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.is_symlink() && is_link_name(&path) {
            store::remove(&path)?;
        } else if path.extension().is_some_and(|e| e == "pem" || e == "crt" || e == "cer")
            // What is no certificate, nobody trusts; it must not be in the way of those that are.
            && is_certificate(&path)
        {
            certificates.push(path);
        }
    }
    // The order decides the numbers of equal digests.
    certificates.sort();
    for path in certificates {
        let arguments = ["x509", "-hash", "-noout", "-in"].map(std::ffi::OsStr::new);
        let digest = openssl
            .run(arguments.into_iter().chain([path.as_os_str()]))
            .filter(|digest| is_digest(digest.trim()))
            .ok_or_else(|| NoLink::Digest(path.clone()))?;
        link_to(&path, digest.trim())?;
    }
    Ok(())
}

/// Whether a file is one that OpenSSL would link to.
fn is_certificate(path: &Path) -> bool {
    let Ok(bytes) = regular_file::read(path) else { return false };
    X509Certificate::from_der(&bytes).is_ok() || in_pem(&bytes).next().is_some()
}

/// Whether a name is that of a link: a digest, a dot, a number.
fn is_link_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split_once('.').is_some_and(|(digest, number)| {
        is_digest(digest)
            && !number.is_empty()
            && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn is_digest(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

fn link_to(path: &Path, digest: &str) -> io::Result<()> {
    let (Some(name), Some(folder)) = (path.file_name(), path.parent()) else { return Ok(()) };
    let mut number = 0_u32;
    loop {
        match symbolic_link(Path::new(name), &folder.join(format!("{digest}.{number}"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            result => return result,
        }
    }
}

#[cfg(unix)]
fn symbolic_link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symbolic_link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
