//! What goes through `kestrel run` as a reverse proxy, with the libraries and servers that people use on either side,
//! and what is left behind of clients that go away.

use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::extract::ws::{Message as Said, WebSocketUpgrade};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use axum::{Router, http};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::client::conn::http2::SendRequest;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tonic::{Code, Response, Status, Streaming, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Message, client};

use crate::child_process::wait_until;
use crate::environment::skipped;
use crate::http::{connect, socket_address};
use crate::process::{Kestrel, LIMIT, Running};
use crate::proxies::{NEEDS, Proxies, Reserved};

/// The binary, which hands everything on to this address, as this part of `HttpRequest` says.
fn before(address: &str, request: &str) -> Running {
    let file = format!(
        r#"{{ "ReverseProxy": {{
        "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} }} }},
        "Clusters": {{ "c": {{ "HttpRequest": {{ {request} }}, "Destinations": {{ "d": {{ "Address": "{address}" }} }} }} }} }} }}"#
    );
    Kestrel::run([]).file("appsettings.json", &file).started()
}

const HTTP1: &str = r#""Version": "1.1", "VersionPolicy": "RequestVersionExact""#;
const HTTP2: &str = r#""Version": "2", "VersionPolicy": "RequestVersionExact""#;

#[expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]
async fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// An app behind hyper, which speaks HTTP/1.1 and HTTP/2.
async fn serving(app: Router) -> SocketAddr {
    let (listener, address) = listening().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A client of HTTP/2 of hyper's.
async fn http2<B>(announced: &str) -> SendRequest<B>
where
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    let stream = TcpStream::connect(socket_address(announced)).await.expect("somebody listens");
    let stream = TokioIo::new(stream);
    let connected = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (requests, connection) = connected.expect("HTTP/2");
    tokio::spawn(connection);
    requests
}

#[derive(Clone, PartialEq, prost::Message)]
struct Word {
    #[prost(string, tag = "1")]
    text: String,
}

fn word(text: impl Into<String>) -> Word {
    Word { text: text.into() }
}

fn codec() -> ProstCodec<Word, Word> {
    ProstCodec::default()
}

/// A service with a method of each kind.
fn words() -> Router {
    let once = async |request: Request| {
        let answer = service_fn(async |request: tonic::Request<Word>| {
            match request.into_inner().text.as_str() {
                "" => Err(Status::invalid_argument("there is no word")),
                text => Ok(Response::new(word(format!("{text}!")))),
            }
        });
        Grpc::new(codec()).unary(answer, request).await.into_response()
    };
    let joined = async |request: Request| {
        let answer = service_fn(async |request: tonic::Request<Streaming<Word>>| {
            let (mut all, mut words) = (String::new(), request.into_inner());
            while let Some(next) = words.message().await? {
                all.push_str(&next.text);
            }
            Ok::<_, Status>(Response::new(word(all)))
        });
        Grpc::new(codec()).client_streaming(answer, request).await.into_response()
    };
    let apart = async |request: Request| {
        let answer = service_fn(async |request: tonic::Request<Word>| {
            let text = request.into_inner().text;
            let letters: Vec<_> = text.chars().map(|it| Ok(word(it))).collect();
            let end = stream::iter([Err(Status::resource_exhausted("no letters are left"))]);
            Ok::<_, Status>(Response::new(stream::iter(letters).chain(end)))
        });
        Grpc::new(codec()).server_streaming(answer, request).await.into_response()
    };
    let echo = async |request: Request| {
        let answer = service_fn(async |request: tonic::Request<Streaming<Word>>| {
            let words = request.into_inner();
            let answers = words.map(|next| next.map(|it| word(format!("{}?", it.text))));
            Ok::<_, Status>(Response::new(answers))
        });
        Grpc::new(codec()).streaming(answer, request).await.into_response()
    };
    Router::new()
        .route("/words.Words/Once", post(once))
        .route("/words.Words/Joined", post(joined))
        .route("/words.Words/Apart", post(apart))
        .route("/words.Words/Echo", post(echo))
}

