//! Files made by the real openssl, and what comes of them.

mod mistakes;
mod served;
mod stores;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::*;
use crate::tls::{Secret, StoreLocation};

/// A folder with the files that a shell script makes; `None`, told loudly, without openssl.
pub(in crate::tls) fn made(test: &str, script: &str) -> Option<tempfile::TempDir> {
    if Command::new("openssl").arg("version").output().is_err() {
        skipped(test, "openssl (apt-get install openssl)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new("sh").args(["-e", "-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(folder)
}

/// Says that a test cannot run here, and what it needs; a failure if `KESTREL_TEST_NO_SKIP=1`.
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn skipped(test: &str, needs: &str) {
    use std::io::Write;
    let forbidden = std::env::var_os("KESTREL_TEST_NO_SKIP").is_some_and(|value| value == "1");
    assert!(!forbidden, "{test} needs {needs}");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: needs {needs}");
}

const KEY: &str = "Kestrel:Endpoints:A:Certificate";

fn source(location: CertificateLocation) -> CertificateSource {
    CertificateSource { name: "A".to_owned(), key: KEY.to_owned(), location }
}

fn file(folder: &Path, path: &str, key_path: &str, password: Option<&str>) -> CertificateSource {
    source(CertificateLocation::File {
        path: folder.join(path),
        key_path: (!key_path.is_empty()).then(|| folder.join(key_path)),
        password: password.map(Secret::new),
    })
}

/// Certificates and keys of all kinds. `k` and `c` stand for RSA; what is wrong is in the name.
const FILES: &str = r"
new() { openssl req -x509 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 $@; }
new -newkey rsa:2048 -keyout k.pem -out c.pem
new -newkey rsa:2048 -keyout k2.pem -out c2.pem
new -newkey rsa:1024 -keyout k1024.pem -out c1024.pem
new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout kec.pem -out cec.pem
new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -keyout k384.pem -out c384.pem
new -newkey ec -pkeyopt ec_paramgen_curve:P-521 -keyout k521.pem -out c521.pem
new -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -keyout kk1.pem -out ck1.pem
new -newkey ed25519 -keyout ked.pem -out ced.pem
new -newkey rsa-pss -keyout kpss.pem -out cpss.pem
openssl dsaparam -genkey 1024 | openssl pkey -out kdsa.pem
new -key kdsa.pem -out cdsa.pem
openssl ecparam -name prime256v1 -genkey -out ksec1.pem
new -key ksec1.pem -out csec1.pem
openssl ec -in ksec1.pem -conv_form compressed -out kcompressed.pem
new -key kcompressed.pem -out ccompressed.pem
new -key k.pem -out cclient.pem -addext extendedKeyUsage=clientAuth
new -key k.pem -out cboth.pem -addext extendedKeyUsage=clientAuth,serverAuth
openssl req -new -key k.pem -subj /CN=localhost -out request.pem
openssl x509 -req -in request.pem -signkey k.pem -out cv1.pem
openssl x509 -in c.pem -outform DER -out c.der
openssl x509 -in c.pem -trustout -addtrust serverAuth -out ctrusted.pem
openssl crl2pkcs7 -nocrl -certfile c.pem -out c.p7b
openssl pkcs8 -topk8 -in k.pem -passout pass:pw -out kencrypted.pem
openssl pkcs8 -topk8 -in k.pem -passout pass:pw -v2 des3 -out k3des.pem
openssl pkcs8 -topk8 -in k.pem -passout pass:pw -scrypt -out kscrypt.pem
openssl pkcs8 -topk8 -in k.pem -passout pass:pw -v1 PBE-SHA1-3DES -out kpbes1.pem
openssl rsa -in k.pem -traditional -out kpkcs1.pem
openssl rsa -in k.pem -traditional -aes128 -passout pass:pw -out kold.pem
openssl rsa -in k.pem -pubout -out kpublic.pem
openssl rsa -in k.pem -outform DER -out k.der
openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass:pw -out c.pfx
openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass: -out open.pfx
openssl pkcs12 -export -legacy -inkey k.pem -in c.pem -passout pass:pw -out legacy.pfx
openssl pkcs12 -export -nokeys -in c.pem -passout pass:pw -out keyless.pfx
openssl pkcs12 -export -inkey k.pem -in cclient.pem -passout pass:pw -out client.pfx
cat c.pem k.pem > both.pem
cat k.pem c.pem > keyfirst.pem
cat c.pem kencrypted.pem > bothencrypted.pem
cat c.pem c2.pem > chain.pem
cat c2.pem c.pem > wrongorder.pem
cat k.pem k2.pem > twokeys.pem
(cat c.pem; head -5 c2.pem) > cutchain.pem
head -5 c.pem > cut.pem
sed s/MII/AAA/ c.pem > damaged.pem
sed s/MII/AAA/ k.pem > kdamaged.pem
(printf '\357\273\277'; cat c.pem) > mark.pem
: > empty.pem
echo garbage > garbage.pem
mkdir folder
ln -s nowhere.pem dangling.pem
mkfifo pipe.pem
";

/// Serves a certificate to a client that takes anything, in memory.
fn shake_hands(certificate: &ServerCertificate) {
    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::server::ResolvesServerCert;
    use rustls::sign::SingleCertAndKey;
    use rustls::{
        ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig,
        ServerConnection, SignatureScheme,
    };

    /// rustls looks into certificates to verify signatures, and refuses old versions there.
    #[derive(Debug)]
    struct Anything;
    impl ServerCertVerifier for Anything {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            default_provider().signature_verification_algorithms.supported_schemes()
        }
    }

    let provider = Arc::new(default_provider());
    let resolver: Arc<dyn ResolvesServerCert> =
        Arc::new(SingleCertAndKey::from(Arc::clone(&certificate.certified)));
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let mut client =
        ClientConnection::new(Arc::new(client), ServerName::try_from("localhost").unwrap())
            .unwrap();
    while server.is_handshaking() || client.is_handshaking() {
        let mut flight = Vec::new();
        client.write_tls(&mut flight).unwrap();
        server.read_tls(&mut flight.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut flight = Vec::new();
        server.write_tls(&mut flight).unwrap();
        client.read_tls(&mut flight.as_slice()).unwrap();
        client.process_new_packets().unwrap();
    }
    assert_eq!(client.peer_certificates(), Some(certificate.certified.cert.as_slice()));
}

const NO_KEY: &str = "No supported key formats were found.";
const NO_KEY_WITH_IT: &str =
    "The server mode SSL must use a certificate with the associated private key.";

#[test]
#[cfg_attr(not(feature = "pkcs12"), ignore = "takes the feature `pkcs12`")]
fn what_openssl_makes_is_served() {
    let Some(folder) = made("what_openssl_makes_is_served", FILES) else {
        return;
    };
    // Path, KeyPath, Password, certificates in the chain.
    let cases: [(&str, &str, Option<&str>, usize); 25] = [
        ("c.pem", "k.pem", None, 1),
        ("cec.pem", "kec.pem", None, 1),
        ("c384.pem", "k384.pem", None, 1),
        ("c521.pem", "k521.pem", None, 1),
        ("ced.pem", "ked.pem", None, 1),
        ("csec1.pem", "ksec1.pem", None, 1),
        ("ccompressed.pem", "kcompressed.pem", None, 1),
        ("cboth.pem", "k.pem", None, 1),
        ("cv1.pem", "k.pem", None, 1),
        ("c.der", "k.pem", None, 1),
        ("ctrusted.pem", "k.pem", None, 1),
        ("mark.pem", "k.pem", None, 1),
        ("c.pem", "kpkcs1.pem", None, 1),
        ("c.pem", "kencrypted.pem", Some("pw"), 1),
        ("c.pem", "k3des.pem", Some("pw"), 1),
        ("c.pem", "kscrypt.pem", Some("pw"), 1),
        ("both.pem", "both.pem", None, 1),
        ("keyfirst.pem", "keyfirst.pem", None, 1),
        ("bothencrypted.pem", "bothencrypted.pem", Some("pw"), 1),
        ("chain.pem", "k.pem", None, 2),
        ("cutchain.pem", "k.pem", None, 1),
        ("c.pfx", "", Some("pw"), 1),
        ("legacy.pfx", "", Some("pw"), 1),
        ("open.pfx", "", None, 1),
        ("open.pfx", "", Some(""), 1),
    ];
    for (path, key_path, password, certificates) in cases {
        let source = file(folder.path(), path, key_path, password);
        let loaded = load(&source, &Places::default(), SystemTime::now());
        let loaded = loaded.unwrap_or_else(|problem| panic!("{path} {key_path}: {problem}"));
        assert_eq!(loaded.certified.cert.len(), certificates, "{path}");
        assert_eq!(loaded.facts.subject, "CN=localhost", "{path}");
        assert_eq!(loaded.skipped.is_some(), path == "cutchain.pem", "{path}");
        let files = if key_path.is_empty() || key_path == path {
            vec![folder.path().join(path)]
        } else {
            vec![folder.path().join(path), folder.path().join(key_path)]
        };
        assert_eq!(loaded.files, files, "{path}");
        shake_hands(&loaded);
        let has_names = path != "cv1.pem";
        assert_eq!(loaded.facts.has_subject_alternative_name, has_names, "{path}");
        if has_names {
            assert_eq!(loaded.facts.names, ["localhost", "127.0.0.1"], "{path}");
        }
    }
}
