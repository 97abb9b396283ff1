//! The rows of the stages that requests go through.

use super::row::{
    Key, Kind, Others, Range, any, boolean, first, list, names, text, text_or_list, words,
};
use crate::hosting::settings::answer_headers::Preset;
use crate::hosting::settings::https_redirection::STATUSES;
use crate::hosting::settings::rate_limiter::{LIMITERS, PARTITION_BY as PARTITIONS_BY};
use crate::hosting::settings::rewrite::STATUSES as OF_RULES;
use crate::middleware::{Change, Coding, Encoding, Level, QueueOrder};

pub(super) const HEALTH_CHECKS: Key = names(
    "HealthChecks",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "tell at two paths whether the host is alive, and ready"),
        text("LivePath", Kind::Text, "where the answer is `Healthy` as long as the process answers")
            .default("/healthz/live"),
        text(
            "ReadyPath",
            Kind::Text,
            "where the answer is `Unhealthy`, with 503, from the moment in which a stop is asked for",
        )
        .default("/healthz/ready"),
        text(
            "StopDelay",
            Kind::Time(Range::From(0)),
            "for how long the host serves on then, before its stop begins; half of `shutdownTimeoutSeconds` at most",
        )
        .default("00:00:00"),
    ],
    "tell load balancers how the host does",
)
.at_once();

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

pub(super) const DEVELOPER_EXCEPTION_PAGE: Key = names(
    "DeveloperExceptionPage",
    Others::Nothing,
    &[boolean(
        "Enabled",
        "false",
        "show whoever makes the app fail what it failed with, and the request; in `Development` it is on by itself",
    )],
    "the page for developers",
)
.at_once();

pub(super) const EXCEPTION_HANDLER: Key = names(
    "ExceptionHandler",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "answer in the place of an app that has failed"),
        text("Path", Kind::Text, "the path of a page of the app's, which is asked then")
            .default_in_words("a problem (`ProblemDetails`)"),
    ],
    "what a client gets when the app fails",
)
.at_once();

pub(super) const PROBLEM_DETAILS: Key = names(
    "ProblemDetails",
    Others::Nothing,
    &[boolean(
        "Enabled",
        "false",
        "tell clients that take JSON of failures and statuses as problems (RFC 9457)",
    )],
    "problems in JSON",
)
.at_once();

pub(super) const STATUS_CODE_PAGES: Key = names(
    "StatusCodePages",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "give answers of 400 to 599 a body that have none"),
        text("Format", Kind::Text, "a text, with `{0}` for the status")
            .default_in_words("the status in words"),
        text("Redirect", Kind::Text, "where the client is sent instead; `~` is the path base"),
        text("ReExecute", Kind::Text, "a path of the app's that is asked for the body"),
    ],
    "pages for statuses",
)
.at_once();

pub(super) const CORS: Key = names(
    "Cors",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "say in answers whose pages may read them"),
        text("DefaultPolicyName", Kind::Text, "the policy that counts").default("default"),
        CORS_POLICIES,
    ],
    "let pages of other origins read answers",
)
.at_once();

const CORS_POLICIES: Key = any("Policies", "default", &CORS_POLICY, "policies, each with a name");

static CORS_POLICY: Key = names(
    "{Policy}",
    Others::Nothing,
    &[
        list(
            "Origins",
            &text("{Number}", Kind::Text, "an origin, such as `https://www.example.com`"),
            "whose pages may read answers; `*` for all",
        ),
        list(
            "Methods",
            &text("{Number}", Kind::Text, "a method"),
            "the methods that they may use beside GET, HEAD and POST; `*` for any",
        ),
        list(
            "Headers",
            &text("{Number}", Kind::Text, "a header of requests"),
            "the headers that they may send beside the usual ones; `*` for any",
        ),
        list(
            "ExposedHeaders",
            &text("{Number}", Kind::Text, "a header of answers"),
            "the headers of answers that they may read beside the usual ones",
        ),
        boolean("SupportsCredentials", "false", "requests may come with cookies and the like"),
        text("PreflightMaxAge", Kind::Time(Range::From(0)), "how long a browser may remember that")
            .default_in_words("for the browser to say"),
        boolean(
            "AllowWildcardSubdomains",
            "false",
            "`https://*.example.com` is whatever is below that host",
        ),
    ],
    "a policy",
);

