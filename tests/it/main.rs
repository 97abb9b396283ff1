//! The library over real sockets: one file per behaviour, test names are sentences.
//!
//! Every host here is started on port 0 (or on a port that [`support::ReservedPort`] keeps free
//! for it), sees no variable and no file of this machine, and writes no log. Nothing waits for a
//! guessed time: a test waits for an event, and [`support::soon`] only turns an event that never
//! comes into a failure. Where the passing of time is the behaviour, the time is real and short:
//! the server's clock is not that of the runtime, and cannot be paused.

mod addresses;
mod answers;
mod app_failures;
mod apps;
mod beside_axum;
mod binding_errors;
mod blame;
mod command_line;
mod completion;
mod compression;
mod configuration_sources;
mod conversations;
mod custom_server;
mod endpoints_in_code;
mod event_ids;
mod forwarded_headers;
mod given_sockets;
mod gone_clients;
mod graceful_stop;
mod half_closed;
mod health_checks;
mod hermetic;
mod http2_batches;
mod http2_fields;
mod http2_frames;
mod http2_limits;
mod http2_rfc9113;
mod keep_alive;
mod layers;
mod lifetime;
mod limits;
mod logging;
mod open_requests;
mod panics;
mod pipelining;
mod program_layers;
mod protocols;
#[cfg(target_os = "linux")]
#[path = "../proxies/mod.rs"]
mod proxies;
mod proxy_protocol;
mod public_api;
mod public_surface;
mod rate_limiter;
mod reload;
mod reload_tls;
mod reload_transaction;
mod request_bodies;
mod request_facts;
mod request_heads;
mod request_logs;
mod request_timeouts;
mod rules;
mod running_host;
mod services;
mod settings;
mod settings_monitor;
mod slow_app;
mod slow_clients;
mod smuggling;
mod stages;
mod starts;
mod static_files;
mod stops_under_load;
mod support;
#[path = "../data/tls/mod.rs"]
mod test_data;
mod test_server;
mod tls_agreement;
mod tls_client;
mod tls_client_certificates;
mod tls_connections;
mod tls_handshakes;
mod tls_host;
mod tls_in_memory;
mod tls_names;
mod tls_sessions;
#[cfg(unix)]
mod unix_socket;
mod upgrades;
#[cfg(target_os = "linux")]
mod websockets;
