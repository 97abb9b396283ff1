//! `kestrel serve`: a folder in one line.

use std::fs;

use crate::http::get;
use crate::process::{Kestrel, taken_port};

/// `kestrel serve` of a folder with a file, on a free port.
fn serve(arguments: &[&str]) -> Kestrel {
    let kestrel = Kestrel::new(["serve", ".", "-p", "0"].iter().chain(arguments).copied());
    fs::write(kestrel.root().join("index.html"), "hi\n").expect("a file");
    kestrel
}

#[test]
fn a_folder_is_served_with_all_that_is_in_it() {
    let kestrel = serve(&[]);
    let root = kestrel.root();
    fs::write(root.join("a.unknown"), "?").expect("a file");
    fs::write(root.join(".secret"), "?").expect("a file");
    // Settings are for `run`.
    fs::write(
        root.join("appsettings.json"),
        r#"{"Urls":"nonsense","StaticFiles":{"Enabled":false}}"#,
    )
    .expect("a file");
    let running = kestrel.variable("ASPNETCORE_URLS", "nonsense").started();
    let address = running.address();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    assert_eq!(get(&address, "/", &[]).body, "hi\n");
    let unknown = get(&address, "/a.unknown", &[]);
    assert_eq!(unknown.header("content-type"), Some("application/octet-stream"));
    for hidden in ["/.secret", "/missing", "/../../etc/passwd"] {
        assert_eq!(get(&address, hidden, &[]).status, 404, "{hidden}");
    }
    // They are handed out with all the rest, with what secrets they have.
    let said = running.terminated().stdout;
    let told =
        format!("The settings in {} can be asked for.", root.join("appsettings.json").display());
    assert!(said.contains(&told), "{said}");
}

#[test]
fn flags_are_settings() {
    let headers =
        ["--header", "X-A: 1", "--header=X-B:2", "--header", "Link: </a>", "--header=link: </b>"];
    let kestrel = serve(&[&["--spa", "--listing", "--cors"], &headers[..]].concat());
    fs::create_dir(kestrel.root().join("folder")).expect("a folder");
    fs::write(kestrel.root().join("folder/in it.txt"), "").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    let page = get(&address, "/deep/link", &["Accept: text/html", "Origin: http://a.example"]);
    assert_eq!((page.status, &*page.body), (200, "hi\n"));
    assert_eq!(page.header("access-control-allow-origin"), Some("*"));
    assert_eq!((page.header("x-a"), page.header("x-b")), (Some("1"), Some("2")));
    let head = page.head.to_lowercase();
    assert!(head.contains("link: </a>") && head.contains("link: </b>"), "{head}");
    let listing = get(&address, "/folder/", &[]);
    assert!(listing.status == 200 && listing.body.contains("in it.txt"), "{}", listing.body);
    running.terminated();
}

#[test]
fn who_has_no_password_is_not_let_in() {
    // Of `openssl passwd -6 -salt saltsalt sesame`.
    const HASH: &str = "bob:$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1";
    let running = serve(&["--auth", "alice:open:sesame", "--auth", HASH]).started();
    let address = running.address();
    let answer = get(&address, "/", &[]);
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Basic realm="restricted", charset="UTF-8""#)
    );
    for (credentials, status) in [
        ("YWxpY2U6b3BlbjpzZXNhbWU=", 200), // alice:open:sesame
        ("YWxpY2U6b3Blbg==", 401),         // alice:open
        ("Ym9iOnNlc2FtZQ==", 200),         // bob:sesame
        ("Ym9iOnNlc2FtZQ==", 200),
        ("Ym9iOnNlc2Ft", 401),         // bob:sesam
        ("ZXZlOnNlc2FtZQ==", 401),     // eve:sesame
        ("ZXZlOm9wZW46c2VzYW1l", 401), // eve:open:sesame
    ] {
        let header = format!("Authorization: Basic {credentials}");
        let answer = get(&address, "/", &[&header]);
        assert_eq!(answer.status, status, "{credentials}");
    }
    // Capitals of names do not count, as in settings; a second header may be for somebody else's eyes.
    let named = get(&address, "/", &["Authorization: Basic QUxJQ0U6b3BlbjpzZXNhbWU="]);
    assert_eq!(named.status, 200, "ALICE:open:sesame");
    let right = "Authorization: Basic YWxpY2U6b3BlbjpzZXNhbWU=";
    assert_eq!(get(&address, "/", &[right, right]).status, 401);
    let outcome = running.terminated();
    assert!(outcome.stdout.contains("was not let in as 'eve'."), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("sesame"), "{}", outcome.stdout);
}

