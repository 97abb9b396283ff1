//! How a key gets a value, in words.

use super::key::speaks_of_secrets;

/// What to do so that `key` has a value. A secret is not for files that others read, and not for a
/// command line, which everybody on the machine sees.
pub(super) fn how_to_set(key: &str) -> String {
    let variable = key.replace(':', "__");
    match speaks_of_secrets(key) {
        true => format!("set '{key}' in the user's secrets, or the variable {variable}"),
        false => {
            format!(
                "set '{key}' in appsettings.json, the variable {variable}, or give --{key}=VALUE"
            )
        }
    }
}
