//! The rows of the reverse proxy.

use super::row::{
    Key, Kind, Others, Range, any, boolean, first, list, names, of_dotnet, text, words,
};
use crate::hosting::settings::reverse_proxy::{
    AFFINITY_FAILURES, AFFINITY_POLICIES, AVAILABLE_DESTINATIONS, HEADER_MODES, LOAD_BALANCING,
    METHODS as KNOWN_METHODS, QUERY_MODES, SAME_SITES, SECURE_POLICIES, VERSION_POLICIES, VERSIONS,
};

pub(super) const REVERSE_PROXY: Key = names(
    "ReverseProxy",
    Others::Nothing,
    &[ROUTES, CLUSTERS],
    "hand requests on to other servers",
)
.at_once();

const ROUTES: Key = any("Routes", "api", &ROUTE, "which requests go where");

const CLUSTERS: Key = any("Clusters", "api", &CLUSTER, "servers that do the same");

const HEADERS: Key = any("Headers", "0", &HEADER, "what has to hold of headers, all of it");

const QUERY_PARAMETERS: Key =
    any("QueryParameters", "0", &QUERY_PARAMETER, "what has to hold of the query, all of it");

const METHODS: Key =
    list("Methods", &METHOD, "the methods of its requests").default_in_words("all");

const DESTINATIONS: Key = any("Destinations", "first", &DESTINATION, "its servers");

static ROUTE: Key = names(
    "{Route}",
    Others::Nothing,
    &[
        text("ClusterId", Kind::Text, "the cluster that its requests go to"),
        text(
            "Order",
            Kind::Text,
            "a whole number: of routes that match the lowest one counts, before all else",
        )
        .default("0"),
        MATCH,
        TRANSFORMS,
        text("Timeout", Kind::Time(Range::Above(0)), "how long an answer may take, to its end")
            .default_in_words("no limit"),
        text(
            "TimeoutPolicy",
            Kind::Text,
            "in its place: a policy of `RequestTimeouts`, or `Disable`",
        ),
        text("RateLimiterPolicy", Kind::Text, "a policy of `RateLimiter`, `Default` or `Disable`"),
        text("CorsPolicy", Kind::Text, "a policy of `Cors`, `Default` or `Disable`"),
        text(
            "MaxRequestBodySize",
            Kind::Text,
            "how many bytes the body of a request may have; -1 is no limit",
        )
        .default_in_words("`Kestrel:Limits:MaxRequestBodySize`"),
        METADATA,
        of_dotnet("AuthorizationPolicy"),
        of_dotnet("OutputCachePolicy"),
        of_dotnet("RouteId"),
    ],
    "a route",
);

const METADATA: Key = any(
    "Metadata",
    "Weight",
    &text("{Metadata}", Kind::Text, "what a policy, or a program, reads by this name"),
    "what policies and programs read",
);

const MATCH: Key = names(
    "Match",
    Others::Nothing,
    &[
        text("Path", Kind::Text, "a template of paths, such as `/api/{id:int}/{**rest}`")
            .default_in_words("every path, if there are hosts"),
        list(
            "Hosts",
            &text("{Number}", Kind::Text, "a host"),
            "`host`, `*.host`, `[::1]` or `*`, with or without a `:port`",
        )
        .default_in_words("all"),
        METHODS,
        HEADERS,
        QUERY_PARAMETERS,
    ],
    "which requests a route is for",
);

static METHOD: Key = words("{Number}", &KNOWN_METHODS, "a method");

static HEADER: Key = names(
    "{Number}",
    Others::Nothing,
    &[
        text("Name", Kind::Text, "the header"),
        words(
            "Mode",
            &first(&HEADER_MODES),
            "whether one of its values is, or begins with, one of `Values`; whether its text has one in it; or whether it is there",
        )
        .default("ExactHeader"),
        list("Values", &text("{Number}", Kind::Text, "a value"), "any of these will do"),
        boolean("IsCaseSensitive", "false", "letters have to be of the same case"),
    ],
    "a condition",
);

