//! Where a process is to listen: a port that is free, or a socket that nobody else sees.

use std::fs::DirBuilder;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::contract::Listens;
use super::knock::is_open;
use super::options::{Listen, RunAs};

/// The ports that are tried. Those above are what systems give to connections that they make, and one of these
/// would be taken in the moment between.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

const TRIES: usize = 20;

/// A place, for as long as its process has it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) listens: Listens,
    /// Removed with it.
    folder: Option<SocketFolder>,
}

impl Place {
    /// A place that nobody has. A folder for a socket is made in `temporary`, and given to whom the process runs as.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(super) async fn find(
        listen: Listen,
        (temporary, mark): (&Path, &str),
        run_as: Option<&RunAs>,
    ) -> io::Result<Self> {
        match listen {
            Listen::ThisPort(port) => Ok(Self { listens: Listens::Port(port), folder: None }),
            Listen::Port => Ok(Self { listens: Listens::Port(free_port().await?), folder: None }),
            Listen::Socket => {
                let folder = SocketFolder::new(&temporary.join(format!("kestrel-{mark}")))?;
                folder.give_to(run_as)?;
                let listens = Listens::Socket(folder.0.join("s"));
                Ok(Self { listens, folder: Some(folder) })
            }
        }
    }

    /// The folder of its socket.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(|folder| folder.0.as_path())
    }
}

async fn free_port() -> io::Result<u16> {
    for _ in 0..TRIES {
        let port = fastrand::u16(PORTS);
        if !is_taken(port).await {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, format!("of {TRIES} ports all are taken")))
}

/// Whether somebody listens there already.
pub(super) async fn is_taken(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    is_open(address, Duration::from_secs(1)).await != Some(false)
}

/// A folder that goes with its owner.
#[derive(Debug)]
struct SocketFolder(PathBuf);

impl SocketFolder {
    fn new(path: &Path) -> io::Result<Self> {
        let builder = DirBuilder::new();
        #[cfg(unix)]
        let builder = {
            let mut builder = builder;
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder
        };
        builder.create(path)?;
        Ok(Self(path.to_owned()))
    }

    fn give_to(&self, run_as: Option<&RunAs>) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(RunAs { user, group, .. }) = run_as {
            std::os::unix::fs::chown(&self.0, Some(*user), Some(*group))?;
        }
        let _ = run_as;
        Ok(())
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
