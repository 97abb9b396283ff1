//! The rows of sites. Most of what a site has is the same as at the top.

use super::certificate::CERTIFICATE;
use super::child_process::ASPNETCORE;
use super::request_logs::{ACCESS_LOG, HTTP_LOGGING, W3C_LOGGING};
use super::reverse_proxy::REVERSE_PROXY;
use super::row::{Key, Kind, Others, any, limit, names, text, text_or_list};
use super::stages::{
    ADDRESS_FILTER, BASIC_AUTHENTICATION, CORS, EXCEPTION_HANDLER, HEADERS, HSTS,
    HTTPS_REDIRECTION, PATH_BASE, PROBLEM_DETAILS, RATE_LIMITER, REQUEST_DECOMPRESSION,
    REQUEST_TIMEOUTS, RESPONSE_COMPRESSION, REWRITE, STATUS_CODE_PAGES,
};
use super::static_files::{DEFAULT_FILES, DIRECTORY_BROWSER, NAVIGATION_FALLBACK, STATIC_FILES};

pub(super) const SITES: Key =
    any("Sites", "Shop", &SITE, "several sites on the addresses of the host, by host and path")
        .at_once();

/// What a request has that is for the site: other limits hold before that is known.
const LIMITS: Key = names(
    "Limits",
    Others::Nothing,
    &[limit("MaxRequestBodySize", "bytes", "a request's body")
        .default_in_words("`Kestrel:Limits:MaxRequestBodySize`")],
    "limits of its own",
);

static SITE: Key = names(
    "{Name}",
    Others::Nothing,
    &[
        text_or_list(
            "Hosts",
            Kind::Separated("hosts"),
            "the hosts that it is for: `shop.example`, `*.shop.example` for what is below it, `10.0.0.5` for an \
             address of this machine, `+` for all before any other site, `*` for all that no other site has; each \
             with a port behind it or without",
        )
        .default_in_words("`*`, if it has a `PathBase`"),
        PATH_BASE,
        names(
            "Certificate",
            Others::Nothing,
            CERTIFICATE,
            "what every https endpoint serves for the names in `Hosts`",
        )
        .with_endpoints(),
        text("webroot", Kind::Path, "the folder of its files; without it, it serves none"),
        LIMITS,
        STATIC_FILES,
        DEFAULT_FILES,
        DIRECTORY_BROWSER,
        NAVIGATION_FALLBACK,
        REVERSE_PROXY,
        ASPNETCORE,
        REWRITE,
        HEADERS,
        HSTS,
        HTTPS_REDIRECTION,
        ADDRESS_FILTER,
        BASIC_AUTHENTICATION,
        CORS,
        RATE_LIMITER,
        REQUEST_TIMEOUTS,
        RESPONSE_COMPRESSION,
        REQUEST_DECOMPRESSION,
        EXCEPTION_HANDLER,
        PROBLEM_DETAILS,
        STATUS_CODE_PAGES,
        ACCESS_LOG,
        HTTP_LOGGING,
        W3C_LOGGING,
    ],
    "a site",
);
