//! The settings of the stage that believes what proxies tell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderName;

use super::allowed_hosts::hosts_of_list;
use super::parse::{cannot_convert, counts_as, read_boolean, read_with, shown};
use crate::configuration::near_names::meant_value;
use crate::configuration::text::integer;
use crate::configuration::{Configuration, Origin, Problem, Setting};
use crate::middleware::{Believed, Names, Network, Proxies};

/// What proxies are believed, and what has switched it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForwardedHeadersSettings {
    pub(crate) key: &'static str,
    pub(crate) origin: Origin,
    pub(crate) believed: Believed,
}

/// ASP.NET Core's switch for clouds, where nobody but a proxy can connect.
const SWITCH: &str = "ForwardedHeaders_Enabled";
const ENABLED: &str = "ForwardedHeaders:Enabled";
const KINDS: &str = "ForwardedHeaders:ForwardedHeaders";

/// What can be believed, by ASP.NET Core's names.
pub(super) const KIND_NAMES: [&str; 6] =
    ["None", "XForwardedFor", "XForwardedHost", "XForwardedProto", "XForwardedPrefix", "All"];
const FOR: u8 = 1;
const HOST: u8 = 2;
const PROTO: u8 = 4;
const PREFIX: u8 = 8;
const KIND_BITS: [u8; 6] = [0, FOR, HOST, PROTO, PREFIX, FOR | HOST | PROTO | PREFIX];

/// Reads the switch and the section; `None` if nothing is believed.
pub(super) fn read(
    configuration: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<ForwardedHeadersSettings> {
    let everybody = switch(configuration, problems);
    let on = read_boolean(configuration, ENABLED, problems).unwrap_or_default();
    let kinds = read_with(configuration, KINDS, problems, kinds).unwrap_or(FOR | PROTO);
    let limit = read_with(configuration, "ForwardedHeaders:ForwardLimit", problems, limit);
    let known = known(configuration, problems);
    let hosts = hosts_of_list(configuration, "ForwardedHeaders:AllowedHosts", problems);
    let symmetry = "ForwardedHeaders:RequireHeaderSymmetry";
    let all_or_nothing = read_boolean(configuration, symmetry, problems).unwrap_or_default();
    let mut names = |kind: u8, name: &str| {
        let [forwarded, original] = ["Forwarded", "Original"].map(|which| {
            let key = format!("ForwardedHeaders:{which}{name}HeaderName");
            header_name(configuration, &key, &format!("X-{which}-{name}"), problems)
        });
        let names = Names { forwarded: forwarded?, original: original? };
        (kinds & kind != 0).then_some(names)
    };
    let believed = Believed {
        client: names(FOR, "For"),
        scheme: names(PROTO, "Proto"),
        host: names(HOST, "Host"),
        path_base: names(PREFIX, "Prefix"),
        limit: limit.unwrap_or(Some(1)),
        proxies: match known.is_empty() {
            true if everybody.is_some() => Proxies::All,
            true => Proxies::Of(this_machine()),
            false => Proxies::Of(known),
        },
        hosts,
        all_or_nothing,
    };
    let by_section = configuration.setting(ENABLED).filter(|_| on);
    let (key, origin) = match (by_section, everybody) {
        (Some(enabled), _) => (ENABLED, enabled.origin.clone()),
        (None, Some(origin)) => (SWITCH, origin),
        (None, None) => return None,
    };
    (kinds != 0).then_some(ForwardedHeadersSettings { key, origin, believed })
}

/// Where the switch was set to `true`; no other word counts, as on ASP.NET Core.
fn switch(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<Origin> {
    let text = configuration.non_empty(SWITCH)?;
    let is = |word: &str| text.value.eq_ignore_ascii_case(word);
    if !is("true") && !is("false") && text.value != "0" {
        problems.push(counts_as(text.value, false, SWITCH, text.origin.clone()));
    }
    is("true").then_some(text.origin)
}

/// Flags of .NET's: names with commas between.
fn kinds(setting: &Setting, text: &str) -> Result<u8, Problem> {
    let mut all = 0;
    for word in text.split(',').map(str::trim) {
        let place = KIND_NAMES.iter().position(|name| name.eq_ignore_ascii_case(word));
        let Some(bits) = place.and_then(|place| KIND_BITS.get(place)) else {
            let kind = "Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders";
            let fix = match meant_value(word, &KIND_NAMES) {
                Some(meant) => format!("write {meant}"),
                None => "write names such as XForwardedFor, XForwardedProto".to_owned(),
            };
            return Err(cannot_convert(setting, text, kind, &fix));
        };
        all |= bits;
    }
    Ok(all)
}

/// How many proxies; an empty text is any number.
fn limit(setting: &Setting, text: &str) -> Result<Option<u32>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = integer(text).and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number <= i32::MAX as u32).map(Some).ok_or_else(|| {
        let fix = "write the number of proxies in a row, or nothing for any number";
        cannot_convert(setting, text, "System.Int32", fix)
    })
}

