//! Unix sockets and their files.
//!
//! A socket file outlives the process that made it, and nothing but an attempt to connect tells
//! whether somebody still listens. Between its binding and its listening a socket refuses as a dead
//! one does, so whoever binds, replaces or removes a file has the lock of its folder meanwhile: two
//! hosts that start at once do not take each other's socket for one that was left behind.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, Group, Uid, User, access};
use socket2::{Domain, SockAddr, Socket, Type};

use super::error::FileInTheWay;
use super::socket_options::UnixSocketOptions;

/// How long others may hold the lock of a folder: who cleans `/tmp` does so, too. It is a matter of
/// two hosts that start within microseconds of each other; it must not keep one from starting.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The same for a stop.
const LOCK_PATIENCE_AT_THE_END: Duration = Duration::from_millis(100);

/// The file that binding a Unix socket made; it is removed when the endpoint ends, unless another
/// process has put its own in the place.
///
/// It has to go before the socket is closed: as long as that is open, the system gives the file's
/// number to no other.
#[derive(Debug)]
pub(crate) struct SocketFile(SocketIdentity);

/// Which file it is, and how it was made.
#[derive(Clone, Debug)]
pub(crate) struct SocketIdentity {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// As the system made it: what the options leave open.
    made: Rights,
}

/// Whose a file is, and who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rights {
    mode: u32,
    owner: u32,
    group: u32,
}

impl Rights {
    fn of(metadata: &Metadata) -> Self {
        Self { mode: metadata.mode() & 0o777, owner: metadata.uid(), group: metadata.gid() }
    }
}

/// Why the rights of a socket's file could not be set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RightsError {
    /// There is no such user or group, or nobody can tell.
    #[error("{name}: {source}")]
    Unknown { kind: AccountKind, name: String, source: io::Error },
    /// The system refused.
    #[error(transparent)]
    Refused(#[from] io::Error),
}

/// Who can have a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountKind {
    User,
    Group,
}

impl AccountKind {
    /// The number of an account, by its name or by that number itself; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The system's list of accounts cannot be read.
    pub(crate) fn id(self, name: &str) -> io::Result<Option<u32>> {
        if let Ok(id) = name.parse::<u32>() {
            // The last number stands for nobody: calls of the system take it for "leave it as it is".
            return Ok((id != u32::MAX).then_some(id));
        }
        Ok(match self {
            Self::User => User::from_name(name)?.map(|user| user.uid.as_raw()),
            Self::Group => Group::from_name(name)?.map(|group| group.gid.as_raw()),
        })
    }

    fn required(self, name: &str) -> Result<u32, RightsError> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such account");
        self.id(name).and_then(|id| id.ok_or_else(missing)).map_err(|source| RightsError::Unknown {
            kind: self,
            name: name.to_owned(),
            source,
        })
    }
}

/// The group that a user has first; `None` if there is no such account.
///
/// # Errors
///
/// The system's list of accounts cannot be read.
pub(crate) fn primary_group(user: u32) -> io::Result<Option<u32>> {
    let user = User::from_uid(Uid::from_raw(user))?;
    Ok(user.map(|user| user.gid.as_raw()))
}

/// Whether this process may let another one run as somebody else.
pub(crate) fn may_become_others() -> bool {
    Uid::effective().is_root()
}

impl SocketFile {
    /// Takes charge of the file of a socket that was just bound.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self(SocketIdentity {
            path: std::path::absolute(path)?,
            device: metadata.dev(),
            inode: metadata.ino(),
            made: Rights::of(&metadata),
        }))
    }

    pub(super) fn identity(&self) -> &SocketIdentity {
        &self.0
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _lock = FolderLock::of(&self.0.path, LOCK_PATIENCE_AT_THE_END);
        if self.0.is_there().is_ok() {
            // A folder that became read-only keeps the file; the next start replaces it.
            let _ = fs::remove_file(&self.0.path);
        }
    }
}

impl SocketIdentity {
    /// The file's facts, if it is still this one.
    fn is_there(&self) -> io::Result<Metadata> {
        let found = fs::symlink_metadata(&self.path)?;
        match found.dev() == self.device && found.ino() == self.inode {
            true => Ok(found),
            false => Err(io::Error::new(io::ErrorKind::NotFound, "the file is another one now")),
        }
    }

    /// Makes the file what the options say, and what they leave open as it was made.
    pub(crate) fn apply(&self, options: &UnixSocketOptions) -> Result<(), RightsError> {
        let owner = options.owner.as_ref().map(|name| AccountKind::User.required(name));
        let group = options.group.as_ref().map(|name| AccountKind::Group.required(name));
        let wanted = Rights {
            mode: options.mode.unwrap_or(self.made.mode),
            owner: owner.transpose()?.unwrap_or(self.made.owner),
            group: group.transpose()?.unwrap_or(self.made.group),
        };
        let now = Rights::of(&self.is_there()?);
        if wanted == now {
            return Ok(());
        }
        let pinned = Pinned::of(self)?;
        let other = |wanted: u32, now: u32| (wanted != now).then_some(wanted);
        let (owner, group) = (other(wanted.owner, now.owner), other(wanted.group, now.group));
        if owner.is_some() || group.is_some() {
            pinned.give_to(owner, group)?;
        }
        if wanted.mode != now.mode {
            pinned.set_mode(wanted.mode)?;
        }
        Ok(())
    }
}

