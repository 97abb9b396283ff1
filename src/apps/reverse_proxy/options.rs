//! What the proxy is told: routes and clusters, as plain data.
//!
//! Two readings of the same configuration are equal, so that a reload can see what it changes. Where
//! a value was set is not in here: who reads it tells what is wrong with it.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, Method};

use super::template::Template;
use super::transform_options::Transforms;
use crate::features::RoutePolicy;

/// All of the section `ReverseProxy`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ProxyOptions {
    /// In the order in which they are written.
    pub(crate) routes: Vec<RouteOptions>,
    /// In the order in which they are written.
    pub(crate) clusters: Vec<ClusterOptions>,
    /// Whether nothing answers what no route takes: then it is not found.
    pub(crate) is_last: bool,
    /// Whether answers say that they are meant as they are: before, there are pages for what is not found.
    pub(crate) marks_answers: bool,
    /// Whether clients are told why there is no answer: in Development.
    pub(crate) shows_details: bool,
}

/// Which requests go where, and what is changed on the way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RouteOptions {
    /// Its name.
    pub(crate) id: String,
    /// Of routes that match the one with the lowest number counts, whatever else they say. Default: 0.
    pub(crate) order: i32,
    /// Where requests go: a place in [`ProxyOptions::clusters`]. `None` if the cluster is not there, or none is
    /// named: they are answered with 503.
    pub(crate) cluster: Option<usize>,
    /// Which requests it is for.
    pub(crate) matching: RouteMatch,
    /// How long an answer may take, all in all. `None`: as long as it takes.
    pub(crate) timeout: Option<Duration>,
    /// What becomes of the time that `RequestTimeouts` sets.
    pub(crate) timeout_policy: Option<RoutePolicy>,
    /// What becomes of the limits that `RateLimiter` sets.
    pub(crate) rate_limiter_policy: Option<RoutePolicy>,
    /// What pages of other origins may do.
    pub(crate) cors_policy: Option<RoutePolicy>,
    /// How large a request's body may be. `None`: as the server says.
    pub(crate) max_request_body_size: Option<BodyLimit>,
    /// What else is said of it, for policies of any kind.
    pub(crate) metadata: Metadata,
    /// What is changed on the way.
    pub(crate) transforms: Transforms,
}

/// How large a request's body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLimit {
    /// So many bytes.
    Bytes(u64),
    /// As large as it is.
    Unlimited,
}

/// Which requests a route is for: all that is said has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RouteMatch {
    /// `None`: every path.
    pub(crate) path: Option<Template>,
    /// Empty: every host, even none.
    pub(crate) hosts: Vec<HostPattern>,
    /// Empty: every method. Always in capitals.
    pub(crate) methods: Vec<Method>,
    /// All of them have to hold.
    pub(crate) headers: Vec<HeaderCondition>,
    /// All of them have to hold.
    pub(crate) query: Vec<QueryCondition>,
}

/// Hosts that a route is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HostPattern {
    pub(crate) name: HostName,
    /// `None`: any port.
    pub(crate) port: Option<u16>,
}

/// Names of hosts, in ASCII and small letters; IPv6 addresses in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostName {
    /// `*`: any, even none.
    Any,
    /// One.
    Exactly(Box<str>),
    /// What ends with a dot and this: `a.test` of `*.a.test`.
    Below(Box<str>),
}

/// What has to hold of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderCondition {
    pub(crate) name: HeaderName,
    pub(crate) mode: HeaderMode,
    /// Any of them will do. Empty exactly if the mode looks at no value.
    pub(crate) values: Vec<String>,
    /// Whether letters have to be of the same case. Default: no.
    pub(crate) is_case_sensitive: bool,
}

/// How a header is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderMode {
    /// A value of the header is one of those.
    Exact,
    /// A value of the header begins with one of those.
    Prefix,
    /// The header's text has one of those in it.
    Contains,
    /// The header's text has none of those in it; or it is not there.
    NotContains,
    /// It is there, and not empty.
    Exists,
    /// It is not there.
    NotExists,
}

/// What has to hold of a parameter of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryCondition {
    /// Compared without case.
    pub(crate) name: String,
    pub(crate) mode: QueryMode,
    /// Any of them will do. Empty exactly if the mode looks at no value.
    pub(crate) values: Vec<String>,
    /// Whether letters of values have to be of the same case. Default: no.
    pub(crate) is_case_sensitive: bool,
}

