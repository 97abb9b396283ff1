//! Bodies by each coding, in pieces of all sizes, whole, damaged and cut short.

use std::io::Write as _;

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, StreamBody};
use proptest::prelude::*;

use super::body::Decoded;
use super::*;
use crate::features::BadRequest;

const ALL: [Coding; 4] = [Coding::Brotli, Coding::Deflate, Coding::Gzip, Coding::Zstd];

fn compressed(coding: Coding, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match coding {
        Coding::Brotli => {
            let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 4, 22);
            encoder.write_all(text).unwrap();
        }
        Coding::Deflate => {
            let mut encoder = flate2::write::ZlibEncoder::new(&mut out, Default::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap();
        }
        Coding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(&mut out, Default::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap();
        }
        Coding::Zstd => out = zstd::stream::encode_all(text, 3).unwrap(),
    }
    out
}

/// What an app reads of a body that comes in pieces of this size, or what it fails with.
fn read(
    coding: Coding,
    sent: &[u8],
    piece: usize,
    max: Option<u64>,
) -> Result<Vec<u8>, axum::Error> {
    let pieces: Vec<_> = sent
        .chunks(piece)
        .map(|piece| Ok::<_, axum::Error>(http_body::Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let inner = Body::new(StreamBody::new(futures_util::stream::iter(pieces)));
    let body = Decoded::new(inner, coding, Some(RequestBodyLimits::new(max, None)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(body.collect()).map(|read| read.to_bytes().to_vec())
}

#[test]
fn what_is_behind_the_end_is_one_more_piece_or_nothing() {
    let (one, two) = (b"one, ".repeat(9_000), b"two".to_vec());
    let both = [one.clone(), two.clone()].concat();
    for coding in ALL {
        let (first, second) = (compressed(coding, &one), compressed(coding, &two));
        let twice = [first.clone(), second].concat();
        let joins = matches!(coding, Coding::Gzip | Coding::Zstd);
        let expected = if joins { &both } else { &one };
        for piece in [1, 2, 3, 1000, twice.len()] {
            let seen = read(coding, &twice, piece, None).unwrap();
            assert!(seen == *expected, "{coding:?} in pieces of {piece}: {}", seen.len());
            for behind in [&b"\0"[..], b"\x1f", b"\x1fx", b"\x28\xb5\x2f", b"\x50\x2a\x4d", b"more"]
            {
                let sent = [&first[..], behind].concat();
                let seen = read(coding, &sent, piece, None).unwrap();
                assert!(seen == one, "{coding:?}, {behind:?} in pieces of {piece}");
            }
        }
    }
    // User data, which zstd passes over, before, between and behind.
    let passed_over = b"\x53\x2a\x4d\x18\x02\x00\x00\x00hi";
    let frame = compressed(Coding::Zstd, &two);
    let sent = [&passed_over[..], &frame, passed_over, &frame, passed_over].concat();
    for piece in 1..sent.len() {
        assert_eq!(read(Coding::Zstd, &sent, piece, None).unwrap(), b"twotwo", "{piece}");
    }
}

#[test]
fn a_body_that_is_cut_short_is_short_and_a_damaged_one_fails() {
    let text: Vec<u8> = (0..40_000_u32).flat_map(|it| (it * it).to_le_bytes()).collect();
    for coding in ALL {
        let sent = compressed(coding, &text);
        for length in [0, 1, 5, sent.len() / 2, sent.len() - 1] {
            let seen = read(coding, &sent[..length], 777, None).unwrap();
            assert!(text.starts_with(&seen), "{coding:?} cut at {length}");
        }
        let mut other = sent.clone();
        other[0] ^= 0x55;
        other[1] ^= 0x55;
        other[3] ^= 0xff;
        let seen = read(coding, &other, 777, None);
        assert!(seen.as_ref().is_err() || seen.as_ref().is_ok_and(|it| *it != text), "{coding:?}");
    }
    let mut checked = compressed(Coding::Gzip, b"checked");
    let at = checked.len() - 8;
    checked[at] ^= 1;
    let error = read(Coding::Gzip, &checked, 3, None).unwrap_err();
    assert!(BadRequest::of(&error).is_none(), "{error}");
}

#[test]
fn no_more_comes_out_than_the_limit_allows() {
    let bomb = vec![0; 5_000_000];
    for coding in ALL {
        let sent = compressed(coding, &bomb);
        assert!(sent.len() < 6_000, "{coding:?}: {}", sent.len());
        let error = read(coding, &sent, 4096, Some(100_000)).unwrap_err();
        let bad = BadRequest::of(&error).expect("it is the client's");
        assert_eq!(bad.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(
            bad.to_string(),
            "The decompressed request body is larger than the request body size limit 100000."
        );
        assert_eq!(read(coding, &sent, 4096, Some(5_000_000)).unwrap().len(), bomb.len());
    }
}

#[tokio::test]
async fn a_bomb_leaves_others_their_turn() {
    let sent = compressed(Coding::Gzip, &vec![0; 3_000_000]);
    let mut body = Decoded::new(Body::from(sent), Coding::Gzip, None);
    let mut bytes = 0;
    let mut waits = 0;
    loop {
        let mut frame = std::pin::pin!(body.frame());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(frame.as_mut().poll(cx)));
        match polled.await {
            std::task::Poll::Pending => waits += 1,
            std::task::Poll::Ready(Some(frame)) => {
                bytes += frame.unwrap().into_data().unwrap().len();
            }
            std::task::Poll::Ready(None) => break,
        }
    }
    assert_eq!(bytes, 3_000_000);
    assert!(waits > 5, "{waits}");
}

#[test]
fn a_zstd_window_of_more_than_eight_mebibytes_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&[7; 1000]).unwrap();
    let sent = encoder.finish().unwrap();
    assert!(read(Coding::Zstd, &sent, 100, None).is_err());
}

proptest! {
    #[test]
    fn strangers_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        piece in 1_usize..50,
        of in 0_usize..4,
    ) {
        let _ = read(ALL[of], &bytes, piece, Some(10_000));
        let sent = [compressed(ALL[of], b"text"), bytes].concat();
        let _ = read(ALL[of], &sent, piece, Some(10_000));
    }
}
