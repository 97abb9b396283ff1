//! nginx and Apache, which run as www-data, reach the binary over a Unix socket; HAProxy hands connections on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::environment::skipped;
use crate::process::{Kestrel, Running};
use crate::proxies::{NEEDS, NEEDS_HAPROXY, Proxies, Proxy, Stream, block, haproxy, readme};

fn apache_settings(socket: &Path) -> String {
    format!(
        // Without waiting before it asks a server again that it could not reach.
        "ProxyPass / \"unix:{}|http://localhost/\" retry=0\nProxyPreserveHost On",
        socket.display()
    )
}

fn both(proxies: &Proxies) -> [(&'static str, Proxy); 2] {
    let socket = proxies.socket();
    [
        ("nginx", proxies.nginx(&readme("nginx", &format!("http://unix:{}", socket.display())))),
        ("Apache", proxies.apache(&apache_settings(&socket))),
    ]
}

/// One answer of a connection that stays open.
fn answer(stream: &mut BufReader<Box<dyn Stream>>, request: &[u8]) -> (u16, String) {
    stream.get_mut().write_all(request).expect("the proxy reads");
    let (mut head, mut length, mut chunked) = (String::new(), 0, false);
    while !head.ends_with("\r\n\r\n") {
        let begin = head.len();
        assert!(stream.read_line(&mut head).expect("a line") > 0, "it closed: {head}");
        let line = head[begin..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim_end().parse().expect("a number");
        }
        chunked |= line.starts_with("transfer-encoding: chunked");
    }
    let mut body = Vec::new();
    loop {
        if chunked {
            let mut line = String::new();
            stream.read_line(&mut line).expect("a chunk");
            length = usize::from_str_radix(line.trim_end(), 16).expect("a length");
        }
        let begin = body.len();
        body.resize(begin + length, 0);
        stream.read_exact(&mut body[begin..]).expect("the body");
        if !chunked {
            break;
        }
        stream.read_line(&mut String::new()).expect("the end of the chunk");
        if length == 0 {
            break;
        }
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), String::from_utf8(body).expect("text"))
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a.test:81\r\nAccept: application/json\r\n\r\n").into()
}

/// Requests on one connection: with and without a body, told by its length and in chunks.
fn is_served(name: &str, proxy: &Proxy) {
    let mut stream = BufReader::new(proxy.connect());
    let (status, body) = answer(&mut stream, &get("/?a=%20b"));
    assert_eq!(status, 200, "{name}: {body}");
    assert!(body.contains(r#""target": "/?a=%20b""#), "{name}: {body}");
    assert!(body.contains(r#""host": "a.test:81""#), "{name}: {body}");

    let large = "x".repeat(300_000);
    let posted =
        format!("POST /two HTTP/1.1\r\nHost: a.test:81\r\nContent-Length: 300000\r\n\r\n{large}");
    answer(&mut stream, posted.as_bytes());
    let chunks = "POST /three HTTP/1.1\r\nHost: a.test:81\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    answer(&mut stream, chunks.as_bytes());
    // A body that was not read would be taken for this one.
    for turn in 0..20 {
        let (status, body) = answer(&mut stream, &get(&format!("/?{turn}")));
        assert_eq!(status, 200, "{name}: {body}");
        assert!(body.contains(&format!(r#""target": "/?{turn}""#)), "{name}: {body}");
    }
}

fn started(kestrel: Kestrel, proxies: &Proxies) -> Running {
    let running = kestrel.started();
    assert_eq!(running.address(), format!("http://unix:{}", proxies.socket().display()));
    running
}

#[test]
fn a_proxy_as_another_user_reaches_a_socket_that_is_given_to_its_group() {
    let Some(proxies) = Proxies::new() else {
        return skipped("nginx and Apache over a Unix socket", NEEDS);
    };
    let socket = proxies.socket();
    let spec = format!("unix:{},mode=660,group=www-data", socket.display());
    let running = started(Kestrel::new(["run", "--listen", &spec]), &proxies);
    let file = fs::symlink_metadata(&socket).expect("it is there");
    assert_eq!((file.mode() & 0o7777, file.uid(), file.gid()), (0o660, 0, 33));
    for (name, proxy) in both(&proxies) {
        is_served(name, &proxy);
    }
    assert_eq!(running.terminated().code, Some(0));
}

/// The rights follow the configuration while everything stays connected.
#[test]
fn a_proxy_is_let_in_by_a_reload_and_shut_out_by_another() {
    let Some(proxies) = Proxies::new() else {
        return skipped("nginx and Apache over a Unix socket", NEEDS);
    };
    let socket = proxies.socket();
    let settings = |rights: &str| {
        format!(
            r#"{{"Kestrel":{{"Endpoints":{{"A":{{"Url":"http://unix:{}"{rights}}}}}}}}}"#,
            socket.display()
        )
    };
    let kestrel = Kestrel::new(["run"]).file("appsettings.json", &settings(""));
    let root = kestrel.root();
    let running = started(kestrel, &proxies);
    let made = fs::symlink_metadata(&socket).expect("it is there");
    let proxied = both(&proxies);
    for ((name, proxy), expected) in proxied.iter().zip([502, 503]) {
        let (status, _) = answer(&mut BufReader::new(proxy.connect()), &get("/"));
        assert_eq!(status, expected, "{name}: the umask leaves no right to write");
    }

    let write = |rights: &str| {
        let beside = root.join("beside");
        fs::write(&beside, settings(rights)).expect("the folder is ours");
        fs::rename(&beside, root.join("appsettings.json")).expect("the folder is ours");
    };
    write(r#","UnixSocket":{"Mode":"0660","Group":"www-data"}"#);
    let told = format!("~ http://unix:{} (rights of the socket's file)", socket.display());
    running.wait_for(&told);
    for (name, proxy) in &proxied {
        is_served(name, proxy);
    }
    let now = fs::symlink_metadata(&socket).expect("it is there");
    assert_eq!((now.mode() & 0o7777, now.gid(), now.ino()), (0o660, 33, made.ino()));

    write("");
    running.wait_until(|text| text.matches(&told).count() == 2);
    let again = fs::symlink_metadata(&socket).expect("it is there");
    assert_eq!(
        (again.mode(), again.uid(), again.gid(), again.ino()),
        (made.mode(), made.uid(), made.gid(), made.ino())
    );
    assert_eq!(running.terminated().code, Some(0));
}

/// The balancer's own connections, its checks of health among them, and those of clients.
#[test]
fn who_has_connected_to_haproxy_is_the_client() {
    let settings =
        r#"{"Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0","ProxyProtocol":true}}}}"#;
    let running = Kestrel::new(["run"]).file("appsettings.json", settings).started();
    let document = include_str!("../../docs/reverse-proxy.md");
    let (_, document) = document.split_once("\n## The PROXY protocol\n").expect("a chapter");
    let documented = block(document, "haproxy");
    let address = running.address().replace("http://", "");
    for header in ["send-proxy-v2", "send-proxy"] {
        let sections =
            documented.replace("127.0.0.1:5000", &address).replace("send-proxy-v2", header);
        let Some((_proxy, entrance)) = haproxy(&sections) else {
            return skipped("HAProxy in front", NEEDS_HAPROXY);
        };
        let stream = TcpStream::connect(entrance).expect("it listens");
        let own = stream.local_addr().expect("it is connected");
        let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
        let (status, body) = answer(&mut stream, &get("/"));
        assert_eq!(status, 200, "{header}: {body}");
        assert!(body.contains(&format!("\"{own}\"")), "{header}: {own} is not in {body}");
    }
    assert_eq!(running.terminated().code, Some(0));
}
