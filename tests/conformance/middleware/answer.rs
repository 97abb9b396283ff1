//! What came back, in the shape of a recording.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::client::Heard;
use super::decoded::decoded;
use super::host::{self, Host};
use crate::http1::from_latin1;

/// Bodies up to this size are kept as they are.
const KEPT: usize = 1500;

pub(super) fn read(host: &Host, heard: &Heard, request: &Value, keep: Option<&str>) -> Value {
    let Some(at) = find(&heard.bytes, b"\r\n\r\n") else { return json!({"status": null}) };
    let (head, rest) = (from_latin1(&heard.bytes[..at]), &heard.bytes[at + 4..]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse::<u16>().ok());
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap_or((line, "")))
        .map(|(name, value)| (name.to_owned(), host.neutral(value.trim())))
        .filter(|(name, _)| !["date", "connection"].contains(&&*name.to_ascii_lowercase()))
        .collect();
    let method = request["method"].as_str().unwrap_or_default();
    let framed = framed(method, status.unwrap_or(0), &headers, rest);
    let mut seen = Map::new();
    seen.insert("status".to_owned(), json!(status));
    seen.insert("headers".to_owned(), json!(headers));
    seen.insert("framing".to_owned(), json!(framed.framing));
    if framed.cut {
        seen.insert("cut".to_owned(), json!(true));
    }
    let encoding = value(&headers, "content-encoding").filter(|it| ["gzip", "br"].contains(it));
    match encoding.filter(|_| !framed.body.is_empty()) {
        Some(encoding) => tell_encoded(&mut seen, encoding, &framed.body),
        None => tell_plain(&mut seen, host, &framed.body, keep),
    }
    if keep == Some("timeline") {
        let chunked = framed.framing == "chunked";
        let seen_by_time = by_time(heard, at + 4, chunked, value(&headers, "content-encoding"));
        seen.insert("seen".to_owned(), seen_by_time);
    }
    Value::Object(seen)
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(&found.1)
}

fn tell_encoded(seen: &mut Map<String, Value>, encoding: &str, body: &[u8]) {
    seen.insert("encoded".to_owned(), json!(encoding));
    seen.insert("encoded_len".to_owned(), json!(body.len()));
    let decoded = decoded(encoding, body);
    if encoding == "br" {
        let length = decoded.filter(|it| it.whole).map(|it| it.content.len());
        seen.insert("br_len".to_owned(), json!(length));
    } else if let Some(decoded) = decoded {
        seen.insert("decoded_len".to_owned(), json!(decoded.content.len()));
        seen.insert("decoded_sha256".to_owned(), json!(hash(&decoded.content)));
        seen.insert("whole".to_owned(), json!(decoded.whole));
    }
}

fn tell_plain(seen: &mut Map<String, Value>, host: &Host, body: &[u8], keep: Option<&str>) {
    let text = || host.neutral(&String::from_utf8_lossy(body));
    seen.insert("body_len".to_owned(), json!(body.len()));
    if matches!(keep, Some("outline" | "text")) {
        seen.insert("page".to_owned(), json!(text()));
    }
    if keep == Some("outline") && !body.is_empty() {
        seen.insert("links".to_owned(), json!(links(&text())));
    } else if body.len() <= KEPT {
        seen.insert("body".to_owned(), json!(text()));
    } else {
        seen.insert("body_sha256".to_owned(), json!(hash(body)));
    }
}

/// The first half of a hash, as the recordings have it.
fn hash(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A body and how its end is told.
#[derive(Debug, PartialEq, Eq)]
struct Framed {
    framing: &'static str,
    body: Vec<u8>,
    cut: bool,
}

fn framed(method: &str, status: u16, headers: &[(String, String)], rest: &[u8]) -> Framed {
    if method == "HEAD" || matches!(status, 204 | 304 | 0..=199) {
        return Framed { framing: "none", body: rest.to_vec(), cut: false };
    }
    if value(headers, "transfer-encoding").is_some_and(|it| it.contains("chunked")) {
        let (body, whole) = without_chunks(rest);
        return Framed { framing: "chunked", body, cut: !whole };
    }
    match value(headers, "content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => {
            Framed { framing: "length", body: rest.to_vec(), cut: rest.len() != length }
        }
        None => Framed { framing: "close", body: rest.to_vec(), cut: false },
    }
}

