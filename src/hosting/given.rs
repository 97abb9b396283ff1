//! What code says of a host.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::app::AppSource;
use super::hermetic::Hermetic;
use super::services::Registration;
use super::settings::{CodeCors, CodeEndpoints};
use super::sources::Configure;
use crate::addresses::{
    ConfiguredEndpoint, ListenSpec, ListenTarget, parse_listen_spec, readable_rights,
    short_ip_of_spec,
};
use crate::configuration::{
    AddedSource, CodeSettings, Origin, Problem, Sourced, address_without_user_info,
};
use crate::features::Lifetime;
use crate::logging::LogTo;
use crate::middleware::HealthCheck;
use crate::pipeline::Layers;
use crate::server::Server;

/// Everything that code says, as the builder gathers it.
#[derive(Default)]
pub(super) struct Given {
    pub(super) app: Option<AppSource>,
    pub(super) layers: Layers,
    pub(super) services: Vec<Registration>,
    pub(super) health_checks: Vec<HealthCheck>,
    pub(super) server: Option<Box<dyn Server>>,
    pub(super) lifetime: Lifetime,
    pub(super) arguments: Vec<(usize, OsString)>,
    /// Nobody but the process said them.
    pub(super) arguments_of_process: bool,
    pub(super) settings_only: bool,
    pub(super) version: Option<String>,
    pub(super) variables: Option<Vec<(String, String)>>,
    pub(super) current_directory: Option<PathBuf>,
    pub(super) code: CodeSettings,
    pub(super) added_sources: Vec<AddedSource>,
    pub(super) endpoints: CodeEndpoints,
    pub(super) cors: CodeCors,
    pub(super) configure: Vec<Configure>,
    pub(super) shutdown_timeout: Option<Duration>,
    /// Nothing is looked for that code does not name.
    pub(super) only_code: bool,
    /// The variables that tell where the user has what, where they are not settings.
    pub(super) surroundings: Option<Vec<(String, String)>>,
    pub(super) strict: bool,
    pub(super) named_after_content_root: bool,
    /// Unless it says so, a host that reads nothing and one of a test write none.
    pub(super) log_to: Option<LogTo>,
    pub(super) problems: Vec<Problem>,
    /// What is asked for in the place of a start.
    #[cfg(feature = "cli")]
    pub(super) generate: Option<super::generate::Wanted>,
    /// Nothing of the process is looked at.
    pub(super) hermetic: Option<Hermetic>,
}

impl Given {
    /// What a host is that reads nothing.
    pub(super) fn nothing() -> Self {
        Self {
            code: CodeSettings::without_files(),
            variables: Some(Vec::new()),
            only_code: true,
            ..Self::default()
        }
    }

    /// Adds what a `--listen` says, or what is wrong with it.
    pub(super) fn add_listen_spec(&mut self, spec: &str, origin: Origin) {
        match parse_listen_spec(spec) {
            Ok(ListenSpec { target, unix_socket }) => {
                let short = short_ip_of_spec(spec);
                self.problems.extend(short.map(|it| it.key("--listen").origin(origin.clone())));
                self.endpoints.listen.push(ConfiguredEndpoint {
                    name: target.to_string(),
                    key: "--listen".to_owned(),
                    target: Sourced::new(target, origin),
                    protocols: None,
                    tls: None,
                    unix_socket,
                    proxy_protocol: None,
                })
            }
            Err(fix) => {
                let spec = address_without_user_info(spec);
                self.problems.push(
                    Problem::error(format!("'{spec}' is nothing to listen on."))
                        .key("--listen")
                        .origin(origin.clone())
                        .fix(fix),
                );
                self.endpoints.refused.push(ConfiguredEndpoint {
                    name: spec.to_string(),
                    key: "--listen".to_owned(),
                    unix_socket: readable_rights(&spec),
                    proxy_protocol: None,
                    target: Sourced::new(ListenTarget::Url(spec.into_owned()), origin),
                    protocols: None,
                    tls: None,
                });
            }
        }
    }
}
