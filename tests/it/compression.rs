//! Compressed requests and answers, with the programs of the system at the other end.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use kestrel::{Completion, HostBuilder, RequestSizeLimit, RunningHost};
use tempfile::TempDir;
use tokio::process::Command;

use crate::reload::Stage;
use crate::support::{Wire, builder, skipped, soon, started, stopped};

/// The programs, each with its coding, and how it is asked for more or less.
const PROGRAMS: [(&str, &str, &[&[&str]], &str); 3] = [
    ("gzip", "gzip", &[&["-1"], &["-9"]], "gzip (apt-get install gzip)"),
    ("brotli", "br", &[&["-q", "1"], &["-q", "11", "-w", "24"]], "brotli (apt-get install brotli)"),
    ("zstd", "zstd", &[&["-q", "-1"], &["-q", "-19"]], "zstd (apt-get install zstd)"),
];

/// Text that can be made shorter, and not too much.
fn content() -> Vec<u8> {
    let words = (0..120_000_u32).map(|at| format!("{:x} ", at.wrapping_mul(at) % 7919));
    words.collect::<String>().into_bytes()
}

/// What a program writes when it reads these bytes; `None` if it is not there.
async fn through(
    folder: &Path,
    program: &str,
    arguments: &[&str],
    bytes: &[u8],
) -> Option<Vec<u8>> {
    let path = folder.join("input");
    std::fs::write(&path, bytes).expect("the folder is ours");
    let input = File::open(&path).expect("it was written");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::from(input));
    let output = soon(program, command.output()).await.ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
    Some(output.stdout)
}

/// An app that sends back what it reads, and counts it.
fn echo() -> Router {
    let count = async |headers: HeaderMap, body: Bytes| {
        let coding = headers.get("content-encoding").map(|it| it.to_str().unwrap_or_default());
        format!("{} bytes, {}", body.len(), coding.unwrap_or("plain"))
    };
    Router::new()
        .route("/echo", post(async |body: Bytes| body))
        .route("/count", post(count))
        .route("/small", post(count).route_layer(RequestSizeLimit::bytes(1000)))
        .route("/text", get(async || ([(CONTENT_TYPE, "text/plain")], content())))
}

fn decompressing() -> HostBuilder {
    builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("RequestDecompression:Enabled", "true")
        .app(echo())
}

