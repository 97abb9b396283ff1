//! Signals, and what they mean for the life of a host.
//!
//! A thread of its own waits for them, so that they are seen whatever the runtime's threads are held by: a file system
//! that does not answer, a log that nobody reads, an app that blocks. It knows of every host of the process how far it
//! is, and [`Hosts::take`] decides. Before a host runs, and once it has ended, a signal does what it does to any
//! process: it ends it. A host that runs is asked, by way of its [`Signals`]. One that was asked to end at once and
//! does not is ended from here, and so is a process that its host has left.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout_at};

use super::process;
use crate::logging::{LAST_WAIT, Logging};

/// Within this time of the first, signals to stop are one wish: supervisors signal a process and its group, and Ctrl+C
/// reaches a wrapper and its child.
const ONE_WISH: Duration = Duration::from_secs(1);

/// How long a host that is binding its sockets may take to run, once it is asked to stop: then it stops as one that
/// runs.
const BINDING: Duration = Duration::from_secs(1);

/// Within this time of its signal a terminal that hangs up is gone, mostly.
const VANISHES: Duration = Duration::from_millis(100);

/// How long it is looked for beyond that, on a machine that is busy.
const VANISHES_LATE: Duration = Duration::from_secs(5);

/// How long a host may take to end at once: its log has the last wait.
const AT_ONCE: Duration = LAST_WAIT.saturating_add(Duration::from_secs(1));

/// What a signal asks of a host that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To stop.
    Stop,
    /// To stop, because of the terminal that the process was started on: it is gone.
    StopWithTerminal,
    /// The same once more.
    StopAgain,
    /// To end at once, without waiting for anything that runs.
    End(StopSignal),
    /// To read the configuration again: SIGHUP, as it is for most servers.
    Reload,
    /// To open log files anew: SIGUSR1, as it is for most servers.
    ReopenLogs,
}

/// A signal that asks the host to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopSignal {
    /// Ctrl+C.
    Interrupt,
    /// The way supervisors ask.
    Terminate,
    /// Ctrl+\, or Ctrl+Break on Windows.
    Quit,
    /// The terminal is gone.
    Hangup,
}

impl StopSignal {
    /// Its number, which is the same on every system that has it.
    const fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
        }
    }

    /// The exit code of a process that this signal ended at once: 128 and its number.
    pub(super) const fn exit_code(self) -> u8 {
        128 + self.number()
    }
}

/// How a signal ends the process, with nobody asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As it ends any process.
    Dies(StopSignal),
    /// With the exit code of a host that was told to end at once.
    Exits(StopSignal),
}

impl End {
    fn carry_out(self) {
        match self {
            Self::Dies(signal) => process::die_of(signal.number()),
            Self::Exits(signal) => process::end(signal.number()),
        }
    }
}

/// What came.
#[cfg_attr(windows, allow(dead_code, reason = "Windows has no hang-up and no SIGUSR1"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Stop(StopSignal),
    Hangup,
    User1,
}

/// How far a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It reads files, and runs code of the program's own.
    Starting,
    /// It opens sockets.
    Binding,
    Running,
}

/// The signals of a host, from before its start to the end of its stop.
#[derive(Debug)]
pub(super) struct Signals {
    id: u64,
    asked: UnboundedReceiver<Asked>,
}

impl Signals {
    /// Takes over the signals of the process, and tells of a host that starts.
    ///
    /// # Errors
    ///
    /// The system refuses to.
    pub(super) fn register() -> io::Result<Self> {
        let (sender, asked) = unbounded_channel();
        let mut hosts = hosts();
        if !hosts.watched {
            watch()?;
            hosts.watched = true;
        }
        Ok(Self { id: hosts.add(sender), asked })
    }

    /// The host opens its sockets: from here on a signal is left to it.
    pub(super) fn binding(&self) {
        hosts().host(self.id, |host| host.stage = Stage::Binding);
    }

    /// The host runs. What waits for room in its log is let go when it is asked to stop.
    pub(super) fn running(&self, logging: Option<Arc<Logging>>) {
        hosts().host(self.id, |host| {
            host.stage = Stage::Running;
            host.end_at = None;
            host.logging = logging;
        });
    }

