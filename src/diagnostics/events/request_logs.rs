//! Logs of requests that are files of their own.

use super::categories::OUR_REQUEST_LOGS;

/// The lines of requests come faster than they can be written.
pub(crate) fn request_log_lines_dropped(lines: u64) {
    emit!(OUR_REQUEST_LOGS, WARN, 1,
        "{Lines} lines of a log of requests were dropped: they came faster than they were written.";
        Lines = lines);
}

pub(crate) fn request_log_not_written(path: &str, error: &str, more: u64) {
    emit!(OUR_REQUEST_LOGS, ERROR, 2,
        "The log of requests '{Path}' cannot be written: '{Reason}'. Failed since this was told last: {More}.",
        detail: "fix: let the user of the process write there, and make room on its disk; lines are lost until then";
        Path = path, Reason = error, More = more);
}

pub(crate) fn request_log_without_thread(error: &str) {
    emit!(OUR_REQUEST_LOGS, ERROR, 3,
        "The system has no thread for a log of requests, which is not written: '{Reason}'.";
        Reason = error);
}

/// There are as many files of a day as there can be.
pub(crate) fn w3c_files_of_a_day(files: u32) {
    emit!(OUR_REQUEST_LOGS, WARN, 4,
        "There are {Files} W3C log files of this day, and there can be no more: lines are lost until tomorrow.",
        detail: "fix: raise W3CLogging:FileSizeLimit";
        Files = files);
}

/// SIGUSR1 came.
pub(crate) fn request_logs_reopened(files: usize) {
    emit!(OUR_REQUEST_LOGS, INFO, 5, "SIGUSR1 came: {Files} logs of requests are opened anew.";
        Files = files);
}

/// `HttpLogging`: so much of the body of an answer was sent, and not all of it.
pub(crate) fn answer_not_sent_whole(how: &str, bytes: u64) {
    emit!(OUR_REQUEST_LOGS, INFO, 6,
        "The answer was not sent whole ({Completion}): {Bytes} bytes of its body were sent.";
        Completion = how, Bytes = bytes);
}
