//! `kestrel generate`: the configuration of other programs that fits this one.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};

use crate::Host;
use crate::hosting::{Target, Wanted, process};

/// Print the configuration of a proxy in front, or of a service, that fits the settings here.
///
/// Nothing is written but standard output: look at it, and put it where it belongs.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// Of which program
    target: Program,
    /// A name that people know the site by; may be given more than once [default: AllowedHosts]
    #[arg(long, value_name = "NAME")]
    server_name: Vec<String>,
    /// Where the proxy listens [default: 443 with a certificate, else 80]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The proxy's certificate, with its chain
    #[arg(long, value_name = "FILE", requires = "certificate_key", value_hint = ValueHint::FilePath)]
    certificate: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", requires = "certificate", value_hint = ValueHint::FilePath)]
    certificate_key: Option<PathBuf>,
    /// Who runs the service of systemd [default: a user that systemd makes]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// What `kestrel run` is given, behind `--`
    #[arg(last = true, value_name = "ARGUMENTS OF RUN")]
    run: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Program {
    Nginx,
    Apache,
    Haproxy,
    Caddy,
    Systemd,
}

/// Prints it. `behind` is how many arguments stand before those of `run`.
pub(super) fn exec(args: GenerateArgs, behind: usize) -> anyhow::Result<ExitCode> {
    let arguments: Vec<_> =
        args.run.into_iter().enumerate().map(|(at, text)| (behind + at, text)).collect();
    let texts = arguments.iter().map(|(_, text)| text.to_string_lossy().into_owned());
    let wanted = Wanted {
        target: match args.target {
            Program::Nginx => Target::Nginx,
            Program::Apache => Target::Apache,
            Program::Haproxy => Target::Haproxy,
            Program::Caddy => Target::Caddy,
            Program::Systemd => Target::Systemd,
        },
        server_names: args.server_name,
        port: args.port,
        certificate: args.certificate.zip(args.certificate_key),
        user: args.user,
        program: process::program_path()?,
        arguments: std::iter::once("run".to_owned()).chain(texts).collect(),
    };
    let host = Host::builder()
        .numbered_args(arguments)
        .named_after_content_root()
        .version(env!("CARGO_PKG_VERSION"))
        .answering(wanted);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(host.run()))
}
