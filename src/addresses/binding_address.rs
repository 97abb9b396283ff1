//! The grammar of a URL to bind, such as `http://localhost:5000`.
//!
//! It is Kestrel's, not that of RFC 3986: nothing is percent-decoded, there is no user and no
//! query, a host name stands for all interfaces. Where Kestrel takes a text that cannot be meant
//! (a port that is no number opens port 80 to the world, a bracket that is not closed any port), we
//! refuse and point at the place.

use std::fmt;
use std::path::PathBuf;

use super::address_error::{AddressError, AddressProblem};
use super::host_mistake::{self, Attempt, Attempted, Place};
use super::ip_literal::IpLiteral;
use super::near_miss::is_mistyped_ip;
use crate::configuration::address_without_user_info;

/// A URL to bind, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BindingAddress {
    /// Whether the scheme is `https`.
    pub https: bool,
    /// What stands for the host.
    pub host: BindingHost,
    /// The port; 80 or 443 if none was written, 0 lets the system choose. No meaning for sockets
    /// without ports.
    pub port: u16,
}

/// What stands for the host in a URL to bind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BindingHost {
    /// `localhost`, or a name below it: both loopback addresses. The name is as it is to be shown.
    Localhost(String),
    /// An IP address: this one only.
    Ip(IpLiteral),
    /// `*` or `+`: all interfaces.
    Any,
    /// Another name: all interfaces too, because a name is no filter. As it was written; what
    /// cannot be a name is refused, and the plan warns of names that are slips.
    Name(String),
    /// The path of a Unix socket.
    UnixSocket(PathBuf),
    /// The name of a pipe of Windows.
    NamedPipe(String),
}

impl BindingAddress {
    /// Takes a URL apart.
    ///
    /// ```
    /// use kestrel::addresses::{BindingAddress, BindingHost};
    ///
    /// let address = BindingAddress::parse("http://*:5000").unwrap();
    /// assert_eq!(address.host, BindingHost::Any);
    /// assert_eq!(address.port, 5000);
    /// assert!(BindingAddress::parse("http://*:{port}").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Says what is wrong, where, and what to write instead.
    pub fn parse(address: &str) -> Result<Self, AddressError> {
        Self::read(address, Some(attempt))
    }

    /// The same. Without a way to try out what may be advised, what is wrong with a host has no advice
    /// that is worth reading.
    fn read(address: &str, attempt: Option<Attempt>) -> Result<Self, AddressError> {
        let shown = address_without_user_info(address);
        if has_user(address) {
            return Err(user_info(address, &shown));
        }
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
                return Err(problem.at(Some(0), scheme_fix(address, scheme)));
            }
        };
        let (host, port) = if rest.starts_with("unix:/") {
            (BindingHost::UnixSocket(socket_name(address, start, "unix:")?.into()), 0)
        } else if rest.starts_with("pipe:/") {
            (BindingHost::NamedPipe(socket_name(address, start, "pipe:/")?.to_owned()), 0)
        } else {
            let default_port = if https { 443 } else { 80 };
            let place = Place { address, start, end: authority.end, attempt };
            authority.read(place, default_port)?
        };
        Ok(Self { https, host, port })
    }
}

/// Tries out an address that may be advised.
fn attempt(address: &str) -> Attempted {
    match BindingAddress::read(address, None) {
        Err(_) => Attempted::Refused,
        Ok(BindingAddress { host: BindingHost::Name(_), .. }) => Attempted::Name,
        Ok(_) => Attempted::Address,
    }
}

/// Whether an address can be bound that may be advised.
fn can_be_bound(address: &str) -> bool {
    attempt(address) != Attempted::Refused
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
        place: Place<'_>,
        default_port: u16,
    ) -> Result<(BindingHost, u16), AddressError> {
        if !matches!(&place.address[self.end..], "" | "/") {
            return Err(self.path(place.address));
        }
        let mistake = host_mistake::several(place).or_else(|| host_mistake::in_brackets(place));
        if let Some(error) = mistake {
            return Err(error);
        }
        let port = match self.port {
            Some(port) => read_port(place, port)?,
            None => default_port,
        };
        Ok((read_host(place, self.host)?, port))
    }

    /// Something stands behind the port. Kestrel's words for it name a method of .NET.
    fn path(&self, address: &str) -> AddressError {
        let problem = AddressProblem::PathBase(address.to_owned());
        let rest = &address[self.end..];
        let (cause, fix) = if address.matches("://").count() > 1 {
            let cause = "More than one address stands there.".to_owned();
            let fix = match address.contains(',') {
                true => {
                    format!("separate addresses by ';', not by ',': {}", address.replace(',', ";"))
                }
                false => list_fix(address),
            };
            (cause, fix)
        } else if self.host.eq_ignore_ascii_case("unix") {
            let fix = "a socket's path starts with a slash and the word unix is in lower case: http://unix:/run/app.sock";
            (format!("'{rest}' would be a path."), fix.to_owned())
        } else {
            let cause =
                format!("An address to listen on ends behind its port; '{rest}' would be a path.");
            let fix = format!(
                "end the address behind the port: {}; a path belongs to the routes of the app",
                &address[..self.end]
            );
            (cause, fix)
        };
        problem.at(Some(self.end), fix).because(cause)
    }
}

