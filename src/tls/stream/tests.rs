//! A server and a client of rustls at the two ends of a pipe.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use proptest::prelude::*;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;

use super::*;
use crate::features::HttpProtocols;
use crate::tls::certificate::ServerCertificate;
use crate::tls::client_certificates::ClientRoots;
use crate::tls::dev_certificate;
use crate::tls::{EndpointTls, TlsOptions};

/// An endpoint and a client that trusts it: one certificate for all tests, it takes a while.
fn both() -> &'static (EndpointTls, Arc<ClientConfig>) {
    static MADE: OnceLock<(EndpointTls, Arc<ClientConfig>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let made = dev_certificate::generate::generate(SystemTime::now()).unwrap();
        let leaf = CertificateDer::from(made.certificate);
        let served = ServerCertificate::from_pkcs8(vec![leaf.clone()], made.key).unwrap();
        let options = TlsOptions::default();
        let endpoint = EndpointTls::new(
            "test",
            &options,
            HttpProtocols::Http1AndHttp2,
            Some(&Arc::new(served)),
            &[],
            &ClientRoots::default(),
        );
        let mut roots = RootCertStore::empty();
        roots.add(leaf).unwrap();
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
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn bytes_arrive_in_order_however_they_are_cut(
        room in prop_oneof![200..2000usize, 2000..100_000usize],
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
