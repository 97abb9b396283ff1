//! Who waits for a program behind the host, and who does so no more.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::child_process::{hosting, wait_until};
use crate::http::connect;

/// Whether a request waits for the program, and is not told that others do already.
fn waits(address: &str) -> Option<TcpStream> {
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("the server reads");
    // Who is told is told at once.
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a time");
    stream.read_exact(&mut [0]).is_err().then_some(stream)
}

/// What the systems of both sides have room for is no reason not to notice it.
#[test]
fn an_upload_whose_client_is_gone_waits_no_more() {
    let running = hosting(&["hang"], r#""RequestQueueLimit": 1"#).started();
    let address = running.address();
    for (length, sent) in [(5, 5), (100, 50), (60_000, 60_000), (3_000_000, 60_000)] {
        let mut upload = connect(&address);
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        upload.write_all(head.as_bytes()).expect("the server reads");
        upload.write_all(&vec![b'x'; sent]).expect("there is room");
        wait_until("it waits", || waits(&address).is_none());
        drop(upload);
        // Each who asks so goes away, too.
        wait_until(&format!("{sent} bytes of {length} are gone"), || waits(&address).is_some());
        wait_until("nobody waits", || waits(&address).is_some());
    }
    running.terminated();
}
