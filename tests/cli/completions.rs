//! The completion scripts that are checked in are the ones the binary prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::environment::updates;

#[test]
fn the_completion_scripts_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let mut stale = Vec::new();
    for (shell, file) in [
        ("bash", "kestrel.bash"),
        ("zsh", "_kestrel"),
        ("fish", "kestrel.fish"),
        ("powershell", "_kestrel.ps1"),
        ("elvish", "kestrel.elv"),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_kestrel")).args(["completions", shell]).output();
        let output = output.expect("the binary is there");
        assert!(output.status.success(), "{shell}: {output:?}");
        let script = String::from_utf8(output.stdout).expect("text");
        assert!(script.contains("--preferHostingUrls") || shell == "fish", "{shell}: {script}");
        let path = folder.join(file);
        if updates() {
            fs::write(&path, script).expect("the folder is there");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&script) {
            stale.push(file);
        }
    }
    assert!(
        stale.is_empty(),
        "completions/{{{}}}: not what the binary prints; KESTREL_UPDATE=1 cargo test --test cli rewrites them",
        stale.join(",")
    );
}
