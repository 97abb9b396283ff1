//! Sockets that whoever starts the process passes to it, and what it tells a service manager.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::environment::skipped;
use crate::http::get_over;
use crate::process::Kestrel;

/// Opens sockets, and becomes a program that gets them, as systemd starts it: `SOCKETS PROGRAM ARGUMENTS`.
/// `{0}` in an argument or a variable is the port of the first one.
const BOOT: &str = r#"
import os, socket, sys
specs, program = sys.argv[1].split(), sys.argv[2:]
made = []
for spec in specs:
    kind, _, where = spec.partition('=')
    family = {'tcp6': socket.AF_INET6, 'unix': socket.AF_UNIX}.get(kind, socket.AF_INET)
    if kind == 'file':
        made.append(open(where, 'w'))
        continue
    one = socket.socket(family, socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)
    port = made[0].getsockname()[1] if where == 'same' else 0
    one.bind(where if kind == 'unix' else ('::1' if kind == 'tcp6' else '127.0.0.1', port))
    if kind not in ('udp', 'bound'):
        one.listen(16)
    made.append(one)
port = str(made[0].getsockname()[1]) if specs and specs[0][:3] in ('tcp', 'bou') else ''
for place, one in enumerate(made):
    os.dup2(one.fileno(), 100 + place)
for one in made:
    one.close()
for place in range(len(made)):
    os.dup2(100 + place, 3 + place, inheritable=True)
    os.close(100 + place)
os.environ.setdefault('LISTEN_FDS', str(len(made)))
os.environ.setdefault('LISTEN_PID', str(os.getpid()))
for name, value in list(os.environ.items()):
    os.environ[name] = value.replace('{0}', port)
os.execv(program[0], [text.replace('{0}', port) for text in program])
"#;

/// `kestrel run` with these sockets and arguments.
fn passed(sockets: &str, arguments: &[&str]) -> Kestrel {
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", BOOT, sockets, env!("CARGO_BIN_EXE_kestrel"), "run"]).args(arguments);
    Kestrel::by(command)
}

fn status_at(address: &str) -> u16 {
    crate::http::get(address, "/", &[]).status
}

fn status_over(path: &Path) -> u16 {
    get_over(UnixStream::connect(path).expect("somebody listens"), "/", &[]).status
}

/// The address of a socket of which only the port is not known.
fn port_of(address: &str) -> &str {
    address.rsplit_once(':').expect("a port").1
}

#[test]
fn a_passed_socket_is_an_endpoint() {
    for kind in ["tcp", "tcp6", "bound"] {
        let running = passed(kind, &["--strict"]).variable("LISTEN_FDNAMES", "web").started();
        let address = running.address();
        let expected = if kind == "tcp6" { "http://[::1]:" } else { "http://127.0.0.1:" };
        assert!(address.starts_with(expected), "{address}");
        assert_eq!(status_at(&address), 200, "{kind}");
        assert_eq!(running.terminated().code, Some(0));
    }
}

#[test]
fn several_are_served_and_the_file_of_a_unix_socket_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let running = passed(&format!("tcp tcp unix={}", path.display()), &["--strict"]).started();
    let addresses = running.addresses();
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    assert_eq!(addresses[2], format!("http://unix:{}", path.display()));
    for address in &addresses[..2] {
        assert_eq!(status_at(address), 200, "{address}");
    }
    assert_eq!(status_over(&path), 200);
    assert_eq!(running.terminated().code, Some(0));
    assert!(path.exists(), "whoever made it removes it");
}

#[test]
fn an_address_or_an_endpoint_that_names_a_passed_socket_is_on_it() {
    for arguments in [
        &["--urls", "http://127.0.0.1:{0}"][..],
        &["--Kestrel:Endpoints:A:Url", "http://127.0.0.1:{0}"],
        &["--listen", "127.0.0.1:{0}"],
        // Of both loopbacks one is passed, and the other is bound.
        &["--urls", "http://localhost:{0}"],
    ] {
        // Nothing is said of addresses that lose.
        let running = passed("tcp", &[arguments, &["--strict"]].concat()).started();
        let port = port_of(&running.address()).to_owned();
        assert_eq!(status_at(&format!("http://127.0.0.1:{port}")), 200, "{arguments:?}");
        let outcome = running.terminated();
        assert!(outcome.code == Some(0), "{arguments:?} {outcome:?}");
    }
    let both = passed("tcp tcp6=same", &["--strict", "--urls", "http://localhost:{0}"]).started();
    let port = port_of(&both.address()).to_owned();
    for host in ["127.0.0.1", "[::1]"] {
        assert_eq!(status_at(&format!("http://{host}:{port}")), 200, "{host}");
    }
    assert_eq!(both.terminated().code, Some(0));
}

