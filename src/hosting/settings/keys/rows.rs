//! The rows: one for each key, in the order of the tables in the documents.

use super::certificate::CERTIFICATE;
use super::child_process::ASPNETCORE;
use super::forwarded_headers::{FORWARDED_HEADERS, KNOWN_IP_NETWORKS, KNOWN_PROXIES};
use super::request_logs::{ACCESS_LOG, HTTP_LOGGING, W3C_LOGGING};
use super::reverse_proxy::REVERSE_PROXY;
use super::row::{
    Key, Kind, NotYet, Others, Part, Range, any, boolean, first, limit, list, names, of_dotnet,
    open, rate, text, text_or_list, time_limit, words,
};
use super::sites::SITES;
use super::stages::{
    ADDRESS_FILTER, BASIC_AUTHENTICATION, CORS, DEVELOPER_EXCEPTION_PAGE, EXCEPTION_HANDLER,
    HEADERS, HEALTH_CHECKS, HSTS, HTTPS_REDIRECTION, PATH_BASE, PROBLEM_DETAILS, RATE_LIMITER,
    REQUEST_DECOMPRESSION, REQUEST_TIMEOUTS, RESPONSE_COMPRESSION, REWRITE, STATUS_CODE_PAGES,
};
use super::static_files::{
    DEFAULT_FILES, DIRECTORY_BROWSER, NAVIGATION_FALLBACK, STATIC_FILES, WEB_ROOT,
};
use crate::features::HttpProtocols;
use crate::logging::{ColorBehavior, FormatterName, LogLevel, QueueFullMode};
use crate::tls::ClientCertificateMode;

/// The keys at the top. Some are .NET's and mean nothing here; they are no misspellings either.
pub(super) static ROOT: Key = names(
    "",
    Others::AnApps,
    &[
        text("urls", Kind::Separated("addresses"), "where to listen")
            .default("http://localhost:5000")
            .at_restart()
            .of_host()
            .also_called(&[
                (
                    Part::Whole,
                    &["server.urls", "server_urls", "server-urls", "server:urls", "u"],
                ),
                (
                    Part::Host,
                    &["host", "hostname", "bind", "bind-address", "address", "addr", "ip"],
                ),
                (Part::Port, &["port", "p", "http-port", "server.port"]),
            ]),
        text(
            "http_ports",
            Kind::Separated("ports"),
            "where to listen on all interfaces, if there are no `urls`",
        )
        .at_restart()
        .of_host(),
        text(
            "https_ports",
            Kind::Separated("ports"),
            "the same by https, with the certificate of `Kestrel:Certificates:Default`",
        )
        .at_restart()
        .of_host(),
        boolean("preferHostingUrls", "false", "let `urls` and ports win over endpoints")
            .at_restart()
            .of_host(),
        text(
            "environment",
            Kind::Text,
            "names `appsettings.{Environment}.json`; only from prefixed variables and the command line",
        )
        .default("Production")
        .of_host()
        .also_called(&[(Part::Whole, &["env", "e"])]),
        text(
            "contentRoot",
            Kind::Path,
            "the folder of the settings files; only from prefixed variables and the command line",
        )
        .default_in_words("the current directory")
        .of_host(),
        text(
            "applicationName",
            Kind::Text,
            "names the file of the development certificate; only from prefixed variables and the command line",
        )
        .default_in_words("the content root's name; of a program, its own")
        .of_host(),
        text("shutdownTimeoutSeconds", Kind::Number("seconds", Range::From(0)), "how long a stop may take")
            .default("30")
            .at_restart()
            .of_host(),
        HEALTH_CHECKS,
        text("AllowedHosts", Kind::Separated("hosts"), "the hosts that a request may name")
            .default("*")
            .at_once(),
        boolean(
            "ForwardedHeaders_Enabled",
            "false",
            "believe everybody who connects which client and scheme it stands for",
        )
        .at_once(),
        FORWARDED_HEADERS,
        DEVELOPER_EXCEPTION_PAGE,
        EXCEPTION_HANDLER,
        PROBLEM_DETAILS,
        STATUS_CODE_PAGES,
        ADDRESS_FILTER,
        BASIC_AUTHENTICATION,
        CORS,
        RESPONSE_COMPRESSION,
        REQUEST_DECOMPRESSION,
        ACCESS_LOG,
        HTTP_LOGGING,
        RATE_LIMITER,
        REQUEST_TIMEOUTS,
        W3C_LOGGING,
        PATH_BASE,
        HEADERS,
        HSTS,
        HTTPS_REDIRECTION,
        REWRITE,
        text(
            "https_port",
            Kind::Text,
            "the port that `HttpsRedirection` sends requests to, if its section does not say it",
        )
        .default_in_words("`ANCM_HTTPS_PORT`, else the port of an endpoint")
        .at_once()
        .of_host(),
        of_dotnet("ANCM_HTTPS_PORT"),
        text("UserSecretsId", Kind::Text, "the folder of the user secrets, which Development reads"),
        REVERSE_PROXY,
        ASPNETCORE,
        KESTREL,
        WEB_ROOT.at_once().of_host(),
        STATIC_FILES,
        DEFAULT_FILES,
        DIRECTORY_BROWSER,
        NAVIGATION_FALLBACK,
        SITES,
        LOGGING,
        names(
            "hostBuilder",
            Others::AnApps,
            &[boolean("reloadConfigOnChange", "true", "watch files, and reload what changes").at_restart()],
            "the host's own making",
        ),
        open("ConnectionStrings", "an app's databases").secret(),
        of_dotnet("captureStartupErrors"),
        of_dotnet("detailedErrors"),
        of_dotnet("suppressStatusMessages"),
        of_dotnet("startupAssembly"),
        of_dotnet("hostingStartupAssemblies"),
        of_dotnet("hostingStartupExcludeAssemblies"),
        of_dotnet("preventHostingStartup"),
        of_dotnet("staticWebAssets"),
        of_dotnet("servicesStartConcurrently"),
        of_dotnet("servicesStopConcurrently"),
    ],
    "",
);

