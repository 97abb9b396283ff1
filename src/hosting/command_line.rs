//! The command line of a program: what it says to the host itself, and the settings that are left.
//!
//! `--listen`, `--proxy`, `--strict`, `--plan`, `--help` and `--version` are the host's, in the binary and in
//! every program that hands its arguments to [`HostBuilder::args`](super::HostBuilder::args). All
//! else are settings in the forms .NET takes, where a switch takes the next argument whatever it looks
//! like. So what is ours is known by its place, which .NET's own rule tells.
//!
//! `kestrel run` has more, which to a program may be settings of its own: `--watch`, and `--`, behind which stands the
//! command to run, taken as it is.
//!
//! In go the arguments, each with its place; out come a [`CommandLine`] and what is wrong with it.
//! Nothing that looks like a flag is passed over without a word.

use std::ffi::OsString;

use super::settings::is_switch;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::sources::command_line::{Argument, is_before_secret, shown_argument};
use crate::configuration::{Origin, Problem, key_without_secret, speaks_of_secrets};

/// What was typed, taken apart.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CommandLine {
    /// For the configuration, each with its place.
    pub(crate) settings: Vec<(usize, String)>,
    /// The values of `--listen`, each with the place of its switch.
    pub(crate) listen: Vec<(usize, String)>,
    /// The same of `--proxy`.
    pub(crate) proxy: Vec<(usize, String)>,
    /// What stands behind `--`, each with its place: the command to run.
    pub(crate) command: Vec<(usize, String)>,
    /// The place of `--watch`.
    pub(crate) watch: Option<usize>,
    pub(crate) strict: bool,
    /// What was asked for instead of a start.
    pub(crate) asked: Option<Asked>,
    /// Mistakes of usage: this is no command line.
    pub(crate) mistakes: Vec<Problem>,
    /// What is odd about it.
    pub(crate) warnings: Vec<Problem>,
}

/// Whose command line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A program's: `--` is a switch without a name, as .NET has it.
    OfProgram,
    /// That of `kestrel run`.
    OfRun,
}

/// What a command line can ask for instead of a start; the greater one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// What would be bound.
    Plan,
    /// The program's name and version.
    Version,
    /// How the program is used, in short or in full.
    Help { short: bool },
}

/// Takes a command line apart. Each argument comes with its place on the whole one.
pub(crate) fn read(arguments: &[(usize, OsString)], form: Form) -> CommandLine {
    let mut read = CommandLine::default();
    let mut rest = texts(arguments, &mut read.mistakes).into_iter();
    while let Some((place, argument)) = rest.next() {
        if form == Form::OfRun && read.takes_of_run((place, argument), &mut rest) {
            continue;
        }
        let by =
            |argument: &str| Origin::CommandLine { position: place, argument: argument.to_owned() };
        match argument {
            "--strict" => read.strict = true,
            "--plan" => read.ask(Asked::Plan),
            "--version" | "-V" => read.ask(Asked::Version),
            "--help" => read.ask(Asked::Help { short: false }),
            "-h" => read.ask(Asked::Help { short: true }),
            "--listen" => match rest.next() {
                Some((_, spec)) => read.listen.push((place, spec.to_owned())),
                None => read.mistakes.push(
                    Problem::error("--listen needs a value.")
                        .origin(by("--listen"))
                        .fix("write --listen ADDRESS:PORT, such as --listen 127.0.0.1:5001"),
                ),
            },
            "--proxy" => match rest.next() {
                Some((_, spec)) => read.proxy.push((place, spec.to_owned())),
                None => read.mistakes.push(
                    Problem::error("--proxy needs a value.").origin(by("--proxy")).fix(
                        "write --proxy 'TEMPLATE=ADDRESS', such as --proxy '/{**rest}=http://localhost:3000'",
                    ),
                ),
            },
            setting => match setting.split_once('=') {
                Some(("--listen", spec)) => read.listen.push((place, spec.to_owned())),
                Some(("--proxy", spec)) => read.proxy.push((place, spec.to_owned())),
                Some((switch, _)) if is_switch_of_ours(switch) => {
                    read.mistakes.push(takes_no_value(switch).origin(by(switch)));
                }
                _ => {
                    read.settings.push((place, setting.to_owned()));
                    let Argument::Switch { key } = Argument::parse(setting) else {
                        continue;
                    };
                    let value = rest.next();
                    if let Some(ours) = meant(key) {
                        read.warnings.push(
                            Problem::warning(format!(
                                "'{setting}' is taken as a setting, which means nothing."
                            ))
                            .origin(by(setting))
                            .fix(format!("did you mean {ours}?")),
                        );
                    }
                    if let Some((place, value)) = value {
                        read.settings.push((place, value.to_owned()));
                        if looks_like_a_switch(value) && setting != "--" {
                            let warning = takes_a_switch(setting, value);
                            read.warnings.push(warning.origin(by(&key_without_secret(setting))));
                        }
                    }
                }
            },
        }
    }
    read
}

