//! The servers of the bench: what stands behind, our proxy, and the configurations of the others.

use std::fs;
use std::io;
use std::path::Path;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::any;
use kestrel::Host;

use crate::Result;

/// The server behind: it reads what it gets, and answers with so many bytes.
pub(crate) fn behind(size: &str) -> Result<()> {
    let bytes: Bytes = (0..size.parse::<usize>()?).map(|at| (at % 251) as u8).collect();
    let answer = move |body: Body| {
        let bytes = bytes.clone();
        async move {
            let _ = axum::body::to_bytes(body, usize::MAX).await;
            bytes
        }
    };
    serve(vec![("ASPNETCORE_URLS", "http://127.0.0.1:0")], Router::new().fallback(any(answer)), &[])
}

/// Our proxy, before the server behind.
pub(crate) fn kestrel(behind: &str) -> Result<()> {
    let address = format!("http://{behind}/");
    serve(
        vec![("ASPNETCORE_URLS", "http://127.0.0.1:0")],
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

/// Writes the configuration of an nginx with one process, whose buffers are as large as it has use for, and
/// gives the command that starts it.
pub(crate) fn nginx(folder: &Path, behind: &str) -> Result<String> {
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n\
           access_log off; keepalive_requests 1000000000; server_tokens off; client_max_body_size 0;\n\
           upstream behind {{ server {behind}; keepalive 1024; keepalive_requests 1000000000; }}\n\
           server {{ listen 127.0.0.1:PORT; location / {{\n\
             proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;\n\
             proxy_set_header X-Forwarded-Host $http_host;\n\
             proxy_request_buffering off; proxy_buffers 16 32k; proxy_busy_buffers_size 64k;\n\
           }} }}\n\
         }}\n"
    );
    with_port(folder, "nginx", &configuration, "nginx -p \"$1\" -c nginx.conf")
}

/// The same for a HAProxy with one thread.
pub(crate) fn haproxy(folder: &Path, behind: &str) -> Result<String> {
    let configuration = format!(
        "global\n  nbthread 1\n  maxconn 4000\n\
         defaults\n  mode http\n  timeout client 1m\n  timeout server 1m\n  timeout connect 5s\n  option forwardfor\n\
         frontend front\n  bind 127.0.0.1:PORT\n  http-request set-header X-Forwarded-Proto http\n\
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
