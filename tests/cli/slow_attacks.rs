//! The attacks of slowhttptest, all at once.

use std::io::ErrorKind;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::environment::skipped;
use crate::http::get;
use crate::process::Kestrel;

/// Heads, bodies and reads that do not end, each with as many connections as they say.
const ATTACKS: [&[&str]; 3] = [
    &["-H"],
    &["-B", "-t", "POST"],
    &["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "5", "-k", "3"],
];

fn attack(mode: &[&str], url: &str) -> Option<Child> {
    let child = Command::new("slowhttptest")
        .args(mode)
        // As many connections at once as one process may have files on a machine as it comes,
        // something more every second, for some seconds, and a second for an answer to the probe.
        .args(["-c", "300", "-r", "300", "-i", "1", "-l", "4", "-p", "1", "-x", "10", "-u", url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        child => Some(child.expect("slowhttptest runs")),
    }
}

#[test]
fn slow_attacks_leave_the_service_available() {
    let running = Kestrel::run([])
        .variable("Kestrel__Limits__RequestHeadersTimeout", "00:00:01")
        .variable("Kestrel__Limits__MinRequestBodyDataRate__GracePeriod", "00:00:02")
        .variable("Kestrel__Limits__MinRequestBodyDataRate__BytesPerSecond", "100")
        .started();
    let url = format!("{}/", running.address());
    let attacks: Option<Vec<_>> = ATTACKS.iter().map(|mode| attack(mode, &url)).collect();
    let Some(mut attacks) = attacks else {
        return skipped("slow attacks", "slowhttptest (apt-get install slowhttptest)");
    };
    let (mut served, mut longest) = (0, Duration::ZERO);
    while attacks.iter_mut().any(|attack| attack.try_wait().expect("a child").is_none()) {
        let begun = Instant::now();
        assert_eq!(get(&running.address(), "/", &[]).status, 200);
        (served, longest) = (served + 1, longest.max(begun.elapsed()));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(served >= 20, "only {served} were served");
    assert!(longest < Duration::from_secs(10), "one waited for {longest:?}");
    for (attack, mode) in attacks.into_iter().zip(ATTACKS) {
        let output = attack.wait_with_output().expect("it has ended");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{mode:?}: {said}");
        assert!(said.contains("service available:"), "{mode:?}: {said}");
        for line in said.lines().filter(|line| line.contains("service available:")) {
            assert!(line.contains("YES"), "{mode:?}: {said}");
        }
    }
    assert_eq!(running.terminated().code, Some(0));
}