#[test]
fn a_socket_that_no_address_names_wins_over_them() {
    let others = ["--urls", "http://127.0.0.1:0;http://127.0.0.1:{0}"];
    let running = passed("tcp tcp", &others).started();
    assert_eq!(running.addresses().len(), 2, "{:?}", running.addresses());
    let outcome = running.terminated();
    assert!(outcome.stdout.contains("Overriding address(es) 'http://127.0.0.1:0, "), "{outcome:?}");
    assert!(outcome.stdout.contains("(LISTEN_FDS), set by environment variable LISTEN_FDS"));

    // Unless addresses are preferred: then it waits for another one.
    let preferred = ["--urls", "http://127.0.0.1:0", "--preferHostingUrls", "true"];
    let outcome = passed("tcp", &preferred).stopped_if_started();
    assert!(outcome.stdout.contains("Overriding endpoints defined via IConfiguration"));

    // Endpoints of the configuration stand beside it.
    let beside = passed("tcp", &["--strict", "--Kestrel:Endpoints:A:Url", "http://127.0.0.1:0"]);
    let running = beside.started();
    for address in running.addresses() {
        assert_eq!(status_at(&address), 200);
    }
    assert_eq!(running.addresses().len(), 2);
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn a_plan_tells_what_was_passed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let spec = format!("unix={}", path.display());
    let plan = passed(&spec, &["--plan"]).ended();
    assert_eq!(plan.code, Some(0));
    assert!(plan.stdout.contains("app.sock, which listens already"), "{}", plan.stdout);
    let set_by = "set by:    environment variable LISTEN_FDS, key LISTEN_FDS";
    assert!(plan.stdout.contains(set_by), "{}", plan.stdout);

    let url = format!("http://unix:{}", path.display());
    let adopted =
        passed(&spec.replace("app", "b"), &["--plan", "--urls", &url.replace("app", "b")]);
    let plan = adopted.ended();
    assert!(plan.stdout.contains(", passed by LISTEN_FDS as unix:"), "{}", plan.stdout);
    assert!(plan.stdout.contains("key urls"), "{}", plan.stdout);
}

#[test]
fn what_cannot_be_served_refuses_the_start() {
    for (sockets, count, told) in [
        ("udp", None, "descriptor 3 cannot be served: it is a socket for single messages"),
        ("file=plain", None, "descriptor 3 cannot be served: it is no socket"),
        ("tcp", Some("9"), "cannot be served: "),
    ] {
        let mut kestrel = passed(sockets, &[]);
        if let Some(count) = count {
            kestrel = kestrel.variable("LISTEN_FDS", count);
        }
        let outcome = kestrel.ended();
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("set by: environment variable LISTEN_FDS"));
        assert_eq!(outcome.stderr.matches("set by:").count(), 1, "{}", outcome.stderr);
    }
}

#[test]
fn sockets_of_other_processes_are_left_alone() {
    for (name, value, told) in [
        ("LISTEN_PID", "1", 0),
        ("LISTEN_PID", "", 1),
        ("LISTEN_FDS", "+1", 1),
        ("LISTEN_FDS", "0", 0),
    ] {
        let urls = ["--urls", "http://127.0.0.1:0"];
        let outcome = passed("tcp", &urls).variable(name, value).stopped_if_started();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let warnings = outcome.stdout.matches("Sockets that were passed are left alone").count();
        assert_eq!(warnings, told, "{name}={value}: {}", outcome.stdout);
        assert!(!outcome.stdout.contains("Overriding"), "{}", outcome.stdout);
    }
}

