//! Where a host is reached that listens on every address. Pure, but for the look at the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The address of an endpoint for a browser on this machine.
pub(super) fn on_this_machine(address: &str) -> String {
    match everywhere(address) {
        Some((scheme, port)) => format!("{scheme}://localhost:{port}"),
        None => address.to_owned(),
    }
}

/// The address of an endpoint for other machines, of which this one has the address `ip`; `None`, if the
/// endpoint is not for them.
pub(super) fn on_the_network(address: &str, ip: IpAddr) -> Option<String> {
    let (scheme, port) = everywhere(address)?;
    Some(format!("{scheme}://{}", SocketAddr::new(ip, port)))
}

/// Scheme and port of an endpoint that listens on every address.
fn everywhere(address: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = address.split_once("://")?;
    let socket: SocketAddr = rest.trim_end_matches('/').parse().ok()?;
    socket.ip().is_unspecified().then_some((scheme, socket.port()))
}

/// This machine's address on the network: that which a packet to anywhere would have. None is sent.
pub(super) fn of_this_machine() -> Option<IpAddr> {
    // Addresses for documentation: nobody has them, and the way there is the way out.
    let (four, six) = (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    let ways: [(IpAddr, IpAddr); 2] =
        [(Ipv4Addr::UNSPECIFIED.into(), four.into()), (Ipv6Addr::UNSPECIFIED.into(), six.into())];
    ways.into_iter().find_map(|(any, there)| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((there, 9)).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_for_all_is_named_by_who_reaches_it() {
        let ip = "192.168.1.5".parse().unwrap();
        for (address, here, there) in [
            ("http://[::]:5000", "http://localhost:5000", Some("http://192.168.1.5:5000")),
            ("https://0.0.0.0:443", "https://localhost:443", Some("https://192.168.1.5:443")),
            ("http://localhost:5000", "http://localhost:5000", None),
            ("http://127.0.0.1:41234", "http://127.0.0.1:41234", None),
        ] {
            assert_eq!(on_this_machine(address), here);
            assert_eq!(on_the_network(address, ip).as_deref(), there);
        }
        let six = "2001:db8::5".parse().unwrap();
        let there = on_the_network("http://[::]:80", six);
        assert_eq!(there.as_deref(), Some("http://[2001:db8::5]:80"));
    }
}