const KESTREL: Key = names(
    "Kestrel",
    Others::Nothing,
    &[
        ENDPOINTS,
        names(
            "EndpointDefaults",
            Others::Nothing,
            &[PROTOCOLS, SSL_PROTOCOLS, CLIENT_CERTIFICATE_MODE, CLIENT_CERTIFICATE_ROOTS],
            "what counts for endpoints that do not say it",
        )
        .with_endpoints(),
        names(
            "Certificates",
            Others::Nothing,
            &[
                names(
                    "Default",
                    Others::Nothing,
                    CERTIFICATE,
                    "the certificate of https addresses that have none",
                ),
                names(
                    "Development",
                    Others::Nothing,
                    &[
                        of_dotnet("Path"),
                        of_dotnet("KeyPath"),
                        text(
                            "Password",
                            Kind::Text,
                            "of the file `~/.aspnet/https/{application name}.pfx`, which is looked for if this is set",
                        )
                        .secret(),
                        of_dotnet("Subject"),
                        of_dotnet("Store"),
                        of_dotnet("Location"),
                        of_dotnet("AllowInvalid"),
                    ],
                    "the certificate of development, without a `Default`",
                ),
            ],
            "certificates for all endpoints",
        )
        .with_endpoints(),
        LIMITS,
        boolean("AddServerHeader", "true", "send `Server: Kestrel`"),
        boolean(
            "AllowAlternateSchemes",
            "false",
            "serve an HTTP/2 request that names another scheme than its connection has",
        ),
        boolean(
            "AllowHostHeaderOverride",
            "false",
            "serve a request whose target names another host than its `Host` header",
        ),
        boolean(
            "AllowResponseHeaderCompression",
            "true",
            "HTTP/2 answers may use the client's compression table",
        ),
        boolean("DisableHttp1LineFeedTerminators", "false", "HTTP/1 lines have to end with CR LF"),
        of_dotnet("AllowSynchronousIO"),
        of_dotnet("DisableStringReuse"),
    ],
    "the server",
)
.for_new_connections();

const ENDPOINTS: Key =
    any("Endpoints", "Http", &ENDPOINT, "where to listen, each with settings of its own")
        .with_endpoints();

static ENDPOINT: Key = names(
    "{Name}",
    Others::Nothing,
    &[
        text("Url", Kind::Text, "the one address where it listens; every endpoint has to have it")
            .also_called(&[(
                Part::Whole,
                &["Uri", "Urls", "Uris", "Address", "Addresses", "Addr", "Host", "Listen", "Bind"],
            )]),
        PROTOCOLS,
        SSL_PROTOCOLS,
        CLIENT_CERTIFICATE_MODE,
        CLIENT_CERTIFICATE_ROOTS,
        names("Certificate", Others::Nothing, CERTIFICATE, "the certificate that it serves"),
        any("Sni", "www.example.com", &SNI, "what differs for clients that ask for this name"),
        names(
            "UnixSocket",
            Others::Nothing,
            &[
                text(
                    "Mode",
                    Kind::Text,
                    "the mode of a Unix socket's file, in octal digits: who may connect",
                )
                .default_in_words("as the umask leaves it"),
                text("Owner", Kind::Text, "its user, by name or number")
                    .default_in_words("that of the process"),
                text("Group", Kind::Text, "its group, by name or number")
                    .default_in_words("that of the process, or of the folder with setgid"),
            ],
            "who may connect to a Unix socket",
        ),
        boolean(
            "ProxyProtocol",
            "false",
            "each connection begins with a header of the PROXY protocol, version 1 or 2, that says who the client is",
        ),
        KNOWN_PROXIES,
        KNOWN_IP_NETWORKS,
    ],
    "an endpoint",
);