    /// What the next signal asks for.
    pub(super) async fn next(&mut self) -> Asked {
        match self.asked.recv().await {
            Some(asked) => asked,
            // Its sender is kept as long as this is.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let gone = hosts().remove(self.id);
        // Its log may wait for its last lines: not while others want to know of signals.
        drop(gone);
    }
}

/// The hosts of the process that listen to signals.
#[derive(Debug)]
struct Hosts {
    /// Whether there is the thread.
    watched: bool,
    next_id: u64,
    list: Vec<Host>,
    /// When the process is ended because of a host that has gone: it was told to end at once, and not its host alone.
    end_at: Option<(Instant, StopSignal)>,
}

#[derive(Debug)]
struct Host {
    id: u64,
    stage: Stage,
    asked: UnboundedSender<Asked>,
    logging: Option<Arc<Logging>>,
    /// When it was first asked to stop.
    stop_since: Option<Instant>,
    /// When the process is ended if it has not gone on by then.
    end_at: Option<(Instant, StopSignal)>,
}

static HOSTS: Mutex<Hosts> =
    Mutex::new(Hosts { watched: false, next_id: 0, list: Vec::new(), end_at: None });

fn hosts() -> MutexGuard<'static, Hosts> {
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hosts {
    fn add(&mut self, asked: UnboundedSender<Asked>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let (stop_since, end_at) = (None, None);
        let stage = Stage::Starting;
        self.list.push(Host { id, stage, asked, logging: None, stop_since, end_at });
        id
    }

    fn remove(&mut self, id: u64) -> Option<Host> {
        let place = self.list.iter().position(|host| host.id == id)?;
        let gone = self.list.swap_remove(place);
        // The end of a runtime waits for threads that the app blocks. (A start that is refused has its own last word.)
        if gone.stage == Stage::Running {
            self.end_at = self.end_at.or(gone.end_at);
        }
        Some(gone)
    }

    fn host(&mut self, id: u64, change: impl FnOnce(&mut Host)) {
        if let Some(host) = self.list.iter_mut().find(|host| host.id == id) {
            change(host);
        }
    }

    /// Hands a signal to the hosts, or says how it is to end the process.
    fn take(&mut self, signal: Signal, terminal_gone: bool, now: Instant) -> Option<End> {
        let stop = match signal {
            Signal::Stop(stop) => Some(stop),
            Signal::Hangup if terminal_gone => Some(StopSignal::Hangup),
            // What they ask for may wait for a host that starts; without one it is nothing.
            Signal::Hangup | Signal::User1 => None,
        };
        if let Some(stop) = stop
            && self.list.iter().all(|host| host.stage == Stage::Starting)
        {
            // The exit code does not depend on whether one signal more finds the process on its way out.
            return Some(self.end_at.map_or(End::Dies(stop), |(_, first)| End::Exits(first)));
        }
        for host in &mut self.list {
            let asked = match (signal, stop) {
                (Signal::User1, _) => Asked::ReopenLogs,
                (_, Some(stop)) => host.asked_to_stop(stop, now),
                (_, None) => Asked::Reload,
            };
            // A host that has gone is taken from the list, too.
            let _ = host.asked.send(asked);
        }
        None
    }

    /// When the next host is given up that was asked to end.
    fn next_end(&self) -> Option<(Instant, StopSignal)> {
        self.list.iter().filter_map(|host| host.end_at).chain(self.end_at).min_by_key(|(at, _)| *at)
    }
}

impl Host {
    fn asked_to_stop(&mut self, signal: StopSignal, now: Instant) -> Asked {
        let Some(since) = self.stop_since else {
            self.stop_since = Some(now);
            if self.stage == Stage::Binding {
                self.end_at = Some((now + BINDING, signal));
            }
            if let Some(logging) = &self.logging {
                logging.begin_stop();
            }
            return match signal {
                StopSignal::Hangup => Asked::StopWithTerminal,
                _ => Asked::Stop,
            };
        };
        if signal == StopSignal::Hangup {
            // It comes once for the terminal and once from the shell; a stop that has begun it never cuts short.
            return Asked::Reload;
        }
        if now.saturating_duration_since(since) < ONE_WISH {
            return Asked::StopAgain;
        }
        self.end_at.get_or_insert((now + AT_ONCE, signal));
        Asked::End(signal)
    }
}

/// Starts the thread that waits for signals. It lasts as long as the process: what was taken over once does not go back
/// to the system.
fn watch() -> io::Result<()> {
    let terminal = Terminal::of_the_start();
    let (ready, started) = mpsc::sync_channel(1);
    thread::Builder::new().name("kestrel-signals".to_owned()).spawn(move || {
        let made = runtime::Builder::new_current_thread().enable_all().build();
        let streams = made.and_then(|runtime| {
            let streams = runtime.block_on(async { platform::Streams::new() })?;
            Ok((runtime, streams))
        });
        match streams {
            Ok((runtime, streams)) => {
                // Whoever waits for it is there.
                let _ = ready.send(Ok(()));
                runtime.block_on(run(streams, terminal));
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    })?;
    started.recv().unwrap_or_else(|_| Err(io::Error::other("the thread for signals panicked")))
}

/// Waits for signals for ever, and for hosts that do not end although they should.
async fn run(mut streams: platform::Streams, terminal: Terminal) {
    // Until when the terminal of a hang-up that was taken for a wish to reload may vanish.
    let mut doubted_until: Option<Instant> = None;
    loop {
        let end = hosts().next_end();
        let look = doubted_until.map(|_| Instant::now() + VANISHES);
        let wake = end.map(|(at, _)| at).into_iter().chain(look).min();
        let signal = match wake {
            None => Ok(streams.next().await),
            Some(at) => timeout_at(at.into(), streams.next()).await,
        };
        let Ok(signal) = signal else {
            let now = Instant::now();
            if let Some((at, stop)) = end
                && at <= now
                // It may have gone on in the last moment.
                && hosts().next_end() == end
            {
                End::Exits(stop).carry_out();
            }
            if doubted_until.is_some() && !process::has_terminal() {
                doubted_until = None;
                let end = hosts().take(Signal::Hangup, true, now);
                if let Some(end) = end {
                    end.carry_out();
                }
            }
            doubted_until = doubted_until.filter(|until| now < *until);
            continue;
        };
        let terminal_gone = signal == Signal::Hangup && terminal.is_gone().await;
        let doubtful = signal == Signal::Hangup && terminal.matters && !terminal_gone;
        doubted_until = doubtful.then(|| Instant::now() + VANISHES_LATE).or(doubted_until);
        let end = hosts().take(signal, terminal_gone, Instant::now());
        if let Some(end) = end {
            end.carry_out();
        }
    }
}

/// The terminal that the process was started on.
#[derive(Clone, Copy, Debug)]
struct Terminal {
    /// There was one, and its end was not told to be passed over, as `nohup` does.
    matters: bool,
}

impl Terminal {
    fn of_the_start() -> Self {
        Self { matters: process::has_terminal() && !process::ignores_hangup() }
    }

    /// Whether it is. The system sends the signal before it takes the terminal away: one that is there may not be in
    /// a moment.
    async fn is_gone(self) -> bool {
        let looked_until = Instant::now() + VANISHES;
        while self.matters && Instant::now() < looked_until {
            if !process::has_terminal() {
                return true;
            }
            sleep(VANISHES / 10).await;
        }
        false
    }
}

#[cfg(unix)]
mod platform {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::StopSignal;

    #[derive(Debug)]
    pub(super) struct Streams {
        interrupt: Signal,
        terminate: Signal,
        quit: Signal,
        hangup: Signal,
        user1: Signal,
    }

    impl Streams {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                quit: signal(SignalKind::quit())?,
                hangup: signal(SignalKind::hangup())?,
                user1: signal(SignalKind::user_defined1())?,
            })
        }

        /// The next signal.
        pub(super) async fn next(&mut self) -> super::Signal {
            use super::Signal::{Hangup, Stop, User1};

            tokio::select! {
                // A hang-up that comes with a signal to stop, as some supervisors send both, comes too late.
                biased;
                _ = self.terminate.recv() => Stop(StopSignal::Terminate),
                _ = self.interrupt.recv() => Stop(StopSignal::Interrupt),
                _ = self.quit.recv() => Stop(StopSignal::Quit),
                _ = self.hangup.recv() => Hangup,
                _ = self.user1.recv() => User1,
            }
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io;

    use tokio::signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
    };

    use super::{Signal, StopSignal};

    #[derive(Debug)]
    pub(super) struct Streams {
        interrupt: CtrlC,
        quit: CtrlBreak,
        close: CtrlClose,
        shutdown: CtrlShutdown,
    }

    impl Streams {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self {
                interrupt: ctrl_c()?,
                quit: ctrl_break()?,
                close: ctrl_close()?,
                shutdown: ctrl_shutdown()?,
            })
        }

