//! What Windows does not have: said there, it would be passed over.

use super::section::SECTION;
use crate::configuration::{Configuration, Origin, Problem};

/// Whether this system has no users and rights of Unix, and no limits of processes.
pub(super) const IS_WINDOWS: bool = cfg!(windows);

/// What these keys say has no counterpart there.
const MISSING: &[(&str, &str)] = &[
    ("User", "The program cannot run as somebody else on Windows."),
    ("Group", "The program cannot have another group on Windows."),
    ("Umask", "Files have no rights that a mask could take away on Windows."),
    ("Limits:OpenFiles", "The program cannot be limited on Windows."),
    ("Limits:Memory", "The program cannot be limited on Windows."),
    ("Limits:Processes", "The program cannot be limited on Windows."),
    ("Limits:CoreSize", "The program cannot be limited on Windows."),
    ("Recycle:Memory", "How much memory the program has is not known on Windows."),
];

/// Refuses the keys that mean nothing on Windows.
pub(super) fn missing_keys(configuration: &Configuration) -> Vec<Problem> {
    let set = MISSING.iter().filter_map(|(name, what)| {
        let key = format!("{SECTION}:{name}");
        let found = configuration.non_empty(&key)?;
        let problem = Problem::error(*what).origin(found.origin).key(key);
        Some(problem.fix("remove the key, or run this on another system"))
    });
    set.collect()
}

/// Refuses a Unix socket for the program to listen on.
pub(super) fn no_socket(key: &str, origin: &Origin) -> Problem {
    Problem::error("The program cannot listen on a Unix socket on Windows.")
        .cause("On this system no Unix sockets are reached from here.")
        .key(key)
        .origin(origin.clone())
        .fix(format!(
            "set {SECTION}:Listen to port, and name {{port}} in the arguments or variables"
        ))
}
