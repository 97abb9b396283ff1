//! HAProxy: sections for `haproxy.cfg`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};
use super::forwarded::{Fact, Forwarded};

/// The frontend and the backend.
pub(super) fn sections(facts: &Facts) -> String {
    let mut text = facts.head();
    let server = match &facts.upstream {
        Upstream::Tcp(address) => address.clone(),
        Upstream::UnixSocket(path) => format!("unix@{}", path.display()),
    };
    if let Some((chain, key)) = &facts.certificate
        && key != &format!("{chain}.key")
    {
        let _ = writeln!(
            text,
            "# HAProxy looks for the key beside the certificate: ln -s {key} {chain}.key"
        );
    }
    match facts.proxy_protocol {
        true => connections(facts, &server, &mut text),
        false => requests(facts, &server, &mut text),
    }
    text
}

/// Connections are handed on as they are.
fn connections(facts: &Facts, server: &str, text: &mut String) {
    if facts.certificate.is_some() {
        text.push_str(
            "# TLS ends here; to let it end at the app, leave out 'ssl' and what follows.\n",
        );
    }
    let bind = bind(facts, "");
    let port = facts.port();
    let _ = write!(
        text,
        "frontend kestrel
    mode tcp
    bind :{port}{bind}
    timeout client 1h
    default_backend kestrel

backend kestrel
    mode tcp
    timeout connect 5s
    timeout server 1h
    # Who the client is stands at the beginning of each connection.
    server app {server} send-proxy-v2 check
"
    );
}

fn requests(facts: &Facts, server: &str, text: &mut String) {
    let port = facts.port();
    let bind = bind(facts, " alpn h2,http/1.1");
    room(facts, text);
    text.push_str("frontend kestrel\n    mode http\n");
    if facts.redirects() {
        text.push_str("    bind :80\n");
    }
    let _ = writeln!(text, "    bind :{port}{bind}");
    if facts.redirects() {
        text.push_str("    http-request redirect scheme https code 301 unless { ssl_fc }\n");
    }
    let http2 = if facts.only_http2 { " proto h2" } else { "" };
    let keep_alive = facts.keep_alive_seconds();
    let forwarded = forwarded(&facts.forwarded);
    let _ = write!(
        text,
        "    timeout client 1h
    timeout http-request 30s
    timeout http-keep-alive 60s
{forwarded}    default_backend kestrel

backend kestrel
    mode http
    timeout connect 5s
    timeout server 1h
    timeout tunnel 1h
    # Connections to the app are given up before its KeepAliveTimeout.
    http-reuse always
    server app {server}{http2} check pool-purge-delay {keep_alive}s
"
    );
}

/// What HAProxy has room for: a head is in one of its buffers.
fn room(facts: &Facts, text: &mut String) {
    /// What HAProxy has if nothing is said.
    const BUFFER: usize = 16384;
    const HEADERS: usize = 101;
    /// For what it adds to a head.
    const REWRITE: usize = 1024;
    /// What it keeps beside each line, at most.
    const BESIDE: usize = 16;
    let head = facts.max_line.saturating_add(facts.max_headers);
    let beside = facts.max_header_count.saturating_mul(BESIDE);
    let buffer = head.saturating_add(beside).saturating_add(2 * REWRITE);
    let buffer = buffer.div_ceil(1024).saturating_mul(1024).max(BUFFER);
    let _ = write!(
        text,
        "# MaxRequestHeadersTotalSize and MaxRequestLineSize, with what is added here. These hold for all of HAProxy:
# a request takes two such buffers.
global
    tune.bufsize {buffer}
    tune.maxrewrite {REWRITE}
"
    );
    // It adds some of its own.
    if facts.max_header_count.saturating_add(8) > HEADERS {
        let count = facts.max_header_count.saturating_add(8).min(32767);
        let _ = writeln!(text, "    tune.http.maxhdr {count}");
    }
    text.push('\n');
}

/// Who the client is. What a client says of itself goes no further.
fn forwarded(forwarded: &Forwarded) -> String {
    let action = if forwarded.adds { "add-header" } else { "set-header" };
    let mut text = String::new();
    for (name, fact) in &forwarded.told {
        let values = match fact {
            Fact::Client => &["%[src]"][..],
            Fact::Scheme => &["https if { ssl_fc }", "http unless { ssl_fc }"],
            Fact::Host => &["%[req.fhdr(host)]"],
        };
        for value in values {
            let _ = writeln!(text, "    http-request {action} {name} {value}");
        }
    }
    for name in &forwarded.removed {
        let _ = writeln!(text, "    http-request del-header {name}");
    }
    text
}

/// What stands behind the port.
fn bind(facts: &Facts, alpn: &str) -> String {
    match &facts.certificate {
        None => String::new(),
        Some((chain, _)) => format!(" ssl crt {chain}{alpn}"),
    }
}
