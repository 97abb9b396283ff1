//! Answers that are not handed on as they are.

use axum::body::Body;
use http::{Method, Request};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;

use super::kit::{Scripted, all_to, application, ask, ask_for_head, cluster, destination, get};
use crate::apps::reverse_proxy::forwarder::Upstreams;
use crate::apps::reverse_proxy::transform_options::RequestTransform;

fn saying(head: &'static str, body: &'static str) -> impl Fn(&str) -> Option<String> {
    move |_| Some(format!("HTTP/1.1 {head}\r\n\r\n{body}"))
}

#[tokio::test]
async fn an_answer_to_head_has_no_length_for_who_asked_for_more() {
    for (answer, length) in [
        ("200 OK\r\nContent-Length: 30000000", None),
        ("200 OK\r\nTransfer-Encoding: chunked", None),
        ("200 OK", None),
        ("404 Not Found\r\nContent-Length: 3", None),
    ] {
        let server = Scripted::start(saying(answer, "")).await;
        let mut options = all_to(cluster(vec![destination("d1", server.port)]));
        let change = RequestTransform::Method { from: Method::GET, to: Method::HEAD };
        options.routes[0].transforms.request.push(change);
        let mut application = application(&Upstreams::default(), &options);
        let answered = ask_for_head(&mut application, get("/")).await;
        assert_eq!(answered.headers.get("content-length"), length, "{answer}");
        assert_eq!(ask(&mut application, get("/")).await.1, "", "{answer}");
        assert!(server.seen().iter().all(|request| request.starts_with("HEAD ")));
        // Who asks for a head is told the length.
        let mut request = get("/");
        *request.method_mut() = Method::HEAD;
        let answered = ask_for_head(&mut application, request).await;
        let is_told = answered.headers.contains_key("content-length");
        assert_eq!(is_told, answer.contains("Content-Length"), "{answer}");
    }
}

#[tokio::test]
async fn a_205_has_no_body() {
    for (answer, body, status) in [
        ("205 Reset Content\r\nContent-Length: 0", "", 205),
        ("205 Reset Content\r\nTransfer-Encoding: chunked", "0\r\n\r\n", 205),
        ("205 Reset Content\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n", 205),
        ("205 Reset Content", "abc", 205),
        // That it has one is known before anything of it is handed on.
        ("205 Reset Content\r\nContent-Length: 3", "abc", 502),
    ] {
        let server = Scripted::start(saying(answer, body)).await;
        let options = all_to(cluster(vec![destination("d1", server.port)]));
        let mut application = application(&Upstreams::default(), &options);
        for _ in 0..2 {
            let (got, text) = ask(&mut application, get("/")).await;
            assert_eq!((got.as_u16(), &*text), (status, ""), "{answer} {body}");
        }
    }
}

/// Asks for a WebSocket on a stream of HTTP/2, on which frames of it may come at any time.
fn websocket() -> Request<Body> {
    let never = futures_util::stream::pending::<Result<&'static str, &'static str>>();
    let mut request = get("/ws");
    *request.method_mut() = Method::CONNECT;
    *request.version_mut() = http::Version::HTTP_2;
    *request.body_mut() = Body::from_stream(never);
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let upgrade: OnUpgrade = hyper::upgrade::on(http::Request::new(()));
    request.extensions_mut().insert(upgrade);
    request
}

#[tokio::test]
async fn who_asks_for_a_websocket_on_http2_gets_the_answer_that_refuses_it() {
    for (answer, body, status) in [
        ("403 Forbidden\r\nContent-Length: 2", "no", 403),
        ("401 Unauthorized\r\nTransfer-Encoding: chunked", "2\r\nno\r\n0\r\n\r\n", 401),
        ("302 Found\r\nLocation: /in\r\nContent-Length: 2", "no", 302),
        // It would be the beginning of the WebSocket, and there is none.
        ("200 OK\r\nContent-Length: 2", "no", 502),
        ("204 No Content", "", 502),
        ("101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade", "", 200),
        ("101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade", "", 502),
    ] {
        let server = Scripted::start(saying(answer, body)).await;
        let options = all_to(cluster(vec![destination("d1", server.port)]));
        let mut application = application(&Upstreams::default(), &options);
        let (got, text) = ask(&mut application, websocket()).await;
        let expected = if status < 500 && status != 200 { "no" } else { "" };
        assert_eq!((got.as_u16(), &*text), (status, expected), "{answer}");
        let sent = server.seen().remove(0).to_lowercase();
        assert!(sent.starts_with("get /ws ") && sent.contains("upgrade: websocket"), "{sent}");
        assert!(!sent.contains("transfer-encoding") && !sent.contains("content-length"), "{sent}");
    }
}
