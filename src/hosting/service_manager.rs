//! What a service manager such as systemd is told of this process, where it wants to know: by datagrams to
//! the Unix socket that `NOTIFY_SOCKET` names, as sd_notify(3) has it.

#[cfg(unix)]
use std::os::unix::net::UnixDatagram;

use crate::diagnostics::events;

const SOCKET: &str = "NOTIFY_SOCKET";

/// Who wants to know how far this process is.
#[derive(Clone, Debug)]
pub(super) struct ServiceManager {
    /// A path, or the name of an abstract socket behind `@`.
    socket: String,
}

impl ServiceManager {
    /// The one that these variables name.
    pub(super) fn of(variables: &[(String, String)]) -> Option<Self> {
        let (_, socket) = variables.iter().find(|(name, _)| name == SOCKET)?;
        (cfg!(unix) && !socket.is_empty()).then(|| Self { socket: socket.clone() })
    }

    /// The host serves.
    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    /// The stop has begun.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// One that cannot be told does not hold the host.
    fn tell(&self, state: &str) {
        if let Err(error) = self.send(state) {
            events::service_manager_not_told(state, &self.socket, &error.to_string());
        }
    }

    #[cfg(unix)]
    fn send(&self, state: &str) -> std::io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        #[cfg(target_os = "linux")]
        if let Some(name) = self.socket.strip_prefix('@') {
            use std::os::linux::net::SocketAddrExt;

            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            return socket.send_to_addr(state.as_bytes(), &address).map(drop);
        }
        socket.send_to(state.as_bytes(), &self.socket).map(drop)
    }

    #[cfg(not(unix))]
    fn send(&self, _: &str) -> std::io::Result<()> {
        Ok(())
    }
}