static QUERY_PARAMETER: Key = names(
    "{Number}",
    Others::Nothing,
    &[
        text("Name", Kind::Text, "the parameter, in any case"),
        words(
            "Mode",
            &first(&QUERY_MODES),
            "whether a value of it is, has in it or begins with one of `Values`, or whether it is there",
        )
        .default("Exact"),
        list("Values", &text("{Number}", Kind::Text, "a value, decoded"), "any of these will do"),
        boolean("IsCaseSensitive", "false", "letters of values have to be of the same case"),
    ],
    "a condition",
);

const TRANSFORMS: Key = any(
    "Transforms",
    "0",
    &TRANSFORM,
    "what is changed of requests and answers, one after the other",
);

static TRANSFORM: Key = any(
    "{Number}",
    "PathPrefix",
    &text("{Transform}", Kind::Text, "a transform, or what belongs to it"),
    "a transform",
);

static CLUSTER: Key = names(
    "{Cluster}",
    Others::Nothing,
    &[
        DESTINATIONS,
        words("LoadBalancingPolicy", &first(&LOAD_BALANCING), "which of them gets a request")
            .default("PowerOfTwoChoices"),
        SESSION_AFFINITY,
        HEALTH_CHECK,
        HTTP_CLIENT,
        HTTP_REQUEST,
        METADATA,
    ],
    "a cluster",
);

static DESTINATION: Key = names(
    "{Destination}",
    Others::Nothing,
    &[
        text(
            "Address",
            Kind::Text,
            "where it is: `http://host:port/base`, or `http://unix:/run/app.sock`",
        ),
        text("Health", Kind::Text, "where it is asked how it does, if elsewhere")
            .default_in_words("`Address`"),
        text("Host", Kind::Text, "the host that requests name, and TLS")
            .default_in_words("that of `Address`"),
        METADATA,
    ],
    "a server",
);

const SESSION_AFFINITY: Key = names(
    "SessionAffinity",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "let a client stay with a destination"),
        words(
            "Policy",
            &first(&AFFINITY_POLICIES),
            "what a client shows for it; `Cookie` and `CustomHeader` are encrypted",
        )
        .default("HashCookie"),
        words(
            "FailurePolicy",
            &first(&AFFINITY_FAILURES),
            "what becomes of its requests when that one is not there",
        )
        .default("Redistribute"),
        text("AffinityKeyName", Kind::Text, "the name of the cookie or of the header"),
        text("Key", Kind::Text, "what encrypts: machines that have the same understand each other")
            .default_in_words("one of this process")
            .secret(),
        text("KeyPath", Kind::Path, "in its place: a file that has it"),
        COOKIE,
    ],
    "how clients stay with a destination",
);

const COOKIE: Key = names(
    "Cookie",
    Others::Nothing,
    &[
        text("Path", Kind::Text, "for which paths browsers send it").default("/"),
        text("Domain", Kind::Text, "for which hosts").default_in_words("the one that was asked"),
        boolean("HttpOnly", "true", "keep it from scripts"),
        words("SecurePolicy", &first(&SECURE_POLICIES), "whether it is sent by https only")
            .default("None"),
        words("SameSite", &first(&SAME_SITES), "whether other sites' requests have it")
            .default("Unspecified"),
        text("MaxAge", Kind::Time(Range::Above(0)), "how long browsers keep it")
            .default_in_words("as long as they run"),
        text("Expiration", Kind::Time(Range::Above(0)), "the same, as the time of its end")
            .default_in_words("as long as they run"),
        of_dotnet("IsEssential"),
    ],
    "the cookie",
);

const HEALTH_CHECK: Key = names(
    "HealthCheck",
    Others::Nothing,
    &[
        words(
            "AvailableDestinationsPolicy",
            &first(&AVAILABLE_DESTINATIONS),
            "whether all get requests when none does well",
        )
        .default("HealthyOrPanic"),
        ACTIVE,
        PASSIVE,
    ],
    "which destinations get requests",
);

