//! Where a server is.

use std::fmt;
use std::path::PathBuf;

/// Where a server is, and whether its connections are secured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    /// https.
    pub(crate) secure: bool,
    pub(crate) place: Place,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A name or an IP address (of version 6 without brackets), and a port.
    Host { name: String, port: u16 },
    /// A Unix socket.
    Unix(PathBuf),
    /// The same as `Host`, to be reached through the proxy of this name and port.
    Through { name: String, port: u16, proxy: (String, u16) },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        match &self.place {
            Place::Host { name, port } | Place::Through { name, port, .. } => {
                write!(f, "{scheme}://{}", authority(name, *port))
            }
            Place::Unix(path) => write!(f, "{scheme}://unix:{}", path.display()),
        }
    }
}

/// A name or an address with its port, as a URL has it.
pub(super) fn authority(name: &str, port: u16) -> String {
    match name.contains(':') {
        true => format!("[{name}]:{port}"),
        false => format!("{name}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_told_as_its_address() {
        let host = |name: &str| Place::Host { name: name.to_owned(), port: 8443 };
        for (secure, place, text) in [
            (true, host("a.test"), "https://a.test:8443"),
            (false, host("::1"), "http://[::1]:8443"),
            (false, Place::Unix("/run/app.sock".into()), "http://unix:/run/app.sock"),
        ] {
            assert_eq!(Destination { secure, place }.to_string(), text);
        }
    }
}
