//! Runs of the tool in states of the store that no recording has, and with programs that fail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::generate::{Generated, generate, of_name};
use super::super::report::Stream;
use super::super::store::Store;
use super::*;
use crate::tls::pfx::{self, Iterations};
use crate::tls::places::Places;

/// A home, a working directory, and programs.
struct User {
    _folder: tempfile::TempDir,
    surroundings: Surroundings,
}

/// What came of a run.
#[derive(Debug)]
struct Told {
    exit: Exit,
    out: String,
    err: String,
}

impl User {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let path = Some(place("programs").display().to_string());
        let places = Places { home: place("home"), path, ..Places::default() };
        let current_directory = place("work");
        let now = SystemTime::now();
        Self { surroundings: Surroundings { places, current_directory, now }, _folder: folder }
    }

    fn places(&self) -> &Places {
        &self.surroundings.places
    }

    fn work(&self, name: &str) -> PathBuf {
        self.surroundings.current_directory.join(name)
    }

    /// Runs the tool with `https` and these arguments.
    fn run(&self, arguments: &[&str]) -> Told {
        let arguments = ["https"].iter().chain(arguments).map(|&argument| argument.to_owned());
        let (exit, report) = run(&arguments.collect::<Vec<_>>(), &self.surroundings);
        let told = |wanted: Stream| {
            let lines = report.lines().iter().filter(|(stream, _)| *stream == wanted);
            lines.map(|(_, line)| format!("{line}\n")).collect()
        };
        Told { exit, out: told(Stream::Output), err: told(Stream::Error) }
    }

    /// Puts a program on `PATH`: a script.
    fn program(&self, name: &str, script: &str) {
        let path = Path::new(self.places().path.as_deref().unwrap()).join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// With an `openssl` that knows one digest.
    fn with_openssl(self) -> Self {
        self.program(
            "openssl",
            r#"case "$1" in x509) echo ce275665;; version) echo 'OPENSSLDIR: "/ssl"';; esac"#,
        );
        self
    }

    /// With a database of a browser.
    fn with_browser(self) -> Self {
        fs::create_dir_all(self.places().home.join(".pki/nssdb")).unwrap();
        self
    }

    fn store(&self, made: &Generated) -> PathBuf {
        let store = Store::personal(self.places());
        store.save(std::slice::from_ref(&made.certificate), Some(&made.key)).unwrap();
        store
            .folder()
            .join(format!("{}.pfx", crate::tls::certificate::thumbprint(&made.certificate)))
    }

    fn stored(&self) -> usize {
        Store::personal(self.places()).entries().len()
    }

    fn pfx(&self, name: &str, made: &Generated) {
        let chain = std::slice::from_ref(&made.certificate);
        let bytes = pfx::write(chain, Some(&made.key), "x", Iterations::One).unwrap();
        fs::write(self.work(name), bytes).unwrap();
    }
}

fn of_another() -> Generated {
    of_name("example", 6, SystemTime::now()).unwrap()
}

fn of_localhost() -> Generated {
    generate(SystemTime::now()).unwrap()
}

#[test]
fn certificates_for_others_stay_and_are_in_the_way_of_an_import() {
    let user = User::new();
    let other = user.store(&of_another());
    user.store(&of_localhost());
    user.pfx("a.pfx", &of_localhost());
    let import = ["--clean", "--import", "a.pfx", "-p", "x"];
    let told = user.run(&import);
    assert_eq!((told.exit, user.stored()), (Exit::OthersPresent, 2), "{told:?}");
    assert!(told.err.contains(&*other.to_string_lossy()), "{told:?}");
    assert!(told.err.ends_with("\n  Nothing was removed.\n"), "{told:?}");
    let told = user.run(&["--clean"]);
    assert_eq!((told.exit, user.stored()), (Exit::Success, 1), "{told:?}");
    // That one can be served, so it is there for a check; a plain run makes one for localhost.
    assert_eq!(user.run(&["--check"]).exit, Exit::Success);
    let told = user.run(&[]);
    assert_eq!((told.exit, user.stored()), (Exit::Success, 2), "{told:?}");
    fs::remove_file(other).unwrap();
    let told = user.run(&import);
    assert_eq!((told.exit, user.stored()), (Exit::Success, 1), "{told:?}");
}

