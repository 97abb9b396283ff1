//! Our server, which this program starts itself as, and nginx's configuration.

use std::fs;
use std::io;
use std::path::Path;

use axum::Router;
use kestrel::Host;

use crate::Result;
use crate::certificates::Certificate;

/// Serves the web root of a folder until our standard input ends: by TLS, with a certificate and a key; or with
/// an access log, if that is asked for.
pub(crate) fn kestrel(folder: &str, more: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let environment = match more {
        [log] if log == "access-log" => vec![
            ("ASPNETCORE_URLS", "http://127.0.0.1:0"),
            ("AccessLog__Enabled", "true"),
            ("AccessLog__Path", "access.log"),
        ],
        [certificate, key] => vec![
            ("Kestrel__Endpoints__A__Url", "https://127.0.0.1:0"),
            ("Kestrel__Endpoints__A__Certificate__Path", certificate.as_str()),
            ("Kestrel__Endpoints__A__Certificate__KeyPath", key.as_str()),
        ],
        _ => vec![("ASPNETCORE_URLS", "http://127.0.0.1:0")],
    };
    let host = Host::builder()
        .environment_variables(environment)
        .content_root(folder)
        .use_setting("StaticFiles:Enabled", "true")
        .without_logging()
        .app(Router::new());
    let host = runtime.block_on(async { host.build()?.start().await })?;
    println!("Now listening on: {}", host.addresses()[0]);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.shutdown_background();
    Ok(())
}

/// Writes the configuration of an nginx with one process, and gives the command that starts it. nginx takes no
/// port from its command line, so a script puts it in.
pub(crate) fn nginx(
    folder: &Path,
    connections: usize,
    certificate: Option<&Certificate>,
) -> Result<String> {
    // More than are asked for by one of the parts: it has some of its own.
    let connections = connections.max(512) * 2;
    let (listen, tls) = match certificate {
        None => ("PORT", String::new()),
        Some(Certificate { path, key }) => (
            "PORT ssl",
            format!(
                "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3;",
                path.display(),
                key.display()
            ),
        ),
    };
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit;\n\
         events {{ worker_connections {connections}; }}\n\
         http {{\n\
           access_log off; keepalive_requests 1000000000; server_tokens off;\n\
           sendfile on; tcp_nopush on; open_file_cache max=1000;\n\
           types {{ application/octet-stream bin; }}\n\
           server {{ listen 127.0.0.1:{listen}; root wwwroot; {tls} }}\n\
         }}\n"
    );
    fs::write(folder.join("nginx.conf.template"), configuration)?;
    let script = folder.join("nginx.sh");
    fs::write(
        &script,
        "sed \"s/PORT/$2/\" \"$1/nginx.conf.template\" >\"$1/nginx.conf\" && exec nginx -p \"$1\" -c nginx.conf\n",
    )?;
    Ok(format!("sh {} {} {{port}}", script.display(), folder.display()))
}
