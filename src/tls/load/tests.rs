//! Files made by the real openssl, and what comes of them.

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

#[test]
fn every_mistake_is_told_with_its_setting_and_its_fix() {
    let Some(folder) = made("every_mistake_is_told_with_its_setting_and_its_fix", FILES) else {
        return;
    };
    // Path, KeyPath, Password; the setting to blame, the beginning of the first line, then what
    // has to be in the lines below it.
    type Case = (
        &'static str,
        &'static str,
        Option<&'static str>,
        &'static str,
        &'static str,
        &'static [&'static str],
    );
    let cases: [Case; 45] = [
        (
            "missing.pem",
            "k.pem",
            None,
            "Path",
            "Could not find file '{}/missing.pem'.",
            &["put the file there"],
        ),
        (
            "C.PEM",
            "k.pem",
            None,
            "Path",
            "Could not find file '{}/C.PEM'.",
            &["There is c.pem in that folder."],
        ),
        (
            "no/c.pem",
            "k.pem",
            None,
            "Path",
            "Could not find a part of the path '{}/no/c.pem'.",
            &["{}/no does not exist."],
        ),
        (
            "c.pem/x/c.pem",
            "k.pem",
            None,
            "Path",
            "Could not find a part of the path",
            &["{}/c.pem is no folder."],
        ),
        (
            "dangling.pem",
            "k.pem",
            None,
            "Path",
            "Could not find file '{}/dangling.pem'.",
            &["It is a link to nowhere.pem, which does not exist."],
        ),
        (
            "folder",
            "k.pem",
            None,
            "Path",
            "Access to the path '{}/folder' is denied.",
            &["It is a folder."],
        ),
        (
            "pipe.pem",
            "k.pem",
            None,
            "Path",
            "Access to the path '{}/pipe.pem' is denied.",
            &["a pipe"],
        ),
        (
            "empty.pem",
            "k.pem",
            None,
            "Path",
            "Error occurred during a cryptographic operation.",
            &["{}/empty.pem is empty."],
        ),
        (
            "garbage.pem",
            "k.pem",
            None,
            "Path",
            "ASN1 corrupted data.",
            &["{}/garbage.pem is neither"],
        ),
        (
            "k.pem",
            "k.pem",
            None,
            "Path",
            "ASN1 corrupted data.",
            &["with a private key and no certificate"],
        ),
        (
            "request.pem",
            "k.pem",
            None,
            "Path",
            "ASN1 corrupted data.",
            &["is a request for a certificate"],
        ),
        (
            "cut.pem",
            "k.pem",
            None,
            "Path",
            "ASN1 corrupted data.",
            &["on line 1 has no -----END line"],
        ),
        (
            "damaged.pem",
            "k.pem",
            None,
            "Path",
            "The certificate contents do not contain a PEM with a CERTIFICATE label",
            &["Certificate 1 of {}/damaged.pem"],
        ),
        (
            "c.pfx",
            "k.pem",
            Some("pw"),
            "KeyPath",
            "The provided key file is missing or invalid.",
            &["{}/c.pfx is a PKCS#12 (PFX) file", "remove KeyPath"],
        ),
        (
            "c.p7b",
            "k.pem",
            None,
            "Path",
            "The provided key file is missing or invalid.",
            &["is a PKCS#7 file", "openssl pkcs7"],
        ),
        ("c.pem", "missing.pem", None, "KeyPath", "Could not find file '{}/missing.pem'.", &[]),
        ("c.pem", "empty.pem", None, "KeyPath", NO_KEY, &["is empty"]),
        ("c.pem", "garbage.pem", None, "KeyPath", NO_KEY, &["is neither"]),
        ("c.pem", "c.pem", None, "KeyPath", NO_KEY, &["with a certificate and no private key"]),
        (
            "c.pem",
            "k.der",
            None,
            "KeyPath",
            NO_KEY,
            &["is a private key in DER form", "openssl pkey -inform DER"],
        ),
        (
            "c.pem",
            "c.pfx",
            None,
            "KeyPath",
            NO_KEY,
            &["remove KeyPath, and name this file in Path"],
        ),
        (
            "c.pem",
            "kold.pem",
            Some("pw"),
            "KeyPath",
            NO_KEY,
            &["Proc-Type: 4,ENCRYPTED", "openssl pkey -in '{}/kold.pem' -aes256"],
        ),
        ("c.pem", "kold.pem", None, "KeyPath", NO_KEY, &["Proc-Type: 4,ENCRYPTED"]),
        (
            "c.pem",
            "kpublic.pem",
            None,
            "KeyPath",
            "Error getting private key from '{}/kpublic.pem'.",
            &["a public key only"],
        ),
        (
            "c.pem",
            "twokeys.pem",
            None,
            "KeyPath",
            "The input contains multiple keys",
            &["has 2 keys"],
        ),
        ("c.pem", "kdamaged.pem", None, "KeyPath", "ASN1 corrupted data.", &["is damaged"]),
        (
            "c.pem",
            "kencrypted.pem",
            None,
            "Password",
            "An encrypted key was found, but no password was provided.",
            &["set Password"],
        ),
        (
            "c.pem",
            "kencrypted.pem",
            Some("no"),
            "Password",
            "The EncryptedPrivateKeyInfo structure was decoded but",
            &["The password does not open"],
        ),
        (
            "c.pem",
            "kencrypted.pem",
            Some(""),
            "Password",
            "The EncryptedPrivateKeyInfo structure was decoded but",
            &[],
        ),
        ("c.pem", "k.pem", Some("pw"), "Password", NO_KEY, &["is not encrypted"]),
        ("c.pem", "k.pem", Some(""), "Password", NO_KEY, &["an empty one counts as well"]),
        (
            "c.pem",
            "kpbes1.pem",
            Some("pw"),
            "KeyPath",
            "The private key in '{}/kpbes1.pem' is encrypted in a way that is not read.",
            &["PBE with SHA-1 and 3DES", "openssl pkey -in"],
        ),
        (
            "c.pem",
            "k2.pem",
            None,
            "KeyPath",
            "Error getting private key from '{}/k2.pem'.",
            &[
                "does not match the public key for this certificate: both are RSA, 2048 bits, but they are no pair",
            ],
        ),
        (
            "c.pem",
            "kec.pem",
            None,
            "KeyPath",
            "Key is not a valid public or private key.",
            &["certificate's is RSA, 2048 bits, the file's is EC, curve P-256"],
        ),
        (
            "wrongorder.pem",
            "k.pem",
            None,
            "KeyPath",
            "Error getting private key from",
            &[
                "the key of certificate 2 in {}/wrongorder.pem",
                "put the certificate of the key first",
            ],
        ),
        (
            "c1024.pem",
            "k1024.pem",
            None,
            "KeyPath",
            "The private key in '{}/k1024.pem' cannot be used: RSA, 1024 bits.",
            &["RSA key of 2048 bits"],
        ),
        (
            "cdsa.pem",
            "kdsa.pem",
            None,
            "KeyPath",
            "The private key in '{}/kdsa.pem' cannot be used: DSA.",
            &[],
        ),
        (
            "ck1.pem",
            "kk1.pem",
            None,
            "KeyPath",
            "The private key in '{}/kk1.pem' cannot be used: EC, curve secp256k1.",
            &[],
        ),
        (
            "cpss.pem",
            "kpss.pem",
            None,
            "KeyPath",
            "The private key in '{}/kpss.pem' cannot be used: RSASSA-PSS.",
            &[],
        ),
        (
            "cclient.pem",
            "k.pem",
            None,
            "Path",
            "Certificate ",
            &[
                "cannot be used as an SSL server certificate. It has an Extended Key Usage",
                "serverAuth",
            ],
        ),
        (
            "c.pem",
            "",
            None,
            "Path",
            NO_KEY_WITH_IT,
            &["certificate and no private key", "set KeyPath"],
        ),
        (
            "both.pem",
            "",
            None,
            "Path",
            NO_KEY_WITH_IT,
            &["Without KeyPath the key in it is not read", "to the same file: {}/both.pem"],
        ),
        (
            "c.pfx",
            "",
            Some("no"),
            "Password",
            "The certificate data cannot be read with the provided password, the password may be incorrect.",
            &["does not open"],
        ),
        (
            "c.pfx",
            "",
            None,
            "Password",
            "The certificate data cannot be read with the provided password, the password may be incorrect.",
            &["and none is set"],
        ),
        (
            "keyless.pfx",
            "",
            Some("pw"),
            "Path",
            NO_KEY_WITH_IT,
            &["has certificates, but no private key"],
        ),
    ];
    for (path, key_path, password, setting, first, rest) in cases {
        let source = file(folder.path(), path, key_path, password);
        let problem = load(&source, &Places::default(), SystemTime::now()).unwrap_err();
        let told = problem.to_string();
        let here = |text: &str| text.replace("{}", &folder.path().display().to_string());
        let what = format!("{path} {key_path} {password:?}:\n{told}");
        assert!(told.starts_with(&here(first)), "{what}");
        assert_eq!(problem.key, Some(format!("{KEY}:{setting}")), "{what}");
        assert!(problem.fix.is_some(), "{what}");
        for part in rest {
            assert!(told.contains(&here(part)), "{part:?} is missing in {what}");
        }
        assert!(!told.contains("pass:") && !told.contains("'pw'"), "{what}");
    }
}

