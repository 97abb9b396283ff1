//! Reading a file, and why it cannot be read, for whoever has to put it right.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::told::Told;
use crate::configuration::regular_file::{self, NotRegular};
use crate::tls::user::user;

/// No certificate, key or PKCS#12 file comes near this; a device or a log file does.
const LARGEST: u64 = 16 << 20;

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Told> {
    let mut bytes = Vec::new();
    regular_file::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Told::new(format!("The file '{}' is larger than 16 MiB.", path.display()))
            .cause("No certificate and no key is as large as that.")
            .fix("name the file of the certificate"));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Told {
    if let Some(found) = NotRegular::in_error(error) {
        return Told::new(format!("Access to the path '{}' is denied.", path.display()))
            .cause(format!("It is {}.", found.what()))
            .fix("name a file: it is read again when it changes");
    }
    match error.kind() {
        io::ErrorKind::IsADirectory => {
            Told::new(format!("Access to the path '{}' is denied.", path.display()))
                .cause("It is a folder.")
                .fix("name the file in it that is meant")
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => missing(path),
        io::ErrorKind::PermissionDenied => denied(path),
        _ => Told::new(format!("The file '{}' cannot be read.", path.display()))
            .cause(format!("The system says: {error}."))
            .fix("name a file that can be read"),
    }
}

fn missing(path: &Path) -> Told {
    let gone = path.ancestors().skip(1).take_while(|folder| !folder.is_dir()).last();
    if let Some(gone) = gone.filter(|folder| !folder.as_os_str().is_empty()) {
        let is = if gone.exists() { "is no folder" } else { "does not exist" };
        return Told::new(format!("Could not find a part of the path '{}'.", path.display()))
            .cause(format!("{} {is}.", gone.display()))
            .fix("correct the path; a relative one begins at the content root");
    }
    let told = Told::new(format!("Could not find file '{}'.", path.display()));
    if let Ok(target) = fs::read_link(path) {
        return told
            .cause(format!("It is a link to {}, which does not exist.", target.display()))
            .fix("put the file there, or let the link point to it");
    }
    let told = match similar(path) {
        Some(other) => told.cause(format!("There is {} in that folder.", other.display())),
        None => told,
    };
    told.fix("put the file there, or correct the path; a relative one begins at the content root")
}

/// A file beside the missing one whose name is nearly the same.
fn similar(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?;
    let distance =
        |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &wanted.to_lowercase());
    fs::read_dir(path.parent()?)
        .ok()?
        .take(1000)
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| (distance(&name), name))
        .filter(|(distance, _)| *distance <= 2 && *distance < wanted.chars().count() / 2)
        .min()
        .map(|(_, name)| name.into())
}

fn denied(path: &Path) -> Told {
    let first = format!("Access to the path '{}' is denied.", path.display());
    // The file itself, or the folder above it that may not be entered.
    let barred = path.ancestors().find(|part| fs::metadata(part).is_ok()).unwrap_or(path);
    let owner = owner(barred).unwrap_or_default();
    if barred == path {
        Told::new(first).cause(format!("The {} may not read it{owner}.", user())).fix(format!(
            "let that user read it and nobody else, for instance: {}",
            grant(path, "r")
        ))
    } else {
        Told::new(first)
            .cause(format!("The {} may not enter the folder {}{owner}.", user(), barred.display()))
            .fix(format!("let that user in, for instance: {}", grant(barred, "x")))
    }
}

/// The command that gives whoever runs this process a right on a file or folder.
fn grant(path: &Path, right: &str) -> String {
    let (user, path) = (user_name(), path.display());
    if cfg!(windows) {
        format!("icacls \"{path}\" /grant {user}:{}", right.to_uppercase())
    } else {
        format!("setfacl -m u:{user}:{right} '{path}'")
    }
}

#[cfg(unix)]
fn owner(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    use nix::unistd::{Gid, Group, Uid, User};

    let metadata = fs::metadata(path).ok()?;
    let (user, group) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    let user_name = User::from_uid(user).ok().flatten().map(|user| user.name);
    let group_name = Group::from_gid(group).ok().flatten().map(|group| group.name);
    Some(format!(
        ": it belongs to {}:{} and has mode {:04o}",
        user_name.unwrap_or_else(|| user.to_string()),
        group_name.unwrap_or_else(|| group.to_string()),
        metadata.mode() & 0o7777
    ))
}

#[cfg(not(unix))]
fn owner(_: &Path) -> Option<String> {
    None
}

#[cfg(unix)]
fn user_name() -> String {
    let uid = nix::unistd::Uid::effective();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}

#[cfg(not(unix))]
fn user_name() -> String {
    "USER".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_a_certificate_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pem");
        let file = fs::File::create(&path).unwrap();
        file.set_len(LARGEST).unwrap();
        assert_eq!(read(&path).map(|bytes| bytes.len() as u64), Ok(LARGEST));
        file.set_len(LARGEST + 1).unwrap();
        let source = crate::tls::CertificateSource::pem(&path, "a.key");
        let problem = read(&path).unwrap_err().of(&source, "Path").problem;
        assert!(problem.message.ends_with("a.pem' is larger than 16 MiB."), "{problem:?}");
    }
}
