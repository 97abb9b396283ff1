//! What is wrong with files, told with its setting and its fix.

use super::*;

#[test]
#[cfg_attr(not(feature = "pkcs12"), ignore = "takes the feature `pkcs12`")]
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
#[cfg_attr(not(feature = "pkcs12"), ignore = "takes the feature `pkcs12`")]
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

#[test]
fn an_endpoint_without_certificate_is_told_where_was_looked() {
    let looked_at =
        || vec!["/home/u/shop.pfx: missing".to_owned(), "/home/u/my: unreadable".to_owned()];
    let make_one = "make one for development: kestrel dev-certs https";
    let told = |environment, local| {
        let key = Some("Kestrel:Endpoints:Web");
        none_found(key, looked_at(), make_one, (environment, local)).to_string()
    };
    let production = told("Production", false);
    assert!(!production.contains("dev-certs"), "{production}");
    let keys =
        "fix: set Kestrel:Certificates:Default:Path and Kestrel:Certificates:Default:KeyPath to";
    assert!(production.contains(keys), "{production}");
    // Where only this machine reaches it, that of development does, and both are named.
    let local = told("Production", true);
    for part in [
        keys,
        "; or, since only this machine reaches it, make one for development: kestrel dev-certs https",
    ] {
        assert!(local.contains(part), "{part:?} is missing in {local}");
    }
    let told = told("development", true);
    let first = "Unable to configure HTTPS endpoint. No server certificate was specified, and the \
                 default developer certificate could not be found or is out of date.\n";
    assert!(told.starts_with(first), "{told}");
    for part in [
        "looked for in:\n    Kestrel:Endpoints:Web:Certificate: not set\n    Kestrel:Certificates:Default: not set\n    \
         /home/u/shop.pfx: missing\n    /home/u/my: unreadable\n",
        "key: Kestrel:Endpoints:Web\n",
        "kestrel dev-certs https",
    ] {
        assert!(told.contains(part), "{part:?} is missing in {told}");
    }
    assert_eq!(none_found(None, looked_at(), make_one, ("Production", false)).key, None);
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