/// A file that stays the same, whoever may write in its folder: a link that is put in its place would
/// lead the rights of root anywhere.
struct Pinned {
    #[cfg(target_os = "linux")]
    _open: File,
    way: PathBuf,
}

impl Pinned {
    #[cfg(target_os = "linux")]
    fn of(identity: &SocketIdentity) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        use nix::fcntl::OFlag;

        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW;
        // A socket cannot be opened, but pointed at.
        let open = OpenOptions::new().read(true).custom_flags(flags.bits()).open(&identity.path)?;
        let metadata = open.metadata()?;
        if (metadata.dev(), metadata.ino()) != (identity.device, identity.inode) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the file is another one now"));
        }
        let way = format!("/proc/self/fd/{}", open.as_raw_fd()).into();
        Ok(Self { _open: open, way })
    }

    /// There is no such pointer here: the folder has to be one's own.
    #[cfg(not(target_os = "linux"))]
    fn of(identity: &SocketIdentity) -> io::Result<Self> {
        identity.is_there()?;
        Ok(Self { way: identity.path.clone() })
    }

    fn give_to(&self, owner: Option<u32>, group: Option<u32>) -> io::Result<()> {
        std::os::unix::fs::chown(&self.way, owner, group)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        fs::set_permissions(&self.way, Permissions::from_mode(mode))
    }
}

/// The lock of the folder that a socket's file lies in, until it is dropped. No file is left behind by
/// it, and whoever dies with it has it no more.
pub(super) struct FolderLock {
    _open: File,
}

impl FolderLock {
    /// Waits for the lock for so long; `None` if it cannot be had, as on some file systems.
    fn of(path: &Path, patience: Duration) -> Option<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).ok()?;
        let began = Instant::now();
        loop {
            match folder.try_lock() {
                Ok(()) => return Some(Self { _open: folder }),
                Err(TryLockError::WouldBlock) if began.elapsed() < patience => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(_) => return None,
            }
        }
    }

    /// The lock for the binding of a socket at `path`.
    pub(super) fn to_bind(path: &Path) -> Option<Self> {
        Self::of(path, LOCK_PATIENCE)
    }

    /// Removes the file of a socket that nobody accepts on, so that another can be bound.
    ///
    /// # Errors
    ///
    /// What is in the way and stays there.
    pub(super) fn clear(&self, path: &Path) -> Result<(), FileInTheWay> {
        let what = in_the_way(path);
        let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
        if what == FileInTheWay::StaleSocket && is_file && fs::remove_file(path).is_ok() {
            return Ok(());
        }
        Err(what)
    }
}

/// What lies at `path`, once the system has said that the address is in use.
pub(super) fn in_the_way(path: &Path) -> FileInTheWay {
    match fs::metadata(path) {
        Ok(found) if found.file_type().is_socket() => match knock(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                FileInTheWay::StaleSocket
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                FileInTheWay::ForbiddenSocket
            }
            // Connected, or alive but busy, or of another kind: somebody has it.
            _ => FileInTheWay::LiveSocket,
        },
        _ => FileInTheWay::NoSocket,
    }
}

/// What a binding at `path` would find at this moment, without touching the file or being noticed by who listens on it;
/// `None` if nothing is in the way. (Somebody else may put something there until then.)
///
/// # Errors
///
/// The folder is not there, or does not let this process put a file into it.
pub(super) fn looked_at(path: &Path) -> io::Result<Option<FileInTheWay>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let may_write = || {
        let wanted = AccessFlags::W_OK | AccessFlags::X_OK;
        access(folder.unwrap_or(Path::new(".")), wanted).map_err(io::Error::from)
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return may_write().map(|()| None),
        Err(error) => return Err(error),
    };
    let is_socket = |found: &Metadata| found.file_type().is_socket();
    if !fs::metadata(path).is_ok_and(|found| is_socket(&found)) {
        return Ok(Some(FileInTheWay::NoSocket));
    }
    // One of another kind is not connected to, whoever has the file: the system only says whether somebody has.
    let asked = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    Ok(match asked.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let goes = is_socket(&found) && may_write().is_ok();
            (!goes).then_some(FileInTheWay::StaleSocket)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Some(FileInTheWay::ForbiddenSocket)
        }
        _ => Some(FileInTheWay::LiveSocket),
    })
}

