//! The command line as configuration, in the forms .NET takes:
//! `--key value`, `--key=value`, `/key value`, `/key=value`, `key=value`.
//!
//! A switch always takes the next argument, even one that starts with a dash. A bare word, a
//! single-dash switch and a switch at the very end set nothing; .NET drops them in silence, we
//! say so, where it is known what they may be meant for.

use std::borrow::Cow;
use std::fmt;

use crate::configuration::key::{
    key_without_secret, keys_equal, speaks_of_secrets, without_secret,
};
use crate::configuration::layers::Leaf;
use crate::configuration::origin::Origin;
use crate::configuration::problem::Problem;
use crate::configuration::user_info::{address_without_user_info, without_user_info};

/// The settings of a command line, and what of it sets nothing.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    pub(crate) leaves: Vec<Leaf>,
    /// Notes of settings of which only the last counts.
    pub(crate) given_twice: Vec<Problem>,
    pub(crate) unread: Vec<Unread>,
}

/// An argument that sets nothing: a bare word, a switch with one dash, or one without a value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// Its place: 1 is the first argument after the program's name.
    pub position: usize,
    /// The argument.
    pub argument: String,
    /// The bare word behind a switch with one dash, which sets nothing either.
    pub value: Option<String>,
    /// Whether it is `-k=value`, which .NET refuses.
    pub short_switch: bool,
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An argument may hold a secret.
        f.debug_struct("Unread").field("position", &self.position).finish_non_exhaustive()
    }
}

