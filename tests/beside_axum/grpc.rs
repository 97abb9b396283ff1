//! As `examples/grpc.rs`.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Router, routing::post};
use futures_util::stream::{self, Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::serve::{Failure, serve, settings, stop_by_signal};

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

pub(crate) async fn run() -> Result<(), Failure> {
    let stopping = stop_by_signal();
    let app = Router::new()
        .route("/greet.Greeter/SayHello", post(say_hello))
        .route("/greet.Greeter/KeepSayingHello", post(keep_saying_hello))
        .with_state(stopping.clone());
    serve(&settings()?, app, stopping).await
}

async fn say_hello(request: Request) -> impl IntoResponse {
    let answer = service_fn(async |request| greeting(request).map(Response::new));
    Grpc::new(ProstCodec::default()).unary(answer, request).await
}

async fn keep_saying_hello(
    State(stopping): State<CancellationToken>,
    request: Request,
) -> impl IntoResponse {
    let answer = service_fn(async |request| {
        let stopping = stopping.clone().cancelled_owned();
        let greetings = each_second(greeting(request)?).take_until(stopping);
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
