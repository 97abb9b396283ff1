//! What stands in the place of a file and cannot be read to its end is told, and holds nothing up.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::{fs, io};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::http::get;
use crate::process::Kestrel;

const MODE: Mode = Mode::S_IRWXU;

#[test]
fn a_start_is_refused() {
    for (what, name) in
        [("a pipe", "appsettings.json"), ("a socket", "appsettings.Production.json")]
    {
        let kestrel = Kestrel::run([]);
        let path = kestrel.root().join(name);
        let _socket = match what {
            "a socket" => Some(UnixListener::bind(&path).expect("the folder is ours")),
            _ => mkfifo(&path, MODE).map(|()| None).expect("the folder is ours"),
        };
        let outcome = kestrel.ended();
        let told = format!(
            "error: Failed to load configuration from file '{}'. It is {what}, and not read.\n",
            path.display()
        );
        assert_eq!(outcome.code, Some(3), "{name}: {}", outcome.stdout);
        assert!(outcome.stderr.starts_with(&told), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("  fix: "), "{}", outcome.stderr);
    }
}

#[test]
fn secrets_of_the_user_are_a_file_too() {
    let kestrel = Kestrel::run(["--environment=Development", "--urls=http://127.0.0.1:0"])
        .file("appsettings.json", r#"{"UserSecretsId":"a"}"#);
    let folder = kestrel.root().join(".microsoft/usersecrets/a");
    fs::create_dir_all(&folder).expect("the folder is ours");
    symlink("/dev/zero", folder.join("secrets.json")).expect("the folder is ours");
    let home = kestrel.root().display().to_string();
    let outcome = kestrel.variable("HOME", &home).ended();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("secrets.json'. It is a device, and not read."), "{outcome:?}");
}

/// Puts something where a file is looked for.
type Put<'a> = &'a dyn Fn(&Path) -> io::Result<()>;

/// Besides, a key that is none, or that can be guessed.
#[test]
fn a_key_of_session_affinity_is_refused() {
    const FILE: &str = r#"{ "ReverseProxy": {
        "Routes": { "all": { "ClusterId": "c", "Match": { "Path": "/{**rest}" } } },
        "Clusters": { "c": { "Destinations": { "d": { "Address": "http://localhost:1" } },
            "SessionAffinity": { "Enabled": true, "Policy": "Cookie", "AffinityKeyName": "a", "KeyPath": "a.key" } } } } }"#;
    let text = |text: &'static str| move |path: &Path| fs::write(path, text);
    let cases: [(&str, Put<'_>); 6] = [
        ("It is a pipe.", &|path| Ok(mkfifo(path, MODE)?)),
        ("It is a device.", &|path| symlink("/dev/zero", path)),
        ("a.key cannot be read.", &|_| Ok(())),
        ("a.key is empty.", &text(" \n")),
        ("a.key has a key that is shorter than 16 bytes.", &text("k\n")),
        ("a.key is larger than 64 KiB.", &|path| fs::write(path, [b'k'; 65537])),
    ];
    for (told, put) in cases {
        for plan in [&["--plan"][..], &[]] {
            let kestrel = Kestrel::run(plan.iter().copied()).file("appsettings.json", FILE);
            put(&kestrel.root().join("a.key")).expect("the folder is ours");
            let outcome = kestrel.ended();
            assert_eq!(outcome.code, Some(3), "{told}: {outcome:?}");
            let said = [outcome.stdout, outcome.stderr].concat();
            for line in [
                told,
                "key ReverseProxy:Clusters:c:SessionAffinity:KeyPath",
                "set by: appsettings.json:4:",
                "openssl rand -base64 32",
            ] {
                assert!(said.contains(line), "{line}: {said}");
            }
        }
    }
}

#[test]
fn a_certificate_is_refused() {
    let kestrel = Kestrel::new([
        "run",
        "--urls=https://127.0.0.1:0",
        "--Kestrel:Certificates:Default:Path=a.pem",
        "--Kestrel:Certificates:Default:KeyPath=a.key",
    ]);
    for name in ["a.pem", "a.key"] {
        mkfifo(&kestrel.root().join(name), MODE).expect("the folder is ours");
    }
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(5), "{outcome:?}");
    assert!(outcome.stderr.contains("a.pem' is denied."), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("It is a pipe."), "{}", outcome.stderr);
}

#[test]
fn a_reload_is_refused_and_the_next_one_is_not() {
    let kestrel = Kestrel::run([]).file("appsettings.json", "{}");
    let path = kestrel.root().join("appsettings.json");
    let running = kestrel.started();
    let replace = |make: &dyn Fn()| {
        fs::remove_file(&path).expect("the folder is ours");
        make();
        running.signal(Signal::SIGHUP);
    };
    replace(&|| mkfifo(&path, MODE).expect("the folder is ours"));
    running.wait_for("It is a pipe, and not read.");
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    replace(&|| fs::write(&path, r#"{"A":"1"}"#).expect("the folder is ours"));
    running.wait_for("The configuration was read again on SIGHUP: it has changed");
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn a_link_that_leads_to_a_file_is_read() {
    let kestrel =
        Kestrel::new(["run", "--plan"]).file("real.json", r#"{"Urls":"http://127.0.0.1:5432"}"#);
    let real = fs::File::open(kestrel.root().join("real.json")).expect("it is there");
    symlink("/dev/stdin", kestrel.root().join("appsettings.json")).expect("the folder is ours");
    // Without one, a plan says so.
    fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
    let outcome = kestrel.stdin(real).ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    assert!(outcome.stdout.contains("http://127.0.0.1:5432"), "{}", outcome.stdout);
}
