//! Unix sockets: what happens with their files.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use kestrel::addresses::{BindError, FileInTheWay};
use kestrel::{HostError, RunningHost};
use tokio::net::UnixStream;

use crate::support::{Wire, builder, saying, started, stopped};

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

#[tokio::test]
async fn a_socket_that_nobody_listens_on_is_refused_with_the_way_to_remove_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    drop(UnixListener::bind(&path).expect("the folder is ours"));
    let error = refusal(&path).await;
    let HostError::Bind(BindError::FileInTheWay { what, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*what, FileInTheWay::StaleSocket);
    let fix = format!("remove it (rm {})", path.display());
    assert!(error.to_string().contains(&fix), "{error}");
    assert!(path.exists(), "it is for the user to remove");
}

#[tokio::test]
async fn a_socket_that_somebody_listens_on_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    let first = host_at(&path).await;
    let error = refusal(&path).await;
    let HostError::Bind(BindError::FileInTheWay { what, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*what, FileInTheWay::LiveSocket);
    assert_eq!(said_at(&path).await, "hello", "the first host goes on");
    stopped(first).await;
}

#[tokio::test]
async fn a_plain_file_in_the_way_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("k.sock");
    fs::write(&path, "dear").expect("the folder is ours");
    let error = refusal(&path).await;
    let HostError::Bind(BindError::FileInTheWay { what, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*what, FileInTheWay::NoSocket);
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
    assert!(matches!(error, HostError::Bind(BindError::AddressInUse { .. })), "{error:?}");
    stopped(host).await;
    connect().expect_err("nobody listens any more");
}