#[test]
fn what_cannot_be_imported_changes_nothing() {
    let user = User::new();
    user.store(&of_localhost());
    user.pfx("other.pfx", &of_another());
    user.pfx("own.pfx", &of_localhost());
    let bare = pfx::write(&[of_localhost().certificate], None, "x", Iterations::One).unwrap();
    fs::write(user.work("bare.pfx"), bare).unwrap();
    for (file, password, exit, why) in [
        ("", "x", Exit::ImportMissing, "the path is empty"),
        (".", "x", Exit::ImportMissing, "it is a directory"),
        ("own.pfx", "y", Exit::ImportUnreadable, "the password is not that of the file"),
        ("bare.pfx", "x", Exit::ImportUnreadable, "it has no private key"),
        ("other.pfx", "x", Exit::ImportOfAnother, "it is for CN=example, and not for CN=localhost"),
    ] {
        let told = user.run(&["--clean", "-i", file, "-p", password]);
        assert_eq!((told.exit, user.stored()), (exit, 1), "{told:?}");
        assert!(told.err.ends_with(&format!("  {why}\n  Nothing was removed.\n")), "{told:?}");
        assert_eq!(told.out, "");
    }
    for (file, event) in [
        ("none", "[59] The file"),
        ("bare.pfx", "[63] An error"),
        ("other.pfx", "[64] The provided"),
    ] {
        let told = user.run(&["--clean", "-i", file, "-p", "x", "-v"]);
        assert!(told.err.starts_with(event), "{told:?}");
    }
}

#[test]
fn a_certificate_without_its_key_does_not_count() {
    let user = User::new();
    let store = Store::personal(user.places());
    store.save(&[of_localhost().certificate], None).unwrap();
    for arguments in [&["--check"][..], &["--check", "-v"]] {
        let told = user.run(arguments);
        assert_eq!(told.exit, Exit::NoneFound);
        let why = "cannot be served: it has no private key that belongs to its certificate";
        assert!(told.out.contains(why), "{told:?}");
    }
    assert_eq!(user.run(&["--check", "-q"]).out, "");
    let told = user.run(&[]);
    assert_eq!(told.out, "The HTTPS developer certificate was generated successfully.\n");
    assert_eq!(user.run(&["--clean"]).exit, Exit::Success);
    assert_eq!(user.stored(), 0);
}

#[test]
fn a_store_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let user = User::new();
    let folder = user.places().store("My");
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    fs::write(&folder, "a file").unwrap();
    let cause = format!("\n  {} cannot be read: ", folder.display());
    let told = user.run(&["--check"]);
    assert_eq!(told.exit, Exit::NoneFound);
    assert!(told.out.contains(&cause), "{told:?}");
    let told = user.run(&["--check", "-v"]);
    assert!(told.err.starts_with("[7] An error occurred while listing"), "{told:?}");
    let told = user.run(&["--clean"]);
    assert_eq!(told.exit, Exit::NotCleaned);
    assert!(told.err.contains(&cause), "{told:?}");
    let told = user.run(&[]);
    assert_eq!(told.exit, Exit::NotSaved);
    assert!(told.err.contains("\n  fix: HOME decides"), "{told:?}");
    assert!(user.run(&["-v"]).err.contains("[22] An error has occurred saving"));
}