/// Whether an address holds a user. Only the path of a socket and the name of a pipe may hold an `@`.
fn has_user(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let socket = rest.starts_with("unix:/") || rest.starts_with("pipe:/");
    address.contains('@') && !socket
}

/// An address with a user or a password, of which nothing is told: in `shown` they are blotted out.
fn user_info(address: &str, shown: &str) -> AddressError {
    let Some(start) = shown.find("://").map(|found| found + "://".len()) else {
        let host = address.rsplit('@').next().unwrap_or_default();
        let problem = AddressProblem::UserInfo(shown.to_owned());
        return problem.at(None, format!("write no user and no password: http://{host}"));
    };
    let authority = &shown[start..];
    let authority = &authority[..authority.find('/').unwrap_or(authority.len())];
    let bare = authority.rfind('@').map(|at| {
        let rest = &shown[start + at + 1..];
        format!("{}{rest}", &shown[..start])
    });
    let fix = match bare.filter(|bare| !bare.contains('@') && can_be_bound(bare)) {
        Some(bare) => format!("write no user and no password: {bare}"),
        None => "write no user and no password, and no '@'".to_owned(),
    };
    AddressProblem::UserInfo(shown.to_owned()).at(Some(start), fix)
}

/// What to do about a scheme that is none.
fn scheme_fix(address: &str, scheme: &str) -> String {
    let bare = address
        .trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    if bare.len() < address.len() && can_be_bound(bare) {
        return format!("remove the blank before it: {bare}");
    }
    let known =
        |scheme: &str| ["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let meant = match scheme {
        "ws" | "tcp" | "net.tcp" | "htp" | "htttp" | "hhtp" | "ttp" => Some("http"),
        "wss" | "htps" | "htttps" | "hhtps" | "ttps" => Some("https"),
        _ => None,
    };
    let address_of =
        |scheme: &str| format!("{scheme}{}", &address[address.find("://").unwrap_or_default()..]);
    match meant {
        Some(meant) => format!("write {}", address_of(meant)),
        None if known(scheme.trim()) => format!("remove the blank behind {}", scheme.trim()),
        None => quoted_or(address, "write http:// or https://"),
    }
}

/// What to do about several addresses that nothing separates which could separate them.
fn list_fix(address: &str) -> String {
    let between = |c: char| c.is_whitespace() || c == '|';
    let items: Vec<_> = address.split(between).filter(|item| !item.is_empty()).collect();
    let all = items.len() > 1 && items.iter().all(|item| can_be_bound(item));
    let list = if all { items.join(";") } else { "http://*:5000;https://*:5001".to_owned() };
    let such = if all { "" } else { "such as " };
    format!("in urls separate addresses by ';', {such}{list}; elsewhere write one address")
}

/// A scheme whose `://` is misspelled, put right, if the rest is right.
fn respelled(text: &str) -> Option<String> {
    ["https", "http"].into_iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        let rest = text[scheme.len()..].trim_start_matches([':', ';', '/', '\\', '.']);
        let misspelled = rest.len() < text.len() - scheme.len();
        let host = match !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
            true => format!("localhost:{rest}"),
            false => rest.to_owned(),
        };
        let address = format!("{scheme}://{host}");
        let is_meant = start.eq_ignore_ascii_case(scheme)
            && misspelled
            && !rest.starts_with('-')
            && can_be_bound(&address);
        is_meant.then_some(address)
    })
}