/// tonic's client and service have one of each kind, and say what they made of heads, messages and trailers.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_grpc_goes_through() {
    let running = before(&format!("http://{}", serving(words()).await), HTTP2);
    let requests = http2::<tonic::body::Body>(&running.address()).await;
    let send = move |request| requests.clone().send_request(request);
    let origin = running.address().parse().expect("a URI");
    let mut client = tonic::client::Grpc::with_origin(service_fn(send), origin);
    let path = |path| http::uri::PathAndQuery::from_static(path);
    client.ready().await.expect("it is");

    let once = path("/words.Words/Once");
    let asked = client.unary(tonic::Request::new(word("a")), once.clone(), codec()).await;
    assert_eq!(asked.expect("a reply").into_inner().text, "a!");
    let refused = client.unary(tonic::Request::new(word("")), once, codec()).await;
    let status = refused.expect_err("there is no word");
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "there is no word"));

    let all = stream::iter(["a", "b", "c"].map(word));
    let joined = path("/words.Words/Joined");
    let joined = client.client_streaming(tonic::Request::new(all), joined, codec()).await;
    assert_eq!(joined.expect("a reply").into_inner().text, "abc");

    let apart = path("/words.Words/Apart");
    let apart = client.server_streaming(tonic::Request::new(word("xy")), apart, codec()).await;
    let mut letters = apart.expect("a stream").into_inner();
    for letter in ["x", "y"] {
        let next = letters.message().await.expect("no error").expect("another one");
        assert_eq!(next.text, letter);
    }
    let status = letters.message().await.expect_err("the status of the trailers");
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "no letters are left"));

    // Each is answered before the next is said.
    let (say, said) = unbounded_channel();
    let said = stream::unfold(said, |mut said: UnboundedReceiver<Word>| async move {
        said.recv().await.map(|next| (next, said))
    });
    let said = tonic::Request::new(Box::pin(said));
    let echo = client.streaming(said, path("/words.Words/Echo"), codec()).await;
    let mut echo = echo.expect("a stream").into_inner();
    for text in ["a", "b", &"c".repeat(100_000)] {
        say.send(word(text)).expect("it listens");
        let next = echo.message().await.expect("no error").expect("another one");
        assert_eq!(next.text, format!("{text}?"));
    }
    drop(say);
    assert_eq!(echo.message().await.expect("no error"), None);
    running.terminated();
}

/// Says when it goes away.
struct Waiting(UnboundedSender<()>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// The deadline of a call arrives with it, a server that keeps it is heard, and what a client gives up ends there, too.
#[tokio::test(flavor = "multi_thread")]
async fn deadlines_of_grpc_go_through() {
    let (tell, mut told) = unbounded_channel();
    let late = async move |request: Request| {
        let answer = service_fn(async |request: tonic::Request<Word>| {
            let timeout = request.metadata().get("grpc-timeout").cloned();
            let timeout = timeout.and_then(|it| it.to_str().ok().map(str::to_owned));
            match &*request.into_inner().text {
                "say" => Ok(Response::new(word(timeout.unwrap_or_default()))),
                "end" => Err(Status::deadline_exceeded("too late")),
                _ => {
                    let _waiting = Waiting(tell.clone());
                    let _ = tell.send(());
                    std::future::pending().await
                }
            }
        });
        Grpc::new(codec()).unary(answer, request).await.into_response()
    };
    let app = Router::new().route("/words.Words/Late", post(late));
    let running = before(&format!("http://{}", serving(app).await), HTTP2);
    let requests = http2::<tonic::body::Body>(&running.address()).await;
    let send = move |request| requests.clone().send_request(request);
    let origin = running.address().parse().expect("a URI");
    let mut client = tonic::client::Grpc::with_origin(service_fn(send), origin);
    client.ready().await.expect("it is");
    let path = http::uri::PathAndQuery::from_static("/words.Words/Late");
    let asked = |text| {
        let mut request = tonic::Request::new(word(text));
        request.set_timeout(Duration::from_millis(300));
        request
    };
    let said = client.unary(asked("say"), path.clone(), codec()).await;
    assert_eq!(said.expect("a reply").into_inner().text, "300000u");
    let ended = client.unary(asked("end"), path.clone(), codec()).await;
    let status = ended.expect_err("it is too late");
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "too late"));
    let waited = client.unary(asked("wait"), path, codec());
    assert!(timeout(Duration::from_millis(300), waited).await.is_err(), "nobody answers");
    for _ in 0..2 {
        let came = timeout(LIMIT, told.recv()).await.expect("it comes, and goes with its client");
        came.expect("the service is there");
    }
}

/// What tungstenite reads and writes, of what is asynchronous.
struct Blocking<S>(S, Handle);

impl<S: AsyncRead + Unpin> Read for Blocking<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1.block_on(self.0.read(into))
    }
}

