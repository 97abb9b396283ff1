//! Putting certificates of the tests in place, and a client that trusts their authority.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::process::LIMIT;
use crate::test_data::{certificate, file};

/// Puts a certificate and its key into the place of `a.pem` and `a.key`, each at once.
pub(crate) fn install(name: &str, folder: &Path) {
    for kind in ["key", "pem"] {
        let beside = folder.join("a.beside");
        fs::copy(file(&format!("{name}.{kind}")), &beside).expect("the folder is ours");
        fs::rename(beside, folder.join(format!("a.{kind}"))).expect("the folder is ours");
    }
}

/// What all connections of a client share; sessions are not taken up again, so that every handshake
/// shows the certificate.
pub(crate) fn client() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca")).expect("an authority");
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

/// A stream of HTTP/2 to an announced https address.
pub(crate) fn http2(announced: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut config = (*client()).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Secured::connect(&Arc::new(config), announced).expect("a handshake").0
}

/// A connection that is kept, over which requests of HTTP/1.1 go one after another.
pub(crate) struct Secured(StreamOwned<ClientConnection, TcpStream>);

impl Secured {
    /// Does a handshake with an announced https address.
    ///
    /// # Errors
    ///
    /// There is no listener, or there is no handshake.
    pub(crate) fn connect(config: &Arc<ClientConfig>, announced: &str) -> io::Result<Self> {
        Self::connect_for(config, announced, "localhost")
    }

    /// The same for a client that asks for this name.
    ///
    /// # Errors
    ///
    /// As of [`connect`](Self::connect).
    pub(crate) fn connect_for(
        config: &Arc<ClientConfig>,
        announced: &str,
        name: &'static str,
    ) -> io::Result<Self> {
        let authority = announced.strip_prefix("https://").expect("an https address");
        let mut socket = TcpStream::connect(authority)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LIMIT))?;
        let name = ServerName::try_from(name).expect("a name");
        let mut session =
            ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Self(StreamOwned::new(session, socket)))
    }

    /// What the connection is made of.
    pub(crate) fn into_stream(self) -> StreamOwned<ClientConnection, TcpStream> {
        self.0
    }

    /// The certificate that the server showed.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let shown = self.0.conn.peer_certificates().and_then(<[_]>::first);
        shown.expect("the handshake is over").clone().into_owned()
    }

    /// The status of `GET /`, with an answer that is whole.
    ///
    /// # Errors
    ///
    /// The connection is broken, or what comes is no whole answer.
    pub(crate) fn get(&mut self) -> io::Result<u16> {
        self.0.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut read = Vec::new();
        let head_end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more(&mut read)?;
        };
        let head = String::from_utf8_lossy(&read[..head_end]).into_owned();
        let bad = || io::Error::other(format!("no answer: {head}"));
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok())
            .ok_or_else(bad)?;
        if head.contains("Connection: close") {
            return Err(bad());
        }
        while read.len() < head_end + length {
            self.more(&mut read)?;
        }
        Ok(status)
    }

    fn more(&mut self, read: &mut Vec<u8>) -> io::Result<()> {
        let mut bytes = [0; 4096];
        match self.0.read(&mut bytes)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                read.extend_from_slice(&bytes[..length]);
                Ok(())
            }
        }
    }
}
