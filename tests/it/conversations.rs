//! Connections as they come about by chance: requests of many kinds one behind the other, in pieces
//! that know nothing of where a request ends. All are answered in their order, and without delay.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{Method, Uri};
use axum::routing;
use http_body_util::BodyExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::support::{Wire, builder, really, started, stopped};

/// How many connections.
const CASES: usize = 250;

/// How long an answer may take. A server that has lost sight of a connection finds it again after
/// three seconds, when it looks how long nothing has happened.
const AT_ONCE: Duration = Duration::from_millis(2500);

fn app() -> Router {
    let short = Duration::from_millis(2);
    let echo = async |method: Method, uri: Uri, body: Bytes| {
        format!("{method} {} {}", uri.path(), body.len())
    };
    Router::new()
        .route(
            "/slow/{number}",
            routing::any(async move |method: Method, uri: Uri, request: Request| {
                really(short).await;
                let body = request.into_body().collect().await.expect("a good body").to_bytes();
                format!("{method} {} {}", uri.path(), body.len())
            }),
        )
        .route("/ignore/{number}", routing::any(async |uri: Uri| format!("{} ignored", uri.path())))
        .route(
            "/slow-ignore/{number}",
            routing::any(async move |uri: Uri| {
                really(short).await;
                format!("{} ignored", uri.path())
            }),
        )
        .fallback(echo)
}

/// One request, and the text that answers it.
#[derive(Clone, Debug)]
struct Exchange {
    request: String,
    answer: String,
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let path = prop::sample::select(&["/", "/", "/slow/", "/ignore/", "/slow-ignore/"][..]);
    let blank = prop::sample::select(&["", "", "", "\r\n", "\n", "\r\n\r\n"][..]);
    let host = prop::sample::select(&["", "", "", "http://a"][..]);
    let more = prop::sample::select(
        &["", "", "", "Connection: Upgrade\r\nUpgrade: x\r\n", "X: y\r\n"][..],
    );
    let size = prop_oneof![Just(0_usize), 1..50_usize, 1..40_000_usize];
    let chunks = prop::collection::vec(prop_oneof![1..20_usize, 1..5000_usize], 0..4);
    let body = prop_oneof![
        2 => Just((String::new(), 0)),
        1 => size.prop_map(|size| {
            (format!("Content-Length: {size}\r\n\r\n{}", "x".repeat(size)), size)
        }),
        1 => (chunks, any::<bool>()).prop_map(|(sizes, trailer)| {
            let mut text = "Transfer-Encoding: chunked\r\n\r\n".to_owned();
            for size in &sizes {
                text.push_str(&format!("{size:x}\r\n{}\r\n", "x".repeat(*size)));
            }
            text.push_str(if trailer { "0\r\nX: y\r\n\r\n" } else { "0\r\n\r\n" });
            (text, sizes.iter().sum())
        }),
    ];
    (path, 0..1000_u32, blank, host, more, body).prop_map(
        |(path, number, blank, host, more, (body, size))| {
            let method = if body.is_empty() { "GET" } else { "POST" };
            let body = if body.is_empty() { "\r\n" } else { &*body };
            let path = format!("{path}{number}");
            let request =
                format!("{blank}{method} {host}{path} HTTP/1.1\r\nHost: a\r\n{more}{body}");
            let answer = match path.contains("ignore") {
                true => format!("{path} ignored"),
                false => format!("{method} {path} {size}"),
            };
            Exchange { request, answer }
        },
    )
}

/// How the client ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Silence,
    Fin,
    Rejected,
    Close,
}

#[derive(Clone, Debug)]
struct Conversation {
    exchanges: Vec<Exchange>,
    /// Where the bytes are split, and whether time passes there.
    splits: Vec<(prop::sample::Index, bool)>,
    end: End,
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let split = (any::<prop::sample::Index>(), any::<bool>());
    let end = prop::sample::select(&[End::Silence, End::Fin, End::Rejected, End::Close][..]);
    (prop::collection::vec(exchange(), 1..8), prop::collection::vec(split, 0..8), end)
        .prop_map(|(exchanges, splits, end)| Conversation { exchanges, splits, end })
}

async fn hold(address: &str, conversation: &Conversation) {
    let mut bytes: Vec<u8> =
        conversation.exchanges.iter().flat_map(|one| one.request.bytes()).collect();
    match conversation.end {
        End::Silence | End::Fin => {}
        End::Rejected => bytes.extend(b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
        End::Close => bytes.extend(b"GET /0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    }
    let mut splits: Vec<_> = conversation
        .splits
        .iter()
        .map(|(place, passes)| (place.index(bytes.len()), *passes))
        .collect();
    splits.sort_unstable();
    let mut wire = Wire::connect(address).await;
    let mut begin = 0;
    for (end, passes) in splits {
        wire.send(&bytes[begin..end]).await;
        begin = end;
        if passes {
            really(Duration::from_millis(1)).await;
        }
    }
    wire.send(&bytes[begin..]).await;
    if matches!(conversation.end, End::Fin) {
        wire.finish().await;
    }
    for exchange in &conversation.exchanges {
        let answer = tokio::time::timeout(AT_ONCE, wire.answer()).await;
        let answer =
            answer.unwrap_or_else(|_| panic!("no {:?}: {conversation:?}", exchange.answer));
        assert_eq!((answer.status, &answer.body), (200, &exchange.answer), "{conversation:?}");
    }
    let last = match conversation.end {
        End::Silence => return,
        End::Fin => None,
        End::Rejected => Some(400),
        End::Close => Some(200),
    };
    let ended = async {
        if let Some(status) = last {
            assert_eq!(wire.answer().await.status, status, "{conversation:?}");
        }
        assert_eq!(wire.end().await.unwrap_or_default(), b"", "{conversation:?}");
    };
    let ended = tokio::time::timeout(AT_ONCE, ended).await;
    assert!(ended.is_ok(), "no end: {conversation:?}");
}

#[tokio::test]
async fn whatever_comes_one_behind_the_other_is_answered_in_order_and_at_once() {
    let host = started(builder().use_urls("http://127.0.0.1:0").app(app())).await;
    let address = &host.addresses()[0].clone();
    // The same every time: a failure can be looked for.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    for _ in 0..CASES {
        let case = conversation().new_tree(&mut runner).expect("a strategy that rejects nothing");
        hold(address, &case.current()).await;
    }
    stopped(host).await;
}
