//! When a process can answer requests.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitStatus;
use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep, timeout};

use super::contract::Listens;
use super::failure::Cause;
use super::knock::is_open;
use super::options::ChildOptions;
use super::pauses::Pauses;
use super::proc;
use super::process::Process;
use crate::apps::reverse_proxy::{OneServer, Speaking};
use crate::diagnostics::events;

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

/// Waits until a process is ready, and gives the way to it.
///
/// # Errors
///
/// It ended before, or took too long.
pub(super) async fn ready(
    process: &mut Process,
    options: &ChildOptions,
) -> Result<OneServer, Unready> {
    let limit = options.startup_time_limit;
    let until = Instant::now() + limit;
    let mut pauses = Pauses::new();
    // Whoever has the wrong place has it soon.
    let mut looks =
        [3, 15].map(|seconds| Instant::now() + Duration::from_secs(seconds)).into_iter();
    let mut look = looks.next();
    let wrote = process.wrote();
    let is_alternative = loop {
        // Most programs say that they listen once they do. One that says much is not looked at more often for that.
        let has_written = async {
            sleep(WRITTEN).await;
            wrote.notified().await;
        };
        if let Some(alternative) =
            accepts(process.listens(), options.run_as.as_ref().map(|it| it.user)).await
        {
            break alternative;
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
    };
    if let Listens::Port(port) = *process.listens() {
        let there = proc::who_is_at(port, options.run_as.as_ref().map(|it| it.user));
        if let Some(user) = there.stranger {
            return Err(Unready::Failed(Cause::Stranger { port, user }));
        }
        process.may_be_open = there.is_open;
    }
    let name = format!("process {}", process.id);
    let speaking = Speaking {
        http2: options.speaks_http2,
        activity_timeout: options.request_timeout,
        unix_user: options.run_as.as_ref().map(|it| it.user),
    };
    let server = OneServer::new(&name, process.listens().address(is_alternative), speaking);
    let Some(path) = &options.health else { return Ok(server) };
    let fields = process.fields();
    loop {
        let what =
            match timeout(QUESTION, server.ask((&Method::GET, path), &fields, QUESTION)).await {
                Ok(Ok(status)) if status.as_u16() < 400 => return Ok(server),
                Ok(Ok(status)) => format!("it answers {}", status.as_u16()),
                Ok(Err(error)) => error,
                Err(_) => "no answer".to_owned(),
            };
        tokio::select! {
            status = process.ended() => return Err(Unready::Ended(status)),
            () = sleep(HEALTH_PAUSE) => {}
        }
        if Instant::now() >= until {
            let path = path.clone();
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
        Listens::Port(port) => {
            let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            if is_open(v4, ACCEPTED).await == Some(true) {
                return Some(false);
            }
            let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, *port));
            (is_open(v6, ACCEPTED).await == Some(true)).then_some(true)
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
