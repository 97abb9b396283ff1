//! Users and their passwords in a file of their own, as `htpasswd` writes it: a line for each, with a colon between.
//!
//! What a line has behind the colon is never shown, whatever it is.

use std::fmt::Display;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::parse::shown;
use crate::configuration::{Loaded, Problem, Setting, fold_key, regular_file};
use crate::middleware::{HashMistake, MOST_COST, MOST_ROUNDS, Password, User};

/// The key, of the host or below a site.
pub(super) const KEY: &str = "BasicAuthentication:File";

/// How many lines are told by themselves. One made in another way has all of its lines wrong.
const MOST_TOLD: usize = 5;

/// More than a file of users has: it is none.
const LARGEST: usize = 1 << 20;

/// The files of this kind that settings name, whether or not they can be read: what is wrong with one is put right in it.
pub(crate) fn named(loaded: &Loaded) -> Vec<PathBuf> {
    let settings = loaded.configuration.settings().filter(|setting| is_key(&setting.key));
    let named = settings.filter_map(|setting| setting.value.as_deref());
    named.filter(|path| !path.is_empty()).map(|it| loaded.content_root.value.join(it)).collect()
}

/// Whether a key is that of such a file, at the top or in a site.
pub(crate) fn is_key(key: &str) -> bool {
    let (key, own) = (fold_key(key), fold_key(KEY));
    key.strip_suffix(&*own).is_some_and(|before| before.is_empty() || before.ends_with(':'))
}

/// Reads the users of a file. Those with a mistake are left out, and told.
pub(super) fn read(setting: &Setting, path: &Path, problems: &mut Vec<Problem>) -> Vec<User> {
    let told =
        |what: String| Problem::error(what).key(setting.key.clone()).origin(setting.origin.clone());
    let shown = shown_path(setting, path);
    let text = match bytes_of(path).map(String::from_utf8) {
        Ok(Ok(text)) if text.len() <= LARGEST => text,
        Ok(Ok(_)) => {
            let what = format!("The file {shown} is too large for one of users and passwords.");
            problems.push(told(what).fix("name a file that htpasswd has written"));
            return Vec::new();
        }
        Ok(Err(_)) => {
            let what = format!("The file {shown} of users and passwords is not in UTF-8.");
            problems.push(told(what).fix("write the names of its users in UTF-8"));
            return Vec::new();
        }
        Err(error) => {
            let what = format!("The file {shown} of users and passwords cannot be read.");
            let at = &shown;
            let fix = match error.kind() {
                io::ErrorKind::NotFound => format!("make it: htpasswd -cB {at} USER"),
                io::ErrorKind::PermissionDenied => {
                    format!("let who runs the server read it, as by chgrp and chmod 640 {at}")
                }
                _ => "name a file that htpasswd has written".to_owned(),
            };
            problems.push(told(what).cause(error.to_string()).fix(fix));
            return Vec::new();
        }
    };
    // Editors of Windows put a mark at the beginning, which is no part of a name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut users: Vec<User> = Vec::new();
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match user(line, &users) {
            None => {}
            Some(Ok(user)) => users.push(user),
            Some(Err(mistake)) => wrong.push((number + 1, mistake)),
        }
    }
    for (number, Mistake { what, cause, fix }) in wrong.iter().take(MOST_TOLD) {
        let mut problem = told(format!("Line {number} of {shown}: {what}.")).fix(fix.clone());
        problem.cause = cause.clone();
        problems.push(problem);
    }
    if let Some(more) = wrong.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        problems.push(told(format!("{more} more lines of {shown} cannot be taken either.")));
    }
    users
}

/// The whole path, since whoever reads of it may not know the content root. A part that looks like a user and a password
/// is masked in what was written, and there alone.
fn shown_path(setting: &Setting, path: &Path) -> String {
    let written = setting.value.as_deref().unwrap_or_default();
    let path = path.display().to_string();
    format!("{}{}", path.strip_suffix(written).unwrap_or_default(), shown(&setting.key, written))
}

