//! TLS as a server of a case speaks it.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::proxy::text::list;
use crate::proxy::wire::Wire;
use crate::test_data;

/// The connection once the handshake is done, and the protocol that was agreed on.
///
/// # Errors
/// When the client breaks it off.
pub(super) fn accept(mut socket: TcpStream, script: &Value) -> io::Result<(Wire, Option<Vec<u8>>)> {
    let configuration = Arc::new(configuration(script).map_err(io::Error::other)?);
    let mut connection = ServerConnection::new(configuration).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let protocol = connection.alpn_protocol().map(<[u8]>::to_vec);
    Ok((Wire::secure(StreamOwned::new(connection, socket)), protocol))
}

fn configuration(script: &Value) -> Result<ServerConfig, rustls::Error> {
    let versions: &[_] = match script["tls_max"].as_str() {
        Some("1.2") => &[&TLS12],
        _ => &[&TLS13, &TLS12],
    };
    // One that the authority of the cases signed, or one that vouches for itself and names nobody.
    let name = if script["tls"] == "other" { "own" } else { "server" };
    let mut configuration =
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(vec![test_data::certificate(name)], test_data::key(name))?;
    let named = list(&script["alpn"]).iter().filter_map(Value::as_str);
    configuration.alpn_protocols = named.map(|name| name.as_bytes().to_vec()).collect();
    if configuration.alpn_protocols.is_empty() {
        let own = if script["kind"] == "h2" { "h2" } else { "http/1.1" };
        configuration.alpn_protocols = vec![own.as_bytes().to_vec()];
    }
    Ok(configuration)
}
