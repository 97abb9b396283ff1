//! Every event the host logs, by subject.
//!
//! An event carries its id and its message template as fields, so that the console formatters can
//! print what .NET's do; see `logging`. An event of one of our own categories takes the next free id
//! below, and keeps it. (What is in `Kestrel.Logging` is told by `logging` itself.)
//!
//! Next free ids: `Kestrel.App` 11, `Kestrel.Certificates` 7, `Kestrel.Configuration` 12,
//! `Kestrel.Endpoints` 16, `Kestrel.Pipeline` 11, `Kestrel.Process` 20,
//! `Kestrel.Process.Output` 2, `Kestrel.Proxy` 2, `Kestrel.Reload` 18,
//! `Kestrel.RequestLogs` 7,
//! `Kestrel.Server` 15, `Kestrel.StaticFiles` 6.

// First: those below are written in its words.
#[macro_use]
mod emit;

mod app;
mod categories;
mod certificates;
#[cfg(feature = "child-process")]
mod child_process;
mod configuration;
mod connections;
mod endpoints;
mod handshakes;
mod health_checks;
mod hosting;
mod http2;
mod http_logging;
mod reload;
mod request_id;
mod request_logs;
mod requests;
mod reverse_proxy;
mod scopes;
mod stages;
mod static_files;

pub(crate) use self::app::*;
pub(crate) use self::certificates::*;
#[cfg(feature = "child-process")]
pub(crate) use self::child_process::*;
pub(crate) use self::configuration::*;
pub(crate) use self::connections::*;
pub(crate) use self::endpoints::*;
pub(crate) use self::handshakes::*;
pub(crate) use self::health_checks::*;
pub(crate) use self::hosting::*;
pub(crate) use self::http_logging::*;
pub(crate) use self::http2::*;
pub(crate) use self::reload::*;
pub(crate) use self::request_logs::*;
pub(crate) use self::requests::*;
pub(crate) use self::reverse_proxy::*;
pub(crate) use self::scopes::*;
pub(crate) use self::stages::*;
pub(crate) use self::static_files::*;