fn missing_scheme(address: &str) -> String {
    let host = address.trim();
    if !host.contains(":/")
        && let Some(address) = respelled(host)
    {
        return format!("a scheme ends with '://': write {address}");
    }
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
        _ => {
            let whole = format!("http://{host}");
            let fix = match can_be_bound(&whole) {
                true => format!("write the scheme too: {whole}"),
                false => "write a whole address, such as http://localhost:5000".to_owned(),
            };
            quoted_or(address, &fix)
        }
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
        let cause = "A ':' ends the path of a socket in a URL; something follows it.";
        let fix = format!("end the address behind the socket's path: {}", &address[..end]);
        return Err(AddressProblem::PathBase(address.to_owned()).at(Some(end), fix).because(cause));
    }
    if name.trim_matches('/').is_empty() || name.ends_with('/') {
        let fix = "name a file, without a slash at the end: http://unix:/run/app.sock";
        return Err(AddressProblem::UnixSocket(address.to_owned()).at(Some(name_start), fix));
    }
    Ok(name)
}

/// A port as .NET's `int.Parse` takes it: blanks around it, a sign and leading zeros are no harm.
fn read_port(place: Place<'_>, port: &str) -> Result<u16, AddressError> {
    let Place { address, end, .. } = place;
    let position = end - port.len();
    let trimmed = port.trim_matches(|c: char| c == ' ' || ('\t'..='\r').contains(&c));
    let number = trimmed.parse::<i32>().map_err(|_| {
        let fix = port_fix(place, port, position);
        let (port, address) = (port.to_owned(), address.to_owned());
        AddressProblem::Port { port, address }.at(Some(position), fix)
    })?;
    u16::try_from(number).map_err(|_| {
        let (port, address) = (i64::from(number), address.to_owned());
        AddressProblem::PortRange { port, address }
            .at(Some(position), "write a port from 0 to 65535")
            .because("A port is a number from 0 to 65535.")
    })
}

/// What to do about a port that is no number.
fn port_fix(place: Place<'_>, port: &str, position: usize) -> String {
    let before = &place.address[..position];
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = port.split_at(digits);
    if port.is_empty() {
        "write a port behind the ':', or leave out the ':'".to_owned()
    } else if host_mistake::is_filled_in(place.text()) {
        host_mistake::filled_in_fix(place)
    } else if let Some((inner, number)) = port.split_once(']').filter(|_| before.contains('[')) {
        format!("write ':' between the bracket and the port: {before}{inner}]:{number}")
    } else if before.ends_with("//unix:") || before.ends_with("//pipe:") {
        "a socket's path starts with a slash: http://unix:/run/app.sock".to_owned()
    } else if !number.is_empty() && rest.starts_with(['?', '#', ';', ',', '"', '\'', '\u{a0}']) {
        quoted_or(place.address, &format!("end the address behind the port: {before}{number}"))
    } else {
        quoted_or(place.address, &format!("write a number from 0 to 65535, such as {before}5000"))
    }
}

fn read_host(place: Place<'_>, host: &str) -> Result<BindingHost, AddressError> {
    let Place { address, start, .. } = place;
    if let Some(blank) = host.find(char::is_whitespace) {
        let problem = AddressProblem::Blank(address.to_owned());
        return Err(
            problem.at(Some(start + blank), "remove the blank: the host would mean all interfaces")
        );
    }
    if let Some(shown) = localhost_name(host) {
        return match host_mistake::in_name(place, host) {
            Some(error) => Err(error),
            None => Ok(BindingHost::Localhost(shown)),
        };
    }
    if let Some(literal) = IpLiteral::parse(host) {
        return Ok(BindingHost::Ip(literal));
    }
    if host == "*" || host == "+" {
        return Ok(BindingHost::Any);
    }
    if is_mistyped_ip(host) {
        let fix = host_mistake::mistyped_ip_fix(place, host);
        let (host, address) = (host.to_owned(), address.to_owned());
        return Err(AddressProblem::MistypedIp { host, address }.at(Some(start), fix));
    }
    match host_mistake::in_name(place, host) {
        Some(error) => Err(error),
        None => Ok(BindingHost::Name(host.to_owned())),
    }
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
            BindingHost::Localhost(name) | BindingHost::Name(name) => {
                write!(f, "{scheme}://{name}:{}", self.port)
            }
            BindingHost::Ip(literal) => write!(f, "{scheme}://{literal}:{}", self.port),
            BindingHost::Any => write!(f, "{scheme}://*:{}", self.port),
            BindingHost::UnixSocket(path) => write!(f, "{scheme}://unix:{}", path.display()),
            BindingHost::NamedPipe(name) => write!(f, "{scheme}://pipe:/{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
