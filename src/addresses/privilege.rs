//! Why a port may not be bound: what the system reserves, and who we are, as they are now.

/// What decides whether a process may bind a port below the first one that is free to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The id of the user that this process acts as.
    pub(super) uid: Option<u32>,
    /// That user's name.
    pub(super) user: Option<String>,
    /// Whether it has the capability CAP_NET_BIND_SERVICE.
    pub(super) may_bind: Option<bool>,
    /// The first port that is free to everybody: `net.ipv4.ip_unprivileged_port_start`.
    pub(super) first_free: Option<u16>,
    /// The file of this program.
    pub(super) program: Option<String>,
}

/// Why `port` is denied, and what to do about it. `instead` says how to take another one.
pub(super) fn advice(facts: &Facts, port: u16, instead: &str) -> (String, String) {
    let uid = facts.uid.map_or_else(String::new, |uid| format!(" as uid {uid}"));
    let user = facts.user.as_ref().map_or_else(String::new, |user| format!(" ({user})"));
    let Some(first) = facts.first_free else {
        return elsewhere(port, instead);
    };
    if port >= first || facts.may_bind == Some(true) {
        let why = match port >= first {
            true => format!(
                "net.ipv4.ip_unprivileged_port_start is {first}, so port {port} is free to everybody"
            ),
            false => format!("this process has CAP_NET_BIND_SERVICE, so it may bind port {port}"),
        };
        let cause = format!(
            "{why}: a security policy (SELinux, AppArmor, seccomp) denies it. It runs{uid}{user}."
        );
        let fix = format!(
            "see what denied it ('ausearch -m avc -ts recent', 'journalctl -k -g denied'), or {instead}"
        );
        return (cause, fix);
    }
    let cause = format!(
        "This process runs{uid}{user} without CAP_NET_BIND_SERVICE, and net.ipv4.ip_unprivileged_port_start is {first}: \
         ports below it are reserved."
    );
    let program = facts.program.as_deref().unwrap_or("the program");
    let give = match facts.uid {
        // Root without the right was deprived of it: by its container, or by its unit.
        Some(0) => "give the right back (--cap-add NET_BIND_SERVICE for a container, CapabilityBoundingSet= in a systemd unit)"
            .to_owned(),
        _ => format!(
            "grant the right: sudo setcap cap_net_bind_service=+ep {program}, or AmbientCapabilities=CAP_NET_BIND_SERVICE \
             in its systemd unit"
        ),
    };
    (cause, format!("{instead}, or {give}"))
}

/// The same where the system keeps no such number.
fn elsewhere(port: u16, instead: &str) -> (String, String) {
    if cfg!(windows) {
        let cause = format!("Windows reserves port {port}, or another program has it for itself.");
        let list =
            "'netsh interface ipv4 show excludedportrange protocol=tcp' lists the reserved ones";
        return (cause, format!("{instead}; {list}"));
    }
    let cause = match port < 1024 {
        true => format!("Port {port} is below 1024: the system reserves it for root."),
        false => format!("The system denies port {port} to this process."),
    };
    (cause, format!("{instead}, or let root start it"))
}

/// The facts of this moment.
#[cfg(target_os = "linux")]
pub(super) fn facts() -> Facts {
    use std::fs;

    let uid = nix::unistd::Uid::effective();
    let user = nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").ok();
    let program = fs::read_link("/proc/self/exe").ok();
    Facts {
        uid: Some(uid.as_raw()),
        user,
        may_bind: may_bind(&status),
        // Without that number every kernel of Linux keeps the old one.
        first_free: Some(first.and_then(|first| first.trim().parse().ok()).unwrap_or(1024)),
        program: program.map(|program| program.display().to_string()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn facts() -> Facts {
    Facts::default()
}

/// Whether `/proc/self/status` tells of CAP_NET_BIND_SERVICE.
#[cfg(target_os = "linux")]
fn may_bind(status: &str) -> Option<bool> {
    const NET_BIND_SERVICE: u64 = 1 << 10;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let effective = u64::from_str_radix(effective.trim(), 16).ok()?;
    Some(effective & NET_BIND_SERVICE != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_port_is_told_by_the_facts() {
        let alice = Facts {
            uid: Some(1000),
            user: Some("alice".to_owned()),
            may_bind: Some(false),
            first_free: Some(1024),
            program: Some("/usr/bin/kestrel".to_owned()),
        };
        let root = Facts { uid: Some(0), user: Some("root".to_owned()), ..alice.clone() };
        let capable = Facts { may_bind: Some(true), ..alice.clone() };
        let nameless = Facts { user: None, first_free: Some(100), ..alice.clone() };
        for (facts, port, cause, fix) in [
            (
                &alice,
                80,
                "This process runs as uid 1000 (alice) without CAP_NET_BIND_SERVICE, and \
                 net.ipv4.ip_unprivileged_port_start is 1024: ports below it are reserved.",
                "take 8080, or grant the right: sudo setcap cap_net_bind_service=+ep /usr/bin/kestrel, or \
                 AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit",
            ),
            (
                &root,
                443,
                "This process runs as uid 0 (root) without CAP_NET_BIND_SERVICE, and \
                 net.ipv4.ip_unprivileged_port_start is 1024: ports below it are reserved.",
                "take 8080, or give the right back (--cap-add NET_BIND_SERVICE for a container, \
                 CapabilityBoundingSet= in a systemd unit)",
            ),
            (
                &alice,
                5000,
                "net.ipv4.ip_unprivileged_port_start is 1024, so port 5000 is free to everybody: a security policy \
                 (SELinux, AppArmor, seccomp) denies it. It runs as uid 1000 (alice).",
                "see what denied it ('ausearch -m avc -ts recent', 'journalctl -k -g denied'), or take 8080",
            ),
            (
                &capable,
                80,
                "this process has CAP_NET_BIND_SERVICE, so it may bind port 80: a security policy (SELinux, AppArmor, \
                 seccomp) denies it. It runs as uid 1000 (alice).",
                "see what denied it ('ausearch -m avc -ts recent', 'journalctl -k -g denied'), or take 8080",
            ),
            (
                &nameless,
                80,
                "This process runs as uid 1000 without CAP_NET_BIND_SERVICE, and \
                 net.ipv4.ip_unprivileged_port_start is 100: ports below it are reserved.",
                "take 8080, or grant the right: sudo setcap cap_net_bind_service=+ep /usr/bin/kestrel, or \
                 AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit",
            ),
        ] {
            let told = advice(facts, port, "take 8080");
            assert_eq!((&*told.0, &*told.1), (cause, fix));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_right_is_read_from_the_kernel() {
        assert_eq!(may_bind("Name:\tx\nCapEff:\t0000000000000400\n"), Some(true));
        assert_eq!(may_bind("CapEff:\t00000000a80421fb\n"), Some(false));
        assert_eq!(may_bind("CapEff:\t000001ffffffffff\n"), Some(true));
        assert_eq!(may_bind(""), None);
        assert!(facts().first_free.is_some());
    }
}
