//! The file whose presence closes an app: `app_offline.htm`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use bytes::Bytes;

/// Larger pages are none.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Whether it is there.
pub(super) fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|facts| !facts.is_dir())
}

/// What the file says, if it is there. A link is none: whoever may write into the folder could show any file that this
/// process can read.
pub(super) fn page(path: &Path) -> Option<Bytes> {
    let facts = std::fs::symlink_metadata(path).ok()?;
    if facts.is_dir() {
        return None;
    }
    // One that cannot be read, or is none, closes the app all the same.
    let page = (facts.is_file() && facts.len() <= LARGEST).then(|| read(path).ok()).flatten();
    Some(page.unwrap_or_default().into())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // It may have been changed for another since it was looked at.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let mut page = Vec::new();
    options.open(path)?.take(LARGEST).read_to_end(&mut page)?;
    Ok(page)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app_offline.htm");
        assert_eq!(page(&path), None);
        std::fs::write(&path, "closed").unwrap();
        assert_eq!(page(&path).as_deref(), Some(&b"closed"[..]));
        let secret = folder.path().join("secret");
        std::fs::rename(&path, &secret).unwrap();
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        assert_eq!(page(&path).as_deref(), Some(&b""[..]));
    }
}
