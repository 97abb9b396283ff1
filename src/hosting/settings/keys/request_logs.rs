//! The rows of the logs of requests.

use super::row::{Key, Kind, Others, Range, boolean, first, list, names, text};
use crate::middleware::HttpLoggingFields;

pub(super) const HTTP_LOGGING: Key = names(
    "HttpLogging",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "tell the log of requests and their answers"),
        text(
            "LoggingFields",
            Kind::Flags(&first(&HttpLoggingFields::NAMES)),
            "what is told of them",
        )
        .default("RequestPropertiesAndHeaders, ResponsePropertiesAndHeaders"),
        list(
            "RequestHeaders",
            &text("{Number}", Kind::Text, "the name of a header"),
            "headers of requests that are shown beside the usual ones; of others only the name is",
        ),
        list(
            "ResponseHeaders",
            &text("{Number}", Kind::Text, "the name of a header"),
            "the same of answers",
        ),
        list(
            "MediaTypes",
            &text("{Number}", Kind::Text, "a type, such as `text/plain` or `text/*`"),
            "the types of bodies that are told",
        )
        .default_in_words("JSON, XML and `text/*`"),
        text(
            "RequestBodyLogLimit",
            Kind::Number("bytes", Range::From(0)),
            "how much of a request's body is told",
        )
        .default("32768"),
        text(
            "ResponseBodyLogLimit",
            Kind::Number("bytes", Range::From(0)),
            "how much of an answer's body is told",
        )
        .default("32768"),
        boolean("CombineLogs", "false", "tell all of it at the end, in one event"),
    ],
    "requests and answers in the log",
)
.at_once();
