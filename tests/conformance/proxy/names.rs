//! The names that stand for ports, folders, dates and ids: filled in before a case is played, put
//! in their places afterwards.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{fs, io};

use regex_lite::{Captures, Regex};
use serde_json::Value;

use super::ports;
use super::text::{any_text, map_texts};
use crate::test_data;

/// What the names of a case stand for.
pub(super) struct Names {
    /// The addresses of the destinations, and their ports.
    upstreams: Vec<(String, u16)>,
    /// The proxy's port, known once it listens. Zero before, which lets the system choose it.
    proxy: u16,
    /// A port that nobody listens on, and what holds it so that it stays so.
    free: u16,
    _held: socket2::Socket,
    folder: PathBuf,
    /// The ports of the clients.
    clients: Mutex<BTreeSet<u16>>,
}

impl Names {
    /// # Errors
    /// When the system has no port for nobody.
    pub(super) fn new(upstreams: Vec<(String, u16)>, folder: PathBuf) -> io::Result<Self> {
        let held = ports::held()?;
        let free = ports::address(&held)?.port();
        Ok(Self { upstreams, proxy: 0, free, _held: held, folder, clients: Mutex::default() })
    }

    pub(super) fn proxy_listens(&mut self, port: u16) {
        self.proxy = port;
    }

    pub(super) fn proxy(&self) -> u16 {
        self.proxy
    }

    /// Takes note of a client's port.
    pub(super) fn client(&self, port: u16) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
    }

    /// A text with what its names stand for.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (at, (base, port)) in self.upstreams.iter().enumerate() {
            let name = format!("up{}", at + 1);
            text = text.replace(&format!("{{{name}}}"), base);
            text = text.replace(&format!("{{{name}.port}}"), &port.to_string());
        }
        text.replace("{proxy.port}", &self.proxy.to_string())
            .replace("{free.port}", &self.free.to_string())
            .replace("{ca}", &test_data::file("ca.pem").display().to_string())
            .replace("{dir}", &self.folder.display().to_string())
    }

    /// What was seen in a case, with names for what is another at each run.
    pub(super) fn hide(&self, seen: &Value, case: &Value) -> Value {
        let asked = case["requests"].to_string();
        let certificate = fs::read_to_string(test_data::file("client.pem")).unwrap_or_default();
        let certificate: String =
            certificate.lines().filter(|line| !line.starts_with("-----")).collect();
        let forwarded = any_text(seen, &|text| text.starts_with("Forwarded"));
        map_texts(seen, &|text| {
            let mut text = self.without_ports(text);
            text = text.replace(&self.folder.display().to_string(), "{dir}");
            text = without_ids(&text, &asked);
            if !certificate.is_empty() {
                text = text.replace(&certificate, "{client.cert}");
            }
            if forwarded { without_random_node(&text) } else { text }
        })
    }

    fn without_ports(&self, text: &str) -> String {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let alone = |before, after| !word(before) && !word(after);
        let own = [(self.proxy, "{proxy.port}".to_owned()), (self.free, "{free.port}".to_owned())];
        let upstreams = self.upstreams.iter().enumerate();
        let ports = upstreams.map(|(at, (_, port))| (*port, format!("{{up{}.port}}", at + 1)));
        // One that never listened has no port.
        let ports = ports.chain(own).filter(|(port, _)| *port != 0);
        let text = ports.fold(text.to_owned(), |text, (port, name)| {
            replaced(&text, &port.to_string(), &name, &alone)
        });
        let of_address = |before: Option<char>, after: Option<char>| {
            matches!(before, Some(':' | ']')) && !after.is_some_and(|c| c.is_ascii_digit())
        };
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().fold(text, |text, port| {
            replaced(&text, &port.to_string(), "{client.port}", &of_address)
        })
    }
}

/// A text with `name` in the place of `old`, where what stands around it fits.
fn replaced(
    text: &str,
    old: &str,
    name: &str,
    fits: &dyn Fn(Option<char>, Option<char>) -> bool,
) -> String {
    let mut all = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(old) {
        let (before, after) = (&text[..at], &text[at + old.len()..]);
        if fits(before.chars().next_back(), after.chars().next()) {
            all.push_str(&text[done..at]);
            all.push_str(name);
            done = at + old.len();
        }
    }
    all + &text[done..]
}

/// A pattern that is compiled once.
macro_rules! pattern {
    ($pattern:literal) => {{
        static PATTERN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a pattern of ours"));
        &*PATTERN
    }};
}

/// A text without dates, traces and what is drawn by lot. What the requests (`asked`) said stays.
fn without_ids(text: &str, asked: &str) -> String {
    let trace = pattern!("(?i)(traceparent: 00-)([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})");
    let text = trace.replace_all(text, |found: &Captures<'_>| {
        let id = if asked.contains(&found[2]) { &found[2] } else { "{trace}" };
        format!("{}{id}-{{span}}-{}", &found[1], &found[3])
    });
    let date =
        pattern!(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} 20(2[6-9]|3\d) \d\d:\d\d:\d\d GMT");
    let text = date.replace_all(&text, "{date}");
    let key = pattern!(r"(Sec-WebSocket-Key: )([\w+/]{22}==)");
    let text = key.replace_all(&text, |found: &Captures<'_>| {
        let key = if asked.contains(&found[2]) { &found[2] } else { "{random}" };
        format!("{}{key}", &found[1])
    });
    pattern!("CfDJ8([A-Za-z0-9_/+-]|%2[BF]|%3D)+=*").replace_all(&text, "{encrypted}").into_owned()
}

/// The length of a name that is drawn by lot, with the line before it.
const NODE: usize = 10;

/// A text without the names that `Forwarded` has for who does not want to be known.
fn without_random_node(text: &str) -> String {
    let node = pattern!(r#"([=:"])(_[A-Za-z0-9._-]{9,})"#);
    let text = node.replace_all(text, |found: &Captures<'_>| {
        let name = if found[2].len() == NODE { "{random}" } else { &found[2] };
        format!("{}{name}", &found[1])
    });
    text.into_owned()
}

/// The harness's test of this file.
pub(super) fn check() {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let alone = |before, after| !word(before) && !word(after);
    assert_eq!(replaced("a:80/80x 80,80", "80", "{p}", &alone), "a:{p}/80x {p},{p}");
    let id = "0123456789abcdef0123456789abcdef";
    let line = format!("traceparent: 00-{id}-0123456789abcdef-01");
    assert_eq!(without_ids(&line, ""), "traceparent: 00-{trace}-{span}-01");
    assert_eq!(without_ids(&line, id), format!("traceparent: 00-{id}-{{span}}-01"));
    assert_eq!(without_ids("Mon, 30 Nov 2026 05:41:03 GMT", ""), "{date}");
    let cookie = "a=CfDJ8x%2Fy_-==; path=/";
    assert_eq!(without_ids(cookie, ""), "a={encrypted}; path=/");
    let line = "Forwarded: for=_abcdefghi;by=\"_abc.-_xyz:_abcdefghi\"";
    assert_eq!(without_random_node(line), "Forwarded: for={random};by=\"{random}:{random}\"");
    assert_eq!(without_random_node("for=_abcdefghij"), "for=_abcdefghij");
}
