//! The app behind the recorded cases of the stages: `cargo run --example middleware -- run --urls http://127.0.0.1:5000`
//!
//! The real thing was recorded with the same app; `tests/conformance` plays the recordings against this one.
//! What switches a stage on there is a variable such as `MW_HSTS`. Here it becomes a key of the product's
//! own section, so that the stages of `kestrel run` are judged; only the routes, the health checks and the
//! policies of endpoints are the app's.

#[path = "../conformance/body.rs"]
#[expect(dead_code, reason = "the other app takes more kinds of steps")]
mod body;
mod endpoints;
mod health;
mod log_file;
mod made_to_order;
mod parameters;
mod problems;
mod settings;
mod systemd;

use std::env;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use kestrel::configuration::{Pairs, SourcePlace};
use kestrel::{App, Host, RequestTarget};
use tower::service_fn;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::endpoints::Answered;
use crate::log_file::LogFile;
use crate::settings::Variables;

/// What is the app's own of the variables.
#[derive(Clone, Debug)]
struct Site {
    /// Whether there is nothing but the endpoints (`MW_NOFALLBACK`).
    endpoints_only: bool,
    /// Whether health is told (`MW_HEALTH`).
    health: bool,
    /// Whether problems have the id of their request (`MW_PROBLEM`).
    traced_problems: bool,
    /// Which endpoints have a policy of their own for pages of other origins (`MW_CORS`).
    cors: settings::CorsEndpoints,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = env::args().skip(1).skip_while(|argument| argument == "run");
    let variables = Variables::of_process();
    let held = variables.value("HTTP_SOCKET_STOP_DELAY").and_then(|text| text.parse().ok());
    let held = held.unwrap_or_default();
    let mut pairs = match settings::pairs(&variables) {
        Ok(pairs) => pairs,
        Err(why) => {
            said_before_the_log(&why);
            return ExitCode::from(3);
        }
    };
    pairs.extend(systemd::log_of_service(&variables));
    let site = Arc::new(Site {
        endpoints_only: variables.is_on("NOFALLBACK"),
        health: variables.is_on("HEALTH"),
        traced_problems: variables.is_on("PROBLEM"),
        cors: settings::cors_endpoints(&variables),
    });
    let mut builder = Host::builder();
    for policy in &site.cors.of_any_origin {
        builder = builder.cors_origins(policy, |_| true);
    }
    if site.cors.disabled {
        builder = builder.without_cors("/ep/disabled");
    }
    if site.cors.named {
        builder = builder.cors_policy("/ep/named", "named");
    }
    let host = builder
        .args(arguments)
        .environment_variables(systemd::variables_of_host(&variables))
        .application_name("middleware")
        .configuration_source(SourcePlace::AboveCommandLine, Pairs::new("the MW_ variables", pairs))
        .background_service("slow", move |_, ending| systemd::hold_the_stop(held, ending))
        .app(App::service(service_fn(move |request| {
            let site = Arc::clone(&site);
            async move { Ok(answer(&site, request).await) }
        })))
        .build_or_exit();
    if let Some(path) = variables.value("LOGFILE")
        && let Err(error) = log_besides(&host, Path::new(path))
    {
        said_before_the_log(&format!("{path}: {error}"));
        return ExitCode::from(3);
    }
    host.run().await
}

/// Lets the entries that the console has go to a file as well.
fn log_besides(host: &Host, path: &Path) -> io::Result<()> {
    let file = LogFile::append_to(path)?;
    let levels = host.log().filter();
    let subscriber =
        tracing_subscriber::registry().with(host.log().layer()).with(file.with_filter(levels));
    subscriber.try_init().map_err(io::Error::other)
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn said_before_the_log(why: &str) {
    eprintln!("{why}");
}

/// The endpoints, then the health of the app, then answers made to order.
async fn answer(site: &Site, request: Request) -> Response {
    let path = RequestTarget::of(&request).path();
    let request = match endpoints::answer(site, &path, request).await {
        Answered::By(response) => return response,
        Answered::ByNone(request) => request,
    };
    if site.health
        && let Some(response) = health::answer(&path).await
    {
        return response;
    }
    match site.endpoints_only {
        true => endpoints::nothing(404),
        false => made_to_order::answer(&path, request).await,
    }
}
