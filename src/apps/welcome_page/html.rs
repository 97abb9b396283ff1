//! The answer for people: `page.html` with its `{{placeholders}}` filled.

use super::seen::Seen;

/// The page as it stands in the repository, style sheet included.
pub(super) const PAGE: &str = include_str!("page.html");

/// The facts as an HTML document.
pub(super) fn html(seen: &Seen) -> String {
    fill(PAGE, |name| match name {
        "version" => escape(&seen.version),
        "environment" => escape(&seen.environment),
        "addresses" => addresses(&seen.addresses),
        "request" => request(seen),
        "headers" => headers(&seen.headers),
        _ => String::new(),
    })
}

fn addresses(addresses: &[String]) -> String {
    if addresses.is_empty() {
        return "<li>no address yet</li>".to_owned();
    }
    let item = |address: &String| format!("<li><code>{}</code></li>", escape(address));
    addresses.iter().map(item).collect()
}

/// The facts about the request; what is not known has no row.
fn request(seen: &Seen) -> String {
    [
        ("Method", Some(&seen.method)),
        ("Target", Some(&seen.target)),
        ("Protocol", Some(&seen.protocol)),
        ("Scheme", seen.scheme.as_ref()),
        ("Host", seen.host.as_ref()),
        ("Remote address", seen.remote.as_ref()),
        ("Local address", seen.local.as_ref()),
        ("Connection", seen.connection.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(row(name, [value?])))
    .collect()
}

fn headers(headers: &[(String, Vec<String>)]) -> String {
    if headers.is_empty() {
        return row("(none)", [&String::new()]);
    }
    headers.iter().map(|(name, values)| row(name, values)).collect()
}

/// A name and its values as one group of a `dl`.
fn row<'a>(name: &str, values: impl IntoIterator<Item = &'a String>) -> String {
    let values: String = values
        .into_iter()
        // Long lists such as Accept had better break behind a comma than inside a word.
        .map(|value| format!("<dd>{}</dd>", escape(value).replace(',', ",<wbr>")))
        .collect();
    format!("<div><dt>{}</dt>{values}</div>\n", escape(name))
}

/// Puts a value in the place of each `{{name}}`. One pass over the template: a value that looks
/// like a placeholder stays what it is.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut page = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?)))
    {
        page.push_str(before);
        page.push_str(&value(name));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// Text as HTML, safe in an element and in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_of_the_page_has_a_value() {
        let mut names = Vec::new();
        for part in PAGE.split("{{").skip(1) {
            names.push(part.split("}}").next().unwrap_or_default());
        }
        names.sort_unstable();
        names.dedup();
        let known = ["addresses", "environment", "headers", "request", "version"];
        assert_eq!(names, known);
        assert!(!html(&Seen::default()).contains("{{"));
    }

    #[test]
    fn nothing_a_client_sends_becomes_markup() {
        let evil =
            "</dd><script>alert('1')</script><img src=x onerror=\"alert(1)\">&lt;{{headers}}";
        let seen = Seen {
            version: evil.to_owned(),
            environment: evil.to_owned(),
            addresses: vec![evil.to_owned()],
            method: evil.to_owned(),
            target: evil.to_owned(),
            protocol: evil.to_owned(),
            scheme: Some(evil.to_owned()),
            host: Some(evil.to_owned()),
            remote: Some(evil.to_owned()),
            local: Some(evil.to_owned()),
            connection: Some(evil.to_owned()),
            headers: vec![(evil.to_owned(), vec![evil.to_owned()])],
        };
        let page = html(&seen);
        assert!(!page.contains("<script") && !page.contains("<img"));
        let shown = "&lt;/dd&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&lt;img src=x \
                     onerror=&quot;alert(1)&quot;&gt;&amp;lt;{{headers}}";
        assert_eq!(page.matches(shown).count(), 13);
        // The only markup besides the page's own is that of the rows.
        assert_eq!(page.matches("</dd>").count(), 9);
    }

    #[test]
    fn a_value_is_filled_in_once() {
        for (template, page) in [
            ("a {{x}} b {{y}}", "a <x> b <y>"),
            ("{{x}}{{x}}", "<x><x>"),
            ("{{ {{x}}", "< {{x>"),
            ("open {{x", "open {{x"),
            ("}} closed", "}} closed"),
            ("", ""),
        ] {
            assert_eq!(fill(template, |name| format!("<{name}>")), page);
        }
    }

    #[test]
    fn a_row_has_all_values_of_its_name() {
        let values = ["a,b".to_owned(), "<".to_owned()];
        let expected = "<div><dt>x&amp;y</dt><dd>a,<wbr>b</dd><dd>&lt;</dd></div>\n";
        assert_eq!(row("x&y", &values), expected);
    }

    #[test]
    fn unknown_facts_have_no_row() {
        let page = html(&Seen::default());
        assert!(page.contains("<dt>Method</dt>"));
        assert!(!page.contains("<dt>Remote address</dt>"));
        assert!(page.contains("no address yet"));
    }
}
