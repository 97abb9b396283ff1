//! Caddy: a site for its `Caddyfile`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};
use super::forwarded::{Fact, Forwarded};

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
    let forwarded = forwarded(&facts.forwarded);
    let _ = write!(
        text,
        "    # X-Forwarded-For, -Proto and -Host are set anyway; WebSockets pass.
    reverse_proxy {upstream} {{
{forwarded}        # What the app sends goes out at once.
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

/// Who the client is, beyond what Caddy tells by itself. What a client says of itself goes no further.
fn forwarded(forwarded: &Forwarded) -> String {
    let mut text = String::new();
    if forwarded.adds {
        text.push_str(
            "        # What proxies in front of it tell goes on if they are its trusted_proxies.\n",
        );
    }
    let add = if forwarded.adds { "+" } else { "" };
    for (name, fact) in &forwarded.told {
        let value = match fact {
            Fact::Client => "{remote_host}",
            Fact::Scheme => "{scheme}",
            Fact::Host => "{hostport}",
        };
        if name != fact.default_name() {
            let _ = writeln!(text, "        header_up {add}{name} {value}");
        }
    }
    for name in &forwarded.removed {
        let _ = writeln!(text, "        header_up -{name}");
    }
    text
}
