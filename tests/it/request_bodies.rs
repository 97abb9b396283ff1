//! The bodies of requests: how large, how slow, and what becomes of what the app does not read.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::Uri;
use axum::routing::{any, post};
use http_body_util::BodyExt;
use kestrel::{BadRequest, MinDataRate, RequestBodyLimits, RunningHost, Unhandled};

use crate::support::{Wire, builder, limited, really, saying, started, stopped};

/// What an app can do with a body.
fn app() -> Router {
    async fn read(body: Bytes) -> String {
        format!("{} bytes", body.len())
    }
    async fn first_frame(request: Request) -> String {
        let mut body = request.into_body();
        let frame = body.frame().await.expect("a frame").expect("a good one");
        format!("{} bytes at first", frame.data_ref().map_or(0, Bytes::len))
    }
    async fn caught(body: Body) -> String {
        match axum::body::to_bytes(body, usize::MAX).await {
            Ok(bytes) => format!("{} bytes", bytes.len()),
            Err(error) => format!("{}", BadRequest::of(&error).expect("a bad request").status()),
        }
    }
    async fn handed_on(body: Body) -> Result<String, Unhandled> {
        Ok(format!("{} bytes", axum::body::to_bytes(body, usize::MAX).await?.len()))
    }
    saying("hello")
        .route("/read", any(read))
        .route("/first-frame", any(first_frame))
        .route("/ignore", any(async || "ignored"))
        .route("/caught", post(caught))
        .route("/handed-on", post(handed_on))
}

async fn host() -> RunningHost {
    started(builder().use_urls("http://127.0.0.1:0").app(app())).await
}

fn request(path: &str, framed: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framed}")
}

