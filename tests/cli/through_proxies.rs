//! What passes through each of the four proxies, started with what `kestrel generate` prints for it.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::examples::example;
use crate::generate::{PROGRAMS, Place, Program, Way, curl, each, started_with, with_certificate};
use crate::process::{Kestrel, LIMIT};
use crate::proxies::Proxy;

/// An example behind a proxy.
struct Behind {
    app: crate::process::Running,
    _proxy: Proxy,
    port: u16,
    _place: Place,
}

/// Starts it, unless the proxy or the example is not there.
fn behind((program, way): (&Program, Way), name: &str, settings: &[&str]) -> Option<Behind> {
    behind_with((program, way), name, &[], settings)
}

/// The same, with more that the proxy is to be.
fn behind_with(
    (program, way): (&Program, Way),
    name: &str,
    options: &[&str],
    settings: &[&str],
) -> Option<Behind> {
    let place = Place::new();
    let spec = place.spec(way);
    let app = match name {
        "middleware" => example(name, &[])?.argument("--listen").argument(&spec),
        name => example(name, &["--listen", &spec])?,
    };
    let app = settings.iter().fold(app, |app: Kestrel, setting| app.argument(setting));
    let app = app.started();
    let text = (options, settings);
    let (proxy, port) = started_with(program, &place, &app.address(), text, |text| text)?;
    Some(Behind { app, _proxy: proxy, port, _place: place })
}

impl Behind {
    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn ends_well(self) {
        assert_eq!(self.app.terminated().code, Some(0));
    }
}

#[test]
fn large_heads_and_large_bodies_pass_both_ways() {
    let body = tempfile::NamedTempFile::new().expect("a file");
    body.as_file().set_len(20_000_000).expect("the file is ours");
    let body = format!("@{}", body.path().display());
    for (program, way) in each() {
        let Some(behind) = behind((program, way), "middleware", &[]) else { continue };
        let large = "a".repeat(7000);
        let header = format!("X-Large: {large}");
        let seen = curl(&["-H", &header, "--data-binary", &body, &behind.url("/echo")]);
        let length = r#""length":20000000"#;
        assert!(seen.contains(length), "{}: {seen}", program.name);
        let sized = ["-o", "/dev/null", "-w", "%{http_code} %{size_download}"];
        let url = behind.url("/r?n=20000000");
        assert_eq!(curl(&[&sized[..], &[&url]].concat()), "200 20000000", "{}", program.name);
        let url = behind.url(&format!("/r?text=it&h=X-Large:{large}"));
        let answer = curl(&["-i", &url]);
        assert!(
            answer.to_ascii_lowercase().contains(&header.to_ascii_lowercase()),
            "{}",
            program.name
        );
        behind.ends_well();
    }
}

/// The largest head by default is 32 KiB, and what the proxy adds is in it, too.
#[test]
fn heads_pass_that_are_as_large_as_the_app_takes() {
    for (program, way) in each() {
        let certificates = Place::new();
        let options = with_certificate(program, &certificates);
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let Some(behind) = behind_with((program, way), "middleware", &options, &[]) else {
            continue;
        };
        let url = behind.url("/r?text=it").replace("http:", "https:");
        let sizes = [&[20_000][..], &[12_000, 12_000], &[31_800], &[320; 80]];
        for (version, sizes) in sizes.iter().flat_map(|it| [("--http1.1", it), ("--http2", it)]) {
            let lines = sizes.iter().enumerate();
            let lines: Vec<_> =
                lines.map(|(at, size)| format!("X-Large-{at}: {}", "a".repeat(*size))).collect();
            let lines = lines.iter().flat_map(|line| ["-H", line.as_str()]);
            let asked: Vec<_> =
                [version, "-w", "%{http_code}", &url].into_iter().chain(lines).collect();
            let seen = curl(&asked);
            let count = sizes.len();
            assert_eq!(seen, "it200", "{} {way:?} {version}: {count} lines", program.name);
        }
        behind.ends_well();
    }
}

/// Tells of everybody who has said "first".
fn hears_first(mut stream: impl Read, heard: &mpsc::Sender<()>) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
        if seen.windows(5).any(|part| part == b"first") {
            let _ = heard.send(());
            return;
        }
    }
}

