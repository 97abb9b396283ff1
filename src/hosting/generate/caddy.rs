//! Caddy: a site for its `Caddyfile`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};

/// The site.
pub(super) fn site(facts: &Facts) -> String {
    let mut text = facts.head();
    let scheme = if facts.certificate.is_some() { "https" } else { "http" };
    let site = |name: &str| match facts.port {
        Some(port) => format!("{scheme}://{name}:{port}"),
        // Caddy has a certificate for every name.
        None if facts.certificate.is_none() && !name.is_empty() => name.to_owned(),
        None => format!("{scheme}://{name}"),
    };
    let sites: Vec<_> = match facts.names.is_empty() {
        true => vec![match facts.port {
            Some(port) => format!("{scheme}://:{port}"),
            None => format!("{scheme}://"),
        }],
        false => facts.names.iter().map(|name| site(name)).collect(),
    };
    let _ = writeln!(text, "{} {{", sites.join(", "));
    if let Some((chain, key)) = &facts.certificate {
        let _ = writeln!(text, "    tls {chain} {key}");
    }
    if let Some(bytes) = facts.max_request_body_size {
        let _ = write!(
            text,
            "    # MaxRequestBodySize\n    request_body {{\n        max_size {bytes}\n    }}\n"
        );
    }
    let upstream = match (&facts.upstream, facts.only_http2) {
        (Upstream::Tcp(address), false) => address.clone(),
        (Upstream::Tcp(address), true) => format!("h2c://{address}"),
        (Upstream::UnixSocket(path), false) => format!("unix/{}", path.display()),
        (Upstream::UnixSocket(path), true) => format!("unix+h2c/{}", path.display()),
    };
    let keep_alive = facts.keep_alive_seconds();
    let _ = write!(
        text,
        "    # Host, X-Forwarded-For and X-Forwarded-Proto are set anyway; WebSockets pass.
    reverse_proxy {upstream} {{
        # What the app sends goes out at once.
        flush_interval -1
        transport http {{
            # Given up before the app's KeepAliveTimeout.
            keepalive {keep_alive}s
        }}
    }}
}}
"
    );
    text
}
