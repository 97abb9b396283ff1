//! What the server saw of a request, as plain text that is safe to show.

use std::net::SocketAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};

use super::welcome::Welcome;
use crate::features::{Connection, EffectiveRequest, Overlay};

/// All that the page shows. Values are text of visible ASCII characters wherever they came from
/// the client, and secrets are gone; they are not yet escaped for HTML or JSON.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) version: String,
    pub(super) environment: String,
    pub(super) addresses: Vec<String>,
    pub(super) method: String,
    /// The request target in the form it was sent: nothing decoded, nothing put in order.
    pub(super) target: String,
    pub(super) protocol: String,
    /// Not known without a [`Connection`], unless the target names it.
    pub(super) scheme: Option<String>,
    pub(super) host: Option<String>,
    /// Not known on a Unix socket or without a [`Connection`]; so are the next two.
    pub(super) remote: Option<String>,
    pub(super) local: Option<String>,
    pub(super) connection: Option<String>,
    /// Each name with its values, in the order of arrival.
    pub(super) headers: Vec<(String, Vec<String>)>,
}

impl Seen {
    pub(super) fn of(head: &Parts, facts: &Welcome) -> Self {
        let connection = head.extensions.get::<Connection>();
        let meant = EffectiveRequest::of_parts(head);
        let told_host = head.extensions.get().and_then(|told: &Overlay| told.host.as_deref());
        Self {
            version: facts.version.to_owned(),
            environment: facts.environment.clone(),
            addresses: facts.addresses.list(),
            method: head.method.to_string(),
            target: target(&head.uri, head.version),
            protocol: protocol(head.version),
            scheme: connection.map(|_| meant.scheme()).or(head.uri.scheme_str()).map(str::to_owned),
            host: match told_host {
                Some(told) => Some(visible(told.as_bytes())),
                None => host(&head.uri, &head.headers),
            },
            remote: meant.client().map(client),
            local: connection.and_then(Connection::local).map(|local| local.0.to_string()),
            connection: connection.map(|connection| connection.id().to_string()),
            headers: headers(&head.headers),
        }
    }
}

/// A client's address; without a port, which a proxy seldom tells.
fn client(address: SocketAddr) -> String {
    match address.port() {
        0 => address.ip().to_string(),
        _ => address.to_string(),
    }
}

/// HTTP/2 sends scheme and authority apart from the path, HTTP/1.1 all in one piece.
fn target(uri: &Uri, version: Version) -> String {
    let path = uri.path_and_query().filter(|_| version >= Version::HTTP_2);
    visible(path.map_or(uri.to_string(), ToString::to_string).as_bytes())
}

