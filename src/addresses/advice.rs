//! What to write instead, for mistakes that the plan finds: in the form of whoever said it, because a
//! `--urls` beside a `--listen` would be passed over.

use std::net::IpAddr;

use super::binding_address::BindingAddress;
use super::display;
use super::endpoint::{ConfiguredEndpoint, ListenAddr, ListenTarget, PlannedEndpoint, Targets};
use super::ip_literal::{IpLiteral, Scope};
use crate::configuration::{Origin, Problem};

/// What to write for `localhost` with a port that the system chooses.
pub(super) fn both_loopbacks(planned: &PlannedEndpoint, target: &ListenTarget) -> String {
    let scheme = planned.transport.scheme();
    let differ = "(the two ports will differ)";
    match (&*planned.key, target) {
        ("--listen", _) => {
            format!("write --listen 127.0.0.1:0 --listen [::1]:0 {differ}, or the first alone")
        }
        (call, ListenTarget::Localhost(_)) => format!(
            "call listen with 127.0.0.1:0 and with [::1]:0 in the place of {call} {differ}, or with the first alone"
        ),
        ("add_url", _) => format!(
            "add {scheme}://127.0.0.1:0 and {scheme}://[::1]:0 {differ}, or the first alone"
        ),
        ("urls", _) => format!(
            "write --urls \"{scheme}://127.0.0.1:0;{scheme}://[::1]:0\" {differ}, or {scheme}://127.0.0.1:0 for IPv4 only"
        ),
        _ => format!(
            "write {scheme}://127.0.0.1:0, and give {scheme}://[::1]:0 an endpoint of its own if IPv6 is wanted {differ}"
        ),
    }
}

/// What to do about a list in the place of one address.
pub(super) fn one_address(endpoint: &ConfiguredEndpoint, url: &str) -> Option<String> {
    let of_several = |(_, rest): &(&str, &str)| rest.contains("://");
    let (first, rest) = url
        .split_once([';', ','])
        .or_else(|| url.split_once(char::is_whitespace).filter(of_several))?;
    let rest = rest.trim();
    if endpoint.key == "urls" || (!rest.is_empty() && !rest.contains(':')) {
        return None;
    }
    Some(match (&*endpoint.key, rest) {
        (_, "") => format!("remove what follows the address: {first}"),
        ("add_url", _) => format!("call add_url once for each address: {first}, then {rest}"),
        (key, _) => {
            let section = key.strip_suffix(":Url").unwrap_or(key);
            format!(
                "write one address, {first}, and give {rest} an endpoint of its own, such as {section}2:Url; only urls \
                 takes a list"
            )
        }
    })
}

/// An IPv4 address in one of the old short forms, which few people know: `192.168.1` is `192.168.0.1`.
pub(super) fn short_ip(
    endpoint: &ConfiguredEndpoint,
    url: &str,
    literal: &IpLiteral,
) -> Option<Problem> {
    let IpAddr::V4(ip) = literal.address else { return None };
    let (scheme, authority) = url.split_once("://")?;
    let written = authority.split([':', '/']).next()?;
    let whole = ip.to_string();
    let instead = format!("{scheme}://{}", authority.replacen(written, &whole, 1));
    let told = short(written, url, &whole, &instead)?;
    Some(told.key(endpoint.key.clone()).origin(endpoint.target.origin.clone()))
}

/// The same of a `--listen` that could be read.
pub(crate) fn short_ip_of_spec(spec: &str) -> Option<Problem> {
    let (written, port) = spec.rsplit_once(':')?;
    let IpAddr::V4(ip) = IpLiteral::parse(written)?.address else { return None };
    let whole = ip.to_string();
    short(written, spec, &whole, &format!("--listen {whole}:{port}"))
}

fn short(written: &str, place: &str, whole: &str, instead: &str) -> Option<Problem> {
    (written != whole).then(|| {
        Problem::information(format!("'{written}' in {place} is the IP address {whole}."))
            .cause("The last of fewer than four numbers fills what is left; one that begins with 0 is octal.")
            .fix(format!("write {instead}"))
    })
}

/// Addresses that no system binds, whatever interfaces it has.
pub(super) fn never_bound(planned: &PlannedEndpoint, listen: &ListenAddr) -> Option<Problem> {
    let IpAddr::V6(ip) = listen.address.address else {
        return None;
    };
    let (cause, fix) = if let Some(ipv4) = ip.to_ipv4_mapped() {
        let cause = format!(
            "[{ip}] is the IPv4 address {ipv4} in the form of IPv6, which cannot be bound."
        );
        (cause, format!("write {}", written_with(planned, &format!("{ipv4}:{}", listen.port))))
    } else if ip.is_unicast_link_local()
        && matches!(listen.address.scope, Scope::None | Scope::Index(0))
    {
        let cause =
            format!("[{ip}] is a link-local address, which means nothing without its interface.");
        let scope = if cfg!(windows) { "12" } else { "eth0" };
        let scoped = written_with(planned, &format!("[{ip}%{scope}]:{}", listen.port));
        let fix =
            format!("write the interface behind a '%', such as {scoped}; {INTERFACES} lists them");
        (cause, fix)
    } else {
        return None;
    };
    let address = display::planned_text(planned);
    let message = format!("Failed to bind to address {address}: Invalid argument.");
    Some(Problem::error(message).cause(cause).fix(fix))
}

