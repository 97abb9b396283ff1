//! What `--plan` says of a configuration is what a start says of it.

use crate::process::{Kestrel, Outcome, taken_port};

/// Something that was said, with its level and without its event.
#[derive(Debug, PartialEq)]
struct Said {
    level: String,
    text: Vec<String>,
}

/// What stands on standard error of a plan: blocks that begin with their level.
fn said_by_plan(stderr: &str) -> Vec<Said> {
    blocks(stderr, "  ", |line| {
        let (level, first) = line.split_once(": ").expect("it begins with a level");
        let level = match level {
            "note" => "info",
            "warning" => "warn",
            "error" => "fail",
            other => other,
        };
        (level.to_owned(), vec![first.to_owned()])
    })
}

/// What the log of a start says before anything is bound.
fn said_by_start(stdout: &str) -> Vec<Said> {
    let before = stdout.split("info: Microsoft.Hosting.Lifetime[14]").next().unwrap_or_default();
    blocks(before, "      ", |line| {
        (line.split(':').next().unwrap_or_default().to_owned(), Vec::new())
    })
}

/// Blocks whose first lines are as `first` reads them, and the others indented.
fn blocks(text: &str, indent: &str, first: impl Fn(&str) -> (String, Vec<String>)) -> Vec<Said> {
    let mut blocks: Vec<Said> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(indent), blocks.last_mut()) {
            (Some(rest), Some(block)) => block.text.push(rest.to_owned()),
            _ => {
                let (level, text) = first(line);
                blocks.push(Said { level, text });
            }
        }
    }
    blocks
}

#[test]
fn a_plan_says_what_a_start_says() {
    const HERE: (&str, &str) = ("--urls", "http://127.0.0.1:0");
    const ALL: (&str, &str) = ("--urls", "http://*:0");
    for (settings, variables, number) in [
        (&[ALL, ("--ForwardedHeaders_Enabled", "true")][..], &[][..], 1),
        (&[HERE, ("--ForwardedHeaders_Enabled", "true")], &[], 0),
        (&[HERE, ("--url", "x"), ("--Kestrel:Limits:MaxRequestBodySiz", "1")], &[], 2),
        (&[("--urls", "http://127.1:0")], &[], 1),
        (&[("--urls", "http://example.test:0")], &[], 1),
        (&[("--urls", "http://127.0.0.1:0; http://127.0.0.1:0")], &[], 1),
        (&[HERE, ("--http_ports", "0")], &[], 1),
        (&[HERE, ("--urls", "http://127.0.0.1:0;http://[::1]:0")], &[], 1),
        (&[HERE, ("--Kestrel:Endpoints:A:Url", "http://127.0.0.1:0")], &[], 1),
        (
            &[
                HERE,
                ("--Kestrel:Endpoints:A:Url", "http://127.0.0.1:0"),
                ("--preferHostingUrls", "true"),
            ],
            &[],
            1,
        ),
        (&[HERE, ("--Kestrel:EndpointDefaults:Protocols", "Http1AndHttp2AndHttp3")], &[], 1),
        (&[HERE, ("--environment", "Developmnt"), ("--AllowedHosts", "a; b")], &[], 2),
        (&[], &[("DOTNET_URLS", HERE.1), ("ASPNETCORE_URLS", ALL.1)], 1),
        (&[HERE], &[("DOTNET_RUNNING_IN_CONTAINER", "true"), ("LISTEN_FDS", "1")], 2),
        (&[], &[("PORT", "80"), ("ASPNETCORE_PORT", "0"), ("URLS", HERE.1)], 1),
    ] {
        let with = |more: &[&str]| {
            let arguments = settings.iter().flat_map(|(key, value)| [*key, *value]);
            let mut kestrel =
                Kestrel::new(["run"].into_iter().chain(arguments).chain(more.iter().copied()));
            for (name, value) in variables {
                kestrel = kestrel.variable(name, value);
            }
            std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
            kestrel
        };
        let plan = with(&["--plan"]).ended();
        let start = with(&[]).stopped_if_started();
        assert_eq!((plan.code, start.code), (Some(0), Some(0)), "{settings:?} {start:?}");
        let by_plan = said_by_plan(&plan.stderr);
        assert_eq!(by_plan, said_by_start(&start.stdout), "{settings:?} {variables:?}");
        assert_eq!(by_plan.len(), number, "{settings:?} {variables:?} {by_plan:?}");
    }
}

