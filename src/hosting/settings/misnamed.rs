//! Keys of the stages by names that they have elsewhere: `ForwardedHeadersOptions:KnownProxies`,
//! `KnownNetworks` at the top, `ASPNETCORE_FORWARDEDHEADERS_KNOWNPROXIES`. Nobody reads them, and whoever
//! wrote one believes that it protects.

use super::keys::{Holds, Key, Place, place};
use super::lists::{parts, written};
use super::parse::shown;
use crate::configuration::{Origin, Problem, Setting, keys_equal};

/// Sections that have another name here.
const SECTIONS: [(&str, &str); 4] = [
    ("ForwardedHeadersOptions", "ForwardedHeaders"),
    ("HstsOptions", "Hsts"),
    ("HostFilteringOptions", ""),
    ("HostFiltering", ""),
];

/// Names in `ForwardedHeaders` that an app may have at the top for itself.
const COMMON: [&str; 3] = ["Enabled", "ForwardedHeaders", "AllowedHosts"];

/// What is to be said of a setting that goes by such a name, and the key up to where that is.
pub(super) fn misnamed(setting: &Setting) -> Option<(String, Problem)> {
    let (wrong, right) = meant(&setting.key)?;
    let text = setting.value.as_deref().unwrap_or_default();
    let value = shown(&setting.key, text);
    let fix = match (place(&right), &setting.origin) {
        (Place::Known(Key { holds: Holds::List(_), .. }), Origin::File { .. }) => {
            format!("{right}, a list")
        }
        (Place::Known(Key { holds: Holds::List(_), .. }), origin) if !value.is_empty() => {
            written(origin, &right, &parts(&value))
        }
        _ => right.clone(),
    };
    let called = match &setting.origin {
        Origin::EnvironmentVariable(name) => format!("The variable {name}"),
        _ => format!("The key '{wrong}'"),
    };
    let problem = Problem::warning(format!("{called} means nothing to the server."))
        .cause(format!("Here it is called {right}."))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!("write {fix}"));
    Some((wrong, problem))
}

/// The part of a key that goes by another name, and the key that was meant.
fn meant(key: &str) -> Option<(String, String)> {
    let mut parts = key.split(':');
    let (top, below) = (parts.next()?, parts.next());
    let section = SECTIONS.iter().find(|(called, _)| keys_equal(called, top));
    if let (Some((_, section)), Some(name)) = (section, below) {
        return Some((format!("{top}:{name}"), in_section(section, name)?));
    }
    // `ForwardedHeaders_KnownProxies`, as variables of other products have it.
    for section in ["ForwardedHeaders", "Hsts"] {
        let rest = top.get(section.len()..).filter(|_| starts_with(top, section));
        let name = rest.and_then(|rest| rest.strip_prefix("__").or(rest.strip_prefix('_')));
        if let Some(name) = name.filter(|name| !keys_equal(name, "Enabled") || section == "Hsts") {
            return Some((top.to_owned(), in_section(section, name)?));
        }
    }
    let common = COMMON.iter().any(|name| keys_equal(name, top));
    match common {
        true => None,
        false => Some((top.to_owned(), in_section("ForwardedHeaders", top)?)),
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

/// The key that is called `name` in a section, or was before .NET 10.
fn in_section(section: &str, name: &str) -> Option<String> {
    let name = match keys_equal(name, "KnownNetworks") {
        true => "KnownIPNetworks",
        false => name,
    };
    let colon = if section.is_empty() { "" } else { ":" };
    match place(&format!("{section}{colon}{name}")) {
        Place::Known(row) => Some(format!("{section}{colon}{}", row.name)),
        _ => None,
    }
}

/// The name in the section `above` that one means that begins, or ends, as it does: `MaxAgeInDays`,
/// `TrustedProxies`.
pub(super) fn related<'a>(above: &str, name: &str, names: &'a [Key]) -> Option<&'a str> {
    let name = name.to_lowercase();
    const FEW: usize = 6;
    // The only text that begins so: `Formatter` is no `FormatterOptions`, and `MaxRequest` may be several.
    let mut longer = names.iter().filter(|row| {
        let is_text = matches!(row.holds, Holds::Text(_) | Holds::TextOrList(_));
        is_text && name.len() >= FEW && row.name.to_lowercase().starts_with(&name)
    });
    if let (Some(row), None) = (longer.next(), longer.next()) {
        return Some(row.name);
    }
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    let is_begun = |row: &&Key| row.name.len() >= FEW && name.starts_with(&row.name.to_lowercase());
    if let Some(row) = names.iter().find(is_begun) {
        return Some(row.name);
    }
    if keys_equal(above, "Logging:Console") && ends(&["level", "levels"]) {
        return Some("LogLevel");
    }
    let meant = match keys_equal(above, "ForwardedHeaders") {
        true if ends(&["proxy", "proxies"]) => "KnownProxies",
        true if ends(&["network", "networks", "cidr", "cidrs"]) => "KnownIPNetworks",
        true if ends(&["host", "hosts"]) => "AllowedHosts",
        true if ends(&["limit"]) => "ForwardLimit",
        _ => return None,
    };
    names.iter().map(|row| row.name).find(|known| *known == meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_elsewhere_are_known() {
        for (key, wrong, right) in [
            ("KnownProxies:0", "KnownProxies", "ForwardedHeaders:KnownProxies"),
            ("knownnetworks", "knownnetworks", "ForwardedHeaders:KnownIPNetworks"),
            (
                "ForwardedHeadersOptions:KnownProxies:0",
                "ForwardedHeadersOptions:KnownProxies",
                "ForwardedHeaders:KnownProxies",
            ),
            (
                "FORWARDEDHEADERS_KNOWNNETWORKS",
                "FORWARDEDHEADERS_KNOWNNETWORKS",
                "ForwardedHeaders:KnownIPNetworks",
            ),
            (
                "ForwardedHeaders__KnownProxies:0",
                "ForwardedHeaders__KnownProxies",
                "ForwardedHeaders:KnownProxies",
            ),
            ("HSTS_MAXAGE", "HSTS_MAXAGE", "Hsts:MaxAge"),
            ("Hsts_Enabled", "Hsts_Enabled", "Hsts:Enabled"),
            ("HstsOptions:MaxAge", "HstsOptions:MaxAge", "Hsts:MaxAge"),
            ("HostFiltering:AllowedHosts:0", "HostFiltering:AllowedHosts", "AllowedHosts"),
        ] {
            let expected = Some((wrong.to_owned(), right.to_owned()));
            assert_eq!(meant(key), expected, "{key}");
        }
        for key in [
            "ForwardedHeaders_Enabled",
            "ForwardedHeaders:KnownProxies:0",
            "Enabled",
            "AllowedHosts",
            "MaxAge",
            "Hsts:MaxAge",
            "ForwardedHeadersOptions",
            "ForwardedHeaders_Mine",
            "HostFiltering:Mine",
            "",
        ] {
            assert_eq!(meant(key), None, "{key}");
        }
    }
}