impl<S: AsyncWrite + Unpin> Write for Blocking<S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.1.block_on(self.0.write(from))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.block_on(self.0.flush())
    }
}

fn talks(mut socket: WebSocket<impl Read + Write>, name: &str) {
    let bytes: Vec<u8> = (0..70_000_u32).map(|it| it.to_le_bytes()[0]).collect();
    for message in [Message::text("x"), Message::text("y".repeat(300_000)), Message::binary(bytes)]
    {
        socket.send(message.clone()).expect("it reads");
        assert!(socket.read().expect("an answer") == message, "{name}");
    }
    socket.send(Message::Ping("a".into())).expect("it reads");
    assert_eq!(socket.read().expect("an answer"), Message::Pong("a".into()), "{name}");
    socket.close(None).expect("it reads");
    assert!(socket.read().expect("the other side closes").is_close(), "{name}");
}

/// tungstenite at both ends: behind axum, and as the client.
#[tokio::test(flavor = "multi_thread")]
async fn websockets_go_through_from_either_version_to_either() {
    let echo = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async |mut socket| {
            while let Some(Ok(message)) = socket.recv().await {
                if let Said::Text(_) | Said::Binary(_) = message {
                    let _ = socket.send(message).await;
                }
            }
        })
    };
    let app = Router::new().route("/echo", any(echo)).route("/", get(async || "here"));
    let address = format!("http://{}", serving(app).await);
    for (name, version) in [("to HTTP/1.1", HTTP1), ("to HTTP/2", HTTP2)] {
        let running = before(&address, version);
        let stream = connect(&running.address());
        let from_http1 = move || {
            let (socket, answer) = client("ws://a.test/echo", stream).expect("it changes");
            assert_eq!(answer.status(), 101, "{name}");
            talks(socket, name);
        };
        tokio::task::spawn_blocking(from_http1).await.expect("no panic");

        let mut requests = http2::<Body>(&running.address()).await;
        let request = http::Request::get("http://a.test/").body(Body::empty()).expect("a request");
        // The server has said that it takes CONNECT with a protocol, once it has answered.
        let answer = requests.send_request(request).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{name}");
        let request = http::Request::connect("http://a.test/echo")
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .body(Body::empty());
        let answer = requests.send_request(request.expect("a request")).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{name}");
        let stream = TokioIo::new(hyper::upgrade::on(answer).await.expect("it changes"));
        let from_http2 = move || {
            let stream = Blocking(stream, Handle::current());
            talks(WebSocket::from_raw_socket(stream, Role::Client, None), name);
        };
        tokio::task::spawn_blocking(from_http2).await.expect("no panic");
        running.terminated();
    }
}

/// A program, until it is dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(mut command: Command, address: SocketAddr) -> Program {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let program = Program(child.expect("it is installed"));
    wait_until("it listens", || std::net::TcpStream::connect(address).is_ok());
    program
}

const NODE: &str = r#"
const http = require("http"), fs = require("fs");
http.createServer((request, response) => {
  if (request.method === "POST") return request.pipe(response);
  if (request.url !== "/large") { response.statusCode = 404; return response.end("none"); }
  response.setHeader("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT");
  fs.createReadStream("large").pipe(response);
}).listen(+process.argv[2], "127.0.0.1");
"#;

/// Status and body of each of so many requests, as curl has them.
fn answers(arguments: &[&str], url: &str, (folder, number): Asked<'_>) -> Vec<(String, Vec<u8>)> {
    let upload = format!("@{}", folder.join("large").display());
    [
        &["/large"][..],
        &["/large", "--head"],
        &["/large", "--range", "1000-1999"],
        &["/large", "--header", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"],
        &["/none"],
        &["/large", "--data-binary", &upload],
        &["/large", "--data-binary", &upload, "--header", "Transfer-Encoding: chunked"],
        &["/large", "--data-binary", &upload, "--header", "Expect: 100-continue"],
    ]
    .into_iter()
    .take(number)
    .map(|request| {
        let (path, options) = request.split_first().expect("a path");
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "60", "--write-out", "\n%{http_code}"]);
        let output = command.args(arguments).args(options).arg(format!("{url}{path}")).output();
        let mut bytes = output.expect("curl is there").stdout;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').expect("a status");
        let status = String::from_utf8(bytes.split_off(end)).expect("text");
        if options.contains(&"--head") {
            // How connections and bodies are framed is each one's own.
            bytes.clear();
        }
        (status.trim().to_owned(), bytes)
    })
    .collect()
}