static SNI: Key = names(
    "{Host}",
    Others::Nothing,
    &[
        CLIENT_CERTIFICATE_ROOTS.default_in_words(AS_THE_ENDPOINT),
        names("Certificate", Others::Nothing, CERTIFICATE, "the certificate for this name"),
        PROTOCOLS.default_in_words(AS_THE_ENDPOINT),
        SSL_PROTOCOLS.default_in_words(AS_THE_ENDPOINT),
        CLIENT_CERTIFICATE_MODE.default_in_words(AS_THE_ENDPOINT),
    ],
    "a host",
);
const AS_THE_ENDPOINT: &str = "as of the endpoint";

const PROTOCOLS: Key = words(
    "Protocols",
    &HttpProtocols::SPOKEN,
    "the versions of HTTP, told to clients of https by ALPN; `None` closes every connection",
)
.default("Http1AndHttp2");

const SSL_PROTOCOLS: Key =
    list("SslProtocols", &TLS_VERSION, "the versions of TLS. Older ones are not spoken (RFC 8996)")
        .default_in_words("both");
static TLS_VERSION: Key = words("{Number}", &["Tls12", "Tls13"], "a version of TLS");

const CLIENT_CERTIFICATE_MODE: Key = words(
    "ClientCertificateMode",
    &first(&ClientCertificateMode::NAMES),
    "`AllowCertificate` asks clients for one; `RequireCertificate` refuses those without. A certificate \
     that does not lead to a trusted root is refused by both. `DelayCertificate` cannot be had: it never \
     asks, and a warning says so",
)
.default("NoCertificate");

const CLIENT_CERTIFICATE_ROOTS: Key = text_or_list(
    "ClientCertificateRoots",
    Kind::Path,
    "whose certificates of clients are taken: a file of roots in PEM form, a folder of such files, or a \
     list of both, in the place of all that this machine trusts",
)
.default_in_words("what the machine trusts");

const LIMITS: Key = names(
    "Limits",
    Others::Nothing,
    &[
        limit(
            "MaxConcurrentConnections",
            "connections",
            "open connections of each socket; `localhost` has two",
        ),
        limit(
            "MaxConcurrentUpgradedConnections",
            "connections",
            "upgraded connections (WebSockets) of the server",
        ),
        limit("MaxRequestBodySize", "bytes", "a request's body"),
        names("MinRequestBodyDataRate", Others::Nothing, BODY_RATE, "the slowest a body may come"),
        names(
            "MinResponseDataRate",
            Others::Nothing,
            ANSWER_RATE,
            "the slowest an answer may be taken",
        ),
        time_limit("KeepAliveTimeout", "wait for a request"),
        time_limit(
            "RequestHeadersTimeout",
            "from a request's first byte to the end of its headers",
        ),
        limit("MaxRequestLineSize", "bytes", "the request line"),
        limit("MaxRequestHeadersTotalSize", "bytes", "all headers of a request"),
        limit(
            "MaxRequestHeaderCount",
            "lines",
            "headers of a request; its cookies are one on HTTP/2",
        ),
        limit(
            "MaxRequestBufferSize",
            "bytes",
            "what is read ahead of the app; it has to hold the request line, and the headers",
        ),
        limit("MaxResponseBufferSize", "bytes", "what may wait to be sent"),
        names(
            "Http2",
            Others::Nothing,
            &[
                limit(
                    "Http2:MaxStreamsPerConnection",
                    "requests",
                    "requests of a connection at once",
                ),
                limit("Http2:HeaderTableSize", "bytes", "table that compresses headers"),
                limit("Http2:MaxFrameSize", "bytes", "the largest frame"),
                limit("Http2:MaxRequestHeaderFieldSize", "bytes", "a header's name or value"),
                limit(
                    "Http2:InitialConnectionWindowSize",
                    "bytes",
                    "bodies on their way, of a connection",
                ),
                limit("Http2:InitialStreamWindowSize", "bytes", "the same, of a request"),
                time_limit(
                    "Http2:KeepAlivePingDelay",
                    "silence before the client is asked for a sign of life",
                ),
                time_limit("Http2:KeepAlivePingTimeout", "how long it has to give one"),
            ],
            "of HTTP/2",
        ),
        open("Http3", "of HTTP/3").not_yet(NotYet {
            harmless: &[],
            without: "HTTP/3 is not spoken",
            fix: "remove it",
        }),
    ],
    "limits of connections and requests",
);

