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
//!     kestrel::Host::from_args().app(app).run().await
//! }
//! ```
//!
//! # Where things are
//!
//! Everything has one path. What a program needs to host its app is here: the host and its builder,
//! the app, the server with its options and limits, and what is known about a request. What belongs
//! to one subject is in its module, and nowhere else:
//!
//! | module | question it answers |
//! |---|---|
//! | [`configuration`] | which value does a key have, and who said so |
//! | [`addresses`] | which addresses are bound, and why not the others |
//! | [`tls`] | which certificate is served |
//! | [`logging`] | which lines does the console show, and how |
//! | `testing` (a feature) | what does my app answer, in a test |
//!
//! Enums, and structs with public fields, may get more of both with any version, and are
//! `#[non_exhaustive]`; the few that are complete by nature, such as an IP address with its port, are
//! not. (`tests/it/public_surface.rs` holds both rules.)
//!
//! The features of the crate: `cli` (default) is the binary `kestrel`; a library user can switch
//! it off and saves clap. `jemalloc` (default) is for the binary alone. `testing` is for the
//! `[dev-dependencies]` of a program: `testing::TestServer` is its app behind its host, over connections in
//! memory and with a client. [`HostBuilder::hermetic`] takes no feature.

/// The code of the README, which is compiled with that of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod addresses;
mod apps;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod configuration;
mod dev_certificates;
mod diagnostics;
mod features;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod hosting;
pub mod logging;
mod middleware;
mod pipeline;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;

pub use {axum, http};

pub use features::{
    Abort, BadRequest, BodyLimitReadOnly, Completed, Completion, Connection, ConnectionId,
    EffectiveRequest, HttpProtocols, Lifetime, Local, MinDataRate, MinDataRateError, Remote,
    RequestBodyLimits, RequestTarget, ResetStream, Scheme, ServerAddresses, TlsHandshake,
    TlsProtocol, Unhandled, UntilStopping,
};
pub use hosting::{
    Answer, App, AppContext, AppError, Ending, Endpoint, ExitKind, Host, HostBuilder, HostError,
    HostedService, LiveConfiguration, OnFailure, Reloaded, RunningHost, SettingsMonitor, Stopped,
};
pub use middleware::{RequestSizeLimit, RequestSizeLimitService};
pub use pipeline::{Application, ApplicationFuture};
pub use server::{
    BoxFuture, Counters, Http2Limits, InvalidLimit, Limits, Server, ServerError, ServerOptions,
    ServerReload, ServerStart,
};
