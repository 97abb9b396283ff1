//! What `kestrel generate` prints is what the programs it is for take: each is started with it, in front of the
//! binary.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;
use tempfile::TempDir;
use tungstenite::Message;

use crate::environment::skipped;
use crate::examples::example;
use crate::process::{Kestrel, LIMIT, Running};
use crate::proxies::{APACHE, APACHE_MODULES, Entrance, HAPROXY, NGINX, Proxy, Reserved, readme};
use crate::test_data::file;

const CADDY: &str = "/usr/bin/caddy";

/// A program, how it is called on Debian, and what starts it with a text in a folder.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    package: &'static str,
    file: &'static str,
    command: fn(&Path, &str) -> Command,
}

pub(crate) const PROGRAMS: [Program; 4] = [
    Program { name: "nginx", package: "nginx-light", file: NGINX, command: nginx },
    Program { name: "apache", package: "apache2", file: APACHE, command: apache },
    Program { name: "haproxy", package: "haproxy", file: HAPROXY, command: haproxy },
    Program { name: "caddy", package: "caddy", file: CADDY, command: caddy },
];

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is ours");
    path
}

fn nginx(folder: &Path, text: &str) -> Command {
    let here = folder.display();
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {here}/{kind};"))
        .join(" ");
    let text = format!(
        "daemon off; user www-data; worker_processes 1; pid {here}/nginx.pid; error_log stderr;\n\
         events {{}}\nhttp {{\n{paths} access_log off;\n{text}\n}}\n"
    );
    let mut command = Command::new(NGINX);
    command.arg("-p").arg(folder).arg("-c").arg(written(folder, "nginx.conf", &text));
    command
}

fn apache(folder: &Path, text: &str) -> Command {
    let here = folder.display();
    let modules =
        ["mpm_event", "authz_core", "alias", "headers", "proxy", "proxy_http", "ssl", "http2"]
            .map(|name| format!("LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"))
            .join("\n");
    let text = format!(
        "ServerRoot {here}\nDefaultRuntimeDir {here}\nPidFile {here}/apache.pid\nServerName a.test\n{modules}\n\
         User www-data\nGroup www-data\nErrorLog /dev/stderr\n{text}"
    );
    let mut command = Command::new(APACHE);
    command.arg("-f").arg(written(folder, "apache.conf", &text)).arg("-DFOREGROUND");
    command
}

fn haproxy(folder: &Path, text: &str) -> Command {
    let mut command = Command::new(HAPROXY);
    command.arg("-db").arg("-f").arg(written(folder, "haproxy.cfg", text));
    command
}

fn caddy(folder: &Path, text: &str) -> Command {
    let text = format!(
        "{{\n admin off\n auto_https disable_redirects\n storage file_system {}\n}}\n{text}",
        folder.display()
    );
    let path = written(folder, "Caddyfile", &text);
    let mut command = Command::new("/usr/bin/env");
    command.arg(format!("HOME={}", folder.display())).arg(CADDY);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
    command
}

/// How a proxy reaches the app.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    UnixSocket,
    Port,
}

/// Each of the programs, over each of the ways.
pub(crate) fn each() -> impl Iterator<Item = (&'static Program, Way)> {
    PROGRAMS.iter().flat_map(|it| [(it, Way::UnixSocket), (it, Way::Port)])
}

/// A folder in which every user finds the socket of the server.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("the folder is ours");
        Self(folder)
    }

    /// What `--listen` is given.
    pub(crate) fn spec(&self, way: Way) -> String {
        match way {
            Way::UnixSocket => format!("unix:{},mode=666", self.socket().display()),
            Way::Port => "127.0.0.1:0".to_owned(),
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.path().join("app.sock")
    }

    /// A certificate and its key, which HAProxy finds beside it.
    pub(crate) fn certificate(&self) -> [String; 2] {
        let [chain, key] =
            [("server.pem", "site.pem"), ("server.key", "site.pem.key")].map(|(from, to)| {
                let path = self.0.path().join(to);
                fs::copy(file(from), &path).expect("the folder is ours");
                path.display().to_string()
            });
        [chain, key]
    }
}

