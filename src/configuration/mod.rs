//! Which value does a setting have, and who said so?
//!
//! In go the layers of `WebApplication.CreateBuilder`, weakest first: variables with a prefix, the
//! command line, the appsettings files, user secrets, all variables, the command line again, code.
//! Out comes a [`Configuration`]: flat keys such as `Kestrel:Endpoints:Http:Url`, compared without
//! case, each with its text, its [`Origin`] (file with line and column, variable, argument) and the
//! values it shadows. figment carries the layering; the providers that feed it are ours.
//!
//! This folder turns no key into a setting: that is `hosting/settings`, which reports its problems
//! in the [`Problem`] of this folder, so that all mistakes of a start are told together and in one
//! form. Nothing here knows of sockets, of tokio or of the process: files are read in
//! `sources`, everything else is a function of its arguments.
//!
//! The rules are those of Microsoft's "Configuration in ASP.NET Core".

mod added_source;
mod change_signal;
mod connection_strings;
mod how_to_set;
mod json_file;
mod key;
mod layers;
pub(crate) mod load;
mod merged;
pub(crate) mod near_names;
mod origin;
mod path;
mod problem;
mod pushed_pairs;
mod quantities;
pub(crate) mod regular_file;
mod settings_error;
mod settings_file;
pub(crate) mod sources;
pub(crate) mod text;
#[cfg(feature = "toml")]
mod toml_file;
mod typed;
mod user_info;
#[cfg(feature = "child-process")]
mod web_config;

pub(crate) use added_source::AddedSource;
pub use added_source::{ConfigurationSource, Pairs, SourceFn, SourcePlace};
pub use change_signal::ChangeSignal;
pub use json_file::JsonFile;
pub use key::{compare_keys, fold_key, keys_equal};
pub(crate) use key::{key_without_secret, speaks_of_secrets};
pub use layers::{Leaf, Setting, Shadowed};
pub use load::{CodeSettings, Inputs, Loaded, LookedFor, load};
#[cfg(test)]
pub(crate) use merged::asked_keys;
pub use merged::{Configuration, Section};
pub use origin::{Origin, Sourced};
pub use problem::{Excerpt, Problem, Severity};
pub use pushed_pairs::PushedPairs;
pub use quantities::{ByteSize, duration};
pub use settings_error::SettingsError;
pub use sources::command_line::Unread;
pub use sources::user_secrets::{InvalidUserSecretsId, check_user_secrets_id};
#[cfg(feature = "toml")]
pub use toml_file::TomlFile;
pub(crate) use user_info::{address_without_user_info, path_without_user_info};
#[cfg(feature = "child-process")]
pub(crate) use web_config::WebConfig;
