//! A certificate and its private key that a program has in memory.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate_and_key::{self, Chain, put_together};
use super::told::{Mistake, Told};
use super::{key, pkcs12, unfit};
use crate::tls::CertificateSource;
use crate::tls::certificate::ServerCertificate;
use crate::tls::in_memory::Held;

/// What messages call the certificate, and the key.
const CERTIFICATE: &str = "the certificate in memory";
const KEY: &str = "the private key in memory";

/// Reads it. How to fix what is wrong is said for files: code has other means.
pub(super) fn read(source: &CertificateSource, held: &Held) -> Result<ServerCertificate, Mistake> {
    let (read, fix) = match held {
        Held::Pem { certificate, key, password } => (
            pem(source, certificate, key.reveal(), password.as_ref().map(|it| it.reveal())),
            "give a certificate and its private key in PEM form; encrypted_pem_text takes the password \
             of a key that has one",
        ),
        Held::Der { chain, key } => (
            der(source, chain, key.reveal()),
            "give the certificates in DER form, the endpoint's own first, and its private key as PKCS#8, PKCS#1 \
             or SEC1",
        ),
        Held::Pfx { bytes, password } => (
            pkcs12::of_bytes(
                source,
                bytes.reveal(),
                Path::new(CERTIFICATE),
                Some(password.reveal()),
                ServerCertificate::new,
            ),
            pkcs12::FIX_IN_MEMORY,
        ),
        Held::Ready(certified) => (
            ServerCertificate::ready(certified.key().clone())
                .map_err(|unfit| unfit::told(unfit, CERTIFICATE, KEY).of(source, "Path")),
            "give a chain whose first certificate is for servers, and what signs for it",
        ),
    };
    let mut read = read.map_err(|Mistake { problem, only_when_served }| Mistake {
        problem: problem.fix(fix),
        only_when_served,
    })?;
    read.in_memory = true;
    Ok(read)
}

fn pem(
    source: &CertificateSource,
    certificate: &[u8],
    key: &[u8],
    password: Option<&str>,
) -> Result<ServerCertificate, Mistake> {
    let path = Path::new(CERTIFICATE);
    let Chain { certificates, skipped } = certificate_and_key::certificates(certificate, path)
        .map_err(|(told, setting)| told.of(source, setting))?;
    let key = key::read(key, password).map_err(|fault| {
        let setting = fault.setting();
        fault.told(Path::new(KEY)).of(source, setting)
    })?;
    let mut read = put_together(
        source,
        (certificates, key),
        (path, Path::new(KEY)),
        Vec::new(),
        ServerCertificate::new,
    )?;
    read.skipped = skipped;
    Ok(read)
}

fn der(
    source: &CertificateSource,
    chain: &[Vec<u8>],
    key: &[u8],
) -> Result<ServerCertificate, Mistake> {
    let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::try_from(key.to_vec()).map_err(|_| {
        Told::new("ASN1 corrupted data.")
            .cause(format!("What was given as {KEY} is no private key in DER form."))
            .of(source, "KeyPath")
    })?;
    put_together(
        source,
        (chain, key),
        (Path::new(CERTIFICATE), Path::new(KEY)),
        Vec::new(),
        ServerCertificate::new,
    )
}
