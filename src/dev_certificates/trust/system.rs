//! The machine's own store: what every program trusts that does not bring its own list. Ours;
//! .NET's tool leaves it alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::certificate::DevelopmentCertificate;
use super::super::export::pem;
use super::super::programs::Program;
use super::super::report::Report;
use super::nickname::nickname;
use crate::tls::places::Places;

const PROGRAM: &str = "update-ca-certificates";
/// Where Debian and its kin, Alpine and openSUSE look for certificates of the machine's owner.
const FOLDER: &str = "/usr/local/share/ca-certificates";
/// Where the program puts links to them, and forgets those to what is gone.
const LINKS: &str = "/etc/ssl/certs";

fn file(folder: &Path, certificate: &DevelopmentCertificate) -> PathBuf {
    folder.join(format!("{}.crt", nickname(certificate)))
}

/// Has the machine trust a certificate; `false`, and the reason, if that cannot be.
pub(in super::super) fn trust(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    trust_in(Path::new(FOLDER), places, certificate, report)
}

/// Takes a certificate out of the machine's store, where it is there; `false` if it stays.
pub(super) fn withdraw(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    withdraw_from(Path::new(FOLDER), Path::new(LINKS), places, certificate, report)
}

fn trust_in(
    folder: &Path,
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    let Some(program) = Program::find(places, PROGRAM) else {
        report.error(format!(
            "The certificate is not in the system's store: {PROGRAM} is not on PATH.\n  fix: install it (Debian: apt-get install ca-certificates)"
        ));
        return false;
    };
    let path = file(folder, certificate);
    // Everybody may read it: it is what everybody is to trust.
    if let Err(error) = fs::write(&path, format!("{}\n", pem("CERTIFICATE", &certificate.der))) {
        report.error(format!(
            "The certificate is not in the system's store: {}: {error}\n  fix: run the command as root",
            path.display()
        ));
        return false;
    }
    if program.run::<&str>([]).is_none() {
        report.error(format!("The certificate is not in the system's store: {PROGRAM} failed."));
        return false;
    }
    report.answer(format!("Trusted the certificate in the system's store, by {}.", path.display()));
    true
}

fn withdraw_from(
    folder: &Path,
    links: &Path,
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    let path = file(folder, certificate);
    if !path.exists() {
        return true;
    }
    let removed = fs::remove_file(&path).is_ok()
        && remove_links(links, &path, certificate).is_ok()
        && Program::find(places, PROGRAM).is_some_and(|program| program.run::<&str>([]).is_some());
    if removed {
        report.answer("Removed the certificate from the system's store.");
    } else {
        report.error(format!(
            "The certificate is still in the system's store, by {}.\n  fix: run the command as root, with the same HOME",
            path.display()
        ));
    }
    removed
}

/// Removes the links to a file, and the links to those.
fn remove_links(
    folder: &Path,
    file: &Path,
    certificate: &DevelopmentCertificate,
) -> std::io::Result<()> {
    let name = format!("{}.pem", nickname(certificate));
    for link in fs::read_dir(folder)?.flatten().map(|entry| entry.path()) {
        let Ok(target) = fs::read_link(&link) else { continue };
        if target == file || target == Path::new(&name) {
            fs::remove_file(link)?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::SystemTime;

    use super::super::super::generate::generate;
    use super::*;

    /// A folder with a program that writes down that it ran, and one for certificates.
    fn machine(exit: u8) -> (tempfile::TempDir, Places, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(PROGRAM);
        let script =
            format!("#!/bin/sh\necho ran >> {}/ran\nexit {exit}\n", folder.path().display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let path = Some(folder.path().display().to_string());
        let certificates = folder.path().join("certificates");
        fs::create_dir(&certificates).unwrap();
        (folder, Places { path, ..Places::default() }, certificates)
    }

    fn certificate() -> DevelopmentCertificate {
        let made = generate(SystemTime::now()).unwrap();
        DevelopmentCertificate::read(&made.certificate).unwrap()
    }

    #[test]
    fn what_is_put_there_is_taken_away_again() {
        let (folder, places, certificates) = machine(0);
        let certificate = certificate();
        let mut report = Report::silent();
        assert!(trust_in(&certificates, &places, &certificate, &mut report));
        let path = file(&certificates, &certificate);
        assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
        let links = folder.path().join("links");
        fs::create_dir(&links).unwrap();
        let name = format!("{}.pem", nickname(&certificate));
        symlink(&path, links.join(&name)).unwrap();
        symlink(&name, links.join("ce275665.0")).unwrap();
        symlink("other.pem", links.join("ce275665.1")).unwrap();
        assert!(withdraw_from(&certificates, &links, &places, &certificate, &mut report));
        assert!(!path.exists());
        let left: Vec<_> = fs::read_dir(&links).unwrap().flatten().collect();
        assert_eq!(left.iter().map(|link| link.file_name()).collect::<Vec<_>>(), ["ce275665.1"]);
        assert_eq!(fs::read_to_string(folder.path().join("ran")).unwrap(), "ran\nran\n");
        // What is not there need not be taken away.
        assert!(withdraw_from(&certificates, &links, &places, &certificate, &mut report));
        assert_eq!(report.lines(), []);
    }

    #[test]
    fn a_reason_is_given_if_it_cannot_be() {
        let (_folder, places, certificates) = machine(1);
        for (folder, places, expected) in [
            (&certificates, &places, "update-ca-certificates failed"),
            (&certificates, &Places::default(), "not on PATH"),
            (&certificates.join("missing"), &places, "run the command as root"),
        ] {
            let mut report = Report::silent();
            assert!(!trust_in(folder, places, &certificate(), &mut report));
            assert!(report.lines()[0].1.contains(expected), "{report:?}");
        }
    }
}
