//! The head of an answer as bytes, where hyper has nothing to decide: the answer to a GET of HTTP/1.1 with a body of
//! a length that is known, behind which the connection goes on. Pure, but for the date.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};

use crate::pipeline::PreparedHead;
use crate::server::date;
use crate::server::response::SERVER_NAME;

/// Writes the head of an answer whose body has this length, as hyper does that writes names in title case: the
/// headers of the response, or those that were prepared for it, then what is added. Whether that is possible: where
/// it is not, `out` holds anything.
pub(super) fn write_head<B>(
    response: &Response<B>,
    length: u64,
    (added, prepared): (Added, Option<&PreparedHead>),
    out: &mut Vec<u8>,
) -> bool {
    let status = response.status();
    // An extension may be a reason, or anything else that hyper heeds.
    if response.version() != Version::HTTP_11 || !response.extensions().is_empty() {
        return false;
    }
    let Some(reason) = status.canonical_reason() else { return false };
    let is_without = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if status.is_informational() || is_without && length > 0 {
        return false;
    }
    out.clear();
    if status == StatusCode::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        for part in ["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    let written = match prepared {
        Some(prepared) => write_prepared(prepared, response.headers(), (length, is_without), out),
        None => write_headers(response.headers(), (length, is_without), out),
    };
    let Some(Written { length_is_told, has_date, has_server }) = written else { return false };
    if added != Added::Nothing && !has_date {
        out.extend_from_slice(b"Date: ");
        date::with_value(|date| out.extend_from_slice(date.as_bytes()));
        out.extend_from_slice(b"\r\n");
    }
    if added == Added::DateAndServer && !has_server {
        for part in ["Server: ", SERVER_NAME, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    if !length_is_told && !is_without {
        out.extend_from_slice(b"Content-Length: ");
        out.extend_from_slice(decimal(length, &mut [0; 20]));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    true
}

/// What is added to a head, unless it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    Nothing,
    Date,
    DateAndServer,
}

/// What the headers say that were written.
struct Written {
    length_is_told: bool,
    has_date: bool,
    has_server: bool,
}

/// Writes headers that were prepared, if there are no others, and they fit a body of this length, or none.
fn write_prepared(
    prepared: &PreparedHead,
    others: &HeaderMap,
    (length, is_without): (u64, bool),
    out: &mut Vec<u8>,
) -> Option<Written> {
    let fits = match prepared.length() {
        // hyper says behind all others that there is nothing.
        Some(told) => told == length && length > 0 && !is_without,
        None => true,
    };
    if !fits || !others.is_empty() {
        return None;
    }
    out.extend_from_slice(prepared.lines(|headers| {
        let mut lines = Vec::new();
        for (name, value) in headers {
            write_header(name, value, &mut lines);
        }
        lines
    }));
    let length_is_told = prepared.length().is_some();
    let (has_date, has_server) = (prepared.has_date(), prepared.has_server());
    Some(Written { length_is_told, has_date, has_server })
}

fn write_headers(
    headers: &HeaderMap,
    (length, is_without): (u64, bool),
    out: &mut Vec<u8>,
) -> Option<Written> {
    let is_empty = length == 0;
    let mut text = [0; 20];
    let length = decimal(length, &mut text);
    let mut is_told = false;
    let (mut has_date, mut has_server) = (false, false);
    for (name, value) in headers {
        match name.as_str() {
            "content-length" => {
                if is_without || is_told || value.as_bytes() != length {
                    return None;
                }
                is_told = true;
                if is_empty {
                    // hyper says so behind all others, whoever said it before.
                    continue;
                }
            }
            "connection" | "trailer" | "transfer-encoding" => return None,
            "date" => has_date = true,
            "server" => has_server = true,
            _ => {}
        }
        write_header(name, value, out);
    }
    Some(Written { length_is_told: is_told && !is_empty, has_date, has_server })
}

fn write_header(name: &HeaderName, value: &HeaderValue, out: &mut Vec<u8>) {
    match known(name.as_str()) {
        Some(known) => out.extend_from_slice(known),
        None => write_name(name.as_str().as_bytes(), out),
    }
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The names that most answers have, as [`write_name`] writes them.
fn known(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "accept-ranges" => b"Accept-Ranges: ",
        "cache-control" => b"Cache-Control: ",
        "content-length" => b"Content-Length: ",
        "content-type" => b"Content-Type: ",
        "date" => b"Date: ",
        "etag" => b"Etag: ",
        "last-modified" => b"Last-Modified: ",
        "server" => b"Server: ",
        "vary" => b"Vary: ",
        _ => return None,
    })
}

/// A name in title case and what stands behind it: `Content-Type: `.
fn write_name(name: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(name);
    let mut begins = true;
    for byte in &mut out[start..] {
        if begins {
            byte.make_ascii_uppercase();
        }
        begins = *byte == b'-';
    }
    out.extend_from_slice(b": ");
}

fn decimal(mut number: u64, text: &mut [u8; 20]) -> &[u8] {
    let mut start = text.len();
    loop {
        start -= 1;
        text[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &text[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use axum::body::Body;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::server::http1::options::builder;
    use crate::server::options::ServerOptions;

    /// The head that is written, if one is.
    fn written(
        status: u16,
        headers: &[(&'static str, &'static str)],
        length: u64,
    ) -> Option<String> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        let mut out = b"of before".to_vec();
        write_head(&response, length, (Added::Nothing, None), &mut out)
            .then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_head_is_written_as_hyper_writes_it() {
        for (status, headers, length, head) in [
            (200, &[("date", "now")][..], 3, "200 OK\r\nDate: now\r\nContent-Length: 3\r\n"),
            (
                200,
                &[("content-length", "3"), ("x--a-b", "c")],
                3,
                "200 OK\r\nContent-Length: 3\r\nX--A-B: c\r\n",
            ),
            (404, &[], 0, "404 Not Found\r\nContent-Length: 0\r\n"),
            (404, &[("content-length", "0")], 0, "404 Not Found\r\nContent-Length: 0\r\n"),
            (
                404,
                &[("content-length", "0"), ("date", "now")],
                0,
                "404 Not Found\r\nDate: now\r\nContent-Length: 0\r\n",
            ),
            (204, &[], 0, "204 No Content\r\n"),
            (304, &[("etag", "\"1\"")], 0, "304 Not Modified\r\nEtag: \"1\"\r\n"),
            (
                200,
                &[("a", "1"), ("b", "2"), ("a", "3")],
                0,
                "200 OK\r\nA: 1\r\nA: 3\r\nB: 2\r\nContent-Length: 0\r\n",
            ),
        ] {
            let head = format!("HTTP/1.1 {head}\r\n");
            assert_eq!(written(status, headers, length), Some(head));
        }
    }

    #[test]
    fn what_hyper_has_to_decide_is_left_to_it() {
        for (status, headers, length) in [
            (200, &[("connection", "close")][..], 0),
            (200, &[("transfer-encoding", "chunked")], 1),
            (200, &[("trailer", "a")], 1),
            (200, &[("content-length", "4")], 3),
            (200, &[("content-length", "03")], 3),
            (200, &[("content-length", "3"), ("content-length", "3")], 3),
            (304, &[("content-length", "3")], 0),
            (204, &[], 1),
            (101, &[], 0),
            (299, &[], 0),
        ] {
            assert_eq!(written(status, headers, length), None, "{status} {headers:?}");
        }
        let mut response = Response::new(());
        *response.version_mut() = Version::HTTP_10;
        assert!(!write_head(&response, 0, (Added::Nothing, None), &mut Vec::new()));
        let mut response = Response::new(());
        response.extensions_mut().insert(hyper::ext::ReasonPhrase::from_static(b"Fine"));
        assert!(!write_head(&response, 0, (Added::Nothing, None), &mut Vec::new()));
    }

    /// The head that hyper writes.
    async fn by_hyper(response: Response<Body>) -> Vec<u8> {
        let response = Mutex::new(Some(response));
        let service = service_fn(|_| {
            let response = response.lock().unwrap().take().expect("one request");
            async { Ok::<_, Infallible>(response) }
        });
        let (server, mut client) = tokio::io::duplex(64 * 1024);
        let builder = builder(&ServerOptions::default());
        let connection = builder.serve_connection(TokioIo::new(server), service);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        client.shutdown().await.unwrap();
        let mut came = Vec::new();
        let (served, read) = tokio::join!(connection, client.read_to_end(&mut came));
        served.unwrap();
        read.unwrap();
        let end = came.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
        came.truncate(end + 4);
        came
    }

    const NAMES: [&str; 9] = [
        "content-length",
        "date",
        "server",
        "x-a",
        "x-a",
        "connection",
        "trailer",
        "transfer-encoding",
        "content-type",
    ];

    proptest! {
        #[test]
        fn no_head_differs_from_hypers(
            status in 200_u16..=599,
            length in 0_usize..=12,
            added in 0_usize..3,
            headers in vec((0..NAMES.len(), prop_oneof!["[0-9]{1,2}", "[ -~\u{e4}]{0,9}"]), 0..5),
        ) {
            let mut response = Response::new(Body::from(vec![b'x'; length]));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                if let Ok(value) = value.parse() {
                    response.headers_mut().append(NAMES[name], value);
                }
            }
            let mut out = Vec::new();
            let added = [Added::Nothing, Added::Date, Added::DateAndServer][added];
            if write_head(&response, length as u64, (added, None), &mut out) {
                let headers = response.headers_mut();
                if added != Added::Nothing {
                    headers.entry("date").or_insert_with(date::header_value);
                }
                if added == Added::DateAndServer {
                    headers.entry("server").or_insert(SERVER_NAME.parse().unwrap());
                }
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let theirs = runtime.block_on(by_hyper(response));
                prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&theirs));
            }
        }
    }

    #[test]
    fn prepared_headers_are_written_as_those_of_the_answer() {
        for (status, length, headers) in [
            (200, 3, &[("content-length", "3"), ("etag", "\"1\""), ("x-a", "b"), ("x-a", "c")][..]),
            (200, 3, &[("etag", "\"1\"")]),
            (200, 0, &[]),
            (304, 0, &[("etag", "\"1\"")]),
        ] {
            let expected = written(status, headers, length).expect("a head");
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            let prepared = PreparedHead::new(map).expect("nothing for servers");
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let mut out = b"of before".to_vec();
            for _ in 0..2 {
                let left = (Added::Nothing, Some(&prepared));
                assert!(write_head(&response, length, left, &mut out));
                assert_eq!(String::from_utf8_lossy(&out), expected);
            }
            let left = (Added::DateAndServer, Some(&prepared));
            assert!(write_head(&response, length, left, &mut out));
            let text = String::from_utf8_lossy(&out);
            assert!(
                text.contains("\r\nDate: ") && text.contains("\r\nServer: Kestrel\r\n"),
                "{text}"
            );
            response.headers_mut().insert("connection", HeaderValue::from_static("close"));
            assert!(!write_head(&response, length, (Added::Date, Some(&prepared)), &mut out));
        }
        let mut map = HeaderMap::new();
        map.insert("content-length", HeaderValue::from_static("3"));
        let prepared = PreparedHead::new(map).expect("nothing for servers");
        for (status, length) in [(200, 4), (200, 0), (304, 3), (304, 0)] {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let left = (Added::Date, Some(&prepared));
            assert!(!write_head(&response, length, left, &mut Vec::new()), "{status} {length}");
        }
    }

    #[test]
    fn names_that_are_known_are_in_title_case() {
        for name in NAMES.into_iter().chain([
            "accept-ranges",
            "cache-control",
            "etag",
            "last-modified",
            "vary",
        ]) {
            let mut written = Vec::new();
            write_name(name.as_bytes(), &mut written);
            assert!(known(name).is_none_or(|known| known == written), "{name}");
        }
    }

    #[test]
    fn lengths_are_written_in_digits() {
        for number in [0, 7, 10, 1024, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
        }
    }
}