#[test]
fn other_files_without_key_path_are_named() {
    let Some(folder) = made("other_files_without_key_path_are_named", FILES) else {
        return;
    };
    let cases: [(&str, &str, &str); 7] = [
        ("c.der", NO_KEY_WITH_IT, "is a certificate in DER form"),
        ("bothencrypted.pem", NO_KEY_WITH_IT, "with a certificate and an encrypted private key"),
        ("k.pem", "ASN1 corrupted data.", "name the certificate in Path, and this file in KeyPath"),
        ("garbage.pem", "ASN1 corrupted data.", "is neither a certificate"),
        ("empty.pem", "Error occurred during a cryptographic operation.", "is empty"),
        ("c.p7b", "ASN1 corrupted data.", "is a PKCS#7 file"),
        ("folder", "Access to the path", "It is a folder."),
    ];
    for (path, first, rest) in cases {
        let problem =
            load(&file(folder.path(), path, "", None), &Places::default(), SystemTime::now());
        let told = problem.unwrap_err().to_string();
        assert!(told.starts_with(first) && told.contains(rest), "{path}: {told}");
    }
    let client = file(folder.path(), "client.pfx", "", Some("pw"));
    let told = load(&client, &Places::default(), SystemTime::now()).unwrap_err().to_string();
    assert!(told.contains("cannot be used as an SSL server certificate"), "{told}");
}