/// The bytes of a file, but of one that is too large no more than tell so.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular_file::open(path)?.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What is wrong with a line.
struct Mistake {
    what: String,
    cause: Option<String>,
    fix: String,
}

/// The user of a line, if it has one that is none of the others.
fn user(line: &str, others: &[User]) -> Option<Result<User, Mistake>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    // The two may be in the wrong order, and a hash is not shown.
    let Some((name, rest)) = line.split_once(':').filter(|(name, _)| !looks_hashed(name)) else {
        let what = "it has no user, a colon and a hash behind it".to_owned();
        return Some(Err(Mistake { what, cause: None, fix: again(&"USER") }));
    };
    // As on other servers, a comment may stand behind another colon. No hash has one.
    let hash = rest.split(':').next().unwrap_or_default();
    let shown = name.escape_debug();
    let mistake = |what: String, cause: Option<String>| {
        Some(Err(Mistake { what, cause, fix: again(&shown) }))
    };
    if name.is_empty() {
        return mistake("it names no user".to_owned(), None);
    }
    // As in the settings, capitals do not tell two of them apart.
    if others.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
        let what = format!("'{shown}' stands there again");
        return Some(Err(Mistake { what, cause: None, fix: "remove one of the two".to_owned() }));
    }
    match Password::read(hash) {
        Ok(password) if password.is_hash() => Some(Ok(User { name: name.into(), password })),
        Ok(_) => {
            mistake(format!("the password of '{shown}' is {}", kind(hash)), Some(WHY.to_owned()))
        }
        Err(HashMistake::Kind) => {
            mistake(format!("the password of '{shown}' is {}", kind(hash)), Some(WHY.to_owned()))
        }
        Err(HashMistake::Form) => {
            mistake(format!("the hash of the password of '{shown}' is not whole"), None)
        }
        Err(HashMistake::Rounds) => mistake(
            format!("the hash of the password of '{shown}' takes too long"),
            Some(too_long()),
        ),
    }
}

const WHY: &str = "Whoever gets at the file would soon have the password.";

/// Why a hash is not computed.
pub(super) fn too_long() -> String {
    format!(
        "Every guess costs as much; more than {MOST_ROUNDS} rounds, or a cost of more than {MOST_COST}, are not computed."
    )
}

/// What a text is that is no hash which is taken.
fn kind(text: &str) -> &'static str {
    match text {
        "" => "empty",
        _ if text.starts_with("$apr1$") || text.starts_with("$1$") => "hashed by MD5",
        _ if text.starts_with("{SHA}") || text.starts_with("{SSHA}") => "hashed by SHA-1",
        _ if text.starts_with('$') => "hashed in a way that is not known",
        _ if text.len() == 13 => "hashed by crypt, or stands there as it is",
        _ => "not hashed",
    }
}

/// Whether a name is none, but what stands behind the colon.
fn looks_hashed(name: &str) -> bool {
    name.starts_with('$') || name.starts_with("{S")
}

/// How to make it anew.
fn again(user: &impl Display) -> String {
    format!("make it again: htpasswd -B FILE {user} (or USER: and what openssl passwd -6 gives)")
}

