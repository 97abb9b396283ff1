//! The `MW_` variables of the recordings as keys of the product's sections.

use std::env;
use std::fmt::Write as _;

use serde_json::Value;

/// The variables of a case, by name and without `MW_`.
pub(crate) struct Variables(Vec<(String, String)>);

impl Variables {
    #[expect(
        clippy::disallowed_methods,
        reason = "these variables stand for code, not for settings"
    )]
    pub(crate) fn of_process() -> Self {
        let ours = |(name, value): (String, String)| {
            name.strip_prefix("MW_").map(|name| (name.to_owned(), value))
        };
        Self(env::vars().filter_map(ours).collect())
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(is_true)
    }
}

fn is_true(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true")
}

/// Which endpoints have a policy of their own for pages of other origins, and what code says of policies.
#[derive(Clone, Debug)]
pub(crate) struct CorsEndpoints {
    pub(crate) disabled: bool,
    pub(crate) named: bool,
    /// The policies whose check takes every origin.
    pub(crate) of_any_origin: Vec<String>,
}

pub(crate) fn cors_endpoints(variables: &Variables) -> CorsEndpoints {
    let policies = variables.value("CORS").and_then(|text| serde_json::from_str(text).ok());
    let policies: Value = policies.unwrap_or_default();
    let all = policies.as_object().into_iter().flatten();
    let of_any_origin = all.filter(|(_, policy)| policy["anyCheck"] == true);
    CorsEndpoints {
        disabled: !policies.is_null(),
        named: policies.get("named").is_some(),
        of_any_origin: of_any_origin.map(|(name, _)| name.clone()).collect(),
    }
}

/// What a variable becomes.
enum As {
    /// The same text.
    Text,
    /// The same, and nothing for `null`, which no text is.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list, whose members have `;` between.
    List,
    /// A length of time, which is given in seconds.
    Seconds,
}

/// A variable, the key that it stands for, and how its value is written there.
const KEYS: [(&str, &str, As); 37] = [
    ("DEVPAGE", "DeveloperExceptionPage:Enabled", As::Switch),
    ("PROBLEM", "ProblemDetails:Enabled", As::Switch),
    ("HTTPLOG_REQ", "HttpLogging:RequestHeaders", As::List),
    ("HTTPLOG_RES", "HttpLogging:ResponseHeaders", As::List),
    ("HTTPLOG_REQLIMIT", "HttpLogging:RequestBodyLogLimit", As::Text),
    ("HTTPLOG_RESLIMIT", "HttpLogging:ResponseBodyLogLimit", As::Text),
    ("HTTPLOG_COMBINE", "HttpLogging:CombineLogs", As::Switch),
    ("W3C_DIR", "W3CLogging:LogDirectory", As::Text),
    ("W3C_NAME", "W3CLogging:FileName", As::Text),
    ("W3C_SIZE", "W3CLogging:FileSizeLimit", As::Number),
    ("W3C_KEEP", "W3CLogging:RetainedFileCountLimit", As::Number),
    ("W3C_FLUSH", "W3CLogging:FlushInterval", As::Seconds),
    ("W3C_HEADERS", "W3CLogging:AdditionalRequestHeaders", As::List),
    ("PATHBASE", "PathBase", As::Text),
    ("HSTS", "Hsts:Enabled", As::Switch),
    ("HSTS_MAXAGE", "Hsts:MaxAge", As::Seconds),
    ("HSTS_SUB", "Hsts:IncludeSubDomains", As::Switch),
    ("HSTS_PRELOAD", "Hsts:Preload", As::Switch),
    ("HSTS_EXCLUDED", "Hsts:ExcludedHosts", As::List),
    ("REDIR", "HttpsRedirection:Enabled", As::Switch),
    ("REDIR_STATUS", "HttpsRedirection:RedirectStatusCode", As::Text),
    ("REDIR_PORT", "HttpsRedirection:HttpsPort", As::Text),
    ("COMP", "ResponseCompression:Enabled", As::Switch),
    ("COMP_HTTPS", "ResponseCompression:EnableForHttps", As::Switch),
    ("COMP_PROVIDERS", "ResponseCompression:Providers", As::List),
    ("COMP_MIME", "ResponseCompression:MimeTypes", As::List),
    ("COMP_MIME_EXCLUDE", "ResponseCompression:ExcludedMimeTypes", As::List),
    ("COMP_LEVEL", "ResponseCompression:Level", As::Text),
    ("DECOMP", "RequestDecompression:Enabled", As::Switch),
    ("DEFAULTFILES", "DefaultFiles:Enabled", As::Switch),
    ("STATIC_UNKNOWN", "StaticFiles:ServeUnknownFileTypes", As::Switch),
    ("STATIC_DEFAULTTYPE", "StaticFiles:DefaultContentType", As::Text),
    ("STATIC_HTTPSCOMP", "StaticFiles:HttpsCompression", As::Text),
    ("BROWSE", "DirectoryBrowser:Enabled", As::Switch),
    ("BROWSE_PATH", "DirectoryBrowser:RequestPath", As::Text),
    ("BROWSE_REDIRECT", "DirectoryBrowser:RedirectToAppendTrailingSlash", As::Switch),
    ("STATIC", "StaticFiles:Enabled", As::Switch),
];