#[tokio::test]
async fn a_client_that_asks_is_told_to_go_on_when_the_app_reads() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..2 {
        wire.send(request("/read", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")).await;
        assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
        wire.send("hello").await;
        let answer = wire.answer().await;
        assert_eq!((&*answer.body, answer.header("Connection")), ("5 bytes", None));
    }
    wire.send(request("/ignore", "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")).await;
    let answer = wire.answer().await;
    // What comes next on the connection might be the body.
    assert_eq!((&*answer.body, answer.header("Connection")), ("ignored", Some("close")));
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_fails_by_its_length_or_where_it_becomes_too_large() {
    let host = started(limited(&[("MaxRequestBodySize", "100")]).app(app())).await;
    let address = &host.addresses()[0].clone();
    let chunk = |size: usize| format!("{size:x}\r\n{}\r\n", "x".repeat(size));
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    // The framing counts: 2 + 2 + 80 + 2, and 5 for the last chunk.
    let fits = format!("{chunked}{}0\r\n\r\n", chunk(80));
    let endless = format!("{chunked}{}{}", chunk(60), chunk(60));
    for (path, framed, status, text) in [
        ("/read", format!("Content-Length: 100\r\n\r\n{}", "x".repeat(100)), 200, "100 bytes"),
        ("/read", fits, 200, "80 bytes"),
        ("/handed-on", "Content-Length: 101\r\n\r\n".to_owned(), 413, ""),
        ("/caught", "Content-Length: 101\r\n\r\n".to_owned(), 200, "413 Payload Too Large"),
        ("/handed-on", endless.clone(), 413, ""),
        ("/caught", endless.clone(), 200, "413 Payload Too Large"),
        // An extractor only knows that the body failed.
        ("/read", endless, 413, "*"),
    ] {
        let mut wire = Wire::connect(address).await;
        wire.send(request(path, &framed)).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, status, "{path} {framed}");
        assert!(text == "*" || answer.body == text, "{path} {framed}: {}", answer.body);
        let fine = text.ends_with(" bytes");
        assert_eq!(answer.header("Connection"), (!fine).then_some("close"), "{path} {framed}");
        if fine {
            assert_eq!(wire.get("/").await.status, 200);
        } else {
            assert_eq!(wire.end().await.unwrap_or_default(), b"");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_app_may_change_the_limits_of_one_request_until_it_reads() {
    let app = app().route(
        "/limited",
        post(async |request: Request| {
            let limits = request.extensions().get::<RequestBodyLimits>().cloned();
            let limits = limits.expect("every request with a body has them");
            assert_eq!(limits.max_size(), Some(100));
            limits.set_max_size(Some(200)).expect("nothing is read");
            let mut body = request.into_body();
            let frame = body.frame().await.expect("a frame");
            let late = limits.set_max_size(None).expect_err("it is too late");
            match frame {
                Err(error) => format!("{error}"),
                Ok(frame) => {
                    let read = frame.data_ref().map_or(0, Bytes::len);
                    let rest = body.collect().await.expect("the rest").to_bytes().len();
                    format!("{} bytes. {late}", read + rest)
                }
            }
        }),
    );
    let host = started(limited(&[("MaxRequestBodySize", "100")]).app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let framed = format!("Content-Length: 150\r\n\r\n{}", "x".repeat(150));
    wire.send(request("/limited", &framed)).await;
    assert_eq!(
        wire.answer().await.body,
        "150 bytes. The maximum request body size cannot be modified after the app has already \
         started reading from the request body."
    );
    wire.send(request("/limited", "Content-Length: 201\r\n\r\n")).await;
    let answer = wire.answer().await;
    let text = "Request body too large. The max request body size is 200 bytes.";
    assert_eq!((&*answer.body, answer.header("Connection")), (text, Some("close")));
    stopped(host).await;
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_fails_with_408() {
    let app = app().route(
        "/patient",
        post(async |request: Request| {
            if let Some(limits) = request.extensions().get::<RequestBodyLimits>() {
                limits.set_min_data_rate(None);
            }
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
            format!("{} bytes", body.expect("a body that may take long").len())
        }),
    );
    let host = started(limited(&[]).app(app).configure_kestrel(|options| {
        let rate = MinDataRate::new(100.0, Duration::from_millis(1100));
        options.limits.min_request_body_data_rate = Some(rate.expect("it is one"));
    }))
    .await;
    let address = &host.addresses()[0].clone();
    let too_slow = async |path: &str, status: u16| {
        let mut wire = Wire::connect(address).await;
        let begun = Instant::now();
        wire.send(request(path, "Content-Length: 500\r\n\r\nabc")).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("Connection")), (status, Some("close")), "{path}");
        assert!(begun.elapsed() >= Duration::from_millis(1100), "{path}: {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(20), "{path}: {:?}", begun.elapsed());
        assert_eq!(wire.end().await.unwrap_or_default(), b"", "{path}");
    };
    let fast_before = async {
        let mut wire = Wire::connect(address).await;
        // 500 bytes earn a pause of five seconds, where the grace is over after one.
        wire.send(request("/read", "Content-Length: 550\r\n\r\n")).await;
        wire.send("x".repeat(500)).await;
        really(Duration::from_millis(1300)).await;
        wire.send("x".repeat(50)).await;
        assert_eq!(wire.answer().await.body, "550 bytes");
    };
    let patient = async {
        let mut wire = Wire::connect(address).await;
        wire.send(request("/patient", "Content-Length: 5\r\n\r\nhell")).await;
        really(Duration::from_millis(1800)).await;
        wire.send("o").await;
        assert_eq!(wire.answer().await.body, "5 bytes");
        assert_eq!(wire.get("/").await.status, 200);
    };
    tokio::join!(
        too_slow("/read", 408),
        too_slow("/handed-on", 408),
        too_slow("/caught", 200),
        fast_before,
        patient,
    );
    stopped(host).await;
}

#[tokio::test]
async fn the_next_request_stands_behind_a_body_the_app_did_not_read() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let large = "x".repeat(300_000);
    for path in ["/ignore", "/first-frame"] {
        let length = format!("Content-Length: {}\r\n\r\n{large}", large.len());
        let chunked =
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
        for framed in [length, chunked] {
            wire.send(request(path, &framed)).await;
            let answer = wire.answer().await;
            assert_eq!((answer.status, answer.header("Connection")), (200, None), "{path}");
            assert_eq!(wire.get("/").await.body, "hello", "{path}");
            // The same, but all of it at once.
            let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            wire.send(format!("{}{next}", request(path, &framed))).await;
            assert_eq!(wire.answer().await.status, 200, "{path}");
            assert_eq!(wire.answer().await.body, "hello", "{path}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_body_the_app_did_not_read_is_never_taken_for_requests() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let app = app().fallback({
        let asked = Arc::clone(&asked);
        async move |uri: Uri| {
            if uri.path() == "/before" {
                really(Duration::from_millis(10)).await;
            }
            asked.lock().expect("nobody panics").push(uri.path().to_owned());
            "asked"
        }
    });
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for size in [1, 10, 300, 400, 700, 3000] {
        // Wherever the server stops reading, a request could begin soon.
        let body = smuggled.repeat(size);
        for (path, framed) in ["/ignore", "/first-frame"].into_iter().flat_map(|path| {
            let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
            let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            [(path, length), (path, format!("Transfer-Encoding: chunked\r\n\r\n{chunk}"))]
        }) {
            // While it may become another protocol, the server reads far ahead.
            let upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n";
            let before = format!("GET /before HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n");
            let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
            wire.send(format!("{before}{}{next}", request(path, &framed))).await;
            for _ in 0..3 {
                assert_eq!(wire.answer().await.status, 200, "{path} {size}");
            }
            let asked = std::mem::take(&mut *asked.lock().expect("nobody panics"));
            assert_eq!(asked, ["/before", "/next"], "{path} {size}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_answer_goes_out_before_the_rest_of_a_body_comes() {
    let host = host().await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send(request("/ignore", "Content-Length: 10\r\n\r\nhello")).await;
    assert_eq!(wire.answer().await.body, "ignored");
    wire.send("world").await;
    assert_eq!(wire.get("/").await.body, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn the_rest_of_a_body_has_some_seconds_to_come() {
    let host = host().await;
    let address = &host.addresses()[0].clone();
    let silent = async |framed: &str| {
        let mut wire = Wire::connect(address).await;
        let begun = Instant::now();
        wire.send(request("/ignore", framed)).await;
        assert_eq!(wire.answer().await.body, "ignored", "{framed:?}");
        let error = wire.end().await.expect_err("the connection is cut off");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{framed:?}");
        assert!(begun.elapsed() >= Duration::from_secs(5), "{framed:?}: {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(20), "{framed:?}: {:?}", begun.elapsed());
    };
    let in_time = async {
        let mut wire = Wire::connect(address).await;
        wire.send(request("/ignore", "Content-Length: 4\r\n\r\n")).await;
        assert_eq!(wire.answer().await.body, "ignored");
        for byte in ["a", "b", "c", "d"] {
            really(Duration::from_secs(1)).await;
            wire.send(byte).await;
        }
        assert_eq!(wire.get("/").await.body, "hello");
    };
    tokio::join!(
        silent("Content-Length: 10\r\n\r\nhello"),
        silent("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        in_time,
    );
    stopped(host).await;
}

#[tokio::test]
async fn a_broken_body_ends_the_connection() {
    let host = host().await;
    let address = &host.addresses()[0].clone();
    let next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for broken in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloo0\r\n\r\n",
        "x\r\n",
        "0\r\n\n",
        "1;\n\r\na\r\n0\r\n\r\n",
    ] {
        for (path, status) in [("/read", 400), ("/handed-on", 400), ("/caught", 200)] {
            let mut wire = Wire::connect(address).await;
            let framed = format!("Transfer-Encoding: chunked\r\n\r\n{broken}{next}");
            wire.send(request(path, &framed)).await;
            let answer = wire.answer().await;
            assert_eq!(
                (answer.status, answer.header("Connection")),
                (status, Some("close")),
                "{path} {broken:?}"
            );
            assert_eq!(wire.end().await.unwrap_or_default(), b"", "{path} {broken:?}");
        }
        let mut wire = Wire::connect(address).await;
        wire.send(request("/ignore", &format!("Transfer-Encoding: chunked\r\n\r\n{broken}{next}")))
            .await;
        assert_eq!(wire.answer().await.body, "ignored");
        assert_eq!(wire.end().await.unwrap_or_default(), b"", "{broken:?}");
    }
    stopped(host).await;
}
