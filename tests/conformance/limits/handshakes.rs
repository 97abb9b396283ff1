//! HTTPS: how long a handshake may take, what comes before it, what it settles.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, ProtocolVersion, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::{Map, Value, json};

use super::Script;
use super::client::{Client, OK, heads, spread};
use super::stage::Stage;
use crate::suite::anybody::Anybody;

/// Longer than any answer here takes.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) const SCRIPTS: &[(&str, Script)] = &[
    ("li-100", |stage| {
        let address = stage.address();
        Ok(spread(4, 0.25, || {
            let mut client = Client::connect(address)?;
            client.mark().read(15.0);
            Ok(client.seen())
        }))
    }),
    ("li-101", |stage| {
        let mut client = stage.client_with(OK)?;
        client.mark().read(5.0);
        Ok(json!({"client": client.seen(), "data": client.text()}))
    }),
    ("li-102", |stage| {
        let mut first = handshake(stage, BOTH, &[])??;
        let answer = answer(&mut first)?;
        let mut second = stage.client()?;
        second.read(2.0);
        let third = match handshake(stage, BOTH, &[])? {
            Ok(_) => "handshake done",
            Err(Refused::Ended) => "SSLEOFError",
            Err(Refused::Alert(_)) => "SSLError",
        };
        let (statuses, connections): (Vec<_>, Vec<_>) = heads(&answer).into_iter().unzip();
        let first = json!({
            "status": statuses, "connection_header": connections, "end": "open", "end_s": null,
        });
        Ok(json!({"first": first, "second_raw": second.seen(), "third_handshake": third}))
    }),
    ("li-104", |stage| {
        let mut seen = Map::new();
        for (name, versions, protocols) in [
            ("h2,http/1.1", BOTH, &["h2", "http/1.1"][..]),
            ("http/1.1,h2", BOTH, &["http/1.1", "h2"]),
            ("http/1.1", BOTH, &["http/1.1"]),
            ("http/1.0", BOTH, &["http/1.0"]),
            ("foo", BOTH, &["foo"]),
            ("none", BOTH, &[]),
            ("TLS 1.2", &[&TLS12], &["h2", "http/1.1"]),
        ] {
            let settled = match handshake(stage, versions, protocols)? {
                Ok(connection) => settled(connection)?,
                Err(refused) => refused.as_python_says().into(),
            };
            seen.insert(name.to_owned(), settled);
        }
        seen.insert("TLS 1.1".to_owned(), old_hello(stage)?.as_python_says().into());
        Ok(Value::Object(seen))
    }),
];

const BOTH: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

type Connection = StreamOwned<ClientConnection, TcpStream>;

/// Why there was no handshake.
#[derive(Debug)]
enum Refused {
    Alert(u8),
    Ended,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.as_python_says())
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// The client of the recordings is Python's: its names of alerts, and none for the newer ones.
    fn as_python_says(&self) -> String {
        match self {
            Self::Ended => "SSLEOFError None".to_owned(),
            Self::Alert(40) => "SSLError SSLV3_ALERT_HANDSHAKE_FAILURE".to_owned(),
            Self::Alert(70) => "SSLError TLSV1_ALERT_PROTOCOL_VERSION".to_owned(),
            Self::Alert(120) => "SSLError None".to_owned(),
            Self::Alert(other) => format!("SSLError alert {other}"),
        }
    }
}

/// A handshake with the app. The certificate is one that nobody trusts.
fn handshake(
    stage: &Stage,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> Result<Result<Connection, Refused>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost")?;
    let mut socket = socket(stage)?;
    let mut session = ClientConnection::new(Arc::new(config), name)?;
    while session.is_handshaking() {
        match session.complete_io(&mut socket) {
            Ok(_) => {}
            Err(error) => {
                let told = error.get_ref().and_then(|error| error.downcast_ref());
                return Ok(Err(match told {
                    Some(Error::AlertReceived(alert)) => Refused::Alert(number(*alert)),
                    Some(other) => return Err(other.clone().into()),
                    None => Refused::Ended,
                }));
            }
        }
    }
    Ok(Ok(StreamOwned::new(session, socket)))
}

fn socket(stage: &Stage) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(stage.address())?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn number(alert: AlertDescription) -> u8 {
    alert.into()
}

/// What was settled, and whether HTTP/1.1 is spoken then.
fn settled(mut connection: Connection) -> Result<Value> {
    let alpn = connection.conn.alpn_protocol().map(String::from_utf8_lossy);
    let version = match connection.conn.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        other => anyhow::bail!("nobody asked for {other:?}"),
    };
    let mut seen = json!({"alpn": alpn, "version": version});
    if seen["alpn"] != "h2" {
        let answer = answer(&mut connection)?;
        seen["status"] = heads(&answer).into_iter().map(|(status, _)| status).collect();
    }
    Ok(seen)
}

/// The answer to a request, up to its known end.
fn answer(connection: &mut Connection) -> Result<String> {
    connection.write_all(OK.as_bytes())?;
    let mut answer = String::new();
    while !answer.ends_with("World!") {
        let mut piece = [0; 1024];
        let length = connection.read(&mut piece)?;
        anyhow::ensure!(length > 0, "the end came after {answer:?}");
        answer.push_str(std::str::from_utf8(&piece[..length])?);
    }
    Ok(answer)
}

/// What comes of a client that speaks TLS 1.1 at most, which rustls does not.
fn old_hello(stage: &Stage) -> Result<Refused> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    // No session, four cipher suites, no compression.
    hello.extend([0, 0, 8, 0xc0, 0x09, 0xc0, 0x13, 0, 0x2f, 0, 0x35, 1, 0]);
    let length = u8::try_from(hello.len())?;
    let mut socket = socket(stage)?;
    socket.write_all(&[22, 3, 1, 0, length + 4, 1, 0, 0, length])?;
    socket.write_all(&hello)?;
    let mut told = Vec::new();
    socket.read_to_end(&mut told).context("the end of the connection")?;
    Ok(match told[..] {
        [21, 3, _, 0, 2, 2, alert, ..] => Refused::Alert(alert),
        _ => Refused::Ended,
    })
}