const ACTIVE: Key = names(
    "Active",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "ask them how they do"),
        text("Interval", Kind::Time(Range::Above(0)), "how often").default("00:00:15"),
        text("Timeout", Kind::Time(Range::Above(0)), "how long an answer may take")
            .default("00:00:10"),
        words("Policy", &["ConsecutiveFailures"], "failures in a row count: the metadata `ConsecutiveFailuresHealthPolicy.Threshold` of the cluster says how many, 2 without it")
            .default("ConsecutiveFailures"),
        text("Path", Kind::Text, "the path that is asked, behind that of the address")
            .default_in_words("that of the address"),
        text("Query", Kind::Text, "its query"),
    ],
    "asking",
);

const PASSIVE: Key = names(
    "Passive",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "watch how requests fare"),
        words("Policy", &["TransportFailureRate"], "the share of failures within a minute counts: the metadata `TransportFailureRateHealthPolicy.RateLimit` of the cluster says which, 0.3 without it")
            .default("TransportFailureRate"),
        text(
            "ReactivationPeriod",
            Kind::Time(Range::Above(0)),
            "when one that did not do well gets a request again, and its share once that has an answer",
        )
        .default("00:01:00"),
    ],
    "watching",
);

const HTTP_CLIENT: Key = names(
    "HttpClient",
    Others::Nothing,
    &[
        list(
            "SslProtocols",
            &words("{Number}", &["Tls12", "Tls13"], "a version"),
            "the versions of TLS that are spoken",
        )
        .default_in_words("both"),
        boolean(
            "DangerousAcceptAnyServerCertificate",
            "false",
            "whatever certificate a server has, or none of its own, will do",
        ),
        text("ServerCertificateRoots", Kind::Path, "a file with the authorities of the servers")
            .default_in_words("those of the system"),
        CLIENT_CERTIFICATE,
        text(
            "MaxConnectionsPerServer",
            Kind::Number("connections", Range::From(1)),
            "how many there are to one server at most",
        )
        .default_in_words("no limit"),
        boolean(
            "EnableMultipleHttp2Connections",
            "true",
            "another HTTP/2 connection is made when one is full",
        ),
        WEB_PROXY,
        of_dotnet("RequestHeaderEncoding"),
        of_dotnet("ResponseHeaderEncoding"),
    ],
    "how connections are made",
);

const CLIENT_CERTIFICATE: Key = names(
    "ClientCertificate",
    Others::Nothing,
    &[
        text("Path", Kind::Path, "a file with the certificate that servers are shown"),
        text("KeyPath", Kind::Path, "a file with its key").default_in_words("`Path`"),
        text("Password", Kind::Text, "the password of the key").secret(),
    ],
    "the certificate that servers are shown",
);

const WEB_PROXY: Key = names(
    "WebProxy",
    Others::Nothing,
    &[
        text("Address", Kind::Text, "another proxy between, such as `http://proxy:3128`"),
        boolean("BypassOnLocal", "false", "ask hosts without a dot directly"),
        of_dotnet("UseDefaultCredentials"),
    ],
    "another proxy between",
);

const HTTP_REQUEST: Key = names(
    "HttpRequest",
    Others::Nothing,
    &[
        text("ActivityTimeout", Kind::Time(Range::Above(0)), "for how long nothing may happen")
            .default("00:01:40"),
        words("Version", &first(&VERSIONS), "the version of HTTP").default("2"),
        words(
            "VersionPolicy",
            &first(&VERSION_POLICIES),
            "whether it may be another one; in clear text 2 is spoken only if it may not be a lower one",
        )
        .default("RequestVersionOrLower"),
        boolean("AllowResponseBuffering", "false", "no effect: answers are never held back"),
    ],
    "how requests are sent",
);
