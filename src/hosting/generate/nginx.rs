//! nginx: a file for `conf.d` or `sites-enabled`, which stands inside of `http`.

use std::fmt::Write as _;

use super::facts::{Facts, Upstream};

/// The server, and what stands beside it.
pub(super) fn server(facts: &Facts) -> String {
    let mut text = facts.head();
    let upstream = match &facts.upstream {
        Upstream::Tcp(address) => address.clone(),
        Upstream::UnixSocket(path) => format!("unix:{}", path.display()),
    };
    let port = facts.port();
    let names = match facts.names.is_empty() {
        true => "_".to_owned(),
        false => facts.names.join(" "),
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
    if facts.certificate.is_some() && facts.port.is_none() {
        let _ = write!(
            text,
            "
server {{
    listen 80;
    listen [::]:80;
    server_name {names};
    return 301 https://$host$request_uri;
}}
"
        );
    }
    let tls = if facts.certificate.is_some() { " ssl http2" } else { "" };
    let _ = write!(
        text,
        "
server {{
    listen {port}{tls};
    listen [::]:{port}{tls};
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
    // 0 is no limit.
    let body = facts.max_request_body_size.unwrap_or(0);
    let head = facts.max_headers.div_ceil(1024).max(8);
    let _ = write!(
        text,
        "
    # MaxRequestBodySize, MaxRequestHeadersTotalSize
    client_max_body_size {body};
    large_client_header_buffers 4 {head}k;

    location / {{
        proxy_pass http://kestrel;
        proxy_http_version 1.1;
        # With its port, which $host leaves out.
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $kestrel_connection;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        # What either side sends goes on at once, and the app may say nothing for an hour.
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
    text
}
