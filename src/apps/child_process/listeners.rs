//! Which sockets listen on TCP. (Linux.)
//!
//! The system is asked by netlink (`sock_diag(7)`), and goes through those alone that listen. `/proc/net/tcp` goes through the table of
//! all connections, too, which is made for as many as there is memory: that takes it milliseconds, however few there are. It is
//! read where netlink is not to be had, as in some sandboxes.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// A socket that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    pub(super) user: u32,
    pub(super) inode: u64,
}

/// All of them.
pub(super) fn listeners() -> Vec<Listener> {
    asked().unwrap_or_else(|_| read())
}

/// Who would get a connection to an address of this machine; `None` if nobody would. The number of the socket is another one
/// for each that there ever was, as far as the system tells.
///
/// # Errors
///
/// It cannot be known.
pub(super) fn at(address: SocketAddr) -> io::Result<Option<Listener>> {
    asked_at(address).or_else(|_| {
        // Where this cannot be read, nothing is known.
        fs::metadata("/proc/net/tcp")?;
        Ok(chosen(read(), address))
    })
}

/// Asks the system as it asks itself for a packet that comes to this address by the loopback.
///
/// # Errors
///
/// It does not let itself be asked.
fn asked_at(address: SocketAddr) -> io::Result<Option<Listener>> {
    const NONE: i32 = -2; // ENOENT
    let socket = asking()?;
    let question = question_at(address);
    send(&socket, &question, SendFlags::empty())?;
    let mut buffer = [0; 1024];
    let (_, length) = recv(&socket, &mut buffer, RecvFlags::DONTWAIT)?;
    let answer = buffer.get(..length).unwrap_or(&buffer);
    let error = number(answer, HEAD).map(u32::cast_signed);
    match number(answer, 4).map(|kind| (kind & 0xffff) as u16) {
        Some(SOCK_DIAG_BY_FAMILY) => {
            let entry = answer.get(HEAD..).unwrap_or_default();
            let found = entry_of(entry).ok_or(io::ErrorKind::InvalidData)?;
            let cookie = entry.get(44..52).and_then(|it| it.try_into().ok());
            let cookie = cookie.map(u64::from_ne_bytes).ok_or(io::ErrorKind::InvalidData)?;
            Ok(Some(Listener { inode: cookie, ..found }))
        }
        Some(ERROR) if error == Some(NONE) => Ok(None),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Whom the system would choose, of those that stand in `/proc`: who has the address itself, before who has all of them.
fn chosen(all: Vec<Listener>, address: SocketAddr) -> Option<Listener> {
    let rank = |it: &Listener| {
        let host = it.address.ip();
        [
            host.to_canonical() == address.ip(),
            host.is_unspecified() && host.is_ipv4() == address.is_ipv4(),
            host.is_unspecified() && host.is_ipv6(),
        ]
        .iter()
        .position(|is_so| *is_so)
    };
    let there = all.into_iter().filter(|it| it.address.port() == address.port());
    let there = there.filter_map(|it| Some((rank(&it)?, it)));
    there.min_by_key(|(rank, _)| *rank).map(|(_, it)| it)
}

/// The socket by which the system is asked.
fn asking() -> io::Result<OwnedFd> {
    Ok(socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?)
}

/// What the system says when it is asked.
///
/// # Errors
///
/// It does not let itself be asked.
fn asked() -> io::Result<Vec<Listener>> {
    let socket = asking()?;
    let mut found = Vec::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        send(&socket, &question(family), SendFlags::empty())?;
        let mut buffer = [0; LONGEST];
        loop {
            // It has answered before it let go of the question.
            let (_, length) = recv(&socket, &mut buffer, RecvFlags::DONTWAIT)?;
            if take(buffer.get(..length).unwrap_or(&buffer), &mut found)? {
                break;
            }
        }
    }
    Ok(found)
}

/// The system sends no more at once to whoever takes this much.
const LONGEST: usize = 8192;

/// The head of a message (`nlmsghdr`).
const HEAD: usize = 16;

/// What is said of a socket (`inet_diag_msg`).
const ENTRY: usize = 72;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// Asks for all that listen (`inet_diag_req_v2`).
fn question(family: AddressFamily) -> [u8; 72] {
    const REQUEST_AND_DUMP: u16 = 0x301;
    question_of(family, REQUEST_AND_DUMP)
}

/// Asks for the one that has this address. No client is named, so that no connection is found in its place.
fn question_at(address: SocketAddr) -> [u8; 72] {
    const REQUEST: u16 = 1;
    /// The number of the loopback: it is the first there is.
    const LOOPBACK: u32 = 1;
    let (family, host) = match address.ip() {
        IpAddr::V4(host) => (AddressFamily::INET, host.to_ipv6_compatible().octets()),
        IpAddr::V6(host) => (AddressFamily::INET6, host.octets()),
    };
    let mut question = question_of(family, REQUEST);
    question[24..26].copy_from_slice(&address.port().to_be_bytes());
    match address.is_ipv4() {
        true => question[28..32].copy_from_slice(&host[12..]),
        false => question[28..44].copy_from_slice(&host),
    }
    question[60..64].copy_from_slice(&LOOPBACK.to_ne_bytes());
    // Any socket, whatever its number.
    question[64..].fill(0xff);
    question
}

fn question_of(family: AddressFamily, flags: u16) -> [u8; 72] {
    const LISTENS: u32 = 1 << 10;
    const TCP: u8 = 6;
    let mut question = [0; 72];
    question[..4].copy_from_slice(&72_u32.to_ne_bytes());
    question[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    question[6..8].copy_from_slice(&flags.to_ne_bytes());
    // They are small numbers.
    question[16] = u8::try_from(family.as_raw()).unwrap_or_default();
    question[17] = TCP;
    question[20..24].copy_from_slice(&LISTENS.to_ne_bytes());
    question
}

/// Takes sockets out of messages; whether these are the last.
///
/// # Errors
///
/// The system has no answer.
fn take(mut messages: &[u8], found: &mut Vec<Listener>) -> io::Result<bool> {
    while let (Some(length), Some(kind)) = (number(messages, 0), number(messages, 4)) {
        let length = length as usize;
        match (kind & 0xffff) as u16 {
            DONE => return Ok(true),
            ERROR => return Err(io::ErrorKind::Unsupported.into()),
            _ => {
                let entry = messages.get(HEAD..length.max(HEAD));
                found.extend(entry.and_then(entry_of));
            }
        }
        // Each begins at a multiple of four.
        let next = length.max(HEAD).next_multiple_of(4);
        messages = messages.get(next..).unwrap_or_default();
    }
    Ok(false)
}

/// Four bytes in the machine's own order.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn entry_of(entry: &[u8]) -> Option<Listener> {
    const V4: u8 = AddressFamily::INET.as_raw() as u8;
    let entry = entry.get(..ENTRY)?;
    let port = u16::from_be_bytes(entry.get(4..6)?.try_into().ok()?);
    let host: IpAddr = match entry[0] {
        V4 => <[u8; 4]>::try_from(entry.get(8..12)?).map(Ipv4Addr::from).ok()?.into(),
        _ => <[u8; 16]>::try_from(entry.get(8..24)?).map(Ipv6Addr::from).ok()?.into(),
    };
    let (user, inode) = (number(entry, 64)?, number(entry, 68)?);
    Some(Listener { address: SocketAddr::new(host, port), user, inode: inode.into() })
}

/// What stands in `/proc`.
fn read() -> Vec<Listener> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.into_iter().filter_map(|table| fs::read_to_string(table).ok());
    tables.flat_map(|table| table.lines().filter_map(listener).collect::<Vec<_>>()).collect()
}

