//! The PROXY protocol: what a proxy that hands connections on says of the client, before the client's
//! first byte (HAProxy's `proxy-protocol.txt`, versions 1 and 2).
//!
//! It is read exactly to its end: what comes behind it, a request or a handshake, is left in the
//! socket for whoever speaks that.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How version 2 begins.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// How version 1 begins.
const PROXY: &[u8] = b"PROXY ";

/// The shortest header there is: `PROXY UNKNOWN` and the end of its line. No header is shorter, so
/// that this much can be read of each without reading beyond it.
const SHORTEST: usize = 15;

/// The longest line of version 1, with its end.
const LONGEST_LINE: usize = 107;

/// Who is at the two ends of a connection that a proxy hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxied {
    /// The client, and the address that it has connected to.
    Client { client: SocketAddr, server: SocketAddr },
    /// The proxy speaks for itself, as for a check of health, or does not know: the addresses of the
    /// connection count.
    Itself,
}

/// Why a connection has no header that can be believed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It ended before its first byte.
    Gone,
    /// It ended within it.
    Ended,
    /// It begins with something else.
    Missing,
    /// What is wrong with it.
    Malformed(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone | Self::Ended => "it ended before its PROXY header was whole",
            Self::Missing => "it does not begin with a PROXY header",
            Self::Malformed(what) => what,
        })
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Ended
    }
}

/// Reads the header that a connection begins with.
///
/// # Errors
///
/// There is none, or it is malformed.
pub(super) async fn read<S: AsyncRead + Unpin>(socket: &mut S) -> Result<Proxied, Failure> {
    let mut first = [0; SHORTEST];
    // By pieces: of what is no header there may never be enough.
    let mut length = 0;
    while length < SHORTEST {
        let Some(room) = first.get_mut(length..) else { break };
        match socket.read(room).await? {
            0 if length == 0 => return Err(Failure::Gone),
            0 => {
                return Err(if begins(&first, length) { Failure::Ended } else { Failure::Missing });
            }
            read => length += read,
        }
        if !begins(&first, length) {
            return Err(Failure::Missing);
        }
    }
    match first.starts_with(PROXY) {
        true => read_line(socket, &first).await,
        false => read_binary(socket, &first).await,
    }
}

/// Whether bytes are the beginning of a header, of either version.
fn begins(first: &[u8; SHORTEST], length: usize) -> bool {
    let read = first.get(..length).unwrap_or(first);
    let is_like = |start: &[u8]| read.iter().zip(start).all(|(byte, other)| byte == other);
    is_like(PROXY) || is_like(&SIGNATURE)
}

/// Reads the rest of version 1.
async fn read_line<S: AsyncRead + Unpin>(socket: &mut S, first: &[u8]) -> Result<Proxied, Failure> {
    let mut line = [0; LONGEST_LINE];
    let mut length = 0;
    for (room, byte) in line.iter_mut().zip(first) {
        *room = *byte;
        length += 1;
    }
    // Byte by byte: nobody says how long it is. It is some dozens, once for a connection.
    loop {
        let read = line.get(..length).unwrap_or_default();
        if let Some(said) = read.strip_suffix(b"\r\n") {
            return line_of(said);
        }
        let room = line.get_mut(length);
        *room.ok_or(Failure::Malformed("its PROXY header has no end of a line"))? =
            socket.read_u8().await?;
        length += 1;
    }
}

/// What a line of version 1 says, its end aside.
fn line_of(line: &[u8]) -> Result<Proxied, Failure> {
    const MALFORMED: Failure =
        Failure::Malformed("its PROXY header is not 'PROXY TCP4', or TCP6, with four more words");
    let text = str::from_utf8(line).map_err(|_| MALFORMED)?;
    let mut words = text.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(Proxied::Itself);
    }
    let (Some(client), Some(server), Some(client_port), Some(server_port), None) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Err(MALFORMED);
    };
    let (client, server) = match family {
        Some("TCP4") => (address::<Ipv4Addr>(client)?, address::<Ipv4Addr>(server)?),
        Some("TCP6") => (address::<Ipv6Addr>(client)?, address::<Ipv6Addr>(server)?),
        _ => return Err(MALFORMED),
    };
    let (client_port, server_port) = (port(client_port)?, port(server_port)?);
    let (client, server) = ((client, client_port).into(), (server, server_port).into());
    Ok(Proxied::Client { client, server })
}

fn address<A: FromStr + Into<IpAddr>>(text: &str) -> Result<IpAddr, Failure> {
    let address: Result<A, _> = text.parse();
    address.map(Into::into).map_err(|_| {
        Failure::Malformed("an address in its PROXY header is none of the family that it names")
    })
}

/// A port: digits, and no zero before others.
fn port(text: &str) -> Result<u16, Failure> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    let port = text.parse().ok().filter(|_| is_plain);
    port.ok_or(Failure::Malformed("a port in its PROXY header is none"))
}