/// What to write instead of targets that are not served on this system.
pub(super) fn not_served_here(targets: &Targets) -> Option<&'static str> {
    let a_port = "use a port of 127.0.0.1";
    let fix = match targets {
        Targets::UnixSocket(_) if cfg!(not(unix)) => a_port,
        Targets::AbstractSocket(_) if cfg!(not(unix)) => a_port,
        Targets::AbstractSocket(_) if cfg!(not(target_os = "linux")) => "use unix:/path",
        Targets::NamedPipe(_) if cfg!(windows) => a_port,
        _ => return None,
    };
    Some(fix)
}

/// How to write another port for an endpoint, where it was set.
pub(super) fn with_port(planned: &PlannedEndpoint, port: u16) -> String {
    let written = match BindingAddress::parse(&planned.written) {
        Ok(address) => BindingAddress { port, ..address }.to_string(),
        Err(_) => match planned.written.rsplit_once(':') {
            Some((host, _)) => format!("{host}:{port}"),
            None => port.to_string(),
        },
    };
    match (&*planned.key, &planned.origin) {
        ("--listen", _) => format!("write --listen {written}"),
        ("urls", Origin::Default) => format!("start with --urls {written}"),
        ("urls", origin) if origin.is_of_serve() => format!("write --port {port}"),
        ("urls", Origin::CommandLine { .. }) => format!("write {written} in --urls"),
        ("http_ports" | "https_ports" | "ASPNETCORE_PORT", _) => {
            format!("write {port} in {}", planned.key)
        }
        ("add_url" | "urls", Origin::Code(call)) => format!("write {written} in {call}"),
        (call, Origin::Code(_)) => format!("write {port} in {call}"),
        (key, _) => format!("write {written} in {key}"),
    }
}

/// What lists the addresses of this machine.
pub(super) const ADDRESSES: &str = if cfg!(windows) {
    "'ipconfig'"
} else if cfg!(target_os = "macos") {
    "'ifconfig'"
} else {
    "'ip addr'"
};

/// An address with its interface: a name, and on Windows a number.
pub(super) const WITH_SCOPE: &str = if cfg!(windows) { "[fe80::1%12]" } else { "[fe80::1%eth0]" };

/// What lists the interfaces of this machine.
pub(super) const INTERFACES: &str = if cfg!(windows) {
    "'ipconfig'"
} else if cfg!(target_os = "macos") {
    "'ifconfig'"
} else {
    "'ip -6 addr'"
};

/// The address as it was written, with another host and port.
fn written_with(planned: &PlannedEndpoint, with: &str) -> String {
    match planned.written.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{with}"),
        None => with.to_owned(),
    }
}

/// What to do about two endpoints of which the second has no place beside the first.
pub(super) fn two_endpoints(
    problem: Problem,
    first: &PlannedEndpoint,
    second: &PlannedEndpoint,
) -> Problem {
    let told = |endpoint: &PlannedEndpoint| {
        format!("{}, set by {}", display::planned_text(endpoint), endpoint.origin)
    };
    let covering = match (covers(&first.targets), covers(&second.targets)) {
        (all, one) if all > one => all.map(|all| (first, second, all)),
        (one, all) if all > one => all.map(|all| (second, first, all)),
        _ => None,
    };
    // Both loopbacks are more than IPv4, and clear text is no TLS.
    let covering = covering.filter(|(all, one, covers)| {
        let whole = *covers == Covers::Everything || matches!(one.targets, Targets::Exactly(_));
        whole && all.transport == one.transport
    });
    let Some((all, one, covers)) = covering else {
        let [has, wants] = [first, second].map(display::planned_text);
        // `localhost` is both loopbacks: the address stands in none of its settings.
        let problem = match problem.message.contains(&wants) {
            true => problem,
            false => problem.cause(format!("{wants} stands for it, and {has} has it already.")),
        };
        return problem.fix(format!(
            "give one of them another port, or remove it; the first is {}",
            told(first)
        ));
    };
    let addresses = match covers {
        Covers::Everything => "every address of this machine, IPv4 and IPv6",
        Covers::Ipv4 => "every IPv4 address of this machine",
    };
    problem
        .cause(format!(
            "{} takes the port on {addresses}: it covers {}.",
            display::planned_text(all),
            display::planned_text(one)
        ))
        .fix(format!("remove {}: the other one is enough; or give it another port", told(one)))
}

/// What of a port an address for all interfaces takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Covers {
    Ipv4,
    Everything,
}

fn covers(targets: &Targets) -> Option<Covers> {
    match targets {
        Targets::FirstThatWorks(_) => Some(Covers::Everything),
        Targets::Exactly(listen) if listen.address.address.is_unspecified() => {
            Some(if listen.address.address.is_ipv4() { Covers::Ipv4 } else { Covers::Everything })
        }
        _ => None,
    }
}
