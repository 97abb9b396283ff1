//! Requests and answers with all that is asked of them (`HttpLogging`).

use tracing::{Level, event};

use super::categories::HTTP_LOGGING;
use crate::diagnostics::listed::{Listed, ListedMessage};

/// Whether they are wanted at all; costs one atomic load.
pub(crate) fn http_messages_are_logged() -> bool {
    tracing::enabled!(target: HTTP_LOGGING, Level::INFO)
}

pub(crate) fn http_request(listed: &Listed) {
    event!(target: HTTP_LOGGING, Level::INFO,
        message = tracing::field::display(ListedMessage { title: "Request:", listed }),
        event.id = 1u64, event.template = "Request:", event.listed = tracing::field::display(listed));
}

pub(crate) fn http_response(listed: &Listed) {
    event!(target: HTTP_LOGGING, Level::INFO,
        message = tracing::field::display(ListedMessage { title: "Response:", listed }),
        event.id = 2u64, event.template = "Response:", event.listed = tracing::field::display(listed));
}

/// The body of a request, as far as the app has read it; `status` says what is missing.
pub(crate) fn http_request_body(body: &str, status: &str) {
    emit!(HTTP_LOGGING, INFO, 3, "RequestBody: {Body}{Status}"; Body = body, Status = status);
}

pub(crate) fn http_response_body(body: &str) {
    emit!(HTTP_LOGGING, INFO, 4, "ResponseBody: {Body}"; Body = body);
}

pub(crate) fn http_duration(milliseconds: f64) {
    emit!(HTTP_LOGGING, INFO, 8, "Duration: {Duration}ms"; Duration = milliseconds);
}

pub(crate) fn http_request_and_response(listed: &Listed) {
    event!(target: HTTP_LOGGING, Level::INFO,
        message = tracing::field::display(ListedMessage { title: "Request and Response:", listed }),
        event.id = 9u64, event.template = "Request and Response:", event.listed = tracing::field::display(listed));
}