fn takes_no_value(switch: &str) -> Problem {
    Problem::error(format!("{switch} takes no value."))
        .fix(format!("write {switch} alone, or leave it out"))
}

/// The switch `setting` has a value that looks like a switch.
fn takes_a_switch(setting: &str, value: &str) -> Problem {
    let value = match speaks_of_secrets(setting) {
        true => "(hidden)".to_owned(),
        false => shown_argument(value),
    };
    let shown = key_without_secret(setting);
    let is_read = matches!(Argument::parse(setting), Argument::Switch { key } if is_switch(key));
    // To be told to give it a value helps nobody if it is not read.
    let first = match is_read {
        true => format!("write {shown} VALUE"),
        false => format!("leave {shown} out"),
    };
    Problem::warning(format!("The switch '{shown}' takes '{value}' as its value."))
        .fix(format!("{first}, or write {shown}={value} if that is meant"))
}

/// The same for a program that reads the flags itself: all are settings.
pub(crate) fn settings_only(arguments: &[(usize, OsString)]) -> CommandLine {
    let mut read = CommandLine::default();
    let texts = texts(arguments, &mut read.mistakes);
    read.settings = texts.into_iter().map(|(place, text)| (place, text.to_owned())).collect();
    read
}

impl CommandLine {
    /// Takes switches that nearly are one of the host's for mistakes, where no program could have them: who asks for a
    /// plan does not want a server that runs, nor one without `--strict` who asks for that. One that has a value may be
    /// a setting, unless that is a switch as well, or what `--proxy` takes.
    pub(crate) fn refuse_misspelled(&mut self) {
        let mut rest = self.settings.iter();
        while let Some((position, argument)) = rest.next() {
            let (key, value) = match Argument::parse(argument) {
                Argument::Switch { key } => (key, rest.next().map(|(_, value)| value.as_str())),
                Argument::Setting { key, value, switch } if switch != key => (key, Some(value)),
                _ => continue,
            };
            let flag = match value {
                _ if argument == "--" => None,
                Some(value) if is_what_proxy_takes(value) => {
                    let is_begun = key.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("prox"));
                    is_begun.then_some("proxy").or_else(|| did_you_mean(key, ["proxy"]))
                }
                Some(value) if !looks_like_a_switch(value) => None,
                _ if is_switch(key) => None,
                _ => did_you_mean(key, OF_RUN),
            };
            if let Some(flag) = flag {
                let switch = argument.split_once('=').map_or(&**argument, |(switch, _)| switch);
                let origin =
                    Origin::CommandLine { position: *position, argument: switch.to_owned() };
                self.mistakes.push(
                    Problem::error(format!("There is no switch '{switch}'."))
                        .origin(origin)
                        .fix(format!("did you mean --{flag}?")),
                );
            }
        }
    }

    /// Takes an argument that only `kestrel run` has; whether it is one.
    fn takes_of_run(
        &mut self,
        (position, argument): (usize, &str),
        rest: &mut std::vec::IntoIter<(usize, &str)>,
    ) -> bool {
        let by = |argument: &str| Origin::CommandLine { position, argument: argument.to_owned() };
        let is_last = rest.as_slice().first().is_some_and(|(_, next)| *next == "--");
        match Argument::parse(argument) {
            _ if argument == "--" => {
                self.command = rest.map(|(place, text)| (place, text.to_owned())).collect();
                if self.command.is_empty() {
                    self.mistakes.push(
                        Problem::error("Behind '--' stands the command to run, and there is none.")
                            .origin(by("--"))
                            .fix("write kestrel run -- COMMAND ARGUMENTS, such as kestrel run -- python3 app.py --port '{port}'"),
                    );
                }
            }
            _ if argument == "--watch" => self.watch = Some(position),
            Argument::Setting { switch: "--watch", .. } => {
                self.mistakes.push(takes_no_value("--watch").origin(by("--watch")));
            }
            Argument::Switch { .. } if is_last && !is_switch_of_ours(argument) => {
                let shown = key_without_secret(argument);
                self.mistakes.push(
                    Problem::error(format!("{shown} has no value before '--'."))
                        .origin(by(&shown))
                        .fix(match did_you_mean(&shown, SWITCHES) {
                            Some(meant) => format!("did you mean {meant}?"),
                            None => {
                                format!("write {shown} VALUE --, or {shown}=-- if that is meant")
                            }
                        }),
                );
            }
            _ => return false,
        }
        true
    }

    fn ask(&mut self, asked: Asked) {
        self.asked = self.asked.max(Some(asked));
    }
}

