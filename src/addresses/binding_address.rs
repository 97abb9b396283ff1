//! The grammar of a URL to bind, such as `http://localhost:5000`.
//!
//! It is Kestrel's, not that of RFC 3986: nothing is percent-decoded, there is no user and no
//! query, a host name stands for all interfaces. Where Kestrel takes a text that cannot be meant
//! (a port that is no number opens port 80 to the world), we refuse and point at the place.

use std::fmt;
use std::path::PathBuf;

use super::ip_literal::IpLiteral;

/// A URL to bind, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BindingAddress {
    /// Whether the scheme is `https`.
    pub https: bool,
    /// What stands for the host.
    pub host: Host,
    /// The port; 80 or 443 if none was written, 0 lets the system choose. No meaning for sockets
    /// without ports.
    pub port: u16,
}

/// What stands for the host in a URL to bind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// `localhost`, or a name below it: both loopback addresses. The name is as it is to be shown.
    Localhost(String),
    /// An IP address: this one only.
    Ip(IpLiteral),
    /// `*` or `+`: all interfaces.
    Any,
    /// Another name: all interfaces too, because a name is no filter. As it was written.
    Name(String),
    /// The path of a Unix socket.
    UnixSocket(PathBuf),
    /// The name of a pipe of Windows.
    NamedPipe(String),
}

/// What is wrong with a URL to bind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct AddressError {
    /// What is wrong.
    pub problem: AddressProblem,
    /// Where in the text, as an offset in bytes, if one place is to blame.
    pub position: Option<usize>,
    /// How to put it right.
    pub fix: String,
}

/// The kinds of mistakes, with Kestrel's text where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressProblem {
    /// No scheme, or no host.
    #[error("Invalid url: '{0}'")]
    InvalidUrl(String),
    /// Neither `http` nor `https`.
    #[error(
        "Unrecognized scheme in server address '{0}'. Only 'http://' and 'https://' are supported."
    )]
    Scheme(String),
    /// Something follows the port.
    #[error(
        "A path base can only be configured using IApplicationBuilder.UsePathBase(). The address '{0}' has one."
    )]
    PathBase(String),
    /// The port is no number.
    #[error("Invalid port: '{port}' in the address '{address}', only numbers are allowed.")]
    Port {
        /// The text in the place of the port.
        port: String,
        /// The whole address.
        address: String,
    },
    /// The port is a number that is no port.
    #[error(
        "Specified argument was out of the range of valid values. (Parameter 'port') The port {port} of the address '{address}' does not lie between 0 and 65535."
    )]
    PortRange {
        /// The number.
        port: i64,
        /// The whole address.
        address: String,
    },
    /// A host of digits and dots that is no IP address.
    #[error("'{host}' in the address '{address}' is not an IP address.")]
    MistypedIp {
        /// The host.
        host: String,
        /// The whole address.
        address: String,
    },
    /// A blank in or around the host.
    #[error("Invalid url: '{0}' has a blank where the host stands.")]
    Blank(String),
    /// The path of a Unix socket does not end where it should.
    #[error("Invalid url: '{0}' does not name a Unix socket.")]
    UnixSocket(String),
}

impl BindingAddress {
    /// Takes a URL apart.
    ///
    /// ```
    /// use kestrel::addresses::{BindingAddress, Host};
    ///
    /// let address = BindingAddress::parse("http://*:5000").unwrap();
    /// assert_eq!(address.host, Host::Any);
    /// assert_eq!(address.port, 5000);
    /// assert!(BindingAddress::parse("http://*:{port}").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Says what is wrong, where, and what to write instead.
    pub fn parse(address: &str) -> Result<Self, AddressError> {
        let invalid = || AddressProblem::InvalidUrl(address.to_owned());
        let Some((scheme, rest)) = address.split_once("://") else {
            return Err(invalid().at(None, missing_scheme(address)));
        };
        let start = scheme.len() + "://".len();
        let socket = rest.starts_with("unix:/") || rest.starts_with("pipe:/");
        let authority = Authority::split(address, start);
        if !socket && authority.host.is_empty() {
            let fix = "write a host: localhost, an IP address, or * for all interfaces";
            return Err(invalid().at(Some(start), fix));
        }
        let https = match scheme {
            scheme if scheme.eq_ignore_ascii_case("http") => false,
            scheme if scheme.eq_ignore_ascii_case("https") => true,
            _ => {
                let problem = AddressProblem::Scheme(address.to_owned());
                return Err(problem.at(Some(0), quoted_or(address, "write http:// or https://")));
            }
        };
        let (host, port) = if rest.starts_with("unix:/") {
            (Host::UnixSocket(socket_name(address, start, "unix:")?.into()), 0)
        } else if rest.starts_with("pipe:/") {
            (Host::NamedPipe(socket_name(address, start, "pipe:/")?.to_owned()), 0)
        } else {
            authority.read(address, start, if https { 443 } else { 80 })?
        };
        Ok(Self { https, host, port })
    }
}