pub(super) const ADDRESS_FILTER: Key = names(
    "AddressFilter",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "let requests pass by the address of the client"),
        list(
            "Allow",
            &text("{Number}", Kind::Text, "an address, or a network such as `10.0.0.0/8`"),
            "whose pass: addresses, and networks such as `10.0.0.0/8`",
        )
        .default_in_words("all"),
        list(
            "Deny",
            &text("{Number}", Kind::Text, "an address, or a network such as `10.0.0.0/8`"),
            "whose do not, whatever `Allow` has",
        ),
    ],
    "let clients in by their addresses",
)
.at_once();

pub(super) const BASIC_AUTHENTICATION: Key = names(
    "BasicAuthentication",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "let nobody in without a user's name and password"),
        text("Realm", Kind::Text, "what browsers show when they ask for them")
            .default("restricted"),
        PASSWORDS,
        text(
            "File",
            Kind::Path,
            "a file of users with hashes of their passwords, as `htpasswd -B` writes it",
        ),
    ],
    "ask for a user and a password",
)
.at_once();

const PASSWORDS: Key = any("Passwords", "alice", &PASSWORD, "who may come in").secret();
static PASSWORD: Key =
    text("{User}", Kind::Text, "that user's password, or what `openssl passwd -6` makes of it")
        .secret();

static PATH: Key = text("{Number}", Kind::Text, "a path, such as `/api`");

/// The paths of a policy.
const PATHS: Key = list(
    "Paths",
    &PATH,
    "what the paths of its requests begin with, in whole segments; the longest one wins",
);

pub(super) const RATE_LIMITER: Key = names(
    "RateLimiter",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "turn away requests beyond a limit"),
        text("RejectionStatusCode", Kind::ErrorStatus, "the status of their answers; 429 says it best")
            .default("503"),
        text(
            "MaxPartitions",
            Kind::Number("partitions", Range::From(1)),
            "how many partitions of each limiter are remembered, about; the one that was not used for longest is forgotten first",
        )
        .default("10000"),
        GLOBAL_LIMITER,
        LIMITER_POLICIES,
    ],
    "limit how many requests pass",
)
.at_once();

const GLOBAL_LIMITER: Key = names(
    "GlobalLimiter",
    Others::Nothing,
    &[
        LIMITER,
        PARTITION_BY,
        HEADER_NAME,
        PERMIT_LIMIT,
        WINDOW,
        SEGMENTS_PER_WINDOW,
        TOKEN_LIMIT,
        TOKENS_PER_PERIOD,
        REPLENISHMENT_PERIOD,
        QUEUE_LIMIT,
        QUEUE_ORDER,
    ],
    "a limiter of every request, which is asked first",
);

const LIMITER_POLICIES: Key =
    any("Policies", "api", &LIMITER_POLICY, "limiters for paths, each with a name");

static LIMITER_POLICY: Key = names(
    "{Policy}",
    Others::Nothing,
    &[
        PATHS,
        LIMITER,
        PARTITION_BY,
        HEADER_NAME,
        PERMIT_LIMIT,
        WINDOW,
        SEGMENTS_PER_WINDOW,
        TOKEN_LIMIT,
        TOKENS_PER_PERIOD,
        REPLENISHMENT_PERIOD,
        QUEUE_LIMIT,
        QUEUE_ORDER,
    ],
    "a policy",
);

const LIMITER: Key =
    words("Limiter", &first(&LIMITERS), "how requests are counted").default("FixedWindow");
