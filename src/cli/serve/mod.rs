//! `kestrel serve`: a folder, and nothing else. What is typed becomes settings (`settings`), and the host of
//! `kestrel run` serves by them.

mod addresses;
mod announcement;
mod settings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueHint};

use self::announcement::Announcement;
use self::settings::{Places, ShortForm};
use super::{dev_certs, output};
use crate::Host;
use crate::configuration::SourcePlace;
use crate::hosting::{ExitKind, process};

/// Serve a folder, until Ctrl+C or SIGTERM
///
/// Only what stands here counts: no settings file and no variable is read. `kestrel run` has all the rest.
#[derive(Clone, Debug, Args)]
pub(super) struct ServeArgs {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true, value_hint = ValueHint::DirPath)]
    directory: PathBuf,
    /// The port; 0 for a free one
    #[arg(short, long, value_name = "PORT", default_value_t = 5000)]
    port: u16,
    /// Let other machines of the network connect, not this one alone
    #[arg(long)]
    lan: bool,
    /// Show the address on the network as a QR code (with --lan)
    #[arg(long)]
    qr: bool,
    /// Open the address in the browser
    #[arg(long)]
    open: bool,
    /// Answer pages that nothing else has with index.html (single-page apps)
    #[arg(long)]
    spa: bool,
    /// Show what is in a folder that has no index.html
    #[arg(long)]
    listing: bool,
    /// Let pages of all other origins read the files
    #[arg(long)]
    cors: bool,
    /// Set a header of every answer; may be given more than once
    #[arg(long, value_name = "NAME:VALUE", value_parser = settings::header)]
    header: Vec<settings::Header>,
    /// Ask for a user and a password, or what `openssl passwd -6` makes of it; may be given more than once
    #[arg(long, value_name = "USER:PASSWORD", value_parser = settings::user)]
    auth: Vec<settings::User>,
    /// Serve by https, with the development certificate, which is made if there is none
    #[arg(long)]
    tls: bool,
}

/// Serves. `typed` is the whole command line.
pub(super) fn exec(args: ServeArgs, typed: &[OsString]) -> anyhow::Result<ExitCode> {
    if let Some(name) = settings::twice(&args.auth) {
        output::error(&format!(
            "{name} has two passwords.\n  fix: give --auth once for each user; capitals do not tell users apart"
        ));
        return Ok(ExitKind::Usage.into());
    }
    let root = match folder(&args.directory) {
        Ok(root) => root,
        Err(mistake) => {
            output::error(&mistake);
            return Ok(ExitKind::Usage.into());
        }
    };
    if args.tls
        && let Err(code) = dev_certs::make_sure()?
    {
        return Ok(code);
    }
    let form = ShortForm::new(&args, &root, &Places::of(typed));
    for warning in form.warnings() {
        output::complaint(&format!("warning: {warning}"))?;
    }
    let announcement = Announcement { network: args.lan || args.qr, qr: args.qr, open: args.open };
    let host = Host::empty_builder()
        .with_logging()
        .with_surroundings_of_user(process::environment_variables())
        .named_after_content_root()
        .content_root(root)
        .configuration_source(SourcePlace::AboveCommandLine, form)
        .background_service("announcement", async move |context, _| {
            context.lifetime.started().await;
            announcement.make(&context.addresses.list()).map_err(Into::into)
        });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(host.run());
    // A page that is being opened must not hold up the end.
    runtime.shutdown_background();
    Ok(code)
}

/// The folder, from the root of the file system on; or what is wrong with it.
fn folder(given: &Path) -> Result<PathBuf, String> {
    let shown = given.display();
    let full = std::fs::canonicalize(given);
    let full = full.with_context(|| format!("The folder {shown} cannot be served"));
    match full {
        Ok(full) if full.is_dir() => Ok(full),
        Ok(_) => {
            let parent = given.parent().filter(|it| !it.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            Err(format!(
                "{shown} is no folder.\n  fix: serve the one it is in: kestrel serve {}",
                parent.display()
            ))
        }
        Err(error) => Err(format!("{error:#}.\n  fix: name a folder that this user can read")),
    }
}
