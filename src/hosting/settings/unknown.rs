//! Keys that mean nothing, and texts, lists and sections at a key of another shape.
//!
//! An unknown key is no mistake where an app may have its own: at the top, and among log providers.
//! One that is a letter or two away from a known one most likely is, and so is one inside of
//! `Kestrel`, which nobody else reads. What stands at a known key in another shape than the one that
//! is read has no effect, whichever key it is: that is told here, so that no reader has to.

use super::keys::{
    Holds, Key, Kind, Others, Place, is_flags, is_level_of_module, is_separated, is_text, place,
};
use super::lists::{parts, written};
use super::misnamed::{misnamed, related};
use super::parse::shown;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{
    Loaded, Origin, Problem, Section, Setting, key_without_secret, keys_equal, speaks_of_secrets,
};
use crate::hosting::usage;
use crate::logging::LogLevel;

/// What a process manager says, by variables with the prefix `ASPNETCORE_` and in no other way.
const PROCESS_MANAGER: [&str; 3] = ["port", "appl_path", "token"];

/// The flags of a command line, which are no settings.
fn flags() -> impl Iterator<Item = &'static str> {
    usage::FLAGS.iter().map(|flag| flag.name).chain(["help", "version"])
}

/// The flag of this name.
pub(super) fn flag_called(name: &str) -> Option<&'static str> {
    flags().find(|flag| flag.eq_ignore_ascii_case(name))
}

/// Adds a warning for every key that is near a known one, stands where only known ones may, or holds
/// something of another shape than is read there; once per name.
pub(super) fn report(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let mut told: Vec<String> = Vec::new();
    for setting in loaded.configuration.settings() {
        let misnamed = misnamed(setting);
        // First, because most variables are, and finding what is near costs more than all else
        // that a start does.
        if misnamed.is_none() && is_foreign(setting) {
            continue;
        }
        let Some((key, problem)) = misnamed.or_else(|| meaningless(loaded, setting)) else {
            continue;
        };
        if told.iter().any(|known| keys_equal(known, &key)) {
            continue;
        }
        if !is_told(problems, &key, &setting.origin) {
            problems.push(problem.key(setting.key.clone()).origin(setting.origin.clone()));
        }
        told.push(key);
    }
}

/// Whether something was said already of a key, or of the very place that it was set at.
pub(super) fn is_told(problems: &[Problem], key: &str, origin: &Origin) -> bool {
    let same_place = |problem: &Problem| {
        !matches!(origin, Origin::Default | Origin::Code(_) | Origin::Source(_))
            && problem.origin.as_ref() == Some(origin)
    };
    let same_key =
        |problem: &Problem| problem.key.as_ref().is_some_and(|other| keys_equal(other, key));
    problems.iter().any(|problem| same_key(problem) || same_place(problem))
}

/// Whether a switch of this name, without its dashes, sets something of the server's.
pub(crate) fn is_switch(name: &str) -> bool {
    is_text(name) || flags().any(|flag| keys_equal(flag, name))
}

/// A variable without a prefix belongs to anybody, unless it is plainly inside one of our sections.
fn is_foreign(setting: &Setting) -> bool {
    let Origin::EnvironmentVariable(name) = &setting.origin else {
        return false;
    };
    let key = &setting.key;
    let top = key.split(':').next().unwrap_or_default();
    if is_prefixed(name) {
        // It is also read under its whole name: that is no second mistake.
        let whole_name = keys_equal(&name.replace("__", ":"), key);
        return whole_name || PROCESS_MANAGER.iter().any(|known| keys_equal(known, key));
    }
    let ours = || !is_text(top) || keys_equal(top, "urls");
    !key.contains(':') || !ours()
}

