//! The answers in a stream of bytes, read as a client that expects no harm reads them.

use serde_json::{Value, json};

use super::from_latin1;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    version: String,
    status: u16,
    reason: String,
    /// Names in lower case, in their order.
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// All of the body came.
    complete: bool,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// In the shape of the recordings.
    pub(crate) fn to_json(&self) -> Value {
        let shown = &self.body[..self.body.len().min(2000)];
        json!({
            "version": self.version,
            "status": self.status,
            "reason": self.reason,
            "headers": self.headers,
            "body": from_latin1(shown),
            "body_len": self.body.len(),
            "complete": self.complete,
        })
    }
}

/// Which of the requests in what is sent are HEAD requests, as far as one can see from outside:
/// a word in capitals at the start, or after a blank line.
pub(crate) fn head_requests(sent: &[u8]) -> Vec<bool> {
    let mut heads = Vec::new();
    let mut at = 0;
    while at < sent.len() {
        let blank = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().find(|end| sent[at..].starts_with(end));
        let word = match blank {
            Some(end) => at + end.len(),
            None if at == 0 => 0,
            None => {
                at += 1;
                continue;
            }
        };
        let length = sent[word..].iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        if length > 0 && sent.get(word + length) == Some(&b' ') {
            heads.push(&sent[word..word + length] == b"HEAD");
            at = word + length + 1;
        } else {
            at += 1;
        }
    }
    heads
}

/// All answers in `bytes`, and the start of what is left. `heads` says of each request whether it
/// is a HEAD request.
pub(crate) fn read(bytes: &[u8], heads: &[bool]) -> (Vec<Answer>, String) {
    let mut answers: Vec<Answer> = Vec::new();
    let mut rest = bytes;
    while let Some(end) = find(rest, b"\r\n\r\n") {
        let Some(mut answer) = head(&rest[..end]) else { break };
        rest = &rest[end + 4..];
        let final_ones = answers.iter().filter(|answer| answer.status >= 200).count();
        let is_head = heads.get(final_ones) == Some(&true);
        if answer.status >= 200 && !matches!(answer.status, 204 | 304) && !is_head {
            rest = body(&mut answer, rest);
        }
        answers.push(answer);
    }
    (answers, from_latin1(&rest[..rest.len().min(200)]))
}

/// `HTTP/1.1 200 OK` and the lines below it.
fn head(bytes: &[u8]) -> Option<Answer> {
    let text = from_latin1(bytes);
    let mut lines = text.split("\r\n");
    let line = lines.next()?.strip_prefix("HTTP/")?;
    let (version, line) = (line.get(..3)?, line.get(3..)?.strip_prefix(' ')?);
    let (status, reason) = (line.get(..3)?, line.get(3..)?);
    if !matches!(version, "1.0" | "1.1") || !status.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        (name.trim().to_lowercase(), value.trim().to_owned())
    });
    Some(Answer {
        version: version.to_owned(),
        status: status.parse().ok()?,
        reason: reason.strip_prefix(' ').unwrap_or(reason).to_owned(),
        headers: headers.collect(),
        body: Vec::new(),
        complete: true,
    })
}

/// Takes the body of `answer` from `rest` and says what is left.
fn body<'a>(answer: &mut Answer, mut rest: &'a [u8]) -> &'a [u8] {
    if answer.header("transfer-encoding").is_some_and(|encoding| encoding.contains("chunked")) {
        loop {
            let Some((size, chunk)) = chunk_size(rest) else {
                answer.complete = false;
                return &[];
            };
            answer.body.extend_from_slice(&chunk[..size.min(chunk.len())]);
            if chunk.len() < size.saturating_add(2) {
                answer.complete = false;
                return &[];
            }
            rest = &chunk[size + 2..];
            if size == 0 {
                return rest;
            }
        }
    }
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    let there = length.map_or(rest.len(), |length| length.min(rest.len()));
    answer.body = rest[..there].to_vec();
    answer.complete = length.is_none_or(|length| length == there);
    &rest[there..]
}

/// The size of a chunk, and what stands after its line.
fn chunk_size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = find(bytes, b"\r\n")?;
    let line = from_latin1(&bytes[..end]);
    let size = line.split(';').next().unwrap_or_default();
    let size = if size.is_empty() { "0" } else { size };
    Some((usize::from_str_radix(size.trim(), 16).ok()?, &bytes[end + 2..]))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The harness's test of this file.
pub(crate) fn check() {
    assert_eq!(head_requests(b"HEAD / HTTP/1.1\r\n\r\nGET / X\n\nHEAD x"), [true, false, true]);
    assert_eq!(head_requests(b"\r\n\r\nGET / X\r\n\r\nhello"), [false]);
    for (bytes, heads, statuses, complete, rest) in [
        (
            &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 204 \r\n\r\n"[..],
            &[][..],
            &[200, 204][..],
            true,
            "",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nHTTP/1.1 404 No\r\n\r\nx",
            &[true],
            &[200, 404],
            true,
            "",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a\r\nok\r\n0\r\n\r\n",
            &[],
            &[200],
            true,
            "",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
            &[],
            &[200],
            false,
            "",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", &[], &[200], false, ""),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\nhello", &[], &[101], true, "hello"),
        (b"HTTP/1.1 99 \r\n\r\n", &[], &[], true, "HTTP/1.1 99 \r\n\r\n"),
    ] {
        let (answers, left) = read(bytes, heads);
        let label = from_latin1(bytes);
        assert_eq!(answers.iter().map(|one| one.status).collect::<Vec<_>>(), statuses, "{label}");
        assert_eq!(answers.iter().all(|one| one.complete), complete, "{label}");
        assert_eq!(left, rest, "{label}");
    }
}
