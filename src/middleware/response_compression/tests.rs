//! What goes in comes out again, whatever encodes it, and as soon as it is there.

use std::io::Read as _;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt as _;

use super::*;

fn stage(level: Level) -> ResponseCompression {
    let types = MediaTypes::DEFAULT.map(str::to_owned).to_vec();
    ResponseCompression(Arc::new(CompressionOptions {
        for_https: false,
        encodings: Encoding::NAMES.map(|(_, encoding)| encoding).to_vec(),
        types: MediaTypes::new(types, Vec::new()),
        level,
    }))
}

/// An answer behind the stage, to a client that takes this encoding.
fn through(accept: &str, response: Response) -> Response {
    through_at(Level::Fastest, accept, response)
}

/// The same at another level.
fn through_at(level: Level, accept: &str, response: Response) -> Response {
    let mut request = Request::new(Body::empty());
    request.headers_mut().insert(ACCEPT_ENCODING, accept.parse().unwrap());
    match stage(level).enter(&mut request) {
        Enter::Then(leave) => leave(response),
        _ => panic!("it goes on and comes back"),
    }
}

fn plain(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn decoded(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    match name {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut content),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut content),
        _ => {
            zstd::stream::read::Decoder::new(bytes).and_then(|mut it| it.read_to_end(&mut content))
        }
    }
    .expect("a whole body");
    content
}

#[tokio::test]
async fn what_goes_in_comes_out_again() {
    let large: Vec<u8> =
        (0..3_000_000u32).flat_map(|at| (at.wrapping_mul(at) / 7).to_le_bytes()).collect();
    for (name, _) in Encoding::NAMES {
        for content in [&b"a"[..], &large[..5000], &large] {
            let answer = through(name, plain(content.to_vec()));
            assert_eq!(answer.headers()[CONTENT_ENCODING], name);
            assert_eq!(answer.headers()[VARY], "Accept-Encoding");
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(decoded(name, &bytes) == content, "{name}, {}", content.len());
        }
    }
}

/// A body, and what it is made of.
fn events() -> (tokio::sync::mpsc::UnboundedSender<Bytes>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let pieces = stream::unfold(receiver, async |mut receiver| {
        let piece: Bytes = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, Body::from_stream(Box::pin(pieces)))
}

#[tokio::test]
async fn a_piece_is_sent_when_there_is_no_more_for_the_moment() {
    for (name, _) in Encoding::NAMES {
        let (sender, events) = events();
        let mut body = through(name, plain(events)).into_body();
        let mut sent = Vec::new();
        for event in ["one", "two"] {
            sender.send(Bytes::from_static(event.as_bytes())).unwrap();
            let frame = body.frame().await.unwrap().unwrap();
            assert!(!frame.data_ref().expect("data").is_empty(), "{name}");
            sent.extend_from_slice(frame.data_ref().unwrap());
        }
        drop(sender);
        while let Some(frame) = body.frame().await {
            sent.extend_from_slice(frame.unwrap().data_ref().unwrap());
        }
        assert_eq!(decoded(name, &sent), b"onetwo", "{name}");
    }
}

#[tokio::test]
async fn some_answers_stay_as_they_are() {
    let with = |name: HeaderName, value: &'static str| {
        let mut response = plain("text");
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    };
    for response in [
        with(CONTENT_TYPE, "image/png"),
        with(CONTENT_ENCODING, "identity"),
        with(CONTENT_RANGE, "bytes 0-3/9"),
        with(CACHE_CONTROL, "public, No-Transform"),
        plain(""),
    ] {
        let before = response.headers().get(CONTENT_ENCODING).cloned();
        let answer = through("gzip", response);
        assert_eq!(answer.headers().get(CONTENT_ENCODING), before.as_ref(), "{answer:?}");
    }
    let mut response = with(ETAG, "\"a\"");
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("4"));
    let answer = through("gzip", response);
    assert_eq!(answer.headers()[ETAG], "W/\"a\"");
    assert!(!answer.headers().contains_key(CONTENT_LENGTH));
}

/// Some text.
fn content(length: usize) -> Vec<u8> {
    let words = (0..).map(|at: u32| format!("{:x} ", at.wrapping_mul(at) % 7919));
    words.flat_map(String::into_bytes).take(length).collect()
}

#[tokio::test]
async fn what_takes_long_comes_out_as_it_went_in_and_when_it_happens() {
    for name in ["br", "zstd"] {
        let content = content(20_000);
        let answer = through_at(Level::SmallestSize, name, plain(content.clone()));
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(decoded(name, &bytes) == content, "{name}");

        let (sender, events) = events();
        let mut body = through_at(Level::SmallestSize, name, plain(events)).into_body();
        sender.send(Bytes::from_static(b"one")).unwrap();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(!first.is_empty(), "{name}");
        drop(sender);
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(decoded(name, &[&first[..], &rest].concat()), b"one", "{name}");
    }
}

/// All of it is one thread's: a task that is to run has its turn when those before it give theirs up.
#[tokio::test]
async fn what_takes_long_holds_up_nobody() {
    let done = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tasks = ["br", "zstd", "br", "zstd", "plain"].map(|name| {
        let done = Arc::clone(&done);
        // A piece that is compressed at once.
        let answer = through_at(Level::SmallestSize, name, plain(content(8_000)));
        tokio::spawn(async move {
            answer.into_body().collect().await.unwrap();
            done.lock().unwrap().push(name);
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(done.lock().unwrap()[0], "plain");
}

#[tokio::test]
async fn of_answers_that_take_long_some_are_given_up_to_less_when_there_are_many() {
    let content = content(2_000);
    let answers: Vec<_> = (0..20)
        .map(|_| through_at(Level::SmallestSize, "br", plain(content.clone())))
        .map(|answer| answer.into_body())
        .collect();
    let lengths = answers.into_iter().map(async |body| {
        let bytes = body.collect().await.unwrap().to_bytes();
        assert!(decoded("br", &bytes) == content);
        bytes.len()
    });
    let lengths = futures_util::future::join_all(lengths).await;
    let (least, most) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
    assert!(least < most, "{lengths:?}");
    // Afterwards there is room again.
    let answer = through_at(Level::SmallestSize, "br", plain(content.clone()));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), *least);
}
