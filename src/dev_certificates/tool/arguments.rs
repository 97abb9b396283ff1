//! What was typed after `kestrel dev-certs`, read by the rules of .NET's tool: `-ep X`, `-ep=X`
//! and `-ep:X`, no joined switches, names with their case, and whatever follows an option that
//! wants a value is its value.

use crate::tls::Secret;

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Nothing, or a wish for help.
    Help,
    /// A wish for help with `https`.
    HttpsHelp,
    /// `https` and its options.
    Https(Box<Options>),
    /// What is no command, and what is wrong with it in words.
    Unknown(String),
}

/// The options of `https`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) export_path: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) no_password: bool,
    pub(super) check: bool,
    pub(super) clean: bool,
    pub(super) import: Option<String>,
    pub(super) format: Option<String>,
    pub(super) trust: bool,
    pub(super) system: bool,
    pub(super) verbose: bool,
    pub(super) quiet: bool,
    pub(super) machine_readable: bool,
}

#[derive(Clone, Copy)]
enum Name {
    ExportPath,
    Password,
    NoPassword,
    Check,
    Clean,
    Import,
    Format,
    Trust,
    System,
    Verbose,
    Quiet,
    MachineReadable,
    Help,
}

const LONG: [(&str, Name); 13] = [
    ("export-path", Name::ExportPath),
    ("password", Name::Password),
    ("no-password", Name::NoPassword),
    ("check", Name::Check),
    ("clean", Name::Clean),
    ("import", Name::Import),
    ("format", Name::Format),
    ("trust", Name::Trust),
    ("system", Name::System),
    ("verbose", Name::Verbose),
    ("quiet", Name::Quiet),
    ("check-trust-machine-readable", Name::MachineReadable),
    ("help", Name::Help),
];

const SHORT: [(&str, Name); 9] = [
    ("ep", Name::ExportPath),
    ("p", Name::Password),
    ("np", Name::NoPassword),
    ("c", Name::Check),
    ("i", Name::Import),
    ("t", Name::Trust),
    ("v", Name::Verbose),
    ("q", Name::Quiet),
    ("h", Name::Help),
];

/// Reads a command line, without the program and the command.
pub(super) fn parse(arguments: &[String]) -> Typed {
    match arguments.split_first() {
        None => Typed::Help,
        Some((first, _)) if matches!(named(first), Some((Name::Help, _))) => Typed::Help,
        Some((first, rest)) if first.eq_ignore_ascii_case("https") => https(rest),
        Some((first, _)) if named(first).is_some() => Typed::Unknown(format!(
            "The option '{0}' belongs to a command.\n  fix: kestrel dev-certs https {0}",
            shown(first)
        )),
        Some((first, _)) if is_near(first, "https") => Typed::Unknown(format!(
            "Unrecognized command or argument '{first}'.\n  fix: did you mean https?"
        )),
        Some((first, _)) => unrecognized(first),
    }
}

/// An argument without the value that it may hold: that may be a password.
fn shown(argument: &str) -> &str {
    // `-pPASSWORD`, as other programs take it.
    if let Some(rest) = argument.strip_prefix("-p").filter(|rest| !rest.is_empty()) {
        return argument.strip_suffix(rest).unwrap_or_default();
    }
    argument.split(|end: char| "=:".contains(end) || end.is_whitespace()).next().unwrap_or_default()
}

/// What is said of an argument that nothing is known of.
fn unrecognized(argument: &str) -> Typed {
    let argument = shown(argument);
    let name = argument.trim_start_matches(['-', '/']);
    let is_option = name.len() < argument.len();
    let kind = if is_option { "option" } else { "command or argument" };
    let switches: Option<Vec<String>> =
        name.chars().map(|one| named(&format!("-{one}")).map(|_| format!("-{one}"))).collect();
    let fix = match switches {
        Some(switches) if argument.starts_with('-') && switches.len() > 1 => {
            format!("\n  fix: write {}", switches.join(" "))
        }
        _ => {
            let near = LONG.iter().find(|(known, _)| is_option && is_near(name, known));
            near.map(|(known, _)| format!("\n  fix: did you mean --{known}?")).unwrap_or_default()
        }
    };
    Typed::Unknown(format!("Unrecognized {kind} '{argument}'.{fix}"))
}

/// Whether one text is most likely the other.
fn is_near(text: &str, known: &str) -> bool {
    let distance = strsim::damerau_levenshtein(&text.to_lowercase(), known);
    distance <= 2 && distance * 2 < known.len()
}

fn https(arguments: &[String]) -> Typed {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some((name, value)) = named(argument) else { return unrecognized(argument) };
        let known = match name {
            // A value is not even looked at.
            Name::Help => return Typed::HttpsHelp,
            Name::ExportPath | Name::Password | Name::Import | Name::Format => {
                let value = value.map(str::to_owned).or_else(|| rest.next().cloned());
                match value.is_some() {
                    false => Err("needs a value"),
                    true => options.take(name, value).then_some(()).ok_or("is given twice"),
                }
            }
            switch if value.is_none() && options.set(switch) => Ok(()),
            _ => Err("takes no value"),
        };
        if let Err(wrong) = known {
            return Typed::Unknown(format!("The option '{}' {wrong}.", shown(argument)));
        }
    }
    Typed::Https(Box::new(options))
}

