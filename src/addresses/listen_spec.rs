//! The grammar of `--listen`: what the `Listen` calls of a program are, on a command line.

use std::fmt;
use std::path::PathBuf;

use super::binding_address::BindingAddress;
use super::endpoint::ListenTarget;
use super::host_mistake::is_filled_in;
use super::ip_literal::IpLiteral;
use super::near_miss::{NearMiss, near_miss};
use super::socket_options::UnixSocketOptions;

const FORMS: &str = "write ADDRESS:PORT, localhost:PORT, *:PORT, unix:/path or unix:@name";

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
        && has_file(path)
    {
        let (unix_socket, mut mistakes) = UnixSocketOptions::read_list(options);
        return match parse_target(path) {
            Ok(target) if mistakes.is_empty() => Ok(ListenSpec { target, unix_socket }),
            target => {
                mistakes.splice(0..0, target.err());
                mistakes.dedup();
                Err(mistakes.join("; "))
            }
        };
    }
    if spec.starts_with("unix:@") && spec.contains(",mode=") {
        return Err("an abstract socket has no file, and so no mode: remove it, or use unix:/path"
            .to_owned());
    }
    parse_target(spec).map(ListenSpec::from)
}

/// The rights that can be read in a spec that cannot be read as a whole: what is wrong with them is told
/// with it.
pub(crate) fn readable_rights(spec: &str) -> UnixSocketOptions {
    let list = spec.split_once(',').filter(|(path, _)| has_file(path));
    list.map(|(_, options)| UnixSocketOptions::read_list(options).0).unwrap_or_default()
}

fn has_file(path: &str) -> bool {
    path.starts_with("unix:") && !path.starts_with("unix:@")
}

fn parse_target(spec: &str) -> Result<ListenTarget, String> {
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
    if let Some(mistake) = mistake(spec) {
        return Err(mistake);
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
        None => Err(match near_miss(host) {
            Some(NearMiss::Localhost(_)) => format!("did you mean localhost:{port}?"),
            Some(NearMiss::Ip(Some(address))) => format!("did you mean {address}:{port}?"),
            _ => format!(
                "'{host}' is not an IP address, localhost or *; {FORMS}; *:{port} listens on all interfaces"
            ),
        }),
    }
}

/// A slip that would be told of a URL as well.
fn slip(spec: &str) -> Option<String> {
    const QUOTES: [char; 2] = ['"', '\''];
    if spec.starts_with(QUOTES) || spec.ends_with(QUOTES) {
        let bare = spec.trim_matches(QUOTES);
        let such = parse_target(bare).map_or(String::new(), |_| format!(": {bare}"));
        return Some(format!("the quotes are part of the value; remove them{such}"));
    }
    if spec.contains("://") {
        return None;
    }
    let odd = is_filled_in(spec) || (spec.contains(['[', ']']) && !spec.contains([';', ',']));
    let wrong = odd.then(|| BindingAddress::parse(&format!("http://{spec}")).err()).flatten()?;
    Some(wrong.fix.replace("http://", ""))
}

