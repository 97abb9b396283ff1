//! Who has a port that is taken: the first thing an operator wants to know.
//!
//! Best effort: on Linux out of `/proc`, elsewhere not at all. Processes of other users are only
//! seen by root; the user alone is known to everybody.

use std::fmt;
use std::net::SocketAddr;

/// Who has an address that cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// What it has, such as `0.0.0.0:80`.
    pub address: String,
    /// The other end, if it is no listening socket but one end of a connection.
    pub connected_to: Option<String>,
    /// The name of its user, or `uid 1000` if it has none.
    pub user: Option<String>,
    /// Its process, unless that is hidden from us.
    pub process: Option<HoldingProcess>,
}

/// A process that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HoldingProcess {
    /// Its id.
    pub id: u32,
    /// Its name, such as `nginx`.
    pub name: String,
    /// Whether it is stopped (Ctrl+Z, SIGSTOP): it has the port, and answers nobody.
    pub stopped: bool,
    /// What it is to us.
    pub relation: Relation,
}

/// What a process is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// This very process.
    Itself,
    /// Another one that runs the same program.
    Copy,
    /// Any other.
    Stranger,
}

impl fmt::Display for Holder {
    /// A sentence that says who has what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref().unwrap_or("another user");
        match &self.process {
            Some(HoldingProcess { id, relation: Relation::Itself, .. }) => {
                write!(f, "This very process ({id})")?;
            }
            Some(HoldingProcess { id, name, relation, .. }) => {
                let copy =
                    if *relation == Relation::Copy { ", another copy of this program" } else { "" };
                write!(f, "{name} (process {id} of {user}{copy})")?;
            }
            None => write!(f, "A process of {user}")?,
        }
        match &self.connected_to {
            None => write!(f, " listens on {}", self.address)?,
            Some(peer) => write!(f, " has {} for its connection to {peer}", self.address)?,
        }
        match &self.process {
            Some(process) if process.stopped => f.write_str("; it is stopped (Ctrl+Z, SIGSTOP)."),
            Some(_) => f.write_str("."),
            None => f.write_str("; which one, only that user and root may see."),
        }
    }
}

impl Holder {
    /// Whether another process of this program has it, or one that such a process has started.
    pub(crate) fn is_of_copy(&self) -> bool {
        self.process
            .as_ref()
            .is_some_and(|it| it.relation == Relation::Copy || was_started_by_copy(it.id))
    }

    /// How to make it let go.
    pub(super) fn release(&self) -> Option<String> {
        let HoldingProcess { id, stopped, relation, .. } = self.process.as_ref()?;
        match relation {
            Relation::Itself => None,
            // A stopped process sees no signal but SIGKILL until it goes on.
            _ if *stopped => Some(format!("let it end (kill {id}; kill -CONT {id})")),
            _ => Some(format!("end it (kill {id})")),
        }
    }
}

#[cfg(target_os = "linux")]
fn was_started_by_copy(process: u32) -> bool {
    linux::was_started_by_copy(process)
}

#[cfg(not(target_os = "linux"))]
fn was_started_by_copy(_: u32) -> bool {
    false
}

/// Who listens where `address` cannot be bound, or has it for a connection.
#[cfg(target_os = "linux")]
pub(super) fn holder_of(address: SocketAddr) -> Option<Holder> {
    let sockets: Vec<_> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| linux::tcp_sockets(&table))
        .filter(|socket| linux::overlaps(socket.address, address))
        .collect();
    let listening = sockets.iter().find(|socket| socket.listens);
    let socket = listening.or_else(|| sockets.first())?;
    let connected_to = (!socket.listens).then(|| socket.peer.to_string());
    let user = Some(linux::user_name(socket.user));
    let process = linux::process_with(socket.inode);
    Some(Holder { address: socket.address.to_string(), connected_to, user, process })
}

/// Who has the abstract Unix socket `name`.
#[cfg(target_os = "linux")]
pub(super) fn holder_of_abstract(name: &str) -> Option<Holder> {
    let table = std::fs::read_to_string("/proc/net/unix").ok()?;
    let inode = linux::unix_socket(&table, &format!("@{name}"))?;
    let process = linux::process_with(inode);
    let user = process.as_ref().and_then(|process| linux::user_of(process.id));
    Some(Holder { address: format!("unix:@{name}"), connected_to: None, user, process })
}

