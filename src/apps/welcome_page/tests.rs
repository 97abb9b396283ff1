//! The app as a client sees it, without a socket.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request as HttpRequest, StatusCode, Uri};

use super::*;
use crate::features::ServerAddresses;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn welcome() -> WelcomePage {
    let addresses = ServerAddresses::default();
    addresses.publish(vec!["http://127.0.0.1:40123".to_owned()], Vec::new());
    WelcomePage::new(Welcome { environment: "Development".to_owned(), addresses, version: "1.2.3" })
}

async fn send(request: HttpRequest<Body>) -> (http::response::Parts, String) {
    let response = match welcome().call(request) {
        Answering::Ready(response) => response,
        Answering::Later(later) => later.await,
    };
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    (head, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
}

#[tokio::test]
async fn the_root_is_there_and_every_other_path_is_not() {
    let there = ["/", "//", "/?c=d", "/.", "*"].map(|path| (path, StatusCode::OK));
    let not = ["/a/b?c=d", "/%00", "/{id}", "/*rest", "/healthz"];
    let not = not.map(|path| (path, StatusCode::NOT_FOUND));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        for (path, status) in there.into_iter().chain(not) {
            let request = HttpRequest::builder().method(method).uri(path);
            let (head, body) = send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(head.status, status, "{method} {path}");
            assert!(body.contains(&format!("\"method\": \"{method}\"")), "{body}");
            assert!(body.contains(&format!("\"target\": \"{path}\"")), "{body}");
        }
    }
}

#[tokio::test]
async fn what_nobody_knows_how_to_do_is_not_allowed() {
    for method in ["BREW", "get", "PROPFIND", "CONNECT"] {
        let request = HttpRequest::builder().method(method).uri("a.test:80");
        let (head, body) = send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(head.headers[header::ALLOW], ANSWERED, "{method}");
        assert_eq!(body, "", "{method}");
    }
}

#[tokio::test]
async fn an_absolute_target_is_answered() {
    for uri in ["http://a.test", "http://a.test/", "https://a.test:81/?c"] {
        let request = HttpRequest::builder().uri(uri.parse::<Uri>().expect("a URI"));
        let (head, body) = send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(head.status, StatusCode::OK);
        assert!(body.contains("\"host\": \"a.test"), "{body}");
    }
}

