//! Debian's nginx and Apache in front of a server: each in a folder of its own, its workers as
//! `www-data`, until it is dropped.
//!
//! Anybody may look into the folder, so that a server can put its Unix socket there
//! ([`Proxies::socket`]). nginx listens on a Unix socket, too, and Apache, which cannot, on a port that
//! the system gives to nobody else.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

/// How long a proxy may take to start.
const LIMIT: Duration = Duration::from_secs(60);

/// What these tests need of the machine.
pub(crate) const NEEDS: &str =
    "root, www-data, nginx and Apache (apt-get install nginx-light apache2)";

/// What the tests with HAProxy need.
pub(crate) const NEEDS_HAPROXY: &str = "HAProxy (apt-get install haproxy)";

/// The first block of this language in the README, for a server that listens elsewhere.
pub(crate) fn readme(language: &str, url: &str) -> String {
    let block = block(include_str!("../../README.md"), language);
    assert!(block.contains("http://127.0.0.1:5000"), "{block}");
    block.replace("http://127.0.0.1:5000", url)
}

/// The first block of this language in a document.
pub(crate) fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, block) = text.split_once(&format!("```{language}\n")).expect("a block");
    block.split_once("```").expect("its end").0
}

/// A folder for proxies and for the server behind them.
pub(crate) struct Proxies(TempDir);

/// Both ends of a connection to a proxy.
pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Proxies {
    /// A folder, if there are proxies on this machine and they can be started as another user.
    pub(crate) fn new() -> Option<Self> {
        let are_there = [NGINX, APACHE].iter().all(|program| Path::new(program).exists());
        let can = geteuid().is_root() && User::from_name("www-data").is_ok_and(|it| it.is_some());
        (are_there && can).then(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let open = Permissions::from_mode(0o755);
            fs::set_permissions(folder.path(), open).expect("the folder is ours");
            Self(folder)
        })
    }

    /// Where the server behind the proxies listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.path().join("app.sock")
    }

    /// Starts nginx with what stands in its `server` block, from the first `location` on, and what
    /// stands beside that block, before it.
    pub(crate) fn nginx(&self, settings: &str) -> Proxy {
        let (beside, server) = settings.split_at(settings.find("location").unwrap_or(0));
        let folder = self.0.path().display();
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/nginx-{kind};"))
            .join("\n");
        let settings = format!(
            "daemon off;\nuser www-data;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr;\n\
             events {{}}\nhttp {{\n{paths}\naccess_log off;\n{beside}\nserver {{\n\
             listen unix:{folder}/nginx.sock;\n{server}\n}}\n}}\n"
        );
        let path = self.write("nginx.conf", &settings);
        let mut command = Command::new(NGINX);
        command.arg("-p").arg(self.0.path()).arg("-c").arg(path);
        Proxy::start(command, Entrance::Unix(self.0.path().join("nginx.sock")))
    }

    /// Starts Apache with these lines of configuration, such as `ProxyPass`.
    pub(crate) fn apache(&self, lines: &str) -> Proxy {
        let folder = self.0.path().display();
        let reserved = Reserved::new();
        let modules =
            ["mpm_event", "authz_core", "headers", "proxy", "proxy_http", "proxy_wstunnel"]
                .map(|name| format!("LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"))
                .join("\n");
        let settings = format!(
            "ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/apache.pid\nServerName a.test\n\
             {modules}\nUser www-data\nGroup www-data\nErrorLog /dev/stderr\nListen {}\n{lines}\n",
            reserved.address
        );
        let path = self.write("apache.conf", &settings);
        let mut command = Command::new(APACHE);
        command.arg("-f").arg(path).arg("-DFOREGROUND");
        Proxy::start(command, Entrance::Port(reserved))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        path
    }
}

/// A HAProxy with these sections, in which the port of the frontend is `:80`, if there is one on this machine.
pub(crate) fn haproxy(sections: &str) -> Option<(Proxy, SocketAddr)> {
    Path::new(HAPROXY).exists().then(|| {
        let reserved = Reserved::new();
        let address = reserved.address;
        let sections = sections.replace("bind :80", &format!("bind {address}"));
        assert!(sections.contains(&address.to_string()), "{sections}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("haproxy.cfg");
        let times = "defaults\ntimeout connect 60s\ntimeout client 60s\ntimeout server 60s\n";
        fs::write(&path, format!("{times}\n{sections}")).expect("the folder is ours");
        let mut command = Command::new(HAPROXY);
        command.arg("-db").arg("-f").arg(path);
        // It has read its file once it listens.
        (Proxy::start(command, Entrance::Port(reserved)), address)
    })
}

pub(crate) const HAPROXY: &str = "/usr/sbin/haproxy";
pub(crate) const NGINX: &str = "/usr/sbin/nginx";
pub(crate) const APACHE: &str = "/usr/sbin/apache2";
pub(crate) const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

/// A proxy that runs.
pub(crate) struct Proxy {
    child: Child,
    entrance: Entrance,
}

/// Where a proxy listens.
pub(crate) enum Entrance {
    Unix(PathBuf),
    Port(Reserved),
}

/// A port that the system gives to nobody else: sockets that allow reuse share it as long as only one
/// of them listens.
pub(crate) struct Reserved {
    pub(crate) address: SocketAddr,
    _socket: Socket,
}

impl Reserved {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("reuse is allowed");
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any_port.into()).expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        Self { address: address.as_socket().expect("an IP address"), _socket: socket }
    }
}

impl Proxy {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(mut command: Command, entrance: Entrance) -> Self {
        // What it has to say of itself stands in the output of a test that fails.
        let child = command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut proxy = Self { child: child.expect("it is installed"), entrance };
        let began = Instant::now();
        while proxy.entrance.connect().is_err() {
            let ended = proxy.child.try_wait().expect("it is ours");
            assert!(ended.is_none(), "the proxy does not start: {ended:?}");
            assert!(began.elapsed() < LIMIT, "the proxy does not listen");
            thread::yield_now();
        }
        proxy
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Box<dyn Stream> {
        self.entrance.connect().expect("it listens")
    }
}

impl Entrance {
    fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(LIMIT))?;
                Ok(Box::new(stream))
            }
            Self::Port(reserved) => {
                let stream = TcpStream::connect(reserved.address)?;
                stream.set_read_timeout(Some(LIMIT))?;
                Ok(Box::new(stream))
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The one that was started stops its workers.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
