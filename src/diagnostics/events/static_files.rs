//! Files that are served, or are not.

use super::categories::{OUR_STATIC_FILES, STATIC_FILES};
use crate::diagnostics::repeated::Telling;

pub(crate) fn static_method_not_supported(method: &str) {
    emit!(STATIC_FILES, DEBUG, 1, "{Method} requests are not supported"; Method = method);
}

pub(crate) fn static_file_sent(path: &str, physical_path: &dyn std::fmt::Display) {
    emit!(STATIC_FILES, INFO, 2, "Sending file. Request path: '{VirtualPath}'. Physical path: '{PhysicalPath}'";
        VirtualPath = path, PhysicalPath = tracing::field::display(physical_path));
}

pub(crate) fn static_path_not_matched(path: &str) {
    emit!(STATIC_FILES, DEBUG, 3, "The request path {Path} does not match the path filter"; Path = path);
}

pub(crate) fn static_type_not_supported(path: &str) {
    emit!(STATIC_FILES, DEBUG, 4, "The request path {Path} does not match a supported file type"; Path = path);
}

pub(crate) fn static_file_not_found(path: &str) {
    emit!(STATIC_FILES, DEBUG, 5, "The request path {Path} does not match an existing file"; Path = path);
}

pub(crate) fn static_file_not_modified(path: &str) {
    emit!(STATIC_FILES, INFO, 6, "The file {Path} was not modified"; Path = path);
}

pub(crate) fn static_precondition_failed(path: &str) {
    emit!(STATIC_FILES, INFO, 7, "Precondition for {Path} failed"; Path = path);
}

pub(crate) fn static_request_handled(status: http::StatusCode, path: &str) {
    emit!(STATIC_FILES, DEBUG, 8, "Handled. Status code: {StatusCode} File: {Path}";
        StatusCode = u64::from(status.as_u16()), Path = path);
}

pub(crate) fn static_range_not_satisfiable(path: &str) {
    emit!(STATIC_FILES, WARN, 9, "Range not satisfiable for {Path}"; Path = path);
}

pub(crate) fn static_range_sent(range: &str, path: &str) {
    emit!(STATIC_FILES, INFO, 10, "Sending {Range} of file {Path}"; Range = range, Path = path);
}

/// A file that is there cannot be opened or read.
pub(crate) fn static_file_refused(path: &str, error: &std::io::Error, telling: Telling) {
    let error = tracing::field::display(error);
    match telling {
        Telling::Now { more } => emit!(OUR_STATIC_FILES, WARN, 1,
            "The file {Path} cannot be read: {Error}. Told since this was told last: {More}.";
            Path = path, Error = error, More = more),
        Telling::Counted => {
            emit!(OUR_STATIC_FILES, DEBUG, 1, "The file {Path} cannot be read: {Error}.";
            Path = path, Error = error)
        }
    }
}

/// A file has become shorter while it was sent, or cannot be read any further, and the answer cannot keep what it
/// promised.
pub(crate) fn static_file_ended(path: &str, error: &std::io::Error, left: u64) {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => emit!(OUR_STATIC_FILES, WARN, 2,
            "The file {Path} became shorter while it was sent: {Bytes} bytes are missing, and the answer is cut off.";
            Path = path, Bytes = left),
        _ => {
            let error = tracing::field::display(error);
            emit!(OUR_STATIC_FILES, WARN, 3,
                "The file {Path} cannot be read to its end: {Error}. {Bytes} bytes are missing, and the answer is cut off.";
                Path = path, Error = error, Bytes = left)
        }
    }
}

/// The folder that files are served from is not there any more.
pub(crate) fn static_root_gone(path: &dyn std::fmt::Display) {
    emit!(OUR_STATIC_FILES, WARN, 4, "The web root {Path} is not there any more: no file is found until it is back.";
        Path = tracing::field::display(path));
}

/// It is there again.
pub(crate) fn static_root_back(path: &dyn std::fmt::Display) {
    emit!(OUR_STATIC_FILES, INFO, 5, "The web root {Path} is there, and served again."; Path = tracing::field::display(path));
}
