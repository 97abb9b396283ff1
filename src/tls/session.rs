//! What both sides of TLS have in common: what is done with records, and a handshake that goes on.

use std::io;

use bytes::{Buf, BytesMut};
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much is read at once: most first messages of clients are less.
const READ: usize = 4096;

/// A peer may not need more for its part of a handshake; its certificates are the longest.
const MOST_READ: usize = 96 * 1024;

/// A session of rustls', of whichever side.
pub(crate) trait Session: Send + Unpin + 'static {
    type Data;

    /// Looks at what came until there is something to do.
    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// Whether it has something to say.
    fn has_words(&self) -> bool;

    fn is_in_handshake(&self) -> bool;
}

impl Session for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_words(&self) -> bool {
        self.wants_write()
    }

    fn is_in_handshake(&self) -> bool {
        self.is_handshaking()
    }
}

impl Session for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_words(&self) -> bool {
        self.wants_write()
    }

    fn is_in_handshake(&self) -> bool {
        self.is_handshaking()
    }
}

/// A handshake that goes on.
pub(super) struct Negotiation<C> {
    pub(super) session: Box<C>,
    /// What came and is not looked at.
    pub(super) incoming: BytesMut,
    outgoing: BytesMut,
    /// What came behind the handshake and is decrypted.
    pub(super) plaintext: BytesMut,
    /// The peer will send no more.
    pub(super) ended: bool,
}

/// Why a handshake does not go on.
pub(super) enum Stop {
    /// The peer is gone.
    Gone(io::Error),
    /// The sides do not agree, and what is to be sent to tell it.
    Refused { error: rustls::Error, alert: Vec<u8> },
    /// The peer says too much.
    TooLong,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl<C: Session> Negotiation<C> {
    pub(super) fn new(session: C, incoming: BytesMut) -> Self {
        Self {
            session: Box::new(session),
            incoming,
            outgoing: BytesMut::new(),
            plaintext: BytesMut::new(),
            ended: false,
        }
    }

    pub(super) async fn run<S>(&mut self, socket: &mut S) -> Result<(), Stop>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            if let Err(error) = self.advance() {
                return Err(Stop::Refused { error, alert: self.outgoing.to_vec() });
            }
            socket.write_all(&self.outgoing).await?;
            self.outgoing.clear();
            if !self.session.is_in_handshake() {
                return Ok(());
            }
            if self.ended {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            if self.incoming.len() > MOST_READ {
                return Err(Stop::TooLong);
            }
            read_more(socket, &mut self.incoming).await?;
        }
    }

    /// Goes as far as what came allows.
    fn advance(&mut self) -> Result<(), rustls::Error> {
        loop {
            let UnbufferedStatus { discard, state } = self.session.process(&mut self.incoming);
            let mut done = false;
            match state {
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    encode(&mut message, &mut self.outgoing);
                }
                Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        self.plaintext.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(_) => done = true,
                Err(error) => {
                    let rest = self.incoming.get_mut(discard..).unwrap_or_default();
                    last_words(&mut *self.session, rest, &mut self.outgoing);
                    return Err(error);
                }
            }
            self.incoming.advance(discard.min(self.incoming.len()));
            if done {
                return Ok(());
            }
        }
    }
}

/// Reads what the peer says; its end is an error.
pub(super) async fn read_more<S>(socket: &mut S, incoming: &mut BytesMut) -> io::Result<()>
where
    S: AsyncRead + Unpin,
{
    incoming.reserve(READ);
    match socket.read_buf(incoming).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// What a session still has to say that is broken: an alert, mostly. It is asked for as long as
/// there is some, and not once more: it must not look at what else came.
pub(super) fn last_words<C: Session>(
    session: &mut C,
    mut incoming: &mut [u8],
    outgoing: &mut BytesMut,
) {
    while session.has_words() {
        let UnbufferedStatus { discard, state } = session.process(incoming);
        match state {
            Ok(ConnectionState::EncodeTlsData(mut message)) => encode(&mut message, outgoing),
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while traffic.next_record().is_some() {}
            }
            _ => return,
        }
        incoming = incoming.get_mut(discard..).unwrap_or_default();
    }
}

/// Adds a message of the session's own.
pub(super) fn encode<Data>(message: &mut EncodeTlsData<'_, Data>, outgoing: &mut BytesMut) {
    let start = outgoing.len();
    let mut length = 0;
    // The first time it only says how long it is.
    while let Err(EncodeError::InsufficientSize(needed)) =
        message.encode(outgoing.get_mut(start..start + length).unwrap_or_default())
    {
        length = needed.required_size;
        outgoing.resize(start + length, 0);
    }
}
