//! Reload: what changed, what was refused, and which files are watched.

use tracing::{Level, event};

use super::categories::{CONNECTIONS, KESTREL, OUR_RELOAD};
use crate::diagnostics::notice::Notice;

/// Running requests of an endpoint that went outlived their time.
pub(crate) fn removed_endpoint_did_not_drain(address: &str, count: usize) {
    emit!(
        CONNECTIONS,
        DEBUG,
        16,
        "Some connections failed to close gracefully during server shutdown."
    );
    let count = count as u64;
    match count {
        1 => emit!(OUR_RELOAD, WARN, 1,
            "{count} connection to {address} was still busy 5 seconds after the endpoint was removed; it is aborted.";
            count = count, address = address),
        _ => emit!(OUR_RELOAD, WARN, 1,
            "{count} connections to {address} were still busy 5 seconds after the endpoint was removed; they are aborted.";
            count = count, address = address),
    }
}

/// The sockets of an endpoint were closed for a new one that could not be bound, and somebody took
/// them in between.
pub(crate) fn endpoint_lost(address: &str, error: &str) {
    const TEMPLATE: &str = "The endpoint {address} could not be taken back and does not listen any more; the next reload tries again.";
    event!(target: OUR_RELOAD, Level::ERROR, message = message!(TEMPLATE; address = address),
        event.critical = true, event.id = 2u64, event.template = TEMPLATE,
        event.detail = error, address = address);
}

/// The sockets of an endpoint that was lost are open again.
pub(crate) fn endpoint_found(address: &str) {
    emit!(OUR_RELOAD, INFO, 10, "The endpoint {address} listens again."; address = address);
}

/// A change of the configuration is looked at.
pub(crate) fn reload_token_fired() {
    emit!(KESTREL, DEBUG, 0, "Config reload token fired. Checking for changes...");
}

pub(crate) fn endpoints_stopping(endpoints: &str) {
    emit!(KESTREL, INFO, 0, "Config changed. Stopping the following endpoints: '{endpoints}'"; endpoints = endpoints);
}

pub(crate) fn endpoints_starting(endpoints: &str) {
    emit!(KESTREL, INFO, 0, "Config changed. Starting the following endpoints: '{endpoints}'"; endpoints = endpoints);
}

/// A reload was refused: everything is as it was.
pub(crate) fn reload_refused(detail: &str) {
    const TEMPLATE: &str = "Unable to reload configuration.";
    event!(target: KESTREL, Level::ERROR, message = message!(TEMPLATE),
        event.critical = true, event.id = 0u64, event.template = TEMPLATE, event.detail = detail);
}

/// A new endpoint could not be bound: everything is as it was.
pub(crate) fn reload_bind_failed(url: &str, detail: &str) {
    const TEMPLATE: &str = "Unable to bind to '{url}' on config reload.";
    event!(target: KESTREL, Level::ERROR, message = message!(TEMPLATE; url = url),
        event.critical = true, event.id = 0u64, event.template = TEMPLATE, event.detail = detail, url = url);
}

/// A reload changed what the host does; a line of `detail` for each endpoint and setting.
pub(crate) fn reloaded(detail: &str) {
    emit!(OUR_RELOAD, INFO, 3, "The configuration was reloaded:", detail: detail);
}

/// A reload changed nothing that the host itself uses.
pub(crate) fn reloaded_without_effect() {
    emit!(
        OUR_RELOAD,
        DEBUG,
        4,
        "The configuration was reloaded; nothing that the host itself uses is different."
    );
}

/// What was edited but is only read at the start.
pub(crate) fn restart_needed(keys: &[&str]) {
    let listed = keys.join(", ");
    match keys.len() {
        1 => {
            emit!(OUR_RELOAD, INFO, 5, "A change that takes effect at the next start: {keys}"; keys = listed)
        }
        _ => {
            emit!(OUR_RELOAD, INFO, 5, "Changes that take effect at the next start: {keys}"; keys = listed)
        }
    }
}

/// The system tells of no changes: files are looked at instead.
pub(crate) fn watching_by_polling(why: &str, detail: &str) -> Notice {
    notice!(OUR_RELOAD, WARN, 6,
        "Files are watched by looking at them every second: {reason}.", detail: detail; reason = why)
}

/// Files are not watched at all.
pub(crate) fn not_watching(error: &str) -> Notice {
    notice!(OUR_RELOAD, WARN, 7, "Changes of configuration files go unnoticed: {error}.",
        detail: if cfg!(windows) {
            "fix: start the server again after a change; hostBuilder:reloadConfigOnChange=false says that it is meant"
        } else {
            "fix: raise the limit of threads, or send SIGHUP after a change; hostBuilder:reloadConfigOnChange=false says that it is meant"
        };
        error = error)
}

/// A file that settings name, of a certificate or of users, is not there any more.
pub(crate) fn certificate_file_gone(path: &str) {
    emit!(OUR_RELOAD, WARN, 8,
        "The file {path} is gone: what was loaded from it serves on, until the file is back."; path = path);
}

/// It is there again, after it was told that it is not; a reload follows.
pub(crate) fn certificate_file_back(path: &str) {
    emit!(OUR_RELOAD, INFO, 13, "The file {path} is back, and read again."; path = path);
}

/// After one that was refused, a reload has found nothing to do: what is configured is what runs.
pub(crate) fn reload_works_again() {
    emit!(
        OUR_RELOAD,
        INFO,
        14,
        "The configuration can be reloaded again, and is as it is in effect: nothing that was refused is left in it."
    );
}

/// SIGHUP came, and the configuration was read again.
pub(crate) fn reloaded_by_hangup(outcome: &str) {
    emit!(OUR_RELOAD, INFO, 9, "The configuration was read again on SIGHUP: {outcome}."; outcome = outcome);
}

/// Certificates cannot be read: perhaps somebody is replacing them.
pub(crate) fn certificates_not_ready(seconds: u64, problems: &str) {
    emit!(OUR_RELOAD, WARN, 11,
        "A certificate cannot be served as its files are now. If they are being replaced, that passes: it is tried again for {seconds} seconds, and what runs goes on.",
        detail: problems; seconds = seconds);
}

/// They can be read after all.
pub(crate) fn certificates_ready() {
    emit!(OUR_RELOAD, INFO, 12, "The certificates can be served now.");
}

/// The app of the changed configuration is still being made.
pub(crate) fn app_takes_time(seconds: u64) {
    emit!(OUR_RELOAD, WARN, 15,
        "The app of the changed configuration has been in the making for {Seconds} seconds. Until it is made, what runs goes on; another change is taken up at once.";
        Seconds = seconds);
}

/// A reload took away what protected before.
pub(crate) fn protection_lost(loss: &str) {
    emit!(OUR_RELOAD, WARN, 16, "{loss}"; loss = loss);
}

/// A site is left as it is: what was written of it cannot be.
pub(crate) fn site_left(site: &str, problems: &str) {
    emit!(OUR_RELOAD, ERROR, 17,
        "The site '{site}' is left as it was before, or closed if it is new: what is configured for it now cannot be.",
        detail: problems; site = site);
}