#[cfg(unix)]
#[test]
fn who_passes_by_an_address_has_none_over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = format!("http://unix:{}", folder.path().join("app.sock").display());
    let tcp = "http://127.0.0.1:0";
    for (urls, filter, told) in [
        (&*socket, "Allow:0=10.0.0.0/8", "warning: Nobody passes: whoever connects over a Unix"),
        (&*socket, "Deny:0=10.0.0.0/8", "note: Everybody passes: whoever connects over a Unix"),
        (tcp, "Allow:0=10.0.0.0/8", "note: Only this machine can connect, and clients pass by"),
        (&*format!("{socket};{tcp}"), "Allow:0=10.0.0.0/8", "note: Only this machine can connect"),
    ] {
        let filter = format!("--AddressFilter:{filter}");
        let arguments = ["run", "--plan", "--urls", urls, "--AddressFilter:Enabled=true", &filter];
        let kestrel = Kestrel::new(arguments);
        std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
        let outcome = kestrel.ended();
        assert!(outcome.stderr.contains(told), "{urls} {filter}: {outcome:?}");
        let told_of_all = outcome.stderr.matches("whoever connects over a Unix socket").count();
        assert_eq!(told_of_all, usize::from(urls == socket), "{outcome:?}");
    }
}

#[test]
fn a_check_is_a_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("wwwroot")).expect("the folder is ours");
    let (taken, url) = taken_port();
    for (arguments, code) in [
        (&["--urls", "http://127.0.0.1:0"][..], Some(0)),
        (&["--urls", &*url], Some(0)),
        (&["--urls", &*url, "--strict"], Some(4)),
        (&["--urls", "http://[::1:5000"], Some(3)),
        // Whose code depends on what was built.
        (&["--urls", "http://127.0.0.1:0", "--", "/no/such/program"], None),
    ] {
        let ended = |first: &[&'static str]| {
            let all = first.iter().copied().chain(arguments.iter().copied());
            let outcome = Kestrel::new(all).in_folder(folder.path()).ended();
            // The word stands in the place of the other, and the flag is one more.
            let same = |text: &str| {
                let flags = 1..first.len();
                flags.fold(text.to_owned(), |text, _| {
                    let moved = |text: String, number: usize| {
                        text.replace(
                            &format!("argument {number}"),
                            &format!("argument {}", number - 1),
                        )
                    };
                    (3..10).fold(text, moved)
                })
            };
            (outcome.code, same(&outcome.stdout), same(&outcome.stderr))
        };
        let check = ended(&["check"]);
        assert_eq!(check, ended(&["run", "--plan"]), "{arguments:?}");
        assert_eq!(check.0, code.or(check.0), "{arguments:?}: {check:?}");
    }
    drop(taken);
}

#[test]
fn a_plan_tells_who_has_a_port() {
    let (_taken, url) = taken_port();
    let plan = |more: &[&str]| {
        let arguments = ["run", "--urls", &*url, "--plan"];
        let kestrel = Kestrel::new(arguments.into_iter().chain(more.iter().copied()));
        std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
        kestrel.ended()
    };
    let told = |outcome: &Outcome, word: &str| {
        let first = format!(
            "{word}: A start at this moment would fail. Failed to bind to address {url}: address already in use.\n"
        );
        assert!(outcome.stderr.starts_with(&first), "{outcome:?}");
        let set = "\n  set by: command line, argument 2 (--urls), key urls\n";
        assert!(outcome.stderr.contains(set), "{outcome:?}");
        if cfg!(target_os = "linux") {
            let holder = format!("(process {} of user ", std::process::id());
            assert!(outcome.stderr.contains(&holder), "{outcome:?}");
        }
    };
    let outcome = plan(&[]);
    told(&outcome, "warning");
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stdout.starts_with(&url), "{outcome:?}");
    let outcome = plan(&["--strict"]);
    told(&outcome, "error");
    assert_eq!(outcome.code, Some(4));
    assert!(outcome.stdout.starts_with(&url), "{outcome:?}");
}

/// The plan before a reload is asked while the host itself has the port.
#[cfg(target_os = "linux")]
#[test]
fn a_port_of_another_copy_does_not_refuse_a_plan() {
    let running = Kestrel::new(["run", "--urls", "http://127.0.0.1:0"]).started();
    let url = running.address();
    let kestrel = Kestrel::new(["run", "--urls", &*url, "--plan", "--strict"]);
    std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
    let plan = kestrel.ended();
    assert_eq!(plan.code, Some(0), "{plan:?}");
    let first = format!(
        "note: A start at this moment would fail. Failed to bind to address {url}: address already in use.\n"
    );
    assert!(plan.stderr.starts_with(&first), "{plan:?}");
    assert!(plan.stderr.contains("another copy of this program"), "{plan:?}");
    // The plan has had nothing of it.
    assert_eq!(running.terminated().code, Some(0));
}

