//! A request as it was meant, where a proxy in front or a stage knows better than the connection.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, HeaderMap, Request, Uri};

use super::path::escaped_path;
use super::request_target::host_of;
use super::{Connection, Remote};

/// Facts of a request that a stage has put over those of its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) scheme: Option<Cow<'static, str>>,
    pub(crate) client: Option<SocketAddr>,
    /// Who is believed tells of a client, but not so that it could be taken: the one above, or that of the connection, is
    /// the address of a proxy.
    pub(crate) client_is_unread: bool,
    pub(crate) host: Option<Box<str>>,
    pub(crate) path_base: Option<Box<str>>,
    pub(crate) user: Option<Arc<str>>,
}

impl Overlay {
    /// Changes what a request has.
    pub(crate) fn change<B>(request: &mut Request<B>, change: impl FnOnce(&mut Self)) {
        change(request.extensions_mut().get_or_insert_default());
    }

    /// Puts other facts over these.
    pub(crate) fn lay(&mut self, other: Self) {
        let before = std::mem::take(self);
        *self = Self {
            scheme: other.scheme.or(before.scheme),
            client: other.client.or(before.client),
            client_is_unread: other.client_is_unread || before.client_is_unread,
            host: other.host.or(before.host),
            path_base: other.path_base.or(before.path_base),
            user: other.user.or(before.user),
        };
    }
}

/// A request as it was meant: whose it is, and by which scheme, for which host and below which path it
/// came. That is what its connection says, unless a stage, such as that of forwarded headers, knows
/// better; the [`Connection`] itself stays what it is. (What `Request.Scheme`, `Request.Host`,
/// `Request.PathBase` and `Connection.RemoteIpAddress` are in ASP.NET Core.)
///
/// ```
/// use axum::extract::Request;
/// use kestrel::EffectiveRequest;
///
/// async fn link(request: Request) -> String {
///     let meant = EffectiveRequest::of(&request);
///     format!("{}://{}{}/", meant.scheme(), meant.host(), meant.escaped_path_base())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EffectiveRequest<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
    overlay: Option<&'a Overlay>,
    connection: Option<&'a Connection>,
}

impl<'a> EffectiveRequest<'a> {
    /// The request as it was meant.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self::new(request.uri(), request.headers(), request.extensions())
    }

    /// The request with these parts as it was meant.
    pub fn of_parts(parts: &'a Parts) -> Self {
        Self::new(&parts.uri, &parts.headers, &parts.extensions)
    }

    fn new(uri: &'a Uri, headers: &'a HeaderMap, extensions: &'a Extensions) -> Self {
        // Each look into the extensions costs more than the rest of a method.
        let (overlay, connection) = (extensions.get(), extensions.get());
        Self { uri, headers, extensions, overlay, connection }
    }

    /// The scheme that the client used: `https` or `http`, or what a proxy calls it.
    pub fn scheme(&self) -> &'a str {
        let told = self.overlay.and_then(|overlay| overlay.scheme.as_deref());
        told.unwrap_or_else(|| self.connection.map_or("http", |it| it.scheme().as_str()))
    }

    /// Whether the client used TLS.
    pub fn is_https(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("https")
    }

    /// The host that the client asked for, with its port if it sent one. Empty if it named none.
    pub fn host(&self) -> &'a str {
        let told = self.overlay.and_then(|overlay| overlay.host.as_deref());
        told.unwrap_or_else(|| host_of(self.uri, self.headers, self.extensions))
    }

    /// The client's address; `None` on a Unix socket whose peer did not tell of one.
    pub fn client(&self) -> Option<SocketAddr> {
        let told = self.overlay.and_then(|overlay| overlay.client);
        told.or_else(|| self.connection?.remote().map(|Remote(address)| address))
    }

    /// Whether somebody who is believed has told whose request it is.
    pub(crate) fn has_told_client(&self) -> bool {
        self.overlay.is_some_and(|overlay| overlay.client.is_some())
    }

    /// Whether whose request it is was told, by somebody who is believed, in a way that could not be taken:
    /// [`client`](Self::client) is a proxy then.
    pub(crate) fn has_unread_client(&self) -> bool {
        self.overlay.is_some_and(|overlay| overlay.client_is_unread)
    }

    /// The path below which the app is, as the client sees it. Empty for most. It is for links, and other
    /// texts that are URLs: what cannot stand in one is escaped (`/a%20b`).
    pub fn escaped_path_base(&self) -> Cow<'a, str> {
        match self.path_base() {
            "" => "".into(),
            base => escaped_path(base),
        }
    }

    /// The same without its escapes, all but that of the slash (`/a b`), as in
    /// [`RequestTarget::path`](super::RequestTarget::path): to be compared, and nothing to write into a URL or a header.
    pub fn path_base(&self) -> &'a str {
        self.overlay.and_then(|overlay| overlay.path_base.as_deref()).unwrap_or_default()
    }

    /// The user who was let in, by the name that the settings have; `None` if nobody was asked for one. It is
    /// what `BasicAuthentication` has checked, and nothing that a client says besides. (What
    /// `User.Identity.Name` is in ASP.NET Core.)
    pub fn user(&self) -> Option<&'a str> {
        self.overlay.and_then(|overlay| overlay.user.as_deref())
    }
}

/// The host without its port. An IPv6 address keeps its brackets.
pub(crate) fn without_port(host: &str) -> &str {
    match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or(host),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::features::Scheme;

    #[test]
    fn what_a_stage_knows_lies_over_what_the_connection_says() {
        let remote = SocketAddr::from((Ipv4Addr::LOCALHOST, 1234));
        let connection = Connection::new(1, None, Some(Remote(remote)), Scheme::Http);
        let mut request =
            Request::builder().uri("/a").header("host", "inside:5000").body(()).unwrap();
        request.extensions_mut().insert(connection);
        let meant = EffectiveRequest::of(&request);
        assert_eq!((meant.scheme(), meant.host(), meant.path_base()), ("http", "inside:5000", ""));
        assert_eq!(meant.client(), Some(remote));

        let client = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 0));
        Overlay::change(&mut request, |overlay| overlay.scheme = Some("https".into()));
        Overlay::change(&mut request, |overlay| {
            overlay.client = Some(client);
            overlay.host = Some("outside".into());
            overlay.path_base = Some("/app".into());
        });
        let meant = EffectiveRequest::of(&request);
        assert_eq!((meant.scheme(), meant.host(), meant.path_base()), ("https", "outside", "/app"));
        assert!(meant.is_https());
        assert_eq!(meant.client(), Some(client));
        let connection: &Connection = request.extensions().get().unwrap();
        assert_eq!(
            (connection.scheme(), connection.remote()),
            (Scheme::Http, Some(Remote(remote)))
        );
    }
}
