//! What the recorded app does under systemd: only where it is asked to, whereas the product does it by itself.

use std::env;
use std::fs;
use std::time::Duration;

use kestrel::{AppError, Ending};

use crate::settings::Variables;

/// Whether the app is to have the lifetime of a service (`MW_SYSTEMD`), and systemd has started it.
fn is_service(variables: &Variables) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap_or_default();
    let name = fs::read_to_string(format!("/proc/{}/comm", parent.trim())).unwrap_or_default();
    variables.is_on("SYSTEMD") && name.trim_end() == "systemd"
}

/// The variables of the process, without those that the app is not to heed.
#[expect(clippy::disallowed_methods, reason = "the app decides what its host sees of them")]
pub(crate) fn variables_of_host(variables: &Variables) -> Vec<(String, String)> {
    let (sockets, service) = (variables.is_on("KESTREL_SYSTEMD"), is_service(variables));
    let is_heeded = |(name, _): &(String, String)| match name.as_str() {
        "LISTEN_FDS" => sockets,
        "NOTIFY_SOCKET" => service,
        _ => true,
    };
    env::vars().filter(is_heeded).collect()
}

/// The log of a service, which comes before whatever else is configured.
pub(crate) fn log_of_service(variables: &Variables) -> Option<(String, String)> {
    let key = "Logging:Console:FormatterName";
    is_service(variables).then(|| (key.to_owned(), "systemd".to_owned()))
}

/// Holds the stop for as long as `MW_HTTP_SOCKET_STOP_DELAY` says.
pub(crate) async fn hold_the_stop(seconds: u64, mut ending: Ending) -> Result<(), AppError> {
    ending.begun().await;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Ok(())
}