/// The part of a URL that holds host and port.
struct Authority<'a> {
    host: &'a str,
    port: Option<&'a str>,
    /// Where it ends.
    end: usize,
}

impl<'a> Authority<'a> {
    /// It ends at the first slash; the last `:` starts the port, unless a bracket closes behind it.
    fn split(address: &'a str, start: usize) -> Self {
        let end = address[start..].find('/').map_or(address.len(), |slash| start + slash);
        let text = &address[start..end];
        match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => Self { host, port: Some(port), end },
            _ => Self { host: text, port: None, end },
        }
    }

    fn read(
        &self,
        address: &str,
        start: usize,
        default_port: u16,
    ) -> Result<(Host, u16), AddressError> {
        if !matches!(&address[self.end..], "" | "/") {
            let problem = AddressProblem::PathBase(address.to_owned());
            return Err(problem.at(Some(self.end), self.path_fix(address)));
        }
        let port = match self.port {
            Some(port) => read_port(address, port, self.end - port.len())?,
            None => default_port,
        };
        Ok((read_host(address, self.host, start)?, port))
    }

    fn path_fix(&self, address: &str) -> String {
        if address.contains(',') && address.matches("://").count() > 1 {
            "addresses are separated by ';', not by ','".to_owned()
        } else if self.host.eq_ignore_ascii_case("unix") {
            "a socket's path starts with a slash and the word unix is in lower case: http://unix:/run/app.sock"
                .to_owned()
        } else {
            format!("end the address behind the port: {}", &address[..self.end])
        }
    }
}

impl AddressProblem {
    fn at(self, position: Option<usize>, fix: impl Into<String>) -> AddressError {
        AddressError { problem: self, position, fix: fix.into() }
    }
}

fn missing_scheme(address: &str) -> String {
    let host = address.trim();
    match host.split_once(":/") {
        // systemd-escape turns `http://` into `http:--`.
        _ if host.starts_with("http:--") || host.starts_with("https:--") => {
            "the address was escaped: write it as it is, http://localhost:5000, in double quotes"
                .to_owned()
        }
        Some((scheme @ ("http" | "https"), rest)) => {
            format!("write two slashes: {scheme}://{}", rest.trim_start_matches('/'))
        }
        _ if host.is_empty() => "write an address such as http://localhost:5000".to_owned(),
        _ if host.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("write the whole address: http://localhost:{host}")
        }
        _ if host.starts_with(':') => format!("write the whole address: http://localhost{host}"),
        _ => quoted_or(address, &format!("write the scheme too: http://{host}")),
    }
}

fn quoted_or(address: &str, otherwise: &str) -> String {
    if address.starts_with(['"', '\'']) || address.ends_with(['"', '\'']) {
        let bare = address.trim_matches(['"', '\'']);
        return format!("the quotes are part of the value; remove them: {bare}");
    }
    otherwise.to_owned()
}

