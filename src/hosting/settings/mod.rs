//! Which key feeds which setting.
//!
//! In goes the merged [`Configuration`](crate::configuration::Configuration), out come typed
//! settings and every problem with them: a
//! reader pushes what is wrong and goes on, so that a start names all mistakes at once. This is
//! the only folder that turns a key into a value; searching for a key finds its one reader.
//!
//! [`keys`] has a row for each of them, for all that has to be known of a key besides its value.

mod access_log;
mod address_filter;
mod allowed_hosts;
mod answer_headers;
mod basic_authentication;
mod child_process;
mod cors;
mod endpoints;
mod error_pages;
mod forwarded_headers;
mod given_away;
mod header_values;
mod health_checks;
mod host;
mod http_logging;
mod https_redirection;
mod in_code;
mod keys;
mod known_proxies;
mod limits;
mod lists;
mod logged_fields;
mod logging;
mod misnamed;
mod near;
mod networks_meant;
mod not_yet;
mod parse;
mod password_file;
mod path_base;
mod path_policies;
mod pipeline;
mod places;
mod process_manager;
mod protocols;
mod proxy_protocol;
mod rate_limiter;
mod request_decompression;
mod request_path;
mod request_timeouts;
mod response_compression;
mod reverse_proxy;
mod rewrite;
mod route_policies;
mod section_meant;
mod server;
mod site_limits;
mod site_names;
mod site_places;
mod sites;
mod stage_places;
mod stage_values;
mod static_files;
mod switched;
mod switches;
mod tls;
mod unix_socket;
mod unknown;
mod w3c_logging;
mod wrong_shape;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use self::child_process::quoted as quoted_arguments;
#[cfg(feature = "child-process")]
pub(crate) use self::child_process::says_of_program;
pub(crate) use self::cors::CodeCors;
pub(crate) use self::endpoints::CodeEndpoints;
pub(crate) use self::health_checks::{stop_delay, told_of_delay};
pub(crate) use self::keys::{Effect, effect};
pub(crate) use self::password_file::{is_key as is_password_file, named as password_files};
pub(crate) use self::pipeline::{SiteSettings, SitesSettings, StageSettings};
pub(crate) use self::site_names::{of_site, site_of, site_section};
#[cfg(feature = "reload")]
pub(crate) use self::static_files::root_by_itself;
pub(crate) use self::static_files::{in_the_way, missing_site};
pub(crate) use self::switched::Switched;
pub(crate) use self::tls::SharedCertificates;
pub(crate) use self::unknown::is_switch;
use crate::addresses::EndpointSettings;
use crate::configuration::{Loaded, Problem, Sourced};
use crate::logging::LoggingOptions;
use crate::server::ServerOptions;

/// Everything the configuration says, typed.
#[derive(Clone, Debug)]
pub(crate) struct HostSettings {
    /// What to listen on.
    pub(crate) endpoints: EndpointSettings,
    /// The certificates of endpoints that have none of their own.
    pub(crate) certificates: SharedCertificates,
    /// How the server behaves.
    pub(crate) server: ServerOptions,
    /// What happens to requests on their way to the app.
    /// There are many: on the heap, or whatever holds a host would be as large as they are.
    pub(crate) stages: Box<StageSettings>,
    /// What is logged, and how.
    pub(crate) logging: LoggingOptions,
    /// How long a stop may take.
    pub(crate) shutdown_timeout: Duration,
    /// Whether files are watched and read again. Default: yes.
    pub(crate) reload_on_change: bool,
    /// The web root, if one was named: it is made if it is missing.
    pub(crate) web_root: Option<Sourced<PathBuf>>,
    /// What is wrong, and what is odd.
    pub(crate) problems: Vec<Problem>,
}

/// What code says beside the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct InCode {
    pub(crate) endpoints: CodeEndpoints,
    pub(crate) cors: CodeCors,
    /// Whether files are served now: a reload does not end that because their folder is away.
    pub(crate) has_site: bool,
}

impl From<CodeEndpoints> for InCode {
    fn from(endpoints: CodeEndpoints) -> Self {
        Self { endpoints, ..Self::default() }
    }
}

impl HostSettings {
    /// Reads all settings. `configure` is what code says of the server's options, on top of those
    /// that are read.
    pub(crate) fn read(
        loaded: &Loaded,
        code: impl Into<InCode>,
        configure: impl FnOnce(&mut ServerOptions),
    ) -> Self {
        let mut problems = loaded.problems.clone();
        let configuration = &loaded.configuration;
        let code = code.into();
        let endpoints = endpoints::read(loaded, code.endpoints, &mut problems);
        let certificates = tls::shared_certificates(loaded, &mut problems);
        let server = server::read(configuration, configure, &mut problems);
        let mut stages = Box::new(pipeline::read(loaded, &code.cors, &mut problems));
        stages.static_files = static_files::read_all(
            loaded,
            (stages.child_process.is_none(), code.has_site),
            &mut problems,
        );
        stages.files_before_routes();
        stages.process_manager =
            process_manager::read(loaded, stages.forwarded_headers.is_some(), &mut problems);
        let logging = logging::read(configuration, &mut problems);
        problems.extend(http_logging::silenced(
            configuration,
            stages.http_logging.as_ref(),
            &logging.rules,
        ));
        let shutdown_timeout = host::shutdown_timeout(configuration, &mut problems);
        let reload_on_change =
            parse::read_boolean(configuration, "hostBuilder:reloadConfigOnChange", &mut problems);
        host::switches(configuration, &mut problems);
        let web_root = host::web_root(loaded);
        let keys = given_away::key_files(loaded, configuration);
        problems.extend(stage_places::told(loaded, (configuration, &keys), &stages));
        stages.sites = sites::read(loaded, (&stages, &keys), &mut problems);
        host::told_too_late(loaded, &mut problems);
        host::misspelled_files(loaded, &mut problems);
        near::report(loaded, &mut problems);
        // First: how to write what has no effect is not worth a word.
        not_yet::report(loaded, &mut problems);
        unknown::report(loaded, &mut problems);
        problems.extend(near::lone_port(configuration, &endpoints));
        problems.extend(near::lone_hosts(loaded));
        Self {
            endpoints,
            certificates,
            server,
            stages,
            logging,
            shutdown_timeout,
            reload_on_change: reload_on_change.unwrap_or(true),
            web_root,
            problems,
        }
    }
}

#[cfg(test)]
mod tests;
