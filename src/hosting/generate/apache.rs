//! Apache: a file for `sites-enabled`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};
use super::forwarded::{Fact, Forwarded};

/// The virtual host, and where it listens, if nothing does already.
pub(super) fn virtual_host(facts: &Facts) -> String {
    let mut text = facts.head();
    // Limits of heads hold before the host is known.
    if facts.port() == 80 || facts.redirects() {
        text.push_str(
            "# The first site of a port is the one for every name, and its limits of heads hold for all: on Debian,
# a2dissite 000-default
",
        );
    }
    let tls = facts.certificate.is_some();
    let modules = if tls { " ssl http2" } else { "" };
    let redirects = if facts.redirects() { " alias" } else { "" };
    let _ = writeln!(text, "# a2enmod proxy proxy_http headers{modules}{redirects}");
    let port = facts.port();
    if !matches!(port, 80 | 443) {
        let _ = writeln!(text, "Listen {port}");
    }
    let names = names(facts);
    if facts.redirects() {
        let _ = write!(
            text,
            "<VirtualHost *:80>
{names}    <Location \"/\">
        # With the name and the path that were asked for.
        Redirect permanent \"https://%{{SERVER_NAME}}%{{REQUEST_URI}}\"
    </Location>
</VirtualHost>
"
        );
    }
    let _ = write!(text, "<VirtualHost *:{port}>\n{names}");
    if let Some((chain, key)) = &facts.certificate {
        let _ = write!(
            text,
            "    SSLEngine on
    SSLCertificateFile {chain}
    SSLCertificateKeyFile {key}
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    Protocols h2 http/1.1
"
        );
    }
    to_the_app(facts, &mut text);
    text
}

/// What it is known by.
fn names(facts: &Facts) -> String {
    let mut text = String::new();
    let mut names = facts.names.iter();
    if let Some(first) = names.next() {
        let _ = writeln!(text, "    ServerName {first}");
    }
    for name in names {
        let _ = writeln!(text, "    ServerAlias {name}");
    }
    text
}

/// What goes to the app, and how much of it.
fn to_the_app(facts: &Facts, text: &mut String) {
    let upstream = match &facts.upstream {
        Upstream::Tcp(address) => format!("http://{address}/"),
        Upstream::UnixSocket(path) => format!("unix:{}|http://localhost/", path.display()),
    };
    // 0 is no limit.
    let body = facts.max_request_body_size.unwrap_or(0);
    let keep_alive = facts.keep_alive_seconds();
    let forwarded = forwarded(&facts.forwarded);
    let fields = match facts.max_header_count > FIELDS {
        true => format!("    LimitRequestFields {}\n", facts.max_header_count),
        false => String::new(),
    };
    let _ = write!(
        text,
        "
    # MaxRequestBodySize, MaxRequestHeadersTotalSize, MaxRequestLineSize
    LimitRequestBody {body}
    LimitRequestFieldSize {head}
    LimitRequestLine {line}
{fields}
    # Connections to the app are given up before its KeepAliveTimeout; WebSockets pass.
    ProxyPass        / \"{upstream}\" ttl={keep_alive} timeout=3600 upgrade=websocket flushpackets=on responsefieldsize=32768
    ProxyPassReverse / \"{upstream}\"
    ProxyPreserveHost On
    # Apache's own would be added to what the client says of itself.
    ProxyAddHeaders Off
{forwarded}</VirtualHost>
",
        head = facts.max_headers,
        line = facts.max_line,
    );
}

/// How many lines of headers Apache takes.
const FIELDS: usize = 100;

/// Who the client is. What a client says of itself goes no further.
fn forwarded(forwarded: &Forwarded) -> String {
    let action = if forwarded.adds { "append" } else { "set" };
    let mut text = String::new();
    for (name, fact) in &forwarded.told {
        let value = match fact {
            Fact::Client => "REMOTE_ADDR",
            Fact::Scheme => "REQUEST_SCHEME",
            Fact::Host => "HTTP_HOST",
        };
        let _ = writeln!(text, "    RequestHeader {action} {name} expr=%{{{value}}}");
    }
    for name in &forwarded.removed {
        let _ = writeln!(text, "    RequestHeader unset {name}");
    }
    text
}