        /// The next signal; Windows has no hang-up and no SIGUSR1.
        pub(super) async fn next(&mut self) -> Signal {
            Signal::Stop(tokio::select! {
                _ = self.interrupt.recv() => StopSignal::Interrupt,
                _ = self.quit.recv() => StopSignal::Quit,
                _ = self.close.recv() => StopSignal::Terminate,
                _ = self.shutdown.recv() => StopSignal::Terminate,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Signal = Signal::Stop(StopSignal::Terminate);
    const INT: Signal = Signal::Stop(StopSignal::Interrupt);

    /// Hosts at these stages, and what each is asked.
    fn hosts_at(stages: &[Stage]) -> (Hosts, Vec<UnboundedReceiver<Asked>>) {
        let mut hosts = Hosts { watched: true, next_id: 0, list: Vec::new(), end_at: None };
        let inboxes = stages.iter().map(|stage| {
            let (sender, inbox) = unbounded_channel();
            let id = hosts.add(sender);
            hosts.host(id, |host| host.stage = *stage);
            inbox
        });
        let inboxes = inboxes.collect();
        (hosts, inboxes)
    }

    fn asked(inbox: &mut UnboundedReceiver<Asked>) -> Vec<Asked> {
        std::iter::from_fn(|| inbox.try_recv().ok()).collect()
    }

    #[test]
    fn until_a_host_runs_a_signal_to_stop_ends_the_process() {
        let now = Instant::now();
        for (signal, terminal_gone, ends) in [
            (TERM, false, Some(StopSignal::Terminate)),
            (INT, false, Some(StopSignal::Interrupt)),
            (Signal::Hangup, true, Some(StopSignal::Hangup)),
            (Signal::Hangup, false, None),
            (Signal::User1, false, None),
        ] {
            for stages in [&[][..], &[Stage::Starting], &[Stage::Starting, Stage::Starting]] {
                let (mut hosts, _inboxes) = hosts_at(stages);
                let ends = ends.map(End::Dies);
                assert_eq!(hosts.take(signal, terminal_gone, now), ends, "{signal:?} {stages:?}");
            }
        }
    }

    #[test]
    fn what_is_no_stop_waits_for_a_host_that_starts() {
        let (mut hosts, mut inboxes) = hosts_at(&[Stage::Starting]);
        for signal in [Signal::Hangup, Signal::User1] {
            assert_eq!(hosts.take(signal, false, Instant::now()), None);
        }
        assert_eq!(asked(&mut inboxes[0]), [Asked::Reload, Asked::ReopenLogs]);
    }

    #[test]
    fn signals_within_a_second_are_one_wish_and_a_later_one_ends_at_once() {
        let start = Instant::now();
        let (mut hosts, mut inboxes) = hosts_at(&[Stage::Running]);
        for (signal, milliseconds, expected) in [
            (TERM, 0, Asked::Stop),
            (TERM, 0, Asked::StopAgain),
            (INT, 999, Asked::StopAgain),
            (Signal::Hangup, 1500, Asked::Reload),
            (INT, 1500, Asked::End(StopSignal::Interrupt)),
            (TERM, 1600, Asked::End(StopSignal::Terminate)),
        ] {
            let now = start + Duration::from_millis(milliseconds);
            assert_eq!(hosts.take(signal, false, now), None);
            assert_eq!(asked(&mut inboxes[0]), [expected], "{signal:?} after {milliseconds} ms");
        }
        // The first of them counts.
        let end = start + Duration::from_millis(1500) + AT_ONCE;
        assert_eq!(hosts.next_end(), Some((end, StopSignal::Interrupt)));
    }

    #[test]
    fn a_host_that_was_told_to_end_is_waited_for_beyond_its_own_end() {
        let start = Instant::now();
        let (mut hosts, _inboxes) = hosts_at(&[Stage::Running, Stage::Running]);
        hosts.take(INT, false, start);
        // It has stopped in time: what its process does now is its own.
        hosts.remove(0);
        assert_eq!(hosts.next_end(), None);
        hosts.take(INT, false, start + ONE_WISH);
        hosts.remove(1);
        let end = start + ONE_WISH + AT_ONCE;
        assert_eq!(hosts.next_end(), Some((end, StopSignal::Interrupt)));
        let exits = Some(End::Exits(StopSignal::Interrupt));
        assert_eq!(hosts.take(TERM, false, start + ONE_WISH), exits, "the code is the same");

        let (mut hosts, _inboxes) = hosts_at(&[Stage::Binding]);
        hosts.take(TERM, false, start);
        hosts.remove(0);
        assert_eq!(hosts.next_end(), None, "a start that is refused says why");
    }

    #[test]
    fn a_terminal_that_is_gone_is_a_stop_and_never_a_second_signal() {
        let start = Instant::now();
        let (mut hosts, mut inboxes) = hosts_at(&[Stage::Running]);
        for (seconds, gone) in [(0, true), (0, true), (5, true), (5, false)] {
            hosts.take(Signal::Hangup, gone, start + Duration::from_secs(seconds));
        }
        let expected = [Asked::StopWithTerminal, Asked::Reload, Asked::Reload, Asked::Reload];
        assert_eq!(asked(&mut inboxes[0]), expected);
        assert_eq!(hosts.next_end(), None);
    }

    #[test]
    fn a_host_that_binds_is_asked_and_has_a_second_to_run() {
        let now = Instant::now();
        let (mut hosts, mut inboxes) = hosts_at(&[Stage::Binding]);
        assert_eq!(hosts.take(TERM, false, now), None);
        assert_eq!(asked(&mut inboxes[0]), [Asked::Stop]);
        assert_eq!(hosts.next_end(), Some((now + BINDING, StopSignal::Terminate)));
    }

    #[test]
    fn one_host_that_runs_is_enough_for_all_to_be_asked() {
        let (mut hosts, mut inboxes) = hosts_at(&[Stage::Starting, Stage::Running]);
        assert_eq!(hosts.take(TERM, false, Instant::now()), None);
        for inbox in &mut inboxes {
            assert_eq!(asked(inbox), [Asked::Stop]);
        }
    }
}