/// Connects, without waiting for room where many wait already.
fn knock(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_socket_that_is_bound_and_does_not_listen_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.sock");
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        // So its rights can be set between the two calls, and nobody gets in meanwhile.
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        let refused = UnixStream::connect(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        socket.listen(1).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn what_is_in_the_way_is_known_by_knocking() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let _live = UnixListener::bind(at("live")).unwrap();
        drop(UnixListener::bind(at("stale")).unwrap());
        let _datagrams = UnixDatagram::bind(at("datagrams")).unwrap();
        // Nobody accepts, and no more may wait: a knock that waits for room waits for ever.
        let full = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        full.bind(&SockAddr::unix(at("full")).unwrap()).unwrap();
        full.listen(0).unwrap();
        let _waiting: Vec<_> = std::iter::repeat_with(|| {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket.connect(&SockAddr::unix(at("full")).unwrap()).map(|()| socket)
        })
        .take_while(Result::is_ok)
        .collect();
        fs::write(at("file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        for (name, what) in [
            ("live", FileInTheWay::LiveSocket),
            ("stale", FileInTheWay::StaleSocket),
            ("datagrams", FileInTheWay::LiveSocket),
            ("full", FileInTheWay::LiveSocket),
            ("file", FileInTheWay::NoSocket),
            ("dangling", FileInTheWay::NoSocket),
            (".", FileInTheWay::NoSocket),
        ] {
            assert_eq!(in_the_way(&at(name)), what, "{name}");
            let would_go = what == FileInTheWay::StaleSocket;
            assert_eq!(looked_at(&at(name)).unwrap(), (!would_go).then_some(what), "{name}");
        }
        assert_eq!(looked_at(&at("free")).unwrap(), None);
        let error = looked_at(&at("no folder/free")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = looked_at(&at("file/free")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn who_is_looked_at_does_not_notice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.sock");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(looked_at(&path).unwrap(), Some(FileInTheWay::LiveSocket));
        let nobody = listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock);
        drop(listener);
        assert_eq!(looked_at(&path).unwrap(), None);
        assert!(path.exists(), "nothing is touched");
    }

    #[test]
    fn only_what_was_left_behind_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let _live = UnixListener::bind(at("live")).unwrap();
        drop(UnixListener::bind(at("stale")).unwrap());
        drop(UnixListener::bind(at("other")).unwrap());
        fs::write(at("file"), "").unwrap();
        std::os::unix::fs::symlink("other", at("link")).unwrap();
        let lock = FolderLock::to_bind(&at("live")).unwrap();
        assert_eq!(lock.clear(&at("live")), Err(FileInTheWay::LiveSocket));
        assert_eq!(lock.clear(&at("file")), Err(FileInTheWay::NoSocket));
        // The link is somebody's doing.
        assert_eq!(lock.clear(&at("link")), Err(FileInTheWay::StaleSocket));
        assert_eq!(lock.clear(&at("stale")), Ok(()));
        assert!(!at("stale").exists());
        for kept in ["live", "file", "link", "other"] {
            assert!(at(kept).exists(), "{kept}");
        }
    }

    #[test]
    fn a_folder_has_one_lock_and_an_impatient_one_goes_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.sock");
        let lock = FolderLock::to_bind(&path).unwrap();
        assert!(FolderLock::of(&path, Duration::ZERO).is_none());
        drop(lock);
        assert!(FolderLock::of(&path, Duration::ZERO).is_some());
        assert!(FolderLock::to_bind(&folder.path().join("missing/k.sock")).is_none());
    }

    #[test]
    fn rights_come_and_go_with_the_options() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let file = SocketFile::new(&path).unwrap();
        let mode = || fs::symlink_metadata(&path).unwrap().mode() & 0o777;
        let made = mode();
        let group = fs::metadata(&path).unwrap().gid().to_string();
        let options = |mode, group| UnixSocketOptions { mode, group, owner: None };
        file.identity().apply(&options(Some(0o660), Some(group))).unwrap();
        assert_eq!(mode(), 0o660);
        file.identity().apply(&options(Some(0o606), None)).unwrap();
        assert_eq!(mode(), 0o606);
        file.identity().apply(&UnixSocketOptions::default()).unwrap();
        assert_eq!(mode(), made);
        let unknown = file.identity().apply(&options(None, Some("no-such-group-here".to_owned())));
        assert!(matches!(unknown, Err(RightsError::Unknown { kind: AccountKind::Group, .. })));
    }

    /// Who may write in the folder could lead the rights of root to any file.
    #[test]
    fn rights_follow_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("k.sock"), folder.path().join("other"));
        let _listener = UnixListener::bind(&path).unwrap();
        let file = SocketFile::new(&path).unwrap();
        fs::write(&other, "").unwrap();
        fs::set_permissions(&other, Permissions::from_mode(0o600)).unwrap();
        fs::rename(&path, folder.path().join("away")).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let options = UnixSocketOptions { mode: Some(0o666), ..UnixSocketOptions::default() };
        file.identity().apply(&options).unwrap_err();
        Pinned::of(file.identity()).err().expect("it is a link now");
        assert_eq!(fs::metadata(&other).unwrap().mode() & 0o777, 0o600);
        drop(file);
        assert!(path.exists(), "it is somebody else's now");
    }
}
