//! The app, and what runs beside it.

use super::categories::OUR_APP;

/// The app has ended by itself, and the host with it.
pub(crate) fn application_exited() {
    emit!(OUR_APP, INFO, 1, "The app has ended: the host stops.");
}

/// A task that runs beside the app panicked. Requests are answered as before.
pub(crate) fn background_task_panicked(message: &str) {
    emit!(OUR_APP, ERROR, 2, "A background task of the app panicked; it does not run any more.",
        detail: message);
}

/// Code that was to be told when an answer is out panicked.
pub(crate) fn completion_panicked(message: &str) {
    emit!(OUR_APP, ERROR, 4, "Code of the app that was told that an answer is out panicked.",
        detail: message);
}

/// What the app would end the host with panicked: nothing else would end it, so this does.
pub(crate) fn exit_panicked(message: &str) {
    emit!(OUR_APP, ERROR, 5, "The app was to tell when the host ends, and panicked: the host stops.",
        detail: message);
}

/// A service failed while it ran, or stopped; `detail` says why, and where that was set.
pub(crate) fn service_failed(problem: &str, detail: &str) {
    emit!(OUR_APP, ERROR, 6, "{Problem}", detail: detail; Problem = problem);
}

/// A service failed, and the host stops because of it.
pub(crate) fn service_ends_host(name: &str) {
    emit!(OUR_APP, ERROR, 7, "The host stops because the service '{Name}' has ended with an error."; Name = name);
}

/// A service did not stop in time.
pub(crate) fn service_cut_off(name: &str) {
    emit!(OUR_APP, WARN, 8, "The service '{Name}' did not stop in time and was cut off."; Name = name);
}

/// Tasks of an app that is over did not end in time.
pub(crate) fn background_tasks_cut_off(count: usize) {
    emit!(OUR_APP, WARN, 3, "Background tasks of the app did not end in time and were cut off: {Count}."; Count = count);
}

/// A service has not started yet, and the host waits for it.
pub(crate) fn service_takes_time(name: &str, seconds: u64) {
    emit!(OUR_APP, WARN, 9,
        "The service '{Name}' has been starting for {Seconds} seconds. The host waits for it before it binds its addresses.";
        Name = name, Seconds = seconds);
}

/// The app is not made yet, and the host waits for it.
pub(crate) fn first_app_takes_time(seconds: u64) {
    emit!(OUR_APP, WARN, 10,
        "The app has been in the making for {Seconds} seconds. The host waits for it before it binds its addresses.";
        Seconds = seconds);
}