/// The status and the body of an answer to a request that ends its connection.
async fn exchange(host: &RunningHost, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let head = head.replace('\n', "\r\n");
    wire.send(format!("{head}\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
    // It may answer before it has read everything.
    wire.send_until_closed(body).await;
    let head = wire.head().await;
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    (status, wire.rest().await)
}

#[tokio::test]
async fn what_the_systems_programs_compress_is_read() {
    let host = started(decompressing()).await;
    let (folder, content) = (TempDir::new().expect("a folder"), content());
    for (program, coding, levels, needs) in PROGRAMS {
        for level in levels {
            let arguments = [level, &["-c"][..]].concat();
            let Some(sent) = through(folder.path(), program, &arguments, &content).await else {
                skipped("what_the_systems_programs_compress_is_read", needs);
                continue;
            };
            assert!(sent.len() < content.len(), "{program}");
            let head = format!(
                "POST /echo HTTP/1.1\nContent-Encoding: {coding}\nContent-Length: {}",
                sent.len()
            );
            let (status, body) = exchange(&host, &head, &sent).await;
            assert!(status == 200 && body == content, "{program} {level:?}: {status}");
            // In chunks, each behind the other.
            let chunks: Vec<u8> = sent
                .chunks(1500)
                .flat_map(|chunk| {
                    [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
                })
                .chain(*b"0\r\n\r\n")
                .collect();
            let head = format!(
                "POST /echo HTTP/1.1\nContent-Encoding: {coding}\nTransfer-Encoding: chunked"
            );
            let (status, body) = exchange(&host, &head, &chunks).await;
            assert!(status == 200 && body == content, "{program} {level:?} in chunks: {status}");
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn what_is_compressed_here_is_read_by_the_systems_programs() {
    let (folder, content) = (TempDir::new().expect("a folder"), content());
    for level in ["Fastest", "Optimal", "SmallestSize"] {
        let host = builder()
            .use_urls("http://127.0.0.1:0")
            .use_setting("ResponseCompression:Enabled", "true")
            .use_setting("ResponseCompression:Level", level)
            .app(echo());
        let host = started(host).await;
        for (program, coding, _, needs) in PROGRAMS {
            // A client of HTTP/1.0 gets no chunks.
            let head = format!("GET /text HTTP/1.0\nAccept-Encoding: {coding}");
            let (status, body) = exchange(&host, &head, b"").await;
            assert!(status == 200 && body.len() < content.len(), "{coding}: {}", body.len());
            let Some(read) = through(folder.path(), program, &["-dc"], &body).await else {
                skipped("what_is_compressed_here_is_read_by_the_systems_programs", needs);
                continue;
            };
            assert!(read == content, "{program} at {level}");
        }
        stopped(host).await;
    }
}

/// A body of zeros that gzip has made a thousand times smaller.
async fn bomb(folder: &Path, length: usize) -> Option<Vec<u8>> {
    through(folder, "gzip", &["-9c"], &vec![0; length]).await
}

#[tokio::test]
async fn a_body_is_as_large_as_what_comes_out_of_it() {
    let host =
        started(decompressing().use_setting("Kestrel:Limits:MaxRequestBodySize", "2000000")).await;
    let folder = TempDir::new().expect("a folder");
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (path, length, status, told) in [
        ("/count", 2_000_000, 200, "2000000 bytes, plain"),
        ("/count", 2_000_001, 413, ""),
        ("/count", 40_000_000, 413, ""),
        ("/small", 1000, 200, "1000 bytes, plain"),
        ("/small", 1001, 413, ""),
    ] {
        let Some(sent) = bomb(folder.path(), length).await else {
            return skipped(
                "a_body_is_as_large_as_what_comes_out_of_it",
                "gzip (apt-get install gzip)",
            );
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            sent.len()
        );
        wire.send([head.as_bytes(), &sent].concat()).await;
        // The connection goes on behind each.
        let answer = wire.answer().await;
        assert_eq!(answer.status, status, "{path}, {length}");
        assert!(status == 413 || answer.body == told, "{path}, {length}: {}", answer.body);
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_reload_says_what_is_decompressed() {
    const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let stage = Stage::new(&format!("{{{A}}}"));
    let host = stage.started(echo()).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    // `hi`, in two blocks that are stored, as zlib has it.
    let sent: &[u8] = b"\x78\x01\x00\x01\x00\xfe\xffh\x01\x01\x00\xfe\xffi\x01\x3b\x00\xd2";
    for (settings, expected) in [
        ("", "18 bytes, deflate"),
        (r#""RequestDecompression":{"Enabled":true},"#, "2 bytes, plain"),
        (r#""RequestDecompression":{"Enabled":true,"Providers":["gzip"]},"#, "18 bytes, deflate"),
        (r#""RequestDecompression":{"Enabled":false},"#, "18 bytes, deflate"),
    ] {
        stage.write(&format!("{{{settings}{A}}}"));
        soon("the reload", host.reload()).await.expect("nothing is wrong with it");
        let head = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Encoding: deflate\r\nContent-Length: 18\r\n\r\n";
        wire.send([head.as_bytes(), sent].concat()).await;
        assert_eq!(wire.answer().await.body, expected, "{settings}");
    }
    stopped(host).await;
}

/// The host and this test share one thread: if it is held up, no request that waits is answered first.
#[tokio::test]
async fn answers_that_take_long_to_compress_hold_up_no_other_request() {
    const MANY: usize = 8;
    let (entered, mut entries) = tokio::sync::mpsc::unbounded_channel();
    let out = Arc::new(AtomicUsize::new(0));
    let of_answer = Arc::clone(&out);
    let text: Vec<u8> = content().into_iter().take(4000).collect();
    let app = Router::new().route("/", get(async || "plain")).route(
        "/text",
        get(async move |completion: Completion| {
            entered.send(()).expect("somebody counts them");
            completion.on_end(move |_| {
                of_answer.fetch_add(1, Ordering::Relaxed);
            });
            ([(CONTENT_TYPE, "text/plain")], text)
        }),
    );
    let builder = builder()
        .use_urls("http://127.0.0.1:0")
        .use_setting("ResponseCompression:Enabled", "true")
        .use_setting("ResponseCompression:Level", "SmallestSize")
        .app(app);
    let host = started(builder).await;
    let address = host.addresses()[0].clone();
    let mut plain = Wire::connect(&address).await;
    assert_eq!(plain.get("/").await.body, "plain");
    let mut burst = Vec::new();
    for _ in 0..MANY {
        let mut wire = Wire::connect(&address).await;
        wire.send(
            "GET /text HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n",
        )
        .await;
        burst.push(wire);
    }
    for _ in 0..MANY {
        soon("the app is asked", entries.recv()).await.expect("it is there");
    }
    assert_eq!(plain.get("/").await.body, "plain");
    assert!(out.load(Ordering::Relaxed) < MANY, "all were out before the other was answered");
    for mut wire in burst {
        assert!(wire.head().await.contains("Content-Encoding: br\r\n"));
        assert!(!wire.rest().await.is_empty());
    }
    drop(plain);
    stopped(host).await;
}
