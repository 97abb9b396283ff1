//! Pages in a real browser.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use nix::sys::signal::Signal;

use crate::environment::skipped;
use crate::examples::{ANY_PORT, example};
use crate::process::Kestrel;

const CHROMIUM: &str = "Chromium (apt-get install chromium)";

/// What headless Chromium makes of a page, with its console on standard error. What it trusts is a
/// matter of its home.
fn chromium(url: &str, home: &Path) -> Option<Output> {
    let profile = tempfile::tempdir().expect("a folder for the browser");
    chromium_as(url, home, profile.path())
}

/// The same with what the browser remembers of earlier visits.
fn chromium_as(url: &str, home: &Path, profile: &Path) -> Option<Output> {
    let output = Command::new("chromium")
        .args([
            "--headless",
            // A test may run as root, where the sandbox cannot.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // One of the names of the development certificate that is not excluded from HSTS.
            "--host-resolver-rules=MAP host.docker.internal 127.0.0.1",
            "--enable-logging=stderr",
            "--log-level=0",
            "--dump-dom",
            url,
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .env("HOME", home)
        .output();
    output.ok().filter(|output| output.status.success())
}

#[test]
fn a_browser_shows_the_welcome_page_and_has_nothing_to_complain_of() {
    let running = Kestrel::run(["--urls", "http://127.0.0.1:0"]).started();
    let address = running.address();
    let home = tempfile::tempdir().expect("a folder");
    let Some(output) = chromium(&format!("{address}/<i>?q=\"<b>"), home.path()) else {
        return skipped("browser", CHROMIUM);
    };
    let page = page_without_complaints(&output);
    assert!(page.contains("<h1>") && page.contains(&address), "{page}");
    assert!(!page.contains("<b>") && !page.contains("<i>"), "{page}");
    assert_eq!(running.terminated().code, Some(0));
}

/// The page, of which the browser has nothing to complain: a style that the policy forbids, or a file that is
/// missing, would be told on its console.
fn page_without_complaints(output: &Output) -> String {
    let console = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<_> = console.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert_eq!(complaints, Vec::<&str>::new());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_browser_shows_a_folder_and_leads_into_it() {
    let kestrel = Kestrel::new(["serve", "-p", "0", "--listing"]);
    let root = kestrel.root();
    std::fs::create_dir(root.join("odd <b>& name")).expect("a folder");
    std::fs::write(root.join("odd <b>& name/100% #1?.txt"), "found\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    let home = tempfile::tempdir().expect("a folder");
    let Some(output) = chromium(&address, home.path()) else {
        return skipped("browser", CHROMIUM);
    };
    let page = page_without_complaints(&output);
    assert!(page.contains("odd &lt;b&gt;&amp; name</bdi>/") && !page.contains("<b>"), "{page}");
    // By the links that it has, down to the file.
    let mut url = address.clone();
    for (name, page) in [("odd", page), ("100", String::new())] {
        let page = match page.is_empty() {
            true => page_without_complaints(&chromium(&url, home.path()).expect("it was there")),
            false => page,
        };
        let link = page.split("href=\"./").find(|rest| rest.starts_with(name)).expect("a link");
        let link = link.split('"').next().expect("the end of the link");
        url = format!("{}/{link}", url.trim_end_matches('/'));
    }
    let page = page_without_complaints(&chromium(&url, home.path()).expect("it was there"));
    assert!(page.contains("found"), "{url}: {page}");
    running.terminated();
}

#[test]
fn a_browser_finds_the_pages_of_a_single_page_app_and_comes_back_for_what_is_new() {
    let kestrel = Kestrel::run(["--NavigationFallback:Path=/index.html"]).file(
        "appsettings.json",
        r#"{"StaticFiles":{"Headers":{"*":{"Cache-Control":"no-cache"}}}}"#,
    );
    std::fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
    let app = "<!doctype html><link rel=icon href=data:,><p id=a><script>a.textContent = location.pathname</script>";
    std::fs::write(kestrel.root().join("wwwroot/index.html"), app).expect("a file");
    let running = kestrel.started();
    let address = running.address().replace("127.0.0.1", "localhost");
    let home = tempfile::tempdir().expect("a folder");
    let visit = || chromium_as(&format!("{address}/deep/link"), home.path(), home.path());
    let Some(output) = visit() else { return skipped("browser", CHROMIUM) };
    let page = page_without_complaints(&output);
    assert!(page.contains("/deep/link</p>"), "{page}");
    let page = page_without_complaints(&visit().expect("it was there"));
    assert!(page.contains("/deep/link</p>"), "{page}");
    let outcome = running.terminated();
    let answered = |status: &str| outcome.stdout.contains(&format!("/deep/link - {status} "));
    assert!(answered("200") && answered("304"), "{}", outcome.stdout);
}

#[test]
fn a_browser_shows_developers_what_failed() {
    let Some(app) = example("middleware", &[]) else { return };
    let app = app.variable("MW_DEVPAGE", "1").variable("ASPNETCORE_URLS", "http://127.0.0.1:0");
    let running = app.started();
    let address = running.address();
    let home = tempfile::tempdir().expect("a folder");
    let url = format!("{address}/throw?q=%3Cscript%3Ealert(1)%3C/script%3E");
    let Some(output) = chromium(&url, home.path()) else { return skipped("browser", CHROMIUM) };
    // That the answer has the status 500 is what the console has to tell.
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains("thrown by the app"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    running.terminated();
}

/// A home with the database of what browsers trust; `None` where nothing is there to make one.
fn home_with_database() -> Option<tempfile::TempDir> {
    let home = tempfile::tempdir().expect("a folder");
    let database = home.path().join(".pki/nssdb");
    std::fs::create_dir_all(&database).expect("the folder is ours");
    let made = Command::new("certutil")
        .arg("-d")
        .arg(format!("sql:{}", database.display()))
        .args(["-N", "--empty-password"])
        .output();
    made.is_ok_and(|output| output.status.success()).then_some(home)
}

const CERTUTIL: &str = "certutil (apt-get install libnss3-tools)";

/// How `kestrel dev-certs https` ends, with this argument.
fn dev_certs(home: &Path, argument: &str) -> Option<i32> {
    Kestrel::new(["dev-certs", "https", argument])
        .variable("HOME", &home.to_string_lossy())
        .variable("PATH", &crate::dev_certs::path())
        .ended()
        .code
}

#[test]
fn a_browser_trusts_the_development_certificate_once_it_is_told_to() {
    let Some(home) = home_with_database() else { return skipped("browser", CERTUTIL) };
    let home = home.path();
    let page = |trusted: bool| {
        let running = Kestrel::new(["run", "--urls", "https://127.0.0.1:0"])
            .variable("HOME", &home.to_string_lossy())
            .started();
        let address = running.address().replace("127.0.0.1", "localhost");
        let output = chromium(&address, home)?;
        assert_eq!(running.terminated().code, Some(0));
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(page.contains("<dt>Scheme</dt><dd>https</dd>"), trusted, "{page}");
        Some(())
    };
    assert_eq!(dev_certs(home, "--quiet"), Some(0));
    if page(false).is_none() {
        return skipped("browser", CHROMIUM);
    }
    // In part, because SSL_CERT_DIR is not set; a browser does not look at that.
    assert_eq!(dev_certs(home, "--trust"), Some(4));
    page(true).expect("the browser is there");
    assert_eq!(dev_certs(home, "--clean"), Some(0));
}

/// Asks hosts for a script by https, which then asks the same host for one in clear text: each says that it was there.
/// The port of https is in the query.
const ASKS_BOTH_WAYS: &str = r#"<!doctype html><link rel=icon href=data:,><script>
    const ask = (scheme, host, port, file) =>
        document.write(`<script src="${scheme}://${host}:${port}/${file}"><\/script>`);
    const seen = what => document.write(`<p>${what} ${new URL(document.currentScript.src).hostname}</p>`);
    for (const host of ["localhost", "host.docker.internal"])
        ask("https", host, location.search.slice(1), "secure.js");
</script>"#;

#[test]
fn a_browser_stays_with_https_where_it_is_told_to_and_is_not_told_so_of_localhost() {
    let Some(home) = home_with_database() else { return skipped("browser", CERTUTIL) };
    let home = home.path();
    assert_eq!(dev_certs(home, "--trust"), Some(4));
    let kestrel = Kestrel::new([
        "run",
        "--urls=http://127.0.0.1:0;https://127.0.0.1:0",
        "--Hsts:Enabled=true",
    ])
    .variable("HOME", &home.to_string_lossy());
    let root = kestrel.root().join("wwwroot");
    std::fs::create_dir(&root).expect("a folder");
    let secure = r#"seen("secure"); ask("http", new URL(document.currentScript.src).hostname, location.port, "clear.js")"#;
    for (name, text) in [
        ("index.html", ASKS_BOTH_WAYS),
        ("secure.js", secure),
        ("clear.js", r#"seen("clear")"#),
        ("404.html", "<!doctype html><link rel=icon href=data:,><p>nothing of the kind</p>"),
    ] {
        std::fs::write(root.join(name), text).expect("a file");
    }
    let running = kestrel.started();
    let addresses = running.addresses();
    let [clear, secure] = &addresses[..] else { panic!("{addresses:?}") };
    let port = secure.rsplit(':').next().expect("a port");
    let clear = clear.replace("127.0.0.1", "localhost");
    let Some(output) = chromium(&format!("{clear}/?{port}"), home) else {
        return skipped("browser", CHROMIUM);
    };
    let page = String::from_utf8_lossy(&output.stdout);
    for (text, is_there) in [
        ("secure localhost", true),
        ("clear localhost", true),
        ("secure host.docker.internal", true),
        // By https, which that port does not speak.
        ("clear host.docker.internal", false),
    ] {
        assert_eq!(page.contains(&format!("<p>{text}</p>")), is_there, "{text}: {page}");
    }
    let output = chromium(&format!("{clear}/missing"), home).expect("it was there");
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains("<p>nothing of the kind</p>"), "{page}");
    assert_eq!(running.terminated().code, Some(0));
}

/// What happens while a page loads.
enum Seen {
    /// Its event stream and its WebSocket are open.
    Open,
    /// It is loaded, if there is a browser.
    Loaded(Option<Output>),
}

/// What a page says that keeps an event stream and a WebSocket open, and does not end loading before they do.
fn page_that_looks_on(events: &str, chat: &str, test: &str) -> String {
    const PAGE: &str = r#"<!doctype html><link rel=icon href=data:,><p id=seen></p><script>
        const tell = what => fetch(`{test}/${what}`, { mode: "no-cors" });
        const socket = new WebSocket("{chat}/chat");
        const opened = new Promise(then => socket.onopen = then);
        const closed = new Promise(then => socket.onclose = it => then(`${it.code} ${it.wasClean}`));
        const streamed = (async () => {
            const reader = (await fetch("{events}/time")).body.getReader();
            await reader.read();
            await opened;
            tell("opened");
            try { while (!(await reader.read()).done); return "whole" } catch { return "broken" }
        })();
        Promise.all([closed, streamed]).then(all => { seen.textContent = all.join(", "); tell("ended") });
    </script><script src="{test}/last"></script>"#;
    let chat = chat.replace("http://", "ws://");
    PAGE.replace("{events}", events).replace("{chat}", &chat).replace("{test}", test)
}

/// Hears what the page tells, and answers its last script once it has seen everything end.
fn hear(page: &TcpListener, seen: &Sender<Seen>) {
    let answer = |mut stream: &TcpStream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    };
    let mut last = None;
    for stream in page.incoming().map_while(Result::ok) {
        let mut request = String::new();
        let _ = BufReader::new(&stream).read_line(&mut request);
        match request.split(' ').nth(1) {
            Some("/last") => last = Some(stream),
            Some("/ended") => {
                answer(&stream);
                last.iter().for_each(answer);
                return;
            }
            Some("/opened") => {
                answer(&stream);
                let _ = seen.send(Seen::Open);
            }
            _ => {}
        }
    }
}

#[test]
fn a_browser_sees_streams_and_sockets_end_cleanly_at_a_stop() {
    let all = [&ANY_PORT[..], &["--Cors:Enabled=true", "--Cors:Policies:default:Origins:0=*"]];
    let (Some(events), Some(chat)) = (example("events", &all.concat()), example("chat", &ANY_PORT))
    else {
        return;
    };
    let (events, chat) = (events.started(), chat.started());
    #[expect(clippy::disallowed_methods, reason = "the page tells the test, not a host")]
    let ears = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let test = format!("http://{}", ears.local_addr().expect("it is bound"));
    let site = Kestrel::run(["--urls", "http://127.0.0.1:0"]);
    std::fs::create_dir(site.root().join("wwwroot")).expect("a folder");
    let page = page_that_looks_on(&events.address(), &chat.address(), &test);
    std::fs::write(site.root().join("wwwroot/index.html"), page).expect("a file");
    let site = site.started();
    let home = tempfile::tempdir().expect("a folder");
    let (told, seen) = channel();
    let (loaded, url) = (told.clone(), site.address());
    thread::spawn(move || hear(&ears, &told));
    let browser =
        thread::spawn(move || drop(loaded.send(Seen::Loaded(chromium(&url, home.path())))));
    match seen.recv().expect("one of both") {
        Seen::Open => {}
        Seen::Loaded(None) => return skipped("browser", CHROMIUM),
        Seen::Loaded(Some(output)) => panic!("nothing was open: {output:?}"),
    }
    for running in [&events, &chat] {
        running.signal(Signal::SIGINT);
    }
    assert_eq!((events.ended().code, chat.ended().code), (Some(0), Some(0)));
    browser.join().expect("it ends");
    let Ok(Seen::Loaded(Some(output))) = seen.recv() else { panic!("the page is loaded") };
    let page = page_without_complaints(&output);
    assert!(page.contains(">1001 true, whole</p>"), "{page}");
    site.terminated();
}
