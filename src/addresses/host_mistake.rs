//! What cannot be a host in a URL to bind, where, and what to write instead.
//!
//! To Kestrel all of it is a name, and a name means all interfaces: `http://[::1:5000` would be open
//! to the world.

use std::net::Ipv4Addr;

use super::address_error::{AddressError, AddressProblem};
use super::ip_literal::IpLiteral;

/// The part of an address that holds host and port, and what surrounds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The whole address.
    pub(super) address: &'a str,
    /// Where host and port begin.
    pub(super) start: usize,
    /// Where they end.
    pub(super) end: usize,
    /// How an address is tried out that may be advised; `None` if this one is, and needs no advice.
    pub(super) attempt: Option<Attempt>,
}

/// Reads an address, and says what it comes to.
pub(super) type Attempt = fn(&str) -> Attempted;

/// What an address comes to that was tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempted {
    /// It cannot be bound.
    Refused,
    /// It can, and its host is a name.
    Name,
    /// It can, and its host says more.
    Address,
}

impl Place<'_> {
    pub(super) fn text(&self) -> &str {
        &self.address[self.start..self.end]
    }

    /// The address with another host and port.
    fn with(&self, text: &str) -> String {
        format!("{}{text}{}", &self.address[..self.start], &self.address[self.end..])
    }

    /// The same, if it can be bound: other advice is of no use.
    fn advised(&self, text: &str) -> Option<String> {
        let (attempt, address) = (self.attempt?, self.with(text));
        (attempt(&address) != Attempted::Refused).then_some(address)
    }

    fn brackets(&self, position: usize, fix: impl Into<String>) -> AddressError {
        let problem = AddressProblem::Brackets(self.address.to_owned());
        problem.at(Some(self.start + position), fix)
    }
}

/// What is wrong with brackets, or with an IPv6 address that has none. (Kestrel reads one without
/// brackets if a port follows.)
pub(super) fn in_brackets(place: Place<'_>) -> Option<AddressError> {
    let text = place.text();
    let Some(inside) = text.strip_prefix('[') else {
        return without_opening(place);
    };
    let Some((inner, after)) = inside.split_once(']') else {
        return Some(place.brackets(0, not_closed(place, inside)));
    };
    if is_ipv6(inner) {
        // What is no port is told as that.
        let port_follows = after.is_empty() || after.starts_with(':') || !after.contains(':');
        if port_follows && !after.contains(['[', ']']) {
            return None;
        }
        let bare = after.trim_end_matches(['[', ']']);
        if bare.len() < after.len()
            && bare.starts_with(':')
            && let Some(address) = place.advised(&format!("[{inner}]{bare}"))
        {
            let fix = format!("remove the bracket behind the port: {address}");
            return Some(place.brackets(inner.len() + 2 + bare.len(), fix));
        }
        let port = after.rsplit_once(':').map_or("", |(_, port)| port).trim_matches(['[', ']']);
        let fix = match place.advised(&format!("[{inner}]:{port}")) {
            Some(address) => {
                format!("remove what stands between the bracket and the port: {address}")
            }
            None => "remove what stands behind the bracket".to_owned(),
        };
        return Some(place.brackets(inner.len() + 2, fix));
    }
    let bare = || place.advised(&format!("{inner}{after}"));
    let is_name = !inner.is_empty() && !inner.contains([':', '%', '[']);
    if is_name && let Some(address) = bare() {
        let fix = format!("only an IPv6 address stands in brackets; write {address}");
        return Some(place.brackets(0, fix));
    }
    if inner.is_empty() {
        let fix = format!(
            "write an address between the brackets: {}",
            place.with(&format!("[::1]{after}"))
        );
        return Some(place.brackets(1, fix));
    }
    let (position, words) = ipv6_mistake(inner);
    Some(place.brackets(1 + position, words))
}

