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
