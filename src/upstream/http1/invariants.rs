//! What must hold for every answer, whatever a server makes up. The property tests and the fuzz target
//! share these checks.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};

use super::body::{Reading, next};
use super::read_head::{Asked, Framing, Head, Malformed, Reader};
use crate::server::Chunks;
use crate::upstream::failure::FailureKind;
use crate::upstream::field_lines::FieldLines;

/// What is read of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::upstream) enum Outcome {
    /// The head is not complete.
    Partial,
    /// Whether it is too large; else it is malformed.
    NoHead {
        too_large: bool,
    },
    Read {
        head: Box<Head>,
        body: Vec<u8>,
        trailers: Option<HeaderMap>,
        end: End,
    },
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upstream) enum End {
    /// With what came.
    Open,
    Complete,
    Malformed,
}

/// Reads an answer that comes in pieces.
pub(in crate::upstream) fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let (mut reader, mut came) = (Reader::default(), BytesMut::new());
    let mut head: Option<Head> = None;
    let (mut body, mut trailers, mut end) = (Vec::new(), None, End::Open);
    let mut state = Reading::of(Framing::Length(0));
    let takes = |_: &http::HeaderName| true;
    for piece in pieces {
        came.extend_from_slice(piece);
        if head.is_none() && !came.is_empty() {
            let asked = Asked { head_only: false, takes: &takes, leaves_lines: None };
            match reader.take(&mut came, asked) {
                Ok(None) => continue,
                Ok(Some(found)) => {
                    state = Reading::of(found.framing);
                    head = Some(found);
                }
                Err(malformed) => {
                    return Outcome::NoHead { too_large: malformed == Malformed::TooLarge };
                }
            }
        }
        while head.is_some() && end == End::Open {
            match next(&mut came, &mut state) {
                Ok(Some(frame)) => match frame.into_data() {
                    Ok(data) => body.extend_from_slice(&data),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                },
                Ok(None) if matches!(state, Reading::End) => end = End::Complete,
                Ok(None) => break,
                Err(failure) => {
                    assert_eq!(failure.kind(), FailureKind::MalformedBody);
                    end = End::Malformed;
                }
            }
        }
    }
    match head {
        None => Outcome::Partial,
        Some(head) => Outcome::Read { head: Box::new(head), body, trailers, end },
    }
}

/// Checks the beginning of an answer; the first byte says where it is split.
pub(crate) fn answer(input: &[u8]) {
    let (choice, bytes) = input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
    let whole = read([bytes].into_iter());
    let step = usize::from(choice % 16) + 1;
    assert_eq!(read(bytes.chunks(step)), whole, "by {step}");
    let at = usize::from(choice) * bytes.len() / 256;
    let (one, two) = bytes.split_at(at);
    assert_eq!(read([one, two].into_iter()), whole, "at {at}");
    check_lines(bytes);
    if let Outcome::Read { head, body, trailers, end } = &whole {
        check(head);
        check_fields(trailers.iter().flatten());
        if head.framing == Framing::Chunked {
            check_chunks(bytes, body, *end);
        }
    }
}

fn check(head: &Head) {
    check_fields(head.fields.iter());
    let lengths: Vec<_> = head.fields.get_all(header::CONTENT_LENGTH).iter().collect();
    match (&lengths[..], head.framing) {
        ([], _) => {}
        ([one], Framing::Length(length)) => {
            let is_bare = head.status == 304;
            let said = one.to_str().ok().and_then(|text| text.parse::<u64>().ok());
            assert!(said == Some(length) || is_bare && length == 0, "{one:?} for {length}");
        }
        other => panic!("{other:?}"),
    }
    assert!(head.status.as_u16() >= 100);
    let upgrades = head.status == 101;
    assert!(upgrades || !head.fields.contains_key(header::UPGRADE));
}

/// Whoever asks for lines gets the same head: of those that are lines, the fields that the others have.
fn check_lines(bytes: &[u8]) {
    const LEFT: &str = "alt-svc";
    let read = |leaves_lines| {
        let takes = |name: &http::HeaderName| name != LEFT;
        let asked = Asked { head_only: false, takes: &takes, leaves_lines };
        Reader::default().take(&mut BytesMut::from(bytes), asked)
    };
    let (usual, mut lined) = (read(None), read(Some(&|name| name == LEFT)));
    if let Ok(Some(head)) = &mut lined
        && let Some(FieldLines { bytes, length, has_date, has_server }) = head.lines.take()
    {
        assert_eq!(
            (std::mem::take(&mut head.fields), head.framing),
            (HeaderMap::new(), Framing::Length(length))
        );
        let text = std::str::from_utf8(&bytes).expect("lines are ASCII");
        for line in text.split_terminator("\r\n") {
            let (name, value) = line.split_once(": ").expect("lines are made of names and values");
            let name: http::HeaderName = name.parse().expect("a name");
            head.fields.append(name, value.parse().expect("a value"));
        }
        assert!(
            text.ends_with("\r\n") && head.fields[header::CONTENT_LENGTH] == length.to_string()
        );
        assert_eq!(head.fields.contains_key(header::DATE), has_date);
        assert_eq!(head.fields.contains_key(header::SERVER), has_server);
    }
    assert_eq!(lined, usual);
}

/// Nothing that is of the connection, and nothing that could end a line.
fn check_fields<'a>(fields: impl Iterator<Item = (&'a http::HeaderName, &'a http::HeaderValue)>) {
    for (name, value) in fields {
        let of_connection =
            ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding"];
        assert!(!of_connection.contains(&name.as_str()), "{name}");
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
    }
}

/// The server's own reader takes the same of the chunks.
fn check_chunks(bytes: &[u8], body: &[u8], end: End) {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let mut chunks = Chunks::new((usize::MAX, usize::MAX));
    let (mut at, mut data) = (at, Vec::new());
    let judged = loop {
        match chunks.next_data(&bytes[at..]) {
            Ok((0, 0)) => break Ok(()),
            Ok((framing, length)) => {
                data.extend_from_slice(&bytes[at + framing..at + framing + length]);
                at += framing + length;
            }
            Err(broken) => break Err(broken),
        }
    };
    assert_eq!(Bytes::from(data), body);
    if judged.is_err() {
        assert_eq!(end, End::Malformed);
    }
    if end == End::Complete {
        assert!(chunks.is_at_trailers());
    }
}
