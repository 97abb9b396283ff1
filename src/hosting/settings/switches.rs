//! Sections that are read only if something switches them on.

use super::keys::is_known;
use super::lists::first_setting;
use crate::configuration::{Configuration, Problem};

/// What is to be said of a section that nothing switches on, or off: neither its own `Enabled` nor
/// `others`.
pub(super) fn without_switch(
    configuration: &Configuration,
    name: &str,
    others: &[&str],
) -> Option<Problem> {
    let key = format!("{name}:Enabled");
    let mut switches = others.iter().copied().chain([key.as_str()]);
    if switches.any(|switch| configuration.value(switch).is_some()) {
        return None;
    }
    let children = configuration.section(name).children();
    let settings = children.iter().filter(|child| is_known(child.path()));
    let setting = settings.filter_map(first_setting).find(|setting| setting.value.is_some())?;
    Some(
        Problem::warning(format!("'{}' has no effect: {key} is not set.", setting.key))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix(format!("set {key} to true; to false, if it is meant to be off")),
    )
}
