//! The binary: what it prints, which signals it obeys, and how it exits.
//!
//! Every run has an empty folder and no variable but those that the test gives it. A test waits
//! for lines, answers and ends of processes ([`process`]), never for a guessed time. Whole
//! messages are kept in `tests/golden` ([`golden`]).

#[cfg(all(target_os = "linux", feature = "child-process"))]
mod apps;
#[cfg(target_os = "linux")]
mod behind_proxies;
#[cfg(target_os = "linux")]
mod beside_axum;
#[cfg(target_os = "linux")]
mod blocked_output;
#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod certificates;
#[cfg(all(target_os = "linux", feature = "child-process"))]
mod child_process;
#[cfg(all(target_os = "linux", feature = "child-process"))]
mod child_process_queue;
#[cfg(all(target_os = "linux", feature = "child-process"))]
mod child_process_stops;
mod completions;
#[cfg(unix)]
mod configuration;
#[cfg(unix)]
mod dev_certs;
mod environment;
#[cfg(target_os = "linux")]
mod examples;
#[cfg(unix)]
mod file_limit;
#[cfg(target_os = "linux")]
mod forewarned;
#[cfg(target_os = "linux")]
mod generate;
#[cfg(unix)]
mod golden;
#[cfg(unix)]
mod grades;
#[cfg(unix)]
mod handshakes;
mod help;
#[cfg(unix)]
mod hot_answers;
#[cfg(unix)]
mod http;
#[cfg(target_os = "linux")]
mod idle_connections;
#[cfg(target_os = "linux")]
mod image;
#[cfg(all(target_os = "linux", feature = "proxy"))]
mod killed_destinations;
#[cfg(unix)]
mod listen;
#[cfg(unix)]
mod log;
#[cfg(all(feature = "jemalloc", target_os = "linux", target_env = "gnu"))]
mod memory;
#[cfg(target_os = "linux")]
mod no_regular_file;
#[cfg(unix)]
mod output;
#[cfg(unix)]
mod plan;
#[cfg(target_os = "linux")]
mod printed;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod process_manager;
#[cfg(all(target_os = "linux", feature = "child-process", feature = "proxy"))]
mod proxied;
#[cfg(target_os = "linux")]
#[path = "../proxies/mod.rs"]
mod proxies;
#[cfg(all(unix, feature = "proxy"))]
mod proxy;
#[cfg(all(unix, feature = "proxy"))]
mod proxy_failures;
#[cfg(unix)]
mod refused;
#[cfg(target_os = "linux")]
mod reload;
#[cfg(target_os = "linux")]
mod reload_proxy;
#[cfg(target_os = "linux")]
mod reload_tls;
#[cfg(target_os = "linux")]
mod request_logs;
mod rights;
#[cfg(unix)]
mod serve;
#[cfg(target_os = "linux")]
mod service_manager;
mod signals;
#[cfg(target_os = "linux")]
mod sites;
#[cfg(unix)]
mod slow_attacks;
#[cfg(unix)]
mod start;
mod static_files;
#[cfg(unix)]
#[path = "../data/tls/mod.rs"]
mod test_data;
#[cfg(target_os = "linux")]
mod through_proxies;
#[cfg(target_os = "linux")]
mod unix_sockets;
#[cfg(target_os = "linux")]
mod windows;