const STORE: &str = r"
store=.dotnet/corefx/cryptography/x509stores
mkdir -p $store/my $store/root
new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem $@; }
put() { openssl pkcs12 -export -inkey k.pem -in c.pem -passout pass: -out $store/my/$1.pfx; }
new -days 10 -subj '/O=Example/CN=one.example'
put a
cp c.pem one.pem
new -days 20 -subj /CN=one.example
put b
new -days 30 -subj /CN=one.example -addext extendedKeyUsage=clientAuth
put c
new -days 40 -subj /CN=one.example
openssl pkcs12 -export -nokeys -in c.pem -passout pass: -out $store/my/d.pfx
new -days 50 -subj /CN=two.example
put e
echo garbage > $store/my/f.pfx
cp $store/my/e.pfx $store/my/e.txt
openssl pkcs12 -export -nokeys -in one.pem -passout pass: -out $store/root/one.pfx
";

#[test]
fn a_store_gives_the_certificate_that_is_valid_longest() {
    let Some(home) = made("a_store_gives_the_certificate_that_is_valid_longest", STORE) else {
        return;
    };
    let home = home.path();
    let now = SystemTime::now();
    let places = Places {
        home: home.to_owned(),
        // None of the system's authorities: they have nothing to do with it, and take time.
        ssl_cert_file: Some(home.join("none.pem").display().to_string()),
        ..Places::default()
    };
    let wanted = |subject: &str, store: &str, location, allow_invalid| {
        source(CertificateLocation::Store {
            subject: subject.to_owned(),
            store: store.to_owned(),
            location,
            allow_invalid,
        })
    };
    let user = StoreLocation::CurrentUser;
    let day = Duration::from_secs(24 * 60 * 60);
    let found = [
        // By validity, not by trust; part of the subject, in any case.
        (wanted("ONE.ex", "My", user, true), now, "b.pfx"),
        (wanted("one.example", "", user, true), now, "b.pfx"),
        // Only this one is trusted.
        (wanted("one.example", "My", user, false), now, "a.pfx"),
        (wanted("Example, one", "my", user, true), now, "a.pfx"),
        // Out of time, and allowed.
        (wanted("two", "My", user, true), now + 60 * day, "e.pfx"),
    ];
    for (source, now, file) in found {
        let loaded = load(&source, &places, now).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(loaded.files.len(), 1);
        assert_eq!(loaded.files[0].file_name().unwrap(), file, "{source:?}");
    }

    let machine = StoreLocation::LocalMachine;
    let missing = "The requested certificate {} could not be found in";
    let refused = [
        (wanted("three", "My", user, true), now, missing, "CN=two.example (another subject)"),
        (wanted("CN=two", "My", user, true), now, missing, "without CN="),
        (wanted("two", "My", user, false), now, missing, "CN=two.example (not trusted)"),
        (
            wanted("one", "My", user, false),
            now + 15 * day,
            missing,
            "CN=one.example, O=Example (valid from",
        ),
        (wanted("one", "My", user, false), now, "", ""),
        (wanted("two", "Root", user, true), now, missing, "(another subject)"),
        (wanted("one", "Root", user, true), now, missing, "(without a private key)"),
        (
            wanted("two", "WebHosting", user, true),
            now,
            missing,
            "x509stores/webhosting does not exist",
        ),
        (
            wanted("two", "a/b", user, true),
            now,
            "The storeName value was invalid.",
            "name such as My",
        ),
        (
            wanted("two", "..", user, true),
            now,
            "The storeName value was invalid.",
            "name such as My",
        ),
        (
            wanted("two", "My", machine, true),
            now,
            "Unix LocalMachine X509Store is limited",
            "CurrentUser",
        ),
        (wanted("two", "Root", machine, true), now, missing, "without private keys"),
    ];
    for (source, now, first, rest) in refused {
        let loaded = load(&source, &places, now);
        if first.is_empty() {
            assert!(loaded.is_ok());
            continue;
        }
        let problem = loaded.unwrap_err();
        let told = problem.to_string();
        let CertificateLocation::Store { subject, .. } = &source.location else { panic!() };
        assert!(told.starts_with(&first.replace("{}", subject)), "{told}");
        assert!(told.contains(rest), "{told}");
        assert_eq!(problem.key, Some(format!("{KEY}:Subject")));
    }
}

