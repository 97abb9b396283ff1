//! How a program on this host is used: the flags and the settings that its help lists, in words.
//!
//! A program prints [`help`]; the binary hands the same lists to clap, for its own help and for
//! completions.

use std::fmt::Write as _;

/// A flag, or a setting that is worth a line.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "clap asks for the rest"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Without its dashes.
    pub(crate) name: &'static str,
    /// What its value is called; `None` if it takes none.
    pub(crate) value: Option<&'static str>,
    /// Whether it may be given more than once.
    pub(crate) repeated: bool,
    /// Whether its value is a folder.
    pub(crate) is_folder: bool,
    pub(crate) help: &'static str,
}

/// What a command line is, besides the flags.
pub(crate) const ABOUT: &str = "Any key of the configuration can be given: --KEY VALUE, --KEY=VALUE, /KEY VALUE, /KEY=VALUE or \
                                KEY=VALUE, such as --Kestrel:Endpoints:Http:Url=http://*:8080. It beats variables and files.";

/// The flags of the host; `--help` and `--version` besides.
pub(crate) const FLAGS: [Flag; 4] = [
    Flag {
        value: Some("SPEC"),
        repeated: true,
        ..flag(
            "listen",
            "Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT, localhost:PORT, *:PORT \
             for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP as needed), or unix:@name for an abstract socket",
        )
    },
    Flag {
        value: Some("ROUTE"),
        repeated: true,
        ..flag(
            "proxy",
            "Hand requests on to another server; may be given more than once. 'TEMPLATE=ADDRESS', such as \
             '/api/{**rest}=http://localhost:3000' or '/{**rest}=http://unix:/run/app.sock'",
        )
    },
    flag("strict", "Refuse to start on anything that would only be warned about"),
    flag(
        "plan",
        "Print what would be bound, and who said so, with what a start would say of it, and stop there",
    ),
];

/// The flags that only `kestrel run` has: to a program they may be settings of its own.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "clap asks for them"))]
pub(crate) const OF_RUN: [Flag; 1] = [flag(
    "watch",
    "Start the command again when its file changes, or the script that it is given; AspNetCore:Watch names others",
)];

/// What stands behind `--`.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "clap asks for it"))]
pub(crate) const COMMAND: &str = "A program of any language to run behind the host, which hands requests on to it. {port}, {socket} or {url} in its \
                                  arguments stand for what it is to listen on; its environment says it, too";

/// The settings that most want to see; every other key can be given, too.
pub(crate) const SETTINGS: [Flag; 6] = [
    setting(
        "urls",
        "URLS",
        "The addresses to bind, separated by ';' [default: http://localhost:5000]",
    ),
    setting(
        "environment",
        "NAME",
        "The environment, which names appsettings.{Environment}.json [default: Production]",
    ),
    Flag {
        is_folder: true,
        ..setting(
            "contentRoot",
            "DIR",
            "The folder of appsettings.json [default: the current directory]",
        )
    },
    setting(
        "http_ports",
        "PORTS",
        "Ports to bind on all interfaces, separated by ';', if there are no --urls",
    ),
    setting(
        "preferHostingUrls",
        "BOOL",
        "Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]",
    ),
    setting("shutdownTimeoutSeconds", "SECONDS", "How long a stop may take [default: 30]"),
];

const fn flag(name: &'static str, help: &'static str) -> Flag {
    Flag { name, value: None, repeated: false, is_folder: false, help }
}

const fn setting(name: &'static str, value: &'static str, help: &'static str) -> Flag {
    Flag { value: Some(value), ..flag(name, help) }
}

/// The help of a program.
pub(crate) fn help(program: &str) -> String {
    let mut text = format!("Usage: {program} [OPTIONS] [SETTINGS]\n\n");
    wrap(ABOUT, "", &mut text);
    text.push_str("\nOptions:\n");
    for flag in FLAGS {
        list(&flag, &mut text);
    }
    text.push_str("  -h, --help\n      Print this help\n  -V, --version\n      Print the version\n\nSettings:\n");
    for setting in SETTINGS {
        list(&setting, &mut text);
    }
    text
}

fn list(flag: &Flag, text: &mut String) {
    let value = flag.value.map(|value| format!(" <{value}>")).unwrap_or_default();
    let _ = writeln!(text, "  --{}{value}", flag.name);
    wrap(flag.help, "      ", text);
}

/// Writes `words` in lines of at most 100 columns.
fn wrap(words: &str, indent: &str, text: &mut String) {
    const WIDTH: usize = 100;
    let mut line = indent.to_owned();
    for word in words.split(' ') {
        if line.len() > indent.len() {
            if line.len() + 1 + word.len() > WIDTH {
                let _ = writeln!(text, "{line}");
                line.truncate(indent.len());
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

/// The version of a program, and of what it runs on.
pub(crate) fn version(program: &str, version: Option<&str>) -> String {
    let ours = env!("CARGO_PKG_VERSION");
    match version {
        // The binary itself.
        Some(version) if (program, version) == ("kestrel", ours) => format!("kestrel {ours}\n"),
        Some(version) => format!("{program} {version} (kestrel {ours})\n"),
        None => format!("{program} (kestrel {ours})\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_flag_in_lines_of_a_terminals_width() {
        let text = help("hello");
        assert!(text.starts_with("Usage: hello "), "{text}");
        for flag in FLAGS.iter().chain(&SETTINGS) {
            assert!(text.contains(&format!("\n  --{}", flag.name)), "{}: {text}", flag.name);
        }
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let all = words(&text);
        let listen = words(FLAGS[0].help);
        assert!(all.windows(listen.len()).any(|some| some == listen), "{text}");
    }

    #[test]
    fn the_version_of_a_program_is_its_own() {
        let ours = env!("CARGO_PKG_VERSION");
        assert_eq!(version("hello", Some("1.2.3")), format!("hello 1.2.3 (kestrel {ours})\n"));
        assert_eq!(version("hello", None), format!("hello (kestrel {ours})\n"));
    }
}
