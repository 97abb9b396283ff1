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
//! # Coming from `axum::serve`
//!
//! The router stays as it is, extractors and layers of tower's too. `TcpListener::bind`, the code that waits
//! for signals, and what reads the configuration go away: `--urls http://*:8080`, `--listen unix:/run/app.sock`,
//! a variable or `appsettings.json` say where, Ctrl+C and SIGTERM stop it within `shutdownTimeoutSeconds`, and
//! `--plan` prints what would be bound, and who said so. [`HostBuilder::connect_info`] has
//! `ConnectInfo<SocketAddr>`; the limit of a body is the server's (30,000,000 bytes, `MaxRequestBodySize`, or
//! [`RequestSizeLimit`] for some routes), and axum's own is off. `?` on any error is for handlers that
//! answer [`Unhandled`].
//!
//! # Settings
//!
//! A section of the configuration is a type of the program's, whatever set it. The function that makes the app
//! may wait and fail; what is wrong with it is told together with everything else. A monitor follows reloads:
//! an edit that cannot be read changes nothing.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use axum::{Router, extract::State, routing::get};
//! use kestrel::{AppContext, AppError, Host, SettingsMonitor};
//!
//! /// `{ "Mail": { "Host": "mail.example.com", "Timeout": "30s" } }`, `Mail__Host`, or `--Mail:Host=...`
//! #[derive(serde::Deserialize)]
//! struct Mail {
//!     host: String,
//!     timeout: Option<Duration>,
//! }
//!
//! async fn app(context: AppContext) -> Result<Router, AppError> {
//!     let mail: Mail = context.configuration.get("Mail")?; // of the start
//!     tracing::info!("mail goes to {}", mail.host);
//!     let mail = context.live_configuration.monitor::<Mail>("Mail")?; // of the moment
//!     Ok(Router::new().route("/", get(timeout)).with_state(mail))
//! }
//!
//! async fn timeout(State(mail): State<SettingsMonitor<Mail>>) -> String {
//!     format!("{:?}", mail.current().timeout)
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     Host::from_args().app_with(app).run().await
//! }
//! ```
//!
//! [`Host::app`] takes an app that is made between configuration and start,
//! [`HostBuilder::reloadable_app`] makes it anew by each reload, and
//! [`HostBuilder::configuration_source`] adds sources.
//!
//! # TLS
//!
//! Configuration alone does it: an address with `https`, and `Kestrel:Certificates:Default:Path` or the
//! development certificate of this machine. HTTP/2 is agreed on by itself, files are watched. In code:
//!
//! ```no_run
//! use kestrel::tls::{CertificateSource, TlsOptions};
//! use kestrel::{Endpoint, Host};
//!
//! let certificate = CertificateSource::pem("fullchain.pem", "privkey.pem");
//! let builder = Host::from_args()
//!     .listen_on(Endpoint::any_ip(443).https(TlsOptions::with(certificate)));
//! ```
//!
//! # Lifetime
//!
//! [`Lifetime`] asks the host to stop and tells how far it is. It is an extractor, too, so that what would
//! never end does, at once and cleanly ([`Lifetime::until_stopping`] for streams). What runs beside the
//! requests starts before an address is bound, and ends behind the last request:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use kestrel::{AppContext, AppError, Ending, Host};
//!
//! async fn tick(_: AppContext, mut ending: Ending) -> Result<(), AppError> {
//!     let mut minutes = tokio::time::interval(Duration::from_secs(60));
//!     loop {
//!         tokio::select! {
//!             _ = minutes.tick() => tracing::info!("another minute"),
//!             () = ending.begun() => return Ok(()),
//!         }
//!     }
//! }
//!
//! let builder = Host::from_args().background_service("ticker", tick); // an error stops the host
//! ```
//!
//! # Tests
//!
//! With the feature `testing`, `testing::TestServer` is the app behind its whole host, over connections in
//! memory: `TestServer::start(router).await?`, then `server.get("/").send().await?`. It sees no file, no
//! variable and no port of the machine; neither does any host that is
//! [`hermetic`](HostBuilder::hermetic), without the feature.
//!
//! # Logging
//!
//! What the host says are events of `tracing`, with ids and named fields. A program without a subscriber
//! has the console that .NET has, by `Logging:LogLevel` and `Logging:Console`; one that installs its own between
//! `build()` and the start has its lines there, and [`Host::log`] lends it the console and the levels
//! of the configuration as layers.
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
//! # Features
//!
//! The package is called `kestrel-host`, the library in it `kestrel`: the one stands in `Cargo.toml`, the other in code.
//!
//! The default is everything that the binary has, for `cargo install`. A program says `default-features = false` and names what
//! it uses; `docs/library.md` has what each costs. What is asked of a host that was built without it
//! refuses the start, or is a warning, with the name of the feature: nothing is passed over in silence.
//!
//! | feature | what there is with it |
//! |---|---|
//! | `tls` | https, with certificates and keys in PEM and DER form |
//! | `pkcs12` | PKCS#12 (PFX) files, the certificate stores of .NET, encrypted private keys; takes `tls` |
//! | `dev-certs` | the development certificate for https endpoints without one of their own; takes `pkcs12` |
//! | `reload` | files are watched, and reloaded when they change. [`RunningHost::reload`] and SIGHUP take no feature |
//! | `idna` | `AllowedHosts` in other scripts than ASCII |
//! | `toml` | `configuration::TomlFile`: files in TOML among the sources |
//! | `testing` | for `[dev-dependencies]`: `testing::TestServer` is the app behind its host, over connections in memory and with a client. [`HostBuilder::hermetic`] takes no feature |
//! | `cli` | the binary `kestrel`, and all of the above but `toml` and `testing` |
//! | `jemalloc` | the binary gives memory back to the system |

/// The code of the README, which is compiled with that of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// That of the document about the library, as well.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;

pub mod addresses;
mod apps;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod configuration;
#[cfg(feature = "dev-certs")]
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
#[cfg(feature = "proxy")]
mod upstream;

pub use {axum, http};

pub use features::{
    Abort, BadRequest, BodyLimitReadOnly, Completed, Completion, Connection, ConnectionId,
    EffectiveRequest, HttpProtocols, IpNetwork, IpNetworkError, Lifetime, Local, MinDataRate,
    MinDataRateError, Reexecution, Remote, RequestBodyLimits, RequestTarget, ResetStream, Scheme,
    ServerAddresses, TlsHandshake, TlsProtocol, Unhandled, UntilStopping,
};
pub use hosting::{
    Answer, App, AppContext, AppError, Ending, Endpoint, ExitKind, Host, HostBuilder, HostError,
    HostedService, LiveConfiguration, OnFailure, Reloaded, RunningHost, SettingsMonitor, Stopped,
};
pub use middleware::{Health, RequestSizeLimit, RequestSizeLimitService};
pub use pipeline::{Application, ApplicationFuture};
pub use server::{
    BoxFuture, Counters, Http2Limits, InvalidLimit, Limits, Server, ServerError, ServerOptions,
    ServerReload, ServerStart,
};