/// How a parameter of the query is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryMode {
    Exact,
    Prefix,
    Contains,
    NotContains,
    /// It is there, and has a value.
    Exists,
}

/// Names and values that are for whoever knows them. Names are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata(pub(crate) Vec<(String, String)>);

impl Metadata {
    /// What stands under `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Servers that do the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClusterOptions {
    /// Its name.
    pub(crate) id: String,
    /// In the order in which they are written.
    pub(crate) destinations: Vec<DestinationOptions>,
    /// Which of them gets a request. Default: the less busy of two.
    pub(crate) load_balancing: LoadBalancing,
    /// How long one that comes, or comes back, takes until it gets its whole share. `None`: it has it at once.
    /// (The metadata `SlowStart`.)
    pub(crate) slow_start: Option<Duration>,
    /// Whether a request that may be repeated, and has no body, goes to another one, once, if it could not be sent.
    /// (The metadata `Retry`.)
    pub(crate) retry: bool,
    /// Whether a client stays with one of them. `None`: it does not.
    pub(crate) affinity: Option<AffinityOptions>,
    /// Which of them may get requests. Default: those that are healthy, all if none is.
    pub(crate) available: AvailableDestinations,
    /// Whether they are asked how they do. `None`: they are not.
    pub(crate) active_check: Option<ActiveCheckOptions>,
    /// Whether it is watched how they do. `None`: it is not.
    pub(crate) passive_check: Option<PassiveCheckOptions>,
    /// How connections to them are made: another value means new ones.
    pub(crate) client: ClientOptions,
    /// How requests to them are sent.
    pub(crate) request: RequestOptions,
    /// What else is said of it, such as the threshold of a health policy.
    pub(crate) metadata: Metadata,
}

/// One of the servers of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DestinationOptions {
    /// Its name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) address: DestinationAddress,
    /// Where it is asked for its health, if elsewhere.
    pub(crate) health: Option<DestinationAddress>,
    /// The host that requests name, and TLS. `None`: that of its address.
    pub(crate) host: Option<String>,
    /// What else is said of it.
    pub(crate) metadata: Metadata,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DestinationAddress {
    pub(crate) scheme: Scheme,
    pub(crate) place: Place,
    /// What requests name as their host: with its port where that is not the usual one of the scheme, IPv6 in
    /// brackets, names in ASCII and small letters; `localhost` for a Unix socket.
    pub(crate) authority: String,
    /// What stands before the path of every request: empty, or with a slash before it and none behind, percent-encoded.
    pub(crate) base_path: String,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// What is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A name or an IP address (IPv6 without brackets), and a port.
    Tcp(String, u16),
    /// A file.
    Unix(PathBuf),
}

/// Which destination gets a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LoadBalancing {
    /// Of two by chance the one with fewer requests under way.
    #[default]
    PowerOfTwoChoices,
    /// The first by name.
    FirstAlphabetical,
    Random,
    RoundRobin,
    /// The one with the fewest requests under way.
    LeastRequests,
}

/// Which destinations may get requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AvailableDestinations {
    /// Those that are healthy, or of which nothing is known; if there is none, all.
    #[default]
    HealthyOrPanic,
    /// Those that are healthy, or of which nothing is known.
    HealthyAndUnknown,
}

/// How a client stays with a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AffinityOptions {
    pub(crate) policy: AffinityPolicy,
    pub(crate) failure: AffinityFailure,
    /// The name of the cookie, or of the header.
    pub(crate) key_name: String,
    pub(crate) cookie: AffinityCookie,
    /// What encrypts, where the policy does: shared by machines that have the same. `None`: one of this process.
    pub(crate) key: Option<AffinityKey>,
}

/// What a client shows to stay with a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AffinityPolicy {
    HashCookie,
    ArrCookie,
    /// Encrypted.
    Cookie,
    /// Encrypted.
    CustomHeader,
}

/// What becomes of a request whose destination is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AffinityFailure {
    /// It gets another.
    Redistribute,
    /// It is answered with 503.
    Return503Error,
}

