//! A web host for axum apps, with the hosting experience of ASP.NET Core's Kestrel.
//!
//! [`Host`] resolves endpoints from layered sources (code, command line, `ASPNETCORE_` and
//! `DOTNET_` variables, `appsettings.json` and `appsettings.{Environment}.json`), binds them by
//! Kestrel's rules, serves any [`axum::Router`] on hyper, and stops cleanly:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     let app = Router::new().route("/", get(|| async { "Hello, World!" }));
//!     kestrel::Host::builder().args(std::env::args_os().skip(1)).app(app).run().await
//! }
//! ```
//!
//! # The house
//!
//! | module | question it answers |
//! |---|---|
//! | [`hosting`] | in what order does it start and stop; which key feeds which setting |
//! | [`configuration`] | which value does a key have, and who said so |
//! | [`tls`] | which certificate is served |
//! | [`addresses`] | which addresses are bound, and why not the others |
//! | [`server`] | what happens to a connection; where is a limit enforced |
//! | [`apps`] | what answers a request if the program does not |
//! | [`middleware`] | what happens to a request on its way to the app |
//! | [`logging`] | which lines does the console show, and how |
//! | [`features`] | what is known about a request besides its head and body |
//!
//! The features of the crate: `cli` (default) is the binary `kestrel`; a library user can switch
//! it off and saves clap.

pub mod addresses;
pub mod apps;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod configuration;
mod dev_certificates;
mod diagnostics;
pub mod features;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod hosting;
pub mod logging;
pub mod middleware;
mod pipeline;
pub mod server;
pub mod tls;

pub use features::{
    Abort, BadRequest, Completed, Completion, Connection, ConnectionId, EffectiveRequest, Local,
    MinDataRate, Remote, RequestBodyLimits, RequestTarget, ResetStream, Scheme, ServerAddresses,
    TlsHandshake, TlsProtocol, Unhandled,
};
pub use hosting::{
    Answer, App, AppContext, AppError, Ending, ExitKind, Host, HostBuilder, HostError,
    LiveConfiguration, Reloaded, RunningHost, StopHandle,
};
pub use middleware::RequestSizeLimit;
pub use server::{
    Application, BoxFuture, Counters, Http2Limits, InvalidLimit, Limits, Server, ServerError,
    ServerOptions, ServerReload, ServerStart,
};
