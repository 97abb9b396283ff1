//! Ends what a process leaves behind, even if this one is killed and can end nothing any more. (Windows.)
//!
//! Each process is in a job of its own, and so is whatever it starts. This process alone has the handle of that job:
//! when it is closed, by whatever, the system ends all that is in the job.

use std::io;
use std::path::Path;
use std::process::ExitStatus;

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdout, Command};

use super::options::ChildOptions;

/// Whether a process can be sent a signal. Here it is asked to end as the contract says.
pub(super) const HAS_SIGNALS: bool = false;

/// `CREATE_NO_WINDOW`: a console of its own, which nobody sees. Ctrl+C is for the host, which ends it then.
const NO_WINDOW: u32 = 0x0800_0000;

/// What a process can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    Term,
    Kill,
}

/// Nothing more than the job, which stands with the process.
#[derive(Debug)]
pub(super) struct Guard;

impl Guard {
    /// # Errors
    ///
    /// None.
    pub(super) fn begin(_: &str, _: Option<&Path>) -> io::Result<Self> {
        Ok(Self)
    }

    /// The system does not let go of a job. (On other systems a shell may be killed.)
    ///
    /// # Errors
    ///
    /// None.
    pub(super) fn renew(&mut self, _: &str, _: Option<&Path>) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn number(&self) -> u32 {
        0
    }

    pub(super) fn watcher(&self) -> u32 {
        0
    }
}

pub(super) fn signal(_: u32, _: Signal) {}

/// A process in its job. Dropping it ends all that is in the job.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
    job: Box<dyn ChildWrapper>,
}

/// Starts a command in a job.
///
/// # Errors
///
/// The system does not start it, or gives no job.
pub(super) fn spawn(command: Command, _: Option<&Guard>) -> io::Result<Running> {
    let mut flags = CreationFlags(Default::default());
    flags.0.0 = NO_WINDOW;
    let mut command = CommandWrap::from(command);
    // With the second one, closing the handle of the job ends what is in it.
    let mut job = command.wrap(flags).wrap(KillOnDrop).wrap(JobObject).spawn()?;
    let (stdout, stderr) = (job.stdout().take(), job.stderr().take());
    Ok(Running { stdout, stderr, job })
}

impl Running {
    pub(super) fn id(&self) -> Option<u32> {
        self.job.id()
    }

    /// Waits for the end of the process itself. (What waits for the job takes a thread, and takes whatever happens in
    /// the job for its end.)
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.job.inner_mut().wait().await
    }

    /// Ends all that is in the job.
    pub(super) fn start_kill(&mut self) -> io::Result<()> {
        self.job.start_kill()
    }

    /// The same, and waits for the end of the process itself.
    pub(super) async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await.map(drop)
    }
}

/// The program itself, which nothing holds: the settings refuse limits.
pub(super) fn held(options: &ChildOptions, arguments: &[String]) -> Command {
    let mut command = Command::new(&options.program);
    command.args(arguments);
    command
}
