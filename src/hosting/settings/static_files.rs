//! `StaticFiles`, `DefaultFiles`, `DirectoryBrowser` and `NavigationFallback`: what is served from the web root.
//!
//! A host without a program's app serves its web root if there is one; a program asks for it. Whether the folder
//! is there is looked up here, once: what the settings mean hangs on it.

use std::path::{Path, PathBuf};

use http::HeaderValue;

use super::given_away::settings_in;
use super::header_values::{self, To};
use super::host;
use super::lists::first_setting;
use super::parse::{read, read_boolean, read_with, shown};
use super::places::missing_pages;
use super::stage_values::of_key;
use super::switches::without_switch;
use crate::configuration::load::from_content_root;
use crate::configuration::{Configuration, Loaded, Origin, Problem, Section, Setting, Sourced};
use crate::diagnostics::{Notice, events};
use crate::features::HttpsCompression;
use crate::middleware::static_files::{
    Behind, BrowserOptions, DEFAULT_FILES, FileOptions, HeaderRule, StaticFilesOptions,
};

/// What is served, and who said so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StaticFilesSettings {
    pub(crate) options: StaticFilesOptions,
    /// The key that switched it on, and where that was set.
    pub(crate) key: &'static str,
    pub(crate) origin: Origin,
    /// What it goes by, in words.
    pub(crate) values: Vec<Sourced<String>>,
}

/// Reads it all; `None`, if nothing is served. What is served already (`has_site`) is served on while its folder is
/// away: who replaces it moves it away first. Nothing is served unasked unless the host is `alone`, without a program
/// behind it either: that has files of its own, and may ask clients who they are before it gives them.
pub(super) fn read_all(
    loaded: &Loaded,
    (alone, has_site): (bool, bool),
    problems: &mut Vec<Problem>,
) -> Option<StaticFilesSettings> {
    let configuration = &loaded.configuration;
    let alone = alone && loaded.host_alone;
    let root = host::web_root(loaded);
    let is_named = root.is_some();
    let root = root.unwrap_or_else(|| Sourced::new(usual_root(loaded), Origin::Default));
    // One that was named is made if it is missing.
    let is_there = is_named || root.value.is_dir();
    let said = read_boolean(configuration, "StaticFiles:Enabled", problems);
    let on = said.unwrap_or(alone && (is_there || has_site));
    let options = file_options(configuration, problems);
    let browser = browser(configuration, problems);
    let fallback = text(configuration, "NavigationFallback:Path");
    tell_without_effect(loaded, said, on, problems);
    if said.is_none() && is_named && !alone && loaded.host_alone {
        problems.push(not_served(&root));
    }
    if said == Some(true) && !is_there {
        problems.push(root_missing(configuration, &root.value));
    }
    if said.is_none() && on && !is_there {
        problems.push(root_away(&root.value));
    }
    let (key, origin) = switched_on_by(configuration, (said, on), &browser, &root.origin)?;
    if on {
        problems.extend(settings_in(loaded, &root));
    }
    let pages = ["NavigationFallback:Path", "StaticFiles:NotFoundPage"];
    let pages = pages.map(|key| configuration.non_empty(key).map(|it| it.map(str::to_owned)));
    problems.extend(missing_pages(&root.value, pages));
    let page = text(configuration, "StaticFiles:NotFoundPage");
    let alone = alone && on;
    let options = StaticFilesOptions {
        root: root.value.clone(),
        files: on.then_some(options),
        browser,
        fallback,
        not_found_page: match configuration.setting("StaticFiles:NotFoundPage") {
            None => alone.then(|| NOT_FOUND_PAGE.to_owned()),
            Some(_) => page,
        },
        behind: if alone { Behind::Nothing } else { Behind::App },
    };
    let values = values(configuration, &options, root.origin);
    Some(StaticFilesSettings { options, key, origin, values })
}

/// Where a site would be, if nobody has named its folder.
fn usual_root(loaded: &Loaded) -> PathBuf {
    from_content_root(&loaded.content_root.value, "wwwroot")
}

