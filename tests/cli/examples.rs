//! The examples as who reads them runs them. Those that have their like with `axum::serve` are run in `beside_axum.rs`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::environment::skipped;
use crate::http::{connect, get, get_over};
use crate::process::{Kestrel, Running};

pub(crate) const ANY_PORT: [&str; 2] = ["--urls", "http://127.0.0.1:0"];

/// An example, if it is built: `cargo test` does, if it is asked for nothing else.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Option<Kestrel> {
    let folder = Path::new(env!("CARGO_BIN_EXE_kestrel")).with_file_name("examples");
    let program: PathBuf = folder.join(name);
    if !program.is_file() {
        skipped(&format!("the example {name}"), "cargo build --examples");
        return None;
    }
    let mut command = Command::new(program);
    command.args(arguments);
    Some(Kestrel::by(command))
}

fn is_stopped(running: Running) -> String {
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{}", outcome.stdout);
    outcome.stdout
}

#[test]
fn hello_and_limits_do_what_they_say() {
    let Some(hello) = example("hello", &ANY_PORT) else { return };
    let running = hello.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "Hello, World!");
    is_stopped(running);
    let Some(limits) = example("limits", &ANY_PORT) else { return };
    let running = limits.started();
    for (path, length, status) in [("/notes", 20_000, 413), ("/uploads", 20_000, 200)] {
        let body = "x".repeat(length);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut stream = connect(&running.address());
        stream.write_all(request.as_bytes()).expect("it reads");
        // It need not read what it refuses.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
    is_stopped(running);
}

#[test]
fn what_is_wrong_with_a_section_is_told_with_its_kind_of_exit_code() {
    let Some(without) = example("json_api", &ANY_PORT) else { return };
    let outcome = without.ended();
    assert_eq!(outcome.code, Some(6));
    assert!(outcome.stderr.contains("'Store:File' is missing."), "{}", outcome.stderr);

    let soon = [&ANY_PORT[..], &["--Worker:Every", "soon"]].concat();
    let Some(worker) = example("worker", &soon) else { return };
    let outcome = worker.ended();
    assert_eq!(outcome.code, Some(7), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("'soon'"), "{}", outcome.stdout);
}

#[test]
fn a_host_inside_of_another_program_ends_with_it() {
    let Some(embedded) = example("embedded", &ANY_PORT) else { return };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let running = embedded.stdin(Stdio::from(reader)).started();
    let mut writer = writer;
    let address = running.address();
    assert_eq!(get_over(connect(&address), "/", &[]).body, "nothing yet");
    writer.write_all(b"a line\n").expect("it reads");
    while get(&address, "/", &[]).body != "a line" {
        thread::yield_now();
    }
    drop(writer);
    let outcome = running.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn another_server_answers_lines_and_ends_with_its_input() {
    let Some(lines) = example("custom_server", &[]) else { return };
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(b"/greet\n/nothing\n").expect("it reads");
    drop(writer);
    let outcome = lines.stdin(Stdio::from(reader)).ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    // Lines of the log may stand between them.
    let told: Vec<_> = outcome.stdout.lines().map(str::trim_start).collect();
    for line in ["200 Hello, line!", "404 ", "Now listening on: lines://stdin"] {
        assert!(told.contains(&line), "{line}: {}", outcome.stdout);
    }
}

#[test]
fn a_source_of_ones_own_has_its_place_its_reload_and_its_lines() {
    let start = |text: &str, rest: &[&'static str]| {
        let example = example("own_source", &[&ANY_PORT, rest].concat())?;
        let below = r#"{"Greeting":"from appsettings.json"}"#;
        Some(example.file("appsettings.json", below).file("app.properties", text))
    };
    let Some(program) = start("# the greeting\nGreeting = Hello\n", &[]) else { return };
    let file = program.root().join("app.properties");
    let running = program.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "Hello");
    std::fs::write(file, "Greeting=Good day\n").expect("it can be written");
    while get(&running.address(), "/", &[]).body != "Good day" {
        thread::yield_now();
    }
    is_stopped(running);

    let Some(program) = start("Greeting = Hello\n", &["--Greeting", "typed"]) else { return };
    let running = program.started();
    assert_eq!(get(&running.address(), "/", &[]).body, "typed");
    is_stopped(running);

    let Some(program) = start("what\nKestrel:Limits:Http2 = 1\nis this\n", &[]) else { return };
    let outcome = program.ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    for told in ["'what' is no property.", "app.properties:1:1", "app.properties:3:1"] {
        assert!(outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
    }

    let long = "  Kestrel:Limits:MaxRequestBodySize =  much\n";
    let Some(program) = start(long, &[]) else { return };
    let outcome = program.ended();
    assert!(outcome.stderr.contains("app.properties:1:40"), "{}", outcome.stderr);
}

/// An example is run by a test above, or has tests of its own, which `cargo test` has to run.
#[test]
fn no_example_is_forgotten() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path: &Path| std::fs::read_to_string(path).expect("a text");
    let manifest = text(&root.join("Cargo.toml"));
    let tests =
        ["examples", "beside_axum"].map(|it| text(&root.join(format!("tests/cli/{it}.rs"))));
    let runs = |call: &str, name: &str| tests.concat().contains(&format!("{call}(\"{name}\""));
    let files = std::fs::read_dir(root.join("examples")).expect("the folder is there");
    let mut seen = 0;
    for file in files.map(|file| file.expect("it can be read").path()) {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        seen += 1;
        let name = file.file_stem().expect("a name").to_string_lossy();
        let has_tests = text(&file).contains("#[cfg(test)]");
        let is_tested = manifest.contains(&format!("name = \"{name}\"\ntest = true\n"));
        assert_eq!(has_tests, is_tested, "{name}: test = true in Cargo.toml");
        assert!(has_tests || runs("example", &name) || runs("both", &name), "{name}: who runs it?");
    }
    assert!(seen > 8, "they are found: {seen}");
}
