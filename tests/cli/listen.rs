//! `--listen` and `--plan`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream;

use socket2::{Domain, Socket, Type};

use crate::http::{get, get_over};
use crate::process::Kestrel;

#[test]
fn listen_takes_every_form_and_keeps_the_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let socket = format!("unix:{}", path.display());
    let arguments = [
        "run",
        "--listen",
        "127.0.0.1:0",
        "--listen=[::1]:0",
        "--listen",
        "*:0",
        "--listen",
        &socket,
    ];
    let running = Kestrel::new(arguments).started();
    let addresses = running.addresses();
    let [ipv4, ipv6, any, unix] = &addresses[..] else {
        panic!("four addresses, not {addresses:?}");
    };
    assert!(ipv4.starts_with("http://127.0.0.1:"), "{ipv4}");
    assert!(ipv6.starts_with("http://[::1]:"), "{ipv6}");
    assert!(any.starts_with("http://[::]:"), "{any}");
    assert_eq!(*unix, format!("http://{socket}"));
    assert_eq!(get(ipv4, "/", &[]).status, 200);
    assert_eq!(get(ipv6, "/", &[]).status, 200);
    assert_eq!(get(&any.replace("[::]", "127.0.0.1"), "/", &[]).status, 200);
    let stream = UnixStream::connect(&path).expect("somebody listens");
    assert_eq!(get_over(stream, "/", &[]).status, 200);
    assert_eq!(running.terminated().code, Some(0));
    assert!(!path.exists(), "the file is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn localhost_listens_on_both_loopbacks() {
    let reserved = Reserved::new();
    let port = reserved.port;
    let running = Kestrel::new(["run", "--listen", &format!("localhost:{port}")]).started();
    assert_eq!(running.address(), format!("http://localhost:{port}"));
    for loopback in ["127.0.0.1", "[::1]"] {
        assert_eq!(get(&format!("http://{loopback}:{port}"), "/", &[]).status, 200, "{loopback}");
    }
    assert_eq!(running.terminated().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_below_localhost_is_announced_with_the_address_every_client_knows() {
    let reserved = Reserved::new();
    let port = reserved.port;
    let running =
        Kestrel::new(["run", "--urls", &format!("http://app.localhost:{port}")]).started();
    let announced = [format!("http://app.localhost:{port}"), format!("http://localhost:{port}")];
    assert_eq!(running.addresses(), announced);
    assert_eq!(running.terminated().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_socket_is_announced_with_its_at_sign() {
    use std::os::linux::net::SocketAddrExt;

    let name = format!("kestrel-cli-{}", std::process::id());
    let running = Kestrel::new(["run", "--listen", &format!("unix:@{name}")]).started();
    assert_eq!(running.address(), format!("http://unix:@{name}"));
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("a short name");
    let stream = UnixStream::connect_addr(&address).expect("somebody listens");
    assert_eq!(get_over(stream, "/", &[]).status, 200);
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn the_plan_binds_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let reserved = Reserved::new();
    // A listener on the port of the plan would make a bind fail.
    reserved.ipv4.listen(1).expect("nobody else listens");
    let url = format!("http://127.0.0.1:{}", reserved.port);
    let socket = format!("unix:{}", path.display());
    let planned = |more: &[&str]| {
        let arguments = ["run", "--plan"].into_iter().chain(more.iter().copied());
        let kestrel = Kestrel::new(arguments);
        std::fs::create_dir(kestrel.root().join("wwwroot")).expect("the folder is ours");
        kestrel.ended()
    };
    let outcome = planned(&["--urls", &url]);
    assert_eq!(outcome.code, Some(0));
    let told = "warning: A start at this moment would fail.";
    assert!(outcome.stderr.starts_with(told), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with(&format!("{url}\n")), "{}", outcome.stdout);
    let outcome = planned(&["--listen", &socket]);
    assert_eq!(outcome.code, Some(0));
    assert!(!path.exists(), "the plan made a socket");
}

/// A port of both loopbacks that the system gives to nobody else, and that the binary can bind
/// none the less: sockets that allow reuse share a port as long as only one of them listens.
struct Reserved {
    port: u16,
    ipv4: Socket,
    _ipv6: Socket,
}

impl Reserved {
    fn new() -> Self {
        let bound = |address: SocketAddr| {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            socket.set_reuse_address(true)?;
            socket.bind(&address.into())?;
            std::io::Result::Ok(socket)
        };
        // The port of the one may be somebody's on the other.
        loop {
            let ipv4 = bound((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
            let address = ipv4.local_addr().expect("it is bound");
            let port = address.as_socket().expect("an IP address").port();
            if let Ok(ipv6) = bound((Ipv6Addr::LOCALHOST, port).into()) {
                return Self { port, ipv4, _ipv6: ipv6 };
            }
        }
    }
}