/// What chunks hold, and whether the last one is there.
fn without_chunks(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    let mut rest = bytes;
    while let Some(end) = find(rest, b"\r\n") {
        let line = from_latin1(&rest[..end]);
        let size = line.split(';').next().unwrap_or_default().trim();
        match usize::from_str_radix(size, 16) {
            Ok(0) => return (body, true),
            Ok(size) => {
                let data = &rest[end + 2..];
                body.extend_from_slice(&data[..size.min(data.len())]);
                rest = data.get(size + 2..).unwrap_or_default();
            }
            Err(_) => break,
        }
    }
    (body, false)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// How much of the content was there at which time, in steps that are long enough for a busy machine.
fn by_time(heard: &Heard, head: usize, chunked: bool, encoding: Option<&str>) -> Value {
    const STEP: f64 = 0.4;
    let mut seen: Vec<(u64, i64)> = Vec::new();
    for (time, length) in &heard.marks {
        let part = heard.bytes.get(head..*length).unwrap_or_default();
        let part = if chunked { without_chunks(part).0 } else { part.to_vec() };
        let content = match encoding {
            Some("gzip") if !part.is_empty() => {
                decoded("gzip", &part).map_or(-1, |it| it.content.len().cast_signed() as i64)
            }
            _ => part.len().cast_signed() as i64,
        };
        let slot = (time.as_secs_f64() / STEP).round() as u64;
        match seen.last_mut() {
            Some((last, amount)) if *last == slot => *amount = content,
            _ => seen.push((slot, content)),
        }
    }
    match encoding {
        None | Some("gzip") => json!(seen.iter().map(|(_, amount)| amount).collect::<Vec<_>>()),
        Some(_) => json!([format!("bytes arrive {} times", seen.len())]),
    }
}

/// Where the links of a page lead: the last part of each path, decoded, that of a folder with its slash.
fn links(page: &str) -> Vec<String> {
    let mut all = Vec::new();
    for anchor in page.split("<a ").skip(1) {
        let tag = anchor.split('>').next().unwrap_or_default();
        let Some(target) = tag.split("href=\"").nth(1).and_then(|it| it.split('"').next()) else {
            continue;
        };
        let target = target
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&#x27;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        let path = percent_encoding::percent_decode_str(&target).decode_utf8_lossy().into_owned();
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let slash = if path.ends_with('/') { "/" } else { "" };
        all.push(format!("{name}{slash}"));
    }
    all.sort();
    all.dedup();
    all
}

/// The harness's tests of this file.
pub(super) fn check() {
    host::check();
    let headers = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let framing = |headers: &[(String, String)], rest: &[u8]| framed("GET", 200, headers, rest);
    for (headers, rest, expected) in [
        (headers("Content-Length", "3"), "abc", ("length", "abc", false)),
        (headers("Content-Length", "4"), "abc", ("length", "abc", true)),
        (headers("a", "b"), "abc", ("close", "abc", false)),
        (
            headers("Transfer-Encoding", "chunked"),
            "3\r\nabc\r\n0\r\n\r\n",
            ("chunked", "abc", false),
        ),
        (headers("Transfer-Encoding", "chunked"), "3\r\nab", ("chunked", "ab", true)),
    ] {
        let framed = framing(&headers, rest.as_bytes());
        let seen = (framed.framing, std::str::from_utf8(&framed.body).expect("text"), framed.cut);
        assert_eq!(seen, expected);
    }
    assert_eq!(
        links(r#"<a href="./a%20b/">x</a> <a class="y" href="/z/c&amp;d">"#),
        ["a b/", "c&d"]
    );
    assert_eq!(hash(b""), "e3b0c44298fc1c14");
}