/// The loopbacks: a proxy on this machine.
fn this_machine() -> Vec<Network> {
    let [v4, v6] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    Network::of(v4, 8).into_iter().chain([Network::of_one(v6)]).collect()
}

/// Reads proxies; else why they are none, and what to do.
type Reader = fn(&str) -> Result<Network, (String, String)>;

/// The proxies that are named.
fn known(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<Network> {
    let mut known = Vec::new();
    let lists: [(_, Reader); 2] = [("KnownProxies", proxy), ("KnownIPNetworks", network)];
    for (name, read) in lists {
        for item in configuration.section(&format!("ForwardedHeaders:{name}")).children() {
            let Some(setting) = item.setting() else { continue };
            let text = setting.value.as_deref().unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            match read(text.trim()) {
                Ok(network) => known.push(network),
                Err((why, fix)) => problems.push(
                    Problem::error(format!("'{}' {why}.", shown(&setting.key, text)))
                        .key(setting.key.clone())
                        .origin(setting.origin.clone())
                        .fix(fix),
                ),
            }
        }
    }
    known
}

/// The address of a proxy.
fn proxy(text: &str) -> Result<Network, (String, String)> {
    if let Ok(address) = text.parse() {
        return Ok(Network::of_one(address));
    }
    let without_brackets = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let (why, fix) = if network(text).is_ok() {
        ("is a network, and no address", "move it to ForwardedHeaders:KnownIPNetworks".to_owned())
    } else if let Ok(address) = text.parse::<SocketAddr>() {
        (
            "has a port, and a proxy has another for each connection",
            format!("write {}", address.ip()),
        )
    } else if let Some(address) = without_brackets.and_then(|it| it.parse::<Ipv6Addr>().ok()) {
        ("has brackets, and an address alone has none", format!("write {address}"))
    } else {
        ("is no IP address", "write the address that the proxy connects from".to_owned())
    };
    Err((why.to_owned(), fix))
}

/// A network of proxies.
fn network(text: &str) -> Result<Network, (String, String)> {
    let none = || {
        let why = "is no network of IP addresses";
        (why.to_owned(), "write its first address and how many bits count: 10.0.0.0/8".to_owned())
    };
    let Some((address, bits)) = text.split_once('/') else {
        let address: IpAddr = text.parse().map_err(|_| none())?;
        let why = "is an address, and no network".to_owned();
        let all = if address.is_ipv4() { 32 } else { 128 };
        return Err((
            why,
            format!("write {address}/{all}, or move it to ForwardedHeaders:KnownProxies"),
        ));
    };
    let address: IpAddr = address.parse().map_err(|_| none())?;
    let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u8 = bits.parse().ok().filter(|_| digits).ok_or_else(none)?;
    let network = Network::of(address, bits).ok_or_else(|| {
        let all = if address.is_ipv4() { 32 } else { 128 };
        let why = format!("has more bits than an address, which has {all}");
        (why, format!("write {address}/{all} for this one address"))
    })?;
    match network.first() == address {
        true => Ok(network),
        false => Err((
            format!("is no network: its first address is {}", network.first()),
            format!("write {}/{bits}", network.first()),
        )),
    }
}

/// The name of a header; `None` if it cannot be one, which is told.
fn header_name(
    configuration: &Configuration,
    key: &str,
    default: &str,
    problems: &mut Vec<Problem>,
) -> Option<HeaderName> {
    let expected = format!("write the name of a header, such as {default}, or remove it");
    let name = |text: &str| HeaderName::from_bytes(text.as_bytes()).ok();
    let kind = ("Microsoft.AspNetCore.Http.HeaderName", expected.as_str());
    match configuration.setting(key).is_some_and(|setting| setting.value.is_some()) {
        true => super::parse::read(configuration, key, problems, kind, name),
        false => name(default),
    }
}
