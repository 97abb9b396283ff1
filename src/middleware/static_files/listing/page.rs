//! The page of a folder: one document without scripts, for eyes, keyboards and screen readers. Pure.

use std::fmt::Write as _;
use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::diagnostics::turns_text;

/// An entry as it is shown.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Row<'a> {
    pub(in super::super) name: &'a str,
    /// Of a file; a folder has none.
    pub(in super::super) length: Option<u64>,
    pub(in super::super) modified: Option<SystemTime>,
}

/// A folder as it is shown.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Page<'a> {
    /// The path below which everything is, escaped, without a slash at the end.
    pub(in super::super) base: &'a str,
    /// The path of the folder, decoded.
    pub(in super::super) path: &'a str,
    pub(in super::super) rows: &'a [Row<'a>],
    /// How many there are besides.
    pub(in super::super) more: usize,
    /// By which of the columns it is sorted, and whether the other way round.
    pub(in super::super) sorted: (usize, bool),
}

/// What the page may do in a browser: apply its style sheet, which is known by its SHA-256, and show an empty
/// icon, which keeps the browser from asking for one. It stands in the page: a header would stay if a program
/// puts another page in its place.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
    style-src 'sha256-3gN3UE5LgJnlDqgGsX6Tf0vELBlao9blBfFf8Mqhbtk='; img-src data:; base-uri 'none'; form-action 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1c1e21;--soft:#5a6068;--line:#d9dde2;--link:#0b57d0;--back:#fff;--row:#f3f5f8}\
@media(prefers-color-scheme:dark){:root{--text:#e6e8eb;--soft:#a3abb5;--line:#3a4048;--link:#8ab4f8;--back:#16181b;--row:#20242a}}\
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 3rem;font:1rem/1.5 system-ui,sans-serif;color:var(--text);background:var(--back)}\
h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}\
a{color:var(--link);text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}\
table{width:100%;border-collapse:collapse}\
th,td{padding:.35rem .5rem;text-align:left;border-bottom:1px solid var(--line)}\
th{font-weight:600;white-space:nowrap}td.name{overflow-wrap:anywhere}\
.length,.modified{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}\
tbody tr:hover{background:var(--row)}\
p{color:var(--soft)}\
@media(max-width:36rem){.modified{display:none}}";

/// The columns: what each is called, in the query and for people, and its class.
const COLUMNS: [(&str, &str, &str); 3] = [
    ("name", "Name", "name"),
    ("size", "Size", "length"),
    ("modified", "Last Modified", "modified"),
];

impl Page<'_> {
    /// The document.
    pub(in super::super) fn html(self) -> String {
        let title = escaped(self.path);
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{CONTENT_SECURITY_POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>Index of {title}</title>\n\
             <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>Index of {}</h1>\n",
            self.crumbs()
        );
        let _ = write!(
            html,
            "<table id=\"index\">\n<thead>\n<tr>{}</tr>\n</thead>\n<tbody>\n",
            self.head()
        );
        if !self.path.trim_matches('/').is_empty() {
            let up = self.up();
            let _ = writeln!(
                html,
                "<tr class=\"directory\"><td class=\"name\"><a href=\"{up}\">Parent folder</a></td>\
                 <td class=\"length\"></td><td class=\"modified\"></td></tr>"
            );
        }
        for row in self.rows {
            self.write_row(&mut html, row);
        }
        html.push_str("</tbody>\n</table>\n");
        match (self.more, self.rows.is_empty()) {
            (0, false) => {}
            (0, true) => html.push_str("<p>This folder is empty.</p>\n"),
            (more, _) => {
                let _ = writeln!(html, "<p>And {} more.</p>", grouped(more as u64));
            }
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
    }

    /// The way from the root to here, each part a link.
    fn crumbs(self) -> String {
        let mut href = format!("{}/", self.base);
        let mut crumbs = format!("<a href=\"{}\">/</a>", escaped(&href));
        for segment in self.path.split('/').filter(|segment| !segment.is_empty()) {
            let _ = write!(href, "{}/", in_url(segment));
            let _ = write!(
                crumbs,
                "<a href=\"{}\"><bdi>{}</bdi>/</a>",
                escaped(&href),
                escaped(segment)
            );
        }
        crumbs
    }

    /// The folder above.
    fn up(self) -> String {
        let segments: Vec<_> = self.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut href = format!("{}/", self.base);
        for segment in segments.iter().take(segments.len().saturating_sub(1)) {
            let _ = write!(href, "{}/", in_url(segment));
        }
        escaped(&href)
    }

    /// The heads of the columns, which sort.
    fn head(self) -> String {
        let (sorted, descending) = self.sorted;
        let mut head = String::new();
        for (place, (word, text, class)) in COLUMNS.into_iter().enumerate() {
            let is_sorted = place == sorted;
            let aria = match (is_sorted, descending) {
                (false, _) => "",
                (true, false) => " aria-sort=\"ascending\"",
                (true, true) => " aria-sort=\"descending\"",
            };
            let arrow = match (is_sorted, descending) {
                (false, _) => "",
                (true, false) => " <span aria-hidden=\"true\">\u{25b4}</span>",
                (true, true) => " <span aria-hidden=\"true\">\u{25be}</span>",
            };
            let turn = if is_sorted && !descending { "&amp;order=desc" } else { "" };
            let _ = write!(
                head,
                "<th scope=\"col\" class=\"{class}\"{aria}><a href=\"?sort={word}{turn}\">{text}</a>{arrow}</th>"
            );
        }
        head
    }

    fn write_row(self, html: &mut String, row: &Row<'_>) {
        let (class, slash) = if row.length.is_none() { ("directory", "/") } else { ("file", "") };
        let name = in_url(row.name).to_string();
        let href = match self.path.ends_with('/') {
            true => format!("./{name}{slash}"),
            // What is relative to a path without a slash is relative to what is above it.
            false => {
                let here: String = self.path.split('/').filter(|it| !it.is_empty()).fold(
                    String::new(),
                    |mut here, segment| {
                        let _ = write!(here, "/{}", in_url(segment));
                        here
                    },
                );
                format!("{}{here}/{name}{slash}", self.base)
            }
        };
        let length = row.length.map(grouped).unwrap_or_default();
        let modified = row.modified.map(time).unwrap_or_default();
        let _ = writeln!(
            html,
            "<tr class=\"{class}\"><td class=\"name\"><a href=\"{}\"><bdi>{}</bdi>{slash}</a></td>\
             <td class=\"length\">{length}</td><td class=\"modified\">{modified}</td></tr>",
            escaped(&href),
            escaped(row.name),
        );
    }
}

