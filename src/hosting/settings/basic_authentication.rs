//! Who is let in by a user's name and a password.

use super::lists;
use super::parse::{read_boolean, shown};
use super::password_file::{self, too_long};
use super::switched::Switched;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Section, Setting, Sourced};
use crate::middleware::{BasicAuthentication, HashMistake, PASSWORDS_ARE_THERE, Password, User};

const SECTION: &str = "BasicAuthentication";
const ENABLED: &str = "BasicAuthentication:Enabled";
const REALM: &str = "BasicAuthentication:Realm";
const PASSWORDS: &str = "BasicAuthentication:Passwords";

/// What browsers show, unless configured.
pub(super) const DEFAULT_REALM: &str = "restricted";

/// Reads the section.
pub(super) fn read(
    loaded: &Loaded,
    problems: &mut Vec<Problem>,
) -> Option<Switched<BasicAuthentication>> {
    let configuration = &loaded.configuration;
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    problems.extend(no_section(configuration));
    problems.extend(unasked(configuration));
    if on && !PASSWORDS_ARE_THERE {
        problems.extend(configuration.setting(ENABLED).map(without_feature));
        return None;
    }
    let users = if PASSWORDS_ARE_THERE { all_users(loaded, problems) } else { None };
    let realm = configuration.non_empty(REALM);
    let text = realm.as_ref().map_or(DEFAULT_REALM, |realm| realm.value);
    let users = match users {
        Some(users) => users,
        None if on => {
            problems.extend(configuration.setting(ENABLED).map(nobody));
            return None;
        }
        None => Vec::new(),
    };
    let names = users.iter().map(|user| &*user.name).collect::<Vec<_>>().join(", ");
    let Some(stage) = BasicAuthentication::new(text, users) else {
        problems.extend(configuration.setting(REALM).map(|it| no_realm(it, text)));
        return None;
    };
    let origin = |key: &str| {
        let section = configuration.section(key);
        let first = lists::first_setting(&section);
        first.map_or(Origin::Default, |it| it.origin.clone())
    };
    let by = match configuration.non_empty(password_file::KEY) {
        Some(file) => file.origin,
        None => origin(PASSWORDS),
    };
    let words = vec![
        Sourced::new(format!("lets in {names}"), by),
        Sourced::new(format!("as '{text}'"), realm.map_or(Origin::Default, |it| it.origin)),
    ];
    Switched::by(configuration, ENABLED, on, stage).map(|it| it.shown(words))
}

/// A text or a list in the place of the section: what it is to protect would be open.
fn no_section(configuration: &Configuration) -> Option<Problem> {
    let section = configuration.section(SECTION);
    let text = section.setting().filter(|it| it.value.as_ref().is_some_and(|it| !it.is_empty()));
    let children = section.children();
    let is_numbered = |child: &Section<'_>| child.name().parse::<u32>().is_ok();
    let listed = children.iter().find(|child| is_numbered(child)).and_then(lists::first_setting);
    let (setting, what) = match (text, listed) {
        (Some(setting), _) => (setting, "a text"),
        (None, listed) => (listed?, "a list"),
    };
    Some(
        Problem::error(format!("Nobody is asked for a password: '{SECTION}' is a section, and not {what}."))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write \"BasicAuthentication\": { \"Enabled\": true, \"Passwords\": { \"alice\": \"...\" } }"),
    )
}

/// Passwords that nobody is asked for, without a word that this is meant: `Enabled` may have been misspelled, and what is
/// to be protected would be open.
fn unasked(configuration: &Configuration) -> Option<Problem> {
    if configuration.value(ENABLED).is_some() {
        return None;
    }
    let passwords = configuration.section(PASSWORDS);
    let file = configuration.setting(password_file::KEY).filter(|it| it.value.is_some());
    let setting = lists::first_setting(&passwords).or(file)?;
    let problem =
        Problem::error(format!("Nobody is asked for a password: '{ENABLED}' is not set."))
            .key(setting.key.clone())
            .origin(setting.origin.clone());
    Some(problem.fix(format!("set {ENABLED} to true, or to false if nobody is to be asked yet")))
}

