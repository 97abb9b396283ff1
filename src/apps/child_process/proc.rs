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

/// What is known of a port that somebody listens at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PortInUse {
    /// Who listens at it on the loopback, if it is neither root nor the user (by default, that of this process): on a
    /// machine with several users, one may have been faster.
    pub(super) stranger: Option<u32>,
    /// Whether somebody listens at it on more than the loopback.
    pub(super) is_open: bool,
}

/// Who listens at a port.
pub(super) fn who_is_at(port: u16, user: Option<u32>) -> PortInUse {
    #[cfg(target_os = "linux")]
    return linux::who_is_at(port, user);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (port, user);
        PortInUse::default()
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
    use std::net::SocketAddr;

    use super::PortInUse;
    use crate::apps::child_process::contract::MARK;
    use crate::apps::child_process::listeners::{Listener, listeners};

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

    /// The group in a line of `stat`; the name before it may have anything in it. One that has ended and that nobody has
    /// asked about is in none any more.
    fn group_of(stat: &str) -> Option<u32> {
        let (_, behind_name) = stat.rsplit_once(") ")?;
        let mut columns = behind_name.split(' ');
        let is_there = !["Z", "X"].contains(&columns.next()?);
        columns.nth(1).filter(|_| is_there)?.parse().ok()
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
        let mut found: Vec<_> = listeners()
            .into_iter()
            .filter(|it| sockets.contains(&it.inode))
            .map(|it| it.address)
            .collect();
        found.sort();
        found.dedup();
        is_known.then_some(found)
    }

    pub(super) fn who_is_at(port: u16, user: Option<u32>) -> PortInUse {
        of_port(listeners(), port, user.unwrap_or_else(|| rustix::process::geteuid().as_raw()))
    }

    fn of_port(all: Vec<Listener>, port: u16, expected: u32) -> PortInUse {
        const ROOT: u32 = 0;
        let mut found = PortInUse::default();
        for it in all.iter().filter(|it| it.address.port() == port) {
            let host = it.address.ip().to_canonical();
            if (host.is_loopback() || host.is_unspecified()) && ![expected, ROOT].contains(&it.user)
            {
                found.stranger = found.stranger.or(Some(it.user));
            }
            found.is_open |= !host.is_loopback();
        }
        found
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
        fn the_group_is_read() {
            assert_eq!(group_of("12 (a) b) (c) S 1 7 7 0"), Some(7));
            assert_eq!(group_of("12 (a) Z 1 7 7 0"), None);
            assert_eq!(group_of(""), None);
        }

        #[test]
        fn who_listens_at_a_port_is_told_by_user_and_address() {
            const OURS: u32 = 33;
            const OTHER: u32 = 34;
            const ROOT: u32 = 0;
            let at = |address: &str, user| Listener {
                address: address.parse().unwrap(),
                user,
                inode: 1,
            };
            for (listener, stranger, is_open) in [
                (at("127.0.0.1:5000", OURS), None, false),
                (at("127.0.0.1:5000", ROOT), None, false),
                (at("127.0.0.1:5000", OTHER), Some(OTHER), false),
                (at("[::ffff:127.0.0.1]:5000", OTHER), Some(OTHER), false),
                (at("0.0.0.0:5000", OURS), None, true),
                (at("[::]:5000", OTHER), Some(OTHER), true),
                // He has no part of the loopback.
                (at("192.0.2.1:5000", OTHER), None, true),
                (at("0.0.0.0:5001", OTHER), None, false),
            ] {
                let expected = PortInUse { stranger, is_open };
                assert_eq!(of_port(vec![listener.clone()], 5000, OURS), expected, "{listener:?}");
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
