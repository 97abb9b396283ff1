//! Runs a program of any language behind the host, and hands requests on to it. (What the ASP.NET Core Module does
//! on IIS.)
//!
//! In go typed [`options`], which know no keys, and requests.
//!
//! ```text
//! options, environment   what is run, and with what
//! contract               what it is told: where to listen, who may ask it. Pure
//! place                  a port, or a socket in a folder of its own
//! process, guard         one process, and who ends what it leaves behind
//! ready, knock, pauses   when it can answer
//! output, output_line, output_file
//!                        what it writes, in the log and in a file
//! proc, listeners        what the system knows of it
//! owner                  whose its port is, at every connection
//! restarts               how soon another is started. Pure
//! orders                 what keepers are told, and how long what ends may take
//! watched                files whose changes ask for another
//! keeper                 keeps one running
//! board                  which of them answer at a moment
//! pool                   a request gets its answer
//! children               what outlives reloads
//! failure, offline       why there is none, in words
//! ```

#[cfg(feature = "child-process")]
mod board;
#[cfg(feature = "child-process")]
mod children;
#[cfg(feature = "child-process")]
mod contract;
#[cfg(feature = "child-process")]
mod environment;
#[cfg(feature = "child-process")]
mod failure;
#[cfg(all(feature = "child-process", unix))]
mod guard;
#[cfg(all(feature = "child-process", windows))]
#[path = "windows_guard.rs"]
mod guard;
#[cfg(feature = "child-process")]
mod keeper;
#[cfg(feature = "child-process")]
mod knock;
#[cfg(all(feature = "child-process", target_os = "linux"))]
mod listeners;
#[cfg(feature = "child-process")]
mod offline;
pub(crate) mod options;
#[cfg(feature = "child-process")]
mod orders;
#[cfg(feature = "child-process")]
mod output;
#[cfg(feature = "child-process")]
mod output_file;
#[cfg(feature = "child-process")]
mod output_line;
#[cfg(feature = "child-process")]
mod owner;
#[cfg(feature = "child-process")]
mod pauses;
#[cfg(feature = "child-process")]
mod place;
#[cfg(feature = "child-process")]
mod pool;
#[cfg(feature = "child-process")]
mod proc;
#[cfg(feature = "child-process")]
mod process;
#[cfg(feature = "child-process")]
mod ready;
#[cfg(feature = "child-process")]
mod restarts;
#[cfg(feature = "child-process")]
mod stage;
#[cfg(feature = "child-process")]
mod watched;

#[cfg(feature = "child-process")]
pub(crate) use self::children::Children;
#[cfg(feature = "child-process")]
pub(crate) use self::environment::Around;
#[cfg(all(feature = "child-process", fuzzing))]
pub(crate) use self::output_line::check as check_output_line;
#[cfg(feature = "child-process")]
pub(crate) use self::stage::ChildProcess;
