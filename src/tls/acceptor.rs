//! The handshake: from the first byte of a connection to where HTTP begins.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::server::{AcceptedAlert, Acceptor, UnbufferedServerConnection};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};

use super::accepted::Accepted;
use super::endpoint::{Answer, EndpointTls};
use super::first_message::{FirstMessage, NoTls, Objection, alert, is_handshake, no_handshake};
use super::session::{Negotiation, Stop, read_more};
use crate::features::{Session, TlsHandshake, TlsProtocol};

/// The longest first line of clear text that is waited for.
const LONGEST_LINE: usize = 8 * 1024;

/// Why there was no handshake.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client is gone.
    Gone(io::Error),
    /// The client speaks HTTP in clear text: what it sent so far, at least a line.
    ClearText(BytesMut),
    /// The client and we do not agree, and what is to be sent to tell it.
    Refused { reason: String, alert: Vec<u8> },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                f.write_str("Received an unexpected EOF or 0 bytes from the transport stream.")
            }
            Self::Gone(error) => error.fmt(f),
            Self::ClearText(_) => {
                f.write_str("Cannot determine the frame size or a corrupted frame was received.")
            }
            Self::Refused { reason, .. } => f.write_str(reason),
        }
    }
}

impl From<Objection> for Failure {
    fn from(Objection { reason, alert }: Objection) -> Self {
        Self::Refused { reason, alert }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl EndpointTls {
    /// Does the handshake with the client behind `socket`. It takes as long as the client does.
    ///
    /// # Errors
    ///
    /// There is none; the socket is open still.
    pub(crate) async fn accept<S>(&self, socket: &mut S) -> Result<Accepted, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut incoming = BytesMut::new();
        let server_name = client_hello(socket, &mut incoming).await?;
        let answer = self.answer(server_name.as_deref()).map_err(|reason| {
            // The alert unrecognized_name (RFC 6066 section 3).
            Failure::Refused { reason, alert: alert(112) }
        })?;
        let mut negotiation = Negotiation::new(session(answer)?, incoming);
        negotiation.run(socket).await?;
        let Negotiation { session, incoming, plaintext, ended, .. } = negotiation;
        let handshake = settled(&session, server_name);
        let protocols = answer.protocols;
        Ok(Accepted { session, incoming, plaintext, ended, handshake, protocols })
    }
}

/// Waits for the client's first message, and returns the name that it asks for. What came is left
/// in `incoming`.
async fn client_hello<S>(socket: &mut S, incoming: &mut BytesMut) -> Result<Option<String>, Failure>
where
    S: AsyncRead + Unpin,
{
    let mut first = FirstMessage::default();
    let mut acceptor = Acceptor::default();
    let mut shown = 0;
    loop {
        read_more(socket, incoming).await?;
        if !is_handshake(incoming) {
            return Err(clear_text(socket, incoming).await);
        }
        first.judge(incoming)?;
        while let Some(mut fresh) = incoming.get(shown..).filter(|fresh| !fresh.is_empty()) {
            // It has room for the longest message there may be.
            shown += acceptor.read_tls(&mut fresh).map_err(Failure::Gone)?;
            match acceptor.accept() {
                Ok(Some(accepted)) => {
                    let name = accepted.client_hello().server_name().map(str::to_owned);
                    return Ok(name);
                }
                Ok(None) => {}
                Err((error, alert)) => return Err(refused(&error, alert)),
            }
        }
    }
}

fn refused(error: &rustls::Error, mut alert: AcceptedAlert) -> Failure {
    let mut bytes = Vec::new();
    // Writing to memory has no errors.
    let _ = alert.write_all(&mut bytes);
    if bytes.is_empty() {
        // The alert decode_error.
        bytes = self::alert(50);
    }
    Failure::Refused { reason: reason(error), alert: bytes }
}

fn reason(error: &rustls::Error) -> String {
    format!("Authentication failed: {error}.")
}

/// What a client says that does not speak TLS.
async fn clear_text<S>(socket: &mut S, incoming: &mut BytesMut) -> Failure
where
    S: AsyncRead + Unpin,
{
    loop {
        let line_ends = incoming.contains(&b'\n');
        let is_text = incoming
            .iter()
            .take(LONGEST_LINE)
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n' | 128..));
        match no_handshake(incoming).filter(|_| !is_text) {
            Some(Ok(objection)) => return objection.into(),
            Some(Err(NoTls)) => return Failure::ClearText(std::mem::take(incoming)),
            None => {}
        }
        if line_ends || incoming.len() >= LONGEST_LINE {
            return Failure::ClearText(std::mem::take(incoming));
        }
        if let Err(error) = read_more(socket, incoming).await {
            return error.into();
        }
    }
}

/// A session with a client that is answered so.
fn session(answer: &Answer) -> Result<UnbufferedServerConnection, Failure> {
    let Some(config) = &answer.config else {
        return Err(Failure::Refused {
            reason: "The endpoint allows none of the versions of TLS that are spoken here: Tls12 and Tls13.".to_owned(),
            // The alert protocol_version.
            alert: alert(70),
        });
    };
    UnbufferedServerConnection::new(Arc::clone(config)).map_err(|error| Failure::Refused {
        reason: reason(&error),
        // The alert internal_error.
        alert: alert(80),
    })
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Gone(error) => Self::Gone(error),
            Stop::Refused { error, alert } => Self::Refused { reason: reason(&error), alert },
            Stop::TooLong => Self::Refused {
                reason: "Authentication failed: a message of the handshake is too long.".to_owned(),
                // The alert decode_error.
                alert: alert(50),
            },
        }
    }
}

/// What a handshake settled.
fn settled(session: &UnbufferedServerConnection, server_name: Option<String>) -> TlsHandshake {
    let protocol = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => TlsProtocol::Tls12,
        _ => TlsProtocol::Tls13,
    };
    let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    let certificates = session.peer_certificates().unwrap_or_default();
    let of_session = match session.handshake_kind() {
        Some(HandshakeKind::Resumed) => Session::Resumed,
        _ => Session::New,
    };
    TlsHandshake::new(protocol, registered(suite.unwrap_or_default())).with(
        server_name,
        alpn,
        certificates.iter().map(|certificate| certificate.to_vec()).collect(),
        of_session,
    )
}

/// The name a cipher suite is registered with: rustls has names of its own for those of TLS 1.3.
fn registered(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}
