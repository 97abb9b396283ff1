//! A process that runs out of file descriptors goes on as soon as it has some again.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::http::{connect, get};
use crate::process::Kestrel;

#[test]
fn accepting_survives_the_limit_of_open_files() {
    let mut command = Command::new("/bin/sh");
    let script = "ulimit -n 40 && exec \"$0\" \"$@\"";
    command.args([
        "-c",
        script,
        env!("CARGO_BIN_EXE_kestrel"),
        "run",
        "--urls",
        "http://127.0.0.1:0",
        "--Logging:LogLevel:Kestrel.Server=Debug",
    ]);
    let running = Kestrel::by(command).started();
    let address = running.address();
    let begun = Instant::now();
    // The system completes them all; the process can take some 25.
    let connections: Vec<_> = (0..60).map(|_| connect(&address)).collect();
    running.wait_for("warn: Kestrel.Server[1]");
    running.wait_for("cannot be accepted: ");
    running.wait_for("fix: raise the limit of open files");
    // It does not spin: the pauses grow from 50 ms on, twice as long each. What goes on is told once.
    running.wait_until(|text| text.matches("dbug: Kestrel.Server[1]").count() >= 3);
    assert_eq!(running.stdout().matches("warn: Kestrel.Server[1]").count(), 1);
    assert!(begun.elapsed() >= Duration::from_millis(50 + 100 + 200), "{:?}", begun.elapsed());
    drop(connections);
    for _ in 0..3 {
        assert_eq!(get(&address, "/", &[]).status, 200);
    }
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}