/// The folder that a server for files looks for without being asked.
pub(crate) fn root_by_itself(loaded: &Loaded) -> Option<PathBuf> {
    let is_asked = loaded.configuration.setting("StaticFiles:Enabled").is_some();
    let is_idle = loaded.host_alone && !is_asked && host::web_root(loaded).is_none();
    is_idle.then(|| usual_root(loaded))
}

/// That it has done so in vain: it answers by itself, until the folder is made, and for good if it is another one's.
pub(crate) fn missing_site(loaded: &Loaded) -> Option<Notice> {
    let root = root_by_itself(loaded).filter(|root| !root.is_dir())?;
    Some(events::no_site(&root.display().to_string(), in_the_way(&root)))
}

/// What stands in the place of a folder, where something does.
pub(crate) fn in_the_way(path: &Path) -> Option<&'static str> {
    let it = path.symlink_metadata().ok()?;
    match (path.is_dir(), it.is_symlink() && !path.exists()) {
        (true, _) => None,
        (false, true) => Some("a link that leads nowhere"),
        (false, false) => Some("no folder"),
    }
}

/// What is sent with 404 by a host without a program's app, if it is there.
const NOT_FOUND_PAGE: &str = "404.html";

/// Which key switches it on.
fn switched_on_by(
    configuration: &Configuration,
    (said, on): (Option<bool>, bool),
    browser: &Option<BrowserOptions>,
    root: &Origin,
) -> Option<(&'static str, Origin)> {
    let of = |key: &'static str| Some((key, configuration.setting(key)?.origin.clone()));
    match (said, on) {
        (Some(_), true) => of("StaticFiles:Enabled"),
        (None, true) => Some(("webroot", root.clone())),
        (_, false) if browser.is_some() => of("DirectoryBrowser:Enabled"),
        (_, false) if text(configuration, "NavigationFallback:Path").is_some() => {
            of("NavigationFallback:Path")
        }
        (_, false) => None,
    }
}

fn file_options(configuration: &Configuration, problems: &mut Vec<Problem>) -> FileOptions {
    let mut switch = |key: &str, otherwise: bool| {
        read_boolean(configuration, key, problems).unwrap_or(otherwise)
    };
    let unknown_types = switch("StaticFiles:ServeUnknownFileTypes", false);
    let redirects = switch("StaticFiles:RedirectToAppendTrailingSlash", true);
    let precompressed = switch("StaticFiles:Precompressed", false);
    let default_files = switch("DefaultFiles:Enabled", true);
    let words = "write Compress, DoNotCompress or Default";
    let kind = ("Microsoft.AspNetCore.Http.Features.HttpsCompressionMode", words);
    let https_compression =
        read(configuration, "StaticFiles:HttpsCompression", problems, kind, |text| {
            let is = |known: &HttpsCompression| known.name().eq_ignore_ascii_case(text.trim());
            HttpsCompression::ALL.into_iter().find(is)
        });
    FileOptions {
        request_path: request_path(configuration, "StaticFiles:RequestPath", problems),
        unknown_types,
        default_type: default_type(configuration, problems),
        default_files: if default_files { names(configuration) } else { Vec::new() },
        redirects,
        precompressed,
        https_compression: https_compression.unwrap_or(HttpsCompression::Compress),
        headers: header_rules(configuration, problems),
    }
}

