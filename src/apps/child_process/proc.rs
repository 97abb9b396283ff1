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

/// Who gets the connections to an address of this machine.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "it is not known there"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// It cannot be known.
    Unknown,
    Nobody,
    /// Root, or the user who is expected, by a socket of this number.
    Own(u64),
    /// On a machine with several users, one may have been faster.
    Stranger(u32),
}

/// Who is at an address. By default, the user who is expected is that of this process.
pub(super) fn holder(address: SocketAddr, user: Option<u32>) -> Holder {
    #[cfg(target_os = "linux")]
    return linux::holder(address, user);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (address, user);
        Holder::Unknown
    }
}

/// Whether somebody listens at a port on more than the loopback.
pub(super) fn is_open(port: u16) -> bool {
    #[cfg(target_os = "linux")]
    return linux::is_open(port);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = port;
        false
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

    use super::Holder;
    use crate::apps::child_process::contract::MARK;
    use crate::apps::child_process::listeners::{at, listeners};

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

    pub(super) fn holder(address: SocketAddr, user: Option<u32>) -> Holder {
        const ROOT: u32 = 0;
        let expected = user.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        match at(address) {
            Err(_) => Holder::Unknown,
            Ok(None) => Holder::Nobody,
            Ok(Some(it)) if [expected, ROOT].contains(&it.user) => Holder::Own(it.inode),
            Ok(Some(it)) => Holder::Stranger(it.user),
        }
    }

    pub(super) fn is_open(port: u16) -> bool {
        let is_open = |it: &SocketAddr| it.port() == port && !it.ip().to_canonical().is_loopback();
        listeners().iter().any(|it| is_open(&it.address))
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

        #[expect(clippy::disallowed_methods, reason = "it is no host that listens here")]
        #[test]
        fn who_is_at_an_address_is_told_by_user() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let own = holder(address, None);
            assert!(matches!(own, Holder::Own(_)), "{own:?}");
            assert_eq!(holder(address, None), own);
            let user = rustix::process::geteuid().as_raw();
            // Root may be anywhere.
            let expected = if user == 0 { own } else { Holder::Stranger(user) };
            assert_eq!(holder(address, Some(user + 1)), expected);
            assert!(!is_open(address.port()));
            drop(listener);
            assert_eq!(holder(address, None), Holder::Nobody);
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
