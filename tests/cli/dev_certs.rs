//! `kestrel dev-certs` beyond the recordings of `tests/conformance/dev_certs`: its place in the
//! command line, its secrets, and what real clients make of its certificate.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::environment::skipped;
use crate::process::{Kestrel, Outcome};

/// Runs `kestrel dev-certs https` with a home and the programs of this machine.
fn dev_certs(home: &Path, arguments: &[&str]) -> Outcome {
    with(Kestrel::new(["dev-certs", "https"].into_iter().chain(arguments.iter().copied())), home)
        .ended()
}

fn with(kestrel: Kestrel, home: &Path) -> Kestrel {
    kestrel.variable("HOME", &home.to_string_lossy()).variable("PATH", &path())
}

/// Where the programs of this machine are.
#[expect(clippy::disallowed_methods, reason = "the programs beside the binary are this machine's")]
pub(crate) fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn the_command_is_in_the_help() {
    let outcome = Kestrel::new(["--help"]).ended();
    assert!(outcome.stdout.contains("dev-certs"), "{outcome:?}");
    let outcome = Kestrel::new(["dev-certs", "--help"]).ended();
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stdout.contains("Usage: kestrel dev-certs [options] [command]"), "{outcome:?}");
}

#[test]
fn an_argument_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let output = Command::new(env!("CARGO_BIN_EXE_kestrel"))
        .args(["dev-certs", "https", "-ep"])
        .arg(std::ffi::OsStr::from_bytes(b"\xff.pfx"))
        .env_clear()
        .output()
        .expect("the binary is there");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not text"), "{output:?}");
}

#[test]
fn no_password_is_ever_shown() {
    let home = home();
    let file = home.path().join("a.pfx").to_string_lossy().into_owned();
    for arguments in [
        &["-v", "-ep", &file, "-p", "hunter2"][..],
        &["-v", "--clean", "--import", &file, "-p", "hunter2"],
        &["-v", "--clean", "--import", &file, "-p", "hunter2x"],
        &["-v", "--check", "-p", "hunter2"],
        &["-v", "-ep", "/no/such/folder", "--format", "pem", "-p", "hunter2"],
    ] {
        let outcome = dev_certs(home.path(), arguments);
        assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
    }
}

#[test]
fn what_cannot_be_written_is_told_with_its_reason() {
    let home = home();
    fs::write(home.path().join(".dotnet"), "a file").expect("the folder is ours");
    let outcome = dev_certs(home.path(), &[]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let (first, reason) = outcome.stderr.split_once('\n').expect("two lines");
    assert_eq!(
        first,
        "There was an error saving the HTTPS developer certificate to the current user personal certificate store."
    );
    assert!(reason.contains("x509stores/my"), "{reason}");
}

#[test]
fn an_export_leaves_no_half_a_file() {
    let home = home();
    let folder = home.path().join("out");
    fs::create_dir(&folder).expect("the folder is ours");
    fs::create_dir(folder.join("a.key")).expect("the folder is ours");
    let file = folder.join("a.pem").to_string_lossy().into_owned();
    let outcome = dev_certs(home.path(), &["-ep", &file, "--format", "pem", "-np"]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let names: Vec<_> = fs::read_dir(&folder).expect("it is there").flatten().collect();
    let names: Vec<_> = names.iter().map(fs::DirEntry::file_name).collect();
    assert_eq!(names, ["a.key"], "what was there before");
}

#[test]
fn a_full_disk_leaves_no_half_a_file() {
    let home = home();
    // Room for four small files and folders, and then none.
    let script = r#"
        mount -t tmpfs -o size=16k tmpfs "$HOME" || exit 100
        "$KESTREL" dev-certs https -q || exit 101
        dd if=/dev/zero of="$HOME/all" bs=4k 2>/dev/null
        "$KESTREL" dev-certs https -ep "$HOME/a.pem" --format pem -np; echo "exit $?"
        "$KESTREL" dev-certs https --trust -q; echo "exit $?"
        find "$HOME" -type f -size -2k -o -name '.kestrel*'
    "#;
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .env("HOME", home.path())
        .env("KESTREL", env!("CARGO_BIN_EXE_kestrel"))
        .output();
    let possible = |output: &std::process::Output| {
        output.status.code() != Some(100) && !output.stderr.starts_with(b"unshare:")
    };
    let Some(output) = output.ok().filter(possible) else {
        return skipped("a full disk", "unshare, and mount in its namespace");
    };
    let told =
        String::from_utf8_lossy(&output.stdout).replace(&*home.path().to_string_lossy(), "~");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[1], "  ~/a.pem: No space left on device (os error 28)", "{told}");
    assert_eq!((lines[2], lines.last()), ("exit 3", Some(&"exit 4")), "{told}");
}

#[test]
fn two_at_once_make_one_certificate() {
    let home = home();
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_kestrel"))
            .args(["dev-certs", "https"])
            .env_clear()
            .env("HOME", home.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the binary is there")
    };
    let runs: Vec<_> = (0..4).map(|_| start()).collect();
    let mut told: Vec<String> = runs
        .into_iter()
        .map(|run| {
            let output = run.wait_with_output().expect("it ends");
            String::from_utf8_lossy(&output.stdout).into_owned()
        })
        .collect();
    told.sort();
    let present = "A valid HTTPS certificate is already present.\n";
    let made = "The HTTPS developer certificate was generated successfully.\n";
    assert_eq!(told, [present, present, present, made]);
}

#[test]
fn a_certificate_that_trust_cannot_be_taken_from_stays() {
    // Trust that is in its folders is named there as openssl would.
    if Command::new("openssl").arg("version").output().is_err() {
        return skipped("trust that cannot be taken", "openssl (apt-get install openssl)");
    }
    let home = home();
    assert_eq!(dev_certs(home.path(), &["--trust"]).code, Some(4));
    let trusted = home.path().join(".dotnet/corefx/cryptography/x509stores/root");
    let restricted = |mode| fs::set_permissions(&trusted, fs::Permissions::from_mode(mode));
    if nix::unistd::Uid::effective().is_root() {
        // Root may remove what it likes; what openssl would do it cannot do itself.
        let outcome = Kestrel::new(["dev-certs", "https", "--clean"])
            .variable("HOME", &home.path().to_string_lossy())
            .ended();
        assert_eq!(outcome.code, Some(8), "{outcome:?}");
    } else {
        restricted(0o500).expect("the folder is ours");
        let outcome = dev_certs(home.path(), &["--clean"]);
        restricted(0o700).expect("the folder is ours");
        assert_eq!(outcome.code, Some(8), "{outcome:?}");
    }
    // So it is found again, and this can be tried again.
    assert_eq!(dev_certs(home.path(), &["--check"]).code, Some(0));
    assert_eq!(dev_certs(home.path(), &["--clean"]).code, Some(0));
    assert_eq!(dev_certs(home.path(), &["--check"]).code, Some(6));
}

#[test]
fn the_server_takes_the_certificate_that_was_made() {
    let home = home();
    let serve = || with(Kestrel::new(["run", "--urls", "https://127.0.0.1:0"]), home.path());
    assert_eq!(serve().ended().code, Some(5));
    assert_eq!(dev_certs(home.path(), &[]).code, Some(0));
    let running = serve().started();
    running.wait_for("The ASP.NET Core developer certificate is not trusted.");
    assert_eq!(running.terminated().code, Some(0));
}
