//! Linux: the system sends files on sockets by itself, without their bytes coming through this process.

use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, memfd_create, sendfile};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

/// Sends `before`, then up to `most` bytes of a file from `at` on, as far as the socket takes it now: how much
/// that was of both.
///
/// # Errors
///
/// `UnexpectedEof`, if the file ends at `at`. What was sent before an error is told first: the error comes again
/// with the next call.
pub(super) fn send_file(
    socket: impl AsFd,
    before: &[IoSlice<'_>],
    (file, at): (&File, u64),
    most: usize,
) -> io::Result<usize> {
    let length: usize = before.iter().map(|slice| slice.len()).sum();
    let mut sent = 0;
    if length > 0 {
        // More comes at once: the head of an answer is not to leave in a packet of its own.
        let flags = SendFlags::NOSIGNAL | SendFlags::MORE;
        sent = match before {
            [one] => send(&socket, one, flags)?,
            many => sendmsg(&socket, many, &mut SendAncillaryBuffer::default(), flags)?,
        };
        if sent < length {
            return Ok(sent);
        }
    }
    let mut offset = at;
    // The one call that knows no NOSIGNAL: as for `writev`, Rust's programs ignore SIGPIPE from their beginning.
    let of_file = match sendfile(&socket, file, Some(&mut offset), most) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        // Some file systems cannot.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => copy(&socket, file, at, most),
        sent => sent.map_err(io::Error::from),
    };
    match of_file {
        Ok(of_file) => Ok(sent + of_file),
        Err(_) if sent > 0 => Ok(sent),
        Err(error) => Err(error),
    }
}

/// These bytes in a place that nobody else has, from which they can be sent.
///
/// # Errors
///
/// There is no such place: mostly for want of descriptors.
pub(super) fn in_memory(parts: &[&[u8]]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"kestrel-answer", MemfdFlags::CLOEXEC)?);
    for part in parts {
        file.write_all(part)?;
    }
    Ok(file)
}

/// The same for a file that has to be read.
fn copy(socket: impl AsFd, file: &File, at: u64, most: usize) -> io::Result<usize> {
    let mut buffer = [0; 16 * 1024];
    let most = most.min(buffer.len());
    match file.read_at(&mut buffer[..most], at)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => Ok(send(socket, &buffer[..read], SendFlags::NOSIGNAL)?),
    }
}

/// Where a piece of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// In memory, by its ends.
    Memory,
    /// On the disk, or the system cannot tell.
    Disk,
    /// The file ends before.
    Nowhere,
}

/// A piece that is no longer than this came into memory as a whole, by all likelihood.
const READ_AT_ONCE: usize = 128 * 1024;

/// Looks where a piece of a file is: to send what is on the disk waits for it.
pub(super) fn whereabouts(file: &File, at: u64, length: usize) -> Whereabouts {
    let ends = [at + length.saturating_sub(1) as u64, at];
    let looks = if length > READ_AT_ONCE { 2 } else { 1 };
    for at in ends.into_iter().take(looks) {
        let mut byte = [0];
        let byte = &mut [io::IoSliceMut::new(&mut byte)];
        match preadv2(file, byte, at, ReadWriteFlags::NOWAIT) {
            Ok(0) => return Whereabouts::Nowhere,
            Ok(_) => {}
            // An error comes again where it can be told.
            Err(_) => return Whereabouts::Disk,
        }
    }
    Whereabouts::Memory
}

/// Brings a piece of a file into memory.
pub(super) fn fetch(file: &File, at: u64, length: usize) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let end = at + length as u64;
    let mut here = at;
    while here < end {
        match file.read_at(&mut buffer, here) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => here += read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn what_comes_before_goes_first_and_a_file_to_its_end() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let file = file(b"0123456789");
        let (head, more) = (IoSlice::new(b"head "), IoSlice::new(b"and "));
        assert_eq!(send_file(&ours, &[head], (&file, 7), 100).unwrap(), 8);
        assert_eq!(send_file(&ours, &[head, more], (&file, 2), 3).unwrap(), 12);
        assert_eq!(send_file(&ours, &[], (&file, 0), 2).unwrap(), 2);
        assert_eq!(copy(&ours, &file, 8, 100).unwrap(), 2);
        // What was sent is told, then what is wrong.
        assert_eq!(send_file(&ours, &[head], (&file, 10), 1).unwrap(), 5);
        for ended in [send_file(&ours, &[], (&file, 10), 1), copy(&ours, &file, 10, 1)] {
            assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
        drop(ours);
        let mut came = String::new();
        theirs.read_to_string(&mut came).unwrap();
        assert_eq!(came, "head 789head and 2340189head ");
    }

    #[test]
    fn what_is_put_into_memory_is_sent_as_a_file_is() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let file = in_memory(&[b"head ", b"", b"body"]).unwrap();
        assert_eq!(send_file(&ours, &[], (&file, 0), 100).unwrap(), 9);
        drop(ours);
        let mut came = String::new();
        theirs.read_to_string(&mut came).unwrap();
        assert_eq!(came, "head body");
    }

    #[test]
    fn a_socket_that_is_full_takes_no_more() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let file = file(&vec![1; 4 << 20]);
        let mut at = 0;
        let full = loop {
            match send_file(&ours, &[], (&file, at), 1 << 20) {
                Ok(sent) => at += sent as u64,
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        assert!(at > 0 && at < 4 << 20);
    }

    #[test]
    fn a_piece_is_looked_for_and_fetched() {
        let file = file(&[1; 5000]);
        fetch(&file, 0, 5000).unwrap();
        assert_eq!(fetch(&file, 4000, 1001).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        // Not all file systems can tell without a wait.
        let whole = whereabouts(&file, 0, 5000);
        assert!(whole == Whereabouts::Memory || whole == Whereabouts::Disk);
        if whole == Whereabouts::Memory {
            assert_eq!(whereabouts(&file, 4999, 2), Whereabouts::Nowhere);
        }
    }
}
