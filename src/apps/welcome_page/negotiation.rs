//! HTML or JSON: content negotiation by the `Accept` header (RFC 9110 section 12.5.1).

/// Whether the client would rather have `text/html` than `application/json`.
///
/// The weights decide. Where they are equal, the type that is named more exactly wins, so
/// `application/json, */*` asks for JSON and `text/html, */*` for HTML. All else is JSON: an empty
/// `accept`, `*/*`, and a list without either.
pub(super) fn wants_html(accept: &str) -> bool {
    preference(accept, "text", "html") > preference(accept, "application", "json")
}

/// The weight of a media type in thousandths, and how exactly the list names it. Parameters other
/// than the weight are overlooked: a client that asks for `application/json;indent=2` is better
/// off with plain JSON than with HTML.
fn preference(accept: &str, kind: &str, subtype: &str) -> (u16, Exactness) {
    split(accept, ',')
        .filter_map(Range::parse)
        .filter_map(|range| Some((range.matches(kind, subtype)?, range.weight)))
        // The most exact range counts, whatever the others say.
        .max()
        .filter(|(_, weight)| *weight > 0)
        .map_or((0, Exactness::Any), |(exactness, weight)| (weight, exactness))
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    Any,
    Kind,
    Full,
}

/// One element of the list, such as `text/*;q=0.5`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    /// `None` for an element that breaks the grammar; the rest of the list still counts.
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = split(element, ';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1000), |(_, value)| weight(value.trim()))?;
        Some(Self { kind, subtype, weight })
    }

    fn matches(&self, kind: &str, subtype: &str) -> Option<Exactness> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(Exactness::Any),
            (own, "*") if own.eq_ignore_ascii_case(kind) => Some(Exactness::Kind),
            (own, part) if own.eq_ignore_ascii_case(kind) && part.eq_ignore_ascii_case(subtype) => {
                Some(Exactness::Full)
            }
            _ => None,
        }
    }
}

/// A `qvalue` (RFC 9110 section 12.4.2) in thousandths: `0` or `1` with at most three decimals.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Splits at a separator that is not inside a quoted string.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return !quoted && character == separator,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_goes_to_those_who_prefer_it() {
        for (accept, html) in [
            // Chrome, Firefox, Safari; Internet Explorer's list has no weights at all.
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
                 image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
                true,
            ),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
                 image/png,image/svg+xml,*/*;q=0.8",
                true,
            ),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html, application/xhtml+xml, image/jxr, */*", true),
            // curl and most libraries, axios, fetch for an image, no header.
            ("*/*", false),
            ("application/json, text/plain, */*", false),
            ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", false),
            ("", false),
            // Java's URLConnection, with two elements that break the grammar.
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true),
            // Weights.
            ("text/html", true),
            ("application/json", false),
            ("text/html,application/json", false),
            ("text/html;q=0.9,application/json;q=0.8", true),
            ("text/html;q=0.8,application/json;q=0.9", false),
            ("text/html;q=0.001", true),
            ("text/html;q=0.801, application/json;q=0.8", true),
            ("text/html;q=1.000, application/json;q=0.999", true),
            ("text/html;q=0.", false),
            ("text/html;q=0", false),
            ("text/html;q=0.000, */*", false),
            ("application/json;q=0, */*", true),
            ("application/json;q=0", false),
            ("*/*;q=0", false),
            // Ranges: the most exact one counts, in whatever order.
            ("text/*", true),
            ("text/*;q=0.5, application/*;q=0.4", true),
            ("text/*;q=1, text/html;q=0.1, application/json;q=0.2", false),
            ("*/*;q=1, application/*;q=0.1", true),
            ("image/png", false),
            ("text/html;q=0.2, text/html;q=0.9, */*;q=0.5", true),
            // Case, blanks, empty elements, parameters.
            (" TEXT/Html ; Q=0.9 ,, application/JSON;q=0.8", true),
            ("text/html\t;\tq=0.9\t", true),
            ("text/html;level=1", true),
            ("application/json;odata=verbose", false),
            ("text/html;note=\"a,b;q=0\\\",c\";q=0.5", true),
            ("text/html;note=\"a, application/json;q=1\";q=0.5", true),
            // What breaks the grammar is left out.
            ("text/html;q=high", false),
            ("text/html;q=1.5", false),
            ("text/html;q=1.001", false),
            ("text/html;q=-1", false),
            ("text/html;q=+0", false),
            ("text/html;q=0.1234", false),
            ("text/html;q=.5", false),
            ("text/html;q=", false),
            ("text/html;q=\u{0663}", false),
            ("text", false),
            ("/", false),
            ("*", false),
            ("*/html", false),
            ("text/html/5", false),
            ("\"text/html", false),
            ("text/html;q=2, text/*", true),
            (",;=\"\\", false),
        ] {
            assert_eq!(wants_html(accept), html, "Accept: {accept}");
        }
    }
}
