//! A second signal ends a process whose runtime waits for a thread that never comes back. It takes a process of its
//! own: the test starts its program anew, for that case alone.
#![cfg(unix)]

use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use kestrel::{Endpoint, Host, Lifetime};
use nix::sys::signal::{Signal, raise};

const CASE: &str = "KESTREL_TEST_BLOCKED";

/// Longer than any machine takes for what takes two and a half seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// What a `main` under `#[tokio::main]` does whose app blocks a thread for ever, and that gets signals until its
/// host has ended.
fn blocks_for_ever() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let lifetime = Lifetime::new();
    let any_port = Endpoint::ip(([127, 0, 0, 1], 0).into());
    // Only a second signal ends it: its service never does.
    let host = Host::empty_builder().listen_on(any_port).lifetime(lifetime.clone());
    let host = host.background_service("endless", async |_, _| std::future::pending().await);
    runtime.spawn_blocking(|| {
        loop {
            thread::park();
        }
    });
    runtime.block_on(async {
        let ended = tokio::spawn(host.shutdown_timeout(LIMIT * 60).run());
        lifetime.started().await;
        while !ended.is_finished() {
            raise(Signal::SIGINT).expect("it is ours");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    drop(runtime);
    panic!("the runtime does not wait for its threads");
}

/// Its end, or `None` if it has to be killed.
fn end_of(mut command: Command) -> Option<ExitStatus> {
    let mut child = command.spawn().expect("it runs");
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().expect("it is ours") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().and_then(|()| child.wait()).expect("it is ours");
    None
}

#[test]
fn a_second_signal_ends_a_process_whose_runtime_waits_for_ever() {
    #[expect(clippy::disallowed_methods, reason = "it is set by this program, for itself")]
    if std::env::var_os(CASE).is_some() {
        return blocks_for_ever();
    }
    let mut command = Command::new(std::env::args_os().next().expect("the program"));
    let name = "a_second_signal_ends_a_process_whose_runtime_waits_for_ever";
    command.args(["--exact", name]).env(CASE, "1");
    let status = end_of(command).expect("it ends by itself");
    assert_eq!(status.code(), Some(130));
}