/// The keys with their values.
///
/// # Errors
///
/// The variable that says nothing that can be meant.
pub(crate) fn pairs(variables: &Variables) -> Result<Vec<(String, String)>, String> {
    let off = ["StaticFiles:Enabled", "DefaultFiles:Enabled"];
    let mut pairs = off.map(|key| (key.to_owned(), "false".to_owned())).to_vec();
    for (name, key, how) in &KEYS {
        let Some(value) = variables.value(name) else { continue };
        match how {
            As::Text => pairs.push(((*key).to_owned(), value.to_owned())),
            As::Number => {
                let number = if value == "null" { "" } else { value };
                pairs.push(((*key).to_owned(), number.to_owned()));
            }
            As::Switch => pairs.push(((*key).to_owned(), is_true(value).to_string())),
            As::List => pairs.extend(list(key, value.split(';').filter(|it| !it.is_empty()))),
            As::Seconds => {
                let seconds = value.parse().map_err(|_| format!("MW_{name} is no number"))?;
                pairs.push(((*key).to_owned(), time_span(seconds)));
            }
        }
    }
    pairs.extend(failures(variables));
    pairs.extend(logs(variables));
    pairs.extend(status_pages(variables));
    pairs.extend(compression(variables));
    pairs.extend(cors(variables)?);
    Ok(pairs)
}

/// A list; an empty one is an empty text in its place.
fn list<'a>(key: &str, members: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let entry = |(at, member): (usize, &str)| (format!("{key}:{at}"), member.to_owned());
    let entries: Vec<_> = members.enumerate().map(entry).collect();
    match entries.is_empty() {
        true => vec![(key.to_owned(), String::new())],
        false => entries,
    }
}

fn failures(variables: &Variables) -> Vec<(String, String)> {
    let on = ("ExceptionHandler:Enabled".to_owned(), "true".to_owned());
    match variables.value("EXHANDLER") {
        None => Vec::new(),
        Some("1") => vec![on],
        Some(path) => vec![on, ("ExceptionHandler:Path".to_owned(), path.to_owned())],
    }
}

/// The logs, whose switch names their fields.
fn logs(variables: &Variables) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, section) in [("HTTPLOG", "HttpLogging"), ("W3C", "W3CLogging")] {
        let Some(fields) = variables.value(name) else { continue };
        pairs.push((format!("{section}:Enabled"), "true".to_owned()));
        if fields != "default" {
            pairs.push((format!("{section}:LoggingFields"), fields.to_owned()));
        }
    }
    let more = variables.value("HTTPLOG_TEXT");
    if variables.is_on("HTTPLOG_CLEARTYPES") {
        pairs.extend(list("HttpLogging:MediaTypes", std::iter::empty()));
    } else if let Some(more) = more {
        let more = more.split(';').filter(|it| !it.is_empty());
        pairs.extend(list("HttpLogging:MediaTypes", TEXT_TYPES.into_iter().chain(more)));
    }
    pairs
}