/// A time as people read it, and as programs do.
fn time(of: SystemTime) -> String {
    // `Tue, 14 Nov 2023 22:13:20 GMT`.
    let http = httpdate::fmt_http_date(of.max(SystemTime::UNIX_EPOCH));
    let parts: Vec<_> = http.split([' ', ',']).filter(|part| !part.is_empty()).collect();
    let [_, day, month, year, clock, _] = parts[..] else { return String::new() };
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = MONTHS.find(month).map_or(1, |at| at / 3 + 1);
    let date = format!("{year}-{month:02}-{day}");
    format!("<time datetime=\"{date}T{clock}Z\">{date} {} UTC</time>", &clock[..5])
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A segment as it stands in a URL.
fn in_url(segment: &str) -> percent_encoding::PercentEncode<'_> {
    const NOT_PLAIN: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(segment, NOT_PLAIN)
}

/// A text as it stands in a document, in an attribute too. What cannot be seen, or turns around how others are read
/// (`gpj.exe` as `exe.jpg`), is shown by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other if other.is_control() || turns_text(other) => {
                let _ = write!(escaped, "\\u{{{:04X}}}", u32::from(other));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn page(path: &str, rows: &[Row<'_>]) -> String {
        Page { base: "/base", path, rows, more: 0, sorted: (0, false) }.html()
    }

    fn row(name: &str) -> Row<'_> {
        let modified = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        Row { name, length: Some(1_234_567), modified }
    }

    #[test]
    fn names_are_escaped_as_text_and_in_links() {
        for (name, href, text) in [
            ("a b.txt", "./a%20b.txt", "a b.txt"),
            ("per%cent.txt", "./per%25cent.txt", "per%cent.txt"),
            ("ha#sh?.txt", "./ha%23sh%3F.txt", "ha#sh?.txt"),
            ("<b>\"'&lt;", "./%3Cb%3E%22%27%26lt%3B", "&lt;b&gt;&quot;&#39;&amp;lt;"),
            ("javascript:x", "./javascript%3Ax", "javascript:x"),
            ("ü", "./%C3%BC", "ü"),
            ("a\u{202e}gpj.exe", "./a%E2%80%AEgpj.exe", "a\\u{202E}gpj.exe"),
            ("a\n\u{85}\u{2067}b", "./a%0A%C2%85%E2%81%A7b", "a\\u{000A}\\u{0085}\\u{2067}b"),
        ] {
            let html = page("/a/", &[row(name)]);
            let link = format!("<a href=\"{href}\"><bdi>{text}</bdi></a>");
            assert!(html.contains(&link), "{name}: {html}");
        }
        assert!(page("/a/", &[row("x")]).contains(
            "<td class=\"length\">1,234,567</td><td class=\"modified\">\
             <time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13 UTC</time></td>"
        ));
    }

    #[test]
    fn links_lead_where_they_say_with_and_without_a_slash() {
        let folder = Row { name: "d", length: None, modified: None };
        assert!(page("/a b/c/", &[folder]).contains("<a href=\"./d/\"><bdi>d</bdi>/</a>"));
        let html = page("/a b/c", &[folder]);
        assert!(html.contains("<a href=\"/base/a%20b/c/d/\"><bdi>d</bdi>/</a>"), "{html}");
        assert!(html.contains("<a href=\"/base/\">/</a><a href=\"/base/a%20b/\"><bdi>a b</bdi>/</a><a href=\"/base/a%20b/c/\"><bdi>c</bdi>/</a>"));
        assert!(html.contains("<a href=\"/base/a%20b/\">Parent folder</a>"));
        assert!(!page("/", &[]).contains("Parent folder"));
        assert!(page("", &[folder]).contains("<a href=\"/base/d/\"><bdi>d</bdi>/</a>"));
    }

    #[test]
    fn the_columns_turn_their_order() {
        let head = Page { base: "", path: "/", rows: &[], more: 1234, sorted: (1, false) }.html();
        assert!(
            head.contains("aria-sort=\"ascending\"><a href=\"?sort=size&amp;order=desc\">Size</a>")
        );
        assert!(head.contains("<a href=\"?sort=name\">Name</a>"));
        assert!(head.contains("And 1,234 more."));
    }
}