/// The folder that is served, and how many of the requests are asked.
type Asked<'a> = (&'a Path, usize);

const ALL: usize = 8;

/// Those without a body: Python's server reads none, and resets the connection behind its answer.
const WITHOUT_BODIES: usize = 5;

fn is_the_same(name: &str, direct: (&[&str], &str), through: &str, asked: Asked<'_>) {
    let running = before(through, HTTP1);
    let direct = answers(direct.0, direct.1, asked);
    let statuses: Vec<_> = direct.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!((statuses[0], statuses[4]), ("200", "404"), "{name}: {statuses:?}");
    assert_eq!(direct[0].1.len(), 300_000, "{name}");
    // Over HTTP/2 curl 7.88 waits for 100, and takes no other answer then, of nginx neither; and it may lose one that comes
    // while it sends, which all but 200 do here.
    let is_early = direct.get(WITHOUT_BODIES).is_some_and(|(status, _)| status != "200");
    let http2 = if is_early { WITHOUT_BODIES } else { ALL - 1 };
    for (version, most) in [("--http1.1", ALL), ("--http2-prior-knowledge", http2)] {
        let asked = (asked.0, asked.1.min(most));
        let proxied = answers(&[version], &running.address(), asked);
        for (number, (proxied, direct)) in proxied.iter().zip(&direct).enumerate() {
            assert_eq!(proxied.0, direct.0, "{name}, request {number}, {version}");
            assert!(proxied.1 == direct.1, "{name}, request {number}, {version}: another body");
        }
    }
    running.terminated();
}

#[test]
fn what_nginx_apache_python_and_node_answer_comes_through() {
    let Some(proxies) = Proxies::new() else {
        return skipped("nginx, Apache, Python and Node behind the proxy", NEEDS);
    };
    let folder = proxies.socket().parent().expect("a folder").join("www");
    fs::create_dir(&folder).expect("the folder is ours");
    let large: String = (b'a'..=b'w').cycle().take(300_000).map(char::from).collect();
    fs::write(folder.join("large"), large).expect("the folder is ours");
    fs::write(folder.join("app.js"), NODE).expect("the folder is ours");
    let root = folder.display();

    let nginx = proxies.nginx(&format!("location / {{ root {root}; }}"));
    let socket = folder.with_file_name("nginx.sock").display().to_string();
    let direct = (&["--unix-socket", &*socket][..], "http://127.0.0.1");
    is_the_same("nginx", direct, &format!("http://unix:{socket}"), (&folder, ALL));
    drop(nginx);

    let apache = proxies.apache(&format!(
        "DocumentRoot {root}\n<Directory {root}>\nRequire all granted\n</Directory>"
    ));
    let settings = fs::read_to_string(folder.with_file_name("apache.conf")).expect("it is there");
    let address = settings.lines().find_map(|line| line.strip_prefix("Listen "));
    let url = format!("http://{}", address.expect("a port"));
    is_the_same("Apache", (&[], &url), &url, (&folder, ALL));
    drop(apache);

    for (name, words, number) in [
        ("python3", &["-m", "http.server", "--bind", "127.0.0.1", "PORT"][..], WITHOUT_BODIES),
        ("node", &["app.js", "PORT"], ALL),
    ] {
        let Some(path) = ["/usr/bin", "/usr/local/bin"]
            .iter()
            .map(|folder| Path::new(folder).join(name))
            .find(|path| path.exists())
        else {
            skipped(name, "that program");
            continue;
        };
        let reserved = Reserved::new();
        let port = reserved.address.port().to_string();
        let mut command = Command::new(path);
        command.args(words.iter().map(|word| word.replace("PORT", &port))).current_dir(&folder);
        let _program = program(command, reserved.address);
        let url = format!("http://{}", reserved.address);
        is_the_same(name, (&[], &url), &url, (&folder, number));
    }
}

/// A server that tells how far each request came, and how many connections it has.
struct Told {
    address: SocketAddr,
    told: UnboundedReceiver<String>,
    open: Arc<AtomicUsize>,
}

impl Told {
    async fn start() -> Self {
        let (listener, address) = listening().await;
        let (tell, told) = unbounded_channel();
        let open = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tell, counted) = (tell.clone(), Arc::clone(&counted));
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    answer_all(stream, &tell).await;
                    counted.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, told, open }
    }

    async fn next(&mut self) -> String {
        let next = timeout(LIMIT, self.told.recv()).await;
        next.expect("something happens").expect("it runs")
    }
}