#[test]
fn an_endpoint_without_certificate_is_told_where_was_looked() {
    let places = Places { home: "/home/u".into(), ..Places::default() };
    let problem = none_found(
        Some("Kestrel:Endpoints:Web"),
        Some("/home/u/.aspnet/https/shop.pfx".into()),
        &places,
    );
    let told = problem.to_string();
    let first = "Unable to configure HTTPS endpoint. No server certificate was specified, and the \
                 default developer certificate could not be found or is out of date.\n";
    assert!(told.starts_with(first), "{told}");
    for part in [
        "Kestrel:Endpoints:Web:Certificate, Kestrel:Certificates:Default, /home/u/.aspnet/https/shop.pfx, \
         /home/u/.dotnet/corefx/cryptography/x509stores/my\n",
        "key: Kestrel:Endpoints:Web\n",
        "kestrel dev-certs https",
    ] {
        assert!(told.contains(part), "{part:?} is missing in {told}");
    }
    assert_eq!(none_found(None, None, &places).key, None);
}

#[test]
fn a_certificate_of_code_blames_the_call() {
    let missing = CertificateSource::pem("/nowhere/c.pem", "/nowhere/k.pem");
    let problem = load(&missing, &Places::default(), SystemTime::now()).unwrap_err();
    assert_eq!(problem.key.as_deref(), Some("listen_https"));
}