/// Who has the Unix socket of a file, by the path that it was bound by.
#[cfg(target_os = "linux")]
pub(super) fn holder_of_socket(path: &std::path::Path) -> Option<Holder> {
    let table = std::fs::read_to_string("/proc/net/unix").ok()?;
    let path = path.to_str()?;
    let inode = linux::unix_socket(&table, path)?;
    let process = linux::process_with(inode);
    let user = process.as_ref().and_then(|process| linux::user_of(process.id));
    Some(Holder { address: format!("unix:{path}"), connected_to: None, user, process })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn holder_of(_: SocketAddr) -> Option<Holder> {
    None
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn holder_of_socket(_: &std::path::Path) -> Option<Holder> {
    None
}

/// The commands that name the process that has a port, and end it where its name is not enough.
pub(super) fn found_and_ended_by(port: u16) -> String {
    if cfg!(windows) {
        // With the blank, or 5000 would find 50001, too.
        format!(
            "netstat -ano | findstr /c:\":{port} \" shows its id, and taskkill /F /PID ID ends it"
        )
    } else if cfg!(target_os = "linux") {
        format!("sudo ss -ltnp 'sport = :{port}' names it")
    } else {
        format!("sudo lsof -nP -iTCP:{port} -sTCP:LISTEN names it")
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};

    use nix::unistd::{Uid, User};

    use super::{HoldingProcess, Relation};

    pub(super) struct TcpSocket {
        pub(super) address: SocketAddr,
        pub(super) peer: SocketAddr,
        pub(super) listens: bool,
        pub(super) user: u32,
        pub(super) inode: u64,
    }

    /// The sockets of a table such as `/proc/net/tcp` that a process has open.
    pub(super) fn tcp_sockets(table: &str) -> Vec<TcpSocket> {
        const LISTEN: &str = "0A";
        let read = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, remote, state, ..] = fields[..] else {
                return None;
            };
            let inode = fields.get(9)?.parse().ok()?;
            let user = fields.get(7)?.parse().ok()?;
            let (address, peer) = (parse_address(local)?, parse_address(remote)?);
            // One that waits for late segments is nobody's any more.
            let open = inode != 0;
            open.then_some(TcpSocket { address, peer, listens: state == LISTEN, user, inode })
        };
        table.lines().skip(1).filter_map(read).collect()
    }

    /// The inode of a Unix socket in `/proc/net/unix`, by its path.
    pub(super) fn unix_socket(table: &str, path: &str) -> Option<u64> {
        table.lines().skip(1).find_map(|line| {
            let (fields, found) = line.split_once(path)?;
            let whole = found.is_empty() && fields.ends_with(' ');
            fields.split_whitespace().nth(6).filter(|_| whole)?.parse().ok()
        })
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

    /// The process that has a socket open.
    pub(super) fn process_with(inode: u64) -> Option<HoldingProcess> {
        let socket = format!("socket:[{inode}]");
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            if holds(&entry.path().join("fd"), &socket) {
                return described(id, &entry.path());
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

    fn described(id: u32, folder: &Path) -> Option<HoldingProcess> {
        let name = fs::read_to_string(folder.join("comm")).ok()?;
        let status = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        let ours =
            program(Path::new("/proc/self")).filter(|ours| Some(ours) == program(folder).as_ref());
        let relation = match ours {
            _ if id == std::process::id() => Relation::Itself,
            Some(_) => Relation::Copy,
            None => Relation::Stranger,
        };
        Some(HoldingProcess {
            id,
            name: name.trim_end().to_owned(),
            stopped: is_stopped(&status),
            relation,
        })
    }

    /// Whether one of those that have started a process, and still run, runs this program.
    pub(super) fn was_started_by_copy(process: u32) -> bool {
        let (us, mut at) = (program(Path::new("/proc/self")), process);
        // As deep as no tree is, should the numbers run in a circle meanwhile.
        for _ in 0..64 {
            let status = fs::read_to_string(format!("/proc/{at}/stat")).unwrap_or_default();
            let Some(parent) = parent_of(&status).filter(|parent| *parent > 0) else { break };
            let is_other = parent != std::process::id();
            if is_other && us.is_some() && us == program(&PathBuf::from(format!("/proc/{parent}")))
            {
                return true;
            }
            at = parent;
        }
        false
    }

    /// Who has started a process, by its `/proc/{id}/stat`.
    pub(super) fn parent_of(status: &str) -> Option<u32> {
        let (_, rest) = status.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse().ok()
    }

    /// The program that a process runs. One that has been replaced on the disk since is the same.
    fn program(folder: &Path) -> Option<PathBuf> {
        let path = fs::read_link(folder.join("exe")).ok()?;
        let text = path.to_str()?;
        Some(text.strip_suffix(" (deleted)").unwrap_or(text).into())
    }

    /// Whether `/proc/{id}/stat` tells of a process that is stopped; its name, in brackets, may hold
    /// anything.
    pub(super) fn is_stopped(status: &str) -> bool {
        let state = status.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
        state == Some('T')
    }

    pub(super) fn user_of(process: u32) -> Option<String> {
        Some(user_name(fs::metadata(format!("/proc/{process}")).ok()?.uid()))
    }

    pub(super) fn user_name(id: u32) -> String {
        match User::from_uid(Uid::from_raw(id)) {
            Ok(Some(user)) => format!("user {}", user.name),
            _ => format!("uid {id}"),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::super::*;
        use super::*;

        #[test]
        fn the_tables_of_the_kernel_are_read() {
            let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                       0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1\n   \
                       1: 0100007F:1389 0100007F:270F 01 00000000:00000000 00:00000000 00000000    33        0 4243 1\n   \
                       2: 0100007F:1389 0100007F:270E 06 00000000:00000000 00:00000000 00000000     0        0 0 1\n";
            let read: Vec<_> = tcp_sockets(tcp)
                .iter()
                .map(|socket| {
                    (
                        socket.address.to_string(),
                        socket.peer.to_string(),
                        socket.listens,
                        socket.user,
                        socket.inode,
                    )
                })
                .collect();
            assert_eq!(
                read,
                [
                    ("127.0.0.1:5000".to_owned(), "0.0.0.0:0".to_owned(), true, 1000, 4242),
                    ("127.0.0.1:5001".to_owned(), "127.0.0.1:9999".to_owned(), false, 33, 4243),
                ]
            );
            let any = parse_address("00000000000000000000000000000000:0050").unwrap();
            assert_eq!(any.to_string(), "[::]:80");
            let unix = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                        0000000000000000: 00000002 00000000 00010000 0001 01 777 /run/a b@x\n\
                        0000000000000000: 00000002 00000000 00010000 0001 01 778 @x\n";
            assert_eq!(unix_socket(unix, "@x"), Some(778));
            assert_eq!(unix_socket(unix, "@y"), None);
        }

        #[test]
        fn a_stopped_process_is_known() {
            assert!(is_stopped("12 (a) R) T 1 2"));
            assert!(!is_stopped("12 (a) T) S 1 2"));
            assert!(!is_stopped(""));
            assert_eq!(parent_of("12 (a) R) T 7 2"), Some(7));
            assert_eq!(parent_of(""), None);
        }

        #[test]
        #[expect(clippy::disallowed_methods, reason = "a socket to be found")]
        fn our_own_listener_is_found() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let holder = holder_of(address).unwrap();
            assert_eq!(holder.process.as_ref().map(|process| process.id), Some(std::process::id()));
            assert_eq!(holder.release(), None);
            let told = format!("This very process ({}) listens on {address}.", std::process::id());
            assert_eq!(holder.to_string(), told);
        }

        #[test]
        fn who_has_a_port_is_told_in_a_sentence() {
            let process = |stopped, relation| {
                Some(HoldingProcess { id: 812, name: "nginx".to_owned(), stopped, relation })
            };
            let holder = |process, connected_to: Option<&str>| Holder {
                address: "0.0.0.0:80".to_owned(),
                connected_to: connected_to.map(str::to_owned),
                user: Some("user www-data".to_owned()),
                process,
            };
            for (holder, told, release) in [
                (
                    holder(process(false, Relation::Stranger), None),
                    "nginx (process 812 of user www-data) listens on 0.0.0.0:80.",
                    Some("end it (kill 812)"),
                ),
                (
                    holder(process(true, Relation::Copy), None),
                    "nginx (process 812 of user www-data, another copy of this program) listens on 0.0.0.0:80; it is \
                     stopped (Ctrl+Z, SIGSTOP).",
                    Some("let it end (kill 812; kill -CONT 812)"),
                ),
                (
                    holder(None, None),
                    "A process of user www-data listens on 0.0.0.0:80; which one, only that user and root may see.",
                    None,
                ),
                (
                    holder(process(false, Relation::Stranger), Some("10.0.0.9:443")),
                    "nginx (process 812 of user www-data) has 0.0.0.0:80 for its connection to 10.0.0.9:443.",
                    Some("end it (kill 812)"),
                ),
            ] {
                assert_eq!(holder.to_string(), told);
                assert_eq!(holder.release().as_deref(), release);
            }
        }
    }
}
