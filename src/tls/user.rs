//! Who runs this process, in words.

/// Who runs this process, such as `user app (uid 1000)`. Asked only once a file has been refused to it.
#[cfg(unix)]
pub(crate) fn user() -> String {
    let uid = nix::unistd::Uid::effective();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => format!("user {} (uid {uid})", user.name),
        _ => format!("user with uid {uid}"),
    }
}

#[cfg(not(unix))]
pub(crate) fn user() -> String {
    "user of this process".to_owned()
}