const BODY_RATE: &[Key] = &[rate("the slowest a body may come"), GRACE_PERIOD];
const ANSWER_RATE: &[Key] = &[rate("the slowest an answer may be taken"), GRACE_PERIOD];
const GRACE_PERIOD: Key =
    text("GracePeriod", Kind::Time(Range::Above(1)), "how long it may be slower")
        .default("00:00:05");

const LOGGING: Key = names(
    "Logging",
    Others::Like(&PROVIDER),
    &[
        LEVELS.also_called(&[(Part::Whole, &["log-level", "loglevel", "log_level"])]),
        names(
            "Console",
            Others::Nothing,
            &[
                LEVELS,
                words("FormatterName", &first(&FormatterName::NAMES), "how a line looks")
                    .default("simple"),
                names("FormatterOptions", Others::AnApps, FORMATTER_OPTIONS, "of the formatter"),
                words(
                    "LogToStandardErrorThreshold",
                    &LogLevel::NAMES,
                    "lines from this level on go to standard error",
                )
                .default("None"),
                text(
                    "MaxQueueLength",
                    Kind::Number("lines", Range::From(1)),
                    "how many may wait to be written",
                )
                .default("2500"),
                words(
                    "QueueFullMode",
                    &first(&QueueFullMode::NAMES),
                    "what a line does while that many wait",
                )
                .default_in_words("wait for a second in all, then be dropped"),
                boolean("IncludeScopes", "false", OF_NET_5),
                text("TimestampFormat", Kind::Text, OF_NET_5),
                boolean("UseUtcTimestamp", "false", OF_NET_5),
                boolean(
                    "DisableColors",
                    "false",
                    "`ColorBehavior` is `Disabled`, as it was set until .NET 5",
                ),
                words(
                    "Format",
                    &["Default", "Systemd"],
                    "`FormatterName`, as it was set until .NET 5",
                )
                .default("Default"),
            ],
            "the log on standard output",
        )
        .at_restart(),
        names(
            "Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider",
            Others::AnApps,
            &[LEVELS],
            "`Console` by its type, which only counts for levels",
        ),
        boolean("CaptureScopes", "true", "whether any log is given the scopes").at_restart(),
        of_others("Debug"),
        of_others("EventSource"),
        of_others("EventLog"),
    ],
    "the log",
);

const OF_NET_5: &str = "as in `FormatterOptions`, which win; set here until .NET 5";

const FORMATTER_OPTIONS: &[Key] = &[
    boolean(
        "IncludeScopes",
        "false",
        "write connection, request and the app's own spans beside an event",
    ),
    text(
        "TimestampFormat",
        Kind::Text,
        "a format of .NET's for the time in front, such as `HH:mm:ss `",
    ),
    boolean("UseUtcTimestamp", "false", "the time in UTC, not of the local zone"),
    boolean("SingleLine", "false", "one line for each event; of `simple`"),
    words(
        "ColorBehavior",
        &first(&ColorBehavior::NAMES),
        "whether levels are coloured, `Default` on a terminal; of `simple`",
    )
    .default("Default"),
    names(
        "JsonWriterOptions",
        Others::AnApps,
        &[boolean("Indented", "false", "spread an object over several lines; of `json`")],
        "of `json`",
    ),
];

/// By category. One with dots is one name, and so is the path of a module.
const LEVELS: Key =
    any("LogLevel", "Default", &LEVEL, "from which level on a category is written").at_once();
static LEVEL: Key = words(
    "{Category}",
    &LogLevel::NAMES,
    "the level from which on its events are written; the longest category that fits an event counts, and `Default` for all others",
)
.default_in_words("`Information`; of the crates inside (`hyper`, `rustls`, …) `Warning`, of `h2` `Error`");

/// A log provider that is not ours.
static PROVIDER: Key = of_others("{Provider}");

const fn of_others(name: &'static str) -> Key {
    names(name, Others::AnApps, LEVELS_OF_OTHERS, "a log that is not written here")
}
const LEVELS_OF_OTHERS: &[Key] = &[LEVELS_OF_ANOTHER];
const LEVELS_OF_ANOTHER: Key = any("LogLevel", "Default", &LEVEL_OF_ANOTHER, "its levels");
static LEVEL_OF_ANOTHER: Key = of_dotnet("{Category}");