/// The name as ASP.NET Core writes it: the later versions have no minor number.
fn protocol(version: Version) -> String {
    match version {
        Version::HTTP_2 => "HTTP/2".to_owned(),
        Version::HTTP_3 => "HTTP/3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The authority of the target, which is `:authority` in HTTP/2 and overrides `Host` in HTTP/1.1
/// (RFC 9112 section 3.2.2), else the `Host` header.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let authority = uri.authority().map(|authority| authority.as_str());
    let bytes = match authority.and_then(|text| text.rsplit('@').next()) {
        Some(host_and_port) => host_and_port.as_bytes(),
        None => headers.get(http::header::HOST)?.as_bytes(),
    };
    Some(visible(bytes))
}

fn headers(headers: &HeaderMap) -> Vec<(String, Vec<String>)> {
    let shown = |name: &HeaderName, value: &HeaderValue| {
        if is_secret(name) || value.is_sensitive() {
            "(hidden)".to_owned()
        } else {
            visible(value.as_bytes())
        }
    };
    headers
        .keys()
        .map(|name| {
            let values = headers.get_all(name).iter();
            (name.to_string(), values.map(|value| shown(name, value)).collect())
        })
        .collect()
}

/// Whether a header may carry credentials. Proxies add such headers behind the client's back, and
/// people paste this page into bug reports. Part of a name is enough (`X-Auth-Token`,
/// `Ocp-Apim-Subscription-Key`): one value hidden too many does no harm.
fn is_secret(name: &HeaderName) -> bool {
    const WORDS: [&str; 6] = ["authorization", "cookie", "token", "secret", "password", "key"];
    WORDS.iter().any(|word| name.as_str().contains(word))
}

/// Bytes as text: visible ASCII and blanks as they are, all others as `\xNN`. A header has no
/// known encoding beyond ASCII (RFC 9110 section 5.5), and an invisible or right-to-left character
/// would make the page tell something else than what was sent.
fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::features::{Local, Remote, Scheme, ServerAddresses};

    fn seen(request: http::request::Builder) -> Seen {
        let facts = Welcome {
            environment: "Development".to_owned(),
            addresses: ServerAddresses::default(),
            version: "1.2.3",
        };
        let (head, ()) = request.body(()).expect("a request").into_parts();
        Seen::of(&head, &facts)
    }

    #[test]
    fn the_target_is_shown_as_it_was_sent() {
        for (version, uri, target, host) in [
            (Version::HTTP_11, "/a%20b/../c?x=1&x=%3C", "/a%20b/../c?x=1&x=%3C", None),
            (Version::HTTP_11, "http://a.test:81/b?c", "http://a.test:81/b?c", Some("a.test:81")),
            (Version::HTTP_2, "https://a.test:81/b?c", "/b?c", Some("a.test:81")),
            (Version::HTTP_2, "https://me:pass@a.test/", "/", Some("a.test")),
            (Version::HTTP_11, "*", "*", None),
            (Version::HTTP_11, "a.test:443", "a.test:443", Some("a.test:443")),
            (Version::HTTP_2, "a.test:443", "a.test:443", Some("a.test:443")),
        ] {
            let seen = seen(Request::builder().version(version).uri(uri));
            assert_eq!(
                (seen.target.as_str(), seen.host.as_deref()),
                (target, host),
                "{version:?} {uri}"
            );
        }
    }

    #[test]
    fn protocols_are_named_as_in_asp_net_core() {
        for (version, name) in [
            (Version::HTTP_10, "HTTP/1.0"),
            (Version::HTTP_11, "HTTP/1.1"),
            (Version::HTTP_2, "HTTP/2"),
            (Version::HTTP_3, "HTTP/3"),
        ] {
            assert_eq!(protocol(version), name);
        }
    }

    #[test]
    fn what_a_proxy_has_told_is_shown() {
        let mut request = Request::builder().uri("/").header("host", "inside").body(()).unwrap();
        request.extensions_mut().insert(Connection::new(1, None, None, Scheme::Http));
        Overlay::change(&mut request, |overlay| {
            overlay.scheme = Some("https".into());
            overlay.host = Some("shop.example".into());
            overlay.client = Some("192.0.2.7:0".parse().unwrap());
        });
        let facts = Welcome {
            environment: "Development".to_owned(),
            addresses: ServerAddresses::default(),
            version: "1.2.3",
        };
        let seen = Seen::of(&request.into_parts().0, &facts);
        let shown = [seen.scheme, seen.host, seen.remote].map(Option::unwrap_or_default);
        assert_eq!(shown, ["https", "shop.example", "192.0.2.7"]);
    }

    #[test]
    fn the_connection_tells_addresses_scheme_and_id() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let connection = Connection::new(
            33,
            Some(Local(address("127.0.0.1:5000"))),
            Some(Remote(address("[::1]:40000"))),
            Scheme::Https,
        );
        let seen = seen(Request::builder().header("host", "a.test").extension(connection));
        assert_eq!(seen.host.as_deref(), Some("a.test"));
        assert_eq!(seen.local.as_deref(), Some("127.0.0.1:5000"));
        assert_eq!(seen.remote.as_deref(), Some("[::1]:40000"));
        assert_eq!(seen.scheme.as_deref(), Some("https"));
        assert_eq!(seen.connection.as_deref(), Some("0000000000011"));
    }

    #[test]
    fn without_a_connection_its_facts_are_missing() {
        let seen = seen(Request::builder().uri("/"));
        let facts = [seen.host, seen.local, seen.remote, seen.scheme];
        assert_eq!(facts, [None, None, None, None]);
        assert_eq!(seen.connection, None);
    }

    #[test]
    fn values_that_may_be_secret_are_hidden() {
        for (name, hidden) in [
            ("Authorization", true),
            ("Proxy-Authorization", true),
            ("X-Forwarded-Authorization", true),
            ("Cookie", true),
            ("Set-Cookie", true),
            ("X-Api-Key", true),
            ("ApiKey", true),
            ("X-CSRF-TOKEN", true),
            ("Client-Secret", true),
            ("X-Password-Hash", true),
            ("Keep-Alive", false),
            ("Accept", false),
            ("X-Request-Id", false),
        ] {
            let seen = seen(Request::builder().header(name, "hunter2"));
            let shown = if hidden { "(hidden)" } else { "hunter2" };
            assert_eq!(seen.headers, [(name.to_ascii_lowercase(), vec![shown.to_owned()])]);
        }
        let mut marked = HeaderValue::from_static("hunter2");
        marked.set_sensitive(true);
        let seen = seen(Request::builder().header("x-anything", marked));
        assert_eq!(seen.headers[0].1, ["(hidden)"]);
    }

    #[test]
    fn all_values_of_a_header_are_shown_under_its_name() {
        let seen =
            seen(Request::builder().header("x-b", "1").header("x-a", "2").header("x-b", "3"));
        let expected = [("x-b", vec!["1", "3"]), ("x-a", vec!["2"])];
        assert_eq!(seen.headers.len(), expected.len());
        for ((name, values), (expected_name, expected_values)) in seen.headers.iter().zip(expected)
        {
            assert_eq!(name, expected_name);
            assert_eq!(*values, expected_values);
        }
    }

    #[test]
    fn bytes_that_cannot_be_seen_are_escaped() {
        for (bytes, text) in [
            (&b"plain <b> \"text\""[..], "plain <b> \"text\""),
            (b"tab\there", "tab\\x09here"),
            (b"\xff\x00\x7f", "\\xff\\x00\\x7f"),
            ("\u{e9} \u{202e}".as_bytes(), "\\xc3\\xa9 \\xe2\\x80\\xae"),
            (b"", ""),
        ] {
            assert_eq!(visible(bytes), text);
        }
    }
}
