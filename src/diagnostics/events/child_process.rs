//! Processes that run behind the host.

use std::fmt::Display;
use std::time::Duration;

use super::categories::{OUR_OUTPUT, OUR_PROCESSES};
use crate::diagnostics::repeated::Telling;

/// How often the same has happened since it was told last, where it has.
fn times(more: u64) -> String {
    match more {
        0 => String::new(),
        more => format!(" It has happened {more} more times since it was told last."),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

/// A process answers requests from now on.
pub(crate) fn process_ready((command, process): (&str, u32), url: &str, after: Duration) {
    emit!(OUR_PROCESSES, INFO, 1, "Process {ProcessId} is ready at {Url}, {Seconds} s after its start: {Command}";
        ProcessId = process, Url = url, Seconds = seconds(after), Command = command);
}

/// What became of a process, in words and for programs that read the log.
#[derive(Debug)]
pub(crate) struct FailedProcess {
    pub(crate) what: String,
    pub(crate) details: String,
    /// Its number, if there was one.
    pub(crate) process: Option<u32>,
    /// What it ended with, if it has; of a signal, 128 and its number, as shells have it.
    pub(crate) exit_code: Option<i32>,
}

/// A process ended by itself, or never got ready; another is started.
pub(crate) fn process_failed(failed: &FailedProcess, pause: Duration) {
    let FailedProcess { what, details, process, exit_code } = failed;
    match pause.is_zero() {
        true => {
            emit!(OUR_PROCESSES, ERROR, 2, "{What} Another is started.", detail: details;
            What = what, ProcessId = process, ExitCode = exit_code)
        }
        false => {
            emit!(OUR_PROCESSES, ERROR, 2, "{What} Another is started in {Seconds} s.", detail: details;
            What = what, Seconds = seconds(pause), ProcessId = process, ExitCode = exit_code)
        }
    }
}

/// Somebody else has the port of a process that was ready; another is started.
pub(crate) fn process_lost_its_port(failed: &FailedProcess, pause: Duration) {
    let FailedProcess { what, details, process, .. } = failed;
    match pause.is_zero() {
        true => {
            emit!(OUR_PROCESSES, WARN, 18, "{What} Nothing is sent there, and another is started.", detail: details;
            What = what, ProcessId = process)
        }
        false => {
            emit!(OUR_PROCESSES, WARN, 18, "{What} Nothing is sent there, and another is started in {Seconds} s.", detail: details;
            What = what, Seconds = seconds(pause), ProcessId = process)
        }
    }
}

/// Processes end again and again.
pub(crate) fn processes_fail_too_often(last: &FailedProcess) {
    let FailedProcess { what, details, process, exit_code } = last;
    emit!(OUR_PROCESSES, ERROR, 3, "{What}", detail: details;
        What = what, ProcessId = process, ExitCode = exit_code);
}

/// A process did not end when it was asked to.
pub(crate) fn process_killed(
    (command, process): (&str, u32),
    (limit, key): (Duration, &'static str),
) {
    emit!(OUR_PROCESSES, WARN, 4,
        "Process {ProcessId} did not end within {Seconds} s and was killed: {Command}. {Key} says how long it may take.";
        ProcessId = process, Seconds = seconds(limit), Command = command, Key = key);
}

/// What a process left behind did not end when it was asked to.
pub(crate) fn others_killed(
    (command, process): (&str, u32),
    (limit, key): (Duration, &'static str),
) {
    emit!(OUR_PROCESSES, WARN, 16,
        "What process {ProcessId} left behind did not end within {Seconds} s and was killed: {Command}. {Key} says how long it may take.";
        ProcessId = process, Seconds = seconds(limit), Command = command, Key = key);
}

/// A stop has waited for a process for a second.
pub(crate) fn stop_waits_for_process((command, process): (&str, u32), left: Duration) {
    emit!(OUR_PROCESSES, INFO, 17,
        "The stop waits for process {ProcessId} to end, and kills it in {Seconds} s: {Command}";
        ProcessId = process, Seconds = seconds(left), Command = command);
}

/// A process cannot be asked to end.
pub(crate) fn process_knows_no_end((command, process): (&str, u32), status: u16) {
    emit!(OUR_PROCESSES, INFO, 13,
        "Process {ProcessId} was killed: {Command}. It answers {StatusCode} to the request that asks it to end (POST /iisintegration).";
        ProcessId = process, Command = command, StatusCode = status);
}

/// Another process is to take the place of one.
pub(crate) fn process_is_replaced(process: u32, why: &str) {
    emit!(OUR_PROCESSES, INFO, 5, "Process {ProcessId} is replaced: {Why}."; ProcessId = process, Why = why);
}

/// That could not be done.
pub(crate) fn replacement_failed(stays: u32, failed: &FailedProcess) {
    let FailedProcess { what, details, process, exit_code } = failed;
    emit!(OUR_PROCESSES, ERROR, 6, "{What} It was to take the place of process {ProcessId}, which stays.", detail: details;
        What = what, ProcessId = stays, FailedProcessId = process, ExitCode = exit_code);
}

/// Requests that a process still has whose place another has taken are cut off.
pub(crate) fn last_answers_cut_off(requests: usize, after: Duration) {
    emit!(OUR_PROCESSES, WARN, 19,
        "Requests that are cut off, because the process that answers them was replaced {Seconds} s ago: {Requests}. AspNetCore:RequestTimeout says how long they may take.";
        Seconds = seconds(after), Requests = requests as u64);
}

/// Nobody would end what processes leave behind.
pub(crate) fn no_guard(error: &str) {
    emit!(OUR_PROCESSES, WARN, 7,
        "There is no /bin/sh ({Error}): should this server be killed, nothing ends the processes behind it."; Error = error);
}

/// Somebody has killed who ends what a process leaves behind.
pub(crate) fn guard_was_killed(process: u32) {
    emit!(OUR_PROCESSES, WARN, 15,
        "The shell that ends what process {ProcessId} leaves behind was killed; another has taken its place.";
        ProcessId = process);
}

/// A file closes the app.
pub(crate) fn app_offline(path: &str) {
    emit!(OUR_PROCESSES, INFO, 8, "The app is closed for as long as {Path} is there."; Path = path);
}

/// It is there no more.
pub(crate) fn app_online() {
    emit!(OUR_PROCESSES, INFO, 9, "The app is open again.");
}

/// A request found no process, and too many that wait for one.
pub(crate) fn too_many_wait(most: u32, telling: Telling) {
    if let Telling::Now { more } = telling {
        emit!(OUR_PROCESSES, WARN, 10,
            "A request was answered with 503: {Limit} others wait for a process already (RequestQueueLimit).{More}";
            Limit = most, More = times(more));
    }
}

/// A process gave no answer to a request.
pub(crate) fn process_gave_no_answer(process: u32, failure: &dyn Display, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(OUR_PROCESSES, WARN, 11,
            "Process {ProcessId} gave no answer to a request: {Failure}.{More}";
            ProcessId = process, Failure = tracing::field::display(failure), More = times(more)),
        Telling::Counted => {
            emit!(OUR_PROCESSES, DEBUG, 11, "Process {ProcessId} gave no answer to a request: {Failure}.";
            ProcessId = process, Failure = tracing::field::display(failure))
        }
    }
}

/// Who reaches this machine reaches a process, past the host and all that it does.
pub(crate) fn process_is_open(process: u32, address: &str) {
    emit!(OUR_PROCESSES, WARN, 12,
        "Process {ProcessId} listens on {Address}: others can reach it past this server. Let it listen on 127.0.0.1 alone, or on {Socket}.";
        ProcessId = process, Address = address, Socket = "{socket}");
}

/// A process listens, but not where it is waited for.
pub(crate) fn process_is_elsewhere(process: u32, found: &str, url: &str) {
    emit!(OUR_PROCESSES, WARN, 14,
        "Process {ProcessId} listens at {Addresses}, and is waited for at {Url}: tell it by its arguments, where {Port} and {Placeholder} stand for that.";
        ProcessId = process, Addresses = found, Url = url, Port = "{port}", Placeholder = "{url}");
}

/// What a process wrote. How much it matters counts from 0 (trace) to 4 (error).
pub(crate) fn process_wrote(
    program: &str,
    process: u32,
    severity: u8,
    (message, fields): (&str, &str),
) {
    macro_rules! at {
        ($level:ident) => {
            match fields.is_empty() {
                true => emit!(OUR_OUTPUT, $level, 1, "{Program}[{ProcessId}] {Line}";
                    Program = program, ProcessId = process, Line = message),
                false => emit!(OUR_OUTPUT, $level, 1, "{Program}[{ProcessId}] {Line} {Fields}";
                    Program = program, ProcessId = process, Line = message, Fields = fields),
            }
        };
    }
    match severity {
        0 => at!(TRACE),
        1 => at!(DEBUG),
        2 => at!(INFO),
        3 => at!(WARN),
        _ => at!(ERROR),
    }
}