#[test]
fn files_are_told_as_they_were_typed() {
    let user = User::new();
    let exported =
        |name: &str| format!("The certificate was exported to {}\n", user.work(name).display());
    let told = user.run(&["-ep", "a.pem", "--format", "pem", "-np", "-v"]);
    assert!(told.out.contains("[24] Exporting certificate with private key but no password.\n"));
    assert!(told.out.contains("[27] Writing the certificate to: a.pem.\n"), "{told:?}");
    assert!(told.out.contains("[57] Writing the certificate to: a.key.\n"), "{told:?}");
    assert!(!told.out.contains("[25]") && told.out.ends_with(&exported("a.pem")), "{told:?}");
    // Whoever wants quiet and all steps is told this step, too.
    let told = user.run(&["-ep", "x/../b.pfx", "-v", "-q"]);
    assert_eq!(told.exit, Exit::NotExported);
    fs::create_dir(user.work("x")).unwrap();
    let told = user.run(&["-ep", "x/../b.pfx", "-v", "-q"]);
    assert!(told.out.contains("[25] Creating directory x/...\n"), "{told:?}");
    assert!(told.out.ends_with(&exported("b.pfx")), "{told:?}");
    for (path, why) in [
        ("x", "  {work}/x: it is a directory\n"),
        ("x/", "  {work}/x/: it is a directory\n"),
        ("/dev/null", "  /dev/null: it is not a regular file\n"),
        ("", "  the path is empty\n"),
        ("none/", ""),
        ("~/a", ""),
    ] {
        let told = user.run(&["-ep", path]);
        assert_eq!(told.exit, Exit::NotExported, "{path}");
        let why = why.replace("{work}/", &user.work("").to_string_lossy());
        match why.as_str() {
            "" => assert!(told.out.contains("Please create the target directory"), "{told:?}"),
            why => assert_eq!(told.out, format!("{}\n{why}", ensure::NOT_EXPORTED)),
        }
    }
    let told = user.run(&["-ep", "x", "-v"]);
    assert!(told.err.contains("\n[28] An error has occurred while writing the"), "{told:?}");
    assert!(told.err.contains("\n[26] An error has occurred while exporting the"), "{told:?}");
    let told = user.run(&["-ep", "none/a", "-v"]);
    assert!(told.err.contains("[26] An error has occurred while exporting the certificate: The directory 'none' does not exist.  Choose"), "{told:?}");
}

#[test]
fn a_refused_export_asks_for_trust_first_like_the_others() {
    let user = User::new();
    let told = user.run(&["--trust", "-ep", "a", "--format", "der"]);
    assert_eq!((told.exit, user.stored()), (Exit::UnknownFormat, 0));
    assert_eq!(told.out, format!("{}\n", ensure::TRUSTING));
    assert_eq!(told.err, "Unknown key format 'der'.\n");
    let told = user.run(&["--trust", "-ep", "a.key", "--format", "pem", "-np"]);
    assert_eq!((told.exit, user.stored()), (Exit::NotExported, 0));
    assert!(told.out.starts_with(ensure::TRUSTING), "{told:?}");
}

#[test]
fn browsers_are_not_passed_over_without_certutil() {
    let user = User::new().with_openssl().with_browser();
    let told = user.run(&["--trust"]);
    assert_eq!(told.exit, Exit::NotTrusted);
    assert!(told.out.contains("\n  The certutil command is unavailable."), "{told:?}");
    assert!(told.out.contains("\n  fix: install it (Debian: apt-get install libnss3-tools)"));
    let told = user.run(&["--trust", "-v"]);
    for event in ["[106] The certutil command is unavailable.", "[90] Failed to trust", "[97] "] {
        assert!(told.out.contains(&format!("\n{event}")), "{told:?}");
    }
    assert!(user.run(&["--check", "--trust", "-v"]).out.contains("\n[106] "));
    // It may be trusted there, and cannot be asked.
    let told = user.run(&["--clean"]);
    assert_eq!((told.exit, user.stored()), (Exit::NotCleaned, 1), "{told:?}");
    assert!(told.err.contains("\n  Failed to remove the certificate from the NSS database in"));
}

#[test]
fn a_database_that_keeps_another_name_is_told() {
    let user = User::new().with_openssl().with_browser();
    // It takes the certificate, and lists none of our name.
    user.program("certutil", "exit 0");
    let told = user.run(&["--trust"]);
    assert_eq!(told.exit, Exit::NotTrusted);
    assert!(told.out.contains("an entry for the certificate under a different name"), "{told:?}");
    assert!(user.run(&["--trust", "-v"]).out.contains("\n[103] Failed to trust"));
}

