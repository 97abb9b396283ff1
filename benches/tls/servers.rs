//! The servers that this program starts itself as, and nginx's configuration.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, SERVER};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kestrel::{Host, RunningHost};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificate;
use crate::{Result, TEXT};

/// Serves by the name of a server, if it is one, with the certificate and key that follow it, until
/// our standard input ends.
pub(crate) fn by_name(arguments: &[String]) -> Option<Result<()>> {
    let [name, certificate, key] = arguments else {
        return None;
    };
    match name.as_str() {
        "serve-kestrel" => Some(serve(kestrel_server(certificate, key))),
        "serve-bare" => Some(serve(bare_server(certificate, key))),
        _ => None,
    }
}

fn serve<T>(server: impl Future<Output = Result<(SocketAddr, T)>>) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (address, _running) = runtime.block_on(server)?;
    println!("Now listening on: https://{address}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.shutdown_background();
    Ok(())
}

async fn kestrel_server(certificate: &str, key: &str) -> Result<(SocketAddr, RunningHost)> {
    let endpoint = [
        ("Kestrel__Endpoints__A__Url", "https://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__Certificate__Path", certificate),
        ("Kestrel__Endpoints__A__Certificate__KeyPath", key),
    ];
    let app = Router::new().route("/", get(|| async { TEXT }));
    let host = Host::builder().environment_variables(endpoint).without_logging().app(app);
    let host = host.build()?.start().await?;
    let address = host.addresses()[0].trim_start_matches("https://").parse()?;
    Ok((address, host))
}

/// The smallest server on hyper and tokio-rustls: no timeouts, no stop, one answer.
async fn bare_server(certificate: &str, key: &str) -> Result<(SocketAddr, JoinHandle<()>)> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate)?],
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let (stream, service) = (TokioIo::new(stream), service_fn(hello));
                // The client ends it; there is nobody to tell.
                if is_http2 {
                    let builder = http2::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(stream, service).await;
                } else {
                    let _ = http1::Builder::new().serve_connection(stream, service).await;
                }
            });
        }
    });
    Ok((address, accepting))
}

async fn hello(_: Request<Incoming>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(TEXT.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(SERVER, HeaderValue::from_static("Kestrel"));
    Ok(response)
}

/// Writes the configuration of an nginx with one process, and gives its path. nginx takes no port
/// from its command line, so it is started by a script that puts it in.
pub(crate) fn nginx(folder: &Path, certificate: &Certificate) -> Result<String> {
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr crit;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n\
           access_log off; keepalive_requests 1000000000; server_tokens off;\n\
           server {{\n\
             listen 127.0.0.1:PORT ssl http2;\n\
             ssl_certificate {}; ssl_certificate_key {};\n\
             ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off;\n\
             location / {{ default_type 'text/plain; charset=utf-8'; return 200 '{TEXT}'; }}\n\
           }}\n\
         }}\n",
        certificate.path.display(),
        certificate.key.display(),
    );
    let template = folder.join("nginx.conf.template");
    fs::write(&template, configuration)?;
    let script = folder.join("nginx.sh");
    fs::write(
        &script,
        "sed \"s/PORT/$2/\" \"$1/nginx.conf.template\" >\"$1/nginx.conf\" && exec nginx -p \"$1\" -c nginx.conf\n",
    )?;
    Ok(script.display().to_string())
}
