//! A connection, in clear text or by TLS, that is read with a limit.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::DerefMut;
use std::time::Duration;

use rustls::{ConnectionCommon, SideData, StreamOwned};
use socket2::SockRef;

use crate::suite::app::is_timeout;

/// What a connection reads and writes, over a socket.
trait Stream: Read + Write + Send {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl<C, S> Stream for StreamOwned<C, TcpStream>
where
    C: DerefMut<Target = ConnectionCommon<S>> + Send,
    S: SideData,
{
    fn socket(&self) -> &TcpStream {
        self.get_ref()
    }
}

/// What came of reading.
#[derive(Debug)]
pub(super) enum Came {
    Bytes(Vec<u8>),
    /// Nothing, for as long as was waited.
    Nothing,
    /// The other side has said all that it has to say.
    End,
    Reset,
}

/// One connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
}

impl Wire {
    pub(super) fn plain(socket: TcpStream) -> Self {
        Self { stream: Box::new(socket) }
    }

    pub(super) fn secure<C, S>(stream: StreamOwned<C, TcpStream>) -> Self
    where
        C: DerefMut<Target = ConnectionCommon<S>> + Send + 'static,
        S: SideData + 'static,
    {
        Self { stream: Box::new(stream) }
    }

    /// What comes next, if it comes in time.
    pub(super) fn read(&mut self, limit: Duration) -> Came {
        // A wait of nothing at all would be refused.
        let limit = limit.max(Duration::from_millis(1));
        if self.stream.socket().set_read_timeout(Some(limit)).is_err() {
            return Came::Reset;
        }
        let mut buffer = vec![0; 1 << 16];
        match self.stream.read(&mut buffer) {
            Ok(0) => Came::End,
            Ok(read) => {
                buffer.truncate(read);
                Came::Bytes(buffer)
            }
            Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => {
                Came::Nothing
            }
            // The end without the goodbye of TLS.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Came::End,
            Err(_) => Came::Reset,
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Says that nothing more will be sent.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.stream.socket().shutdown(std::net::Shutdown::Write)
    }

    /// Ends it as if it had never been.
    pub(super) fn reset(self) {
        // Where there is nothing left to reset, nobody is to be told.
        let _ = SockRef::from(self.stream.socket()).set_linger(Some(Duration::ZERO));
    }
}
