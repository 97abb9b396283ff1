//! The app behind the recorded cases of the tests: `cargo run --example conformance -- run --urls http://127.0.0.1:5000`
//!
//! The real Kestrel was recorded with the same app; `tests/conformance` plays the recordings
//! against this one. What a program says in code, it says here through `CODE_` variables.

mod answers;
mod body;
mod forwarded;
mod requests;
mod tunnels;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use kestrel::{AppContext, AppError, Host, HostBuilder, MinDataRate};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = env::args().skip(1).skip_while(|argument| argument == "run");
    let host = Host::builder()
        .args(arguments)
        .application_name("oracle")
        .user_secrets_id("kestrel-oracle")
        .app_with(app);
    said_in_code(host).run().await
}

/// The calls that the recordings name under `code`.
#[expect(clippy::disallowed_methods, reason = "these variables stand for code, not for settings")]
fn said_in_code(mut host: HostBuilder) -> HostBuilder {
    // The reference's own app takes some of them under another name.
    let code = |name: &str| {
        env::var(format!("CODE_{name}")).or_else(|_| env::var(format!("ORACLE_{name}"))).ok()
    };
    for target in code("LISTEN").iter().flat_map(|list| list.split(';')) {
        host = listen(host, target);
    }
    if let Some(urls) = code("USEURLS") {
        host = host.use_urls(&urls);
    }
    for url in code("APPURLS").iter().flat_map(|list| list.split(';')) {
        host = host.add_url(url);
    }
    if let Some(prefer) = code("PREFERHOSTINGURLS") {
        host = host.prefer_hosting_urls(prefer == "true");
    }
    if let Some(seconds) = code("SHUTDOWN").and_then(|seconds| seconds.parse().ok()) {
        host = host.shutdown_timeout(Duration::from_secs(seconds));
    }
    if code("FORWARDED").is_some_and(|which| which == "1") {
        host = host
            .use_setting("ForwardedHeaders:Enabled", "true")
            .use_setting("ForwardedHeaders:ForwardedHeaders", "All");
    }
    match code("STATIC").as_deref() {
        Some("browse") => {
            host = host
                .use_setting("StaticFiles:Enabled", "true")
                .use_setting("DirectoryBrowser:Enabled", "true");
        }
        Some(_) => host = host.use_setting("StaticFiles:Enabled", "true"),
        None => {}
    }
    let (request, response) = (code("MINREQ"), code("MINRESP"));
    host.configure_kestrel(move |options| {
        if let Some(text) = &request {
            options.limits.min_request_body_data_rate = min_data_rate(text);
        }
        if let Some(text) = &response {
            options.limits.min_response_data_rate = min_data_rate(text);
        }
    })
}

/// `1000,2` is 1000 bytes per second after two seconds; `null` is no such rate.
fn min_data_rate(text: &str) -> Option<MinDataRate> {
    let (rate, grace) = text.split_once(',')?;
    let grace = Duration::from_secs_f64(grace.parse().expect("seconds"));
    Some(MinDataRate::new(rate.parse().expect("bytes per second"), grace).expect("a data rate"))
}

fn listen(host: HostBuilder, target: &str) -> HostBuilder {
    let port = |text: &str| text.parse().expect("a port");
    match target.split_once(':') {
        Some(("any", number)) => host.listen_any_ip(port(number)),
        Some(("localhost", number)) => host.listen_localhost(port(number)),
        Some(("unix", path)) => host.listen_unix_socket(path),
        _ => host.listen(target.parse().expect("an address")),
    }
}

async fn app(context: AppContext) -> Result<Router, AppError> {
    let router = Router::new()
        .route("/plaintext", any(answers::plaintext))
        .route("/json", any(answers::json))
        .route("/noread", any(answers::noread))
        .route("/throw", any(answers::throw))
        .route("/throw-late", any(answers::throw_late))
        .route("/short", any(answers::short))
        .route("/long", any(answers::long))
        .route("/204", any(|| answers::status(204)))
        .route("/205", any(|| answers::status(205)))
        .route("/304", any(|| answers::status(304)))
        .route("/204body", any(answers::no_content_with_body))
        .route("/empty", any(|| answers::status(200)))
        .route("/chunked", any(answers::chunked))
        .route("/slow", any(answers::slow))
        .route("/stream", any(answers::stream))
        .route("/limit", any(requests::limit))
        .route("/limit-late", any(requests::limit_late))
        .route("/upgrade", any(tunnels::upgrade))
        .route("/addresses", any(requests::addresses))
        .route("/config/get", any(requests::configuration_value))
        .route("/swallow", any(requests::swallow))
        .route("/abort", any(answers::abort))
        .route("/abort-late", any(answers::abort_late))
        .route("/onstarting", any(answers::on_starting))
        .route("/connclose", any(answers::connection_close))
        .route("/connodd", any(answers::connection_odd))
        .route("/headers", any(answers::headers))
        .route("/server", any(answers::server))
        .route("/te", any(answers::transfer_encoding))
        .route("/cl204", any(|| answers::with_length(204)))
        .route("/cl205", any(|| answers::with_length(205)))
        .route("/cl304", any(|| answers::with_length(304)))
        .route("/clhead", any(answers::length_of_head))
        .route("/clnone", any(|| answers::with_length(200)))
        .route("/status", any(answers::status_asked_for))
        .route("/raw", any(answers::raw))
        .route("/reason", any(answers::reason))
        .route("/badheader", any(|| answers::header("x-bad", "a\r\nb")))
        .route("/badname", any(|| answers::header("x bad", "a")))
        .route("/nonascii", any(|| answers::header("x-nonascii", "å")))
        .route("/longraw", any(answers::long_raw))
        .route("/longlate", any(answers::long_late))
        .route("/shortnone", any(answers::short_none))
        .route("/started", any(answers::started))
        .route("/buffered", any(answers::buffered))
        .route("/writer", any(answers::writer))
        .route("/complete", any(answers::complete))
        .route("/early", any(requests::early))
        .route("/trailers", any(answers::trailers))
        .route("/reqtrailers", any(requests::trailers))
        .route("/reset", any(answers::reset))
        .route("/h2headers", any(answers::hop_headers))
        .route("/xconnect", any(tunnels::extended_connect))
        .route("/fwd", any(forwarded::forwarded))
        .route("/drip", any(answers::drip))
        .route("/slowread", any(requests::slow_read))
        .route("/bigheader", any(answers::big_header))
        .fallback(requests::echo);
    // What is no file is nothing then.
    let router = match context.configuration.value("StaticFiles:Enabled") {
        Some(_) => router.fallback(|| async { StatusCode::NOT_FOUND }),
        None => router,
    };
    Ok(router.with_state(context))
}
