//! What happens to a request on its way to the app.
//!
//! Most are stages of the host's pipeline (`pipeline::Stage`), which `hosting/pipeline.rs` lists;
//! [`RequestSizeLimit`] is a [tower layer](tower_layer::Layer) for an axum `Router` or a part of one.
//! They know the facts of `features` and nothing of the server. What they do not do: read
//! configuration, or answer requests that they let pass.

mod access_log;
mod address_filter;
mod answer_headers;
mod basic_authentication;
mod cors;
mod error_pages;
mod forwarded_headers;
mod health_checks;
mod host_filtering;
#[cfg(feature = "idna")]
mod host_name;
#[cfg(not(feature = "idna"))]
#[path = "no_host_name.rs"]
mod host_name;
mod hsts;
mod http_logging;
mod https_redirection;
mod joined_headers;
mod line_writer;
#[cfg(all(test, feature = "compression"))]
mod past_stages;
mod path_base;
mod path_rules;
mod process_manager;
mod rate_limiter;
mod request_decompression;
mod request_size_limit;
mod request_timeouts;
mod response_compression;
mod rewrite;
mod sites;
pub(crate) mod static_files;
mod strangers;
mod w3c_logging;
mod watching;
mod without_length;

pub(crate) use access_log::{AccessLog, AccessLogFormat, AccessLogOptions};
pub(crate) use address_filter::{AddressFilter, AddressFilterOptions};
pub(crate) use answer_headers::{AnswerHeaders, HeaderChanges};
pub(crate) use basic_authentication::{
    BasicAuthentication, HashMistake, MOST_COST, MOST_ROUNDS, PASSWORDS_ARE_THERE, Password, User,
};
pub(crate) use cors::{Allowed, Cors, CorsPolicy, OriginCheck, OriginPattern, Origins};
pub(crate) use error_pages::{
    DeveloperPage, ErrorPath, ExceptionHandler, StatusPage, StatusPages, Template,
};
#[cfg(fuzzing)]
pub(crate) use forwarded_headers::check as check_forwarded_headers;
pub(crate) use forwarded_headers::{Believed, ForwardedHeaders, Names};
pub use health_checks::Health;
pub(crate) use health_checks::{Checking, Checks, HealthCheck, HealthCheckOptions, HealthChecks};
pub(crate) use host_filtering::AllowedHosts;
pub(crate) use host_name::{in_ascii, is_understood};
pub(crate) use hsts::{Directive, Hsts};
pub(crate) use http_logging::{
    HttpLogging, HttpLoggingFields, HttpLoggingOptions, ShownHeaders, TextTypes,
};
pub(crate) use https_redirection::{HttpsRedirection, Redirection};
#[cfg(feature = "child-process")]
pub(crate) use line_writer::stamp;
pub(crate) use line_writer::{LineSink, LineThread, LineWriter, LogFile, W3cPlace};
pub(crate) use path_base::PathBase;
pub(crate) use path_rules::PathRules;
pub(crate) use process_manager::{PairingToken, ProcessManager, ProcessManagerOptions};
pub(crate) use rate_limiter::{
    Limit, Limiters, PartitionBy, Queue, QueueOrder, RateLimiter, RateLimiterOptions, RatePolicy,
};
pub(crate) use request_decompression::{Coding, DECODERS_ARE_THERE, RequestDecompression};
pub(crate) use request_size_limit::BodyLimit;
pub use request_size_limit::{RequestSizeLimit, RequestSizeLimitService};
pub(crate) use request_timeouts::{RequestTimeoutOptions, RequestTimeouts, TimeoutPolicy};
#[cfg(fuzzing)]
pub(crate) use response_compression::check_accept_encoding;
pub(crate) use response_compression::{
    CompressionOptions, ENCODERS_ARE_THERE, Encoding, Level, MediaTypes, ResponseCompression,
};
#[cfg(fuzzing)]
pub(crate) use rewrite::check as check_rewrite_rules;
pub(crate) use rewrite::{
    Action, Change, NoTarget, Paths, Pattern, Rewrite, Rule, Target, endless,
};
pub(crate) use sites::{HostPattern, SiteHost, SitePlace, SiteTable, Sites};
pub(crate) use static_files::StaticFiles;
pub(crate) use strangers::Strangers;
pub(crate) use w3c_logging::{W3cFields, W3cLogging, W3cOptions};
