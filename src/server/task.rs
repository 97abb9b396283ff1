//! Tasks of connections and of their streams: one for each, so that what is around them costs.

use crate::diagnostics::LogContext;

/// Starts a task that logs there.
pub(super) fn spawn<F>(log: &LogContext, future: F)
where
    F: Future<Output: Send> + Send + 'static,
{
    match log.is_of_process() {
        true => drop(tokio::spawn(future)),
        false => drop(tokio::spawn(log.around(future))),
    }
}