#[tokio::test]
async fn browsers_get_html_and_others_json() {
    for (accept, content_type, start) in [
        (Some(BROWSER), "text/html; charset=utf-8", "<!doctype html>"),
        (Some("*/*"), "application/json; charset=utf-8", "{\n"),
        (None, "application/json; charset=utf-8", "{\n"),
    ] {
        let mut request = HttpRequest::builder().uri("/");
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        let (head, body) = send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(head.headers[header::CONTENT_TYPE], content_type);
        assert_eq!(head.headers[header::VARY], "Accept");
        assert_eq!(head.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(head.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(head.headers[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
        assert!(body.starts_with(start), "{body}");
        assert!(body.ends_with(">\n") || body.ends_with("}\n"), "{body}");
        assert!(body.contains("http://127.0.0.1:40123"), "{body}");
    }
}

#[tokio::test]
async fn accept_may_come_in_several_lines() {
    let request = HttpRequest::builder()
        .header(header::ACCEPT, "application/json;q=0.5")
        .header(header::ACCEPT, &b"\xff"[..])
        .header(header::ACCEPT, "text/html");
    let (head, _) = send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(head.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
}

/// A body of some pieces, or one that breaks off behind them.
struct Pieces {
    left: usize,
    breaks_off: bool,
}

impl axum::body::HttpBody for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, &'static str>>> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"piece")))))
            }
            None => Poll::Ready(self.breaks_off.then_some(Err("the client is gone"))),
        }
    }
}

#[tokio::test]
async fn the_body_of_a_request_is_read_before_the_answer_but_not_that_of_a_tunnel() {
    for (method, breaks_off, status) in [
        (Method::POST, false, StatusCode::OK),
        (Method::POST, true, StatusCode::BAD_REQUEST),
        (Method::CONNECT, true, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let request = HttpRequest::builder().method(&method).uri("/");
        let body = Body::new(Pieces { left: 3, breaks_off });
        let (head, _) = send(request.body(body).expect("a request")).await;
        assert_eq!(head.status, status, "{method} {breaks_off}");
    }
}

#[tokio::test]
async fn secrets_and_markup_of_a_request_do_not_come_back() {
    for accept in [BROWSER, "*/*"] {
        let request = HttpRequest::builder()
            .uri("/?q='&")
            .header(header::ACCEPT, accept)
            .header(header::AUTHORIZATION, "Basic hunter2")
            .header(header::COOKIE, "session=hunter2")
            .header("x-api-key", "hunter2")
            .header(header::USER_AGENT, "<script>alert(1)</script>")
            .header("x-bytes", &b"caf\xe9\t"[..]);
        let (_, body) = send(request.body(Body::empty()).expect("a request")).await;
        assert!(!body.contains("hunter2"), "{body}");
        assert_eq!(body.matches("(hidden)").count(), 3, "{body}");
        assert_eq!(body.contains("<script>"), accept == "*/*", "{body}");
        // The backslash is doubled by JSON.
        assert!(body.contains("xe9"), "{body}");
    }
}

#[test]
fn the_page_is_small_and_stands_alone() {
    let page = html::PAGE;
    assert!(page.len() < 10 * 1024, "{} bytes", page.len());
    for forbidden in ["<script", "style=", "@import", "url(", "src=", "http-equiv"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_policy_names_the_style_sheet() {
    // A browser hashes the text with bare newlines, whatever the checkout made of them.
    let page = html::PAGE.replace("\r\n", "\n");
    let (_, rest) = page.split_once("<style>").expect("a style sheet");
    let (style, _) = rest.split_once("</style>").expect("its end");
    let source = format!("style-src 'sha256-{}';", base64(&sha256::digest(style.as_bytes())));
    assert!(
        CONTENT_SECURITY_POLICY.contains(&source),
        "the style sheet has changed: CONTENT_SECURITY_POLICY needs {source}"
    );
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            text.push(if place <= group.len() {
                char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}

/// SHA-256 (FIPS 180-4), here so that the test needs neither a crate nor a tool.
mod sha256 {
    pub(super) fn digest(message: &[u8]) -> [u8; 32] {
        let mut padded = message.to_vec();
        padded.push(0x80);
        padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
        padded.extend((8 * message.len() as u64).to_be_bytes());

        let mut state: [u32; 8] = std::array::from_fn(|i| (prime(i) << 64).isqrt() as u32);
        for block in padded.chunks(64) {
            compress(&mut state, block);
        }
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    fn compress(state: &mut [u32; 8], block: &[u8]) {
        let mut words = [0u32; 64];
        for (word, bytes) in words.iter_mut().zip(block.chunks(4)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        for t in 16..64 {
            let (x, y) = (words[t - 15], words[t - 2]);
            let sigma0 = x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3;
            let sigma1 = y.rotate_right(17) ^ y.rotate_right(19) ^ y >> 10;
            words[t] = sum([words[t - 16], sigma0, words[t - 7], sigma1]);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        for (t, word) in words.into_iter().enumerate() {
            let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let choice = e & f ^ !e & g;
            let majority = a & b ^ a & c ^ b & c;
            let constant = cube_root(prime(t) << 96) as u32;
            let first = sum([h, sum1, choice, constant, word]);
            let second = sum([sum0, majority]);
            (h, g, f, e) = (g, f, e, sum([d, first]));
            (d, c, b, a) = (c, b, a, sum([first, second]));
        }
        for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(add);
        }
    }

    fn sum<const N: usize>(words: [u32; N]) -> u32 {
        words.into_iter().fold(0, u32::wrapping_add)
    }

    fn prime(index: usize) -> u128 {
        let is_prime = |n: &u128| (2..*n).all(|divisor| !n.is_multiple_of(divisor));
        (2..).filter(is_prime).nth(index).expect("no last prime")
    }

    /// The integer part of the cube root, bit by bit.
    fn cube_root(n: u128) -> u128 {
        (0..40).rev().fold(0, |root, bit| {
            let next = root | 1 << bit;
            if next * next * next <= n { next } else { root }
        })
    }

    #[test]
    fn matches_the_standard() {
        let hex = |digest: [u8; 32]| digest.map(|byte| format!("{byte:02x}")).concat();
        for (message, expected) in [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ] {
            assert_eq!(hex(digest(message.as_bytes())), expected);
        }
    }
}
