//! The clients of a case: what they send, and what comes back, in the shape of the recordings.
//!
//! ```text
//! http1     a request or `parts` (texts, pauses, `await` a text) on a connection of HTTP/1.1
//! answers   the answers in what came
//! http2     a request on a connection of HTTP/2
//! ```

mod answers;
mod http1;
mod http2;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use regex_lite::{Captures, Regex};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;

use super::names::Names;
use super::text::{list, pair};
use super::wire::Wire;
use crate::suite::anybody::Anybody;
use crate::test_data;

/// How long a client waits for an answer, unless the case says so.
const LIMIT: f64 = 6.0;

/// How long the proxy may take to accept, and to take what is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a request may say.
pub(super) const WORDS: &[&str] = &[
    "after_head",
    "body",
    "client_cert",
    "close_after",
    "close_how",
    "conn",
    "half_close",
    "headers",
    "h2",
    "host",
    "idle",
    "limit",
    "method",
    "open",
    "parts",
    "path",
    "protocol",
    "stall",
    "times",
    "timing",
    "trailers",
    "via",
];

/// All clients of a case.
pub(super) struct Clients<'a> {
    names: &'a Names,
    secure: bool,
    /// Connections that are used once more, by their names.
    kept: Mutex<BTreeMap<String, Wire>>,
    last: Mutex<Last>,
}

/// What earlier answers said.
#[derive(Default)]
struct Last {
    headers: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(names: &'a Names, secure: bool) -> Self {
        Self { names, secure, kept: Mutex::default(), last: Mutex::default() }
    }

    /// Sends a request and says what came of it. `quick`: nothing is waited for once the answer is
    /// there.
    pub(super) fn send(&self, request: &Value, quick: bool) -> Value {
        match request["h2"] == true {
            true => http2::send(self, request),
            false => http1::send(self, request, quick),
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Wire>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the headers of answers.
    fn remember(&self, answers: &[Value]) {
        let mut last = self.last();
        for (name, value) in answers.iter().flat_map(|one| list(&one["headers"])).map(pair) {
            let name = name.to_lowercase();
            if name == "set-cookie" {
                let cookie = value.split(';').next().unwrap_or_default();
                let (key, value) = cookie.split_once('=').unwrap_or((cookie, ""));
                last.cookies.insert(key.to_owned(), value.to_owned());
            }
            last.headers.insert(name, value.to_owned());
        }
    }

    /// A text with what its names stand for, of earlier answers, too.
    fn fill(&self, text: &str) -> String {
        let last = self.last();
        let name = Regex::new(r"\{(cookie|header):([^}]+)\}").expect("a pattern of ours");
        let text = name.replace_all(text, |found: &Captures<'_>| match &found[1] {
            "cookie" => last.cookies.get(&found[2]).cloned().unwrap_or_default(),
            _ => last.headers.get(&found[2].to_lowercase()).cloned().unwrap_or_default(),
        });
        self.names.fill(&text)
    }

    fn connect(&self, request: &Value) -> io::Result<Wire> {
        let via = request["via"].as_str().and_then(|via| via.parse().ok());
        let address = via.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let address = SocketAddr::new(address, self.names.proxy());
        let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        self.names.client(socket.local_addr()?.port());
        if !self.secure {
            return Ok(Wire::plain(socket));
        }
        socket.set_read_timeout(Some(PATIENCE))?;
        let configuration = configuration(request).map_err(io::Error::other)?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(configuration), name);
        let mut connection = connection.map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Wire::secure(StreamOwned::new(connection, socket)))
    }
}

fn configuration(request: &Value) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    let mut configuration = match request["client_cert"] == true {
        true => builder.with_client_auth_cert(
            vec![test_data::certificate("client")],
            test_data::key("client"),
        )?,
        false => builder.with_no_client_auth(),
    };
    let protocol = if request["h2"] == true { "h2" } else { "http/1.1" };
    configuration.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Ok(configuration)
}

/// The seconds of that name, or those that are usual.
fn seconds(request: &Value, name: &str, usual: f64) -> Duration {
    Duration::from_secs_f64(request[name].as_f64().unwrap_or(usual))
}

/// The harness's tests of this folder.
pub(super) fn check() {
    answers::check();
    http1::check();
}