const BELIEVES: &str = r#"{"ForwardedHeaders":{"Enabled":true}}"#;

/// What `kestrel generate` prints.
fn generated(arguments: &[&str]) -> String {
    let arguments = [&["generate"], arguments].concat();
    let outcome = Kestrel::new(arguments).file("appsettings.json", BELIEVES).ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("to be believed"), "{}", outcome.stdout);
    outcome.stdout
}

#[test]
fn a_proxy_that_is_not_believed_is_told_with_what_lets_it_be() {
    const FILTER: &str = r#""AddressFilter":{"Enabled":true,"Deny":["192.0.2.1"]}"#;
    const SITE: &str = r#""Sites":{"S":{"Hosts":["a.test"],"AddressFilter":{"Enabled":true,"Deny":["192.0.2.1"]}}}"#;
    let switch = Some("set ForwardedHeaders:Enabled to true");
    let known = r#""ForwardedHeaders":{"Enabled":true,"KnownProxies":["192.0.2.9"]}"#;
    let here = r#""ForwardedHeaders":{"Enabled":true}"#;
    let scheme = r#""ForwardedHeaders":{"Enabled":true,"ForwardedHeaders":"XForwardedProto"}"#;
    let add = Some("add 127.0.0.1 to ForwardedHeaders:KnownProxies");
    for (settings, listen, remedy, is_filtered) in [
        (&[][..], "http://127.0.0.1:5000", switch, false),
        (&[FILTER], "http://127.0.0.1:5000", switch, true),
        (&[SITE], "http://127.0.0.1:5000", switch, true),
        (&[known, FILTER], "http://*:5000", add, true),
        (&[known], "http://localhost:5000", add, false),
        (
            &[scheme],
            "http://127.0.0.1:5000",
            Some("add XForwardedFor to ForwardedHeaders:ForwardedHeaders"),
            false,
        ),
        (&[here, FILTER], "http://127.0.0.1:5000", None, false),
        (&[known, FILTER], "http://unix:/run/a.sock", None, false),
    ] {
        let file = format!("{{{}}}", settings.join(","));
        let outcome = Kestrel::new(["generate", "nginx", "--", "--urls", listen])
            .file("appsettings.json", &file);
        let text = outcome.ended().stdout;
        let told = text.lines().find_map(|line| line.split_once("let this proxy be believed: "));
        let remedy = remedy.map(|it| format!("{it}."));
        assert_eq!(told.map(|(_, what)| what), remedy.as_deref(), "{file} {listen}: {text}");
        let filtered = "# Without that, AddressFilter takes the address of this proxy";
        assert_eq!(text.contains(filtered), is_filtered, "{file} {listen}: {text}");
    }
}

/// Starts the program with what is generated for it and an app at this address, which has these settings
/// besides, and with the text as `change` leaves it; unless the program is not there.
pub(crate) fn started_with(
    program: &Program,
    place: &Place,
    address: &str,
    (options, settings): (&[&str], &[&str]),
    change: impl FnOnce(String) -> String,
) -> Option<(Proxy, u16)> {
    if !is_there(program) {
        return None;
    }
    let reserved = Reserved::new();
    let port = reserved.address.port();
    let port_text = port.to_string();
    let run = ["--port", &port_text, "--", "--urls", address];
    let text = change(generated(&[&[program.name], options, &run, settings].concat()));
    let command = (program.command)(place.0.path(), &text);
    Some((Proxy::start(command, Entrance::Port(reserved)), port))
}

fn is_there(program: &Program) -> bool {
    let is_there = geteuid().is_root() && Path::new(program.file).exists();
    if !is_there {
        let needs = format!("root, and apt-get install {}", program.package);
        skipped(&format!("the configuration for {}", program.name), &needs);
    }
    is_there
}

/// The welcome page behind a proxy.
struct Welcome {
    app: Running,
    proxy: Option<(Proxy, u16)>,
    _place: Place,
}

