//! The headers that tell a destination for whom a request is.

use http::HeaderName;

use super::one_transform::OneTransform;
use super::reader::{Numbers, of_words};
use crate::apps::reverse_proxy::transform_options::{
    Forwarded, ForwardedAction, ForwardedHeader, NodeFormat, NodeName, NodePort, XForwarded,
};
use crate::configuration::Setting;
use crate::hosting::settings::parse::shown;

/// What becomes of what a client says. Case counts here, as in YARP.
const ACTIONS: [(&str, ForwardedAction); 4] = [
    ("Off", ForwardedAction::Off),
    ("Set", ForwardedAction::Set),
    ("Append", ForwardedAction::Append),
    ("Remove", ForwardedAction::Remove),
];

const fn format(name: NodeName, port: NodePort) -> Option<NodeFormat> {
    Some(NodeFormat { name, port })
}

/// How somebody is told of, in the order of .NET's numbers.
const FORMATS: [(&str, Option<NodeFormat>); 10] = [
    ("None", None),
    ("Random", format(NodeName::Random, NodePort::None)),
    ("RandomAndPort", format(NodeName::Random, NodePort::Port)),
    ("RandomAndRandomPort", format(NodeName::Random, NodePort::Random)),
    ("Unknown", format(NodeName::Unknown, NodePort::None)),
    ("UnknownAndPort", format(NodeName::Unknown, NodePort::Port)),
    ("UnknownAndRandomPort", format(NodeName::Unknown, NodePort::Random)),
    ("Ip", format(NodeName::Ip, NodePort::None)),
    ("IpAndPort", format(NodeName::Ip, NodePort::Port)),
    ("IpAndRandomPort", format(NodeName::Ip, NodePort::Random)),
];

/// `X-Forwarded`.
pub(super) fn x_forwarded(one: &mut OneTransform<'_, '_, '_>) -> Option<XForwarded> {
    let default = action(one, one.setting, one.text, "X-Forwarded")?;
    let prefix = one.reader.setting("HeaderPrefix").map_or("X-Forwarded-", |(_, text)| text);
    let mut header = |name: &'static str| {
        let action = match one.reader.setting(name) {
            Some((setting, text)) => action(one, setting, text, name)?,
            None => default,
        };
        let name = HeaderName::from_bytes(format!("{prefix}{name}").as_bytes());
        Some(ForwardedHeader { name: name.ok()?, action })
    };
    let headers = ["For", "Proto", "Host", "Prefix"].map(&mut header);
    if let Some((setting, text)) = one.reader.setting("HeaderPrefix") {
        let is_right = HeaderName::from_bytes(format!("{text}For").as_bytes()).is_ok();
        if !is_right {
            let text = shown(&setting.key, text);
            let message = format!("'{text}' cannot be the beginning of the name of a header.");
            one.reader.wrong(setting, message, "write one such as X-Forwarded-");
        }
    }
    let [client, proto, host, prefix] = headers;
    Some(XForwarded { client: client?, proto: proto?, host: host?, prefix: prefix? })
}

fn action(
    one: &mut OneTransform<'_, '_, '_>,
    setting: &Setting,
    text: &str,
    name: &str,
) -> Option<ForwardedAction> {
    let found = ACTIONS.iter().find(|(known, _)| *known == text).map(|(_, action)| *action);
    if found.is_none() {
        let near = ACTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(text.trim()));
        let fix = match near {
            Some((known, _)) => format!("write {known}: here it is spelled so"),
            None => "write Set, Append, Remove or Off".to_owned(),
        };
        let text = shown(&setting.key, text);
        let message = format!(
            "Unexpected value for {name}: {text}. Expected one of ForwardedTransformActions"
        );
        one.reader.wrong(setting, message, fix);
    }
    found
}

/// `Forwarded`.
pub(super) fn forwarded(one: &mut OneTransform<'_, '_, '_>) -> Option<Forwarded> {
    let mut told = Forwarded {
        action: ForwardedAction::Set,
        client: None,
        by: None,
        host: false,
        proto: false,
    };
    let client = node(one, "ForFormat");
    let by = node(one, "ByFormat");
    if let Some((setting, text)) = one.reader.setting("Action") {
        told.action = action(one, setting, text, "Forwarded:Action")?;
    }
    for word in one.text.split([',', ' ']).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "for" => told.client = client?,
            "by" => told.by = by?,
            "host" => told.host = true,
            "proto" => told.proto = true,
            _ => {
                let word = shown(&one.setting.key, word);
                let message = format!(
                    "Unexpected value for Forwarded: {word}. Expected 'for', 'host', 'proto', or 'by'"
                );
                one.reader.wrong(one.setting, message, "write some of for, by, proto, host");
                return None;
            }
        }
    }
    Some(told)
}

/// How somebody is told of; `None` if that cannot be.
fn node(one: &mut OneTransform<'_, '_, '_>, key: &str) -> Option<Option<NodeFormat>> {
    let Some((setting, text)) = one.reader.setting(key) else {
        return Some(format(NodeName::Random, NodePort::None));
    };
    let found = of_words(text, &FORMATS, Numbers::Taken);
    if found.is_none() {
        let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
        let text = shown(&setting.key, text);
        let message =
            format!("Unexpected value for Forwarded:{key}: {text}. Expected: {}", names.join(","));
        one.reader.wrong(setting, message, "write one of them, such as IpAndPort");
    }
    found
}
