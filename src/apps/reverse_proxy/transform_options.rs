//! What a route changes on the way, as plain data.

use http::{HeaderName, HeaderValue, Method};

use super::path_pattern::{PathPattern, RouteParameter};

/// What a route changes on the way there and back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transforms {
    /// What is changed of the request, one after the other. The `X-Forwarded` headers that are set by
    /// themselves are the last.
    pub(crate) request: Vec<RequestTransform>,
    /// What is changed of the answer, one after the other.
    pub(crate) response: Vec<ResponseTransform>,
    /// What is changed of the answer's trailers, one after the other.
    pub(crate) trailers: Vec<ResponseTransform>,
    pub(crate) request_headers: Copied,
    pub(crate) response_headers: Copied,
    pub(crate) response_trailers: Copied,
    /// Whether the host that the client named is named to the destination. Default: no.
    pub(crate) original_host: bool,
}

impl Transforms {
    /// Whether one of them asks for what the parameters of the route are, which costs to find out.
    pub(crate) fn uses_route_values(&self) -> bool {
        self.request.iter().any(|it| match it {
            RequestTransform::PathPattern(pattern) => pattern.has_parameters(),
            RequestTransform::Query { value, .. } => matches!(value, Value::Route(_)),
            RequestTransform::HeaderOfRoute { .. } => true,
            _ => false,
        })
    }
}

impl Default for Transforms {
    fn default() -> Self {
        Self {
            request: vec![RequestTransform::XForwarded(XForwarded::default())],
            response: Vec::new(),
            trailers: Vec::new(),
            request_headers: Copied::default(),
            response_headers: Copied::default(),
            response_trailers: Copied::default(),
            original_host: false,
        }
    }
}

/// Which headers go on by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Whether all do, but for those that are of one connection.
    pub(crate) all: bool,
    /// These do in any case, even if they are of one connection.
    pub(crate) allowed: Vec<HeaderName>,
}

impl Default for Copied {
    fn default() -> Self {
        Self { all: true, allowed: Vec::new() }
    }
}

/// One change of the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RequestTransform {
    /// What stands before the path then; begins with a slash. Decoded: it is escaped when it is used.
    PathPrefix(String),
    /// What is taken from the path's beginning, if it stands there as whole segments; without case.
    PathRemovePrefix(String),
    /// The path then.
    PathSet(String),
    /// What the path is built from then.
    PathPattern(PathPattern),
    /// A parameter of the query.
    Query {
        name: String,
        value: Value,
        how: Change,
    },
    /// Takes a parameter from the query.
    QueryRemove(String),
    /// Requests of the first method get the second.
    Method {
        from: Method,
        to: Method,
    },
    Header {
        name: HeaderName,
        value: HeaderValue,
        how: Change,
    },
    /// A header with the value of a parameter of the route; nothing if that has none.
    HeaderOfRoute {
        name: HeaderName,
        parameter: RouteParameter,
        how: Change,
    },
    HeaderRemove(HeaderName),
    XForwarded(XForwarded),
    Forwarded(Forwarded),
    /// The client's certificate; what the client itself says there is taken away.
    ClientCertificate(HeaderName),
}

/// What a parameter of the query gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// The value of a parameter of the route; nothing happens if that has none.
    Route(RouteParameter),
}

/// What becomes of what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It goes.
    Set,
    /// It stays, before the new.
    Append,
}

/// The headers that say for whom a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct XForwarded {
    pub(crate) client: ForwardedHeader,
    pub(crate) proto: ForwardedHeader,
    pub(crate) host: ForwardedHeader,
    pub(crate) prefix: ForwardedHeader,
}

impl Default for XForwarded {
    fn default() -> Self {
        let set = |name| ForwardedHeader {
            name: HeaderName::from_static(name),
            action: ForwardedAction::Set,
        };
        Self {
            client: set("x-forwarded-for"),
            proto: set("x-forwarded-proto"),
            host: set("x-forwarded-host"),
            prefix: set("x-forwarded-prefix"),
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForwardedHeader {
    pub(crate) name: HeaderName,
    pub(crate) action: ForwardedAction,
}

/// What becomes of what the client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForwardedAction {
    /// Ours stands in its place.
    Set,
    /// Ours stands behind it.
    Append,
    /// It goes, and nothing comes.
    Remove,
    /// It stays.
    Off,
}

/// The header `Forwarded` (RFC 7239). It stands in the place of the `X-Forwarded` ones, which go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forwarded {
    pub(crate) action: ForwardedAction,
    /// Who the client is, if it is told.
    pub(crate) client: Option<NodeFormat>,
    /// Who this server is, if it is told.
    pub(crate) by: Option<NodeFormat>,
    pub(crate) host: bool,
    pub(crate) proto: bool,
}

/// How somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeFormat {
    pub(crate) name: NodeName,
    pub(crate) port: NodePort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeName {
    /// A name that stands for the same one throughout a connection.
    Random,
    /// `unknown`.
    Unknown,
    Ip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodePort {
    None,
    /// As it is.
    Port,
    /// A name that stands for the same one throughout a connection.
    Random,
}

/// One change of an answer's headers, or of its trailers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResponseTransform {
    pub(crate) name: HeaderName,
    pub(crate) change: ResponseChange,
    pub(crate) when: When,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResponseChange {
    Value(HeaderValue, Change),
    Remove,
}

/// Which answers are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum When {
    /// Those below 400.
    #[default]
    Success,
    Failure,
    Always,
}
