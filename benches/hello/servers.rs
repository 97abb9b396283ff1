//! The servers that this program starts itself as.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{future::RouteFuture, get};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, SERVER};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kestrel::{Host, RunningHost};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_service::Service;

use crate::{Result, TEXT};

/// Serves by the name of a server, if it is one, until our standard input ends.
pub(crate) fn by_name(name: &str) -> Option<Result<()>> {
    match name {
        "serve-kestrel" => Some(serve(kestrel_server())),
        "serve-hyper" => Some(serve(hyper_server(hello))),
        "serve-axum" => Some(serve(axum_server())),
        // For a client of HTTP/2, such as h2load.
        "serve-kestrel-h2" => Some(serve(kestrel_server_of("Http2"))),
        "serve-hyper-h2" => Some(serve(hyper_server_of_http2(hello))),
        "serve-axum-h2" => Some(serve(axum_server_of_http2())),
        _ => None,
    }
}

fn serve<T>(server: impl Future<Output = Result<(SocketAddr, T)>>) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (address, _running) = runtime.block_on(server)?;
    println!("Now listening on: http://{address}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.shutdown_background();
    Ok(())
}

async fn kestrel_server() -> Result<(SocketAddr, RunningHost)> {
    kestrel_server_of("Http1AndHttp2").await
}

async fn kestrel_server_of(protocols: &str) -> Result<(SocketAddr, RunningHost)> {
    let endpoint = [
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__Protocols", protocols),
    ];
    let host = Host::builder()
        .environment_variables(endpoint)
        .without_logging()
        .app(router())
        .build()?
        .start()
        .await?;
    let address = host.addresses()[0].trim_start_matches("http://").parse()?;
    Ok((address, host))
}

/// The smallest server on hyper: no timeouts, no stop, one answer.
async fn hyper_server<A, B>(
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) -> Result<(SocketAddr, JoinHandle<()>)>
where
    A: Future<Output = std::result::Result<Response<B>, Infallible>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let service = service_fn(answer.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    Ok((address, accepting))
}

/// The same for HTTP/2. Its windows are hyper's own.
async fn hyper_server_of_http2<A, B>(
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) -> Result<(SocketAddr, JoinHandle<()>)>
where
    A: Future<Output = std::result::Result<Response<B>, Infallible>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let service = service_fn(answer.clone());
            let builder = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(socket), service));
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

/// The same with axum's router in the middle.
async fn axum_server() -> Result<(SocketAddr, JoinHandle<()>)> {
    let app = router().with_state(());
    hyper_server(move |request| through(app.clone().call(request))).await
}

async fn axum_server_of_http2() -> Result<(SocketAddr, JoinHandle<()>)> {
    let app = router().with_state(());
    hyper_server_of_http2(move |request| through(app.clone().call(request))).await
}

async fn through(
    answer: RouteFuture<Infallible>,
) -> std::result::Result<Response<Body>, Infallible> {
    let mut response = answer.await?;
    response.headers_mut().insert(SERVER, HeaderValue::from_static("Kestrel"));
    Ok(response)
}

fn router() -> Router {
    Router::new().route("/", get(|| async { TEXT }))
}
