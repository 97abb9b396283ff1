//! gRPC by tonic, on the port of everything else: `cargo run --example grpc -- --urls http://127.0.0.1:5000`
//!
//! The messages and the two paths are what `tonic-prost-build` makes of a `.proto` file; with it, the app is
//! `Routes::new(server).into_axum_router()` of tonic's.

use std::process::ExitCode;
use std::time::Duration;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::{Router, routing::post};
use futures_util::stream::{self, Stream, StreamExt};
use kestrel::{Host, Lifetime};
use tonic::{Response, Status, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;

#[derive(Clone, PartialEq, prost::Message)]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HelloReply {
    #[prost(string, tag = "1")]
    message: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let app = Router::new()
        .route("/greet.Greeter/SayHello", post(say_hello))
        .route("/greet.Greeter/KeepSayingHello", post(keep_saying_hello));
    Host::from_args().app(app).run().await
}

async fn say_hello(request: Request) -> impl IntoResponse {
    let answer = service_fn(async |request| greeting(request).map(Response::new));
    Grpc::new(ProstCodec::default()).unary(answer, request).await
}

async fn keep_saying_hello(lifetime: Lifetime, request: Request) -> impl IntoResponse {
    let answer = service_fn(async |request| {
        let greetings = lifetime.until_stopping(each_second(greeting(request)?));
        // A client knows from this that it may ask another server.
        let end = stream::iter([Err(Status::unavailable("the server stops"))]);
        Ok(Response::new(greetings.chain(end)))
    });
    Grpc::new(ProstCodec::default()).server_streaming(answer, request).await
}

fn greeting(request: tonic::Request<HelloRequest>) -> Result<HelloReply, Status> {
    match request.into_inner().name {
        name if name.is_empty() => Err(Status::invalid_argument("there is nobody to greet")),
        name => Ok(HelloReply { message: format!("Hello, {name}!") }),
    }
}

fn each_second(reply: HelloReply) -> impl Stream<Item = Result<HelloReply, Status>> {
    stream::unfold(tokio::time::interval(Duration::from_secs(1)), move |mut tick| {
        let reply = reply.clone();
        async move {
            tick.tick().await;
            Some((Ok(reply), tick))
        }
    })
}
