//! Where requests are sent to.

use super::reader::Reader;
use crate::addresses::{is_mistyped_ip, meant_by_name};
use crate::apps::reverse_proxy::mistake::Mistake;
use crate::apps::reverse_proxy::options::{DestinationAddress, Place};
use crate::configuration::Setting;
use crate::hosting::settings::parse::shown;

/// Reads an address. What cannot be one is told with `message`; a name that nearly is `localhost` or an IP address may
/// be one, and is told, too.
pub(super) fn read(
    reader: &mut Reader<'_, '_>,
    key: &str,
    message: impl FnOnce(&str) -> String,
) -> Option<DestinationAddress> {
    let (setting, text) = reader.text(key)?;
    let parsed = DestinationAddress::parse(text).and_then(|address| match host(&address) {
        Some(host) if is_mistyped_ip(host) => Err(Mistake {
            what: format!("'{host}' is no IP address"),
            fix: "correct it: four numbers up to 255, with dots between".to_owned(),
            unknown: None,
        }),
        _ => Ok(address),
    });
    match parsed {
        Ok(address) => {
            tell_near_miss(reader, (setting, text), &address);
            Some(address)
        }
        Err(mistake) => {
            reader.because((setting, text), message, mistake);
            None
        }
    }
}

fn host(address: &DestinationAddress) -> Option<&str> {
    match &address.place {
        Place::Tcp(host, _) => Some(host),
        Place::Unix(_) => None,
    }
}

fn tell_near_miss(
    reader: &mut Reader<'_, '_>,
    (setting, text): (&Setting, &str),
    address: &DestinationAddress,
) {
    let Some(host) = host(address) else { return };
    let Some(meant) = meant_by_name(host) else { return };
    let text = shown(&setting.key, text);
    let message =
        format!("'{host}' nearly is {meant}, and is a name that this machine has to know: {text}.");
    reader.odd(setting, message, format!("write {meant}, if that was meant"));
}
