use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};

use super::*;
use crate::tls::pfx::mac::tests::sealed_without_password;

/// The files are made by `tests/data/pfx/make.sh`.
macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/pfx/", $name)).as_slice()
    };
}

#[test]
fn all_forms_that_openssl_writes_are_read() {
    for (file, password) in [
        (file!("modern.pfx"), "secret"),
        (file!("legacy.pfx"), "secret"),
        (file!("triple_des.pfx"), "secret"),
        (file!("aes128_sha512.pfx"), "secret"),
        (file!("no_mac.pfx"), "secret"),
        (file!("no_mac_triple_des.pfx"), "secret"),
        (file!("bare.pfx"), ""),
        (file!("empty_password.pfx"), ""),
        (file!("empty_password_legacy.pfx"), ""),
        (file!("utf8_password.pfx"), "pä$€"),
    ] {
        let identity = read(file, password).unwrap();
        assert_eq!(identity.certificates, [file!("rsa.cer")], "{password}");
        assert_eq!(identity.key, file!("rsa.p8"), "{password}");
    }
}

#[test]
fn a_seal_without_a_password_is_as_good_as_an_empty_one() {
    let file = sealed_without_password();
    assert_eq!(read(&file, "").unwrap().key, file!("rsa.p8"));
    assert!(read(&file, "x").is_err());
}

#[test]
fn a_key_on_a_curve_is_read() {
    let identity = read(file!("ec.pfx"), "secret").unwrap();
    assert_eq!(identity.certificates.len(), 1);
}

#[test]
fn the_chain_begins_with_the_certificate_of_the_key() {
    let identity = read(file!("chain.pfx"), "secret").unwrap();
    let expected = [file!("rsa.cer"), file!("issuer.cer"), file!("root.cer")];
    assert_eq!(identity.certificates, expected);
}

#[test]
fn the_reasons_of_a_refusal_are_told_apart() {
    let mut cut = file!("modern.pfx").to_vec();
    cut.truncate(500);
    for (file, password, reason) in [
        (file!("modern.pfx"), "Secret", ReadError::WrongPassword),
        (file!("modern.pfx"), "", ReadError::WrongPassword),
        (file!("empty_password.pfx"), "x", ReadError::WrongPassword),
        (file!("triple_des.pfx"), "x", ReadError::WrongPassword),
        (file!("no_mac.pfx"), "x", ReadError::WrongPassword),
        (file!("no_mac_triple_des.pfx"), "x", ReadError::WrongPassword),
        (b"junk".as_slice(), "", ReadError::NotPkcs12),
        (b"".as_slice(), "", ReadError::NotPkcs12),
        (&cut, "secret", ReadError::NotPkcs12),
        (file!("rsa.cer"), "", ReadError::NotPkcs12),
        (file!("certificate_only.pfx"), "secret", ReadError::NoKey),
        (file!("key_only.pfx"), "secret", ReadError::NoCertificate),
    ] {
        assert_eq!(read(file, password), Err(reason), "{} bytes", file.len());
    }
}

#[test]
fn a_key_among_certificates_of_others_is_refused() {
    let key = PrivateKey::from_der(file!("rsa.p8")).unwrap();
    let other = Certificate::from_der(file!("issuer.cer")).unwrap();
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new("1", key, [other]);
    store.add_entry("a", KeyStoreEntry::PrivateKeyChain(chain));
    let file = store.writer("secret").encryption_iterations(1).mac_iterations(1).write().unwrap();
    assert_eq!(read(&file, "secret"), Err(ReadError::KeyOfNoCertificate));
}

#[test]
fn certificates_are_read_without_a_key() {
    let found = certificates(file!("certificate_only.pfx"), "secret").unwrap();
    assert_eq!(found, [file!("rsa.cer")]);
    assert_eq!(certificates(file!("key_only.pfx"), "secret"), Err(ReadError::NoCertificate));
}

#[test]
fn a_key_is_never_shown() {
    let identity = read(file!("modern.pfx"), "secret").unwrap();
    assert_eq!(format!("{identity:?}"), "Identity { certificates: 1 }");
}

#[test]
fn broken_files_are_refused_without_a_panic() {
    for file in [file!("bare.pfx"), file!("legacy.pfx"), file!("empty_password.pfx")] {
        for place in (0..file.len()).step_by(7) {
            let _ = read(&file[..place], "");
            let mut broken = file.to_vec();
            broken[place] ^= 0xff;
            let _ = read(&broken, "");
        }
    }
}
