//! The life of the host.

use tracing::Level;

use super::categories::{HOST, LIFETIME, OUR_SERVER};

pub(crate) fn hosting_starting() {
    emit!(HOST, DEBUG, 1, "Hosting starting");
}

pub(crate) fn hosting_started() {
    emit!(HOST, DEBUG, 2, "Hosting started");
}

pub(crate) fn hosting_stopping() {
    emit!(HOST, DEBUG, 3, "Hosting stopping");
}

pub(crate) fn hosting_stopped() {
    emit!(HOST, DEBUG, 4, "Hosting stopped");
}

/// The start was refused, and `detail` says where the reasons are told.
pub(crate) fn hosting_failed_to_start(detail: &str) {
    emit!(HOST, ERROR, 11, "Hosting failed to start", detail: detail);
}

/// A reason why the start was refused, for a log that tells all of it.
#[derive(Debug)]
pub(crate) struct StartFailure<'a> {
    /// The exit code of its kind.
    pub(crate) code: u64,
    pub(crate) problem: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
    pub(crate) fix: Option<&'a str>,
    /// All of it, as text.
    pub(crate) text: &'a str,
}

pub(crate) fn hosting_failed_because(failure: &StartFailure<'_>) {
    emit!(HOST, ERROR, 11, "Hosting failed to start", detail: failure.text;
        code = failure.code, problem = failure.problem, key = failure.key,
        origin = failure.origin, fix = failure.fix);
}

/// Whether a refused start is told to the log at all.
pub(crate) fn start_failures_are_logged() -> bool {
    tracing::enabled!(target: HOST, Level::ERROR)
}

/// An endpoint is bound, with its real port.
pub(crate) fn listening(address: &str) {
    emit!(LIFETIME, INFO, 14, "Now listening on: {address}"; address = address);
}

pub(crate) fn application_started() {
    emit!(LIFETIME, INFO, 0, "Application started. Press Ctrl+C to shut down.");
}

pub(crate) fn hosting_environment(environment: &str) {
    emit!(LIFETIME, INFO, 0, "Hosting environment: {EnvName}"; EnvName = environment);
}

pub(crate) fn content_root_path(content_root: &str) {
    emit!(LIFETIME, INFO, 0, "Content root path: {ContentRoot}"; ContentRoot = content_root);
}

pub(crate) fn application_stopping() {
    emit!(LIFETIME, INFO, 0, "Application is shutting down...");
}

/// The stop waits for those who ask whether the host is ready.
pub(crate) fn stop_delayed(seconds: f64, path: &str) {
    emit!(OUR_SERVER, INFO, 13,
        "The stop begins in {Seconds} seconds (HealthChecks:StopDelay); {Path} answers 503 until then.";
        Seconds = seconds, Path = path);
}

/// A second signal came before the stop was complete.
pub(crate) fn stop_forced() {
    emit!(
        OUR_SERVER,
        WARN,
        4,
        "A second signal came during the stop: it ends at once, running requests are cut off."
    );
}

/// A signal to stop came while the stop was going on, and does not end it.
pub(crate) fn stop_repeated() {
    emit!(
        OUR_SERVER,
        DEBUG,
        8,
        "A signal to stop came while the stop was beginning: it is the same wish. A later one ends at once."
    );
}

/// SIGHUP came, and the terminal that the process was started on cannot be opened any more.
pub(crate) fn terminal_gone() {
    emit!(OUR_SERVER, INFO, 7, "The terminal is gone (SIGHUP): the host stops.",
        detail: "fix: start it with nohup, or as a service, to let it outlive its terminal");
}

/// SIGUSR1 came, and there is nothing that it is for.
pub(crate) fn nothing_to_reopen() {
    emit!(
        OUR_SERVER,
        INFO,
        6,
        "SIGUSR1 came. It opens log files anew; there are none, and nothing changes."
    );
}

/// The service manager that started the process wants to know how far it is, and cannot be told.
pub(crate) fn service_manager_not_told(state: &str, socket: &str, error: &str) {
    emit!(OUR_SERVER, WARN, 14, "The service manager cannot be told {State} at {Socket}: {Error}.",
        detail: "set by: environment variable NOTIFY_SOCKET\nfix: let whoever starts the process listen there, or remove the variable";
        State = state, Socket = socket, Error = error);
}

/// SIGHUP came too late for a reload. It ends the reference; a host that stops cleanly must not die
/// of a closed terminal.
pub(crate) fn hangup_ignored() {
    emit!(
        OUR_SERVER,
        INFO,
        3,
        "A hang-up signal (SIGHUP) came during the stop; it changes nothing."
    );
}
