//! Who has a port that is taken: the first thing an operator wants to know.
//!
//! Best effort: on Linux out of `/proc`, elsewhere not at all. Processes of other users are only
//! seen by root.

use std::net::SocketAddr;

/// Names the process that listens where `address` cannot be bound, such as
/// `nginx (process 812), listening on 0.0.0.0:80,`.
#[cfg(target_os = "linux")]
pub(super) fn holder_of(address: SocketAddr) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let listener = tables
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| linux::listeners(&table))
        .find(|listener| linux::overlaps(listener.address, address))?;
    let (process, name) = linux::process_with(listener.inode)?;
    let ours = if process == std::process::id() { ", this very process" } else { "" };
    Some(format!("{name} (process {process}{ours}), listening on {},", listener.address))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn holder_of(_: SocketAddr) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::path::Path;

    pub(super) struct Listener {
        pub(super) address: SocketAddr,
        pub(super) inode: u64,
    }

    /// The listening sockets of a table such as `/proc/net/tcp`.
    pub(super) fn listeners(table: &str) -> Vec<Listener> {
        const LISTEN: &str = "0A";
        let read = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, _, LISTEN, ..] = fields[..] else {
                return None;
            };
            let inode = fields.get(9)?.parse().ok()?;
            Some(Listener { address: parse_address(local)?, inode })
        };
        table.lines().skip(1).filter_map(read).collect()
    }

    /// `0100007F:1388`: the address in words of four bytes in the machine's order, then the port.
    fn parse_address(text: &str) -> Option<SocketAddr> {
        let (address, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let words: Vec<[u8; 4]> = (0..address.len() / 8)
            .map(|word| u32::from_str_radix(address.get(word * 8..word * 8 + 8)?, 16).ok())
            .map(|word| word.map(u32::to_ne_bytes))
            .collect::<Option<_>>()?;
        let ip = match words[..] {
            [word] => IpAddr::V4(Ipv4Addr::from(word)),
            [_, _, _, _] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// Whether a socket at `one` can keep another from `other`.
    pub(super) fn overlaps(one: SocketAddr, other: SocketAddr) -> bool {
        let (left, right) = (one.ip().to_canonical(), other.ip().to_canonical());
        let any = |ip: IpAddr| ip.is_unspecified();
        one.port() == other.port() && (left == right || any(left) || any(right))
    }

    /// The process that has a socket open, with its name.
    pub(super) fn process_with(inode: u64) -> Option<(u32, String)> {
        let socket = format!("socket:[{inode}]");
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Ok(process) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            if holds(&entry.path().join("fd"), &socket) {
                let name = fs::read_to_string(entry.path().join("comm")).ok()?;
                return Some((process, name.trim_end().to_owned()));
            }
        }
        None
    }

    fn holds(descriptors: &Path, socket: &str) -> bool {
        fs::read_dir(descriptors).is_ok_and(|mut entries| {
            entries.any(|entry| {
                let target = entry.and_then(|entry| fs::read_link(entry.path()));
                target.is_ok_and(|target| target.as_os_str() == socket)
            })
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_tables_of_the_kernel_are_read() {
            let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                       0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1\n   \
                       1: 0100007F:1389 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1\n";
            let read = listeners(tcp);
            assert_eq!(read.len(), 1);
            assert_eq!(
                (read[0].address.to_string().as_str(), read[0].inode),
                ("127.0.0.1:5000", 4242)
            );
            let any = parse_address("00000000000000000000000000000000:0050").unwrap();
            assert_eq!(any.to_string(), "[::]:80");
        }

        #[test]
        #[expect(clippy::disallowed_methods, reason = "a socket to be found")]
        fn our_own_listener_is_found() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let told = super::super::holder_of(listener.local_addr().unwrap()).unwrap();
            assert!(told.contains(&format!("process {}", std::process::id())), "{told}");
        }
    }
}