#[test]
fn https_takes_the_development_certificate_and_makes_it_first() {
    let home = tempfile::tempdir().expect("a folder");
    let running = serve(&["--tls"]).variable("HOME", &home.path().to_string_lossy()).started();
    assert!(running.address().starts_with("https://127.0.0.1:"));
    let store = home.path().join(".dotnet/corefx/cryptography/x509stores/my");
    let made = fs::read_dir(&store).map(Iterator::count);
    assert_eq!(made.ok(), Some(1), "{}", store.display());
    let outcome = running.terminated();
    let said = "The HTTPS developer certificate was generated successfully.\n";
    assert!(outcome.stdout.contains(said), "{}", outcome.stdout);
}

#[test]
fn on_the_network_the_address_is_told_and_shown() {
    let running = serve(&["--qr", "--auth", "a:b"]).started();
    let outcome = running.terminated();
    // A machine without a network says that, and has nothing to show.
    let alone = outcome.stderr.contains("warning: This machine has no address on a network.");
    let told = outcome.stdout.contains("On the network: http://");
    assert!(told != alone, "{outcome:?}");
    assert_eq!(outcome.stdout.contains("▀▀▀"), told, "{}", outcome.stdout);
    let said = outcome.stdout + &outcome.stderr;
    assert_eq!(said.matches("Passwords go over the network in clear text").count(), 1, "{said}");
}

#[test]
fn that_the_certificate_is_not_for_the_network_is_told() {
    for (arguments, is_told) in
        [(&["--tls", "--lan"][..], true), (&["--tls"], false), (&["--lan"], false)]
    {
        let outcome = serve(arguments).started().terminated();
        let told =
            outcome.stderr.contains("The development certificate is for localhost, and not for");
        assert_eq!(told, is_told, "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn what_cannot_be_served_is_told() {
    let outcome = Kestrel::new(["serve", "--auth", "a:hunter2", "--auth", "A:hunter2"]).ended();
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: A has two passwords.\n"), "{outcome:?}");
    let outcome = Kestrel::new(["serve", "--header", "Content-Length: 5"]).ended();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("argument 2 (--header)"), "{outcome:?}");
    let kestrel = Kestrel::new(["serve", "missing"]);
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("error: The folder missing cannot be served: "), "{outcome:?}");
    let kestrel = Kestrel::new(["serve", "a.txt"]);
    fs::write(kestrel.root().join("a.txt"), "").expect("a file");
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("fix: serve the one it is in: kestrel serve ."), "{outcome:?}");
    let (_taken, address) = taken_port();
    let port = address.rsplit(':').next().expect("a port");
    let outcome = Kestrel::new(["serve", "--port", port]).ended();
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    for said in ["address already in use.", "argument 2 (--port)", ", or write --port "] {
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
}

#[test]
fn without_a_browser_the_address_is_told() {
    let running = serve(&["--open"]).started();
    let address = running.address();
    running.wait_for_complaint(&format!("No browser could be opened. The address is {address}"));
    running.terminated();
}

#[test]
fn a_folder_without_an_index_is_told_of() {
    let kestrel = Kestrel::new(["serve", "-p", "0"]);
    let running = kestrel.started();
    let outcome = running.terminated();
    assert!(outcome.stderr.contains("has no index.html"), "{outcome:?}");
}

#[test]
fn switches_of_run_are_not_taken_for_those_that_look_like_them() {
    for (switch, told) in [
        ("--plan", "--plan is a switch of run: kestrel run --webroot DIR --plan ..."),
        ("--listen", "serve takes --port and --lan; --listen is a switch of run"),
        ("--strict", "--strict is a switch of run"),
    ] {
        let outcome = Kestrel::new(["serve", switch]).ended();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("similar"), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("Usage: kestrel serve [OPTIONS] [DIR]"),
            "{}",
            outcome.stderr
        );
    }
    // One that is nearly another of its own is told by clap.
    let outcome = Kestrel::new(["serve", "--lisitng"]).ended();
    assert!(outcome.stderr.contains("'--listing'"), "{}", outcome.stderr);
}

#[cfg(unix)]
#[test]
fn of_a_folder_that_cannot_be_entered_nothing_is_claimed() {
    use std::os::unix::fs::PermissionsExt as _;

    use crate::rights::without;

    let Some(by) = without("-dac_override,-dac_read_search", "closed folders") else { return };
    let kestrel = Kestrel::by(by).argument("serve").argument("closed").argument("-p").argument("0");
    let closed = kestrel.root().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::write(closed.join("index.html"), "hi").expect("a file");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let outcome = kestrel.stopped_if_started();
    let said = outcome.stdout + &outcome.stderr;
    assert!(!said.contains("has no index.html"), "{said}");
    assert!(said.contains("cannot be "), "{said}");
}
