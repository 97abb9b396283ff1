//! The binary without a right that root has: whoever runs the tests may be root.

use std::process::Command;

use crate::environment::skipped;

const BINARY: &str = env!("CARGO_BIN_EXE_kestrel");

/// The binary without these capabilities, as `setpriv` writes them: `-net_bind_service`; `None`, which
/// is told, if they cannot be given away here.
pub(crate) fn without(capabilities: &str, test: &str) -> Option<Command> {
    if !nix::unistd::Uid::effective().is_root() {
        return Some(Command::new(BINARY));
    }
    let barred = |program: &str| {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--bounding-set", capabilities, "--inh-caps", capabilities, program]);
        command
    };
    if !barred("true").output().is_ok_and(|output| output.status.success()) {
        skipped(test, "setpriv and the right to drop rights (apt-get install util-linux)");
        return None;
    }
    Some(barred(BINARY))
}

/// The first port that everybody may bind, and the binary without the right to those below it; `None`,
/// which is told, if there are none.
pub(crate) fn without_reserved_ports(test: &str) -> Option<(u16, Command)> {
    let reserved = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let reserved = reserved.ok().and_then(|first| first.trim().parse::<u16>().ok()).unwrap_or(1024);
    if reserved < 2 {
        let needs =
            "a system that reserves ports (sysctl net.ipv4.ip_unprivileged_port_start=1024)";
        skipped(test, needs);
        return None;
    }
    Some((reserved, without("-net_bind_service", test)?))
}
