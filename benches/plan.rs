//! How long do configuration and plan take? `cargo bench --bench plan`
//!
//! The input is larger than life, so that what grows faster than it shows: 100 endpoints in
//! appsettings.json and 100 environment variables. As a test (`cargo test --benches`) every part
//! runs once and only its result is looked at.

#![expect(clippy::print_stdout, reason = "a bench's figures are its standard output")]

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use kestrel::Host;
use kestrel::addresses::{ConfiguredEndpoint, EndpointSettings, ListenTarget, plan};
use kestrel::configuration::{Inputs, Origin, Sourced, load};

const ENDPOINTS: u16 = 100;
const VARIABLES: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let has = |name| std::env::args().any(|argument| argument == name);
    // cargo gives `--bench` under `cargo bench`, and nothing under `cargo test --benches`.
    let rounds = if has("--bench") && !has("--test") { 500 } else { 1 };

    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("appsettings.json"), settings()?)?;
    let mut inputs = Inputs::default();
    inputs.variables = variables();
    inputs.arguments = vec![(1, "--AllowedHosts".to_owned()), (2, "*".to_owned())];
    inputs.current_directory = folder.path().to_owned();

    let loaded = load(&inputs);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let url = loaded.configuration.value("Kestrel:Endpoints:Site7:Url");
    assert_eq!(url, Some("http://127.0.0.1:20107"), "the variable wins");
    measure("load the configuration", rounds, || load(&inputs));

    let settings = endpoints();
    let planned = plan(&settings);
    assert_eq!(planned.endpoints.len(), usize::from(ENDPOINTS));
    assert!(planned.problems.is_empty(), "{:?}", planned.problems);
    measure("plan", rounds, || plan(&settings));

    let build = || {
        Host::builder()
            .environment_variables(inputs.variables.clone())
            .current_directory(folder.path())
            .without_logging()
            .build()
    };
    assert_eq!(build()?.plan().endpoints.len(), usize::from(ENDPOINTS));
    measure("build a host: load, read the settings, plan", rounds, build);
    Ok(())
}

/// Prints the median and the quartiles of a call's time.
fn measure<T>(name: &str, rounds: usize, mut call: impl FnMut() -> T) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            black_box(call());
            start.elapsed()
        })
        .collect();
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 4];
    println!("{name:<46}{:>9.1?} [{:.1?} – {:.1?}]", at(2), at(1), at(3));
}

/// An appsettings.json with every kind of section.
fn settings() -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        r#"{
  // What an operator writes.
  "AllowedHosts": "example.com;*.example.org",
  "Logging": {
    "LogLevel": { "Default": "Information", "Microsoft.AspNetCore": "Warning" },
    "Console": { "FormatterName": "simple", "FormatterOptions": { "SingleLine": true } },
  },
  "Kestrel": {
    "AddServerHeader": true,
    "Limits": { "MaxConcurrentConnections": 10000, "KeepAliveTimeout": "00:02:00" },
    "EndpointDefaults": { "Protocols": "Http1AndHttp2" },
    "Endpoints": {
"#,
    );
    for number in 0..ENDPOINTS {
        writeln!(
            text,
            r#"      "Site{number}": {{ "Url": "http://127.0.0.1:{}", "Protocols": "Http1" }},"#,
            10_000 + number
        )?;
    }
    text.push_str("    },\n  },\n}\n");
    Ok(text)
}

/// A tenth of the variables overrides an endpoint, as in a container; the rest is the system's.
fn variables() -> Vec<(String, String)> {
    (0..VARIABLES)
        .map(|number| match number % 10 {
            0 => (
                format!("Kestrel__Endpoints__Site{}__Url", number / 10),
                format!("http://127.0.0.1:{}", 20_100 + number / 10),
            ),
            _ => (format!("SERVICE_{number}_PORT_8080_TCP_ADDR"), format!("10.0.{number}.1")),
        })
        .collect()
}

/// The same endpoints as code would give them.
fn endpoints() -> EndpointSettings {
    let endpoint = |number| ConfiguredEndpoint {
        name: format!("Site{number}"),
        key: format!("Kestrel:Endpoints:Site{number}:Url"),
        target: Sourced::new(
            ListenTarget::Url(format!("http://127.0.0.1:{}", 10_000 + number)),
            Origin::Default,
        ),
        protocols: None,
        tls: None,
        unix_socket: Default::default(),
        proxy_protocol: None,
    };
    EndpointSettings {
        endpoints: (0..ENDPOINTS).map(endpoint).collect(),
        ..EndpointSettings::default()
    }
}
