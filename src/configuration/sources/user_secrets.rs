//! The user's secrets: a JSON file outside the project, read in Development only.
//!
//! The place is the one `dotnet user-secrets` writes to, so both tools share it.

use std::path::PathBuf;

use crate::configuration::path::as_the_system_writes_it;
use crate::configuration::problem::Problem;

/// The file that holds the secrets of `id`.
///
/// The first of `APPDATA` and `HOME` that is set decides, also on Unix; with neither, the user's
/// configuration folder as the system knows it.
///
/// # Errors
///
/// An id with path parts, which would leave the folder, or no folder to look in.
pub(crate) fn path(id: &str, variables: &[(String, String)]) -> Result<PathBuf, Problem> {
    check_user_secrets_id(id).map_err(|invalid| {
        Problem::error(invalid.to_string())
            .fix("use letters, digits, dots and dashes, such as a GUID, as UserSecretsId")
    })?;
    let set = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let folder = match (set("APPDATA"), set("HOME")) {
        (Some(root), _) if !root.is_empty() => {
            PathBuf::from(root).join("Microsoft").join("UserSecrets")
        }
        (None, Some(home)) if !home.is_empty() => {
            PathBuf::from(home).join(".microsoft").join("usersecrets")
        }
        (None, None) => match directories::BaseDirs::new() {
            Some(folders) => folders.config_dir().join(".microsoft").join("usersecrets"),
            None => return Err(no_folder()),
        },
        _ => return Err(no_folder()),
    };
    Ok(as_the_system_writes_it(folder.join(id).join("secrets.json")))
}

fn no_folder() -> Problem {
    Problem::error("Could not determine an appropriate location for storing user secrets.")
        .fix("set HOME (or APPDATA) to a folder")
}

/// A user-secrets id that would name a place outside its folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUserSecretsId {
    /// The id is empty.
    #[error("The user secrets ID is empty.")]
    Empty,
    /// It holds a character that cannot stand in a file name.
    #[error("Invalid character '{character}' found in the user secrets ID at index '{index}'.")]
    Character {
        /// The character.
        character: char,
        /// Its place, counted from 0.
        index: usize,
    },
    /// It is `.` or `..`.
    #[error("The user secrets ID '{0}' is a path, not a name.")]
    Path(String),
}

/// Whether `id` can name a folder of secrets.
///
/// # Errors
///
/// Says what is wrong with it. .NET lets `..` pass, and with it the folder's own parent.
pub fn check_user_secrets_id(id: &str) -> Result<(), InvalidUserSecretsId> {
    if id.is_empty() {
        return Err(InvalidUserSecretsId::Empty);
    }
    if id == "." || id == ".." {
        return Err(InvalidUserSecretsId::Path(id.to_owned()));
    }
    let forbidden = |character: char| character.is_control() || "/\\:*?\"<>|".contains(character);
    match id.chars().enumerate().find(|(_, character)| forbidden(*character)) {
        Some((index, character)) => Err(InvalidUserSecretsId::Character { character, index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_first_variable_that_is_set_decides() {
        for (pairs, expected) in [
            (&[("HOME", "/h")][..], Some("/h/.microsoft/usersecrets/id/secrets.json")),
            (
                &[("HOME", "/h"), ("APPDATA", "/a")],
                Some("/a/Microsoft/UserSecrets/id/secrets.json"),
            ),
            (&[("HOME", "/h"), ("APPDATA", "")], None),
            (&[("HOME", "")], None),
        ] {
            assert_eq!(
                path("id", &variables(pairs)).ok(),
                expected.map(PathBuf::from),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn an_id_never_leaves_the_folder() {
        for id in ["..", ".", "", "a/b", "../x", "a\\b", "c:x", "a\0b"] {
            assert!(check_user_secrets_id(id).is_err(), "{id:?}");
            assert!(path(id, &variables(&[("HOME", "/h")])).is_err(), "{id:?}");
        }
        assert_eq!(check_user_secrets_id("kestrel-oracle.1"), Ok(()));
    }
}
