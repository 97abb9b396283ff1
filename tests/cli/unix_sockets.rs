//! The files of Unix sockets: after a crash, and for those who may not do everything.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use crate::environment::skipped;
use crate::http::get_over;
use crate::process::Kestrel;

fn is_served(path: &Path) {
    let stream = UnixStream::connect(path).expect("somebody listens");
    assert_eq!(get_over(stream, "/", &[]).status, 200);
}

#[test]
fn a_service_that_crashed_comes_up_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let spec = format!("unix:{}", path.display());
    let crashed = Kestrel::new(["run", "--listen", &spec]).started();
    crashed.signal(Signal::SIGKILL);
    assert_eq!(crashed.ended().code, None);
    assert!(path.exists(), "nobody could remove it");

    let running = Kestrel::new(["run", "--strict", "--listen", &spec]).started();
    is_served(&path);
    let told = format!(
        "info: Kestrel.Endpoints[15]\n      The socket {} was left behind by a process that is gone, and is replaced.\n",
        path.display()
    );
    assert!(running.stdout().contains(&told), "{}", running.stdout());

    // The one that runs is not taken for one that is gone, not even while it stands still.
    running.signal(Signal::SIGSTOP);
    let refused = Kestrel::new(["run", "--listen", &spec]).ended();
    running.signal(Signal::SIGCONT);
    assert_eq!(refused.code, Some(4));
    let fix = format!("fix: a process listens on {}: stop it", path.display());
    assert!(refused.stderr.contains(&fix), "{}", refused.stderr);
    is_served(&path);
    assert_eq!(running.terminated().code, Some(0));
    assert!(!path.exists(), "the file is left behind");
}

/// The binary as the user 65534, `nobody`, who has no rights.
fn as_nobody(binary: &Path, arguments: &[&str]) -> Kestrel {
    let mut command = Command::new(binary);
    command.arg("run").args(arguments).uid(65534).gid(65534);
    let kestrel = Kestrel::by(command);
    let open = Permissions::from_mode(0o777);
    fs::set_permissions(kestrel.root(), open).expect("the folder is ours");
    kestrel
}

#[test]
fn who_may_not_give_a_file_away_is_told_who_may() {
    if !geteuid().is_root() {
        return skipped("starts as another user", "root");
    }
    // Whoever is not root cannot look into the folder of a build below /root.
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("kestrel");
    fs::copy(env!("CARGO_BIN_EXE_kestrel"), &binary).expect("the folder is ours");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("the folder is ours");
    let path = folder.path().join("k.sock");
    for (rights, told, fix) in [
        (
            "group=root",
            "Operation not permitted",
            "fix: let the user that runs the server be a member of the group root",
        ),
        ("owner=root", "Operation not permitted", "fix: only root may give a file to another user"),
        ("mode=600,group=65534", "", ""),
    ] {
        let spec = format!("unix:{},{rights}", path.display());
        let outcome = as_nobody(&binary, &["--listen", &spec]).stopped_if_started();
        assert_eq!(
            outcome.code,
            Some(if told.is_empty() { 0 } else { 4 }),
            "{rights}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(told) && outcome.stderr.contains(fix),
            "{}",
            outcome.stderr
        );
        assert!(!path.exists(), "{rights}: the file is left behind");
    }

    // Nobody can tell whether the socket of somebody else is in use.
    let running =
        Kestrel::new(["run", "--listen", &format!("unix:{},mode=600", path.display())]).started();
    let outcome = as_nobody(&binary, &["--listen", &format!("unix:{}", path.display())]).ended();
    assert_eq!(outcome.code, Some(4));
    assert!(outcome.stderr.contains("is the socket of another user"), "{}", outcome.stderr);
    is_served(&path);
    assert_eq!(running.terminated().code, Some(0));
}