const PARTITION_BY: Key =
    words("PartitionBy", &PARTITIONS_BY, "who has a limit of its own; `None` is one limit for all")
        .default("ClientAddress");
const HEADER_NAME: Key =
    text("HeaderName", Kind::Text, "the header of `PartitionBy` `Header`, such as `X-Api-Key`");
const PERMIT_LIMIT: Key = text(
    "PermitLimit",
    Kind::Number("requests", Range::From(1)),
    "how many pass in a window; of `Concurrency`, at the same time",
);
const WINDOW: Key = text(
    "Window",
    Kind::Time(Range::Above(0)),
    "how long a window of `FixedWindow` or `SlidingWindow` is",
);
const SEGMENTS_PER_WINDOW: Key = text(
    "SegmentsPerWindow",
    Kind::Number("segments", Range::From(1)),
    "by how many segments a window of `SlidingWindow` moves on, 100 at most",
);
const TOKEN_LIMIT: Key = text(
    "TokenLimit",
    Kind::Number("requests", Range::From(1)),
    "how many pass at once of a `TokenBucket` that is full",
);
const TOKENS_PER_PERIOD: Key = text(
    "TokensPerPeriod",
    Kind::Number("requests", Range::From(1)),
    "how many more may pass of a `TokenBucket` after each period",
);
const REPLENISHMENT_PERIOD: Key =
    text("ReplenishmentPeriod", Kind::Time(Range::Above(0)), "how long that is");
const QUEUE_LIMIT: Key = text(
    "QueueLimit",
    Kind::Number("requests", Range::From(0)),
    "how many of each partition wait for their turn, in the place of being turned away",
)
.default("0");
const QUEUE_ORDER: Key = words(
    "QueueProcessingOrder",
    &first(&QueueOrder::NAMES),
    "whose turn it is; with `NewestFirst` the oldest gives up its place if there is none left",
)
.default("OldestFirst");

pub(super) const REQUEST_TIMEOUTS: Key = names(
    "RequestTimeouts",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "give up an app that takes too long to begin its answer"),
        text(
            "DefaultTimeout",
            Kind::Time(Range::Above(0)),
            "how long it may take where no policy counts; short for `DefaultPolicy:Timeout`",
        )
        .default_in_words("no limit"),
        DEFAULT_TIMEOUT_POLICY,
        TIMEOUT_POLICIES,
    ],
    "limit how long answers may take to begin",
)
.at_once();

const DEFAULT_TIMEOUT_POLICY: Key = names(
    "DefaultPolicy",
    Others::Nothing,
    &[
        text("Timeout", Kind::Time(Range::Above(0)), "the same, as ASP.NET Core names it")
            .default_in_words("no limit"),
        TIMEOUT_STATUS,
    ],
    "what counts where no policy does",
);

const TIMEOUT_POLICIES: Key =
    any("Policies", "slow", &TIMEOUT_POLICY, "policies for paths, each with a name");

static TIMEOUT_POLICY: Key = names(
    "{Policy}",
    Others::Nothing,
    &[
        PATHS,
        text(
            "Timeout",
            Kind::Time(Range::Above(0)),
            "how long it may take; it has to be there: `-00:00:00.0010000`, or null in a file, is no limit",
        ),
        TIMEOUT_STATUS,
    ],
    "a policy",
);

const TIMEOUT_STATUS: Key =
    text("TimeoutStatusCode", Kind::ErrorStatus, "the status of the answer in its place")
        .default("504");

pub(super) const RESPONSE_COMPRESSION: Key = names(
    "ResponseCompression",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "compress answers whose client takes that"),
        boolean("EnableForHttps", "false", "by https as well"),
        PROVIDERS,
        list(
            "MimeTypes",
            &text("{Number}", Kind::Text, "a type, such as `text/css` or `text/*`"),
            "the types of answers that are compressed",
        )
        .default_in_words("plain text, HTML, CSS, JavaScript, JSON, XML and WebAssembly"),
        list(
            "ExcludedMimeTypes",
            &text("{Number}", Kind::Text, "a type that is not compressed"),
            "the types that are not; what names a type most closely counts",
        ),
        words("Level", &first(&Level::NAMES), "how much time is taken for how much less to send")
            .default("Fastest"),
    ],
    "compress answers",
)
.at_once();

