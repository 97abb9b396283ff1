//! The settings of the stage that believes what proxies tell.

use http::{HeaderName, header};

use super::allowed_hosts::hosts_of_list;
use super::known_proxies;
use super::parse::{cannot_convert, counts_as, read_boolean, read_with};
use crate::configuration::near_names::meant_value;
use crate::configuration::text::{boolean, integer};
use crate::configuration::{Configuration, Origin, Problem, Setting};
use crate::features::{IpNetwork, Proxies};
use crate::middleware::{Believed, Names};

/// What proxies are believed, and what has switched it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForwardedHeadersSettings {
    pub(crate) key: &'static str,
    pub(crate) origin: Origin,
    /// What the headers of client, scheme, host and path base are called, believed or not.
    pub(crate) headers: [HeaderName; 4],
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
    problems.extend(contradiction(configuration));
    let kinds = read_with(configuration, KINDS, problems, kinds).unwrap_or(FOR | PROTO);
    let by_section = configuration.setting(ENABLED).filter(|_| on);
    let switched_on = match (by_section, &everybody) {
        (Some(enabled), _) => Some((ENABLED, enabled.origin.clone())),
        (None, Some(origin)) => Some((SWITCH, origin.clone())),
        (None, None) => None,
    };
    let proxies = proxies(configuration, everybody.is_some(), problems);
    let hosts = hosts_of_list(configuration, "ForwardedHeaders:AllowedHosts", problems);
    let symmetry = "ForwardedHeaders:RequireHeaderSymmetry";
    let all_or_nothing = read_boolean(configuration, symmetry, problems).unwrap_or_default();
    let limit = limit(configuration, problems);
    let [client, scheme, host, path_base] = header_names(configuration, problems)?;
    let all = [&client, &scheme, &host, &path_base];
    let originals = all.map(|names| names.original.clone());
    let headers = all.map(|names| names.forwarded.clone());
    let believed = Believed {
        client: (kinds & FOR != 0).then_some(client),
        scheme: (kinds & PROTO != 0).then_some(scheme),
        host: (kinds & HOST != 0).then_some(host),
        path_base: (kinds & PREFIX != 0).then_some(path_base),
        originals,
        limit,
        proxies,
        hosts,
        all_or_nothing,
    };
    let (key, origin) = switched_on?;
    (kinds != 0).then_some(ForwardedHeadersSettings { key, origin, headers, believed })
}

/// What a process manager on this machine is believed: client and scheme, of itself and nobody before it.
pub(super) fn of_process_manager() -> Believed {
    let names = |forwarded, original| Names {
        forwarded: HeaderName::from_static(forwarded),
        original: HeaderName::from_static(original),
    };
    let client = names("x-forwarded-for", "x-original-for");
    let scheme = names("x-forwarded-proto", "x-original-proto");
    let others = ["x-original-host", "x-original-prefix"].map(HeaderName::from_static);
    let [host, path_base] = others;
    Believed {
        originals: [client.original.clone(), scheme.original.clone(), host, path_base],
        client: Some(client),
        scheme: Some(scheme),
        host: None,
        path_base: None,
        limit: Some(1),
        proxies: Proxies::Of(IpNetwork::this_machine().to_vec()),
        hosts: None,
        all_or_nothing: false,
    }
}

/// What is to be said if the switch and the section do not agree.
fn contradiction(configuration: &Configuration) -> Option<Problem> {
    let said = |key: &str| {
        let setting = configuration.setting(key)?;
        boolean(setting.value.as_deref()?).map(|on| (on, setting.origin.clone()))
    };
    let ((switch, of_switch), (section, of_section)) = (said(SWITCH)?, said(ENABLED)?);
    let (counts, on, off, origin) = match (switch, section) {
        (true, false) => (SWITCH, of_switch, ENABLED, of_section),
        (false, true) => (ENABLED, of_section, SWITCH, of_switch),
        _ => return None,
    };
    Some(
        Problem::warning(format!("Proxies are believed, although {off} is false."))
            .cause(format!("{counts} is true, set by {on}; that is enough."))
            .key(off)
            .origin(origin)
            .fix(format!("remove {counts} to believe nobody, or {off} if they are to be believed")),
    )
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

/// How many proxies: one, unless configured; null is any number, as for .NET.
///
/// The empty text is null to .NET, too. Here it says nothing: a variable that is left empty must not take
/// the limit away.
fn limit(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<u32> {
    const ONE: Option<u32> = Some(1);
    let Some(setting) = configuration.setting("ForwardedHeaders:ForwardLimit") else { return ONE };
    let text = setting.value.as_deref()?;
    if text.is_empty() {
        problems.push(
            Problem::warning(format!("'{}' is empty, and counts as 1.", setting.key))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix(
                    "write the number of proxies in a row; for any number a file has null, and a \
                     variable 2147483647",
                ),
        );
        return ONE;
    }
    let number = integer(text).and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| *number <= i32::MAX as u32);
    if number.is_none() {
        let fix = "write the number of proxies in a row, or in a file null for any number";
        problems.push(cannot_convert(setting, text, "System.Int32", fix));
    }
    number.or(ONE)
}

/// Who is believed: the proxies that are named; without any, whoever is on this machine, or everybody.
fn proxies(configuration: &Configuration, everybody: bool, problems: &mut Vec<Problem>) -> Proxies {
    let otherwise = match everybody {
        true => "everybody is believed",
        false => "whoever is on this machine is believed",
    };
    let known = known_proxies::read(configuration, "ForwardedHeaders", otherwise, problems);
    match known.is_empty() {
        true if everybody => Proxies::All,
        true => Proxies::Of(IpNetwork::this_machine().to_vec()),
        false => Proxies::Of(known),
    }
}

/// The names of the headers of client, scheme, host and path base; `None` if one cannot be, which is told.
fn header_names(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<[Names; 4]> {
    let mut all = Vec::new();
    for kind in ["For", "Proto", "Host", "Prefix"] {
        for which in ["Forwarded", "Original"] {
            let key = format!("ForwardedHeaders:{which}{kind}HeaderName");
            let name = header_name(configuration, &key, &format!("X-{which}-{kind}"), problems);
            all.push((key, name));
        }
    }
    problems.extend(clashes(configuration, &all));
    let mut names = all.into_iter().map(|(_, name)| name);
    let mut next = || Some(Names { forwarded: names.next()??, original: names.next()?? });
    Some([next()?, next()?, next()?, next()?])
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

/// Headers that the server itself, or every app, goes by: none of them is a proxy's to fill.
const TAKEN: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::EXPECT,
    header::TE,
    header::COOKIE,
    header::AUTHORIZATION,
];

/// Names that mean something else, or that two kinds of facts have.
fn clashes(configuration: &Configuration, names: &[(String, Option<HeaderName>)]) -> Vec<Problem> {
    let set = |key: &str| configuration.setting(key).filter(|setting| setting.value.is_some());
    let mut problems = Vec::new();
    for (at, (key, name)) in names.iter().enumerate() {
        let (Some(setting), Some(name)) = (set(key), name) else { continue };
        let same = |(place, (other, others)): &(usize, &(String, Option<HeaderName>))| {
            *place != at && others.as_ref() == Some(name) && (*place < at || set(other).is_none())
        };
        let why = if TAKEN.contains(name) {
            "every request has it for something else".to_owned()
        } else if let Some((_, (other, _))) = names.iter().enumerate().find(same) {
            format!("it is that of {other}, too")
        } else {
            continue;
        };
        problems.push(
            Problem::error(format!("'{name}' cannot be the header of {key}: {why}."))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("write a name that nothing else has, or remove it"),
        );
    }
    problems
}
