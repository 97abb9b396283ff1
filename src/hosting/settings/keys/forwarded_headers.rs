//! The rows of what is believed of proxies.

use super::row::{Key, Kind, Others, Range, boolean, list, names, text};
use crate::hosting::settings::forwarded_headers::KIND_NAMES;

pub(super) const FORWARDED_HEADERS: Key = names(
    "ForwardedHeaders",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "believe what proxies tell of a request"),
        text(
            "ForwardedHeaders",
            Kind::Flags(&KIND_NAMES),
            "what they are believed: client, host, scheme, path base",
        )
        .default("XForwardedFor, XForwardedProto"),
        text(
            "ForwardLimit",
            Kind::Number("proxies", Range::From(0)),
            "how many are believed, one behind the other; `null` for any number",
        )
        .default("1"),
        KNOWN_PROXIES,
        KNOWN_IP_NETWORKS,
        list(
            "AllowedHosts",
            &text("{Number}", Kind::Text, "a host without a port"),
            "the hosts that a proxy may tell",
        )
        .default_in_words("all"),
        boolean(
            "RequireHeaderSymmetry",
            "false",
            "believe nothing unless each proxy has told all of it",
        ),
        header_name("ForwardedForHeaderName", "X-Forwarded-For", "where it tells the client"),
        header_name("ForwardedHostHeaderName", "X-Forwarded-Host", "where it tells the host"),
        header_name("ForwardedProtoHeaderName", "X-Forwarded-Proto", "where it tells the scheme"),
        header_name(
            "ForwardedPrefixHeaderName",
            "X-Forwarded-Prefix",
            "where it tells the path base",
        ),
        header_name(
            "OriginalForHeaderName",
            "X-Original-For",
            "where the app finds the proxy's address",
        ),
        header_name(
            "OriginalHostHeaderName",
            "X-Original-Host",
            "where it finds the host that was sent",
        ),
        header_name(
            "OriginalProtoHeaderName",
            "X-Original-Proto",
            "where it finds the connection's scheme",
        ),
        header_name(
            "OriginalPrefixHeaderName",
            "X-Original-Prefix",
            "where it finds the path base before, if there was one",
        ),
    ],
    "what proxies are believed",
)
.at_once();

pub(super) const KNOWN_PROXIES: Key = list(
    "KnownProxies",
    &text("{Number}", Kind::Text, "an IP address"),
    "who is believed, by IP address",
)
.default_in_words(THIS_MACHINE);

pub(super) const KNOWN_IP_NETWORKS: Key = list(
    "KnownIPNetworks",
    &text("{Number}", Kind::Text, "a network, such as `10.0.0.0/8`"),
    "the same by network, such as `10.0.0.0/8`",
)
.default_in_words(THIS_MACHINE);

const THIS_MACHINE: &str = "without both lists `127.0.0.0/8` and `::1`";

const fn header_name(name: &'static str, default: &'static str, line: &'static str) -> Key {
    text(name, Kind::Text, line).default(default)
}
