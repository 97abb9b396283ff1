//! Signals, and what they mean for the life of a host.

use std::io;

use crate::diagnostics::events;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To stop.
    Stop(StopSignal),
    /// To read the configuration again: SIGHUP, as it is for most servers.
    Reload,
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
}

impl StopSignal {
    /// The exit code of a process that this signal ended at once: 128 and its number.
    pub(super) const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Quit => 131,
            Self::Terminate => 143,
        }
    }
}

/// The signals a host listens to, from before its start to the end of its stop.
#[derive(Debug)]
pub(super) struct Signals(platform::Streams);

impl Signals {
    /// Takes over the signals.
    ///
    /// # Errors
    ///
    /// The system refuses to.
    pub(super) fn register() -> io::Result<Self> {
        platform::Streams::new().map(Self)
    }

    /// What the next signal asks for.
    pub(super) async fn next(&mut self) -> Asked {
        self.0.next().await.map_or(Asked::Reload, Asked::Stop)
    }

    /// The next signal that asks for a stop; a reload comes too late, which is told.
    pub(super) async fn next_stop(&mut self) -> StopSignal {
        loop {
            match self.next().await {
                Asked::Stop(signal) => return signal,
                Asked::Reload => events::hangup_ignored(),
            }
        }
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
    }

    impl Streams {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                quit: signal(SignalKind::quit())?,
                hangup: signal(SignalKind::hangup())?,
            })
        }

        /// The next signal; `None` for a hang-up.
        pub(super) async fn next(&mut self) -> Option<StopSignal> {
            tokio::select! {
                _ = self.interrupt.recv() => Some(StopSignal::Interrupt),
                _ = self.terminate.recv() => Some(StopSignal::Terminate),
                _ = self.quit.recv() => Some(StopSignal::Quit),
                _ = self.hangup.recv() => None,
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

    use super::StopSignal;

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

        /// The next signal; Windows has no hang-up, so it is never `None`.
        pub(super) async fn next(&mut self) -> Option<StopSignal> {
            Some(tokio::select! {
                _ = self.interrupt.recv() => StopSignal::Interrupt,
                _ = self.quit.recv() => StopSignal::Quit,
                _ = self.close.recv() => StopSignal::Terminate,
                _ = self.shutdown.recv() => StopSignal::Terminate,
            })
        }
    }
}