async fn answer_all(mut stream: TcpStream, tell: &UnboundedSender<String>) {
    let mut read = Vec::new();
    loop {
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let line = String::from_utf8_lossy(&read[..end]);
        let path = line.split(' ').nth(1).expect("a path").to_owned();
        read.drain(..end + 4);
        match &*path {
            "/" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                continue;
            }
            "/upload" => {
                while read.len() < 5 {
                    assert!(stream.read_buf(&mut read).await.unwrap_or(0) > 0, "half of the body");
                }
            }
            _ => {}
        }
        let _ = tell.send(format!("came {path}"));
        if path == "/stream" {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunk = [&b"1000\r\n"[..], &[b'x'; 0x1000], b"\r\n"].concat();
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                sent = stream.write_all(&chunk).await;
            }
        } else {
            // Until whoever asked is gone.
            while stream.read_buf(&mut read).await.unwrap_or(0) > 0 {}
        }
        let _ = tell.send(format!("gone {path}"));
        return;
    }
}

/// How a client goes away.
#[derive(Clone, Copy, Debug)]
enum Going {
    Closes,
    Resets,
    /// One stream of its connection.
    ResetsStream,
}

const WAIT: &str = "GET /wait HTTP/1.1\r\nHost: a.test\r\n\r\n";
const UPLOAD: &str = "POST /upload HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello";
const STREAM: &str = "GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// Goes away once the server has what was sent, or the client a part of the answer.
async fn goes_away(going: Going, request: &str, server: &mut Told, running: &Running) {
    let path = request.split(' ').nth(1).expect("a path");
    let came = format!("came {path}");
    if let Going::ResetsStream = going {
        let mut requests = http2::<Body>(&running.address()).await;
        let body = match path {
            "/upload" => Body::from_stream(
                stream::iter([Ok::<_, io::Error>("hello")]).chain(stream::pending()),
            ),
            _ => Body::empty(),
        };
        let method = request.split(' ').next().expect("a method");
        let asked = http::Request::builder()
            .method(method)
            .uri(format!("http://a.test{path}"))
            .body(body)
            .expect("a request");
        let answer = requests.send_request(asked);
        match path {
            "/stream" => {
                let answer = answer.await.expect("an answer");
                assert_eq!(server.next().await, came);
                let first = answer.into_body().frame().await.expect("a part of the answer");
                assert!(first.expect("it is whole").is_data());
            }
            _ => {
                let answer = tokio::spawn(answer);
                assert_eq!(server.next().await, came);
                answer.abort();
            }
        }
        return;
    }
    let mut client =
        TcpStream::connect(socket_address(&running.address())).await.expect("it listens");
    client.write_all(request.as_bytes()).await.expect("it reads");
    if request.ends_with("\r\n\r\n") || path == "/upload" {
        assert_eq!(server.next().await, came, "{going:?}");
    }
    if path == "/stream" {
        let mut some = [0; 1000];
        client.read_exact(&mut some).await.expect("a part of the answer");
    }
    if let Going::Resets = going {
        socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("it is open");
    }
}

/// At each stage, in each way: whoever is behind hears of it, the next request is answered, and nothing stays open.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let mut server = Told::start().await;
    let running = before(&format!("http://{}", server.address), HTTP1);
    let descriptors =
        || fs::read_dir(format!("/proc/{}/fd", running.id())).map_or(0, Iterator::count);
    let asked = || {
        let answer = crate::http::get(&running.address(), "/", &[]);
        (answer.status, answer.body)
    };
    assert_eq!(asked(), (200, "ok".to_owned()));
    let few = descriptors();
    for going in [Going::Closes, Going::Resets, Going::ResetsStream] {
        for request in [WAIT, UPLOAD, STREAM] {
            goes_away(going, request, &mut server, &running).await;
            let path = request.split(' ').nth(1).expect("a path");
            assert_eq!(server.next().await, format!("gone {path}"), "{going:?}");
            assert_eq!(asked(), (200, "ok".to_owned()), "{going:?} {path}");
        }
    }
    for going in [Going::Closes, Going::Resets] {
        // Half of a head is nobody's business behind.
        goes_away(going, &WAIT[..20], &mut server, &running).await;
        assert_eq!(asked(), (200, "ok".to_owned()), "{going:?}");
    }
    // The one that was kept is used by the next request.
    wait_until("one connection is kept", || server.open.load(Ordering::Relaxed) <= 1);
    wait_until("all others are closed", || descriptors() <= few);
    running.terminated();
}