pub(super) fn is_prefixed(variable: &str) -> bool {
    ["ASPNETCORE_", "DOTNET_"].iter().any(|prefix| {
        variable.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// The key, up to where it goes wrong, of a setting that means nothing, and what is to be said.
fn meaningless(loaded: &Loaded, setting: &Setting) -> Option<(String, Problem)> {
    let key = setting.key.as_str();
    match place(key) {
        Place::Known(Key {
            holds: Holds::Text(_) | Holds::TextOrList(_) | Holds::Open, ..
        })
        | Place::Anywhere => None,
        Place::Known(row) => {
            let text = setting.value.as_deref().filter(|text| !text.is_empty())?;
            Some((key.to_owned(), text_in_place_of(row, setting, text)))
        }
        Place::Below(level) if is_level_of_module(level, key) => None,
        Place::Below(text) => Some((text.to_owned(), more_than_a_text(loaded, text, key))),
        Place::Unknown { names, others: Others::Like(other), name: provider } => {
            let near = fix(loaded, names, Others::AnApps, provider, &setting.origin);
            let problem = match (near, setting.value.as_deref()) {
                (Some(fix), _) => nothing(provider).fix(fix),
                // A provider has levels below it, and options of its own.
                (None, Some(text)) if provider.len() == key.len() && !text.is_empty() => {
                    let (above, name) = key.rsplit_once(':').unwrap_or(("", key));
                    match LogLevel::parse(text) {
                        Some(_) => nothing(key)
                            .fix(format!("levels stand below LogLevel: {above}:LogLevel:{name}")),
                        None => text_in_place_of(other, setting, text),
                    }
                }
                _ => return None,
            };
            Some((provider.to_owned(), problem))
        }
        Place::Unknown { names, others, name: wrong } => {
            let fix = fix(loaded, names, others, wrong, &setting.origin)?;
            Some((wrong.to_owned(), nothing(wrong).fix(fix)))
        }
    }
}

fn nothing(key: &str) -> Problem {
    let key = key_without_secret(key);
    Problem::warning(format!("The key '{key}' means nothing to the server."))
}

/// What to do about a name that is none of `names`, if that is to be told.
fn fix(
    loaded: &Loaded,
    names: &[Key],
    others: Others,
    wrong: &str,
    origin: &Origin,
) -> Option<String> {
    let (above, name) = wrong.rsplit_once(':').unwrap_or(("", wrong));
    let known = || names.iter().map(|row| row.name);
    let closed = matches!(others, Others::Nothing);
    let with_colons = wrong.replace("__", ":");
    if with_colons != wrong && is_text(&with_colons) {
        return Some(format!("write {with_colons}; two underscores stand in variables alone"));
    }
    if let (true, Place::Known(meant)) = (closed, place(name)) {
        let top = above.split(':').next().unwrap_or_default();
        return Some(format!("write {} at the top, beside {top} and not in it", meant.name));
    }
    // An app may have endpoints and limits of its own; here is none.
    if above.is_empty()
        && loaded.host_alone
        && let Place::Known(meant) = place(&format!("Kestrel:{name}"))
    {
        return Some(format!("did you mean Kestrel:{}?", meant.name));
    }
    if let Some(meant) = did_you_mean(name, known())
        && (!above.is_empty() || can_be_meant(&loaded.configuration.section(name), meant, names))
    {
        let colon = if above.is_empty() { "" } else { ":" };
        return Some(format!("did you mean {above}{colon}{meant}?"));
    }
    if above.is_empty()
        && loaded.host_alone
        && let Some(meant) = section_meant(&loaded.configuration.section(name), names)
    {
        return Some(format!("did you mean {meant}?"));
    }
    if let (true, Some(meant)) = (closed, related(above, name, names)) {
        return Some(format!("did you mean {above}:{meant}?"));
    }
    if closed {
        let known = known().collect::<Vec<_>>().join(", ");
        return Some(format!("remove it; below {above} there are {known}"));
    }
    if !matches!(origin, Origin::CommandLine { .. }) {
        return None;
    }
    if above.is_empty()
        && let Some(flag) = did_you_mean(name, flags())
    {
        return Some(format!("did you mean --{flag}?"));
    }
    // Where an app listens to the same configuration, the key may be the app's.
    loaded.host_alone.then(|| {
        "remove it: no app is here that could read it; --help has the usual settings".to_owned()
    })
}

/// Whether what stands at the top under another name can be meant for the row `meant`. Beside its own
/// `Hosts` and `Environments` an app has no `Hsts` and no `environment` in mind: what it holds has to be of
/// the same shape, and names in a section have to agree, unless hardly a letter of a long name is wrong.
fn can_be_meant(section: &Section<'_>, meant: &str, names: &[Key]) -> bool {
    const LONG: usize = 7;
    let Some(row) = names.iter().find(|row| row.name == meant) else { return false };
    let nearly_is = || {
        let name = section.name();
        name.len() >= LONG && is_one_letter_off(name, meant)
    };
    let children = section.children();
    let is_list =
        !children.is_empty() && children.iter().all(|it| it.name().parse::<u32>().is_ok());
    let has_text = section.setting().is_some_and(|setting| setting.value.is_some());
    match row.holds {
        Holds::Text(Kind::Separated(_)) => has_text || is_list,
        Holds::Text(_) | Holds::TextOrList(_) => has_text,
        Holds::Names(below, _) if !children.is_empty() => {
            // Half of all sections have one that is called so.
            let is_known = |child: &Section<'_>| {
                let known = below.iter().any(|row| keys_equal(row.name, child.name()));
                known && !keys_equal(child.name(), "Enabled")
            };
            children.iter().any(is_known) || nearly_is()
        }
        Holds::Names(..) | Holds::Any(..) | Holds::List(_) | Holds::Open => {
            (has_text || !children.is_empty()) && nearly_is()
        }
    }
}

/// The section at the top that one was meant for which shares the most of its name: `BasicAuth`,
/// `RateLimiting`, `Compression`. Something in it has to be known there: the file may be that of an app beside.
fn section_meant(section: &Section<'_>, names: &[Key]) -> Option<&'static str> {
    let name = section.name().to_lowercase();
    // Names first: what is in a section takes long to gather, and most are large.
    let akin = names.iter().filter(|row| is_akin(&name, &row.name.to_lowercase()));
    let fits = |row: &&Key| {
        let Holds::Names(below, _) = row.holds else { return false };
        let has = |child: &Section<'_>| below.iter().any(|it| keys_equal(it.name, child.name()));
        let is_text = section.setting().is_some_and(|setting| setting.value.is_some());
        is_text || section.children().iter().any(has)
    };
    akin.filter(fits).map(|row| row.name).next()
}

/// Whether one of two names is the beginning or the end of the other, or nearly its beginning.
fn is_akin(one: &str, other: &str) -> bool {
    const FEW: usize = 5;
    const OF_AN_ENDING: usize = 3;
    let shorter = one.len().min(other.len());
    let begin = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    shorter >= FEW
        && (begin + OF_AN_ENDING >= shorter.max(2 * OF_AN_ENDING)
            || one.ends_with(other)
            || other.ends_with(one))
}

/// Whether one letter too many, missing, other or changed with its neighbour makes the difference.
fn is_one_letter_off(name: &str, meant: &str) -> bool {
    strsim::damerau_levenshtein(&name.to_lowercase(), &meant.to_lowercase()) == 1
}

/// A text where names are read, or a list.
fn text_in_place_of(row: &Key, setting: &Setting, text: &str) -> Problem {
    let key = &setting.key;
    let text = shown(key, text);
    if matches!(row.holds, Holds::List(_)) {
        return Problem::warning(format!(
            "'{key}' is a list: the text '{text}' has no effect there."
        ))
        .fix(format!("write {}", written(&setting.origin, key, &parts(&text))));
    }
    Problem::warning(format!("'{key}' is a section: the text '{text}' has no effect there."))
        .fix(format!("set what belongs below it, such as {key}{}", example(row)))
}

/// The way to the first text below a row.
fn example(row: &Key) -> String {
    match row.holds {
        Holds::Text(_) | Holds::List(_) | Holds::TextOrList(_) | Holds::Open => String::new(),
        Holds::Any(name, each) => format!(":{name}{}", example(each)),
        Holds::Names(names, _) => {
            let first = names.first();
            first.map(|row| format!(":{}{}", row.name, example(row))).unwrap_or_default()
        }
    }
}

/// A list or a section where one text is read.
fn more_than_a_text(loaded: &Loaded, text: &str, key: &str) -> Problem {
    let configuration = &loaded.configuration;
    let below = configuration.section(text).children();
    let last = text.rsplit(':').next().unwrap_or_default();
    let is_list = below.iter().all(|child| child.name().parse::<u32>().is_ok());
    let kind = if is_list { "list" } else { "section" };
    let fix = match elements(&below) {
        _ if speaks_of_secrets(key) => "write one text".to_owned(),
        // `"Microsoft": { "AspNetCore": "Warning" }`
        _ if text.to_lowercase().contains("loglevel:") => {
            let name = key[text.len() - last.len()..].replace(':', ".");
            let level = configuration.value(key).unwrap_or("Warning");
            format!("write a category as one name: \"{name}\": \"{}\"", shown(key, level))
        }
        Some(elements) if is_list && is_flags(text) => {
            format!("write one text: \"{last}\": \"{}\"", shown(text, &elements.join(", ")))
        }
        Some(elements) if is_list && (elements.len() == 1 || is_separated(text)) => {
            format!("write one text: \"{last}\": \"{}\"", shown(text, &elements.join(";")))
        }
        _ => "write one text".to_owned(),
    };
    let counts = match configuration.non_empty(text) {
        Some(text) => format!("What counts is set by {}.", text.origin),
        None => "Its default counts.".to_owned(),
    };
    Problem::warning(format!("'{text}' is one text: the {kind} has no effect there."))
        .cause(counts)
        .fix(fix)
}

/// The texts of a list, unless something else is in it.
fn elements<'a>(list: &[Section<'a>]) -> Option<Vec<&'a str>> {
    list.iter().map(|element| configuration_text(element)).collect()
}

