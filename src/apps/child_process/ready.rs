//! When a process can answer requests.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep, timeout};

use super::contract::Listens;
use super::failure::Cause;
use super::knock::is_open;
use super::options::ChildOptions;
use super::owner::OfPort;
use super::pauses::Pauses;
use super::proc::{self, Holder};
use super::process::Process;
use crate::apps::reverse_proxy::{OneServer, Speaking};
use crate::diagnostics::events;
use crate::upstream::Owner;

/// How soon after a look there is another because the process has written something.
const WRITTEN: Duration = Duration::from_millis(1);

/// How long it is waited for whoever accepts.
const ACCEPTED: Duration = Duration::from_secs(1);

/// How often one that accepts is asked whether it is well.
const HEALTH_PAUSE: Duration = Duration::from_millis(50);

/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(5);

/// Why a process will not be ready.
pub(super) enum Unready {
    /// It has ended.
    Ended(io::Result<ExitStatus>),
    /// It runs, and is to be ended.
    Failed(Cause),
}

/// The way to a process, and whose its port is, if it has one.
pub(super) type ToProcess = (OneServer, Option<Arc<OfPort>>);

/// Waits until a process is ready, and gives the way to it.
///
/// # Errors
///
/// It ended before, or took too long.
pub(super) async fn ready(
    process: &mut Process,
    options: &ChildOptions,
) -> Result<ToProcess, Unready> {
    let until = Instant::now() + options.startup_time_limit;
    let is_alternative = listens(process, options, until).await?;
    if let Listens::Port(port) = *process.listens() {
        process.may_be_open = proc::is_open(port);
    }
    let user = options.run_as.as_ref().map(|it| it.user);
    let tcp = process.listens().tcp(is_alternative);
    let owner = tcp.map(|address| Arc::new(OfPort::new(address, user)));
    let speaking = Speaking {
        http2: options.speaks_http2,
        activity_timeout: options.request_timeout,
        unix_user: user,
        owner: owner.clone().map(|owner| owner as Arc<dyn Owner>),
    };
    let name = format!("process {}", process.id);
    let server = OneServer::new(&name, process.listens().address(is_alternative), speaking);
    if let Some(path) = &options.health {
        is_well(process, (&server, path), (until, options.startup_time_limit)).await?;
    }
    Ok((server, owner))
}

/// Waits until it listens; whether at the loopback of IPv6.
async fn listens(
    process: &mut Process,
    options: &ChildOptions,
    until: Instant,
) -> Result<bool, Unready> {
    let limit = options.startup_time_limit;
    let user = options.run_as.as_ref().map(|it| it.user);
    let mut pauses = Pauses::new();
    // Whoever has the wrong place has it soon.
    let mut looks =
        [3, 15].map(|seconds| Instant::now() + Duration::from_secs(seconds)).into_iter();
    let mut look = looks.next();
    let wrote = process.wrote();
    loop {
        // Most programs say that they listen once they do. One that says much is not looked at more often for that.
        let has_written = async {
            sleep(WRITTEN).await;
            wrote.notified().await;
        };
        if let Some(alternative) = accepts(process.listens(), user).await
            && is_there(process.listens(), alternative, user)?
        {
            return Ok(alternative);
        }
        tokio::select! {
            status = process.ended() => return Err(Unready::Ended(status)),
            () = pauses.next() => {}
            () = has_written => pauses.begin_again(),
        }
        if look.is_some_and(|look| Instant::now() >= look) {
            look = looks.next();
            tell_elsewhere(process);
        }
        if Instant::now() >= until {
            let expected = process.listens().url();
            let listens = proc::listening(&process.members());
            return Err(Unready::Failed(Cause::TooSlow { limit, expected, listens }));
        }
    }
}

/// Whether it is the process that accepts there, as far as users tell.
///
/// # Errors
///
/// Another user was faster at the port. At the loopback of IPv6 he may have been before, and is not in the way.
fn is_there(listens: &Listens, alternative: bool, user: Option<u32>) -> Result<bool, Unready> {
    let Some(address) = listens.tcp(alternative) else { return Ok(true) };
    match proc::holder(address, user) {
        Holder::Unknown | Holder::Own(_) => Ok(true),
        Holder::Stranger(user) if !alternative => {
            Err(Unready::Failed(Cause::Stranger { port: address.port(), user }))
        }
        Holder::Stranger(_) | Holder::Nobody => Ok(false),
    }
}

/// Waits until it says that it is well.
async fn is_well(
    process: &mut Process,
    (server, path): (&OneServer, &str),
    (until, limit): (Instant, Duration),
) -> Result<(), Unready> {
    let fields = process.fields();
    loop {
        let what =
            match timeout(QUESTION, server.ask((&Method::GET, path), &fields, QUESTION)).await {
                Ok(Ok(status)) if status.as_u16() < 400 => return Ok(()),
                Ok(Ok(status)) => format!("it answers {}", status.as_u16()),
                Ok(Err(error)) => error,
                Err(_) => "no answer".to_owned(),
            };
        tokio::select! {
            status = process.ended() => return Err(Unready::Ended(status)),
            () = sleep(HEALTH_PAUSE) => {}
        }
        if Instant::now() >= until {
            let path = path.to_owned();
            return Err(Unready::Failed(Cause::Unwell { limit, path, what }));
        }
    }
}

/// Tells where a process listens in the place of where it is waited for.
fn tell_elsewhere(process: &Process) {
    let found = proc::listening(&process.members()).unwrap_or_default();
    if !found.is_empty() {
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        events::process_is_elsewhere(process.id, &found.join(", "), &process.listens().url());
    }
}

/// Whether somebody accepts there; and if so, whether at the loopback of IPv6, which some programs take for
/// `localhost`.
async fn accepts(listens: &Listens, user: Option<u32>) -> Option<bool> {
    // Systems without Unix sockets do not ask for it.
    let _ = user;
    match listens {
        Listens::Port(_) => {
            for alternative in [false, true] {
                if let Some(address) = listens.tcp(alternative)
                    && is_open(address, ACCEPTED).await == Some(true)
                {
                    return Some(alternative);
                }
            }
            None
        }
        #[cfg(unix)]
        Listens::Socket(path) => {
            let socket = tokio::net::UnixStream::connect(path).await.ok()?;
            let peer = socket.peer_cred().ok()?.uid();
            // What a program with fewer rights than ours has put there may lead anywhere.
            user.is_none_or(|user| user == peer).then_some(())?;
            // The folder keeps others out already; this is for whoever opens it. Of a process with fewer rights than
            // ours, there may be something else at the path in the next moment.
            if user.is_none() {
                let rights = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                let _ = std::fs::set_permissions(path, rights);
            }
            Some(false)
        }
        #[cfg(not(unix))]
        Listens::Socket(_) => None,
    }
}
