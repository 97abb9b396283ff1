//! The servers of the bench: what stands behind, our proxy, and the configurations of the others.

use std::fs;
use std::io;
use std::path::Path;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use kestrel::Host;

use crate::Result;
use crate::certificates::Certificate;

/// The server behind: it reads what it gets, and answers with so many bytes; or it is one of WebSockets, which sends
/// every message back.
pub(crate) fn behind(size: &str) -> Result<()> {
    let environment = vec![("ASPNETCORE_URLS", "http://127.0.0.1:0")];
    if size == "echo" {
        let answer = |upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) };
        return serve(environment, Router::new().fallback(any(answer)), &[]);
    }
    let bytes: Bytes = (0..size.parse::<usize>()?).map(|at| (at % 251) as u8).collect();
    let answer = move |body: Body| {
        let bytes = bytes.clone();
        async move {
            let _ = axum::body::to_bytes(body, usize::MAX).await;
            bytes
        }
    };
    serve(environment, Router::new().fallback(any(answer)), &[])
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_echo = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_echo && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Our proxy, before the server behind; by TLS, with a certificate and a key.
pub(crate) fn kestrel(behind: &str, secured: &[&str]) -> Result<()> {
    let address = format!("http://{behind}/");
    let environment = match secured {
        [certificate, key] => vec![
            ("Kestrel__Endpoints__A__Url", "https://127.0.0.1:0"),
            ("Kestrel__Endpoints__A__Certificate__Path", *certificate),
            ("Kestrel__Endpoints__A__Certificate__KeyPath", *key),
        ],
        _ => vec![("ASPNETCORE_URLS", "http://127.0.0.1:0")],
    };
    serve(
        environment,
        Router::new(),
        &[
            ("ReverseProxy:Routes:all:Match:Path", "/{**rest}"),
            ("ReverseProxy:Routes:all:ClusterId", "behind"),
            ("ReverseProxy:Clusters:behind:Destinations:one:Address", &address),
        ],
    )
}

/// Serves until our standard input ends.
fn serve(environment: Vec<(&str, &str)>, app: Router, settings: &[(&str, &str)]) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut builder = Host::builder().environment_variables(environment).without_logging();
    for (key, value) in settings {
        builder = builder.use_setting(key, value);
    }
    let host = builder.app(app);
    let host = runtime.block_on(async { host.build()?.start().await })?;
    println!("Now listening on: {}", host.addresses()[0]);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.shutdown_background();
    Ok(())
}

/// What the others are to do.
#[derive(Clone, Copy)]
pub(crate) struct Front<'a> {
    /// Where the server behind is.
    pub(crate) behind: &'a str,
    pub(crate) certificate: Option<&'a Certificate>,
    pub(crate) speaks_http2: bool,
    pub(crate) changes_protocol: bool,
}

/// Writes the configuration of an nginx with one process, whose buffers are as large as it has use for, and
/// gives the command that starts it.
pub(crate) fn nginx(folder: &Path, front: Front<'_>) -> Result<String> {
    let Front { behind, certificate, speaks_http2, changes_protocol } = front;
    let http2 = if speaks_http2 { " http2" } else { "" };
    let secure = if certificate.is_some() { " ssl" } else { "" };
    let tls = certificate.map_or_else(String::new, |Certificate { path, key }| {
        let (path, key) = (path.display(), key.display());
        format!("ssl_certificate {path}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;")
    });
    let connection = match changes_protocol {
        true => "Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"",
        false => "Connection \"\"",
    };
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
           access_log off; keepalive_requests 1000000000; server_tokens off; client_max_body_size 0;\n\
           upstream behind {{ server {behind}; keepalive 1024; keepalive_requests 1000000000; }}\n\
           server {{ listen 127.0.0.1:PORT{secure}{http2}; {tls} location / {{\n\
             proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header {connection};\n\
             proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;\n\
             proxy_set_header X-Forwarded-Host $http_host;\n\
             proxy_request_buffering off; proxy_buffers 16 32k; proxy_busy_buffers_size 64k;\n\
           }} }}\n\
         }}\n"
    );
    with_port(folder, "nginx", &configuration, "nginx -p \"$1\" -c nginx.conf")
}

/// The same for a HAProxy with one thread.
pub(crate) fn haproxy(folder: &Path, front: Front<'_>) -> Result<String> {
    let Front { behind, certificate, speaks_http2, .. } = front;
    let tls = match certificate {
        None => "",
        Some(Certificate { path, key }) => {
            // It wants both in one file.
            let both = [fs::read(path)?, fs::read(key)?].concat();
            fs::write(folder.join("both.pem"), both)?;
            " ssl crt both.pem"
        }
    };
    let version = match (speaks_http2, certificate) {
        (false, _) => "",
        (true, None) => " proto h2",
        (true, Some(_)) => " alpn h2",
    };
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let configuration = format!(
        "global\n  nbthread 1\n  maxconn 4000\n\
         defaults\n  mode http\n  timeout client 1m\n  timeout server 1m\n  timeout connect 5s\n  timeout tunnel 1m\n  option forwardfor\n\
         frontend front\n  bind 127.0.0.1:PORT{tls}{version}\n  http-request set-header X-Forwarded-Proto {scheme}\n\
         \x20 http-request set-header X-Forwarded-Host %[req.hdr(Host)]\n  default_backend behind\n\
         backend behind\n  http-reuse always\n  server one {behind}\n"
    );
    with_port(folder, "haproxy", &configuration, "haproxy -db -q -f \"$1/haproxy.conf\"")
}

/// None of them takes its port from the command line, so a script puts it in.
fn with_port(folder: &Path, name: &str, configuration: &str, start: &str) -> Result<String> {
    fs::write(folder.join(format!("{name}.template")), configuration)?;
    let script = folder.join(format!("{name}.sh"));
    let text =
        format!("sed \"s/PORT/$2/\" \"$1/{name}.template\" >\"$1/{name}.conf\" && exec {start}\n");
    fs::write(&script, text)?;
    Ok(format!("sh {} {} {{port}}", script.display(), folder.display()))
}
