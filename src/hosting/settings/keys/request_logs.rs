//! The rows of the logs of requests.

use super::row::{Key, Kind, Others, Range, boolean, first, list, names, text, words};
use crate::middleware::{AccessLogFormat, HttpLoggingFields, W3cFields};

pub(super) const ACCESS_LOG: Key = names(
    "AccessLog",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "write a line for each request"),
        words("Format", &first(&AccessLogFormat::NAMES), "how a line looks").default("Combined"),
        text("Path", Kind::Path, "the file").default_in_words("the console"),
        list(
            "ExcludePaths",
            &text("{Number}", Kind::Text, "a path, such as `/healthz`"),
            "requests for these paths, and what is below them, have no line",
        ),
        text(
            "MinimumStatus",
            Kind::Number("statuses", Range::From(100)),
            "answers with a lower status have no line, up to 599",
        )
        .default_in_words("all have"),
        text(
            "SampleRate",
            Kind::Text,
            "which part of all requests has a line, above 0 and up to 1",
        )
        .default("1"),
    ],
    "a line for each request",
)
.at_once();

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

pub(super) const W3C_LOGGING: Key = names(
    "W3CLogging",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "write a line for each request into files"),
        text("LoggingFields", Kind::Flags(&first(&W3cFields::NAMES)), "what a line has")
            .default("Default"),
        list(
            "AdditionalRequestHeaders",
            &text("{Number}", Kind::Text, "the name of a header"),
            "headers of requests that a line has besides",
        ),
        text("LogDirectory", Kind::Path, "the folder of the files").default("logs"),
        text("FileName", Kind::Text, "what the names of files begin with").default("w3clog-"),
        text(
            "FileSizeLimit",
            Kind::Number("bytes", Range::From(1)),
            "the size at which a file is full; null is no limit",
        )
        .default("10485760"),
        text(
            "RetainedFileCountLimit",
            Kind::Number("files", Range::From(1)),
            "how many stay, up to 10000; null lets all of them stay",
        )
        .default("4"),
        text("FlushInterval", Kind::Time(Range::Above(0)), "how long a line may wait")
            .default("00:00:01"),
    ],
    "files of lines of requests",
)
.at_once();