/// Reads the rest of version 2.
async fn read_binary<S: AsyncRead + Unpin>(
    socket: &mut S,
    first: &[u8; SHORTEST],
) -> Result<Proxied, Failure> {
    let [.., version_and_command, family, length] = *first;
    let length = usize::from(u16::from_be_bytes([length, socket.read_u8().await?]));
    let size = match block(version_and_command, family)? {
        Block::Addresses(size) => size,
        Block::Passed => 0,
    };
    if length < size {
        return Err(Failure::Malformed("its PROXY header is too short for its addresses"));
    }
    let mut addresses = [0; IPV6];
    let addresses = addresses.get_mut(..size).unwrap_or_default();
    socket.read_exact(addresses).await?;
    // What else a proxy says (type, length, value) is read by nobody here.
    let mut left = (length - size) as u64;
    while left > 0 {
        let mut passed = [0; 512];
        let room = passed.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        match socket.read(passed.get_mut(..room).unwrap_or_default()).await? {
            0 => return Err(Failure::Ended),
            read => left -= read as u64,
        }
    }
    Ok(addresses_of(addresses).unwrap_or(Proxied::Itself))
}

/// The lengths of the addresses and ports of both families.
const IPV4: usize = 12;
const IPV6: usize = 36;

/// What stands behind the fixed part of version 2.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    /// Addresses and ports, in so many bytes, and more.
    Addresses(usize),
    /// Nothing that counts.
    Passed,
}

/// What the fixed part of version 2 says of the rest.
fn block(version_and_command: u8, family: u8) -> Result<Block, Failure> {
    if version_and_command >> 4 != 2 {
        return Err(Failure::Malformed("its PROXY header is of no known version"));
    }
    match (version_and_command & 0xf, family) {
        // The proxy speaks for itself.
        (0, _) => Ok(Block::Passed),
        (1, 0x11) => Ok(Block::Addresses(IPV4)),
        (1, 0x21) => Ok(Block::Addresses(IPV6)),
        // Of no family, or of one that has no such addresses: a Unix socket, datagrams.
        (1, 0x00 | 0x12 | 0x22 | 0x31 | 0x32) => Ok(Block::Passed),
        (1, _) => Err(Failure::Malformed("its PROXY header is of no known family")),
        (_, _) => Err(Failure::Malformed("its PROXY header has no known command")),
    }
}

/// The addresses in a block of version 2.
fn addresses_of(block: &[u8]) -> Option<Proxied> {
    let port = |from: usize| {
        let bytes = block.get(from..)?.first_chunk()?;
        Some(u16::from_be_bytes(*bytes))
    };
    let (client, server, ports) = match block.len() {
        IPV4 => (
            IpAddr::from(*block.first_chunk::<4>()?),
            IpAddr::from(*block.get(4..)?.first_chunk::<4>()?),
            8,
        ),
        IPV6 => (
            IpAddr::from(*block.first_chunk::<16>()?),
            IpAddr::from(*block.get(16..)?.first_chunk::<16>()?),
            32,
        ),
        _ => return None,
    };
    let (client, server) = ((client, port(ports)?).into(), (server, port(ports + 2)?).into());
    Some(Proxied::Client { client, server })
}

/// Checks the beginning of a connection: whatever it is, it is read without a panic, and not beyond the
/// end of its header.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(bytes: &[u8]) {
    let (read, left) = read_at_once(bytes);
    let length = bytes.len() - left.len();
    match read {
        Ok(_) if bytes.starts_with(PROXY) => {
            let end = bytes.windows(2).position(|two| two == b"\r\n").expect("its end");
            assert_eq!(length, end + 2);
        }
        Ok(_) => {
            let told = u16::from_be_bytes([bytes[14], bytes[15]]);
            assert_eq!(length, 16 + usize::from(told));
        }
        Err(_) => assert!(length <= 16 + usize::from(u16::MAX)),
    }
}

