//! Apache: a file for `sites-enabled`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};

/// The virtual host, and where it listens, if nothing does already.
pub(super) fn virtual_host(facts: &Facts) -> String {
    let mut text = facts.head();
    let tls = facts.certificate.is_some();
    let modules = if tls { " ssl http2" } else { "" };
    let _ = writeln!(text, "# a2enmod proxy proxy_http headers{modules}");
    let port = facts.port();
    if !matches!(port, 80 | 443) {
        let _ = writeln!(text, "Listen {port}");
    }
    let _ = writeln!(text, "<VirtualHost *:{port}>");
    let mut names = facts.names.iter();
    if let Some(first) = names.next() {
        let _ = writeln!(text, "    ServerName {first}");
    }
    for name in names {
        let _ = writeln!(text, "    ServerAlias {name}");
    }
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
    let upstream = match &facts.upstream {
        Upstream::Tcp(address) => format!("http://{address}/"),
        Upstream::UnixSocket(path) => format!("unix:{}|http://localhost/", path.display()),
    };
    // 0 is no limit.
    let body = facts.max_request_body_size.unwrap_or(0);
    let keep_alive = facts.keep_alive_seconds();
    let _ = write!(
        text,
        "
    # MaxRequestBodySize, MaxRequestHeadersTotalSize
    LimitRequestBody {body}
    LimitRequestFieldSize {head}

    # Connections to the app are given up before its KeepAliveTimeout; WebSockets pass.
    ProxyPass        / \"{upstream}\" ttl={keep_alive} timeout=3600 upgrade=websocket flushpackets=on responsefieldsize=32768
    ProxyPassReverse / \"{upstream}\"
    ProxyPreserveHost On
    # X-Forwarded-For is set anyway.
    RequestHeader set X-Forwarded-Proto expr=%{{REQUEST_SCHEME}}
</VirtualHost>
",
        head = facts.max_headers,
    );
    text
}