/// Starts it; without a proxy that is not there.
fn welcome((program, way): (&Program, Way), options: &[&str], settings: &[&str]) -> Welcome {
    let place = Place::new();
    let app = Kestrel::new(
        ["run", "--listen", &place.spec(way)].into_iter().chain(settings.iter().copied()),
    );
    let app = app.file("appsettings.json", BELIEVES).started();
    let proxy = started_with(program, &place, &app.address(), (options, settings), |text| text);
    Welcome { app, proxy, _place: place }
}

pub(crate) fn curl(arguments: &[&str]) -> String {
    let limit = LIMIT.as_secs().to_string();
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", &limit, "--cacert"])
        .arg(file("ca.pem"));
    let output = command.args(["-H", "Accept: application/json"]).args(arguments).output();
    let output = output.expect("curl is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Whatever its name is for the client.
pub(crate) fn with_certificate(program: &Program, place: &Place) -> Vec<String> {
    let [chain, key] = place.certificate();
    let options = ["--certificate".to_owned(), chain, "--certificate-key".to_owned(), key];
    // It looks for the site that a client asks for.
    let named = ["--server-name", "127.0.0.1"].map(str::to_owned);
    options.into_iter().chain(named.into_iter().filter(|_| program.name == "caddy")).collect()
}

#[test]
fn the_app_sees_https_the_client_and_the_host_with_its_port() {
    for (program, way) in each() {
        let certificates = Place::new();
        let options = with_certificate(program, &certificates);
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let welcome = welcome((program, way), &options, &[]);
        let Some((_, port)) = welcome.proxy else { continue };
        let url = format!("https://127.0.0.1:{port}/a?b=%20c");
        for version in ["--http1.1", "--http2"] {
            let seen = curl(&[version, &url]);
            for part in [
                r#""scheme": "https""#.to_owned(),
                format!(r#""host": "127.0.0.1:{port}""#),
                r#""remote": "127.0.0.1""#.to_owned(),
                r#""target": "/a?b=%20c""#.to_owned(),
            ] {
                assert!(
                    seen.contains(&part),
                    "{} {way:?} {version}: no {part} in {seen}",
                    program.name
                );
            }
        }
        // The others look at it when they hand it on.
        if program.name == "nginx" {
            let lies = ["--http1.1", "-X", "POST", "-H", "Content-Length: 40000000", "-d", "x"];
            let status = ["-o", "/dev/null", "-w", "%{http_code}", &url];
            assert_eq!(curl(&[&lies[..], &status].concat()), "413", "{}", program.name);
        }
        assert_eq!(welcome.app.terminated().code, Some(0), "{}", program.name);
    }
}

const ALL: &str = "--ForwardedHeaders:ForwardedHeaders=All";

/// Headers in which a client says of itself what it likes.
fn lies(names: &[&str]) -> Vec<String> {
    let lies = ["192.0.2.66", "https", "evil.test", "/evil"];
    let lines = names.iter().zip(lies.iter().cycle()).map(|(name, lie)| format!("{name}: {lie}"));
    lines.flat_map(|line| ["-H".to_owned(), line]).collect()
}

#[test]
fn what_a_client_says_of_itself_is_not_handed_on() {
    const NAMES: [&str; 8] = [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Client",
        "X-Scheme",
        "X-Site",
        "X-Base",
    ];
    let own = [
        ALL,
        "--ForwardedHeaders:ForwardedForHeaderName=X-Client",
        "--ForwardedHeaders:ForwardedProtoHeaderName=X-Scheme",
        "--ForwardedHeaders:ForwardedHostHeaderName=X-Site",
        "--ForwardedHeaders:ForwardedPrefixHeaderName=X-Base",
    ];
    let symmetric = [
        "--ForwardedHeaders:ForwardedHeaders=XForwardedFor,XForwardedProto,XForwardedHost",
        "--ForwardedHeaders:RequireHeaderSymmetry=true",
    ];
    for program in &PROGRAMS {
        for (settings, count) in [(&[ALL][..], 4), (&own, 8), (&symmetric, 4)] {
            let welcome = welcome((program, Way::UnixSocket), &[], settings);
            let Some((_, port)) = welcome.proxy else { continue };
            let lies = lies(&NAMES[..count]);
            let url = format!("http://127.0.0.1:{port}/a");
            let lies: Vec<_> = lies.iter().map(String::as_str).chain([&*url]).collect();
            let seen = curl(&lies);
            for part in [
                r#""scheme": "http""#.to_owned(),
                format!(r#""host": "127.0.0.1:{port}""#),
                r#""remote": "127.0.0.1""#.to_owned(),
                r#""target": "/a""#.to_owned(),
            ] {
                assert!(seen.contains(&part), "{} {settings:?}: no {part} in {seen}", program.name);
            }
            for lie in ["evil", "192.0.2.66"] {
                assert!(!seen.contains(lie), "{} {settings:?}: {lie} in {seen}", program.name);
            }
            assert_eq!(welcome.app.terminated().code, Some(0), "{}", program.name);
        }
    }
}

#[test]
fn a_header_is_told_by_a_name_that_every_proxy_takes() {
    let name = "--ForwardedHeaders:ForwardedForHeaderName=X~For";
    let run = ["--urls", "http://127.0.0.1:5000", "--ForwardedHeaders:Enabled=true", name];
    for program in &PROGRAMS {
        let outcome = Kestrel::new(["generate", program.name, "--"].into_iter().chain(run)).ended();
        assert_eq!((outcome.code, &*outcome.stdout), (Some(3), ""), "{}", program.name);
        let told = "'X~for' cannot stand in a configuration file as a header of ForwardedHeaders.";
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    }
}

/// Another proxy, whose address is known, stands in front; Caddy believes nobody that it does not know itself.
#[test]
fn what_a_proxy_in_front_has_told_is_handed_on() {
    let settings = [ALL, "--ForwardedHeaders:ForwardLimit=2"];
    for program in PROGRAMS.iter().filter(|program| program.name != "caddy") {
        let welcome = welcome((program, Way::UnixSocket), &[], &settings);
        let Some((_, port)) = welcome.proxy else { continue };
        let told = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"];
        let told = [&told[..], &["X-Forwarded-Host: outer.test", "X-Forwarded-Prefix: /evil"]];
        let told: Vec<_> = told.concat().into_iter().flat_map(|line| ["-H", line]).collect();
        let seen = curl(&[&told[..], &[&format!("http://127.0.0.1:{port}/a")]].concat());
        for part in [
            r#""scheme": "https""#,
            r#""host": "outer.test""#,
            r#""remote": "192.0.2.1""#,
            r#""target": "/a""#,
        ] {
            assert!(seen.contains(part), "{}: no {part} in {seen}", program.name);
        }
        assert!(!seen.contains("evil"), "{}: {seen}", program.name);
        assert_eq!(welcome.app.terminated().code, Some(0), "{}", program.name);
    }
}

/// Lets a script of a shell see this program at the ports that its configuration names: in a network of its own.
pub(crate) fn in_namespace(script: &str, folder: &Path, arguments: &[&str]) -> Option<String> {
    let flags = ["--net", "--mount", "--pid", "--fork", "--kill-child"];
    let able = Command::new("unshare").args(flags).args(["ip", "link", "set", "lo", "up"]).output();
    if !geteuid().is_root() || !able.is_ok_and(|it| it.status.success()) {
        skipped("a proxy at fixed ports", "root, unshare and ip (util-linux, iproute2)");
        return None;
    }
    let limit = LIMIT.as_secs().to_string();
    let script = format!("ip link set lo up\n{script}");
    let output = Command::new("timeout")
        .args(["--kill-after=1", &limit, "unshare"])
        .args(flags)
        .args(["sh", "-e", "-c", &script, "sh"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .expect("it was there a moment ago");
    let [out, err] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    assert!(output.status.success(), "{out}\n{err}");
    Some(format!("{out}\n{err}"))
}

#[test]
fn http_leads_to_https_if_no_port_is_given() {
    const SCRIPT: &str = r#""$@" &
until curl -s -o /dev/null --max-time 5 http://127.0.0.1/; do kill -0 $!; done
curl -s --max-time 5 -o /dev/null -w 'to %{http_code} %{redirect_url}\n' -H 'Host: b.test' 'http://127.0.0.1/a%20b/?c=%20d&e'
curl -sk --max-time 5 -o /dev/null -w 'at %{scheme} %{http_code}\n' --connect-to b.test:443:127.0.0.1:443 https://b.test/"#;
    for program in PROGRAMS.iter().filter(|program| is_there(program)) {
        let place = Place::new();
        let [chain, key] = place.certificate();
        let certificate = ["--certificate", &chain, "--certificate-key", &key];
        let names = ["--server-name", "a.test", "--server-name", "b.test"];
        // Nobody is there: what is asked for is how the proxy says so.
        let run = ["--", "--urls", "http://127.0.0.1:9"];
        let text = generated(&[&[program.name], &names[..], &certificate, &run].concat());
        let text = match program.name {
            "apache" => format!("Listen 80\nListen 443\n{text}"),
            "haproxy" => format!("defaults\n    timeout connect 1s\n{text}"),
            _ => text,
        };
        let command = (program.command)(place.0.path(), &text);
        if program.name == "caddy" {
            let file = place.0.path().join("Caddyfile");
            let text = fs::read_to_string(&file).expect("it is there");
            written(place.0.path(), "Caddyfile", &text.replace("auto_https disable_redirects", ""));
        }
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_str().expect("text")).collect();
        let Some(seen) = in_namespace(SCRIPT, place.0.path(), &words) else { return };
        let moved = match program.name {
            "caddy" => 308,
            _ => 301,
        };
        let told = format!("to {moved} https://b.test/a%20b/?c=%20d&e\n");
        assert!(seen.contains(&told), "{}: {seen}", program.name);
        assert!(seen.contains("at HTTPS 50"), "{}: {seen}", program.name);
    }
}

/// On a machine that has nothing of nginx but what Debian's package brings.
#[test]
fn the_readme_leads_to_a_site_behind_nginx() {
    const DEBIAN: &str = "/etc/nginx/sites-enabled/default";
    // The package starts its service, and what the service is asked for is done by nginx itself.
    const PROGRAMS: [(&str, &str); 3] = [
        ("sudo", "#!/bin/sh\nexec \"$@\"\n"),
        ("apt-get", "#!/bin/sh\n[ \"$1 $3\" = \"install nginx\" ] && exec nginx\n"),
        ("systemctl", "#!/bin/sh\n[ \"$*\" = \"reload nginx\" ] && exec nginx -s reload\n"),
    ];
    if !Path::new(DEBIAN).exists() {
        return skipped("the commands of the README", "Debian's nginx (apt-get install nginx)");
    }
    let place = Place::new();
    let folder = place.0.path();
    for (name, text) in PROGRAMS {
        let path = written(folder, name, text);
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
    }
    let kestrel = env!("CARGO_BIN_EXE_kestrel");
    std::os::unix::fs::symlink(kestrel, folder.join("kestrel")).expect("the folder is ours");
    let commands = readme("console", "http://127.0.0.1:5000");
    let commands: Vec<_> = commands.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let [before @ .., run] = &commands[..] else { panic!("there are some") };
    assert_eq!(before.len(), 3, "{commands:?}");
    let script = format!(
        r#"export PATH="$PWD:$PATH"
mkdir etc && cp -a /etc/nginx/. etc && mount --bind etc /etc/nginx
for folder in /run /var/log/nginx /var/lib/nginx; do mount -t tmpfs none $folder; done
{}
{run} &
# Workers from before the reload may answer for a moment.
for host in 127.0.0.1 [::1]; do
    until curl -sg --max-time 5 -H 'Accept: application/json' -H 'Host: any.test' http://$host/a | tee answer | grep -q target; do kill -0 $!; done
    cat answer
done
nginx -t"#,
        before.join("\n")
    );
    let Some(seen) = in_namespace(&script, folder, &[]) else { return };
    for part in [r#""remote": "127.0.0.1""#, r#""remote": "::1""#, r#""host": "any.test""#] {
        assert!(seen.contains(part), "no {part} in {seen}");
    }
    for wrong in ["conflicting", "emerg", "duplicate"] {
        assert!(!seen.contains(wrong), "{wrong} in {seen}");
    }
}

#[test]
fn a_websocket_passes() {
    for (program, way) in each() {
        let place = Place::new();
        let Some(chat) = example("chat", &["--listen", &place.spec(way)]) else { return };
        let running = chat.started();
        let Some((_proxy, port)) =
            started_with(program, &place, &running.address(), (&[], &[]), |text| text)
        else {
            continue;
        };
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("it is connected");
        let url = format!("ws://127.0.0.1:{port}/chat");
        let (mut socket, answer) = tungstenite::client(url, stream).expect("a WebSocket");
        assert_eq!(answer.status(), 101, "{}", program.name);
        socket.send(Message::text("hello")).expect("it is open");
        let message = socket.read().expect("it is open");
        assert!(message.to_text().is_ok_and(|text| text.contains("hello")), "{}", program.name);
        // The app says goodbye, and the proxy hands that on.
        running.signal(nix::sys::signal::Signal::SIGTERM);
        assert!(socket.read().is_ok_and(|it| it.is_close()), "{}", program.name);
        drop(socket);
        assert_eq!(running.ended().code, Some(0), "{}", program.name);
    }
}

#[test]
fn a_unit_is_one_to_systemd() {
    const ANALYZE: &str = "/usr/bin/systemd-analyze";
    if !Path::new(ANALYZE).exists() {
        return skipped("the unit for systemd", "systemd-analyze (apt-get install systemd)");
    }
    let place = Place::new();
    for (run, parts) in [
        (
            &["--urls", "http://*:80;http://unix:/run/app/a.sock"][..],
            &["CAP_NET_BIND_SERVICE", "RuntimeDirectory=app"][..],
        ),
        (
            &[
                "--AccessLog:Enabled=true",
                "--AccessLog:Path=/var/log/site/access.log",
                "--W3CLogging:Enabled=true",
                "--W3CLogging:LogDirectory=/srv/logs",
            ],
            &["\nLogsDirectory=%p\n", "\nLogsDirectory=site\n", "\nReadWritePaths=/srv/logs\n"],
        ),
        (
            &["--webroot=/srv/not-made-yet/site"],
            &["# The web root /srv/not-made-yet/site is not there", "\nReadWritePaths=/srv\n"],
        ),
        (&["--webroot=/var/lib/not-made-yet"], &["\nStateDirectory=not-made-yet\n"]),
        (
            &["--urls", "http://localhost:5000", "--Greeting", "100% \"of $HOME\""],
            &["100%% \\\"of $$HOME\\\""],
        ),
        (&["--", "/bin/sh", "app.sh"], &["\nKillMode=mixed\n"]),
    ] {
        let unit = generated(&[&["systemd", "--"], run].concat());
        for part in parts {
            assert!(unit.contains(part), "{part}: {unit}");
        }
        let path = written(place.0.path(), "app.service", &unit);
        let output = Command::new(ANALYZE).arg("verify").arg(&path).output().expect("it is there");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !told.contains("app.service"), "{told}\n{unit}");
    }
}

#[test]
fn what_cannot_be_generated_is_told_with_what_to_do() {
    for (arguments, code, told) in [
        (
            &["nginx", "--", "--urls", "http://127.0.0.1:0"][..],
            3,
            "choose a port, or a Unix socket",
        ),
        (
            &["nginx", "--server-name", "a;b"],
            2,
            "'a;b' cannot stand in a configuration file as --server-name.",
        ),
        (
            &["caddy", "--certificate", "/a b", "--certificate-key", "/k"],
            2,
            "an absolute path without blanks",
        ),
        (&["nginx", "--certificate", "/a"], 2, "--certificate-key <FILE>"),
        (&["systemd", "--user", "a b"], 2, "the name of a user"),
        (&["systemd", "--", "--Db:Password", "hunter2"], 2, "A secret cannot stand in a unit"),
        (
            &["systemd", "--", "--urls", "http://127.0.0.1:5000", "--Db:Password=hunter2"],
            2,
            "A secret cannot stand in a unit",
        ),
        (&["nginx", "--", "--urls", "htp://a"], 3, "htp://a"),
        (
            &["nginx", "--", "--urls", "http://unix:/run/a b}c"],
            3,
            "'/run/a b}c' cannot stand in a configuration file as the address of the app.",
        ),
        (
            &["nginx", "--", "--urls", "http://127.0.0.1:5000", "--AllowedHosts", "a.test;b} c"],
            3,
            "'b} c' cannot stand in a configuration file as one of AllowedHosts.",
        ),
        (&["squid"], 2, "possible values: nginx, apache, haproxy, caddy, systemd"),
        (&[], 2, "<TARGET>"),
    ] {
        let outcome = Kestrel::new([&["generate"], arguments].concat()).ended();
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.contains(told), "{arguments:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
}

/// A proxy in front passes on what sites there are for, and bodies as large as any of them takes.
#[test]
fn the_sites_say_which_names_there_are() {
    const SHOP: &str = r#""Shop":{"Hosts":["*.shop.example","shop.example"],"webroot":".","Limits":{"MaxRequestBodySize":50000000}}"#;
    const API: &str = r#""Api":{"Hosts":"api.example:5000;shop.example:5000","webroot":"."}"#;
    const ALL: &str = r#""All":{"Hosts":["*"],"webroot":"."}"#;
    let printed = |target: &str, sites: &[&str], more: &[&str]| {
        let arguments = ["generate", target, "--", "--urls", "http://127.0.0.1:5000"];
        let arguments = arguments.into_iter().chain(more.iter().copied());
        let sites = format!(r#"{{"Sites":{{{}}}}}"#, sites.join(","));
        let outcome = Kestrel::new(arguments).file("appsettings.json", &sites).ended();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    let nginx = printed("nginx", &[SHOP, API], &[]);
    let expected = "server_name api.example shop.example *.shop.example;";
    assert!(nginx.contains(expected), "{nginx}");
    assert!(nginx.contains("client_max_body_size 50000000;"), "{nginx}");
    let apache = printed("apache", &[SHOP, API], &[]);
    assert!(apache.contains("ServerName api.example\n    ServerAlias shop.example\n"), "{apache}");
    let caddy = printed("caddy", &[SHOP], &[]);
    assert!(caddy.contains("shop.example, *.shop.example {"), "{caddy}");
    // Whatever is for none of them has an answer, too.
    for (sites, more) in [(&[SHOP, ALL][..], &[][..]), (&[SHOP], &["--webroot=."])] {
        let nginx = printed("nginx", sites, more);
        assert!(nginx.contains("server_name _;"), "{nginx}");
        assert!(nginx.contains("    listen 80 default_server;\n"), "{nginx}");
        assert!(nginx.contains("rm /etc/nginx/sites-enabled/default"), "{nginx}");
    }
    let named = printed("nginx", &[SHOP], &["--AllowedHosts=shop.example"]);
    assert!(named.contains("server_name shop.example;"), "{named}");
    assert!(named.contains("    listen 80;\n"), "{named}");
}

#[test]
fn an_endpoint_of_the_proxy_protocol_is_for_haproxy() {
    let settings =
        r#"{"Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:5000","ProxyProtocol":true}}}}"#;
    let of = |target| Kestrel::new(["generate", target]).file("appsettings.json", settings).ended();
    let haproxy = of("haproxy");
    assert!(haproxy.stdout.contains("mode tcp"), "{}", haproxy.stdout);
    assert!(
        haproxy.stdout.contains("server app 127.0.0.1:5000 send-proxy-v2"),
        "{}",
        haproxy.stdout
    );
    let nginx = of("nginx");
    assert_eq!(nginx.code, Some(3));
    assert!(nginx.stderr.contains("kestrel generate haproxy"), "{}", nginx.stderr);
}
