//! `kestrel run`: serve.
//!
//! Its command line has two halves. `--listen`, `--strict`, `--plan` and `--help` are ours; all
//! else are settings in the forms .NET takes, where a switch takes the next argument whatever it
//! looks like. clap cannot read the second half, so [`split`] takes them apart first, by .NET's
//! own rule. The settings that clap lists are there for the help and for completions.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::Host;
use crate::configuration::Origin;
use crate::configuration::sources::command_line::Argument;

/// Serve, until Ctrl+C or SIGTERM
///
/// Any key of the configuration can be given: --KEY VALUE, --KEY=VALUE, /KEY VALUE, /KEY=VALUE or
/// KEY=VALUE, such as --Kestrel:Endpoints:Http:Url=http://*:8080. It beats variables and files.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Listen here, over everything that --urls says; may be given more than once. ADDRESS:PORT,
    /// localhost:PORT, *:PORT for all interfaces, unix:/path (with ,mode=660,owner=USER,group=GROUP
    /// as needed), or unix:@name for an abstract socket
    #[arg(long, value_name = "SPEC")]
    listen: Vec<String>,

    /// Refuse to start on anything that would only be warned about
    #[arg(long)]
    strict: bool,

    /// Print what would be bound, and who said so, and stop there
    #[arg(long)]
    plan: bool,

    /// The addresses to bind, separated by ';' [default: http://localhost:5000]
    #[arg(long, value_name = "URLS", help_heading = "Settings")]
    urls: Option<String>,

    /// The environment, which names appsettings.{Environment}.json [default: Production]
    #[arg(long, value_name = "NAME", help_heading = "Settings")]
    environment: Option<String>,

    /// The folder of appsettings.json [default: the current directory]
    #[arg(long = "contentRoot", value_name = "DIR", value_hint = clap::ValueHint::DirPath, help_heading = "Settings")]
    content_root: Option<String>,

    /// Ports to bind on all interfaces, separated by ';', if there are no --urls
    #[arg(long = "http_ports", value_name = "PORTS", help_heading = "Settings")]
    http_ports: Option<String>,

    /// Let --urls win over --listen and Kestrel:Endpoints: true or false [default: false]
    #[arg(long = "preferHostingUrls", value_name = "BOOL", help_heading = "Settings")]
    prefer_hosting_urls: Option<String>,

    /// How long a stop may take [default: 30]
    #[arg(long = "shutdownTimeoutSeconds", value_name = "SECONDS", help_heading = "Settings")]
    shutdown_timeout_seconds: Option<String>,
}

/// Settings with their places on the command line, and the places of the `--listen`s.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settings {
    arguments: Vec<(usize, String)>,
    listens: Vec<usize>,
}

/// Takes `run`'s settings out of a command line (program name first); what stays is for clap.
///
/// # Errors
///
/// An argument that is no text, a `--listen` without a value, or a value where none belongs.
pub(super) fn split(arguments: &[OsString]) -> Result<(Vec<OsString>, Settings), String> {
    let mut settings = Settings::default();
    if arguments.get(1).is_none_or(|command| command != "run") {
        return Ok((arguments.to_vec(), settings));
    }
    let mut own = arguments[..2].to_vec();
    let mut rest = arguments.iter().enumerate().skip(2);
    while let Some((place, argument)) = rest.next() {
        let text = |argument: &OsString| {
            argument.to_str().map(str::to_owned).ok_or_else(|| {
                format!("The argument {} is not text (UTF-8).", argument.to_string_lossy())
            })
        };
        let argument = text(argument)?;
        match argument.as_str() {
            "--strict" | "--plan" | "--help" | "-h" => own.push(argument.into()),
            "--listen" => {
                let Some((_, spec)) = rest.next() else {
                    return Err("--listen needs a value.\n  fix: write --listen ADDRESS:PORT, such as --listen 127.0.0.1:5001".to_owned());
                };
                settings.listens.push(place);
                own.push(format!("--listen={}", text(spec)?).into());
            }
            listen if listen.starts_with("--listen=") => {
                settings.listens.push(place);
                own.push(argument.into());
            }
            switch if switch.starts_with("--strict=") || switch.starts_with("--plan=") => {
                let name = switch.split('=').next().unwrap_or_default();
                return Err(format!(
                    "{name} takes no value.\n  fix: write {name} alone, or leave it out"
                ));
            }
            setting => {
                let takes_next = matches!(Argument::parse(setting), Argument::Switch { .. });
                settings.arguments.push((place, argument));
                if takes_next && let Some((place, value)) = rest.next() {
                    settings.arguments.push((place, text(value)?));
                }
            }
        }
    }
    Ok((own, settings))
}

pub(super) fn exec(args: RunArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut host = Host::builder()
        .numbered_args(settings.arguments)
        .named_after_content_root()
        .strict(args.strict)
        .plan_only(args.plan);
    for (spec, position) in args.listen.iter().zip(settings.listens) {
        host = host
            .listen_spec(spec, Origin::CommandLine { position, argument: "--listen".to_owned() });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(host.run());
    // A handler that blocks its thread must not hold up the end.
    runtime.shutdown_background();
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(arguments: &[&str]) -> (Vec<String>, Vec<(usize, String)>) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let (own, settings) = split(&arguments).unwrap();
        let own = own.into_iter().skip(2).map(|argument| argument.into_string().unwrap()).collect();
        (own, settings.arguments)
    }

    #[test]
    fn our_switches_are_told_from_settings_by_their_place() {
        for (arguments, own, settings) in [
            (&["kestrel", "run"][..], &[][..], &[][..]),
            (
                &["kestrel", "run", "--urls", "x", "--strict"],
                &["--strict"],
                &[(2, "--urls"), (3, "x")],
            ),
            (&["kestrel", "run", "--a", "--strict"], &[], &[(2, "--a"), (3, "--strict")]),
            (&["kestrel", "run", "--listen", "*:1", "b=2"], &["--listen=*:1"], &[(4, "b=2")]),
            (
                &["kestrel", "run", "--listen=*:1", "/c", "--help"],
                &["--listen=*:1"],
                &[(3, "/c"), (4, "--help")],
            ),
            (&["kestrel", "run", "--", "--listen", "-h"], &["-h"], &[(2, "--"), (3, "--listen")]),
        ] {
            let (found, numbered) = parts(arguments);
            let numbered: Vec<_> =
                numbered.iter().map(|(place, text)| (*place, text.as_str())).collect();
            assert_eq!(
                (&found[..], &numbered[..]),
                (&own.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()[..], settings),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn a_switch_of_ours_takes_no_value() {
        for switch in ["--strict=yes", "--plan=true"] {
            let arguments = ["kestrel", "run", switch].map(OsString::from);
            assert!(split(&arguments).unwrap_err().contains("takes no value"), "{switch}");
        }
    }

    #[test]
    fn other_commands_are_left_to_clap() {
        let arguments: Vec<OsString> =
            ["kestrel", "completions", "bash"].map(OsString::from).to_vec();
        assert_eq!(split(&arguments), Ok((arguments.clone(), Settings::default())));
    }
}
