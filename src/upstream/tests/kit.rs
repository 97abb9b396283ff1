//! Servers that do what a test says, byte by byte, and requests to them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::upstream::{
    Answer, Client, ClientSettings, Content, Destination, Failure, Outgoing, Place, Server, Spare,
    VersionPolicy,
};

/// A server that does with each connection what a test says.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<AtomicUsize>,
    pub(super) heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Upstream {
    /// `script` is what happens to a connection, which are counted from 1.
    pub(super) fn start<F, Ends>(script: F) -> Self
    where
        F: Fn(usize, Peer) -> Ends + Send + 'static,
        Ends: Future<Output = ()> + Send + 'static,
    {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(128).unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heads) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (counter, noted) = (Arc::clone(&connections), Arc::clone(&heads));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let peer = Peer { stream, read: Vec::new(), heads: Arc::clone(&noted) };
                tokio::spawn(script(number, peer));
            }
        });
        Self { address, connections, heads, task }
    }

    /// One that reads a head, and then sends this, again and again.
    pub(super) fn answering(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::start(move |_, mut peer| {
            let answer = Arc::clone(&answer);
            async move {
                while peer.head().await.is_some() {
                    peer.send((*answer).as_ref()).await;
                }
            }
        })
    }

    pub(super) fn server(&self) -> Arc<Server> {
        self.server_with(ClientSettings::default())
    }

    pub(super) fn server_with(&self, settings: ClientSettings) -> Arc<Server> {
        self.server_of(Client::new(settings, Arc::default()))
    }

    /// One whose idle connections others may have.
    pub(super) fn server_sparing(&self, spare: &Arc<Spare>) -> Arc<Server> {
        self.server_of(Client::new(ClientSettings::default(), Arc::clone(spare)))
    }

    /// One that is known by a name, which leads here at first.
    pub(super) fn named_server(&self) -> Arc<Server> {
        let client = Client::new(ClientSettings::default(), Arc::default());
        let place = Place::Host { name: "name.test".to_owned(), port: self.address.port() };
        let server = Server::new(client, Destination { secure: false, place });
        server.following().lead_to(&[self.address]);
        server
    }

    fn server_of(&self, client: Arc<Client>) -> Arc<Server> {
        let place = Place::Host { name: self.address.ip().to_string(), port: self.address.port() };
        Server::new(client, Destination { secure: false, place })
    }

    /// Nobody accepts connections from here on; those that are there go on.
    pub(super) async fn closes(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The first line of each head that came.
    pub(super) fn lines(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection of a server.
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    pub(super) read: Vec<u8>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// Reads a head. `None` is the end.
    pub(super) async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..at + 4).collect();
                let head = String::from_utf8_lossy(&head).into_owned();
                self.heads.lock().unwrap().push(head.clone());
                return Some(head);
            }
            if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Reads so many bytes, or what came before the end.
    pub(super) async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                break;
            }
        }
        self.read.drain(..length.min(self.read.len())).collect()
    }

    /// Reads to these bytes.
    pub(super) async fn take_until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                return self.read.drain(..at + end.len()).collect();
            }
            if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                return std::mem::take(&mut self.read);
            }
        }
    }

    /// Sends. Whether the other side is still there shows elsewhere.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Waits for the end, or a reset.
    pub(super) async fn ended(&mut self) {
        let mut rest = [0; 4096];
        while self.stream.read(&mut rest).await.is_ok_and(|length| length > 0) {}
    }

    /// Cuts the connection off.
    pub(super) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// What is answered, to its end.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) fields: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) trailers: HeaderMap,
    /// Why the body broke off.
    pub(super) cut_off: Option<Failure>,
    pub(super) interim: Vec<(StatusCode, HeaderMap)>,
}