/// The switches of `kestrel run`.
const OF_RUN: [&str; 7] = ["help", "listen", "plan", "proxy", "strict", "version", "watch"];

/// The arguments as text; those that are none are mistakes.
fn texts<'a>(
    arguments: &'a [(usize, OsString)],
    mistakes: &mut Vec<Problem>,
) -> Vec<(usize, &'a str)> {
    let mut texts = Vec::new();
    // The switch that the next argument is the value of, and whether that may be a secret.
    let (mut switch, mut behind_secret): (Option<String>, bool) = (None, false);
    for (place, argument) in arguments {
        let lossy = argument.to_string_lossy();
        let value_of = switch.take();
        match argument.to_str() {
            Some(text) => texts.push((*place, text)),
            None => mistakes.push(no_text(*place, &lossy, value_of.as_deref(), behind_secret)),
        }
        if value_of.is_none() && matches!(Argument::parse(&lossy), Argument::Switch { .. }) {
            switch = Some(lossy.clone().into_owned());
        }
        if lossy != "=" {
            behind_secret = is_before_secret(&lossy);
        }
    }
    texts
}

/// An argument that is no text. Of a value nothing is shown: it may be a secret.
fn no_text(
    position: usize,
    argument: &str,
    value_of: Option<&str>,
    behind_secret: bool,
) -> Problem {
    let (what, shown) = match (value_of, argument.split_once('=')) {
        (Some(switch), _) => {
            let switch = key_without_secret(switch);
            (format!("The value of {switch}"), switch.into_owned())
        }
        (None, _) if behind_secret => ("An argument".to_owned(), "(hidden)".to_owned()),
        (None, Some((name, _))) => {
            let name = shown_argument(name);
            (format!("The value of {name}"), name)
        }
        (None, None) => {
            let argument = shown_argument(argument);
            (format!("The argument {argument}"), argument)
        }
    };
    Problem::error(format!("{what} is not text (UTF-8)."))
        .origin(Origin::CommandLine { position, argument: shown })
        .fix("write it in UTF-8, or set the value in a file")
}

fn is_switch_of_ours(switch: &str) -> bool {
    matches!(switch, "--strict" | "--plan" | "--help" | "--version")
}

/// The switches of ours that take no value.
const SWITCHES: [&str; 5] = ["--watch", "--plan", "--strict", "--help", "--version"];