/// Brackets that close and do not open, or stand in the middle; an IPv6 address without any.
fn without_opening(place: Place<'_>) -> Option<AddressError> {
    let text = place.text();
    if let Some(position) = text.find(['[', ']']) {
        let (inner, after) = text.split_at(position);
        let closed = text.strip_prefix(inner).and_then(|rest| rest.strip_prefix(']'));
        let fix = match closed.filter(|_| is_ipv6(inner)) {
            Some(after) => {
                format!("open the bracket: {}", place.with(&format!("[{inner}]{after}")))
            }
            None if after.starts_with('[') && !inner.is_empty() => {
                "remove what stands before the bracket".to_owned()
            }
            None => "brackets stand around an IPv6 address, such as http://[::1]:5000".to_owned(),
        };
        return Some(place.brackets(position, fix));
    }
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let colon = host.find(':')?;
    if is_ipv6(host) {
        return None;
    }
    if is_ipv6(text) {
        let fix = format!(
            "an IPv6 address stands in brackets, which a port may follow: {}",
            place.with(&format!("[{text}]"))
        );
        let problem = AddressProblem::Brackets(place.address.to_owned());
        return Some(problem.at(Some(place.start), fix));
    }
    let problem =
        AddressProblem::HostCharacter { character: ':', address: place.address.to_owned() };
    let (name, rest) = host.split_at(colon);
    let port = rest.trim_start_matches(':').split(':').next().unwrap_or_default();
    let fix = match place.advised(&format!("{name}:{port}")).filter(|_| !port.is_empty()) {
        _ if is_filled_in(text) => filled_in_fix(place),
        Some(address) => format!("write one port: {address}"),
        None => "write one ':', before the port; an IPv6 address stands in brackets".to_owned(),
    };
    Some(problem.at(Some(place.start + colon), fix))
}