#[test]
fn what_a_database_never_had_is_gone() {
    let user = User::new().with_browser();
    user.program("certutil", r#"case "$*" in *-D*) exit 255;; esac"#);
    assert_eq!(user.run(&[]).exit, Exit::Success);
    let told = user.run(&["--clean", "-v"]);
    assert_eq!((told.exit, user.stored()), (Exit::Success, 0), "{told:?}");
    assert!(told.out.contains("\n[96] Removed the certificate from the NSS database"), "{told:?}");
}

#[test]
fn a_file_that_is_no_certificate_is_not_in_the_way_of_those_that_are() {
    let user = User::new().with_openssl();
    let trust = user.places().home.join(".aspnet/dev-certs/trust");
    fs::create_dir_all(&trust).unwrap();
    fs::write(trust.join("a.pem"), "junk").unwrap();
    let told = user.run(&["--trust"]);
    assert_eq!(told.exit, Exit::NotTrusted);
    assert!(told.out.contains("[110] For OpenSSL trust to take effect"), "{told:?}");
    assert!(fs::read_link(trust.join("ce275665.0")).is_ok());
    assert!(fs::symlink_metadata(trust.join("ce275665.1")).is_err());
    assert_eq!(user.run(&["--clean"]).exit, Exit::Success);
    assert!(trust.join("a.pem").exists());
    assert!(fs::symlink_metadata(trust.join("ce275665.0")).is_err());
}

#[test]
fn an_openssl_that_fails_is_told() {
    let user = User::new();
    user.program("openssl", "exit 1");
    let told = user.run(&["--trust", "-q"]);
    assert_eq!(told.exit, Exit::NotTrusted);
    assert!(told.out.contains("\n  Unable to compute the hash of certificate "), "{told:?}");
    assert!(user.run(&["--trust", "-v"]).err.contains("\n[82] Unable to compute the hash"));
}

#[test]
fn a_trust_folder_that_cannot_be_written_is_told() {
    let user = User::new().with_openssl();
    fs::write(user.places().home.join(".aspnet"), "a file").unwrap();
    let told = user.run(&["--trust"]);
    assert_eq!(told.exit, Exit::NotTrusted);
    let first = "\nThere was an error trusting the HTTPS developer certificate.\n  ";
    assert!(told.out.contains(first), "{told:?}");
    let told = user.run(&["--trust", "-v"]);
    assert!(told.err.contains("\n[31] An error has occurred while trusting"), "{told:?}");
    assert!(!told.out.contains("[30]"), "{told:?}");
}

#[test]
fn a_folder_of_the_users_own_is_not_asked() {
    let mut user = User::new().with_openssl();
    let own = user.places().home.join("own");
    user.surroundings.places.openssl_trust_folder = Some(own.clone());
    assert_eq!(user.run(&["--trust"]).exit, Exit::NotTrusted);
    let told = user.run(&["--check", "--trust", "-v"]);
    assert!(told.out.contains("\n[104] The DOTNET_DEV_CERTS_OPENSSL_CERTIFICATE_DIRECTORY environment variable is set but will not be consumed"), "{told:?}");
    // Named by another way to it, it counts.
    user.surroundings.places.ssl_cert_dir = Some(format!("/none:{}/../own", own.display()));
    let told = user.run(&["--trust", "-v"]);
    assert_eq!(told.exit, Exit::Success);
    assert!(told.out.contains("\n[113] "), "{told:?}");
    assert_eq!(user.run(&["--check", "--trust"]).exit, Exit::Success);
}

#[test]
fn a_run_waits_for_another_one() {
    let user = User::new();
    let held = file::hold(&user.places().home, Duration::ZERO).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| user.run(&[]));
        // What only looks does not wait.
        assert_eq!(user.run(&["--check"]).exit, Exit::NoneFound);
        drop(held);
        assert_eq!(waits.join().unwrap().exit, Exit::Success);
    });
}
