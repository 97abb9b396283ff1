//! What `--plan` says of a configuration is what a start says of it.

use crate::process::Kestrel;

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
