//! The rows of the stages that requests go through.

use super::row::{Key, Kind, Others, Range, boolean, list, names, text, words};
use crate::hosting::settings::https_redirection::STATUSES;

pub(super) const PATH_BASE: Key =
    text("PathBase", Kind::Text, "the path below which clients see the app, such as `/app`")
        .at_once();

pub(super) const HSTS: Key = names(
    "Hsts",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "let browsers come back by https only"),
        text("MaxAge", Kind::Time(Range::From(0)), "for how long").default("30.00:00:00"),
        boolean("IncludeSubDomains", "false", "the same for all hosts below it"),
        boolean("Preload", "false", "ask browsers to know it beforehand"),
        list(
            "ExcludedHosts",
            &text("{Number}", Kind::Text, "a host without a port"),
            "hosts that are left out, beside this machine, which always is",
        )
        .default_in_words("`localhost`, `127.0.0.1`, `[::1]`"),
    ],
    "let browsers stay with https",
)
.at_once();

pub(super) const HTTPS_REDIRECTION: Key = names(
    "HttpsRedirection",
    Others::Nothing,
    &[
        boolean(
            "Enabled",
            "false",
            "answer requests in clear text with where they are served by https",
        ),
        words("RedirectStatusCode", &STATUSES, "the status of that answer").default("307"),
        text("HttpsPort", Kind::Number("ports", Range::From(1)), "the port of https")
            .default_in_words("`https_port`, else the port of an endpoint"),
    ],
    "send requests in clear text to https",
)
.at_once();