/// Who may come in, by the settings and by the file that they name.
fn all_users(loaded: &Loaded, problems: &mut Vec<Problem>) -> Option<Vec<User>> {
    let configuration = &loaded.configuration;
    let own = users(configuration, problems);
    let file = configuration.setting(password_file::KEY);
    let path = file.and_then(|it| Some((it, it.value.as_deref().filter(|path| !path.is_empty())?)));
    let Some((setting, path)) = path else { return own };
    let before = problems.len();
    let of_file = password_file::read(setting, &loaded.content_root.value.join(path), problems);
    let mut all = own.unwrap_or_default();
    for user in &of_file {
        if all.iter().any(|own| own.name.eq_ignore_ascii_case(&user.name)) {
            problems.push(twice(setting, user));
        }
    }
    if of_file.is_empty() && problems.len() == before {
        problems.push(nobody_in_file(setting, path));
    }
    all.extend(of_file);
    Some(all)
}

fn nobody_in_file(setting: &Setting, path: &str) -> Problem {
    Problem::error(format!("The file {} has no users.", shown(&setting.key, path)))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write one: htpasswd -B FILE USER")
}

fn twice(setting: &Setting, user: &User) -> Problem {
    let name = user.name.escape_debug();
    Problem::error(format!("'{name}' has a password in the file and one in '{PASSWORDS}'."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("remove one of the two")
}

/// Who may come in; `None`, if the settings name nobody. Those with a mistake are left out, and told.
fn users(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<Vec<User>> {
    let listed = configuration.section(PASSWORDS).children();
    let text = configuration.setting(PASSWORDS);
    let text = text.filter(|it| it.value.as_ref().is_some_and(|text| !text.is_empty()));
    if let Some(setting) = text.filter(|_| listed.is_empty()) {
        problems.push(no_names(setting, "one text"));
        return Some(Vec::new());
    }
    if let Some(setting) = nameless(&listed) {
        problems.push(no_names(setting, "a list"));
        return Some(Vec::new());
    }
    let mut users = Vec::new();
    let mut named = false;
    for entry in &listed {
        named = true;
        let Some(setting) = entry.setting() else {
            problems.extend(lists::first_setting(entry).map(|below| with_colon(entry, below)));
            continue;
        };
        match setting.value.as_deref().filter(|text| !text.is_empty()) {
            None => problems.push(empty(setting, entry.name())),
            Some(text) => match Password::read(text) {
                Ok(password) => users.push(User { name: entry.name().into(), password }),
                Err(mistake) => problems.push(no_hash(setting, entry.name(), mistake)),
            },
        }
    }
    named.then_some(users)
}

/// A setting of a list, which has numbers for names.
fn nameless<'a>(listed: &[Section<'a>]) -> Option<&'a Setting> {
    let is_list = listed.iter().enumerate().all(|(at, entry)| entry.name() == at.to_string());
    listed.first().filter(|_| is_list)?.setting()
}