/// The key of an encrypted cookie or header.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum AffinityKey {
    /// As it is written.
    Text(String),
    /// In this file.
    File(PathBuf),
}

impl std::fmt::Debug for AffinityKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("(hidden)"),
            Self::File(path) => write!(formatter, "File({path:?})"),
        }
    }
}

/// What is said of the cookie beside its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AffinityCookie {
    /// Default: `/`.
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    /// Default: yes.
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    pub(crate) secure: SecurePolicy,
    pub(crate) max_age: Option<Duration>,
    /// How long after the answer it expires.
    pub(crate) expiration: Option<Duration>,
}

impl Default for AffinityCookie {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            domain: None,
            http_only: true,
            same_site: SameSite::Unspecified,
            secure: SecurePolicy::None,
            max_age: None,
            expiration: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SameSite {
    /// Nothing is said.
    Unspecified,
    None,
    Lax,
    Strict,
}

/// Whether the cookie is for https only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecurePolicy {
    /// If the request came so.
    SameAsRequest,
    Always,
    None,
}

/// How destinations are asked how they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActiveCheckOptions {
    /// Default: 15 seconds.
    pub(crate) interval: Duration,
    /// Default: 10 seconds.
    pub(crate) timeout: Duration,
    /// So many failures in a row make one unhealthy. Default: 2. (`ConsecutiveFailuresHealthPolicy.Threshold`.)
    pub(crate) threshold: u32,
    /// Behind the base path of the address, with its slash; or empty. Percent-encoded.
    pub(crate) path: String,
    /// With its question mark; or empty.
    pub(crate) query: String,
}

/// How it is watched how destinations do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PassiveCheckOptions {
    /// When one that was unhealthy gets requests again. Default: a minute.
    pub(crate) reactivation_period: Duration,
    /// This share of failures among the requests of the window makes one unhealthy. Default: 0.3.
    /// (`TransportFailureRateHealthPolicy.RateLimit`.)
    pub(crate) failure_rate: f64,
}

/// How connections are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientOptions {
    /// Empty: those that TLS takes.
    pub(crate) tls_versions: Vec<TlsVersion>,
    /// Whether any certificate of a server will do.
    pub(crate) accept_any_certificate: bool,
    /// How many connections there are to one destination at most. `None`: as many as it takes.
    pub(crate) max_connections_per_server: Option<u32>,
    /// Whether there is another HTTP/2 connection when one is full. Default: yes.
    pub(crate) multiple_http2_connections: bool,
    /// A proxy between, for http.
    pub(crate) web_proxy: Option<WebProxy>,
    /// The certificate that this host shows.
    pub(crate) client_certificate: Option<CertificateFiles>,
    /// A file with the authorities that vouch for servers, in the place of the system's.
    pub(crate) trusted_roots: Option<PathBuf>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            tls_versions: Vec::new(),
            accept_any_certificate: false,
            max_connections_per_server: None,
            multiple_http2_connections: true,
            web_proxy: None,
            client_certificate: None,
            trusted_roots: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsVersion {
    Tls12,
    Tls13,
}

/// A proxy that requests are sent through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebProxy {
    pub(crate) address: DestinationAddress,
    /// Whether names without a dot, and this machine, are asked directly.
    pub(crate) bypass_on_local: bool,
}

/// A certificate and its key, in files.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) path: PathBuf,
    /// `None`: in the same file.
    pub(crate) key_path: Option<PathBuf>,
    pub(crate) password: Option<String>,
}

impl std::fmt::Debug for CertificateFiles {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "CertificateFiles({:?}, {:?})", self.path, self.key_path)
    }
}

/// How requests are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestOptions {
    /// How long nothing may happen. Default: 100 seconds.
    pub(crate) activity_timeout: Duration,
    /// Default: HTTP/2.
    pub(crate) version: HttpVersion,
    /// Default: or lower.
    pub(crate) version_policy: VersionPolicy,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            activity_timeout: Duration::from_secs(100),
            version: HttpVersion::Http2,
            version_policy: VersionPolicy::OrLower,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpVersion {
    Http10,
    Http11,
    Http2,
    /// Not spoken to destinations: the next lower one is, where the policy allows.
    Http3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionPolicy {
    OrLower,
    OrHigher,
    Exact,
}
