//! Unix sockets: what happens with their files, and who is served on them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use kestrel::addresses::{BindError, FileInTheWay, UnixSocketOptions};
use kestrel::{HostError, Reloaded, RunningHost};
use tokio::net::UnixStream;
use tokio::sync::Barrier;

use crate::reload::Stage;
use crate::support::{Wire, builder, configured, saying, soon, started, stopped};
use crate::test_data::file;
use crate::tls_client::Client;
use crate::tls_host::app;

async fn host_at(path: &Path) -> RunningHost {
    started(builder().listen_unix_socket(path).app(saying("hello"))).await
}

/// Why a host cannot listen at `path`.
async fn refusal(path: &Path) -> HostError {
    let host = builder().listen_unix_socket(path).build();
    let started = host.expect("the configuration is right").start().await;
    started.expect_err("the path is taken")
}

async fn said_at(path: &Path) -> String {
    let stream = UnixStream::connect(path).await.expect("somebody listens");
    Wire::new(stream).get("/").await.body
}

#[tokio::test]
async fn a_unix_socket_serves_and_its_file_goes_with_the_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let host = host_at(&path).await;
    assert_eq!(host.addresses(), [format!("http://unix:{}", path.display())]);
    assert!(fs::symlink_metadata(&path).expect("a file").file_type().is_socket());
    assert_eq!(said_at(&path).await, "hello");
    stopped(host).await;
    assert!(!path.exists(), "the file is left behind");
}

#[tokio::test]
async fn a_url_can_name_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let url = format!("http://unix:{}", path.display());
    let host = started(builder().use_urls(&url).app(saying("hello"))).await;
    assert_eq!(host.addresses(), [url]);
    assert_eq!(said_at(&path).await, "hello");
    stopped(host).await;
}

#[tokio::test]
async fn a_file_that_replaced_the_socket_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let host = host_at(&path).await;
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, "of somebody else").expect("the folder is ours");
    stopped(host).await;
    let kept = fs::read_to_string(&path).expect("the file is still there");
    assert_eq!(kept, "of somebody else");
}

/// What lies in the way of the only socket.
fn in_the_way(error: &HostError) -> FileInTheWay {
    match error {
        HostError::Bind(reasons) => match reasons[..] {
            [BindError::FileInTheWay { what, .. }] => what,
            _ => panic!("{error:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    drop(UnixListener::bind(&path).expect("the folder is ours"));
    let host = host_at(&path).await;
    assert_eq!(said_at(&path).await, "hello");
    stopped(host).await;
    assert!(!path.exists(), "the file is left behind");
}

/// Of hosts that start at once, with and without a file that was left behind, one has the socket and
/// keeps it: none takes that of another for a dead one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_that_start_at_once_do_not_steal_the_socket_from_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    // Between the two calls that make a socket, it is dead to whoever asks: what is done there for
    // the rights of its file makes that longer.
    let mut options = UnixSocketOptions::default();
    options.mode = Some(0o600);
    for turn in 0..100 {
        let path = folder.path().join(format!("{turn}.sock"));
        if turn % 2 == 0 {
            drop(UnixListener::bind(&path).expect("the folder is ours"));
        }
        let together = Arc::new(Barrier::new(4));
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let host = builder().listen_unix_socket_with(&path, options.clone());
                let host = host.app(saying("hello")).build().expect("the configuration is right");
                let together = Arc::clone(&together);
                tokio::spawn(async move {
                    together.wait().await;
                    host.start().await
                })
            })
            .collect();
        let mut running = Vec::new();
        for start in starts {
            match start.await.expect("no panic") {
                Ok(host) => running.push(host),
                Err(error) => assert_eq!(in_the_way(&error), FileInTheWay::LiveSocket),
            }
        }
        assert_eq!(running.len(), 1, "{turn}");
        assert_eq!(said_at(&path).await, "hello");
        stopped(running.remove(0)).await;
        assert!(!path.exists(), "the file is left behind");
    }
}

/// One host stops while another starts: whichever way it goes, the second is not left without the
/// file of its socket.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_that_stops_leaves_the_socket_of_its_successor_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let mut host = host_at(&path).await;
    for _ in 0..50 {
        let stop = tokio::spawn(stopped(host));
        let began = std::time::Instant::now();
        host = loop {
            let next = builder().listen_unix_socket(&path).app(saying("hello")).build();
            match next.expect("the configuration is right").start().await {
                Ok(next) => break next,
                Err(error) => assert!(began.elapsed().as_secs() < 60, "{error:?}"),
            }
        };
        stop.await.expect("no panic");
        assert_eq!(said_at(&path).await, "hello");
    }
    stopped(host).await;
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("a file").mode() & 0o7777
}

#[tokio::test]
async fn code_says_what_the_file_is_to_be_like() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let own_group = fs::metadata(folder.path()).expect("a folder").gid();
    let mut options = UnixSocketOptions::default();
    options.mode = Some(0o600);
    options.group = Some(own_group.to_string());
    let build = |options| builder().listen_unix_socket_with(&path, options).app(saying("hello"));
    let host = started(build(options.clone())).await;
    assert_eq!(mode_of(&path), 0o600);
    assert_eq!(said_at(&path).await, "hello");
    stopped(host).await;

    options.mode = Some(0o1777);
    let error = build(options.clone()).build().expect_err("a socket is not sticky");
    assert!(error.to_string().contains("1777 is not the mode"), "{error}");
    options.mode = None;
    options.group = Some("no-such-group-here".to_owned());
    let error = build(options).build().expect_err("nobody has that name");
    assert!(error.to_string().contains("no group 'no-such-group-here'"), "{error}");
    assert!(error.to_string().contains("listen_unix_socket_with"), "{error}");
}

