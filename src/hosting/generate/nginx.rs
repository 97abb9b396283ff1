//! nginx: a file for `conf.d` or `sites-enabled`, which stands inside of `http`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};
use super::forwarded::{Fact, Forwarded};

/// The server, and what stands beside it.
pub(super) fn server(facts: &Facts) -> String {
    let mut text = facts.head();
    if facts.is_first_of_port_80() {
        text.push_str(
            "# It answers for every name on its port, which one server can: on Debian the default site has to go,
# by 'rm /etc/nginx/sites-enabled/default', or give --server-name.
",
        );
    }
    beside(facts, &mut text);
    let port = facts.port();
    let (names, default) = names(facts);
    let tls = if facts.certificate.is_some() { " ssl http2" } else { "" };
    let _ = write!(
        text,
        "
server {{
    listen {port}{tls}{default};
    listen [::]:{port}{tls}{default};
    server_name {names};
"
    );
    if let Some((chain, key)) = &facts.certificate {
        let _ = write!(
            text,
            "
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:kestrel:5m;
"
        );
    }
    location(facts, &mut text);
    text
}

/// What it is known by, and what stands behind its ports where it is for every name.
fn names(facts: &Facts) -> (String, &'static str) {
    match facts.names.is_empty() {
        true => ("_".to_owned(), " default_server"),
        false => (facts.names.join(" "), ""),
    }
}

/// What stands beside the server.
fn beside(facts: &Facts, text: &mut String) {
    let upstream = match &facts.upstream {
        Upstream::Tcp(address) => address.clone(),
        Upstream::UnixSocket(path) => format!("unix:{}", path.display()),
    };
    let keep_alive = facts.keep_alive_seconds();
    let _ = write!(
        text,
        "map $http_upgrade $kestrel_connection {{
    # Lets WebSockets through, and keeps other connections to the app open.
    default upgrade;
    \"\"      \"\";
}}

upstream kestrel {{
    server {upstream};
    # Given up before the app's KeepAliveTimeout.
    keepalive 64;
    keepalive_timeout {keep_alive}s;
}}
"
    );
    if facts.redirects() {
        let (names, default) = names(facts);
        let _ = write!(
            text,
            "
server {{
    listen 80{default};
    listen [::]:80{default};
    server_name {names};
    return 301 https://$host$request_uri;
}}
"
        );
    }
}

/// What goes to the app, and how much of it.
fn location(facts: &Facts, text: &mut String) {
    // 0 is no limit.
    let body = facts.max_request_body_size.unwrap_or(0);
    let head = facts.max_headers.max(facts.max_line).div_ceil(1024).max(8);
    let forwarded = forwarded(&facts.forwarded);
    let _ = write!(
        text,
        "
    # MaxRequestBodySize, MaxRequestHeadersTotalSize, MaxRequestLineSize
    client_max_body_size {body};
    large_client_header_buffers 4 {head}k;

    location / {{
        proxy_pass http://kestrel;
        proxy_http_version 1.1;
        # With its port, which $host leaves out.
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $kestrel_connection;
{forwarded}        # What either side sends goes on at once, and the app may say nothing for an hour.
        proxy_buffering off;
        proxy_request_buffering off;
        # Room for the head of an answer, too.
        proxy_buffer_size 32k;
        proxy_buffers 8 32k;
        proxy_read_timeout 1h;
        proxy_send_timeout 1h;
    }}
}}
"
    );
}

/// Who the client is. What a client says of itself goes no further.
fn forwarded(forwarded: &Forwarded) -> String {
    let mut text = String::new();
    for (name, fact) in &forwarded.told {
        let value = match fact {
            Fact::Client => "$remote_addr",
            Fact::Scheme => "$scheme",
            Fact::Host => "$http_host",
        };
        let before = name.to_ascii_lowercase().replace('-', "_");
        let _ = match forwarded.adds {
            true => {
                writeln!(text, "        proxy_set_header {name} \"$http_{before}, {value}\";")
            }
            false => writeln!(text, "        proxy_set_header {name} {value};"),
        };
    }
    for name in &forwarded.removed {
        let _ = writeln!(text, "        proxy_set_header {name} \"\";");
    }
    text
}