fn no_names(setting: &Setting, what: &str) -> Problem {
    Problem::error(format!("'{PASSWORDS}' is {what}: it does not say whose passwords they are."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write users with their passwords: \"Passwords\": { \"alice\": \"...\" }")
}

/// A user whose name has a colon: what HTTP tells ends the name there, and so does a key.
fn with_colon(entry: &Section<'_>, below: &Setting) -> Problem {
    let mut deepest = entry.clone();
    while let Some(child) = deepest.children().into_iter().next() {
        deepest = child;
    }
    let name = deepest.path().get(PASSWORDS.len() + 1..).unwrap_or(entry.name());
    Problem::error(format!("A user's name cannot have a colon: '{}'.", name.escape_debug()))
        .key(below.key.clone())
        .origin(below.origin.clone())
        .fix("write another name; the password stands behind it, and may have colons")
}

fn without_feature(setting: &Setting) -> Problem {
    Problem::error(
        "Nobody can be asked for a password: this program was built without the feature 'basic-auth'.",
    )
    .key(setting.key.clone())
    .origin(setting.origin.clone())
    .fix("build it with the feature 'basic-auth' of the crate kestrel, or set it to false")
}

fn nobody(setting: &Setting) -> Problem {
    Problem::error(format!("Nobody could come in: '{PASSWORDS}' is empty."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!(
            "write users and passwords: {PASSWORDS}:NAME, or name a file: {}",
            password_file::KEY
        ))
}

fn empty(setting: &Setting, user: &str) -> Problem {
    Problem::error(format!("The password of '{}' is empty.", user.escape_debug()))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write a password, or what `openssl passwd -6` makes of it")
}

fn no_hash(setting: &Setting, user: &str, mistake: HashMistake) -> Problem {
    let user = user.escape_debug();
    let problem = match mistake {
        HashMistake::Kind => Problem::error(format!(
            "The password of '{user}' is hashed in a way that is not known."
        ))
        .cause(
            "What begins with $, a word and $ is taken for a hash; $2y$, $5$ and $6$ are known.",
        ),
        HashMistake::Form => {
            Problem::error(format!("The hash of the password of '{user}' is not whole."))
        }
        HashMistake::Rounds => {
            Problem::error(format!("The hash of the password of '{user}' has too many rounds."))
                .cause(too_long())
        }
    };
    problem
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("make one: openssl passwd -6")
}

fn no_realm(setting: &Setting, text: &str) -> Problem {
    let text = shown(&setting.key, text);
    Problem::error(format!("'{}' cannot be shown as a realm.", text.escape_debug()))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write it in ASCII, in one line")
}

#[cfg(all(test, feature = "basic-auth"))]
mod tests {
    use super::*;
    use crate::configuration::{Inputs, load};

    fn read_of(settings: &[&str]) -> (bool, Vec<String>) {
        let arguments = settings.iter().map(|it| format!("--BasicAuthentication:{it}"));
        let inputs = Inputs { arguments: arguments.enumerate().collect(), ..Inputs::default() };
        let mut problems = Vec::new();
        let on = read(&load(&inputs), &mut problems).is_some();
        assert!(problems.iter().all(Problem::is_error));
        (on, problems.into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn it_is_on_with_users_whose_passwords_can_be_checked() {
        assert_eq!(read_of(&["Enabled=true", "Passwords:alice=sesame"]), (true, vec![]));
        assert_eq!(read_of(&["Enabled=false", "Passwords:alice=sesame"]), (false, vec![]));
        assert_eq!(read_of(&[]), (false, vec![]));
    }

    #[test]
    fn what_lets_nobody_in_or_everybody_is_refused() {
        for (settings, message) in [
            (
                &["Enabled=true"][..],
                "Nobody could come in: 'BasicAuthentication:Passwords' is empty.",
            ),
            (&["Enabled=true", "Passwords:bob="], "The password of 'bob' is empty."),
            (
                &["Enabled=true", "Passwords:0=a"],
                "'BasicAuthentication:Passwords' is a list: it does not say whose passwords they are.",
            ),
            (
                &["Enabled=true", "Passwords=a"],
                "'BasicAuthentication:Passwords' is one text: it does not say whose passwords they are.",
            ),
            (
                &["Enabled=true", "Passwords:bob:ann=a"],
                "A user's name cannot have a colon: 'bob:ann'.",
            ),
            (
                &["Enable=true", "Passwords:bob=a"],
                "Nobody is asked for a password: 'BasicAuthentication:Enabled' is not set.",
            ),
            (
                &["Enabled=true", "Passwords:bob=$2y$05$abcdefgh"],
                "The hash of the password of 'bob' is not whole.",
            ),
            (
                &["Enabled=true", "Passwords:bob=$apr1$05$abcdefgh"],
                "The password of 'bob' is hashed in a way that is not known.",
            ),
            (
                &["Enabled=true", "Passwords:bob=$6$salt"],
                "The hash of the password of 'bob' is not whole.",
            ),
            (
                &["Enabled=true", "Passwords:bob=$6$rounds=200001$salt$hash"],
                "The hash of the password of 'bob' has too many rounds.",
            ),
            (
                &["Enabled=true", "Passwords:bob=a", "Realm=caf\u{e9}"],
                "'caf\u{e9}' cannot be shown as a realm.",
            ),
        ] {
            let (_, messages) = read_of(settings);
            assert_eq!(messages, [message], "{settings:?}");
        }
    }
}