/// The switch of ours that is nearly written like the setting `key`. (`/version 2` and `--Version 2`
/// may well be a setting of the program's.)
fn meant(key: &str) -> Option<&'static str> {
    ["--listen", "--proxy", "--strict", "--plan", "--help"]
        .into_iter()
        .find(|ours| ours.trim_start_matches('-').eq_ignore_ascii_case(key))
}

/// `TEMPLATE=ADDRESS`, which no setting has for a value.
fn is_what_proxy_takes(value: &str) -> bool {
    value.starts_with('/') && value.split_once('=').is_some_and(|(_, behind)| behind.contains(':'))
}

/// `--x` or `-x`, but no negative number.
fn looks_like_a_switch(value: &str) -> bool {
    let name = value.strip_prefix("--").or_else(|| value.strip_prefix('-'));
    name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[(usize, OsString)]) -> CommandLine {
        super::read(arguments, Form::OfProgram)
    }

    fn numbered(arguments: &[&str]) -> Vec<(usize, OsString)> {
        arguments.iter().enumerate().map(|(place, text)| (place + 1, text.into())).collect()
    }

    fn words(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|problem| &*problem.message).collect()
    }

    #[test]
    fn a_switch_that_nearly_is_one_of_the_host_starts_nothing() {
        for (arguments, flags) in [
            (&["--plann"][..], &["plan"][..]),
            (&["--strct", "--urls", "http://*:1"], &["strict"]),
            (&["--urls", "http://*:1", "--hepl"], &["help"]),
            (&["--plna", "--strct"], &["plan"]),
            // A setting, for all that is known.
            (&["--plna", "x"], &[]),
            (&["--plna=true"], &[]),
            (&["--urls", "--plna"], &[]),
            (&["--", "--plna"], &[]),
            (&["--verbose"], &[]),
            (&["--prxy"], &["proxy"]),
            (&["--listn", "--strict"], &["listen"]),
            (&["--prox", "/{**rest}=http://localhost:3000"], &["proxy"]),
            (&["--Proxies=/api=localhost:3000", "--strict"], &["proxy"]),
            (&["--prox", "x"], &[]),
            (&["--prox=/x"], &[]),
            (&["prox=/api=http://localhost:3000"], &[]),
            (&["--urls", "/api=http://localhost:3000"], &[]),
        ] {
            let mut read = read(&numbered(arguments));
            read.refuse_misspelled();
            let fixes: Vec<_> = read.mistakes.iter().filter_map(|it| it.fix.as_deref()).collect();
            let expected: Vec<_> =
                flags.iter().map(|flag| format!("did you mean --{flag}?")).collect();
            assert_eq!(fixes, expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_is_ours_is_told_from_settings_by_its_place() {
        let help = Some(Asked::Help { short: false });
        for (arguments, strict, asked, listen, settings) in [
            (&[][..], false, None, &[][..], &[][..]),
            (&["--urls", "x", "--strict"], true, None, &[], &[(1, "--urls"), (2, "x")]),
            (&["--a", "--strict"], false, None, &[], &[(1, "--a"), (2, "--strict")]),
            (&["--listen", "*:1", "b=2"], false, None, &[(1, "*:1")], &[(3, "b=2")]),
            (
                &["--listen=*:1", "/c", "--help"],
                false,
                None,
                &[(1, "*:1")],
                &[(2, "/c"), (3, "--help")],
            ),
            (&["--", "--listen", "--help"], false, help, &[], &[(1, "--"), (2, "--listen")]),
            (&["--plan", "--version"], false, Some(Asked::Version), &[], &[]),
            (&["--help", "--plan"], false, help, &[], &[]),
            (&["-h"], false, Some(Asked::Help { short: true }), &[], &[]),
            (&["--listen", "--strict"], false, None, &[(1, "--strict")], &[]),
        ] {
            let read = read(&numbered(arguments));
            let of = |list: &[(usize, &str)]| -> Vec<(usize, String)> {
                list.iter().map(|(place, text)| (*place, (*text).to_owned())).collect()
            };
            assert_eq!((read.strict, read.asked), (strict, asked), "{arguments:?}");
            assert_eq!((read.listen, read.settings), (of(listen), of(settings)), "{arguments:?}");
        }
    }

    #[test]
    fn proxies_come_in_both_forms_and_more_than_once() {
        let read =
            read(&numbered(&["--proxy", "/a=http://b", "--urls", "x", "--proxy=/{c=d}=http://e"]));
        let expected = [(1, "/a=http://b".to_owned()), (5, "/{c=d}=http://e".to_owned())];
        assert_eq!(read.proxy, expected);
        let settings: Vec<_> = read.settings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(settings, ["--urls", "x"]);
    }

    #[test]
    fn behind_two_dashes_stands_a_command_of_which_nothing_is_ours() {
        for (arguments, command, watch, settings) in [
            (&["--", "app", "--help", "--urls=x"][..], &["app", "--help", "--urls=x"][..], None, 0),
            (&["--urls", "x", "--watch", "--", "app", "--"], &["app", "--"], Some(3), 2),
            (&["--strict", "--", "--watch"], &["--watch"], None, 0),
            (&["--watch"], &[], Some(1), 0),
            (&["--a", "--watch"], &[], None, 2),
        ] {
            let read = super::read(&numbered(arguments), Form::OfRun);
            let words: Vec<_> = read.command.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!((&*words, read.watch), (command, watch), "{arguments:?}");
            assert_eq!((read.settings.len(), read.mistakes.len()), (settings, 0), "{arguments:?}");
            assert_eq!(read.asked, None, "{arguments:?}");
            let first = arguments.len() - command.len() + 1;
            assert!(read.command.first().is_none_or(|(place, _)| *place == first));
        }
        for (arguments, told) in [
            (&["--"][..], "Behind '--' stands the command to run, and there is none."),
            (&["--watch=yes", "--", "app"], "--watch takes no value."),
            (&["--urls", "--", "app"], "--urls has no value before '--'."),
            (&["--listen", "--", "app"], "--listen has no value before '--'."),
            (&["--wacth", "--", "app"], "--wacth has no value before '--'."),
        ] {
            let read = super::read(&numbered(arguments), Form::OfRun);
            assert_eq!(words(&read.mistakes), [told], "{arguments:?}");
        }
        // To a program, they are settings.
        let read = read(&numbered(&["--watch", "x", "--", "app"]));
        assert_eq!((read.settings.len(), read.watch, read.command), (4, None, vec![]));
    }

    #[test]
    fn what_is_no_command_line_is_told_all_at_once() {
        let told = read(&numbered(&["--proxy"])).mistakes;
        assert_eq!(words(&told), ["--proxy needs a value."]);
        let read = read(&numbered(&["--strict=yes", "--plan=true", "--help=run", "--listen"]));
        assert_eq!(
            words(&read.mistakes),
            [
                "--strict takes no value.",
                "--plan takes no value.",
                "--help takes no value.",
                "--listen needs a value."
            ]
        );
    }

    #[test]
    fn no_flag_is_swallowed_in_silence() {
        for (arguments, told) in [
            (&["--environment", "--strict"][..], "takes '--strict' as its value"),
            (&["/urls", "-h"], "takes '-h' as its value"),
            (&["--Strict", "x"], "did you mean --strict?"),
            (&["/plan"], "did you mean --plan?"),
            (&["--LISTEN", "*:1"], "did you mean --listen?"),
        ] {
            let warnings = read(&numbered(arguments)).warnings;
            let text: String = warnings.iter().map(ToString::to_string).collect();
            assert!(text.contains(told), "{arguments:?}: {text}");
        }
        for arguments in [
            &["--shutdownTimeoutSeconds", "-1"][..],
            &["--Kestrel:Limits:KeepAliveTimeout", "-00:00:00.0010000"],
            &["--a=--strict"],
            &["--a", "-"],
            &["--Version", "2"],
            &["plan=b"],
        ] {
            assert_eq!(read(&numbered(arguments)).warnings, [], "{arguments:?}");
        }
    }

    #[test]
    fn a_program_that_reads_the_flags_itself_keeps_them() {
        let read = settings_only(&numbered(&["--help", "--listen"]));
        let expected = CommandLine {
            settings: vec![(1, "--help".to_owned()), (2, "--listen".to_owned())],
            ..CommandLine::default()
        };
        assert_eq!(read, expected);
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_no_text_is_a_mistake() {
        use std::os::unix::ffi::OsStringExt;

        let arguments = [(1, OsString::from_vec(vec![b'a', 0xff]))];
        for read in [read(&arguments), settings_only(&arguments)] {
            assert_eq!(words(&read.mistakes), ["The argument a\u{fffd} is not text (UTF-8)."]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn of_what_is_no_text_only_the_name_is_shown() {
        use std::os::unix::ffi::OsStringExt;

        for (arguments, told) in [
            (&["--contentRoot", "/srv/caf\u{1}"][..], "The value of --contentRoot is"),
            (&["--contentRoot=/srv/caf\u{1}"], "The value of --contentRoot is"),
            (&["--password", "PW\u{1}"], "The value of --password is"),
            (&["--password", "PW=\u{1}"], "The value of --password is"),
            (&["--password=PW\u{1}"], "The value of --password is"),
            (&["--password:PW\u{1}"], "The argument --password:(hidden) is"),
            (&["--password:PW", "x\u{1}"], "The value of --password:(hidden) is"),
            (&["--password", "/PW", "x\u{1}"], "The argument x\u{fffd} is"),
            (&["--password", "=", "PW\u{1}"], "An argument is"),
            (&["--strict", "--password", "PW=\u{1}"], "An argument is"),
            (&["-p", "PW\u{1}"], "An argument is"),
            (&["u:PW@a\u{1}"], "The argument ****@a\u{fffd} is"),
            (&["--a", "1", "/srv/\u{1}"], "The argument /srv/\u{fffd} is"),
        ] {
            let no_text = |text: &str| {
                let bytes = text.bytes().map(|byte| if byte == 1 { 0xff } else { byte });
                OsString::from_vec(bytes.collect())
            };
            let arguments: Vec<_> =
                arguments.iter().map(|text| no_text(text)).enumerate().collect();
            for read in [read(&arguments), settings_only(&arguments)] {
                let mistake = read.mistakes[0].to_string();
                assert!(mistake.starts_with(told) && !mistake.contains("PW"), "{mistake}");
            }
        }
    }

    #[test]
    fn what_a_switch_swallows_is_shown_without_secrets() {
        for (arguments, told) in [
            (&["--password:PW", "--strict"][..], "'--password:(hidden)' takes '(hidden)'"),
            (&["--a", "--password=PW"], "'--a' takes '--password=(hidden)'"),
            (&["--a", "--password:PW"], "'--a' takes '--password:(hidden)'"),
            (&["--a", "--listen=u:PW@*:1"], "'--a' takes '--listen=****@*:1'"),
            (&["--a", "--urls=http://u:PW@*:1"], "'--a' takes '--urls=http://****@*:1'"),
        ] {
            let warnings = read(&numbered(arguments)).warnings;
            let text: String = warnings.iter().map(ToString::to_string).collect();
            assert!(text.contains(told) && !text.contains("PW"), "{arguments:?}: {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_argument_goes_somewhere(arguments in proptest::collection::vec("\\PC*|-{0,2}(strict|listen|plan|a)(=b)?", 0..6)) {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let read = read(&numbered(&arguments));
            let flags = arguments.iter().filter(|text| text.starts_with('-')).count();
            let taken = read.settings.len() + 2 * read.listen.len() + read.mistakes.len();
            proptest::prop_assert!(taken + flags >= arguments.len());
        }
    }
}