#[tokio::test]
async fn a_mode_that_changes_keeps_the_socket_and_its_connections() {
    let stage = Stage::with_endpoints("");
    let (path, other) = (stage.path("k.sock"), stage.path("other.sock"));
    let endpoint = |name: &str, path: &Path, mode: &str| {
        let path = path.display();
        format!(r#""{name}":{{"Url":"http://unix:{path}","UnixSocket":{{"Mode":"{mode}"}}}}"#)
    };
    let both = |mode: &str| [endpoint("A", &path, mode), endpoint("B", &other, mode)].join(",");
    stage.write(&crate::reload::settings(&both("600")));
    let host = stage.started(saying("hello")).await;
    let mut wire = Wire::new(UnixStream::connect(&path).await.expect("somebody listens"));
    assert_eq!(wire.get("/").await.body, "hello");
    assert_eq!((mode_of(&path), mode_of(&other)), (0o600, 0o600));

    assert_eq!(stage.go_over_to(&host, &both("666")).await.unwrap(), Reloaded::Changed);
    assert_eq!((mode_of(&path), mode_of(&other)), (0o666, 0o666));
    assert_eq!(wire.get("/").await.body, "hello", "the same connection");
    assert_eq!(said_at(&path).await, "hello");

    // Something else of the same reload cannot be had: the modes are as before, too.
    let (_taken, address) = crate::support::taken_port();
    let third = format!(r#"{},"C":{{"Url":"http://{address}"}}"#, both("600"));
    stage.go_over_to(&host, &third).await.unwrap_err();
    assert_eq!((mode_of(&path), mode_of(&other)), (0o666, 0o666));
    stage.go_over_to(&host, &both("668")).await.unwrap_err();

    // The second file is not there any more: the first is as it was.
    fs::remove_file(&other).expect("it is there");
    stage.go_over_to(&host, &both("640")).await.unwrap_err();
    assert_eq!(mode_of(&path), 0o666);
    stopped(host).await;
}

#[tokio::test]
async fn a_socket_that_somebody_listens_on_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let first = host_at(&path).await;
    let error = refusal(&path).await;
    assert_eq!(in_the_way(&error), FileInTheWay::LiveSocket);
    assert_eq!(said_at(&path).await, "hello", "the first host goes on");
    stopped(first).await;
}

#[tokio::test]
async fn a_plain_file_in_the_way_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    fs::write(&path, "dear").expect("the folder is ours");
    let error = refusal(&path).await;
    assert_eq!(in_the_way(&error), FileInTheWay::NoSocket);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "dear");
}

#[tokio::test]
async fn a_path_that_is_too_long_is_refused_before_anything_is_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k".repeat(120));
    let error = builder().listen_unix_socket(&path).build();
    let error = error.expect_err("the system has no room for the path");
    assert!(error.to_string().contains("invalid length"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing");
    let error = refusal(&missing.join("k.sock")).await;
    let told = format!("the folder {} does not exist", missing.display());
    assert!(error.to_string().contains(&told), "{error}");
}

#[tokio::test]
async fn a_socket_is_released_when_a_later_endpoint_cannot_be_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let (_taken, address) = crate::support::taken_port();
    let host = builder().listen_unix_socket(&path).listen(address).build();
    let error = host.expect("two endpoints").start().await;
    error.expect_err("the port is taken");
    assert!(!path.exists(), "the file is left behind");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_abstract_socket_serves_without_a_file() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream as StdUnixStream};

    use kestrel::configuration::Origin;

    let name = format!("kestrel-it-{}", std::process::id());
    let spec = format!("unix:@{name}");
    let build = || builder().listen_spec(&spec, Origin::Code("test"));
    let host = started(build().app(saying("hello"))).await;
    assert_eq!(host.addresses(), [format!("http://unix:@{name}")]);
    let connect = || {
        let address = SocketAddr::from_abstract_name(&name).expect("a short name");
        let stream = StdUnixStream::connect_addr(&address)?;
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream)
    };
    let mut wire = Wire::new(connect().expect("somebody listens"));
    assert_eq!(wire.get("/").await.body, "hello");

    let second = build().build().expect("the configuration is right");
    let error = second.start().await.expect_err("the name is taken");
    let HostError::Bind(reasons) = &error else {
        panic!("{error:?}");
    };
    assert!(matches!(reasons[..], [BindError::AddressInUse { .. }]), "{error:?}");
    stopped(host).await;
    connect().expect_err("nobody listens any more");
}

#[tokio::test]
async fn a_unix_socket_may_speak_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s");
    let url = format!("https://unix:{}", path.display());
    let file = |name: &str| file(name).display().to_string();
    let host = started(
        configured(&[
            ("ASPNETCORE_URLS", &url),
            ("Kestrel__Certificates__Default__Path", &file("server.pem")),
            ("Kestrel__Certificates__Default__KeyPath", &file("server.key")),
        ])
        .app(app()),
    )
    .await;
    let socket = UnixStream::connect(&path).await.expect("somebody listens");
    let connector = tokio_rustls::TlsConnector::from(Client::default().config());
    let name = "localhost".try_into().expect("a name");
    let stream = soon("a handshake", connector.connect(name, socket)).await.expect("a handshake");
    let mut wire = Wire::new(stream);
    assert_eq!(wire.get("/").await.body, "https Tls13 localhost - 0");
    stopped(host).await;
}