#[cfg(all(test, feature = "basic-auth"))]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    const BCRYPT: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    /// The names that a file has, and what is told of it.
    fn read_of(text: &[u8]) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::fs::write(&path, text).unwrap();
        let (names, told) = read_from(&path);
        let whole = path.display().to_string();
        (names, told.into_iter().map(|it| it.replace(&format!(" of {whole}:"), ":")).collect())
    }

    fn read_from(path: &Path) -> (Vec<String>, Vec<String>) {
        let arguments = vec![(0, format!("--{KEY}=users"))];
        let loaded = load(&Inputs { arguments, ..Inputs::default() });
        let mut problems = Vec::new();
        let setting = loaded.configuration.setting(KEY).unwrap();
        let users = read(setting, path, &mut problems);
        let names = users.iter().map(|it| it.name.to_string()).collect();
        (names, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_mark_of_windows_is_no_name_and_a_hash_before_the_colon_is_not_shown() {
        let (names, told) = read_of(format!("\u{feff}alice:{BCRYPT}\n").as_bytes());
        assert_eq!((names, told), (vec!["alice".to_owned()], vec![]));
        let (names, told) = read_of(format!("{BCRYPT}:alice\n").as_bytes());
        assert!(names.is_empty() && told.len() == 1, "{told:?}");
        assert!(!told[0].contains("CCCC"), "{told:?}");
    }

    #[test]
    fn lines_of_htpasswd_are_users() {
        let text = format!("# who may come in\n\nalice:{BCRYPT}\r\n bob:{BCRYPT}:of the cellar\n");
        assert_eq!(read_of(text.as_bytes()), (vec!["alice".to_owned(), "bob".to_owned()], vec![]));
    }

    #[test]
    fn what_is_not_taken_is_told_with_its_line_and_without_a_secret() {
        for (line, told) in [
            ("alice", "Line 2: it has no user, a colon and a hash behind it."),
            (":$6$a$b", "Line 2: it names no user."),
            ("alice:", "Line 2: the password of 'alice' is empty."),
            ("alice:sesame", "Line 2: the password of 'alice' is not hashed."),
            ("alice:$apr1$sesame$sesame", "Line 2: the password of 'alice' is hashed by MD5."),
            ("alice:{SHA}sesame", "Line 2: the password of 'alice' is hashed by SHA-1."),
            (
                "alice:sesamesesame.",
                "Line 2: the password of 'alice' is hashed by crypt, or stands there as it is.",
            ),
            (
                "alice:$y$sesame$sesame",
                "Line 2: the password of 'alice' is hashed in a way that is not known.",
            ),
            ("alice:$6$sesame$sesame", "Line 2: the hash of the password of 'alice' is not whole."),
            (
                "alice:$2y$13$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                "Line 2: the hash of the password of 'alice' takes too long.",
            ),
            ("BOB:$6$a$b", "Line 2: 'BOB' stands there again."),
        ] {
            let (names, problems) = read_of(format!("bob:{BCRYPT}\n{line}\n").as_bytes());
            assert_eq!(names, ["bob"]);
            let [problem] = &problems[..] else { panic!("{line}: {problems:?}") };
            assert_eq!(problem.lines().next(), Some(told), "{line}");
            assert!(!problem.contains("sesame") && !problem.contains("$6$"), "{problem}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_the_whole_path_and_lines_count_from_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::fs::write(&path, "alice\n").unwrap();
        let (_, told) = read_from(&path);
        let begun = format!("Line 1 of {}: ", path.display());
        assert!(told[0].starts_with(&begun), "{told:?}");
        std::fs::remove_file(&path).unwrap();
        let (_, told) = read_from(&path);
        let begun = format!("The file {} of users and passwords cannot be read.", path.display());
        assert!(told[0].starts_with(&begun), "{told:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_never_ends_or_is_large_is_refused_without_reading_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&at("pipe users"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        // A hole of a terabyte: to read it all would take minutes, and the memory of the machine.
        std::fs::File::create(at("large users")).unwrap().set_len(1 << 40).unwrap();
        for (path, told) in [
            (at("pipe users"), "it is a pipe, and no file"),
            ("/dev/zero".into(), "it is a device, and no file"),
            (at("large users"), "is too large for one of users and passwords."),
            (folder.path().to_owned(), "is a directory"),
        ] {
            let (names, problems) = read_from(&path);
            assert_eq!(names, [""; 0], "{path:?}");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(told), "{problems:?}");
        }
    }

    #[test]
    fn a_file_of_another_kind_is_told_in_few_words() {
        let (_, problems) = read_of("x\n".repeat(1000).as_bytes());
        assert_eq!(problems.len(), MOST_TOLD + 1, "{problems:?}");
        let (_, problems) = read_of(b"b\xf6b:x\n");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("UTF-8"), "{problems:?}");
    }
}
