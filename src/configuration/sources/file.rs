//! A file of settings as a text, whatever its format.

use std::io;
use std::path::Path;

use crate::configuration::problem::Problem;
use crate::configuration::regular_file::{self, NotRegular};

/// The text of an optional file.
///
/// # Errors
///
/// The problem of a file that is there but cannot be read; a warning for what stands in its place and is
/// no file. A file that is absent is `None`.
pub(super) fn read(path: &Path) -> Result<Option<String>, Vec<Problem>> {
    let error = match regular_file::read(path) {
        Ok(bytes) => return Ok(Some(decode(&bytes))),
        Err(error) => error,
    };
    if let Some(found) = NotRegular::in_error(&error) {
        return Err(vec![not_a_file(path, found)]);
    }
    if let Some(problem) = in_its_place(path) {
        return Err(vec![problem]);
    }
    if is_absent(&error) {
        return Ok(None);
    }
    Err(vec![
        Problem::error(format!("{} It cannot be read: {error}.", failed(path)))
            .fix("let the user that runs the server read it, or remove it"),
    ])
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What stands in the place of a file that could not be read, if it is a folder or a link that
/// leads nowhere. .NET passes over both in silence, and starts without the settings.
fn in_its_place(path: &Path) -> Option<Problem> {
    let shown = path.display();
    if path.is_dir() {
        return Some(
            Problem::warning(format!("{shown} is a folder, and not read."))
                .cause("Docker makes a folder where it is to mount a file that the host does not have.")
                .fix("put the file in the place of the folder; with Docker, let the left side of -v name a file that is there"),
        );
    }
    let target = std::fs::read_link(path).ok()?;
    // One that leads somewhere, or round in a circle, fails in words of its own.
    let missing = std::fs::metadata(path).is_err_and(|error| is_absent(&error));
    missing.then(|| {
        let target = target.display();
        Problem::warning(format!("{shown} is a link that leads nowhere, and not read."))
            .cause(format!("It names {target}, which is not there."))
            .fix("create what it names, or remove the link")
    })
}

/// What is there is meant to be read, and cannot be: a start without it would not be the one that
/// was meant.
fn not_a_file(path: &Path, found: NotRegular) -> Problem {
    let shown = path.display();
    Problem::error(format!("{} It is {}, and not read.", failed(path), found.what()))
        .cause("To read it could wait for ever, and a file is read again when it changes.")
        .fix(format!("put a file in its place, or a link to one; {shown} may also be missing"))
}

/// How every message of a file begins.
pub(super) fn failed(path: &Path) -> String {
    format!("Failed to load configuration from file '{}'.", path.display())
}

/// The text of a file: UTF-8, or UTF-16 where a byte order mark says so.
fn decode(bytes: &[u8]) -> String {
    fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
        let units = bytes.chunks(2).map(|pair| unit([pair[0], *pair.get(1).unwrap_or(&0)]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_choose_the_encoding() {
        let utf16: Vec<u8> = [0xFFu8, 0xFE]
            .into_iter()
            .chain("{\"é\":1}".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(decode(&utf16), "{\"é\":1}");
        assert_eq!(decode("\u{feff}{}".as_bytes()), "{}");
        assert_eq!(decode("{}".as_bytes()), "{}");
    }
}