/// The path or name of a socket that has no port: it ends at the next `:`, and nothing may follow.
fn socket_name<'a>(address: &'a str, start: usize, prefix: &str) -> Result<&'a str, AddressError> {
    let name_start = start + prefix.len();
    let rest = &address[name_start..];
    // The slash that says it is a path is never the closing one.
    let end = rest.find(':').map_or(address.len(), |colon| name_start + colon);
    let name = &address[name_start..end];
    let after = address[end..].trim_start_matches(':');
    if !matches!(after, "" | "/") {
        let fix = "remove what follows the socket's path; a ':' ends the path, so the path cannot hold one";
        return Err(AddressProblem::PathBase(address.to_owned()).at(Some(end), fix));
    }
    if name.trim_matches('/').is_empty() || name.ends_with('/') {
        let fix = "name a file, without a slash at the end: http://unix:/run/app.sock";
        return Err(AddressProblem::UnixSocket(address.to_owned()).at(Some(name_start), fix));
    }
    Ok(name)
}

/// A port as .NET's `int.Parse` takes it: blanks around it, a sign and leading zeros are no harm.
fn read_port(address: &str, port: &str, position: usize) -> Result<u16, AddressError> {
    let trimmed = port.trim_matches(|c: char| c == ' ' || ('\t'..='\r').contains(&c));
    let number = trimmed.parse::<i32>().map_err(|_| {
        let fix = if port.is_empty() {
            "write a port behind the ':', or leave out the ':'".to_owned()
        } else if address[..position].ends_with("]") || port.contains(']') {
            "write ':' between the bracket and the port: http://[::1]:5000".to_owned()
        } else if address[..position].ends_with("//unix:")
            || address[..position].ends_with("//pipe:")
        {
            "a socket's path starts with a slash: http://unix:/run/app.sock".to_owned()
        } else {
            quoted_or(address, "write a number from 0 to 65535, such as http://localhost:5000")
        };
        let (port, address) = (port.to_owned(), address.to_owned());
        AddressProblem::Port { port, address }.at(Some(position), fix)
    })?;
    u16::try_from(number).map_err(|_| {
        let (port, address) = (i64::from(number), address.to_owned());
        AddressProblem::PortRange { port, address }
            .at(Some(position), "write a port from 0 to 65535")
    })
}

fn read_host(address: &str, host: &str, position: usize) -> Result<Host, AddressError> {
    if let Some(blank) = host.find(char::is_whitespace) {
        let problem = AddressProblem::Blank(address.to_owned());
        return Err(problem
            .at(Some(position + blank), "remove the blank: the host would mean all interfaces"));
    }
    if let Some(shown) = localhost_name(host) {
        return Ok(Host::Localhost(shown));
    }
    if let Some(literal) = IpLiteral::parse(host) {
        return Ok(Host::Ip(literal));
    }
    if host == "*" || host == "+" {
        return Ok(Host::Any);
    }
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let (host, address) = (host.to_owned(), address.to_owned());
        let fix = "correct it, or write * for all interfaces";
        return Err(AddressProblem::MistypedIp { host, address }.at(Some(position), fix));
    }
    Ok(Host::Name(host.to_owned()))
}

/// How a name of the loopback is shown: labels as written, `localhost` in lower case.
fn localhost_name(host: &str) -> Option<String> {
    const LOCALHOST: &str = "localhost";
    let split = host.len().checked_sub(LOCALHOST.len())?;
    let (labels, last) = (host.get(..split)?, host.get(split..)?);
    if !last.eq_ignore_ascii_case(LOCALHOST) {
        return None;
    }
    let is_local = labels.is_empty()
        || labels
            .strip_suffix('.')
            .is_some_and(|labels| labels.split('.').any(|label| !label.is_empty()));
    is_local.then(|| format!("{labels}{LOCALHOST}"))
}

impl fmt::Display for BindingAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        match &self.host {
            Host::Localhost(name) | Host::Name(name) => {
                write!(f, "{scheme}://{name}:{}", self.port)
            }
            Host::Ip(literal) => write!(f, "{scheme}://{literal}:{}", self.port),
            Host::Any => write!(f, "{scheme}://*:{}", self.port),
            Host::UnixSocket(path) => write!(f, "{scheme}://unix:{}", path.display()),
            Host::NamedPipe(name) => write!(f, "{scheme}://pipe:/{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