/// What is read of bytes that are all there, and what is left of them.
#[cfg(any(test, fuzzing))]
fn read_at_once(mut bytes: &[u8]) -> (Result<Proxied, Failure>, &[u8]) {
    use std::task::{Context, Poll, Waker};

    let read = std::pin::pin!(read(&mut bytes)).poll(&mut Context::from_waker(Waker::noop()));
    match read {
        Poll::Ready(read) => (read, bytes),
        Poll::Pending => unreachable!("there is nothing to wait for"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is read of these bytes, and what is left of them.
    fn read_from(bytes: &[u8]) -> (Result<Proxied, String>, Vec<u8>) {
        let (read, left) = read_at_once(bytes);
        (read.map_err(|failure| failure.to_string()), left.to_vec())
    }

    fn client(client: &str, server: &str) -> Result<Proxied, String> {
        let [client, server] = [client, server].map(|it| it.parse().expect("an address"));
        Ok(Proxied::Client { client, server })
    }

    /// A header of version 2.
    fn binary(version_and_command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).expect("a length").to_be_bytes();
        [&SIGNATURE[..], &[version_and_command, family], &length, block].concat()
    }

    #[test]
    fn a_line_tells_the_client_and_nothing_behind_it_is_read() {
        for (line, told) in [
            (
                "PROXY TCP4 203.0.113.9 192.0.2.1 56324 443",
                client("203.0.113.9:56324", "192.0.2.1:443"),
            ),
            (
                "PROXY TCP6 2001:db8::9 2001:db8::1 1 65535",
                client("[2001:db8::9]:1", "[2001:db8::1]:65535"),
            ),
            ("PROXY UNKNOWN", Ok(Proxied::Itself)),
            ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535", Ok(Proxied::Itself)),
        ] {
            let (read, left) = read_from(format!("{line}\r\nGET / HTTP/1.1\r\n").as_bytes());
            assert_eq!(read, told, "{line}");
            assert_eq!(left, b"GET / HTTP/1.1\r\n", "{line}");
        }
    }

    #[test]
    fn a_line_that_says_something_else_is_refused() {
        for line in [
            "PROXY TCP4 203.0.113.9 192.0.2.1 56324",
            "PROXY TCP4 203.0.113.9 192.0.2.1 56324 443 ",
            "PROXY TCP4  203.0.113.9 192.0.2.1 56324 443",
            "PROXY TCP4 2001:db8::9 2001:db8::1 1 2",
            "PROXY TCP6 203.0.113.9 192.0.2.1 1 2",
            "PROXY TCP4 203.0.113.9 192.0.2.1 056324 443",
            "PROXY TCP4 203.0.113.9 192.0.2.1 +1 443",
            "PROXY TCP4 203.0.113.9 192.0.2.1 65536 443",
            "PROXY UDP4 203.0.113.9 192.0.2.1 1 2",
            "PROXY tcp4 203.0.113.9 192.0.2.1 1 2",
            "PROXY TCP4 203.0.113.9 192.0.2.1 \u{e9} 443",
            "GET / HTTP/1.1\r\nHost: a",
            "PROXYTCP4 203.0.113.9 192.0.2.1 1 2",
        ] {
            let (read, _) = read_from(format!("{line}\r\n").as_bytes());
            assert!(read.is_err(), "{line}: {read:?}");
        }
        let endless = [b"PROXY TCP4 ".repeat(100), b"\r\n".to_vec()].concat();
        let (read, left) = read_from(&endless);
        assert!(read.is_err_and(|error| error.contains("end of a line")));
        assert_eq!(endless.len() - left.len(), LONGEST_LINE + 1);
    }

    #[test]
    fn version_2_tells_the_client_and_what_else_it_says_is_passed_over() {
        let v4 =
            [&[203, 0, 113, 9, 192, 0, 2, 1][..], &56324_u16.to_be_bytes(), &[1, 187]].concat();
        let v6 = [&[0x20; 16][..], &[0x30; 16], &[0, 1, 0, 2]].concat();
        // A name of the host, and a checksum.
        let more = [&v4[..], &[0x02, 0, 3, b'a', b'.', b'b'], &[0x03, 0, 4, 1, 2, 3, 4]].concat();
        let told = client("203.0.113.9:56324", "192.0.2.1:443");
        let of_v6 = client(
            "[2020:2020:2020:2020:2020:2020:2020:2020]:1",
            "[3030:3030:3030:3030:3030:3030:3030:3030]:2",
        );
        for (header, expected) in [
            (binary(0x21, 0x11, &v4), told.clone()),
            (binary(0x21, 0x11, &more), told),
            (binary(0x21, 0x21, &v6), of_v6),
            // A check of health, which speaks for the proxy.
            (binary(0x20, 0x00, &[]), Ok(Proxied::Itself)),
            (binary(0x20, 0x11, &v4), Ok(Proxied::Itself)),
            // A Unix socket, and datagrams.
            (binary(0x21, 0x31, &[b'/'; 216]), Ok(Proxied::Itself)),
            (binary(0x21, 0x12, &v4), Ok(Proxied::Itself)),
            (binary(0x21, 0x00, &[7; 2000]), Ok(Proxied::Itself)),
        ] {
            let (read, left) = read_from(&[&header[..], b"\x16\x03\x01"].concat());
            assert_eq!(read, expected, "{header:?}");
            assert_eq!(left, b"\x16\x03\x01", "{header:?}");
        }
        for header in [
            binary(0x11, 0x11, &v4),
            binary(0x22, 0x11, &v4),
            binary(0x21, 0x41, &v4),
            binary(0x21, 0x21, &v4),
            binary(0x21, 0x11, &v4[..11]),
        ] {
            let (read, _) = read_from(&header);
            assert!(read.is_err(), "{header:?}: {read:?}");
        }
    }

    #[test]
    fn one_that_ends_within_its_header_is_told_from_one_that_has_none() {
        let whole = binary(0x21, 0x11, &[1; 20]);
        for length in 0..whole.len() {
            let (read, _) = read_from(&whole[..length]);
            assert!(read.is_err_and(|error| error.contains("ended")), "{length}");
        }
        assert!(read_from(b"\x16\x03\x01").0.is_err_and(|error| error.contains("not begin")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_read_beyond_a_header(
            start in prop_oneof![
                Just(PROXY.to_vec()), Just(SIGNATURE.to_vec()), Just(Vec::new()),
                Just([&SIGNATURE[..], &[0x21, 0x11]].concat()),
            ],
            rest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            check(&[start, rest].concat());
        }
    }
}
