//! Texts for a key: others than its default that are taken, and some that are not.

use super::site_key::at_the_top;
use crate::configuration::text::seconds_text;
use crate::hosting::settings::keys::{Default, Kind};

/// Texts that are taken, all but the default.
pub(super) fn others(key: &str, kind: Kind, default: Default) -> Vec<String> {
    let key = at_the_top(key);
    let all: Vec<String> = match kind {
        Kind::Text if key.starts_with("ReverseProxy:") => vec![of_proxy(key).0.to_owned()],
        Kind::Words(words) if key.contains(":Match:") => {
            // What is there has no value to be compared.
            let compared = words.iter().filter(|word| !word.ends_with("Exists"));
            compared.map(|word| (*word).to_owned()).collect()
        }
        Kind::Text | Kind::Path => {
            let text = match key.rsplit(':').next().unwrap_or_default() {
                "Url" => "http://127.0.0.1:6003",
                "Mode" => "660",
                "Owner" => "0",
                "Group" if !key.starts_with("AspNetCore:") => "0",
                "contentRoot" => "/",
                "File" if key.starts_with("BasicAuthentication:") => "users",
                _ if key.contains("MimeTypes:") || key.contains("MediaTypes:") => "text/other",
                _ if key.contains(":Origins:") => "https://other",
                _ if key.contains(":Paths:") => "/other",
                "PathBase" | "ReExecute" | "LivePath" | "ReadyPath" => "/other",
                "Path" if key.starts_with("ExceptionHandler:") => "/other",
                "Path" | "Prefix" | "Redirect" | "Rewrite" if key.starts_with("Rewrite:") => {
                    "/other"
                }
                "User" | "Group" if key.starts_with("AspNetCore:") => "1",
                "Health" => "/other",
                "Listen" => "3000",
                "Umask" => "077",
                "https_port" => "8443",
                "RequestPath" => "/files",
                "DefaultContentType" => "text/x-other",
                _ if key.contains(":KnownProxies:") => "10.0.0.1",
                _ if key.contains(":KnownIPNetworks:") => "10.0.0.0/8",
                _ if key.contains("AddressFilter:") => "10.0.0.0/8",
                "SampleRate" => "0.5",
                _ if key.contains("ExcludePaths:") => "/other",
                _ => "other",
            };
            vec![text.to_owned()]
        }
        Kind::Separated("ports") => vec!["6003;6004".to_owned()],
        Kind::Separated(_) if key == "Hosts" => vec!["b.example; *.c.example:81".to_owned()],
        Kind::Separated(_) => vec!["http://127.0.0.1:6003;http://127.0.0.1:6004".to_owned()],
        Kind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        Kind::Words(words) | Kind::Flags(words) => {
            words.iter().map(|word| (*word).to_owned()).collect()
        }
        Kind::ErrorStatus => vec!["418".to_owned()],
        Kind::Number(_, range) => [0, 77].map(|more| (range.least() + more).to_string()).to_vec(),
        Kind::Size => vec!["77".to_owned(), "1.5MiB".to_owned()],
        Kind::Seconds(..) => vec!["77".to_owned(), "00:03:03".to_owned()],
        Kind::Time(_) | Kind::TimeLimit(_) => vec!["00:03:03".to_owned()],
        Kind::Limit(_, rule) => {
            let default = rule.default().unwrap_or(0);
            vec![(default + 1).to_string(), rule.range().0.max(default).to_string()]
        }
    };
    let default = default_text(kind, default);
    all.into_iter().filter(|text| Some(text.as_str()) != default.as_deref()).collect()
}

/// A text of the proxy's that is taken, and one that is not, if there is one.
fn of_proxy(key: &str) -> (&'static str, Option<&'static str>) {
    match key.rsplit(':').next().unwrap_or_default() {
        "Order" | "MaxRequestBodySize" => ("7", Some("x")),
        "TimeoutPolicy" | "RateLimiterPolicy" | "CorsPolicy" => ("Disable", Some("nobody's")),
        "Address" | "Health" => ("http://other", Some("other")),
        "Name" | "AffinityKeyName" if !key.contains(":Query") => ("other", Some("a b")),
        "Host" => ("other", Some("a b")),
        "ClusterId" => ("other", Some("nobody's")),
        "Key" => ("0123456789abcdef", Some("short")),
        "Path" if key.contains(":Match:") => ("/other", Some("/{a")),
        "Path" | "Domain" if key.contains(":Cookie:") => ("other", Some("a;b")),
        _ if key.contains(":Hosts:") => ("other", Some("a b")),
        _ => ("other", None),
    }
}

