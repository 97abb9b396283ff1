//! What a TLS handshake settled.

use std::fmt;
use std::sync::Arc;

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProtocol {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl fmt::Display for TlsProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "Tls12",
            Self::Tls13 => "Tls13",
        })
    }
}

/// What the handshake of a TLS connection settled, shared by all of its requests. (What
/// `ITlsHandshakeFeature` and `ITlsConnectionFeature` are in ASP.NET Core.)
///
/// As an axum extractor it is `Option<TlsHandshake>` for a handler that also serves clear text.
///
/// ```
/// async fn who(handshake: Option<kestrel::TlsHandshake>) -> String {
///     match handshake {
///         Some(tls) if tls.client_certificate().is_some() => format!("known, {}", tls.protocol()),
///         Some(tls) => format!("unknown, {}", tls.protocol()),
///         None => "in clear text".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsHandshake(Arc<Facts>);

#[derive(Debug, PartialEq, Eq)]
struct Facts {
    protocol: TlsProtocol,
    cipher_suite: &'static str,
    server_name: Option<String>,
    application_protocol: Option<String>,
    client_certificates: Vec<Vec<u8>>,
    session: Session,
}

/// What a handshake did with sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// It began one.
    New,
    /// It went on with that of an earlier connection.
    Resumed,
}

impl TlsHandshake {
    /// What a handshake settled that had nothing but a version and a cipher suite, the latter by
    /// the name it is registered with.
    pub fn new(protocol: TlsProtocol, cipher_suite: &'static str) -> Self {
        Self(Arc::new(Facts {
            protocol,
            cipher_suite,
            server_name: None,
            application_protocol: None,
            client_certificates: Vec::new(),
            session: Session::New,
        }))
    }

    /// The same with the name that the client asked for and the protocol that was agreed on.
    pub(crate) fn with(
        self,
        server_name: Option<String>,
        application_protocol: Option<String>,
        client_certificates: Vec<Vec<u8>>,
        session: Session,
    ) -> Self {
        let Facts { protocol, cipher_suite, .. } = *self.0;
        Self(Arc::new(Facts {
            protocol,
            cipher_suite,
            server_name,
            application_protocol,
            client_certificates,
            session,
        }))
    }

    /// The version of TLS.
    pub fn protocol(&self) -> TlsProtocol {
        self.0.protocol
    }

    /// The cipher suite, such as `TLS_AES_256_GCM_SHA384`. Source: the IANA registry "TLS Cipher
    /// Suites".
    pub fn cipher_suite(&self) -> &'static str {
        self.0.cipher_suite
    }

    /// The name that the client asked for (SNI), in lower case.
    pub fn server_name(&self) -> Option<&str> {
        self.0.server_name.as_deref()
    }

    /// The protocol that was agreed on (ALPN), such as `h2`.
    pub fn application_protocol(&self) -> Option<&str> {
        self.0.application_protocol.as_deref()
    }

    /// The client's certificate in DER form, if it was asked for one and has one. It is verified.
    pub fn client_certificate(&self) -> Option<&[u8]> {
        self.0.client_certificates.first().map(Vec::as_slice)
    }

    /// The client's certificate and those it sent to prove it, in DER form.
    pub fn client_certificate_chain(&self) -> impl Iterator<Item = &[u8]> {
        self.0.client_certificates.iter().map(Vec::as_slice)
    }

    /// Whether the handshake went on with an earlier connection's session.
    pub fn is_resumed(&self) -> bool {
        self.0.session == Session::Resumed
    }
}
