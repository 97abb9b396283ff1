//! What holds for every message.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use super::kit::{Ask, Upstream};
use crate::upstream::http1::invariants;

fn name() -> impl Strategy<Value = HeaderName> {
    "[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,20}"
        .prop_map(|name| HeaderName::from_bytes(name.as_bytes()).unwrap())
        .prop_filter("what is the codec's", |name| {
            let strange = [
                "host",
                "connection",
                "content-length",
                "transfer-encoding",
                "upgrade",
                "te",
                "keep-alive",
                "proxy-connection",
            ];
            !strange.contains(&name.as_str())
        })
}

/// A value without blanks at its ends, which are not kept.
fn value() -> impl Strategy<Value = HeaderValue> {
    proptest::collection::vec(prop_oneof![Just(b'\t'), 0x20_u8..0x7F, 0x80_u8..], 0..40)
        .prop_map(|bytes| HeaderValue::from_bytes(bytes.trim_ascii()).unwrap())
}

fn fields() -> impl Strategy<Value = HeaderMap> {
    proptest::collection::vec((name(), value()), 0..12).prop_map(|fields| {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(name, value);
        }
        map
    })
}

fn written(fields: &HeaderMap) -> Vec<u8> {
    let lines = fields.iter();
    lines
        .flat_map(|(name, value)| {
            [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
        })
        .collect()
}

/// A line whose name is spelled as people write it, as it was told.
fn in_small_letters(line: &str) -> String {
    match line.split_once(':') {
        Some((name, rest)) => format!("{}:{rest}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    }
}

/// A body in pieces, as chunks with trailers.
fn chunked(pieces: &[Vec<u8>], trailers: &HeaderMap) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        all.extend_from_slice(format!("{:X};x=\"y\"\r\n", piece.len()).as_bytes());
        all.extend_from_slice(piece);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(b"000\r\n");
    all.extend(written(trailers));
    all.extend_from_slice(b"\r\n");
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_answer_is_read_as_it_was_written(
        fields in fields(),
        trailers in fields(),
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..5),
        step in 1..200_usize,
    ) {
        let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
        bytes.extend(written(&fields));
        bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        bytes.extend(chunked(&pieces, &trailers));
        let read = invariants::read(bytes.chunks(step));
        let invariants::Outcome::Read { head, body, trailers: came, end } = read else {
            panic!("{read:?}")
        };
        prop_assert_eq!(&head.fields, &fields);
        prop_assert_eq!(body, pieces.concat());
        prop_assert_eq!(end, invariants::End::Complete);
        let mut expected = trailers;
        expected.remove("trailer");
        prop_assert_eq!(came.unwrap_or_default(), expected);
    }

    #[test]
    fn whatever_a_server_says_is_read_the_same_however_it_is_split(
        choice in any::<u8>(),
        lines in proptest::collection::vec(
            prop_oneof![
                Just("Content-Length: 5\r\n"), Just("Content-Length: 6\r\n"), Just("Transfer-Encoding: chunked\r\n"),
                Just("Connection: close, x-a\r\n"), Just("X-A: 1\r\n"), Just("x-b:\t 2 \r\n"), Just("Upgrade: x\r\n"),
                Just("X : 1\r\n"), Just(" folded\r\n"), Just("X: 1\n"), Just("\n"), Just("\r"), Just("X: \u{1}\r\n"),
                Just("Keep-Alive: timeout=7\r\n"), Just("\u{e9}: 1\r\n"), Just("X: \u{e9}\r\n"),
                Just("Content-Length: 5\r\n"), Just("content-length:05\r\n"), Just("Connection: Keep-Alive\r\n"),
                Just("connection: close\r\n"), Just("DATE: now\r\n"), Just("server: x\r\n"), Just("Alt-Svc: h3\r\n"),
                Just("Set-Cookie: a\r\n"), Just("Set-Cookie: b\r\n"), Just("X-Empty:\r\n"), Just("X-C:1\r\n"),
            ],
            0..8,
        ),
        start in prop_oneof![
            Just("HTTP/1.1 200 OK\r\n"), Just("HTTP/1.0 200 OK\r\n"), Just("HTTP/1.1 204\r\n"), Just("HTTP/1.1 304 \r\n"),
            Just("HTTP/1.1 101 X\r\n"), Just("HTTP/1.1 099 X\r\n"), Just("HTTP/2 200\r\n"), Just("\r\n"),
        ],
        rest in prop_oneof![
            Just("5\r\nhello\r\n0\r\n\r\n"), Just("5\r\nhello\r\n0\r\nX: 1\r\n\r\n"), Just("hello"), Just("5\nhello"),
            Just("5\r\nhelloX"), Just("0\r\nX : 1\r\n\r\n"), Just("5;a\r\nhello\r\n00\r\nTE: 1\r\n\r\nmore"), Just(""),
        ],
    ) {
        let mut bytes = vec![choice];
        bytes.extend_from_slice(start.as_bytes());
        lines.iter().for_each(|line| bytes.extend_from_slice(line.as_bytes()));
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(rest.as_bytes());
        invariants::answer(&bytes);
    }

    #[test]
    fn noise_is_no_answer_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        invariants::answer(&bytes);
        let mut more = vec![bytes.first().copied().unwrap_or_default()];
        more.extend_from_slice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        more.extend_from_slice(&bytes);
        invariants::answer(&more);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Over a socket: a server sees what was told, in order and unchanged, and nothing else.
    #[test]
    fn what_goes_out_arrives_unchanged(
        fields in fields(),
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3000), 0..6),
        by_length in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (told, mut came) = tokio::sync::mpsc::unbounded_channel();
            let upstream = Upstream::start(move |_, mut peer| {
                let told = told.clone();
                async move {
                    while let Some(head) = peer.head().await {
                        let head = head.to_ascii_lowercase();
                        let body = match head.contains("\r\ntransfer-encoding: chunked\r\n") {
                            true => peer.take_until(b"\r\n0\r\n\r\n").await,
                            false => {
                                let (_, rest) = head.rsplit_once("\r\ncontent-length: ").unwrap();
                                peer.take(rest.trim().parse().unwrap()).await
                            }
                        };
                        told.send(body).unwrap();
                        peer.send("HTTP/1.1 204 X\r\n\r\n").await;
                    }
                }
            });
            let all = pieces.concat();
            let (frames, body) = super::kit::channel();
            for piece in &pieces {
                frames.send(Ok(http_body::Frame::data(Bytes::from(piece.clone())))).unwrap();
            }
            drop(frames);
            let length = by_length.then_some(all.len() as u64);
            let mut ask = Ask::new(Method::PUT, "/");
            ask.fields = fields.clone();
            // Behind it nothing of the body is taken for its end.
            let body = if all.is_empty() && !by_length { Body::from("x") } else { body };
            ask.body(body, length).send(&upstream.server()).await.unwrap();
            let body = came.recv().await.unwrap();
            let head = upstream.heads.lock().unwrap().pop().unwrap();
            let mut lines = head.trim_end().split("\r\n");
            assert_eq!(lines.next(), Some("PUT / HTTP/1.1"));
            assert_eq!(lines.next(), Some("Host: host.test"));
            let told: Vec<String> = fields.iter().map(|(name, value)| {
                format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
            }).collect();
            let lines: Vec<String> = lines.map(in_small_letters).collect();
            assert_eq!(&lines[..lines.len() - 1], &told[..]);
            if by_length {
                assert_eq!(body, all);
            } else if !all.is_empty() && !all.windows(7).any(|seven| seven == b"\r\n0\r\n\r\n") {
                let answer = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &body[..]].concat();
                let invariants::Outcome::Read { body, .. } = invariants::read([&answer[..]].into_iter()) else {
                    panic!("unread")
                };
                assert_eq!(body, all);
            }
        });
    }
}
