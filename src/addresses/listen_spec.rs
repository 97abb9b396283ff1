//! The grammar of `--listen`: what the `Listen` calls of a program are, on a command line.

use std::fmt;
use std::path::PathBuf;

use super::endpoint::ListenTarget;
use super::ip_literal::IpLiteral;
use super::socket_options::UnixSocketOptions;

/// What a `--listen` says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenSpec {
    /// What to listen on.
    pub target: ListenTarget,
    /// The rights of a Unix socket's file.
    pub unix_socket: UnixSocketOptions,
}

impl From<ListenTarget> for ListenSpec {
    fn from(target: ListenTarget) -> Self {
        Self { target, unix_socket: UnixSocketOptions::default() }
    }
}

impl fmt::Display for ListenSpec {
    /// The value again, as it can be given to `--listen`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnixSocketOptions { mode, owner, group } = &self.unix_socket;
        write!(f, "{}", self.target)?;
        if let Some(mode) = mode {
            write!(f, ",mode={mode:03o}")?;
        }
        if let Some(owner) = owner {
            write!(f, ",owner={owner}")?;
        }
        group.as_ref().map_or(Ok(()), |group| write!(f, ",group={group}"))
    }
}

/// Reads one `--listen` value: `127.0.0.1:5001`, `[::1]:5001`, `localhost:5001`, `*:5001` for all
/// interfaces, `unix:/run/app.sock`, or `unix:@name` for an abstract socket of Linux. Behind a path
/// may follow what its file is to be like: `unix:/run/app.sock,mode=660,group=www-data`.
///
/// # Errors
///
/// Says what is wrong and how to write it.
pub fn parse_listen_spec(spec: &str) -> Result<ListenSpec, String> {
    if let Some((path, options)) = spec.split_once(',')
        && path.starts_with("unix:/")
    {
        let target = parse_target(path)?;
        return Ok(ListenSpec { target, unix_socket: UnixSocketOptions::parse_list(options)? });
    }
    if spec.starts_with("unix:@") && spec.contains(",mode=") {
        return Err("an abstract socket has no file, and so no mode: remove it, or use unix:/path"
            .to_owned());
    }
    parse_target(spec).map(ListenSpec::from)
}

fn parse_target(spec: &str) -> Result<ListenTarget, String> {
    const FORMS: &str = "write ADDRESS:PORT, localhost:PORT, *:PORT, unix:/path or unix:@name";
    if let Some(name) = spec.strip_prefix("unix:@") {
        return if name.is_empty() {
            Err("an abstract socket needs a name behind the '@'".to_owned())
        } else {
            Ok(ListenTarget::AbstractSocket(name.to_owned()))
        };
    }
    if let Some(path) = spec.strip_prefix("unix:") {
        return if path.starts_with('/') {
            Ok(ListenTarget::UnixSocket(PathBuf::from(path)))
        } else {
            Err("Unix socket path must be absolute: it starts with a slash".to_owned())
        };
    }
    if spec.contains("://") {
        return Err(format!("this is a URL, which belongs to --urls; {FORMS}"));
    }
    let (host, port) = spec.rsplit_once(':').ok_or(FORMS)?;
    let port = port
        .parse::<u16>()
        .ok()
        .filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| format!("'{port}' is not a port from 0 to 65535; {FORMS}"))?;
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(ListenTarget::Localhost(port));
    }
    if host == "*" || host == "+" {
        return Ok(ListenTarget::AnyIp(port));
    }
    // Without brackets the last group of an IPv6 address would be taken for the port.
    let bare_ipv6 = host.contains(':') && !host.starts_with('[');
    match IpLiteral::parse(host) {
        Some(_) if bare_ipv6 => Err(format!("an IPv6 address stands in brackets: [{host}]:{port}")),
        Some(literal) => Ok(ListenTarget::Ip(literal, port)),
        None => Err(format!("'{host}' is not an IP address, localhost or *; {FORMS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let shown = |spec: &str| match parse_listen_spec(spec) {
            Ok(spec) => spec.to_string(),
            Err(_) => "refused".to_owned(),
        };
        for (spec, read) in [
            ("127.0.0.1:5001", "127.0.0.1:5001"),
            ("[::1]:5001", "[::1]:5001"),
            ("LOCALHOST:5001", "localhost:5001"),
            ("*:5001", "*:5001"),
            ("*:0", "*:0"),
            ("unix:/run/k.sock", "unix:/run/k.sock"),
            ("unix:@name", "unix:@name"),
            ("unix:/run/k.sock,mode=0660", "unix:/run/k.sock,mode=660"),
            (
                "unix:/run/k.sock,group=www-data,owner=app,mode=600",
                "unix:/run/k.sock,mode=600,owner=app,group=www-data",
            ),
            ("unix:/run/k.sock,", "refused"),
            ("unix:/run/k.sock,mode=rw", "refused"),
            ("unix:@name,mode=660", "refused"),
            ("unix:k.sock,mode=660", "refused"),
            ("*:5001,mode=660", "refused"),
            ("unix:@", "refused"),
            ("unix:k.sock", "refused"),
            ("::1:5001", "refused"),
            ("5001", "refused"),
            ("127.0.0.1", "refused"),
            ("127.0.0.1:+80", "refused"),
            ("127.0.0.1:65536", "refused"),
            ("example.com:80", "refused"),
            ("http://127.0.0.1:80", "refused"),
            ("", "refused"),
        ] {
            assert_eq!(shown(spec), read, "{spec}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(spec in "\\PC*|(unix:)?[\\[\\]:@/a-z0-9.%*,=]*") {
            let _ = parse_listen_spec(&spec);
        }
    }
}
