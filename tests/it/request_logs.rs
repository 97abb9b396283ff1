//! What logs of requests say of answers that are not sent whole, and of users.

use std::fs::{self, File};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::routing::any;
use kestrel::{EffectiveRequest, HostBuilder};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::blame::Told;
use crate::http2_frames::{self as frames, Http2};
use crate::support::{Wire, builder, soon, started, stopped};

/// More than a socket takes at once, and than a client of HTTP/2 lets be sent.
const LARGE: usize = 64 * 1024 * 1024;

fn app() -> Router {
    Router::new()
        .route("/large", any(async || Bytes::from(vec![b'x'; LARGE])))
        .route("/small", any(async || "small"))
        .route(
            "/who",
            any(async |request: Request| {
                EffectiveRequest::of(&request).user().unwrap_or("nobody").to_owned()
            }),
        )
}

/// A host with an access log, and W3C files, in a folder.
fn logging(folder: &TempDir, settings: &[(&str, &str)]) -> HostBuilder {
    let builder = builder()
        .content_root(folder.path())
        .use_urls("http://127.0.0.1:0")
        .use_setting("AccessLog:Enabled", "true")
        .use_setting("AccessLog:Path", "access.log")
        .use_setting("W3CLogging:Enabled", "true")
        .app(app());
    settings.iter().fold(builder, |builder, (key, value)| builder.use_setting(key, value))
}

/// The lines of the access log, once the host has stopped.
fn access_log(folder: &TempDir) -> Vec<String> {
    let text = fs::read_to_string(folder.path().join("access.log")).expect("it was written");
    text.lines().map(str::to_owned).collect()
}

/// The lines of the W3C file.
fn w3c_file(folder: &TempDir) -> Vec<String> {
    let mut files = fs::read_dir(folder.path().join("logs")).expect("there is one");
    let file = files.next().expect("there is one").expect("an entry").path();
    let text = fs::read_to_string(file).expect("it was written");
    text.lines().map(str::to_owned).collect()
}

#[derive(Clone, Copy, Debug)]
enum Gone {
    /// With its connection, after it has taken so much.
    With(usize),
    /// Its stream of HTTP/2 is reset, once the window is used up.
    Stream,
}

/// Asks for a path, and goes away in the middle of the answer.
async fn go_away(address: &str, path: &str, gone: Gone) {
    match gone {
        Gone::With(taken) => {
            let mut wire = Wire::<TcpStream>::connect(address).await;
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
            wire.head().await;
            wire.take(taken).await;
            wire.reset();
        }
        Gone::Stream => {
            let mut http2 = Http2::connect(address).await;
            http2.request(1, path).await;
            let mut came = 0;
            while came < 65_535 {
                came += http2.next_of_kind(frames::DATA).await.payload.len();
            }
            http2.send(frames::RST_STREAM, 0, 1, &8_u32.to_be_bytes()).await;
            http2.send(frames::PING, 0, 0, &[0; 8]).await;
            http2.next_of_kind(frames::PING).await;
        }
    }
}

#[tokio::test]
async fn of_an_answer_that_is_not_sent_whole_every_log_says_how_much_was() {
    for (path, gone, bytes) in [
        ("/large", Gone::With(300_000), 300_000..LARGE as u64),
        ("/file.bin", Gone::With(300_000), 300_000..LARGE as u64),
        ("/large", Gone::Stream, 65_535..65_536),
        ("/file.bin", Gone::Stream, 65_535..65_536),
    ] {
        let heard = Told::default();
        let _heard = tracing::subscriber::set_default(Registry::default().with(heard.clone()));
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("wwwroot")).expect("a folder");
        let file = File::create(folder.path().join("wwwroot/file.bin")).expect("a file");
        file.set_len(LARGE as u64).expect("a hole");
        let settings = [
            ("AccessLog:Format", "Json"),
            ("W3CLogging:LoggingFields", "ProtocolStatus, BytesSent, Completion"),
            ("W3CLogging:AdditionalRequestHeaders:0", "Host"),
            ("HttpLogging:Enabled", "true"),
            ("StaticFiles:Enabled", "true"),
        ];
        let host = started(logging(&folder, &settings)).await;
        let address = host.addresses()[0].clone();
        let mut wire = Wire::connect(&address).await;
        assert_eq!(wire.get("/small").await.status, 200);
        drop(wire);
        go_away(&address, path, gone).await;
        stopped(host).await;
        let [whole, broken] = &access_log(&folder)[..] else { panic!("two lines") };
        let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("an object");
        let (whole, broken) = (read(whole), read(broken));
        assert_eq!((&whole["bytes"], whole.get("broken")), (&5.into(), None), "{whole}");
        assert_eq!(broken["broken"], "client_gone", "{path} {gone:?}: {broken}");
        let told = broken["bytes"].as_u64().expect("a number");
        assert!(bytes.contains(&told), "{path} {gone:?}: {broken}");
        let lines = w3c_file(&folder);
        assert!(
            lines.iter().any(|it| it == "#Fields: sc-status cs(Host) sc-bytes x-completion"),
            "{lines:?}"
        );
        assert!(lines.iter().any(|it| it.ends_with(" 5 sent")), "{lines:?}");
        let last = lines.last().expect("a line");
        assert!(
            last.starts_with("200 ") && last.ends_with(&format!(" {told} client_gone")),
            "{last}"
        );
        assert!(heard.has(Level::INFO, 6), "{path} {gone:?}");
    }
}

/// `ann:pw` and `ann:no`.
const RIGHT: &str = "Authorization: Basic YW5uOnB3";
const WRONG: &str = "Authorization: Basic YW5uOm5v";

#[tokio::test]
async fn who_was_let_in_is_known_to_the_app_and_in_the_logs() {
    for format in ["Combined", "Json"] {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = [
            ("AccessLog:Format", format),
            ("W3CLogging:LoggingFields", "Method, UserName, ProtocolStatus"),
            ("BasicAuthentication:Enabled", "true"),
            ("BasicAuthentication:Passwords:Ann", "pw"),
        ];
        let host = started(logging(&folder, &settings)).await;
        let mut wire = Wire::connect(&host.addresses()[0]).await;
        for (line, status, body) in [(RIGHT, 200, "Ann"), (WRONG, 401, ""), ("X: y", 401, "")] {
            wire.send(format!("GET /who HTTP/1.1\r\nHost: test\r\n{line}\r\n\r\n")).await;
            let answer = soon("an answer", wire.answer()).await;
            assert_eq!((answer.status, &*answer.body), (status, body), "{line}");
        }
        drop(wire);
        stopped(host).await;
        let lines = access_log(&folder);
        let names = |line: &String| match format {
            "Json" => line.contains(",\"user\":\"Ann\","),
            _ => line.starts_with("127.0.0.1 - Ann ["),
        };
        assert_eq!(lines.iter().map(names).collect::<Vec<_>>(), [true, false, false], "{lines:?}");
        let lines = w3c_file(&folder);
        let told: Vec<_> = lines.iter().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(told, ["Ann GET 200", "- GET 401", "- GET 401"]);
    }
}
