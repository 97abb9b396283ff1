//! How programs behind the host end: those that are replaced, those that are still starting, and what a stop says of them.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::child_process::{hosting, is_alive, process_of, wait_until, who};
use crate::http::get;
use crate::process::Running;

/// Programs do not heed SIGTERM, and have more time than any test.
const DEAF: &str = r#""ShutdownTimeLimit": 300, "Watch": ["app.py"]"#;

/// A host that has two seconds for its stop, with a program; and the number of that.
fn with_a_deaf_program() -> (Running, u32) {
    let kestrel = hosting(&["deaf", "old"], DEAF).argument("--shutdownTimeoutSeconds=2");
    let running = kestrel.started();
    let process = process_of(&who(&running));
    (running, process)
}

/// Lets the host stop, which does not wait for the program.
fn stops_in_its_own_time(running: Running, process: u32) {
    assert!(is_alive(process), "{}", running.stdout());
    let begun = Instant::now();
    let outcome = running.terminated();
    assert!(begun.elapsed() < Duration::from_secs(30), "{}", outcome.stdout);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
    assert!(!is_alive(process));
    let told = format!("Process {process} did not end within ");
    assert!(outcome.stdout.contains(&told), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("shutdownTimeoutSeconds says how long"), "{}", outcome.stdout);
}

#[test]
fn a_stop_does_not_wait_longer_for_a_program_whose_section_has_changed() {
    let (running, process) = with_a_deaf_program();
    let settings = running.root().join("appsettings.json");
    let text = fs::read_to_string(&settings).expect("it is ours").replace("\"old\"", "\"new\"");
    fs::write(&settings, text).expect("it is ours");
    wait_until("another answers", || process_of(&who(&running)) != process);
    stops_in_its_own_time(running, process);
}

#[test]
fn a_stop_does_not_wait_longer_for_a_program_whose_files_have_changed() {
    let (running, process) = with_a_deaf_program();
    fs::write(running.root().join("app.py"), "another").expect("it is ours");
    wait_until("another answers", || process_of(&who(&running)) != process);
    stops_in_its_own_time(running, process);
}

#[test]
fn a_stop_gives_its_time_to_a_program_whose_section_is_gone() {
    let (running, process) = with_a_deaf_program();
    fs::write(running.root().join("appsettings.json"), "{}").expect("it is ours");
    running.wait_for("No program runs behind this one any more");
    stops_in_its_own_time(running, process);
}

#[test]
fn a_stop_gives_its_time_to_a_program_whose_site_is_gone() {
    let kestrel = hosting(&["deaf"], DEAF).argument("--shutdownTimeoutSeconds=2");
    let settings = kestrel.root().join("appsettings.json");
    let text = fs::read_to_string(&settings).expect("it is ours");
    let site = format!(
        r#"{{"Sites": {{"Shop": {}}}}}"#,
        text.replacen('{', r#"{"Hosts": ["127.0.0.1"], "#, 1)
    );
    fs::write(&settings, site).expect("it is ours");
    let running = kestrel.started();
    let process = process_of(&who(&running));
    fs::write(&settings, "{}").expect("it is ours");
    running.wait_for("Shop");
    stops_in_its_own_time(running, process);
}

#[test]
fn a_program_has_its_time_to_end_although_a_request_has_no_end() {
    let running = hosting(&["serve"], "").argument("--shutdownTimeoutSeconds=6").started();
    let process = process_of(&who(&running));
    let address = running.address();
    let waiting = thread::spawn(move || get(&address, "/wait?file=/no/such/file", &[]));
    running.wait_for("/wait");
    let outcome = running.terminated();
    // The program ended first: its client was told, and is not cut off with the host.
    assert_eq!(waiting.join().expect("it ends").status, 503, "{}", outcome.stdout);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
    assert!(!is_alive(process));
}

#[test]
fn a_program_that_is_still_starting_is_asked_to_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lock");
    let running = hosting(&["lock", &*file.display().to_string()], "").started();
    wait_until("it has begun", || file.exists());
    let outcome = running.terminated();
    assert!(!file.exists(), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("killed"), "{}", outcome.stdout);
}

/// The one that was to take the place of another, and is not needed any more.
#[test]
fn a_program_that_another_takes_the_place_of_before_it_is_ready_is_asked_to_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["first", "second"].map(|name| folder.path().join(name));
    let modes = files.each_ref().map(|file| format!(r#"["lock", {file:?}]"#));
    let kestrel = hosting(&["serve"], "");
    let settings = kestrel.root().join("appsettings.json");
    let running = kestrel.started();
    let process = process_of(&who(&running));
    let text = fs::read_to_string(&settings).expect("it is ours");
    let change_to = |mode: &str| {
        fs::write(&settings, text.replace(r#"["serve"]"#, mode)).expect("it is ours");
    };
    change_to(&modes[0]);
    wait_until("it has begun", || files[0].exists());
    change_to(&modes[1]);
    wait_until("it was asked to end", || !files[0].exists());
    wait_until("another has begun", || files[1].exists());
    // Until one is ready, the one that runs goes on.
    assert_eq!(process_of(&who(&running)), process);
    let outcome = running.terminated();
    assert!(!files[1].exists(), "{}", outcome.stdout);
    assert!(!is_alive(process));
}

#[test]
fn a_stop_says_what_it_waits_for() {
    let running = hosting(&["deaf"], r#""ShutdownTimeLimit": 3"#).started();
    let process = process_of(&who(&running));
    let outcome = running.terminated();
    let told = format!("The stop waits for process {process} to end, and kills it in ");
    assert_eq!(outcome.stdout.matches(&told).count(), 1, "{}", outcome.stdout);
    let killed = format!("Process {process} did not end within 3.00 s and was killed: ");
    assert!(outcome.stdout.contains(&killed), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("ShutdownTimeLimit says how long"), "{}", outcome.stdout);
    // One that ends at once is not worth a line.
    let running = hosting(&["serve"], "").started();
    who(&running);
    assert!(!running.terminated().stdout.contains("The stop waits for process"));
}