/// What is text by itself.
const TEXT_TYPES: [&str; 5] =
    ["application/json", "application/*+json", "application/xml", "application/*+xml", "text/*"];

fn status_pages(variables: &Variables) -> Vec<(String, String)> {
    let Some(value) = variables.value("STATUSPAGES") else { return Vec::new() };
    let mut pairs = vec![("StatusCodePages:Enabled".to_owned(), "true".to_owned())];
    if value != "1" {
        let (name, text) = match value.split_once(':') {
            Some(("redirect", url)) => ("Redirect", url),
            Some(("reexecute", path)) => ("ReExecute", path),
            _ => ("Format", value),
        };
        pairs.push((format!("StatusCodePages:{name}"), text.to_owned()));
    }
    pairs
}

/// The default types with others beside them, and the codings that the recordings know.
fn compression(variables: &Variables) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if variables.is_on("COMP") && variables.value("COMP_PROVIDERS").is_none() {
        pairs.extend(list("ResponseCompression:Providers", ["br", "gzip"].into_iter()));
    }
    if variables.is_on("DECOMP") {
        let codings = ["br", "deflate", "gzip"];
        pairs.extend(list("RequestDecompression:Providers", codings.into_iter()));
    }
    if let Some(more) = variables.value("COMP_MIME_ADD") {
        let more = more.split(';').filter(|it| !it.is_empty());
        pairs.extend(list("ResponseCompression:MimeTypes", DEFAULT_TYPES.into_iter().chain(more)));
    }
    pairs
}

/// What is compressed by itself.
const DEFAULT_TYPES: [&str; 10] = [
    "text/plain",
    "text/css",
    "application/javascript",
    "text/javascript",
    "text/html",
    "application/xml",
    "text/xml",
    "application/json",
    "text/json",
    "application/wasm",
];

/// `{"default": POLICY, "NAME": POLICY}` as policies of the section.
fn cors(variables: &Variables) -> Result<Vec<(String, String)>, String> {
    let Some(text) = variables.value("CORS") else { return Ok(Vec::new()) };
    let policies: Value =
        serde_json::from_str(text).map_err(|error| format!("MW_CORS is no JSON: {error}"))?;
    let used = variables.value("CORS_USE").unwrap_or("default");
    let mut pairs = vec![("Cors:Enabled".to_owned(), (used != "off").to_string())];
    if used != "off" {
        pairs.push(("Cors:DefaultPolicyName".to_owned(), used.to_owned()));
    }
    for (name, policy) in policies.as_object().into_iter().flatten() {
        let key = |option: &str| format!("Cors:Policies:{name}:{option}");
        for (member, option) in [
            ("origins", "Origins"),
            ("methods", "Methods"),
            ("headers", "Headers"),
            ("exposed", "ExposedHeaders"),
        ] {
            if let Some(members) = policy[member].as_array() {
                pairs.extend(list(&key(option), members.iter().filter_map(Value::as_str)));
            }
        }
        for (member, option) in
            [("credentials", "SupportsCredentials"), ("wildcard", "AllowWildcardSubdomains")]
        {
            if let Some(on) = policy[member].as_bool() {
                pairs.push((key(option), on.to_string()));
            }
        }
        if let Some(seconds) = policy["maxAge"].as_f64() {
            pairs.push((key("PreflightMaxAge"), time_span(seconds)));
        }
    }
    Ok(pairs)
}

/// Seconds as a length of time: `1.02:03:04.5000000`.
fn time_span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it is what .NET does with ticks")]
    let ticks = (seconds * 10_000_000.0).round() as i64;
    let (whole, fraction) = (ticks.unsigned_abs() / 10_000_000, ticks.unsigned_abs() % 10_000_000);
    let mut text = String::new();
    if ticks < 0 {
        text.push('-');
    }
    let days = whole / 86_400;
    if days > 0 {
        let _ = write!(text, "{days}.");
    }
    let _ = write!(text, "{:02}:{:02}:{:02}", whole / 3600 % 24, whole / 60 % 60, whole % 60);
    if fraction > 0 {
        let _ = write!(text, ".{fraction:07}");
    }
    text
}
