//! What can be typed behind `kestrel serve`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Serve a folder, until Ctrl+C or SIGTERM
///
/// Only what stands here counts: no settings file and no variable is read. `kestrel run` has all the rest.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ServeArgs {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true, value_hint = ValueHint::DirPath)]
    pub(super) directory: PathBuf,
    /// The port; 0 for a free one
    #[arg(short, long, value_name = "PORT", default_value_t = 5000)]
    pub(super) port: u16,
    /// Let other machines of the network connect, not this one alone
    #[arg(long)]
    pub(super) lan: bool,
    /// Let other machines connect, too, and show them the address as a QR code
    #[arg(long)]
    pub(super) qr: bool,
    /// Open the address in the browser
    #[arg(long)]
    pub(super) open: bool,
    /// Answer pages that nothing else has with index.html (single-page apps)
    #[arg(long)]
    pub(super) spa: bool,
    /// Show what is in a folder that has no index.html
    #[arg(long)]
    pub(super) listing: bool,
    /// Let pages of all other origins read the files
    #[arg(long)]
    pub(super) cors: bool,
    /// Set a header of every answer; may be given more than once
    #[arg(long, value_name = "NAME:VALUE", value_parser = header)]
    pub(super) header: Vec<Header>,
    /// Ask for a user and a password, or what `openssl passwd -6` makes of it; may be given more than once
    #[arg(long, value_name = "USER:PASSWORD", value_parser = user)]
    pub(super) auth: Vec<User>,
    /// Serve by https, with the development certificate, which is made if there is none
    #[arg(long)]
    pub(super) tls: bool,
}

/// A header of every answer.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

/// Reads `NAME:VALUE`. What cannot be a header is told by the setting that it becomes.
pub(super) fn header(text: &str) -> Result<Header, &'static str> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok(Header { name: name.trim().to_owned(), value: value.trim().to_owned() })
        }
        _ => Err("a header has a name, a colon and a value"),
    }
}

/// Somebody who may come in. The password is not shown.
#[derive(Clone)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads `USER:PASSWORD`.
pub(super) fn user(text: &str) -> Result<User, &'static str> {
    match text.split_once(':') {
        Some(("", _)) => Err("a user's name is missing before the colon"),
        Some((_, "")) => Err("a password is missing behind the colon"),
        Some((name, password)) => Ok(User { name: name.to_owned(), password: password.to_owned() }),
        None => Err("a user and a password have a colon between"),
    }
}
