//! Words that can stand in the configuration of another program as they are: none of them quotes alike.

use std::path::Path;

use super::wanted::Wanted;
use crate::configuration::Problem;

/// Judges everything that was given.
///
/// # Errors
///
/// A word means something else there than it does here.
pub(super) fn check(wanted: &Wanted) -> Result<(), Problem> {
    if let Some(name) = wanted.server_names.iter().find(|name| !is_host(name)) {
        return Err(refused("--server-name", name, HOST));
    }
    if let Some(user) = &wanted.user {
        let is_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if user.is_empty() || !user.bytes().all(is_user) {
            return Err(refused("--user", user, "the name of a user"));
        }
    }
    if let Some((chain, key)) = &wanted.certificate {
        for (flag, path) in [("--certificate", chain), ("--certificate-key", key)] {
            if !is_plain(path) {
                return Err(refused(flag, &path.display().to_string(), PATH));
            }
        }
    }
    Ok(())
}

/// What a name has to be.
pub(super) const HOST: &str = "a host, such as www.example.com";

/// Whether a name means the same wherever it stands.
pub(super) fn is_host(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_*[]:".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

/// What a path has to be.
pub(super) const PATH: &str = "an absolute path without blanks and quotes";

/// Whether a path means the same wherever it stands.
pub(super) fn is_plain(path: &Path) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:=,~".contains(&byte);
    path.is_absolute() && path.to_str().is_some_and(|text| text.bytes().all(is_plain))
}

/// A word that would mean something else there.
pub(super) fn refused(flag: &str, text: &str, kind: &str) -> Problem {
    let shown: String = text.chars().flat_map(char::escape_default).collect();
    Problem::error(format!("'{shown}' cannot stand in a configuration file as {flag}."))
        .fix(format!("give {kind}"))
}
