//! The handshake with a server.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::CertificateError;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::client::ClientTls;
use super::session::{Negotiation, Stop};
use super::stream::TlsStream;

/// A connection to a server after its handshake.
pub(crate) type ClientStream<S> = TlsStream<S, UnbufferedClientConnection>;

/// What may be agreed on in the handshake (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpn {
    Http1,
    Http2,
    /// HTTP/2, or else HTTP/1.1.
    Either,
}

/// Why there was no handshake.
#[derive(Debug)]
pub(crate) enum NoHandshake {
    /// The connection broke.
    Broken(io::Error),
    /// In words.
    Refused(String),
}

impl ClientTls {
    /// Does the handshake with the server behind `socket`, which has to have a certificate for `name`.
    /// Whether HTTP/2 was agreed on comes with the stream.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) async fn connect<S>(
        &self,
        mut socket: S,
        name: &str,
        alpn: Alpn,
    ) -> Result<(ClientStream<S>, bool), NoHandshake>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let refused = |reason: String| NoHandshake::Refused(reason);
        let server_name = ServerName::try_from(name.to_owned())
            .map_err(|_| refused(format!("'{name}' cannot be the name of a server")))?;
        let protocols: &[&[u8]] = match alpn {
            Alpn::Http1 => &[b"http/1.1"],
            Alpn::Http2 => &[b"h2"],
            Alpn::Either => &[b"h2", b"http/1.1"],
        };
        let protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let session = UnbufferedClientConnection::new_with_alpn(
            Arc::clone(&self.config),
            server_name,
            protocols,
        );
        let session = session.map_err(|error| refused(error.to_string()))?;
        let mut negotiation = Negotiation::new(session, BytesMut::new());
        match negotiation.run(&mut socket).await {
            Ok(()) => {}
            Err(Stop::Gone(error)) => return Err(NoHandshake::Broken(error)),
            Err(Stop::TooLong) => {
                return Err(refused("a message of the handshake is too long".to_owned()));
            }
            Err(Stop::Refused { error, alert }) => {
                // The server may know what to do with it. Nobody is told if not.
                let _ = socket.write_all(&alert).await;
                return Err(refused(words(&error, name)));
            }
        }
        let http2 = negotiation.session.alpn_protocol() == Some(b"h2");
        Ok((TlsStream::of(socket, negotiation), http2))
    }
}

/// Why a handshake failed, and what to do.
fn words(error: &rustls::Error, name: &str) -> String {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => {
                format!("the server does not speak TLS there ({error})")
            }
            _ => error.to_string(),
        };
    };
    match wrong {
        CertificateError::UnknownIssuer | CertificateError::Other(_) => {
            "its certificate does not lead to a root that is trusted here, or is one that it made for itself; name it, or its authority, in HttpClient:ServerCertificateRoots of the cluster, or add it to what the system trusts".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is not for '{name}', which is the name in the Host that is sent ({wrong}); set the destination's Host, or leave RequestHeaderOriginalHost out")
        }
        _ => format!("its certificate is refused: {wrong}"),
    }
}