/// The option that an argument names, and the value behind `=` or `:`.
fn named(argument: &str) -> Option<(Name, Option<&str>)> {
    let (text, names) = match argument.strip_prefix("--") {
        Some(text) => (text, &LONG[..]),
        None => (argument.strip_prefix('-')?, &SHORT[..]),
    };
    let (name, value) = match text.split_once(['=', ':']) {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let (_, name) = names.iter().find(|(known, _)| *known == name)?;
    Some((*name, value))
}

impl Options {
    /// Sets a value; `false` if there is none, or one already.
    fn take(&mut self, name: Name, value: Option<String>) -> bool {
        let Some(value) = value else { return false };
        if let Name::Password = name {
            return self.password.replace(Secret::new(value)).is_none();
        }
        let place = match name {
            Name::ExportPath => &mut self.export_path,
            Name::Import => &mut self.import,
            Name::Format => &mut self.format,
            _ => return false,
        };
        place.replace(value).is_none()
    }

    /// Sets a switch; one may be given twice.
    fn set(&mut self, name: Name) -> bool {
        let switch = match name {
            Name::NoPassword => &mut self.no_password,
            Name::Check => &mut self.check,
            Name::Clean => &mut self.clean,
            Name::Trust => &mut self.trust,
            Name::System => &mut self.system,
            Name::Verbose => &mut self.verbose,
            Name::Quiet => &mut self.quiet,
            Name::MachineReadable => &mut self.machine_readable,
            _ => return false,
        };
        *switch = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(arguments: &str) -> Typed {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        parse(&arguments)
    }

    fn options(change: impl FnOnce(&mut Options)) -> Typed {
        let mut options = Options::default();
        change(&mut options);
        Typed::Https(Box::new(options))
    }

    #[test]
    fn what_is_no_command_is_unknown() {
        for arguments in [
            "--version",
            "nosuch",
            "--check",
            "https --version",
            "https extra",
            "https -x",
            "https -ct",
            "https --check=true",
            "https /check",
            "https --CHECK",
            "https -C",
            "https --c",
            "https -check",
            "https -ep",
            "https -p a -p b",
            "https --",
            "https -",
            "https =x",
            "https --nosuch --help",
            "https -p x --import",
            "https --trust:",
            "https https",
            "https @file",
            "@file",
            "-v https",
            "--help-me",
        ] {
            assert!(matches!(typed(arguments), Typed::Unknown(_)), "{arguments}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_was_meant() {
        for (arguments, told) in [
            ("https --chek", "Unrecognized option '--chek'.\n  fix: did you mean --check?"),
            ("https --CHECK", "Unrecognized option '--CHECK'.\n  fix: did you mean --check?"),
            ("https /check", "Unrecognized option '/check'.\n  fix: did you mean --check?"),
            ("https -phunter2", "Unrecognized option '-p'."),
            (
                "https --pasword=hunter2",
                "Unrecognized option '--pasword'.\n  fix: did you mean --password?",
            ),
            ("https -ct", "Unrecognized option '-ct'.\n  fix: write -c -t"),
            ("https --nosuch", "Unrecognized option '--nosuch'."),
            ("https extra", "Unrecognized command or argument 'extra'."),
            ("htps", "Unrecognized command or argument 'htps'.\n  fix: did you mean https?"),
            ("nosuch", "Unrecognized command or argument 'nosuch'."),
            (
                "--check",
                "The option '--check' belongs to a command.\n  fix: kestrel dev-certs https --check",
            ),
            ("https -ep", "The option '-ep' needs a value."),
            ("https -p hunter1 -p=hunter2", "The option '-p' is given twice."),
            ("https --check=true", "The option '--check' takes no value."),
        ] {
            assert_eq!(typed(arguments), Typed::Unknown(told.to_owned()), "{arguments}");
        }
    }

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        for (arguments, expected) in [
            ("", Typed::Help),
            ("-h", Typed::Help),
            ("--help https", Typed::Help),
            ("-h:x nosuch", Typed::Help),
            ("https -h", Typed::HttpsHelp),
            ("https --help=x", Typed::HttpsHelp),
            ("https --check --help --nosuch", Typed::HttpsHelp),
        ] {
            assert_eq!(typed(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn values_stand_behind_or_in_the_next_argument() {
        for arguments in ["https -ep a=b:c", "https -ep=a=b:c", "https --export-path:a=b:c"] {
            let expected = options(|o| o.export_path = Some("a=b:c".to_owned()));
            assert_eq!(typed(arguments), expected, "{arguments}");
        }
        let expected = options(|o| o.password = Some(Secret::new("--check")));
        assert_eq!(typed("https -p --check"), expected);
        assert_eq!(typed("https -p="), options(|o| o.password = Some(Secret::new(""))));
        // What follows an option that wants a value is its value, even a wish for help.
        assert_eq!(typed("https -ep -h"), options(|o| o.export_path = Some("-h".to_owned())));
        let empty = ["https", "-ep", "", "--format", ""].map(str::to_owned);
        let expected = |o: &mut Options| {
            (o.export_path, o.format) = (Some(String::new()), Some(String::new()));
        };
        assert_eq!(parse(&empty), options(expected));
        assert!(matches!(parse(&["https".to_owned(), String::new()]), Typed::Unknown(_)));
        assert!(matches!(parse(&[String::new()]), Typed::Unknown(_)));
    }

    #[test]
    fn switches_may_be_given_twice() {
        assert_eq!(typed("https -c --check"), options(|o| o.check = true));
        assert_eq!(
            typed("HTTPS -t -v --system"),
            options(|o| (o.trust, o.verbose, o.system) = (true, true, true))
        );
    }
}
