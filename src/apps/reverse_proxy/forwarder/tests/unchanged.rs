//! What goes through unchanged is unchanged, byte by byte, there and back.

#![expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

use super::kit::{all_to, application, cluster, destination};
use crate::apps::reverse_proxy::forwarder::Upstreams;

/// A message without its first line.
type Message = (Vec<(String, Vec<u8>)>, Vec<u8>);

/// A server that keeps what it gets, and answers what it is told to.
#[derive(Clone, Default)]
struct Behind {
    got: Arc<Mutex<Vec<u8>>>,
    says: Arc<Mutex<Vec<u8>>>,
}

impl Behind {
    async fn answer_all(self, mut stream: TcpStream) {
        let mut got = Vec::new();
        loop {
            if let Some(end) = whole(&got) {
                *self.got.lock().unwrap() = got.drain(..end).collect();
                let says = self.says.lock().unwrap().clone();
                stream.write_all(&says).await.unwrap();
            } else if stream.read_buf(&mut got).await.unwrap() == 0 {
                return;
            }
        }
    }
}

/// Where a message with a length ends, once all of it is there.
fn whole(got: &[u8]) -> Option<usize> {
    let head = end_of_head(got)?;
    let text = String::from_utf8_lossy(&got[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let end = head + length.map_or(0, |length| length.parse::<usize>().unwrap());
    (end <= got.len()).then_some(end)
}

fn end_of_head(got: &[u8]) -> Option<usize> {
    got.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The fields of a message with such names, which say nothing to anybody on the way.
fn own(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let own = headers.iter().filter(|(name, _)| name.as_str().starts_with("x-p-"));
    let mut own: Vec<_> =
        own.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    own.sort();
    own
}

fn parsed(head: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]).unwrap();
        headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).unwrap());
    }
    headers
}

/// Fields whose values are any bytes that a value may have, without blanks around them; and a body of any bytes.
fn messages() -> impl Strategy<Value = Message> {
    let value = prop::collection::vec(prop_oneof![0x21_u8..0x7f, 0x80_u8..=0xff], 1..40);
    let blanks =
        (value.clone(), value).prop_map(|(first, last)| [&*first, b" \t", &*last].concat());
    let names = "x-p-[a-z0-9!#$%&'*+.^`|~-]{1,12}";
    let fields = prop::collection::btree_map(names, blanks, 0..6);
    let body = prop::collection::vec(any::<u8>(), 0..3000);
    (fields.prop_map(|fields| fields.into_iter().collect()), body)
}

/// Paths and queries of what may stand there, escapes of any bytes included. A segment of dots would be resolved.
fn targets() -> impl Strategy<Value = String> {
    let piece = "[a-zA-Z0-9~!$&'()*+,;=:@-]|%[013-9a-fA-F][0-9a-fA-F]";
    let path = format!("(/({piece}){{0,5}}){{1,5}}");
    let query = format!("(\\?(({piece})|[/?.]){{0,12}})?");
    prop::string::string_regex(&(path + &query)).unwrap()
}

fn request(target: &str, (fields, body): &Message) -> Request<Body> {
    let mut request = Request::builder().method("POST").uri(target).header("host", "app.test");
    for (name, value) in fields {
        request = request.header(name, HeaderValue::from_bytes(value).unwrap());
    }
    let request = request.header("content-length", body.len());
    request.body(Body::from(body.clone())).unwrap()
}

fn answer((fields, body): &Message) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len()).into_bytes();
    for (name, value) in fields {
        answer.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    answer.extend(b"\r\n");
    answer.extend(body);
    answer
}

#[test]
fn targets_fields_and_bodies_go_through_byte_by_byte() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let behind = Behind::default();
    let server = behind.clone();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(server.clone().answer_all(stream));
        }
    });
    let _inside = runtime.enter();
    let options = all_to(cluster(vec![destination("d1", port)]));
    let application = RefCell::new(application(&Upstreams::default(), &options));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 512,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    });
    let cases = (targets(), messages(), messages());
    let result = runner.run(&cases, |(target, sent, said)| {
        *behind.says.lock().unwrap() = answer(&said);
        let (head, body) = runtime.block_on(async {
            let asked = application.borrow_mut().call(request(&target, &sent));
            let response = asked.await.unwrap();
            let (head, body) = response.into_parts();
            (head, to_bytes(body, usize::MAX).await.unwrap())
        });
        prop_assert_eq!(head.status, 200);
        prop_assert_eq!(own(&head.headers), said.0);
        prop_assert_eq!(&body[..], &said.1[..]);
        let got = behind.got.lock().unwrap().clone();
        let end = end_of_head(&got).unwrap();
        let line = format!("POST {target} HTTP/1.1\r\n");
        prop_assert!(got.starts_with(line.as_bytes()), "{:?}", String::from_utf8_lossy(&got));
        prop_assert_eq!(own(&parsed(&got[..end])), sent.0);
        prop_assert_eq!(&got[end..], &sent.1[..]);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