/// What a line of a table says of a socket that listens.
fn listener(line: &str) -> Option<Listener> {
    const LISTENS: &str = "0A";
    let mut columns = line.split_whitespace().skip(1);
    let (address, _, state) = (columns.next()?, columns.next()?, columns.next()?);
    let user = columns.nth(3)?.parse().ok()?;
    let inode = columns.nth(1)?.parse().ok()?;
    (state == LISTENS).then_some(())?;
    let (host, port) = address.split_once(':')?;
    // Words of the machine's own byte order.
    let words: Vec<u32> = (0..host.len() / 8)
        .filter_map(|word| u32::from_str_radix(host.get(word * 8..word * 8 + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let host: IpAddr = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ipv4Addr::from(bytes).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?).into(),
    };
    let address = SocketAddr::new(host, u16::from_str_radix(port, 16).ok()?);
    Some(Listener { address, user, inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_system_are_read() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 4711 1";
        let at = |address: &str| {
            Some(Listener { address: address.parse().unwrap(), user: 33, inode: 4711 })
        };
        let v6 = line.replace("0100007F", "00000000000000000000000001000000");
        #[cfg(target_endian = "little")]
        for (line, expected) in [
            (line, at("127.0.0.1:8080")),
            (&*v6, at("[::1]:8080")),
            (&*line.replace(" 0A ", " 01 "), None),
            ("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when", None),
        ] {
            assert_eq!(listener(line), expected, "{line}");
        }
    }

    /// A message with a socket of this family at port 8080.
    fn message(family: AddressFamily, host: &[u8]) -> Vec<u8> {
        let mut message = vec![0; HEAD + ENTRY];
        message[..4].copy_from_slice(&u32::try_from(HEAD + ENTRY).unwrap().to_ne_bytes());
        message[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message[HEAD] = u8::try_from(family.as_raw()).unwrap();
        message[HEAD + 4..HEAD + 6].copy_from_slice(&8080_u16.to_be_bytes());
        message[HEAD + 8..HEAD + 8 + host.len()].copy_from_slice(host);
        message[HEAD + 64..HEAD + 68].copy_from_slice(&33_u32.to_ne_bytes());
        message[HEAD + 68..].copy_from_slice(&4711_u32.to_ne_bytes());
        message
    }

    fn end(kind: u16) -> Vec<u8> {
        let mut message = vec![0; HEAD + 4];
        message[..4].copy_from_slice(&u32::try_from(HEAD + 4).unwrap().to_ne_bytes());
        message[4..6].copy_from_slice(&kind.to_ne_bytes());
        message
    }

    #[test]
    fn answers_of_the_system_are_read() {
        let mut loopback = [0; 16];
        loopback[15] = 1;
        let v4 = message(AddressFamily::INET, &[127, 0, 0, 1]);
        let v6 = message(AddressFamily::INET6, &loopback);
        let both = [v4.clone(), v6].concat();
        let mut found = Vec::new();
        assert!(!take(&both, &mut found).unwrap());
        assert!(take(&end(DONE), &mut found).unwrap());
        let at =
            |address: &str| Listener { address: address.parse().unwrap(), user: 33, inode: 4711 };
        assert_eq!(found, [at("127.0.0.1:8080"), at("[::1]:8080")]);
        assert!(take(&end(ERROR), &mut found).is_err());
        // Whatever is cut off is none.
        for length in 0..v4.len() {
            let mut none = Vec::new();
            assert!(!take(&v4[..length], &mut none).unwrap());
            assert_eq!(none, []);
        }
        assert!(!take(&[0; 64], &mut found).unwrap());
    }

    #[expect(clippy::disallowed_methods, reason = "it is no host that listens here")]
    #[test]
    fn who_gets_a_connection_is_found() {
        use std::net::TcpListener;

        let user = rustix::process::geteuid().as_raw();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let found = asked_at(address).unwrap().unwrap();
        assert_eq!((found.address, found.user), (address, user));
        assert_eq!(asked_at(address).unwrap().unwrap(), found);
        let written = chosen(read(), address).unwrap();
        assert_eq!((written.address, written.user), (address, user));
        // Others of this port are not who is connected to.
        let beside = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), address.port()));
        assert_eq!(asked_at(beside).unwrap(), None);
        assert_eq!(chosen(read(), beside), None);
        drop(listener);
        assert_eq!(asked_at(address).unwrap(), None);
        // Another socket at the same place is another one.
        let again = TcpListener::bind(address).unwrap();
        assert_ne!(asked_at(address).unwrap().unwrap().inode, found.inode);
        drop(again);
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        assert!(asked_at(address).unwrap().is_some());
        assert!(chosen(read(), address).is_some());
    }

    #[test]
    fn who_has_an_address_itself_goes_before_who_has_all() {
        let all = ["[::]:80", "0.0.0.0:80", "127.0.0.1:81", "[::ffff:127.0.0.1]:80", "[::1]:80"];
        let of = |all: &[&str], address: &str| {
            let listener =
                |address: &&str| Listener { address: address.parse().unwrap(), user: 1, inode: 1 };
            let chosen = chosen(all.iter().map(listener).collect(), address.parse().unwrap());
            chosen.map(|it| it.address.to_string())
        };
        for (among, address, expected) in [
            (&all[..], "127.0.0.1:80", Some("[::ffff:127.0.0.1]:80")),
            (&all[..3], "127.0.0.1:80", Some("0.0.0.0:80")),
            (&all[..1], "127.0.0.1:80", Some("[::]:80")),
            (&all, "[::1]:80", Some("[::1]:80")),
            (&all[..2], "[::1]:80", Some("[::]:80")),
            (&all[1..4], "[::1]:80", None),
            (&all[4..], "127.0.0.1:80", None),
        ] {
            assert_eq!(of(among, address).as_deref(), expected, "{address} of {among:?}");
        }
    }

    #[test]
    fn who_is_asked_says_what_is_written_down() {
        // What was there before and is there after was there in between.
        let (before, asked, after) = (read(), asked().unwrap(), read());
        let stayed = before.iter().filter(|it| after.contains(it));
        let missing: Vec<_> = stayed.filter(|it| !asked.contains(it)).collect();
        assert!(missing.is_empty(), "{missing:?} of {asked:?}");
    }
}