/// What was probably meant by a spec that is none.
fn mistake(spec: &str) -> Option<String> {
    if let Some((_, rest)) = spec.rsplit_once('@') {
        return Some(format!("write no user and no password: {rest}"));
    }
    if let Some(slip) = slip(spec) {
        return Some(slip);
    }
    if let Some((scheme, rest)) = spec.split_once("://") {
        let rest = rest.trim_end_matches('/');
        return Some(match scheme.eq_ignore_ascii_case("https") {
            true => format!("--listen has no https; write --urls https://{rest}"),
            false if !rest.contains("://") && parse_target(rest).is_ok() => {
                format!("write it without http://: --listen {rest}, or as --urls http://{rest}")
            }
            false => format!("this is a URL, which belongs to --urls; {FORMS}"),
        });
    }
    if let Some((first, rest)) = spec.split_once([';', ',']) {
        let first = first.trim();
        parse_target(first).ok()?;
        let rest: Vec<_> = rest.split([';', ',']).map(str::trim).collect();
        let rest: Vec<_> = rest.into_iter().filter(|item| !item.is_empty()).collect();
        return Some(match &rest[..] {
            [word] if ["https", "tls", "ssl"].iter().any(|tls| tls.eq_ignore_ascii_case(word)) => {
                format!("--listen has no https; write --urls https://{first}")
            }
            [_, ..] if rest.iter().all(|item| parse_target(item).is_ok()) => {
                let each = rest.iter().map(|item| format!(" --listen {item}"));
                format!(
                    "write --listen once for each: --listen {first}{}",
                    each.collect::<String>()
                )
            }
            _ => format!("remove what follows it: {first}"),
        });
    }
    let number = spec.strip_prefix(':').unwrap_or(spec);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!(
            "write localhost:{number} for this machine only, or *:{number} for all interfaces"
        ));
    }
    let bare = spec.trim_end_matches('/');
    if bare != spec && parse_target(bare).is_ok() {
        return Some(format!("remove the slash: {bare}"));
    }
    let is_name = ["localhost", "*", "+"].iter().any(|name| name.eq_ignore_ascii_case(spec));
    match IpLiteral::parse(spec) {
        // A group of an IPv6 address without brackets may be meant as the port.
        Some(_) if spec.contains(':') && !spec.starts_with('[') => None,
        Some(_) => Some(format!("write the port, too: {spec}:5000")),
        None if is_name => Some(format!("write the port, too: {spec}:5000")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::address_without_user_info;

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

    #[test]
    fn what_was_meant_is_told() {
        for (spec, fix) in [
            ("5001", "write localhost:5001 for this machine only, or *:5001 for all interfaces"),
            (":5001", "write localhost:5001 for this machine only, or *:5001 for all interfaces"),
            ("127.0.0.1", "write the port, too: 127.0.0.1:5000"),
            ("[::1]", "write the port, too: [::1]:5000"),
            ("localhost", "write the port, too: localhost:5000"),
            ("*", "write the port, too: *:5000"),
            ("::1:5001", "an IPv6 address stands in brackets: [::1]:5001"),
            (
                "http://127.0.0.1:80/",
                "write it without http://: --listen 127.0.0.1:80, or as --urls http://127.0.0.1:80",
            ),
            ("https://*:443", "--listen has no https; write --urls https://*:443"),
            ("127.0.0.1:80/", "remove the slash: 127.0.0.1:80"),
            ("locahost:80", "did you mean localhost:80?"),
            ("127.0.0.l:80", "did you mean 127.0.0.1:80?"),
            ("*:1;*:2", "write --listen once for each: --listen *:1 --listen *:2"),
            (
                "*:1, *:2,[::1]:3",
                "write --listen once for each: --listen *:1 --listen *:2 --listen [::1]:3",
            ),
            ("*:5001,https", "--listen has no https; write --urls https://*:5001"),
            ("*:5001,mode=660", "remove what follows it: *:5001"),
            ("*:5001,", "remove what follows it: *:5001"),
            ("\"*:5000\"", "the quotes are part of the value; remove them: *:5000"),
            ("'x", "the quotes are part of the value; remove them"),
            ("[::1:5000", "close the bracket: [::1]:5000"),
            ("::1]:5000", "open the bracket: [::1]:5000"),
            ("[::1]5000", "write ':' between the bracket and the port: [::1]:5000"),
            ("[::1]:5000]", "remove the bracket behind the port: [::1]:5000"),
            ("[localhost]:5000", "only an IPv6 address stands in brackets; write localhost:5000"),
            (
                "*:${PORT}",
                "nothing fills in '*:${PORT}' here: write what it stands for, such as *:8080",
            ),
            (
                "$HOST:80",
                "nothing fills in '$HOST' here: write what it stands for, such as localhost:80",
            ),
            ("user:hunter2@localhost:80", "write no user and no password: localhost:80"),
            ("http://user:hunter2@localhost:80", "write no user and no password: localhost:80"),
            (
                "unix:k.sock,mode=9",
                "Unix socket path must be absolute: it starts with a slash; '9' is not a mode: write three octal digits, \
                 for owner, group and others, such as 660; to connect takes the right to write",
            ),
        ] {
            assert_eq!(parse_listen_spec(spec), Err(fix.to_owned()), "{spec}");
            assert!(!address_without_user_info(spec).contains("hunter2"), "{spec}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(spec in "\\PC*|(unix:)?[\\[\\]:@/a-z0-9.%*,=]*") {
            let _ = parse_listen_spec(&spec);
        }
    }
}