const PROVIDERS: Key = list("Providers", &PROVIDER, "the encodings, the preferred one first")
    .default_in_words("`br`, `gzip`, `zstd`");
static PROVIDER: Key = words("{Number}", &first(&Encoding::NAMES), "an encoding");

pub(super) const REQUEST_DECOMPRESSION: Key = names(
    "RequestDecompression",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "give the app bodies as they were before they were compressed"),
        CODINGS,
    ],
    "decompress bodies of requests",
)
.at_once();

const CODINGS: Key = list("Providers", &CODING, "the codings that are undone")
    .default_in_words("`br`, `deflate`, `gzip`, `zstd`");
static CODING: Key = words("{Number}", &first(&Coding::NAMES), "a coding");

pub(super) const HEADERS: Key = names(
    "Headers",
    Others::Nothing,
    &[
        boolean("Enabled", "false", "change the headers of every answer"),
        words(
            "Preset",
            &first(&Preset::NAMES),
            "`Site` sets what does any site good: `X-Content-Type-Options`, `Referrer-Policy` and `X-Frame-Options`, where the answer has none",
        )
        .default("None"),
        text(
            "ContentSecurityPolicy",
            Kind::Text,
            "what pages may load and do, such as `default-src 'self'`, where the answer does not say it",
        ),
        any(
            "Set",
            "X-Robots-Tag",
            &text_or_list("{Header}", Kind::Text, "its value, or a list of them, each sent in a line of its own"),
            "headers that take the place of those in the answer",
        ),
        any(
            "Append",
            "Link",
            &text_or_list("{Header}", Kind::Text, "its value, or a list of them, each sent in a line of its own"),
            "headers that come beside those in the answer",
        ),
        list("Remove", &text("{Number}", Kind::Text, "a header"), "headers that go, before others come"),
    ],
    "headers of answers",
)
.at_once();

pub(super) const REWRITE: Key = names(
    "Rewrite",
    Others::Nothing,
    &[boolean("Enabled", "false", "go through the rules for each request"), RULES],
    "send requests elsewhere by rules",
)
.at_once();

const RULES: Key = any("Rules", "0", &RULE, "the rules, in the order of their numbers");

static RULE: Key = names(
    "{Number}",
    Others::Nothing,
    &[
        text("Path", Kind::Text, "the path that it is for"),
        text(
            "Prefix",
            Kind::Text,
            "in its place: that path and all below it; `$1` is what is below",
        ),
        text(
            "Pattern",
            Kind::Text,
            "in its place: the paths that are like this regular expression; `$1` is its first group",
        ),
        list(
            "Hosts",
            &text("{Number}", Kind::Text, "a host without a port"),
            "the hosts that it is for",
        )
        .default_in_words("all"),
        text(
            "Redirect",
            Kind::Text,
            "where the client is sent: a path, or a URL; `$0` is the whole path",
        ),
        text("Rewrite", Kind::Text, "in its place: the path that is asked for instead"),
        words(
            "Www",
            &first(&Change::NAMES),
            "in its place: send clients to the same host with, or without, `www.`",
        ),
        words(
            "TrailingSlash",
            &first(&Change::NAMES),
            "in its place: send clients to the same path with, or without, a slash at its end",
        ),
        boolean("Https", "false", "in its place: send clients in clear text to https"),
        words("StatusCode", &OF_RULES, "the status that a client is sent elsewhere with")
            .default("307"),
        boolean("SkipRemainingRules", "false", "no rule behind it sees what it has rewritten"),
    ],
    "a rule",
);