/// Somebody who hears what comes over a proxy, and where.
#[expect(clippy::disallowed_methods, reason = "it sees the bytes, as no app does")]
fn ears(place: &Place, way: Way) -> (String, mpsc::Receiver<()>) {
    let (heard, hearing) = mpsc::channel();
    let address = match way {
        Way::Port => {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("it is bound");
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let heard = heard.clone();
                    thread::spawn(move || hears_first(stream, &heard));
                }
            });
            format!("http://{address}")
        }
        Way::UnixSocket => {
            let path = place.socket();
            let listener = UnixListener::bind(&path).expect("the folder is ours");
            let open = Permissions::from_mode(0o666);
            fs::set_permissions(&path, open).expect("the folder is ours");
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let heard = heard.clone();
                    thread::spawn(move || hears_first(stream, &heard));
                }
            });
            format!("http://unix:{}", path.display())
        }
    };
    (address, hearing)
}

/// Apache waits for a body, or for much of it.
#[test]
fn what_a_client_sends_goes_on_before_it_is_done() {
    for (program, way) in each().filter(|(program, _)| program.name != "apache") {
        for (header, piece) in
            [("Content-Length: 100", "first"), ("Transfer-Encoding: chunked", "5\r\nfirst\r\n")]
        {
            let place = Place::new();
            let (address, hearing) = ears(&place, way);
            let Some((_proxy, port)) =
                started_with(program, &place, &address, (&[], &[]), |text| text)
            else {
                continue;
            };
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
            let head = format!("POST / HTTP/1.1\r\nHost: a.test\r\n{header}\r\n\r\n");
            stream.write_all(head.as_bytes()).expect("it reads");
            stream.write_all(piece.as_bytes()).expect("it reads");
            let heard = hearing.recv_timeout(LIMIT);
            assert_eq!(heard, Ok(()), "{} {way:?} {header}", program.name);
        }
    }
}

#[test]
fn what_the_app_sends_goes_on_before_it_is_done() {
    for (program, way) in each() {
        // Only nginx tells that a client has gone; behind the others the stop waits for the answer.
        let soon = ["--shutdownTimeoutSeconds=2"];
        let Some(behind) = behind((program, way), "middleware", &soon) else { continue };
        let mut stream = TcpStream::connect(("127.0.0.1", behind.port)).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("it is connected");
        // The second piece comes in an hour.
        let request =
            "GET /r?text=first&parts=2&flush&wait=3600000 HTTP/1.1\r\nHost: a.test\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut seen = Vec::new();
        while !seen.windows(5).any(|part| part == b"first") {
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).expect("it is sent at once");
            assert!(read > 0, "{}: {}", program.name, String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..read]);
        }
        drop(stream);
        behind.ends_well();
    }
}

#[test]
fn connections_to_the_app_are_used_again_and_given_up_before_it_does() {
    const KEPT: &str = "--Kestrel:Limits:KeepAliveTimeout=00:00:03";
    let looked_at = |program: &Program, way: Way| {
        let levels = "--Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel=Debug";
        let Some(behind) = behind((program, way), "conformance", &[KEPT, levels]) else { return };
        let url = behind.url("/");
        let status = || curl(&["-o", "/dev/null", "-w", "%{http_code}", &url]);
        for _ in 0..20 {
            assert_eq!(status(), "200", "{}", program.name);
        }
        let opened = || behind.app.stdout().matches("\" started.").count();
        // HAProxy looks at the app's health by connections of its own.
        assert!((1..=6).contains(&opened()), "{}: {}", program.name, behind.app.stdout());
        // How long a connection is idle is what this is about.
        for tenths in [9, 19, 20, 21, 27, 28, 29, 30, 31] {
            thread::sleep(Duration::from_millis(100 * tenths));
            assert_eq!(status(), "200", "{} after {tenths} tenths of a second", program.name);
        }
        behind.ends_well();
    };
    thread::scope(|scope| {
        for (program, way) in each() {
            scope.spawn(move || looked_at(program, way));
        }
    });
}

#[test]
fn haproxy_and_caddy_speak_http2_to_the_app() {
    for (name, from, to) in [
        ("haproxy", " check", " check proto h2"),
        ("caddy", "reverse_proxy unix/", "reverse_proxy unix+h2c/"),
    ] {
        let Some(program) = PROGRAMS.iter().find(|program| program.name == name) else {
            panic!("{name} is one of them")
        };
        let place = Place::new();
        let Some(app) = example("conformance", &["--listen", &place.spec(Way::UnixSocket)]) else {
            return;
        };
        let app = app.started();
        let change = |text: String| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to)
        };
        let Some((_proxy, port)) =
            started_with(program, &place, &app.address(), (&[], &[]), change)
        else {
            continue;
        };
        for turn in 0..3 {
            let seen = curl(&["-d", "abc", &format!("http://127.0.0.1:{port}/{turn}")]);
            assert!(seen.contains(r#""protocol":"HTTP/2""#), "{name}: {seen}");
            assert!(seen.contains(r#""body":3"#), "{name}: {seen}");
        }
        assert_eq!(app.terminated().code, Some(0));
    }
}
