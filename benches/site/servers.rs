//! Our server, which this program starts itself as, and nginx's configuration.

use std::fs;
use std::io;
use std::path::Path;

use axum::Router;
use kestrel::Host;

use crate::Result;

/// Serves the web root of a folder until our standard input ends.
pub(crate) fn kestrel(folder: &str) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let host = Host::builder()
        .environment_variables([("ASPNETCORE_URLS", "http://127.0.0.1:0")])
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
pub(crate) fn nginx(folder: &Path) -> Result<String> {
    let configuration = "daemon off; master_process off; pid nginx.pid; error_log stderr crit;\n\
         events { worker_connections 1024; }\n\
         http {\n\
           access_log off; keepalive_requests 1000000000; server_tokens off;\n\
           sendfile on; tcp_nopush on; open_file_cache max=1000;\n\
           types { application/octet-stream bin; }\n\
           server { listen 127.0.0.1:PORT; root wwwroot; }\n\
         }\n";
    fs::write(folder.join("nginx.conf.template"), configuration)?;
    let script = folder.join("nginx.sh");
    fs::write(
        &script,
        "sed \"s/PORT/$2/\" \"$1/nginx.conf.template\" >\"$1/nginx.conf\" && exec nginx -p \"$1\" -c nginx.conf\n",
    )?;
    Ok(format!("sh {} {} {{port}}", script.display(), folder.display()))
}
