//! In what order does a host start and stop?
//!
//! [`HostBuilder`] gathers what code says; [`HostBuilder::build`] loads the configuration, reads
//! the settings and computes the plan, all without opening a socket; [`Host::start`] hands plan
//! and app to the server and announces the addresses; [`RunningHost`] waits for the stop and
//! drains. [`HostBuilder::run`] does all of it and turns the outcome into an exit code, which is
//! all the binary does, too.
//!
//! While it runs, `reload` reads the configuration again whenever a file changes, and goes over to it
//! or leaves everything as it is.
//!
//! `settings` turns keys into values, `explain` puts decisions into words, `finding` is what is
//! to be said and knows what of it refuses a start, `findings` gathers it for one, `report` tells a refused one, `lifetime` knows
//! signals, `command_line` takes the arguments apart, `usage` has the words of the help, `generate` writes
//! configurations of other programs, and `process` alone looks at the process.

mod app;
mod app_error;
mod builder;
#[cfg(feature = "tls")]
mod certificates;
#[cfg(not(feature = "tls"))]
#[path = "no_certificates.rs"]
mod certificates;
#[cfg_attr(not(feature = "child-process"), path = "no_child_process.rs")]
mod child_process;
mod command_arguments;
pub(crate) mod command_line;
mod configuration_builder;
mod container;
mod cors_builder;
#[cfg(feature = "dev-certs")]
mod development_certificate;
#[cfg(all(feature = "tls", not(feature = "dev-certs")))]
#[path = "no_development_certificate.rs"]
mod development_certificate;
mod endpoint;
mod error;
mod explain;
mod finding;
mod findings;
#[cfg(feature = "cli")]
mod generate;
mod given;
mod health_check;
mod health_check_builder;
mod hermetic;
mod hermetic_builder;
mod host;
mod lifetime;
mod listen;
mod live_configuration;
mod passed_sockets;
mod patience;
mod pipeline;
mod plan_text;
mod prepare;
pub(crate) mod process;
mod proxy_arguments;
mod reload;
mod report;
mod request_logs;
#[cfg_attr(not(feature = "proxy"), path = "no_reverse_proxy.rs")]
mod reverse_proxy;
mod service_manager;
mod services;
mod settings;
mod settings_monitor;
mod sites;
mod sources;
mod start;
#[cfg_attr(
    not(feature = "dev-certs"),
    allow(dead_code, reason = "that of development asks for the rest")
)]
mod surroundings;
mod temporary_folder;
pub(crate) mod usage;
#[cfg_attr(not(feature = "child-process"), path = "no_web_config.rs")]
mod web_config;
mod web_root;

pub use app::{App, AppContext, Ending};
pub use app_error::AppError;
pub use builder::HostBuilder;
pub use endpoint::Endpoint;
pub use error::{Answer, ExitKind, HostError};
#[cfg(feature = "cli")]
pub(crate) use generate::{Target, Wanted};
pub use host::{Host, RunningHost, Stopped};
pub use live_configuration::LiveConfiguration;
pub use reload::Reloaded;
pub use services::{HostedService, OnFailure};
#[cfg(feature = "cli")]
pub(crate) use settings::is_switch;
pub use settings_monitor::SettingsMonitor;

#[cfg(feature = "cli")]
pub(crate) use crate::logging::last_words;
