//! Files from a folder, over real sockets.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use kestrel::{HostBuilder, MinDataRate};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::blame::Told;
use crate::http2_frames::{self as frames, Http2};
use crate::support::{Answer, Wire, builder, really, saying, soon, started, stopped};

/// What is told nobody.
const SECRET: &str = "this lies outside";

/// A content root with a web root in it, and a file beside that.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("wwwroot")).expect("a folder");
    fs::write(folder.path().join("secret.txt"), SECRET).expect("a file");
    for (name, text) in files {
        write(folder.path(), name, text.as_bytes());
    }
    folder
}

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join("wwwroot").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

fn serving(folder: &TempDir, settings: &[(&str, &str)]) -> HostBuilder {
    let builder = builder()
        .content_root(folder.path())
        .use_urls("http://127.0.0.1:0")
        .use_setting("StaticFiles:Enabled", "true")
        .app(saying("the app"));
    settings.iter().fold(builder, |builder, (key, value)| builder.use_setting(key, value))
}

async fn ask(wire: &mut Wire<TcpStream>, request: &str) -> Answer {
    wire.send(format!("{}\r\nHost: a.test\r\n\r\n", request.replace('\n', "\r\n"))).await;
    wire.answer().await
}

#[tokio::test]
async fn what_has_a_file_is_answered_with_it_and_the_rest_by_the_app() {
    let folder = folder(&[("a.txt", "inside"), ("sub/index.html", "<p>"), ("noext", "x")]);
    let host = started(serving(&folder, &[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (path, status, body) in [
        ("/a.txt", 200, "inside"),
        ("/sub/", 200, "<p>"),
        ("/sub", 301, ""),
        ("/", 200, "the app"),
        ("/noext", 404, ""),
        ("/missing.txt", 404, ""),
    ] {
        // Twice: what is asked for again comes from memory.
        for _ in 0..3 {
            let answer = wire.get(path).await;
            assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
        }
    }
    let answer = wire.get("/sub?x=1").await;
    assert_eq!(answer.header("Location"), Some("http://test/sub/?x=1"));
    let answer = wire.get("/a.txt").await;
    let tag = answer.header("ETag").expect("a tag").to_owned();
    assert_eq!(answer.header("Content-Type"), Some("text/plain"));
    let answer = ask(&mut wire, "GET /a.txt HTTP/1.1\nRange: bytes=2-3").await;
    assert_eq!((answer.status, &*answer.body), (206, "si"));
    assert_eq!(answer.header("Content-Range"), Some("bytes 2-3/6"));
    wire.send(format!("GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: {tag}\r\n\r\n")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 304 "));
    wire.send("HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("Content-Length: 6\r\n"), "{head}");
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_changed_file_is_seen_within_seconds() {
    let folder = folder(&[("a.txt", "before")]);
    let host = started(serving(&folder, &[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..5 {
        assert_eq!(wire.get("/a.txt").await.body, "before");
    }
    write(folder.path(), "a.txt", b"after that");
    let begin = std::time::Instant::now();
    while wire.get("/a.txt").await.body != "after that" {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never seen");
    }
    fs::remove_file(folder.path().join("wwwroot/a.txt")).expect("it is there");
    while wire.get("/a.txt").await.status != 404 {
        assert!(begin.elapsed() < Duration::from_secs(60), "it is never gone");
    }
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn nothing_outside_of_the_root_is_sent_by_any_path() {
    let folder = folder(&[("a.txt", "inside"), (".env", SECRET), (".git/config", SECRET)]);
    #[cfg(unix)]
    for (target, link) in [("../secret.txt", "out.txt"), ("..", "out")] {
        std::os::unix::fs::symlink(target, folder.path().join("wwwroot").join(link)).unwrap();
    }
    let settings =
        [("StaticFiles:ServeUnknownFileTypes", "true"), ("DirectoryBrowser:Enabled", "true")];
    let host = started(serving(&folder, &settings)).await;
    let ups = [
        "..",
        "%2e%2e",
        "%2E%2e",
        ".%2e",
        "..%2f",
        "..%5c",
        "..\\",
        "%252e%252e",
        "..%00",
        "...",
        "....",
        "..;",
        "%c0%ae%c0%ae",
        "%e0%80%ae.",
        "..%c0%af",
        "out",
        "out/..",
        "./..",
        "a.txt/..",
        ".git/..",
    ];
    let mut paths: Vec<String> = Vec::new();
    for up in ups {
        for before in ["", "a.txt/", "sub/", "/", "./", "out/"] {
            for times in 1..=3 {
                let way = format!("{up}/").repeat(times);
                paths.push(format!("/{before}{way}secret.txt"));
                paths.push(format!("/{before}{way}wwwroot/../secret.txt"));
            }
        }
    }
    paths.extend(
        ["/out.txt", "/.env", "/%2eenv", "/.git/config", "//.git//config", "/out/secret.txt"]
            .map(str::to_owned),
    );
    paths.push(folder.path().join("secret.txt").display().to_string());
    paths.push(format!("/{}", folder.path().join("secret.txt").display()));
    let mut answered = 0;
    for path in &paths {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        wire.send_until_closed(request).await;
        let answer = String::from_utf8_lossy(&wire.rest().await).into_owned();
        assert!(!answer.contains(SECRET), "{path}: {answer}");
        answered += usize::from(answer.starts_with("HTTP/1.1 4"));
    }
    assert!(answered > paths.len() / 2, "{answered} of {}", paths.len());
    stopped(host).await;
}

#[tokio::test]
async fn a_large_file_comes_whole_and_one_that_is_cut_short_ends_the_connection() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let folder = folder(&[]);
    let bytes: Vec<u8> = (0..LENGTH).map(|at| (at / 251) as u8).collect();
    write(folder.path(), "big.bin", &bytes);
    let host = started(serving(&folder, &[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(wire.head().await.contains(&format!("Content-Length: {LENGTH}\r\n")));
    assert!(wire.take(LENGTH).await == bytes);
    wire.send("GET /big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=100000-7000000\r\n\r\n").await;
    wire.head().await;
    assert!(wire.take(6_900_001).await == bytes[100_000..=7_000_000]);

    // More than any buffers hold that this client has not read.
    const MORE: u64 = 256 * 1024 * 1024;
    let path = folder.path().join("wwwroot/cut.bin");
    let file = File::create(&path).expect("a file");
    file.set_len(MORE).expect("a hole");
    wire.send("GET /cut.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.head().await;
    file.set_len(1000).expect("it is there");
    let came = match wire.end().await {
        Ok(bytes) => bytes.len(),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            0
        }
    };
    assert!((came as u64) < MORE, "the end cannot be there");
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/cut.bin").await.header("Content-Length"), Some("1000"));
    drop(wire);
    stopped(host).await;
}

/// What the client is told by its end, the log is by one line: nothing of it is the app's.
#[tokio::test]
async fn a_file_that_is_cut_short_is_told_by_one_line_on_every_way() {
    for (settings, asks) in [
        (&[][..], Asks::Http1),
        (&[][..], Asks::Http2),
        // Its bytes are read, and compressed.
        (&[("ResponseCompression:Enabled", "true")][..], Asks::Http1),
    ] {
        let heard = Told::default();
        let _heard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
        let folder = folder(&[]);
        let file = File::create(folder.path().join("wwwroot/cut.txt")).expect("a file");
        // More than any buffers hold.
        file.set_len(256 * 1024 * 1024).expect("a hole");
        let host = started(serving(&folder, settings)).await;
        match asks {
            Asks::Http1 => {
                let mut wire = Wire::connect(&host.addresses()[0]).await;
                let taken = if settings.is_empty() { "identity" } else { "gzip" };
                wire.send(format!(
                    "GET /cut.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {taken}\r\n\r\n"
                ))
                .await;
                wire.head().await;
                file.set_len(1000).expect("it is there");
                let _cut = wire.end().await;
            }
            Asks::Http2 => {
                let mut http2 = Http2::connect(&host.addresses()[0]).await;
                http2.request(1, "/cut.txt").await;
                http2.next_of_kind(frames::HEADERS).await;
                file.set_len(1000).expect("it is there");
                for stream in [0, 1] {
                    let more = 100_000_000_u32.to_be_bytes();
                    http2.send(frames::WINDOW_UPDATE, 0, stream, &more).await;
                }
                http2.next_of_kind(frames::RST_STREAM).await;
            }
        }
        stopped(host).await;
        assert_eq!(heard.errors(), [(Level::WARN, 2)], "{settings:?}");
    }
}

enum Asks {
    Http1,
    Http2,
}

#[tokio::test]
async fn files_of_all_sizes_come_whole_one_behind_the_other() {
    let folder = folder(&[("small.txt", "small")]);
    let bytes = |length: usize| (0..length).map(|at| (at / 253 + at) as u8).collect::<Vec<_>>();
    let sizes =
        [64 * 1024, 64 * 1024 + 1, 200_000, 1024 * 1024, 2 * 1024 * 1024, 3 * 1024 * 1024 + 7];
    for size in sizes {
        write(folder.path(), &format!("{size}.bin"), &bytes(size));
    }
    let host = started(serving(&folder, &[])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    // Three times, as what is asked for again is kept open.
    for _ in 0..3 {
        let mut all = String::new();
        for size in sizes {
            for (method, range) in [("GET", ""), ("HEAD", ""), ("GET", "Range: bytes=3-70000\r\n")]
            {
                all += &format!("{method} /{size}.bin HTTP/1.1\r\nHost: a\r\n{range}\r\n");
            }
            all += "GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n";
        }
        wire.send(all).await;
        for size in sizes {
            let whole = bytes(size);
            assert!(wire.head().await.contains(&format!("\r\nContent-Length: {size}\r\n")));
            assert!(wire.take(size).await == whole, "{size}");
            assert!(wire.head().await.contains(&format!("\r\nContent-Length: {size}\r\n")));
            let part = &whole[3..size.min(70_001)];
            assert!(wire.head().await.starts_with("HTTP/1.1 206 "));
            assert!(wire.take(part.len()).await == part, "a part of {size}");
            assert_eq!(wire.answer().await.body, "small");
        }
    }
    // HTTP/1.0, which has its version taken off before it is sent.
    wire.send("GET /200000.bin HTTP/1.0\r\nHost: a\r\n\r\n").await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
    assert!(wire.end().await.expect("all of it") == bytes(200_000));
    stopped(host).await;
}

#[tokio::test]
async fn a_stage_that_looks_into_answers_sees_the_bytes_of_a_file() {
    const LENGTH: usize = 3 * 1024 * 1024;
    let folder = folder(&[]);
    let text: Vec<u8> = (0..LENGTH).map(|at| b'a' + (at / 1000 % 26) as u8).collect();
    write(folder.path(), "big.txt", &text);
    let settings = [
        ("ResponseCompression:Enabled", "true"),
        ("ResponseCompression:EnableForHttps", "true"),
        ("ResponseCompression:Level", "Fastest"),
    ];
    let host = started(serving(&folder, &settings)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for _ in 0..3 {
        let request = "GET /big.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n";
        wire.send(request).await;
        let head = wire.head().await;
        assert!(head.contains("\r\nContent-Encoding: gzip\r\n"), "{head}");
        let mut packed = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.extend(wire.take(1).await);
            }
            let size = String::from_utf8(size).expect("digits");
            let size = usize::from_str_radix(size.trim(), 16).expect("digits");
            packed.extend(wire.take(size).await);
            wire.take(2).await;
            if size == 0 {
                break;
            }
        }
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut unpacked)
            .expect("it is packed");
        assert!(unpacked == text);
        // Who takes nothing packed gets the file itself.
        wire.send("GET /big.txt HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.head().await;
        assert!(wire.take(LENGTH).await == text);
    }
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn a_client_that_takes_none_of_a_file_is_cut_off_and_others_are_served() {
    const LENGTH: u64 = 64 * 1024 * 1024;
    let folder = folder(&[("a.txt", "small")]);
    let file = File::create(folder.path().join("wwwroot/big.bin")).expect("a file");
    file.set_len(LENGTH).expect("a hole");
    let builder = serving(&folder, &[]).configure_kestrel(|options| {
        let rate = MinDataRate::new(1_000_000.0, Duration::from_millis(1100));
        options.limits.min_response_data_rate = Some(rate.expect("it is one"));
    });
    let host = started(builder).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        wire.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
        slow.push(wire);
    }
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    assert_eq!(wire.get("/a.txt").await.body, "small");
    // One that goes in the middle of it takes nobody with it.
    slow.pop().expect("there are some").reset();
    let counters = host.counters().expect("the built-in server counts");
    let cut = async {
        while counters.open() > 1 {
            assert_eq!(wire.get("/a.txt").await.body, "small");
            really(Duration::from_millis(20)).await;
        }
    };
    soon("the end of those that take nothing", cut).await;
    assert_eq!(counters.answers_timed_out(), slow.len() as u64);
    drop((wire, slow));
    stopped(host).await;
}

#[tokio::test]
async fn pages_stand_in_for_what_nothing_has() {
    let folder = folder(&[("app.html", "<app>"), ("gone.html", "<gone>")]);
    let settings =
        [("NavigationFallback:Path", "app.html"), ("StaticFiles:NotFoundPage", "gone.html")];
    let host = started(serving(&folder, &settings)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (path, status, body) in
        [("/", 200, "the app"), ("/some/page", 200, "<app>"), ("/some/script.js", 404, "<gone>")]
    {
        let answer = wire.get(path).await;
        assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
    }
    let answer = ask(&mut wire, "POST /some/page HTTP/1.1\nContent-Length: 0").await;
    assert_eq!((answer.status, &*answer.body), (404, ""));
    drop(wire);
    stopped(host).await;
}

#[tokio::test]
async fn headers_go_by_names_and_siblings_by_what_the_client_takes() {
    let folder = folder(&[
        ("assets/app.js", "let a = 1;"),
        ("assets/app.js.br", "brotli"),
        ("assets/app.js.gz", "gzipped"),
        ("index.html", "<p>"),
    ]);
    let settings = [
        ("StaticFiles:Precompressed", "true"),
        ("StaticFiles:Headers:*:Cache-Control", "no-cache"),
        ("StaticFiles:Headers:/assets/*:Cache-Control", "immutable"),
    ];
    let host = started(serving(&folder, &settings)).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (accepted, encoding, body) in [
        ("gzip, br", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzipped"),
        ("br;q=0, gzip;q=0", None, "let a = 1;"),
    ] {
        for _ in 0..3 {
            let request = format!("GET /assets/app.js HTTP/1.1\nAccept-Encoding: {accepted}");
            let answer = ask(&mut wire, &request).await;
            assert_eq!((answer.header("Content-Encoding"), &*answer.body), (encoding, body));
            assert_eq!(answer.header("Content-Type"), Some("text/javascript"));
            assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
            assert_eq!(answer.header("Cache-Control"), Some("immutable"));
        }
    }
    assert_eq!(wire.get("/").await.header("Cache-Control"), Some("no-cache"));
    drop(wire);
    stopped(host).await;
}

/// The head of an answer without its date, which changes.
async fn head_for(address: &str, path: &str, condition: &str) -> Vec<String> {
    let mut wire = Wire::connect(address).await;
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n{condition}\r\n")).await;
    let head = wire.head().await;
    assert_eq!(head.matches("\nDate: ").count(), 1, "{head}");
    head.lines().filter(|line| !line.starts_with("Date: ")).map(str::to_owned).collect()
}

/// What is sent the first time is read, and then kept with a head that was made before.
#[tokio::test]
async fn a_head_is_the_same_however_often_it_is_sent() {
    let large = "x".repeat(100_000);
    let folder = folder(&[("a.txt", "inside"), ("empty.txt", ""), ("large.bin", &large)]);
    for settings in [
        &[][..],
        &[("Kestrel:AddServerHeader", "false")],
        &[("StaticFiles:Headers:*:Cache-Control", "no-cache"), ("Headers:Set:X-A", "b")],
        &[("StaticFiles:Headers:*:Server", "mine"), ("StaticFiles:Headers:*:X-Date", "now")],
    ] {
        let host = started(serving(&folder, settings)).await;
        let address = &host.addresses()[0];
        for path in ["/a.txt", "/empty.txt", "/large.bin"] {
            let whole = head_for(address, path, "").await;
            let tag = whole.iter().find(|line| line.starts_with("Etag: ")).expect("a tag");
            let condition = format!("If-None-Match: {}\r\n", &tag["Etag: ".len()..]);
            let unchanged = head_for(address, path, &condition).await;
            assert_eq!(unchanged[0], "HTTP/1.1 304 Not Modified");
            for _ in 0..3 {
                assert_eq!(head_for(address, path, "").await, whole, "{settings:?}");
                assert_eq!(head_for(address, path, &condition).await, unchanged, "{settings:?}");
            }
        }
        stopped(host).await;
    }
}

#[tokio::test]
async fn the_policy_of_a_folders_page_knows_its_style_sheet() {
    let folder = folder(&[("a b.txt", "x"), (".hidden", "x")]);
    let host = started(serving(&folder, &[("DirectoryBrowser:Enabled", "true")])).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    let answer = wire.get("/").await;
    assert!(
        answer.body.contains("<a href=\"./a%20b.txt\"><bdi>a b.txt</bdi></a>"),
        "{}",
        answer.body
    );
    assert!(!answer.body.contains("hidden</bdi>"), "{}", answer.body);
    let (_, style) = answer.body.split_once("<style>").expect("a style sheet");
    let (style, _) = style.split_once("</style>").expect("its end");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
    let mut encoded = String::new();
    for three in digest.as_ref().chunks(3) {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * place) & 63];
            encoded.push(if place <= three.len() { letter.into() } else { '=' });
        }
    }
    let policy = answer.body.lines().find(|line| line.contains("Content-Security-Policy"));
    let policy = policy.expect("a policy");
    assert!(policy.contains(&format!("'sha256-{encoded}'")), "{encoded} is not in {policy}");
    drop(wire);
    stopped(host).await;
}