fn configuration_text<'a>(element: &Section<'a>) -> Option<&'a str> {
    element.setting()?.value.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{CodeSettings, Inputs, load};

    /// What is told of settings in a file: the first line and the fix of each.
    fn told(json: &str) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
        told_of(&Inputs { current_directory: folder.path().to_owned(), ..Inputs::default() })
    }

    fn told_of(inputs: &Inputs) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        report(&load(inputs), &mut problems);
        problems.into_iter().map(|problem| (problem.message, problem.fix.unwrap())).collect()
    }

    /// What is told of one key with a text.
    fn told_of_key(key: &str) -> Option<(String, String)> {
        let mut all = told(&format!("{{ \"{key}\": \"x\" }}"));
        assert!(all.len() < 2, "{all:?}");
        all.pop()
    }

    #[test]
    fn a_near_miss_names_the_key_that_was_meant() {
        for (key, meant) in [
            ("url", Some(("url", "urls"))),
            ("Kestrel:EndPoint:Http:Url", Some(("Kestrel:EndPoint", "Kestrel:Endpoints"))),
            (
                "Kestrel:Endpoints:Http:Uri",
                Some(("Kestrel:Endpoints:Http:Uri", "Kestrel:Endpoints:Http:Url")),
            ),
            (
                "Kestrel:Limits:MaxRequestBodysize2",
                Some(("Kestrel:Limits:MaxRequestBodysize2", "Kestrel:Limits:MaxRequestBodySize")),
            ),
            ("Logging:LogLevl:Default", Some(("Logging:LogLevl", "Logging:LogLevel"))),
            ("Logging:LogLevl", Some(("Logging:LogLevl", "Logging:LogLevel"))),
            ("KESTREL:endpoints:x:url", None),
            ("Logging:LogLevel:Anything", None),
            ("Logging:LogLevel:h2::codec", None),
            ("Logging:Console:LogLevel:my_app::shop::cart", None),
            ("Logging:Seq:ServerUrl", None),
            ("A", None),
            ("Foo", None),
            ("MyApp:Url", None),
            ("ReverseProxy:Routes:a:ClusterId", None),
            ("", None),
        ] {
            let expected = meant.map(|(wrong, right)| {
                (
                    format!("The key '{wrong}' means nothing to the server."),
                    format!("did you mean {right}?"),
                )
            });
            assert_eq!(told_of_key(key), expected, "{key}");
        }
    }

    #[test]
    fn what_an_app_has_at_the_top_is_only_told_if_it_can_be_meant() {
        for (json, meant) in [
            (r#"{"Hosts":{"a":{"Name":"b"}}}"#, None),
            (r#"{"Hosts":["a"]}"#, None),
            (r#"{"Hosts":"a"}"#, None),
            (r#"{"Host":{"Enabled":true}}"#, None),
            (r#"{"Url":{"Shop":"http://a"}}"#, None),
            (r#"{"Environments":{"a":{"b":1}}}"#, None),
            (r#"{"Environments":["a"]}"#, None),
            (r#"{"AllowedHost":{"a":"b"}}"#, None),
            (r#"{"Hst":{"MaxAge":"1.00:00:00"}}"#, Some("Hsts")),
            (r#"{"Url":"http://a"}"#, Some("urls")),
            (r#"{"Url":["http://a"]}"#, Some("urls")),
            (r#"{"AllowedHost":"a"}"#, Some("AllowedHosts")),
            (r#"{"AllowedHost":["a"]}"#, Some("AllowedHosts")),
            (r#"{"Kestrl":{"Endpoints":{"A":{"Url":"http://*:1"}}}}"#, Some("Kestrel")),
            (r#"{"Kesterl":{"Mine":1}}"#, Some("Kestrel")),
            (r#"{"Loging":{"LogLevel":{"Default":"Debug"}}}"#, Some("Logging")),
            (r#"{"ForwardedHeader":{"Enabled":true}}"#, Some("ForwardedHeaders")),
            (r#"{"ForwardHeaders":{"KnownProxies":["10.0.0.1"]}}"#, Some("ForwardedHeaders")),
        ] {
            let told = told(json);
            let fixes: Vec<_> = told.iter().map(|(_, fix)| fix.as_str()).collect();
            let expected = meant.map(|meant| format!("did you mean {meant}?"));
            assert_eq!(fixes, expected.as_slice(), "{json}");
        }
    }

    #[test]
    fn inside_of_kestrel_an_unknown_name_is_told_however_far_off_it_is() {
        for (key, wrong, fix) in [
            (
                "Kestrel:Limits:Nonsense",
                "Kestrel:Limits:Nonsense",
                "remove it; below Kestrel:Limits",
            ),
            ("kestrel:limits:Foo:Bar", "kestrel:limits:Foo", "remove it; below kestrel:limits"),
            (
                "Kestrel:Limits:Http2:X",
                "Kestrel:Limits:Http2:X",
                "remove it; below Kestrel:Limits:Http2",
            ),
            (
                "Kestrel:Limits:Http2:MaxStreamPerConnection",
                "Kestrel:Limits:Http2:MaxStreamPerConnection",
                "did you mean Kestrel:Limits:Http2:MaxStreamsPerConnection?",
            ),
            (
                "Kestrel:Limits:MinResponseDataRate:Bytes",
                "Kestrel:Limits:MinResponseDataRate:Bytes",
                "remove it; below Kestrel:Limits:MinResponseDataRate there are BytesPerSecond, GracePeriod",
            ),
            ("Kestrel:Colour", "Kestrel:Colour", "remove it; below Kestrel there are Endpoints,"),
            (
                "Kestrel:Endpoints:Htttp:Colour",
                "Kestrel:Endpoints:Htttp:Colour",
                "remove it; below Kestrel:Endpoints:Htttp there are Url, Protocols",
            ),
            (
                "Kestrel:Endpoints:A:Sni:b.example:Cipher",
                "Kestrel:Endpoints:A:Sni:b.example:Cipher",
                "remove it; below Kestrel:Endpoints:A:Sni:b.example there are",
            ),
            (
                "Kestrel:Certificates:Default:Thumbprint",
                "Kestrel:Certificates:Default:Thumbprint",
                "remove it; below Kestrel:Certificates:Default there are Path, KeyPath",
            ),
            (
                "Kestrel:EndpointDefaults:Sni:x",
                "Kestrel:EndpointDefaults:Sni",
                "remove it; below Kestrel:EndpointDefaults there are Protocols",
            ),
        ] {
            let (message, told) = told_of_key(key).unwrap();
            assert_eq!(message, format!("The key '{wrong}' means nothing to the server."));
            assert!(told.starts_with(fix), "{told}");
        }
        assert_eq!(told_of_key("Kestrel:Limits:Http3:Anything"), None);
    }

    #[test]
    fn a_list_or_a_section_where_a_text_is_read_is_told() {
        for (json, message, fix) in [
            (
                r#"{"Kestrel":{"Endpoints":{"A":{"Protocols":["Http2"]}}}}"#,
                "'Kestrel:Endpoints:A:Protocols' is one text: the list has no effect there.",
                r#"write one text: "Protocols": "Http2""#,
            ),
            (
                r#"{"Kestrel":{"Endpoints":{"A":{"Protocols":["Http1","Http2"]}}}}"#,
                "'Kestrel:Endpoints:A:Protocols' is one text: the list has no effect there.",
                "write one text",
            ),
            (
                r#"{"Kestrel":{"Endpoints":{"A":{"Url":{"Host":"a","Port":1}}}}}"#,
                "'Kestrel:Endpoints:A:Url' is one text: the section has no effect there.",
                "write one text",
            ),
            (
                r#"{"http_ports":[8080,8081]}"#,
                "'http_ports' is one text: the list has no effect there.",
                r#"write one text: "http_ports": "8080;8081""#,
            ),
            (
                r#"{"HttpLogging":{"LoggingFields":["RequestPath","Duration"]}}"#,
                "'HttpLogging:LoggingFields' is one text: the list has no effect there.",
                r#"write one text: "LoggingFields": "RequestPath, Duration""#,
            ),
            (
                r#"{"Kestrel":{"Certificates":{"Default":{"Password":["hunter2"]}}}}"#,
                "'Kestrel:Certificates:Default:Password' is one text: the list has no effect there.",
                "write one text",
            ),
            (
                r#"{"Kestrel":{"Limits":{"KeepAliveTimeout":{"Minutes":2}}}}"#,
                "'Kestrel:Limits:KeepAliveTimeout' is one text: the section has no effect there.",
                "write one text",
            ),
            (
                r#"{"Logging":{"LogLevel":{"Microsoft":{"AspNetCore":"Warning"}}}}"#,
                "'Logging:LogLevel:Microsoft' is one text: the section has no effect there.",
                r#"write a category as one name: "Microsoft.AspNetCore": "Warning""#,
            ),
            (
                r#"{"Logging":{"Console":{"FormatterName":["json"]}}}"#,
                "'Logging:Console:FormatterName' is one text: the list has no effect there.",
                r#"write one text: "FormatterName": "json""#,
            ),
            (
                r#"{"Kestrel":{"Endpoints":{"A":{"SslProtocols":{"Min":{"x":"Tls12"}}}}}}"#,
                "'Kestrel:Endpoints:A:SslProtocols:Min' is one text: the section has no effect there.",
                "write one text",
            ),
        ] {
            assert_eq!(told(json), [(message.to_owned(), fix.to_owned())], "{json}");
        }
    }

    #[test]
    fn a_text_where_names_are_read_is_told() {
        for (json, message, fix) in [
            (
                r#"{"Kestrel":"x"}"#,
                "'Kestrel' is a section: the text 'x' has no effect there.",
                "set what belongs below it, such as Kestrel:Endpoints:Http:Url",
            ),
            (
                r#"{"Kestrel":{"Endpoints":"http://*:1"}}"#,
                "'Kestrel:Endpoints' is a section: the text 'http://*:1' has no effect there.",
                "set what belongs below it, such as Kestrel:Endpoints:Http:Url",
            ),
            (
                r#"{"Logging":"Debug"}"#,
                "'Logging' is a section: the text 'Debug' has no effect there.",
                "set what belongs below it, such as Logging:LogLevel:Default",
            ),
            (
                r#"{"Logging":{"LogLevel":"Debug"}}"#,
                "'Logging:LogLevel' is a section: the text 'Debug' has no effect there.",
                "set what belongs below it, such as Logging:LogLevel:Default",
            ),
            (
                r#"{"Logging":{"Default":"Debug"}}"#,
                "The key 'Logging:Default' means nothing to the server.",
                "levels stand below LogLevel: Logging:LogLevel:Default",
            ),
            (
                r#"{"Kestrel":{"Endpoints":{"A":{"Certificate":"a.pem"}}}}"#,
                "'Kestrel:Endpoints:A:Certificate' is a section: the text '(hidden)' has no effect there.",
                "set what belongs below it, such as Kestrel:Endpoints:A:Certificate:Path",
            ),
            (
                r#"{"Kestrel":{"EndpointDefaults":{"SslProtocols":"Tls12"}}}"#,
                "'Kestrel:EndpointDefaults:SslProtocols' is a list: the text 'Tls12' has no effect there.",
                r#"write a list: "SslProtocols": ["Tls12"]"#,
            ),
        ] {
            assert_eq!(told(json), [(message.to_owned(), fix.to_owned())], "{json}");
        }
        // Nothing is no text.
        for json in [r#"{"Kestrel":{"Endpoints":{}}}"#, r#"{"Logging":null}"#, r#"{"Kestrel":[]}"#]
        {
            assert_eq!(told(json), [], "{json}");
        }
    }

    #[test]
    fn on_a_command_line_that_no_app_reads_every_key_has_to_be_known() {
        for (key, host_alone, fix) in [
            ("Greeting", true, Some("remove it: no app is here that could read it")),
            ("MyApp:Colour", true, Some("remove it: no app is here that could read it")),
            ("Greeting", false, None),
            ("MyApp:Colour", false, None),
            ("strct", false, Some("did you mean --strict?")),
            ("url", false, Some("did you mean urls?")),
            ("Logging:Seq:ServerUrl", true, Some("remove it: no app")),
        ] {
            let inputs = Inputs {
                arguments: vec![(1, format!("--{key}=hello"))],
                current_directory: std::env::temp_dir(),
                code: CodeSettings { host_alone, ..CodeSettings::default() },
                ..Inputs::default()
            };
            let told = told_of(&inputs);
            let told = told.first().map(|(_, fix)| fix.as_str());
            assert_eq!(told.is_some(), fix.is_some(), "{key}: {told:?}");
            assert!(told.unwrap_or_default().starts_with(fix.unwrap_or_default()), "{told:?}");
        }
    }

    #[test]
    fn a_section_that_is_nearly_called_so_is_told_where_no_app_could_have_it() {
        for (json, meant) in [
            (r#"{"BasicAuth":{"Enabled":true}}"#, Some("BasicAuthentication")),
            (r#"{"BasicAuth":{"Passwords":{"a":"b"}}}"#, Some("BasicAuthentication")),
            (r#"{"HttpLog":{"Enabled":true}}"#, Some("HttpLogging")),
            (r#"{"RateLimiting":{"Enabled":true}}"#, Some("RateLimiter")),
            (r#"{"RateLimits":{"Enabled":true}}"#, Some("RateLimiter")),
            (r#"{"HealthCheck":{"Enabled":true}}"#, Some("HealthChecks")),
            (r#"{"Compression":{"Enabled":true}}"#, Some("ResponseCompression")),
            (r#"{"Compression":true}"#, Some("ResponseCompression")),
            (r#"{"AccessLogging":{"Enabled":true}}"#, Some("AccessLog")),
            (r#"{"SecurityHeaders":{"Enabled":true}}"#, Some("Headers")),
            (r#"{"HttpLoggingOptions":{"LoggingFields":"All"}}"#, Some("HttpLogging")),
            (r#"{"Timeouts":{"Enabled":true}}"#, Some("RequestTimeouts")),
            (r#"{"Redirection":{"Enabled":true}}"#, Some("HttpsRedirection")),
            // Of apps that are configured beside.
            (r#"{"Authentication":{"Schemes":{"Bearer":{"Audience":"a"}}}}"#, None),
            (r#"{"HealthChecksUI":{"EvaluationTimeInSeconds":10}}"#, None),
            (r#"{"RequestLogging":{"Enabled":true}}"#, None),
            (r#"{"Serilog":{"MinimumLevel":"Debug"}}"#, None),
            (r#"{"Shop":{"Enabled":true}}"#, None),
            (r#"{"Auth":{"Enabled":true}}"#, None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("appsettings.json"), json).unwrap();
            for host_alone in [true, false] {
                let told = told_of(&Inputs {
                    current_directory: folder.path().to_owned(),
                    code: CodeSettings { host_alone, ..CodeSettings::default() },
                    ..Inputs::default()
                });
                let fixes: Vec<_> = told.iter().map(|(_, fix)| fix.as_str()).collect();
                let expected = meant.map(|meant| format!("did you mean {meant}?"));
                // One letter is wrong, for an app as well.
                if host_alone || !json.contains("HealthCheck\"") {
                    let expected = expected.filter(|_| host_alone);
                    assert_eq!(fixes, expected.as_slice(), "{json} {host_alone}");
                }
            }
        }
    }

    #[test]
    fn every_limit_is_known() {
        use crate::server::limit_rules::{NUMBERS, SPANS};
        let names = NUMBERS.iter().map(|number| number.name);
        for name in names.chain(SPANS.iter().map(|span| span.name)) {
            assert!(is_text(&format!("Kestrel:Limits:{name}")), "{name}");
        }
    }
}