fn browser(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<BrowserOptions> {
    let key = |name: &str| format!("DirectoryBrowser:{name}");
    let on = read_boolean(configuration, &key("Enabled"), problems).unwrap_or(false);
    let request_path = request_path(configuration, "DirectoryBrowser:RequestPath", problems);
    let redirects = read_boolean(configuration, &key("RedirectToAppendTrailingSlash"), problems);
    on.then_some(BrowserOptions { request_path, redirects: redirects.unwrap_or(true) })
}

/// A text that is not empty.
fn text(configuration: &Configuration, key: &str) -> Option<String> {
    configuration.non_empty(key).map(|text| text.value.to_owned())
}

/// A path below which something is served: empty for all, else with a slash before it and none behind.
fn request_path(configuration: &Configuration, key: &str, problems: &mut Vec<Problem>) -> String {
    let path = read_with(configuration, key, problems, |setting, text| {
        let text = text.trim();
        let rest = text.trim_matches('/');
        let written = if rest.is_empty() { String::new() } else { format!("/{rest}") };
        if text == written {
            return Ok(written);
        }
        Err(Problem::error(format!("'{}' is no request path.", shown(&setting.key, text)))
            .cause("A request path begins with a slash and has none at its end.")
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix("write it like /files; leave it empty to serve every path"))
    });
    path.unwrap_or_default()
}

fn default_type(configuration: &Configuration, problems: &mut Vec<Problem>) -> Option<HeaderValue> {
    configuration.non_empty("StaticFiles:DefaultContentType")?;
    read_with(configuration, "StaticFiles:DefaultContentType", problems, |setting, text| {
        let value = HeaderValue::from_str(text.trim()).ok().filter(|_| text.contains('/'));
        value.ok_or_else(|| {
            let shown = shown(&setting.key, text);
            Problem::error(format!("'{}' is no content type.", shown.escape_debug()))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("write a type such as application/octet-stream")
        })
    })
}

/// What folders are asked for.
fn names(configuration: &Configuration) -> Vec<String> {
    let listed = configuration.section("DefaultFiles:DefaultFileNames").children();
    let names: Vec<_> = listed.iter().filter_map(|it| it.setting()?.value.clone()).collect();
    match names.is_empty() {
        true => DEFAULT_FILES.map(str::to_owned).to_vec(),
        false => names,
    }
}

fn header_rules(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<HeaderRule> {
    let mut rules = Vec::new();
    for pattern in configuration.section("StaticFiles:Headers").children() {
        let mut headers = Vec::new();
        problems.extend(first_setting(&pattern).and_then(|it| other_pattern(pattern.name(), it)));
        for header in pattern.children() {
            let Some(setting) = header.setting() else { continue };
            let Some(value) = setting.value.as_deref() else { continue };
            let name = header_values::name(header.name(), To::Set, setting);
            let read = name.and_then(|name| Ok((name, header_values::value(value, setting)?)));
            match read {
                Ok(header) => headers.push(header),
                Err(problem) => problems.push(problem),
            }
        }
        rules.push(HeaderRule { pattern: pattern.name().to_owned(), headers });
    }
    rules
}

/// What is to be said of a pattern in which a sign stands that stands for something elsewhere. Here it stands for
/// itself, as it may in the name of a file.
fn other_pattern(pattern: &str, setting: &Setting) -> Option<Problem> {
    // Files are called `[slug].js`, but not `[a-z].js`.
    let is_class = |(_, rest): (&str, &str)| rest.chars().nth(1) == Some('-');
    let has_class = pattern.split_once('[').is_some_and(is_class);
    let is_sign = |it: &char| ['{', '?'].contains(it) || (has_class && *it == '[');
    let sign = pattern.chars().find(is_sign)?;
    let problem = Problem::warning(format!(
        "'{sign}' in the pattern '{pattern}' stands for itself: only * stands for any text."
    ))
    .cause("Files get the headers that are really called so.")
    .key(setting.key.clone())
    .origin(setting.origin.clone());
    let each = alternatives(pattern).map(|all| all.join(" and "));
    Some(problem.fix(match each {
        Some(each) => format!("write one entry for each: {each}"),
        None => "write one entry for each kind of name that is meant, such as *.css".to_owned(),
    }))
}

/// What a pattern with one list in braces is elsewhere: one for each member.
fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let (before, rest) = pattern.split_once('{')?;
    let (list, after) = rest.split_once('}')?;
    let is_plain = |text: &str| !text.contains(['{', '}', '[', '?']);
    let all = list.split(',').map(|member| format!("{before}{}{after}", member.trim()));
    ([before, list, after].into_iter().all(is_plain)).then(|| all.collect())
}

/// Settings of what is off.
fn tell_without_effect(loaded: &Loaded, said: Option<bool>, on: bool, problems: &mut Vec<Problem>) {
    let configuration = &loaded.configuration;
    problems.extend(without_switch(configuration, "DirectoryBrowser", &[]));
    if on || said.is_some() {
        return;
    }
    problems.extend(without_switch(configuration, "StaticFiles", &[]));
    let default_files = configuration.section("DefaultFiles");
    let asks = |section: &Section<'_>| first_setting(section).is_some_and(|it| it.value.is_some());
    if let Some(setting) = first_setting(&default_files).filter(|_| asks(&default_files))
        && setting.value.as_deref() != Some("false")
    {
        problems.push(
            Problem::warning(format!("'{}' has no effect: no files are served.", setting.key))
                .key(setting.key.clone())
                .origin(setting.origin.clone())
                .fix("set StaticFiles:Enabled to true"),
        );
    }
}

/// A folder that was named beside a program, which answers what there is.
fn not_served(root: &Sourced<PathBuf>) -> Problem {
    let shown = root.value.display();
    Problem::warning(format!("Nothing is served from {shown}: the program answers all requests."))
        .key("webroot")
        .origin(root.origin.clone())
        .fix("set StaticFiles:Enabled to true for files of that folder before the program, or remove webroot")
}

fn root_missing(configuration: &Configuration, root: &Path) -> Problem {
    let key = "StaticFiles:Enabled";
    let origin = configuration.setting(key).map_or(Origin::Default, |it| it.origin.clone());
    Problem::warning(format!(
        "The WebRootPath was not found: {}. Static files may be unavailable.",
        root.display()
    ))
    .key(key)
    .origin(origin)
    .fix("create the folder, or name another one: webroot")
}

/// What a reload says of a site whose folder was there before.
fn root_away(root: &Path) -> Problem {
    Problem::warning(format!(
        "The web root {} is not there: nothing is served from it.",
        root.display()
    ))
    .cause("It was there before: once it is back, it is served again.")
    .key("webroot")
    .origin(Origin::Default)
    .fix("put the folder back; or, if nothing is to be served, set StaticFiles:Enabled to false")
}

/// What is served, in words.
fn values(
    configuration: &Configuration,
    options: &StaticFilesOptions,
    root: Origin,
) -> Vec<Sourced<String>> {
    let mut values = vec![Sourced::new(format!("from {}", options.root.display()), root)];
    let mut say = |key: &str, text: String| values.push(of_key(configuration, key, text));
    let below = |path: &str| match path {
        "" => "at every path".to_owned(),
        path => format!("below {path}"),
    };
    if let Some(files) = &options.files {
        say("StaticFiles:RequestPath", format!("files {}", below(&files.request_path)));
        if !files.default_files.is_empty() {
            let names = files.default_files.join(", ");
            say("DefaultFiles:DefaultFileNames:0", format!("of a folder {names}"));
        }
        if files.unknown_types {
            let of_type = files.default_type.as_ref().and_then(|it| it.to_str().ok());
            let text = format!("files of unknown types as {}", of_type.unwrap_or("no type"));
            say("StaticFiles:ServeUnknownFileTypes", text);
        }
        if files.precompressed {
            say("StaticFiles:Precompressed", "siblings in .br, .zst, .gz".to_owned());
        }
        for rule in &files.headers {
            for (name, value) in &rule.headers {
                let key = format!("StaticFiles:Headers:{}:{name}", rule.pattern);
                let value = shown(&key, value.to_str().unwrap_or_default()).into_owned();
                say(&key, format!("for {} {name}: {value}", rule.pattern));
            }
        }
    }
    if let Some(browser) = &options.browser {
        let text = format!("pages of folders {}", below(&browser.request_path));
        say("DirectoryBrowser:Enabled", text);
    }
    if let Some(page) = &options.fallback {
        say("NavigationFallback:Path", format!("{page} for pages that nothing else has"));
    }
    if let Some(page) = &options.not_found_page {
        say("StaticFiles:NotFoundPage", format!("{page} with 404, if it is there"));
    }
    values
}
