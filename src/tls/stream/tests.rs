//! A server and a client of rustls at the two ends of a pipe.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use proptest::prelude::*;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;

use super::*;
use crate::features::HttpProtocols;
use crate::tls::certificate::ServerCertificate;
use crate::tls::client_certificates::ClientRoots;
use crate::tls::endpoint::Material;
use crate::tls::test_data::{certificate, key};
use crate::tls::{EndpointTls, TlsOptions};

/// How long is waited for what happens at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// An endpoint and a client that trusts it.
fn both() -> &'static (EndpointTls, Arc<ClientConfig>) {
    static MADE: OnceLock<(EndpointTls, Arc<ClientConfig>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let served = ServerCertificate::from_pkcs8(
            vec![certificate("server")],
            key("server").secret_der().to_vec(),
        );
        let options = TlsOptions::default();
        let endpoint = EndpointTls::new(
            "test",
            &options,
            HttpProtocols::Http1AndHttp2,
            &Material {
                certificate: Some(&Arc::new(served.unwrap())),
                of_names: &[],
                client_roots: &ClientRoots::default(),
                client_roots_of_names: &[],
            },
        );
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca")).unwrap();
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_webpki_verifier(verifier.build().unwrap())
            .with_no_client_auth();
        (endpoint.unwrap(), Arc::new(config))
    })
}

async fn connected(
    room: usize,
) -> (TlsStream<DuplexStream>, tokio_rustls::client::TlsStream<DuplexStream>) {
    let (endpoint, config) = both();
    let (mut near, far) = duplex(room);
    let connector = TlsConnector::from(Arc::clone(config));
    let name = "localhost".try_into().unwrap();
    let (accepted, client) = tokio::join!(endpoint.accept(&mut near), connector.connect(name, far));
    (accepted.unwrap().into_stream(near), client.unwrap())
}

/// What a client says first.
fn hello() -> Vec<u8> {
    let (_, config) = both();
    let name = "localhost".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn bytes_arrive_in_order_however_they_are_cut(
        // Less than the ticket behind a handshake would never end it: nobody reads yet.
        room in prop_oneof![1000..2000usize, 2000..100_000usize],
        up in prop::collection::vec(1..70_000usize, 1..4),
        down in prop::collection::vec(prop::collection::vec(0..40_000usize, 1..4), 1..4),
    ) {
        run(async {
            let (mut server, client) = connected(room).await;
            let (mut reader, mut writer) = tokio::io::split(client);
            let sent_up: Vec<u8> = (0..up.iter().sum()).map(|place| (place % 251) as u8).collect();
            let length: usize = down.iter().flatten().sum();
            let sent_down: Vec<u8> = (0..length).map(|place| (place % 241) as u8).collect();
            let sending = async {
                let mut left = &sent_up[..];
                for length in &up {
                    writer.write_all(&left[..*length]).await.unwrap();
                    left = &left[*length..];
                }
                writer.flush().await.unwrap();
            };
            let receiving = async {
                let mut came = Vec::new();
                reader.read_to_end(&mut came).await.unwrap();
                came
            };
            let serving = async {
                let mut came = vec![0; sent_up.len()];
                server.read_exact(&mut came).await.unwrap();
                let mut left = &sent_down[..];
                for pieces in &down {
                    let length: usize = pieces.iter().sum();
                    let mut here = &left[..length];
                    left = &left[length..];
                    while !here.is_empty() {
                        let mut slices = Vec::new();
                        let mut rest = here;
                        for piece in pieces {
                            let (slice, after) = rest.split_at((*piece).min(rest.len()));
                            slices.push(IoSlice::new(slice));
                            rest = after;
                        }
                        let written = server.write_vectored(&slices).await.unwrap();
                        here = &here[written..];
                    }
                }
                server.shutdown().await.unwrap();
                came
            };
            // Both directions at once would need a server that reads while it writes.
            let (came_up, (), came_down) = tokio::join!(serving, sending, receiving);
            assert!(came_up == sent_up && came_down == sent_down);
            assert_eq!((server.unsent(), server.incoming.capacity()), (0, 0));
        });
    }

    #[test]
    fn a_damaged_hello_is_refused_or_taken(
        place in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
    ) {
        run(async {
            let mut hello = hello();
            *place.get_mut(&mut hello) = byte;
            let (mut near, mut far) = duplex(1 << 20);
            let (endpoint, _) = both();
            far.write_all(&hello[..=cut.index(hello.len())]).await.unwrap();
            far.shutdown().await.unwrap();
            // It is not whole, so nothing can come of it.
            prop_assert!(endpoint.accept(&mut near).await.is_err());
            Ok(())
        })?;
    }

    #[test]
    fn a_damaged_record_ends_the_connection(
        record in prop::collection::vec(any::<u8>(), 5..400), kind in 20..25u8,
    ) {
        run(async {
            let (mut server, client) = connected(1 << 20).await;
            let (mut socket, _) = client.into_inner();
            let mut record = record;
            record[..3].copy_from_slice(&[kind, 3, 3]);
            socket.write_all(&record).await.unwrap();
            socket.shutdown().await.unwrap();
            let mut came = Vec::new();
            // An error, or the end behind half a record; no byte of it is taken for data.
            let _ = server.read_to_end(&mut came).await;
            prop_assert!(came.is_empty());
            Ok(())
        })?;
    }
}

