//! Sockets that whoever started this process opened for it, as systemd does for a service with a `.socket`
//! unit: they stand at the descriptors from 3 on, and variables say how many there are and for whom.
//!
//! The rules are those of sd_listen_fds(3).

use crate::addresses::{ConfiguredEndpoint, ListenTarget, UnixSocketOptions};
use crate::configuration::{Origin, Problem, Sourced};

const COUNT: &str = "LISTEN_FDS";
const PROCESS: &str = "LISTEN_PID";
const NAMES: &str = "LISTEN_FDNAMES";

/// The first descriptor.
const FIRST: i32 = 3;

/// What was passed to this process.
#[derive(Default)]
pub(super) struct Passed {
    /// The sockets, as endpoints.
    pub(super) endpoints: Vec<ConfiguredEndpoint>,
    /// What stands for one that cannot be served: nothing is bound by default in its place.
    pub(super) refused: Option<ConfiguredEndpoint>,
    /// What is wrong.
    pub(super) problem: Option<Problem>,
}

/// The sockets that were passed to this process, and what is wrong with them.
pub(super) fn take(variables: &[(String, String)], process: u32) -> Passed {
    let count = match count(variables, process) {
        Ok(0) => return Passed::default(),
        Ok(count) => count,
        Err(warning) => return Passed { problem: Some(*warning), ..Passed::default() },
    };
    match system::passed(FIRST, count) {
        Ok(sockets) => {
            let names = value(variables, NAMES).unwrap_or_default();
            let mut names = names.split(':').filter(|name| !name.is_empty());
            let endpoint = |socket| endpoint(ListenTarget::Given(socket), names.next());
            Passed { endpoints: sockets.into_iter().map(endpoint).collect(), ..Passed::default() }
        }
        Err((descriptor, why)) => {
            let message =
                format!("The socket passed as descriptor {descriptor} cannot be served: {why}.");
            let problem = Problem::error(message).key(COUNT).origin(origin());
            let fix = "let the .socket unit have ListenStream= alone, one for each socket";
            let refused = endpoint(ListenTarget::Url("http:".to_owned()), None);
            let problem = Some(problem.fix(fix));
            Passed { refused: Some(refused), problem, ..Passed::default() }
        }
    }
}

fn origin() -> Origin {
    Origin::EnvironmentVariable(COUNT.to_owned())
}

fn endpoint(target: ListenTarget, name: Option<&str>) -> ConfiguredEndpoint {
    ConfiguredEndpoint {
        name: name.map_or_else(|| target.to_string(), str::to_owned),
        key: COUNT.to_owned(),
        target: Sourced::new(target, origin()),
        protocols: None,
        tls: None,
        unix_socket: UnixSocketOptions::default(),
        proxy_protocol: None,
    }
}

fn value<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// How many sockets were passed to this process: none, if they are for another one.
///
/// # Errors
///
/// A warning, if that cannot be told.
fn count(variables: &[(String, String)], process: u32) -> Result<i32, Box<Problem>> {
    let Some(written) = value(variables, COUNT) else { return Ok(0) };
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    let count = written.parse::<i32>().ok().filter(|_| digits);
    let warning = |message: String, fix: &str| {
        let warning = Problem::warning(message).key(COUNT).origin(origin()).fix(fix);
        Box::new(warning)
    };
    match (value(variables, PROCESS), count) {
        (_, Some(0)) => Ok(0),
        (Some(of), Some(count)) if of == process.to_string() => Ok(count),
        (None | Some(""), Some(_)) => Err(warning(
            format!("Sockets that were passed are left alone: {PROCESS} does not say to whom."),
            "let whoever passes them set it to the number of this process, as systemd does",
        )),
        (Some(of), None) if of == process.to_string() => Err(warning(
            format!("Sockets that were passed are left alone: '{written}' is no number of them."),
            "let whoever passes them write a number in digits alone, as systemd does",
        )),
        // Variables of a service come to the processes that it starts, too.
        (_, _) => Ok(0),
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::{Mutex, PoisonError};

    use crate::addresses::GivenSocket;
    use crate::hosting::process;

    /// The sockets of this process, once somebody asked for them: their descriptors are others then.
    static PASSED: Mutex<Option<Vec<GivenSocket>>> = Mutex::new(None);

    /// The sockets at so many descriptors.
    ///
    /// # Errors
    ///
    /// The first descriptor that has none, and why.
    pub(super) fn passed(first: i32, count: i32) -> Result<Vec<GivenSocket>, (i32, String)> {
        let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sockets) = &*passed {
            return Ok(sockets.iter().map(GivenSocket::for_another_host).collect());
        }
        let mut sockets = Vec::new();
        for descriptor in first..first.saturating_add(count) {
            let wrong = |why| (descriptor, why);
            let copy = process::copy_of_descriptor(descriptor);
            let copy = copy.map_err(|error| wrong(format!("there is none ({error})")))?;
            sockets.push(GivenSocket::passed(copy).map_err(wrong)?);
        }
        // Only what is known to be meant: somebody else may have opened something there.
        (first..first.saturating_add(count)).for_each(process::close_descriptor);
        Ok(passed.insert(sockets).iter().map(GivenSocket::for_another_host).collect())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use crate::addresses::GivenSocket;

    /// There is nobody who passes any.
    pub(super) fn passed(_: i32, _: i32) -> Result<Vec<GivenSocket>, (i32, String)> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_counted_as_systemd_counts_them() {
        let left_alone = "Sockets that were passed are left alone";
        for (of, written, expected) in [
            (Some("7"), Some("1"), Ok(1)),
            (Some("7"), Some("01"), Ok(1)),
            (Some("7"), Some("12"), Ok(12)),
            (Some("7"), Some("0"), Ok(0)),
            (Some("7"), None, Ok(0)),
            (Some("7"), Some(""), Err(left_alone)),
            (Some("7"), Some("+1"), Err(left_alone)),
            (Some("7"), Some(" 1"), Err(left_alone)),
            (Some("7"), Some("1 "), Err(left_alone)),
            (Some("7"), Some("-1"), Err(left_alone)),
            (Some("7"), Some("99999999999"), Err(left_alone)),
            (None, Some("1"), Err(left_alone)),
            (None, Some("0"), Ok(0)),
            (Some("8"), Some("1"), Ok(0)),
            (Some("8"), Some("x"), Ok(0)),
            (Some(" 7"), Some("1"), Ok(0)),
        ] {
            let variables: Vec<_> = [(PROCESS, of), (COUNT, written)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect();
            match (count(&variables, 7), expected) {
                (Ok(count), Ok(expected)) => assert_eq!(count, expected, "{of:?} {written:?}"),
                (Err(warning), Err(told)) => {
                    assert!(!warning.is_error() && warning.message.starts_with(told), "{warning}");
                }
                other => panic!("{of:?} {written:?}: {other:?}"),
            }
        }
    }
}
