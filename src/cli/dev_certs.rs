//! `kestrel dev-certs`: the development certificate.
//!
//! Its command line is that of `dotnet dev-certs`, with options such as `-ep` and its own words
//! for mistakes, none of which clap can be made to read or say. So the arguments go to the tool as
//! they are; what clap knows of them is there for the help of `kestrel` and for completions.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use super::output;
use crate::dev_certificates::{self, Report, Stream, Surroundings};
use crate::hosting::{ExitKind, process};
use crate::tls::places::Places;

/// Make, trust, export and remove the development certificate
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub(super) struct DevCertsArgs {
    #[command(subcommand)]
    _command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make sure that there is a certificate for https://localhost
    Https(HttpsArgs),
}

#[derive(Debug, clap::Args)]
struct HttpsArgs {
    /// Write the certificate to this file
    #[arg(long = "export-path", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    _export_path: Option<String>,

    /// The password of the exported key, or of the imported file
    #[arg(long = "password", short = 'p', value_name = "PASSWORD")]
    _password: Option<String>,

    /// Export the key in PEM form without a password
    #[arg(long = "no-password")]
    _no_password: bool,

    /// Only tell whether there is a certificate
    #[arg(long = "check", short = 'c')]
    _check: bool,

    /// Remove all development certificates, and the trust in them
    #[arg(long = "clean")]
    _clean: bool,

    /// Together with --clean: take this certificate in
    #[arg(long = "import", short = 'i', value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    _import: Option<String>,

    /// The form of the exported certificate
    #[arg(long = "format", value_name = "FORMAT", value_parser = ["Pfx", "Pem"])]
    _format: Option<String>,

    /// Have the certificate trusted
    #[arg(long = "trust", short = 't')]
    _trust: bool,

    /// Together with --trust, as root: have the whole machine trust it
    #[arg(long = "system")]
    _system: bool,

    /// Tell every step
    #[arg(long = "verbose", short = 'v')]
    _verbose: bool,

    /// Tell only what went wrong
    #[arg(long = "quiet", short = 'q')]
    _quiet: bool,

    /// Tell all certificates, and whether they are trusted, in JSON
    #[arg(long = "check-trust-machine-readable")]
    _check_trust_machine_readable: bool,
}

/// What follows `dev-certs` on a command line, program name first; `None` for other commands.
pub(super) fn arguments(arguments: &[OsString]) -> Option<&[OsString]> {
    match arguments {
        [_, command, rest @ ..] if command == "dev-certs" => Some(rest),
        _ => None,
    }
}

/// Makes sure that there is a certificate; says so if it was made now.
///
/// # Errors
///
/// Standard output cannot be written, or, within, the exit code of a start without one.
pub(super) fn make_sure() -> anyhow::Result<Result<(), ExitCode>> {
    let check = ["https", "--check"].map(str::to_owned);
    if dev_certificates::run(&check, &surroundings()).0 as u8 == 0 {
        return Ok(Ok(()));
    }
    let (exit, report) = dev_certificates::run(&["https".to_owned()], &surroundings());
    print(&report)?;
    Ok(match exit as u8 {
        0 => Ok(()),
        _ => Err(ExitKind::Certificate.into()),
    })
}

pub(super) fn exec(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let text = |argument: &OsString| argument.to_str().map(str::to_owned).ok_or(argument.clone());
    let arguments = match arguments.iter().map(text).collect::<Result<Vec<_>, _>>() {
        Ok(arguments) => arguments,
        Err(argument) => {
            let shown = argument.to_string_lossy();
            output::error(&format!("The argument {shown} is not text (UTF-8)."));
            return Ok(ExitKind::Usage.into());
        }
    };
    let (exit, report) = dev_certificates::run(&arguments, &surroundings());
    print(&report)?;
    Ok(ExitCode::from(exit as u8))
}

fn surroundings() -> Surroundings {
    let variables = process::environment_variables();
    Surroundings {
        places: Places::new(&variables, process::account_home()),
        // Relative paths fail by themselves where there is none.
        current_directory: process::current_directory().unwrap_or_else(|| PathBuf::from(".")),
        now: SystemTime::now(),
    }
}

fn print(report: &Report) -> anyhow::Result<()> {
    for (stream, line) in report.lines() {
        match stream {
            Stream::Output => output::answer(format!("{line}\n").as_bytes())?,
            Stream::Error => output::complaint(line)?,
        }
    }
    Ok(())
}