/// What to write where a bracket was opened and not closed. What stands behind the last `:` was
/// most likely meant as the port.
fn not_closed(place: Place<'_>, inside: &str) -> String {
    let with_port = inside.rsplit_once(':').filter(|(address, port)| {
        is_ipv6(address) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    match with_port {
        Some((address, port)) => {
            format!("close the bracket: {}", place.with(&format!("[{address}]:{port}")))
        }
        None if is_ipv6(inside) => format!(
            "close the bracket, and write the port behind it: {}",
            place.with(&format!("[{inside}]:5000"))
        ),
        None => "close the bracket behind an IPv6 address, such as http://[::1]:5000".to_owned(),
    }
}

fn is_ipv6(inner: &str) -> bool {
    inner.contains(':') && !inner.starts_with('[') && IpLiteral::parse(inner).is_some()
}

/// Why a text in brackets is no IPv6 address, and where.
fn ipv6_mistake(text: &str) -> (usize, String) {
    const FORM: &str = "an IPv6 address is eight groups of up to four hexadecimal digits, or fewer with '::' once for \
                        the zeros between: http://[::1]:5000 is the loopback";
    let (address, scope) = text.split_once('%').map_or((text, None), |(a, s)| (a, Some(s)));
    let told = |position: usize, why: String| (position, format!("{why}; {FORM}"));
    if scope == Some("") {
        let why = "write the interface behind the '%', such as [fe80::1%eth0], or remove the '%'";
        return (address.len(), why.to_owned());
    }
    let digit = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
    if let Some((position, character)) = address.char_indices().find(|(_, c)| !digit(*c)) {
        return told(position, format!("{character:?} is no hexadecimal digit"));
    }
    if let Some(first) = address.find("::") {
        // The second may begin in the first: `:::`.
        if let Some(second) = address[first + 1..].find("::") {
            return told(first + 1 + second, "'::' stands there twice".to_owned());
        }
    }
    let mut position = 0;
    for group in address.split(':') {
        if group.len() > 4 && !group.contains('.') {
            return told(position, format!("the group '{group}' has more than four digits"));
        }
        position += group.len() + 1;
    }
    let groups = address.split(':').filter(|group| !group.is_empty()).count();
    told(0, format!("{groups} groups are not eight"))
}

/// What is wrong with a host that is neither the loopback, nor an IP address, nor a wildcard, if it
/// cannot be a name either.
pub(super) fn in_name(place: Place<'_>, host: &str) -> Option<AddressError> {
    // Letters, marks and digits of any script, and '_'.
    let may_stand = |c: char| matches!(c, '-' | '.') || unicode_ident::is_xid_continue(c);
    let (position, character) = host.char_indices().find(|(_, c)| !may_stand(*c))?;
    let address = place.address.to_owned();
    let fix = character_fix(place, host, character);
    Some(AddressProblem::HostCharacter { character, address }.at(Some(place.start + position), fix))
}

/// Several hosts in the place of one, and the list to write. The port of the last is that of all that
/// have none. Names are left out: they would be all interfaces, each.
pub(super) fn several(place: Place<'_>) -> Option<AddressError> {
    let between = |c: char| matches!(c, ',' | ';' | '|') || c.is_whitespace();
    let text = place.text();
    let items: Vec<&str> = text.split(between).filter(|item| !item.is_empty()).collect();
    let attempt = place.attempt.filter(|_| items.len() > 1)?;
    let port_of = |item: &str| {
        let port = item.rsplit_once(':').map(|(_, port)| port.to_owned());
        port.filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let last = port_of(items.last()?);
    let whole = |item: &&str| {
        let scheme = &place.address[..place.start];
        let address = match (port_of(item), &last) {
            (None, Some(port)) => format!("{scheme}{item}:{port}"),
            _ => format!("{scheme}{item}"),
        };
        // `127,0,0,1` is one address.
        let is_number = item.bytes().all(|byte| byte.is_ascii_digit());
        (!is_number && attempt(&address) == Attempted::Address).then_some(address)
    };
    let addresses: Vec<String> = items.iter().map(whole).collect::<Option<_>>()?;
    let fix = format!(
        "in urls separate addresses by ';', with a scheme for each: {}; elsewhere write one address",
        addresses.join(";")
    );
    let address = place.address.to_owned();
    let (position, character) = text.char_indices().find(|(_, character)| between(*character))?;
    let problem = match character.is_whitespace() {
        true => AddressProblem::Blank(address),
        false => AddressProblem::HostCharacter { character, address },
    };
    Some(problem.at(Some(place.start + position), fix))
}

/// Whether a shell, or somebody, was to put another text in the place of a part of this one.
pub(super) fn is_filled_in(text: &str) -> bool {
    let percent = text.len() > 2 && text.starts_with('%') && text.ends_with('%');
    text.contains(['$', '{', '<']) || percent
}

/// What to write for host and port of which a part was to be filled in.
pub(super) fn filled_in_fix(place: Place<'_>) -> String {
    let text = place.text();
    let host = text.split_once(':').map_or(text, |(host, _)| host);
    let host = if is_filled_in(host) { "localhost" } else { host };
    let such = place.with(&format!("{host}:8080"));
    format!("nothing fills in '{text}' here: write what it stands for, such as {such}")
}

fn character_fix(place: Place<'_>, host: &str, character: char) -> String {
    const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    let after = &place.text()[host.len()..];
    let with_host = |host: &str| place.advised(&format!("{host}{after}"));
    let local = place.with(&format!("localhost{after}"));
    if is_filled_in(host) {
        return format!(
            "nothing fills in '{host}' here: write what it stands for, such as {local}"
        );
    }
    let advised = match character {
        quote if QUOTES.contains(&quote) => with_host(&host.replace(QUOTES, ""))
            .map(|address| format!("remove the quotes: {address}")),
        ',' | ';' => {
            let dotted = host.replace([',', ';'], ".");
            let is_ip = dotted.parse::<Ipv4Addr>().is_ok();
            let dotted = with_host(&dotted).filter(|_| is_ip);
            Some(match dotted {
                Some(address) => format!("write dots: {address}"),
                None => "write one host here; a list has ';' between its addresses and a scheme for each, and stands in \
                         urls"
                    .to_owned(),
            })
        }
        '?' | '#' => {
            let host = host.split(character).next().unwrap_or_default();
            place
                .advised(host)
                .map(|address| format!("an address to listen on has no query: write {address}"))
        }
        '*' | '+' => {
            let any = place.with(&format!("*{after}"));
            Some(format!("write {any} for all interfaces: a part of a name cannot be chosen here"))
        }
        '%' => Some(format!(
            "nothing is decoded in a host: write the characters themselves, such as {local}"
        )),
        _ => with_host(&host.replace(character, "")).map(|address| format!("remove it: {address}")),
    };
    advised.unwrap_or_else(|| {
        "a host is made of letters, digits, '-', '_' and '.': write localhost, an IP address, or * for all interfaces"
            .to_owned()
    })
}

/// What to do about a host of digits and dots that is no IP address.
pub(super) fn mistyped_ip_fix(place: Place<'_>, host: &str) -> String {
    let after = &place.text()[host.len()..];
    let advised = |host: &str| {
        let is_ip = host.parse::<Ipv4Addr>().is_ok();
        place.advised(&format!("{host}{after}")).filter(|_| is_ip)
    };
    let any = place.with(&format!("*{after}"));
    let parts: Vec<&str> = host.split('.').collect();
    if let Some(address) = advised(host.trim_matches('.')) {
        return format!("remove the dot at the end: write {address}");
    }
    if let Some(address) = advised(&host.replace("..", ".")) {
        return format!("remove a dot: write {address}");
    }
    if let [parts @ .., port] = &parts[..]
        && parts.len() == 4
        && after.is_empty()
        && let Some(address) = place.advised(&format!("{}:{port}", parts.join(".")))
    {
        return format!("write ':' before the port: {address}");
    }
    let large = parts.iter().find(|part| part.parse::<u64>().is_ok_and(|part| part > 255));
    match large.filter(|_| parts.len() == 4) {
        Some(part) => {
            format!("{part} is more than 255: correct it, or write {any} for all interfaces")
        }
        None if parts.len() > 4 => {
            format!(
                "{} parts are more than four: correct it, or write {any} for all interfaces",
                parts.len()
            )
        }
        None => format!("correct it, or write {any} for all interfaces"),
    }
}