#[cfg(unix)]
#[test]
fn a_plan_tells_what_is_in_the_way_of_a_unix_socket_and_touches_nothing() {
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::UnixDatagram;

    const FAILS: &str = "warning: A start at this moment would fail. Failed to bind to address ";
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let _live = UnixDatagram::bind(at("live")).expect("nobody has it");
    drop(UnixDatagram::bind(at("stale")).expect("nobody has it"));
    std::fs::write(at("file"), "kept").expect("the folder is ours");
    for (name, told) in [
        ("live", &["address already in use.", "or choose another path"][..]),
        ("file", &["address already in use.", "is no socket, so it is left alone"]),
        ("none/app.sock", &["/none does not exist: create it"]),
        ("file/app.sock", &["/file is no folder"]),
        ("stale", &[]),
        ("free", &[]),
    ] {
        let url = format!("http://unix:{}", at(name).display());
        let kestrel = Kestrel::new(["run", "--plan", "--urls", &url]);
        std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
        let outcome = kestrel.ended();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.stderr.starts_with(FAILS), !told.is_empty(), "{name}: {outcome:?}");
        for words in told {
            assert!(outcome.stderr.contains(words), "{name}: {outcome:?}");
        }
    }
    let is_socket = |name: &str| at(name).metadata().is_ok_and(|it| it.file_type().is_socket());
    assert!(is_socket("live") && is_socket("stale") && !at("free").exists());
    assert_eq!(std::fs::read_to_string(at("file")).expect("it is there"), "kept");
}

#[cfg(target_os = "linux")]
#[test]
fn a_unix_socket_of_another_copy_does_not_refuse_a_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!("unix:{}", folder.path().join("app.sock").display());
    let name = format!("unix:@kestrel-plan-{}", std::process::id());
    for address in [file, name] {
        let running = Kestrel::new(["run", "--listen", &*address]).started();
        let kestrel = Kestrel::new(["run", "--listen", &*address, "--plan", "--strict"]);
        std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
        let plan = kestrel.ended();
        assert_eq!(plan.code, Some(0), "{plan:?}");
        assert!(plan.stderr.starts_with("note: A start at this moment would fail."), "{plan:?}");
        assert!(plan.stderr.contains("another copy of this program"), "{plan:?}");
        assert_eq!(running.terminated().code, Some(0));
    }
}

#[cfg(all(target_os = "linux", feature = "child-process"))]
#[test]
fn a_plan_tells_who_has_the_port_of_a_program() {
    let (_taken, url) = taken_port();
    let port = url.rsplit(':').next().expect("a port");
    let listen = format!("--AspNetCore:Listen={port}");
    let arguments = ["run", "--urls", "http://127.0.0.1:0", &listen, "--plan"];
    let plan = |more: &[&str]| {
        let all = arguments.iter().copied().chain(more.iter().copied());
        Kestrel::new(all.chain(["--", "/bin/sleep", "60"])).ended()
    };
    let told = format!("The program could not listen on port {port} at this moment: ");
    let outcome = plan(&[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("warning: {told}")), "{outcome:?}");
    let holder = format!("(process {} of user ", std::process::id());
    assert!(outcome.stderr.contains(&holder), "{outcome:?}");
    let outcome = plan(&["--strict"]);
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("error: {told}")), "{outcome:?}");
}

/// The program of the host that is to be reloaded has the port.
#[cfg(all(target_os = "linux", feature = "child-process"))]
#[test]
fn a_port_that_the_program_of_another_copy_has_does_not_refuse_a_plan() {
    let reserved = crate::proxies::Reserved::new();
    let port = &*reserved.address.port().to_string();
    let listen = format!("--AspNetCore:Listen={port}");
    let program = ["--", "/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", port];
    let with = |more: &[&str]| {
        let all = ["run", "--urls", "http://127.0.0.1:0", &listen].into_iter();
        Kestrel::new(all.chain(more.iter().copied()).chain(program))
    };
    let running = with(&[]).started();
    running.wait_for("is ready");
    let outcome = with(&["--plan", "--strict"]).ended();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told = format!("note: The program could not listen on port {port} at this moment: ");
    assert!(outcome.stderr.contains(&told), "{outcome:?}");
    running.terminated();
}
