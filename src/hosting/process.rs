//! What the process was given, and how it is ended from outside of `main`. This is the only place that looks.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::container::{self, Facts};
use crate::logging::Terminal;

/// The environment variables whose name and value are text.
#[expect(clippy::disallowed_methods, reason = "the one reader of the process's environment")]
pub(crate) fn environment_variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let mut variables: Vec<_> = std::env::vars_os().filter_map(text).collect();
    // Two names that differ by case are one key: let the order not depend on chance.
    variables.sort();
    variables
}

/// The names of the environment variables whose name or value is no text, as far as they can be
/// read.
#[expect(clippy::disallowed_methods, reason = "the one reader of the process's environment")]
pub(crate) fn unreadable_variables() -> Vec<String> {
    let unreadable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let text = name.to_str().is_some() && value.to_str().is_some();
        (!text).then(|| name.to_string_lossy().into_owned())
    };
    let mut names: Vec<_> = std::env::vars_os().filter_map(unreadable).collect();
    names.sort();
    names
}

/// The command line, without the program's name.
pub(crate) fn arguments() -> impl Iterator<Item = std::ffi::OsString> {
    std::env::args_os().skip(1)
}

/// The folder the process was started in; `None` if it is gone.
#[expect(clippy::disallowed_methods, reason = "the one reader of the current directory")]
pub(crate) fn current_directory() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

/// The folder for files that nobody needs for long.
pub(crate) fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The home folder of the user: what `HOME` says, else what the system knows of the account.
#[expect(clippy::disallowed_methods, reason = "the one reader of the user's home folder")]
pub(crate) fn account_home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// The program's name: that of its file, which is that of the package for most.
#[expect(clippy::disallowed_methods, reason = "the one reader of the program's own name")]
pub(crate) fn program_name() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    Some(program.file_stem()?.to_string_lossy().into_owned())
}

/// The program's file.
///
/// # Errors
///
/// The system does not tell.
#[cfg(feature = "cli")]
#[expect(clippy::disallowed_methods, reason = "the one reader of the program's own name")]
pub(crate) fn program_path() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// A copy of a descriptor that whoever started the process left open for it.
///
/// To make an owned one of a number takes `unsafe`, because anything may stand there. A message to oneself
/// does it without: the system makes a new descriptor for whoever receives one.
///
/// # Errors
///
/// There is no such descriptor, or none is left.
#[cfg(target_os = "linux")]
pub(super) fn copy_of_descriptor(descriptor: i32) -> std::io::Result<std::os::fd::OwnedFd> {
    use std::io::{Error, IoSlice, IoSliceMut};
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    let (from, to) = UnixDatagram::pair()?;
    let (text, rights) = ([IoSlice::new(&[0])], [descriptor]);
    let rights = [ControlMessage::ScmRights(&rights)];
    sendmsg::<UnixAddr>(from.as_raw_fd(), &text, &rights, MsgFlags::empty(), None)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut received = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0];
    recvmsg(&to, &mut [IoSliceMut::new(&mut text)], &mut received, RecvFlags::CMSG_CLOEXEC)?;
    let copies = received.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(copies) => Some(copies),
        _ => None,
    });
    copies.flatten().next().ok_or_else(|| Error::other("the system gave none"))
}

/// Closes a descriptor that nothing of this process has opened.
#[cfg(target_os = "linux")]
pub(super) fn close_descriptor(descriptor: i32) {
    // It is gone in any case.
    let _ = nix::unistd::close(descriptor);
}

/// What says that this process runs in a container, if something does.
pub(crate) fn container(variables: &[(String, String)]) -> Option<String> {
    let files: Vec<_> =
        container::FILES.into_iter().filter(|file| Path::new(file).exists()).collect();
    let control_groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    container::sign(Facts { variables, files: &files, control_groups: &control_groups })
}

/// Whether log lines may be coloured, as .NET decides it.
pub(crate) fn terminal(variables: &[(String, String)]) -> Terminal {
    let value = |name: &str| {
        variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let allow = value("DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION");
    Terminal {
        stdout_is_terminal: std::io::stdout().is_terminal(),
        no_color: value("NO_COLOR").is_some(),
        allow_redirected_color: allow
            .is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true")),
    }
}

/// Whether there is a terminal that controls the process.
#[cfg(unix)]
pub(crate) fn has_terminal() -> bool {
    use std::os::unix::fs::OpenOptionsExt;

    // A line that has lost its carrier is not waited for.
    let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
    std::fs::File::options().read(true).custom_flags(flags).open("/dev/tty").is_ok()
}

#[cfg(not(unix))]
pub(crate) fn has_terminal() -> bool {
    false
}

/// Whether whoever started the process wants it to outlive its terminal, as `nohup` does. To be asked before signals are
/// taken over. Where the system does not tell, the answer is no.
pub(crate) fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // One bit for each signal, and SIGHUP is the first.
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

/// Ends the process as a signal that nobody handles does. The first process of a container cannot die of one, nor can
/// any on Windows: it exits with 128 and the number of the signal.
pub(super) fn die_of(signal: u8) {
    #[cfg(unix)]
    if std::process::id() != 1 {
        // On success it does not return.
        let _ = signal_hook::low_level::emulate_default_handler(signal.into());
    }
    end(signal);
}

/// Ends the process at once, with 128 and the number of a signal as its exit code: what could clean up
/// is what does not end.
pub(super) fn end(signal: u8) {
    exit(128 + signal);
}

/// Ends the process at once with an exit code.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "the one place that does it")]
pub(super) fn exit(code: u8) -> ! {
    std::process::exit(i32::from(code));
}