#[test]
fn a_writer_goes_on_though_another_task_reads() {
    const LENGTH: usize = 300_000;

    run(async {
        let (server, mut client) = connected(1000).await;
        let (mut reader, mut writer) = tokio::io::split(server);
        let reading = tokio::spawn(async move {
            let mut came = Vec::new();
            reader.read_to_end(&mut came).await.map(|_| came)
        });
        let writing = tokio::spawn(async move {
            writer.write_all(&vec![7; LENGTH]).await?;
            writer.shutdown().await
        });
        // The writer waits by now; each byte makes the reader look for something to send.
        for _ in 0..3 {
            tokio::task::yield_now().await;
            client.write_all(b"a").await.unwrap();
            client.flush().await.unwrap();
        }
        tokio::task::yield_now().await;
        let mut came = Vec::new();
        let whole = tokio::time::timeout(PATIENCE, client.read_to_end(&mut came)).await;
        assert!(whole.is_ok(), "the writer was never woken: {} bytes came", came.len());
        assert_eq!(came.len(), LENGTH);
        writing.await.unwrap().unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), b"aaa");
    });
}

#[test]
fn what_came_before_a_broken_record_is_read() {
    run(async {
        let (mut server, client) = connected(1 << 20).await;
        let (mut socket, mut session) = client.into_inner();
        session.writer().write_all(b"whole").unwrap();
        let mut records = Vec::new();
        session.write_tls(&mut records).unwrap();
        records.extend_from_slice(&[23, 3, 3, 0, 20]);
        records.extend_from_slice(&[0; 20]);
        socket.write_all(&records).await.unwrap();
        let mut came = [0; 64];
        assert_eq!(server.read(&mut came).await.unwrap(), 5);
        assert_eq!(&came[..5], b"whole");
        for _ in 0..2 {
            let error = server.read(&mut came).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
        // It is told why.
        let mut alert = [0; 64];
        assert!(socket.read(&mut alert).await.unwrap() > 0);
    });
}

#[test]
fn what_comes_behind_the_end_is_not_kept() {
    run(async {
        let (mut server, client) = connected(1 << 20).await;
        let (mut socket, mut session) = client.into_inner();
        session.writer().write_all(b"last").unwrap();
        session.send_close_notify();
        let mut records = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut records).unwrap();
        }
        records.extend_from_slice(&[23; 20_000]);
        socket.write_all(&records).await.unwrap();
        let mut came = Vec::new();
        server.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, b"last");
        assert_eq!(server.incoming.capacity(), 0);
        // It may still be answered.
        server.write_all(b"answer").await.unwrap();
        server.shutdown().await.unwrap();
    });
}

#[test]
fn changes_of_keys_are_answered_and_a_flood_of_them_ends_the_connection() {
    run(async {
        let (mut server, client) = connected(1 << 20).await;
        let (mut socket, mut session) = client.into_inner();
        let mut came = [0; 64];
        for _ in 0..100 {
            session.refresh_traffic_keys().unwrap();
            session.writer().write_all(b"a").unwrap();
            let mut records = Vec::new();
            while session.wants_write() {
                session.write_tls(&mut records).unwrap();
            }
            // Cut anywhere.
            for piece in records.chunks(7) {
                socket.write_all(piece).await.unwrap();
            }
            assert_eq!(server.read(&mut came).await.unwrap(), 1);
            server.write_all(b"b").await.unwrap();
            server.flush().await.unwrap();
            let mut answer = [0; 4096];
            let length = socket.read(&mut answer).await.unwrap();
            session.read_tls(&mut &answer[..length]).unwrap();
            session.process_new_packets().unwrap();
            let mut text = [0; 64];
            assert_eq!(session.reader().read(&mut text).unwrap(), 1);
        }
        let mut records = Vec::new();
        for _ in 0..100 {
            session.refresh_traffic_keys().unwrap();
            while session.wants_write() {
                session.write_tls(&mut records).unwrap();
            }
        }
        socket.write_all(&records).await.unwrap();
        assert!(server.read(&mut came).await.is_err());
    });
}

/// The system sends what a socket has left whatever its task does; so does a stream whose task only
/// reads.
#[test]
fn what_is_left_goes_out_while_the_task_reads() {
    const LENGTH: usize = 5000;

    run(async {
        let (mut server, mut client) = connected(1000).await;
        server.write_all(&[7; LENGTH]).await.unwrap();
        assert!(server.unsent() > 0, "the pipe has room for less");
        let mut came = [0; LENGTH];
        let mut nothing = [0; 1];
        let whole = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                read = server.read(&mut nothing) => panic!("{read:?} before anything was sent"),
                all = client.read_exact(&mut came) => all.unwrap(),
            }
        });
        assert_eq!(whole.await.expect("the rest was never sent"), LENGTH);
        assert_eq!(server.unsent(), 0);
    });
}

/// A change of keys that stands behind data nobody has read yet is answered by the next write,
/// before what is written: it is encrypted with the new keys already.
#[test]
fn the_answer_to_a_change_of_keys_goes_before_what_is_written() {
    run(async {
        let (mut server, client) = connected(1 << 20).await;
        let (mut socket, mut session) = client.into_inner();
        session.writer().write_all(b"ab").unwrap();
        session.refresh_traffic_keys().unwrap();
        session.writer().write_all(b"c").unwrap();
        let mut records = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut records).unwrap();
        }
        socket.write_all(&records).await.unwrap();
        let mut one = [0; 1];
        assert_eq!((server.read(&mut one).await.unwrap(), &one), (1, b"a"));
        server.write_all(b"answer").await.unwrap();
        server.flush().await.unwrap();
        let mut answer = [0; 4096];
        let length = socket.read(&mut answer).await.unwrap();
        session.read_tls(&mut &answer[..length]).unwrap();
        session.process_new_packets().unwrap();
        let mut text = [0; 6];
        session.reader().read_exact(&mut text).unwrap();
        assert_eq!(&text, b"answer");
        let mut rest = [0; 2];
        server.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"bc");
    });
}