/// A request.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) target: &'static str,
    pub(super) host: &'static str,
    pub(super) fields: HeaderMap,
    pub(super) content: Option<Content>,
    pub(super) upgrade: Option<&'static [u8]>,
    pub(super) version: (Version, VersionPolicy),
    pub(super) activity_timeout: Duration,
}

impl Ask {
    pub(super) fn new(method: Method, target: &'static str) -> Self {
        Self {
            method,
            target,
            host: "host.test",
            fields: HeaderMap::new(),
            content: None,
            upgrade: None,
            version: (Version::HTTP_11, VersionPolicy::OrLower),
            activity_timeout: Duration::from_secs(20),
        }
    }

    pub(super) fn field(mut self, name: &'static str, value: &'static str) -> Self {
        self.fields.append(name, value.parse().unwrap());
        self
    }

    pub(super) fn body(mut self, body: impl Into<Body>, length: Option<u64>) -> Self {
        self.content = Some(Content { body: body.into(), length, expects_continue: false });
        self
    }

    pub(super) fn expecting(mut self) -> Self {
        if let Some(content) = &mut self.content {
            content.expects_continue = true;
        }
        self.field("expect", "100-continue")
    }

    pub(super) fn within(mut self, milliseconds: u64) -> Self {
        self.activity_timeout = Duration::from_millis(milliseconds);
        self
    }

    /// The answer's head, and what came before it.
    pub(super) async fn answer(
        self,
        server: &Server,
        interim: &mut Vec<(StatusCode, HeaderMap)>,
    ) -> Result<Answer, Failure> {
        let mut outgoing = Outgoing {
            method: &self.method,
            target: self.target.as_bytes(),
            host: self.host.as_bytes(),
            fields: &self.fields,
            content: self.content,
            upgrade: self.upgrade,
            version: self.version,
            activity_timeout: self.activity_timeout,
            takes: &|_| true,
            leaves_lines: None,
        };
        let mut note = |status, fields| interim.push((status, fields));
        let sending = server.send(&mut outgoing, &mut note);
        tokio::time::timeout(Duration::from_secs(30), sending).await.expect("no answer in 30 s")
    }

    /// The whole answer.
    pub(super) async fn send(self, server: &Server) -> Result<Got, Failure> {
        let mut interim = Vec::new();
        let response = match self.answer(server, &mut interim).await? {
            Answer::Response(response) => response,
            Answer::Lines(..) => panic!("nobody asked for lines"),
            Answer::Upgraded(head, _) => panic!("the protocol is changed: {head:?}"),
        };
        let (parts, mut body) = response.into_parts();
        let mut got = Got {
            status: parts.status,
            version: parts.version,
            fields: parts.headers,
            body: Vec::new(),
            trailers: HeaderMap::new(),
            cut_off: None,
            interim,
        };
        while let Some(frame) = body.frame().await {
            match frame.map(|frame| frame.into_data()) {
                Ok(Ok(data)) => got.body.extend_from_slice(&data),
                Ok(Err(frame)) => got.trailers = frame.into_trailers().unwrap(),
                Err(failure) => got.cut_off = Some(failure),
            }
        }
        Ok(got)
    }
}

pub(super) fn get(target: &'static str) -> Ask {
    Ask::new(Method::GET, target)
}

pub(super) fn post(body: impl Into<Body>, length: Option<u64>) -> Ask {
    Ask::new(Method::POST, "/").body(body, length)
}

/// A body whose frames a test sends as it goes.
pub(super) fn channel() -> (tokio::sync::mpsc::UnboundedSender<Frame>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    (sender, Body::new(Frames(receiver)))
}

pub(super) type Frame = Result<http_body::Frame<Bytes>, std::io::Error>;

struct Frames(tokio::sync::mpsc::UnboundedReceiver<Frame>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Frame>> {
        self.0.poll_recv(cx)
    }
}

/// A frame of a body.
pub(super) fn data(bytes: &'static [u8]) -> Frame {
    Ok(http_body::Frame::data(Bytes::from_static(bytes)))
}