#[test]
fn a_default_that_nobody_uses_is_refused_as_by_the_reference() {
    let Some(folder) = made("a_default_that_nobody_uses_is_refused_as_by_the_reference", FILES)
    else {
        return;
    };
    let cases: [(&str, &str, Option<Severity>); 6] = [
        ("c.pem", "k.pem", None),
        ("c.pem", "k2.pem", Some(Severity::Error)),
        ("missing.pem", "k.pem", Some(Severity::Error)),
        ("c.pem", "", Some(Severity::Warning)),
        ("cclient.pem", "k.pem", Some(Severity::Warning)),
        ("c1024.pem", "k1024.pem", Some(Severity::Warning)),
    ];
    for (path, key_path, severity) in cases {
        let source = file(folder.path(), path, key_path, None);
        let problem = check_unused(&source, &Places::default(), SystemTime::now());
        assert_eq!(problem.as_ref().map(|problem| problem.severity), severity, "{path} {key_path}");
        if let Some(problem) = problem {
            let told = problem.to_string();
            assert!(
                told.ends_with(&format!("; or remove {KEY}, which no endpoint uses")),
                "{told}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_be_read_says_whose_it_is() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use nix::unistd::{Uid, User, setfsuid};

    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode)).unwrap();
    };
    fs::write(folder.path().join("c.pem"), "").unwrap();
    fs::create_dir(folder.path().join("closed")).unwrap();
    fs::write(folder.path().join("closed/c.pem"), "").unwrap();
    mode("", 0o755);
    mode("c.pem", 0o200);
    mode("closed", 0o600);

    // Tests often run as root, who may read everything: this thread then has the files of nobody.
    let told = |path: &'static str| {
        let source = file(folder.path(), path, "", None);
        let read = move || {
            if Uid::effective().is_root() {
                setfsuid(Uid::from_raw(65_534));
            }
            load(&source, &Places::default(), SystemTime::now()).unwrap_err()
        };
        let problem = std::thread::spawn(read).join().unwrap();
        assert_eq!(problem.key, Some(format!("{KEY}:Path")));
        problem.to_string()
    };
    let shown = folder.path().display();
    let user = User::from_uid(Uid::effective()).unwrap().unwrap().name;
    let cases = [
        (
            "c.pem",
            format!("may not read it: it belongs to {user}:"),
            "and has mode 0200.",
            format!("setfacl -m u:{user}:r '{shown}/c.pem'"),
        ),
        (
            "closed/c.pem",
            format!("may not enter the folder {shown}/closed: it belongs to {user}:"),
            "and has mode 0600.",
            format!("setfacl -m u:{user}:x '{shown}/closed'"),
        ),
    ];
    for (path, cause, mode, fix) in cases {
        let told = told(path);
        let first =
            format!("Access to the path '{shown}/{path}' is denied.\n  The user {user} (uid ");
        assert!(told.starts_with(&first), "{told}");
        assert!(told.contains(&cause) && told.contains(mode) && told.contains(&fix), "{told}");
    }
    mode("closed", 0o700);
}