#[test]
fn a_reload_takes_a_passed_socket_and_gives_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, other) = (folder.path().join("app.sock"), folder.path().join("other.sock"));
    let settings = |path: &Path| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{"A":{{"Url":"http://unix:{}"}}}}}}}}"#,
            path.display()
        )
    };
    let kestrel = passed(&format!("unix={}", path.display()), &["--strict"]);
    let file = kestrel.root().join("appsettings.json");
    let running = kestrel.file("appsettings.json", &settings(&path)).started();
    assert_eq!(running.addresses().len(), 1, "they are one");
    let go_over_to = |path: &Path, times: usize| {
        std::fs::write(&file, settings(path)).expect("it can be written");
        running.signal(Signal::SIGHUP);
        running.wait_until(|text| text.matches("+ http://unix:").count() == times);
        assert_eq!(status_over(path), 200);
    };
    assert_eq!(status_over(&path), 200);
    go_over_to(&other, 1);
    assert!(path.exists() && other.exists());
    go_over_to(&path, 2);
    assert!(!other.exists(), "that one was ours");
    assert_eq!(running.terminated().code, Some(0));
    assert!(path.exists());
}

#[test]
fn systemd_activates_it() {
    const ACTIVATE: &str = "/usr/bin/systemd-socket-activate";
    if !Path::new(ACTIVATE).exists() {
        return skipped("socket activation", "systemd-socket-activate (apt-get install systemd)");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let mut command = Command::new(ACTIVATE);
    command.arg(format!("--listen={}", path.display())).arg("--fdname=web");
    command.args([env!("CARGO_BIN_EXE_kestrel"), "run", "--strict"]);
    let running = Kestrel::by(command).spawn();
    let began = std::time::Instant::now();
    // It listens at once, and starts the program for who comes.
    let client = loop {
        match UnixStream::connect(&path) {
            Ok(client) => break client,
            Err(error) => assert!(began.elapsed() < crate::process::LIMIT, "{error}"),
        }
        std::thread::yield_now();
    };
    assert_eq!(get_over(client, "/", &[]).status, 200, "who came first is answered");
    running.wait_for("Application started");
    assert_eq!(running.address(), format!("http://unix:{}", path.display()));
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn a_service_manager_is_told_that_it_serves_and_that_it_stops() {
    use std::os::linux::net::SocketAddrExt;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify.sock");
    let name = format!("kestrel-tests-notify-{}", std::process::id());
    let of_name = std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("a name");
    for (socket, listens) in [
        (path.display().to_string(), UnixDatagram::bind(&path)),
        (format!("@{name}"), UnixDatagram::bind_addr(&of_name)),
    ] {
        let manager = listens.expect("a socket");
        manager.set_read_timeout(Some(crate::process::LIMIT)).expect("a timeout");
        let hear = || {
            let mut heard = [0; 64];
            let length = manager.recv(&mut heard).expect("it is told");
            String::from_utf8_lossy(&heard[..length]).into_owned()
        };
        let running = Kestrel::run(["--strict"]).variable("NOTIFY_SOCKET", &socket).spawn();
        assert_eq!(hear(), "READY=1");
        running.wait_for("Now listening on");
        assert_eq!(status_at(&running.address()), 200);
        assert_eq!(running.terminated().code, Some(0));
        assert_eq!(hear(), "STOPPING=1");
        manager.set_nonblocking(true).expect("it can be");
        let end = manager.recv(&mut [0; 64]).expect_err("there is no more");
        assert_eq!(end.kind(), ErrorKind::WouldBlock);
    }

    // One that is not there holds nobody.
    let gone = folder.path().join("gone.sock");
    let told = Kestrel::run([]).variable("NOTIFY_SOCKET", &gone.display().to_string());
    let outcome = told.stopped_if_started();
    assert_eq!(outcome.code, Some(0));
    let warning = "The service manager cannot be told READY=1 at ";
    assert!(outcome.stdout.contains(warning), "{}", outcome.stdout);
}

/// The port is open as long as whoever passed it has it; here that is the process itself.
#[test]
fn a_passed_socket_is_closed_with_the_process() {
    let running = passed("tcp", &[]).started();
    let address = running.address().replace("http://", "");
    assert_eq!(running.terminated().code, Some(0));
    let error = TcpStream::connect(address).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}
