//! What the system knows of processes: who belongs to a group, where they listen, how much memory they have. (Linux;
//! elsewhere nothing is known.)

use std::net::SocketAddr;

/// The processes of a group, and those with a mark that have left it.
pub(super) fn members(group: u32, mark: &str) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    return linux::members(group, mark);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (group, mark);
        Vec::new()
    }
}

/// Where these processes listen on TCP; `None` if it cannot be known.
pub(super) fn listening(processes: &[u32]) -> Option<Vec<SocketAddr>> {
    #[cfg(target_os = "linux")]
    return linux::listening(processes);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = processes;
        None
    }
}

/// Who listens at a port of the loopback, if it is neither root nor the user (by default, that of this process): on a
/// machine with several users, one may have been faster.
pub(super) fn stranger_at(port: u16, user: Option<u32>) -> Option<u32> {
    #[cfg(target_os = "linux")]
    return linux::stranger_at(port, user);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (port, user);
        None
    }
}

/// The bytes of memory that these processes have, all in all.
pub(super) fn memory(processes: &[u32]) -> u64 {
    #[cfg(target_os = "linux")]
    return processes.iter().filter_map(|process| linux::resident(*process)).sum();
    #[cfg(not(target_os = "linux"))]
    {
        let _ = processes;
        0
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use crate::apps::child_process::contract::MARK;

    pub(super) fn members(group: u32, mark: &str) -> Vec<u32> {
        let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
        let numbers = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let marked = format!("{MARK}={mark}");
        numbers.filter(|process| is_member(*process, group, marked.as_bytes())).collect()
    }

    fn is_member(process: u32, group: u32, marked: &[u8]) -> bool {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if group_of(&stat) == Some(group) {
            return true;
        }
        let variables = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == marked)
    }

    /// The group in a line of `stat`; the name before it may have anything in it.
    fn group_of(stat: &str) -> Option<u32> {
        let (_, behind_name) = stat.rsplit_once(") ")?;
        behind_name.split(' ').nth(2)?.parse().ok()
    }

    pub(super) fn listening(processes: &[u32]) -> Option<Vec<SocketAddr>> {
        let mut sockets = HashSet::new();
        let mut is_known = false;
        for process in processes {
            let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { continue };
            is_known = true;
            let targets = open.filter_map(|it| fs::read_link(it.ok()?.path()).ok());
            sockets.extend(targets.filter_map(|target| {
                let number = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                number.parse::<u64>().ok()
            }));
        }
        let mut found: Vec<_> =
            listeners().filter(|it| sockets.contains(&it.inode)).map(|it| it.address).collect();
        found.sort();
        found.dedup();
        is_known.then_some(found)
    }

    pub(super) fn stranger_at(port: u16, user: Option<u32>) -> Option<u32> {
        const ROOT: u32 = 0;
        let expected = user.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        let there = listeners().filter(|it| {
            let host = it.address.ip().to_canonical();
            it.address.port() == port && (host.is_loopback() || host.is_unspecified())
        });
        there.map(|it| it.user).find(|user| ![expected, ROOT].contains(user))
    }

    /// A socket that listens.
    #[derive(Debug, PartialEq)]
    struct Listener {
        address: SocketAddr,
        user: u32,
        inode: u64,
    }

    fn listeners() -> impl Iterator<Item = Listener> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let tables = tables.into_iter().filter_map(|table| fs::read_to_string(table).ok());
        tables.flat_map(|table| table.lines().filter_map(listener).collect::<Vec<_>>())
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

    pub(super) fn resident(process: u32) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim()
            .strip_suffix(" kB")?
            .trim()
            .parse::<u64>()
            .ok()
            .map(|kilobytes| kilobytes * 1024)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn lines_of_the_system_are_read() {
            assert_eq!(group_of("12 (a) b) (c) S 1 7 7 0"), Some(7));
            assert_eq!(group_of(""), None);
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

        #[test]
        fn this_process_is_known() {
            let own = std::process::id();
            let stat = fs::read_to_string("/proc/self/stat").unwrap();
            assert!(members(group_of(&stat).unwrap(), "nobody").contains(&own));
            assert!(!members(u32::MAX, "nobody").contains(&own));
            assert!(resident(own).unwrap() > 1024 * 1024);
            assert!(listening(&[own]).is_some());
            assert_eq!(listening(&[]), None);
        }
    }
}
