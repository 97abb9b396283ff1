//! `User` and `Group`: as whom the program runs.

use super::section::SECTION;
use crate::addresses::unix_socket::{AccountKind, primary_group};
use crate::apps::child_process::options::RunAs;
use crate::configuration::{Configuration, Origin, Problem, Setting};
use crate::hosting::settings::unix_socket::unknown;

/// Reads both. Without a group, it is that of the user.
pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<RunAs> {
    let mut account = |name: &str, kind: AccountKind| {
        let key = format!("{SECTION}:{name}");
        let Some(found) = configuration.non_empty(&key) else {
            problems.extend(configuration.setting(&key).map(|empty| nobody(empty, &key)));
            return None;
        };
        let id = kind.id(found.value).ok().flatten();
        problems.extend(unknown(kind, found.value, &key, &found.origin));
        Some((id, found))
    };
    let user = account("User", AccountKind::User);
    let group = account("Group", AccountKind::Group);
    let Some((user, named)) = user else {
        problems.extend(group.map(|(_, found)| without_user(found.origin)));
        return None;
    };
    let user = user?;
    let group = match group {
        Some((group, _)) => group?,
        None => match primary_group(user) {
            Ok(Some(group)) => group,
            Ok(None) | Err(_) => {
                problems.push(without_group(named.origin));
                return None;
            }
        },
    };
    Some(RunAs { name: named.value.to_owned(), user, group })
}

/// An empty name: the program would run with all rights of this process.
fn nobody(empty: &Setting, key: &str) -> Problem {
    Problem::error(format!("'{key}' is empty: that is nobody's name."))
        .key(key)
        .origin(empty.origin.clone())
        .fix("name the account, or remove the key")
}

fn without_user(origin: Origin) -> Problem {
    Problem::error("A group says nothing without the user that the program runs as.")
        .key(format!("{SECTION}:Group"))
        .origin(origin)
        .fix(format!("write {SECTION}:User, or remove {SECTION}:Group"))
}

fn without_group(origin: Origin) -> Problem {
    Problem::error("No account of this machine has this number, and so it has no group.")
        .key(format!("{SECTION}:User"))
        .origin(origin)
        .fix(format!("write {SECTION}:Group, too"))
}
