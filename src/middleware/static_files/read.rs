//! Reads files: without a wait what is in memory, else on a thread that may wait.

use std::fs::File;
use std::io;

use bytes::Bytes;

use super::root::{MustWait, OpenFile, Wait};

/// Reads all of a small file. `None`, if it is no longer as long as it was.
pub(super) fn whole(open: &OpenFile, wait: Wait) -> Result<io::Result<Option<Bytes>>, MustWait> {
    // Small: an amount that is kept in memory.
    let length = usize::try_from(open.length).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let mut at = 0;
    while at < length {
        let read = match wait {
            Wait::No => now(&open.file, &mut bytes[at..], at as u64).ok_or(MustWait)?,
            Wait::Yes => at_offset(&open.file, &mut bytes[at..], at as u64),
        };
        match read {
            Ok(0) => return Ok(Ok(None)),
            Ok(read) => at += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(Some(bytes.into())))
}

/// Reads what is in memory; `None`, if that is nothing, or the system cannot tell.
#[cfg(target_os = "linux")]
pub(super) fn now(file: &File, buffer: &mut [u8], at: u64) -> Option<io::Result<usize>> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};

    match preadv2(file, &mut [io::IoSliceMut::new(buffer)], at, ReadWriteFlags::NOWAIT) {
        Ok(read) => Some(Ok(read)),
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::INVAL) => None,
        Err(error) => Some(Err(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn now(_: &File, _: &mut [u8], _: u64) -> Option<io::Result<usize>> {
    None
}

/// Reads, and waits for the disk.
#[cfg(unix)]
pub(super) fn at_offset(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

/// Reads, and waits for the disk.
#[cfg(windows)]
pub(super) fn at_offset(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