/// What one argument says, told apart before its value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument<'a> {
    /// It holds key and value.
    Setting { key: &'a str, value: &'a str, switch: &'a str },
    /// A key whose value is the next argument.
    Switch { key: &'a str },
    /// `-k=value`: .NET allows it only with a mapping, and there are none.
    ShortSwitch,
    /// It sets nothing.
    Nothing,
}

impl<'a> Argument<'a> {
    /// Reads one argument in key position.
    pub(crate) fn parse(argument: &'a str) -> Self {
        let body = argument.strip_prefix("--").or_else(|| argument.strip_prefix('/'));
        match (body, argument.split_once('=')) {
            (None, Some(_)) if argument.starts_with('-') => Self::ShortSwitch,
            (_, Some((switch, value))) => {
                let key = switch.strip_prefix("--").or_else(|| switch.strip_prefix('/'));
                Self::Setting { key: key.unwrap_or(switch), value, switch }
            }
            (Some(key), None) => Self::Switch { key },
            (None, None) => Self::Nothing,
        }
    }
}

/// Settings that are lists with `;` between: who gives one twice mostly wants both.
const LISTS: [&str; 3] = ["urls", "http_ports", "https_ports"];

/// Tells of every setting that is given more than once in different ways: the last one counts.
fn given_twice(leaves: &[Leaf]) -> Vec<Problem> {
    let pairs = leaves.iter().enumerate().filter_map(|(place, leaf)| {
        let later = leaves.get(place + 1..)?.iter().find(|it| keys_equal(&it.key, &leaf.key))?;
        (later.value != leaf.value).then_some((leaf, later))
    });
    let tell = |(first, later): (&Leaf, &Leaf)| {
        let fix =
            match (LISTS.iter().any(|it| keys_equal(it, &first.key)), &first.value, &later.value) {
                (true, Some(first_value), Some(later_value)) => {
                    let both = format!("{first_value};{later_value}");
                    let both = address_without_user_info(&both);
                    format!("for both, write --{} \"{both}\"; else remove this one", first.key)
                }
                _ => "remove this one".to_owned(),
            };
        let key = key_without_secret(&first.key);
        Problem::information(format!("'{key}' is given again, and this one has no effect."))
            .cause(format!("What counts is set by {}.", later.origin))
            .key(first.key.clone())
            .origin(first.origin.clone())
            .fix(fix)
    };
    pairs.filter(|(first, _)| !first.key.is_empty()).map(tell).collect()
}

/// Reads `arguments`, each with its place on the command line.
pub(crate) fn read(arguments: &[(usize, String)]) -> CommandLine {
    let mut result = CommandLine::default();
    let mut rest = arguments.iter().peekable();
    let mut behind_secret = false;
    while let Some((position, argument)) = rest.next() {
        let origin = |argument: &str| Origin::CommandLine {
            position: *position,
            argument: key_without_secret(&without_user_info(argument)).into_owned(),
        };
        let parsed = Argument::parse(argument);
        // `--password = PW`, `-password -PW`: words may belong to what stands before them.
        let may_be_secret =
            behind_secret && matches!(parsed, Argument::Nothing | Argument::ShortSwitch);
        let of_secrets = is_before_secret(argument);
        if argument != "=" {
            behind_secret = may_be_secret || of_secrets;
        }
        if may_be_secret && !of_secrets {
            let short_switch = parsed == Argument::ShortSwitch;
            let argument = "(hidden)".to_owned();
            let unread = Unread { position: *position, argument, value: None, short_switch };
            result.unread.push(unread);
            continue;
        }
        let leaf = |key: &str, value: &str, argument| Leaf {
            key: key.to_owned(),
            value: Some(value.to_owned()),
            origin: origin(argument),
        };
        let unread = |value, short_switch| Unread {
            position: *position,
            argument: shown_argument(argument),
            value,
            short_switch,
        };
        match parsed {
            Argument::Setting { key, value, switch } => {
                result.leaves.push(leaf(key, value, switch));
            }
            Argument::Switch { key } => match rest.next() {
                Some((_, value)) => result.leaves.push(leaf(key, value, argument)),
                None => result.unread.push(unread(None, false)),
            },
            Argument::ShortSwitch => result.unread.push(unread(None, true)),
            Argument::Nothing => {
                let is_word = |next: &&(usize, String)| {
                    argument.starts_with('-')
                        && !next.1.starts_with('-')
                        && Argument::parse(&next.1) == Argument::Nothing
                };
                let value = rest.next_if(is_word);
                let value = value.map(|(_, word)| address_without_user_info(word).into_owned());
                result.unread.push(unread(value, false));
            }
        }
    }
    result.given_twice = given_twice(&result.leaves);
    result
}

/// An argument as it may be shown. A `:` or `=` in it may be what was meant to stand before a value.
pub(crate) fn shown_argument(argument: &str) -> String {
    let (name, value) = match argument.find('=').filter(|_| argument.starts_with(['-', '/'])) {
        Some(equals) => argument.split_at(equals + 1),
        None => ("", argument),
    };
    let shown = match argument.contains("://") {
        true => without_user_info(argument),
        false => Cow::Owned(format!("{name}{}", address_without_user_info(value))),
    };
    let may_end = |character: char| character.is_whitespace() || ":=".contains(character);
    without_secret(&shown, may_end).into_owned()
}

/// Whether what stands behind an argument may be a secret.
pub(crate) fn is_before_secret(argument: &str) -> bool {
    speaks_of_secrets(argument) || argument == "-p"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(arguments: &[&str]) -> Vec<(usize, String)> {
        arguments.iter().map(|argument| (*argument).to_owned()).enumerate().collect()
    }

    #[test]
    fn every_form_sets_a_key() {
        for (arguments, expected) in [
            (&["--a", "1"][..], &[("a", "1")][..]),
            (&["--b=2"], &[("b", "2")]),
            (&["/c", "3"], &[("c", "3")]),
            (&["/d=4"], &[("d", "4")]),
            (&["e=5"], &[("e", "5")]),
            (&["--a=b=c"], &[("a", "b=c")]),
            (&["--a="], &[("a", "")]),
            (&["--a", "--b", "2"], &[("a", "--b")]),
            (&["-a", "1"], &[]),
            (&["word", "--a", "1"], &[("a", "1")]),
            (&["--", "x"], &[("", "x")]),
            (&["/var/www", "x"], &[("var/www", "x")]),
            (&["--A__B", "1"], &[("A__B", "1")]),
            (&["--a"], &[]),
        ] {
            let result = read(&numbered(arguments));
            let settings: Vec<_> = result
                .leaves
                .iter()
                .map(|leaf| (leaf.key.as_str(), leaf.value.as_deref().unwrap_or_default()))
                .collect();
            assert_eq!(settings, expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_sets_nothing_is_kept() {
        for (arguments, argument, value, short_switch) in [
            (&["-a=1"][..], "-a=1", None, true),
            (&["word"], "word", None, false),
            (&["-p", "8080", "--a", "1"], "-p", Some("8080"), false),
            (&["-p", "--a", "1"], "-p", None, false),
            (&["-p", "a=1"], "-p", None, false),
            (&["--a"], "--a", None, false),
        ] {
            let (argument, value) = (argument.to_owned(), value.map(str::to_owned));
            let expected = Unread { position: 0, argument, value, short_switch };
            assert_eq!(read(&numbered(arguments)).unread, [expected], "{arguments:?}");
        }
    }

    #[test]
    fn of_a_setting_that_is_given_twice_the_one_without_effect_is_told() {
        let told = |arguments: &[&str]| {
            let told = read(&numbered(arguments)).given_twice;
            told.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let urls = ["--urls", "http://a:b@*:1", "--Urls=http://*:2"];
        assert_eq!(
            told(&urls),
            ["'urls' is given again, and this one has no effect.\n  \
              What counts is set by command line, argument 2 (--Urls).\n  \
              set by: command line, argument 0 (--urls), key urls\n  \
              fix: for both, write --urls \"http://***@*:1;http://*:2\"; else remove this one"]
        );
        let secret = told(&["--Password", "one", "Password=two", "Password=two"]);
        assert_eq!(secret.len(), 1, "{secret:?}");
        assert!(secret[0].ends_with("fix: remove this one"), "{secret:?}");
        assert_eq!(told(&["--a", "1", "--a", "1", "--b", "1"]), [""; 0]);
        for form in ["--password PW", "--A:Password:PW", "/Secret:PW"] {
            let told = told(&[form, "1", form, "2"]).join("\n");
            assert!(told.contains("given again") && !told.contains("PW"), "{told}");
        }
    }

    #[test]
    fn the_origin_is_the_place_of_the_key() {
        let result = read(&[(3, "--urls".to_owned()), (4, "x".to_owned())]);
        assert_eq!(result.leaves[0].origin.to_string(), "command line, argument 3 (--urls)");
        let result = read(&[(3, "--Password:PW".to_owned()), (4, "x".to_owned())]);
        let shown = "command line, argument 3 (--Password:(hidden))";
        assert_eq!(result.leaves[0].origin.to_string(), shown);
    }

    proptest::proptest! {
        #[test]
        fn no_arguments_make_it_panic(arguments in proptest::collection::vec("\\PC*|[-/=a:]*", 0..6)) {
            let arguments: Vec<_> = arguments.into_iter().enumerate().collect();
            let result = read(&arguments);
            let told = result.unread.len();
            proptest::prop_assert!(result.leaves.len() + told <= arguments.len());
        }
    }
}
