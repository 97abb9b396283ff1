//! Help by another name, and commands that do not exist.

use crate::process::Kestrel;

#[test]
fn help_as_a_word_is_help_as_an_option() {
    for command in [
        &[][..],
        &["run"],
        &["check"],
        &["completions"],
        &["generate"],
        &["serve"],
        &["dev-certs"],
        &["dev-certs", "https"],
    ] {
        let word = Kestrel::new(["help"].into_iter().chain(command.iter().copied())).ended();
        let option = Kestrel::new(command.iter().copied().chain(["--help"])).ended();
        assert_eq!((word.code, option.code), (Some(0), Some(0)), "{command:?} {word:?}");
        assert!(word.stdout.contains("Usage: kestrel"), "{word:?}");
        assert_eq!((word.stdout, word.stderr), (option.stdout, option.stderr), "{command:?}");
    }
}

#[test]
fn a_command_that_does_not_exist_is_told_with_the_one_that_was_meant() {
    for (arguments, tip) in [
        (&["rnu"][..], "tip: a similar subcommand exists: 'run'\n"),
        (&["server"], "similar subcommands exist: 'dev-certs', 'serve'\n"),
        (&["serve", "--auth", "hunter2"], "invalid value '(hidden)' for '--auth <USER:PASSWORD>'"),
        (&["serve", "--auth", ":hunter2"], "a user's name is missing before the colon"),
        (&["dev-cert"], "tip: a similar subcommand exists: 'dev-certs'\n"),
        (&["configtest"], "tip: a similar subcommand exists: 'check'\n"),
        (&["-t"], "tip: to look what would be served, write: kestrel check\n"),
        (&["help", "rnu"], "tip: a similar subcommand exists: 'run'\n"),
        (&["http://*:8080"], "tip: to serve, write: kestrel run\n"),
        (&["--urls", "http://*:8080"], "behind the command: kestrel run --urls ...\n"),
        (&["--urls=http://a:hunter2@b"], "behind the command: kestrel run --urls ...\n"),
        (&["--password:hunter2"], "unexpected argument '--password:(hidden)' found\n"),
        (&["--password hunter2"], "unexpected argument '--password (hidden)' found\n"),
        (&["password=hunter2"], "unrecognized subcommand 'password=(hidden)'\n"),
        (&["http://a:hunter2@b"], "unrecognized subcommand 'http://*********@b'\n"),
        (&["completions", "--password:hunter2"], "argument '--password:(hidden)' found\n"),
        (&["completions", "password:hunter2"], "invalid value 'password:(hidden)' for"),
    ] {
        let outcome = Kestrel::new(arguments.iter().copied()).ended();
        assert_eq!(outcome.code, Some(2), "{arguments:?} {outcome:?}");
        assert!(outcome.stderr.contains(tip), "{arguments:?} {}", outcome.stderr);
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
}