/// Texts that are not taken.
pub(super) fn wrong(key: &str, kind: Kind) -> Vec<String> {
    let key = at_the_top(key);
    let text = |text: &str| vec![text.to_owned()];
    match kind {
        Kind::Text if key.starts_with("ReverseProxy:") => {
            of_proxy(key).1.into_iter().map(str::to_owned).collect()
        }
        Kind::Text if key.ends_with(":Mode") => text("9"),
        Kind::Text if key.ends_with(":Url") => text("htp://a"),
        // Who is there is the machine's to say.
        Kind::Text if [":Owner", ":User", ":Group"].iter().any(|it| key.ends_with(it)) => {
            text("no such account")
        }
        Kind::Text if key == "AspNetCore:Arguments" => text("a 'b"),
        Kind::Text
            if ["Listen", "Health", "Umask"].iter().any(|it| key == format!("AspNetCore:{it}")) =>
        {
            text("other")
        }
        Kind::Text if key.contains(":KnownProxies:") => text("10.0.0.0/8"),
        Kind::Text if key.contains(":KnownIPNetworks:") => text("10.0.0.1"),
        Kind::Text if key.contains("AddressFilter:") => text("10.0.0.1/8"),
        Kind::Text if key.ends_with(":RequestPath") => text("files"),
        Kind::Text if key.ends_with(":DefaultContentType") => text("text"),
        Kind::Text if key.starts_with("Headers:") => text("a\u{1}b"),
        Kind::Text if key.ends_with(":Pattern") && key.starts_with("Rewrite:") => text("("),
        Kind::Text if key.contains(":Hosts:") && key.starts_with("Rewrite:") => text("a b"),
        Kind::Text if key.starts_with("Rewrite:") => text("other"),
        Kind::Text if key.contains(":Headers:") => text("a\u{1}b"),
        Kind::Text if key.ends_with("HeaderName") => text("X Forwarded"),
        Kind::Text if key == "PathBase" || key.ends_with(":ReExecute") => text("other"),
        Kind::Text if key.contains(":Paths:") => text("other"),
        Kind::Text if key.starts_with("HealthChecks:") => text("other"),
        Kind::Text if key == "ExceptionHandler:Path" => text("other"),
        Kind::Text if key.contains("MimeTypes:") || key.contains("MediaTypes:") => text("text"),
        Kind::Text if key.contains("Headers:") => text("a b"),
        Kind::Text | Kind::Path if key.starts_with("W3CLogging:") => text(" "),
        Kind::Path if key == "BasicAuthentication:File" => text("gone"),
        Kind::Text if key.ends_with(":SampleRate") => text("1.5"),
        Kind::Text | Kind::Path if key.starts_with("AccessLog:") => text("a/"),
        Kind::Text if key.starts_with("Cors:Policies:") => text("a b"),
        Kind::Text if key == "Cors:DefaultPolicyName" => text("nobody's"),
        Kind::Text if key.starts_with("StatusCodePages:") => text("{1} "),
        Kind::Text if key == "https_port" => text("65536"),
        Kind::Text | Kind::Path => vec![],
        Kind::Separated("ports") => text("http"),
        Kind::Separated(_) => text("htp://a"),
        Kind::Boolean => text("maybe"),
        Kind::Words(_) | Kind::Flags(_) => text("nonsense"),
        Kind::ErrorStatus => vec!["200".to_owned(), "600".to_owned(), "x".to_owned()],
        Kind::Size => vec!["much".to_owned(), "-1".to_owned()],
        Kind::Seconds(_, most) => {
            let above = most.checked_add(1).map(|it| it.to_string());
            above.into_iter().chain(["x".to_owned(), "-00:00:05".to_owned()]).collect()
        }
        Kind::Number(_, range) => {
            let below = i128::from(range.least()) - 1;
            vec![below.to_string(), "-1".to_owned(), "x".to_owned()]
        }
        Kind::Time(range) => {
            let below = range.least().checked_sub(1).map(seconds_text);
            below.into_iter().chain(["5".to_owned(), "-00:00:05".to_owned()]).collect()
        }
        Kind::Limit(_, rule) => {
            let (least, most) = rule.range();
            vec![
                (i128::from(least) - 1).to_string(),
                (i128::from(most) + 1).to_string(),
                "x".to_owned(),
            ]
        }
        Kind::TimeLimit(_) => vec!["00:00:00".to_owned(), "5".to_owned(), "-00:00:05".to_owned()],
    }
}

/// The text that is as good as none.
pub(super) fn default_text(kind: Kind, default: Default) -> Option<String> {
    match (default, kind) {
        (Default::Text(text), _) => Some(text.to_owned()),
        (Default::OfLimit, Kind::Limit(_, rule)) => {
            Some(rule.default().map(|number| number.to_string()).unwrap_or_default())
        }
        (Default::OfLimit, Kind::TimeLimit(rule)) => Some(match rule.default() {
            Some(time) => seconds_text(time.as_secs()),
            None => "-00:00:00.0010000".to_owned(),
        }),
        _ => None,
    }
}
