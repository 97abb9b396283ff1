//! The certificate that all servers get.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The key of a certificate.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    P256,
    Rsa2048,
}

/// A certificate that signed itself, in PEM form.
pub(crate) struct Certificate {
    pub(crate) path: PathBuf,
    pub(crate) key: PathBuf,
}

/// Makes one; `None` if openssl is not here.
pub(crate) fn make(folder: &Path, kind: Kind) -> Result<Option<Certificate>> {
    let certificate = Certificate { path: folder.join("c.pem"), key: folder.join("k.pem") };
    let key: &[&str] = match kind {
        Kind::P256 => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        Kind::Rsa2048 => &["-newkey", "rsa:2048"],
    };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        // Some clients take no authority for a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(key)
        .arg("-keyout")
        .arg(&certificate.key)
        .arg("-out")
        .arg(&certificate.path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match made {
        Ok(status) if status.success() => Ok(Some(certificate)),
        Ok(status) => Err(format!("openssl: {status}").into()),
        Err(_) => Ok(None),
    }
}
