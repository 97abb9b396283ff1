//! Dates and times as .NET's `DateTime.TryParse` takes them in the invariant culture; its rarer forms are left out.

/// Whether `text` names a day, a time, or both.
pub(super) fn is_moment(text: &str) -> bool {
    let text = text.trim();
    if text.len() > 64 {
        return false;
    }
    is_both(text) || is_date(text) || is_time(text)
}

/// A date, a blank or a `T`, and a time.
fn is_both(text: &str) -> bool {
    let places = text.char_indices().filter(|(_, it)| matches!(it, 'T' | 't' | ' '));
    places.into_iter().any(|(at, between)| {
        is_date(text[..at].trim_end()) && is_time(text[at + between.len_utf8()..].trim_start())
    })
}

/// `2026-11-20`, `11/20/2026`, `20 Nov 2026`, `Fri, 20 November 2026`, `Nov 20, 2026`, `2026-11`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> =
        text.split([' ', '-', '/', '.', ',']).filter(|part| !part.is_empty()).collect();
    let parts = match parts.split_first() {
        Some((first, rest)) if is_any_of(first, &DAYS) && !rest.is_empty() => rest,
        _ => &parts[..],
    };
    let month = |text: &str| (1..=12).find(|number| is_any_of(text, &[MONTHS[number - 1]]));
    match parts {
        [year, middle, day] if year.len() == 4 && number(year).is_some() => {
            is_day(number(year), month(middle).or_else(|| number(middle)), number(day))
        }
        [day, middle, year] if month(middle).is_some() => {
            is_day(full_year(year), month(middle), number(day))
        }
        [middle, day, year] => {
            is_day(full_year(year), month(middle).or_else(|| number(middle)), number(day))
        }
        // A day of this year, or the first of a month.
        [first, second] if first.len() == 4 && number(first).is_some() => {
            is_day(number(first), month(second).or_else(|| number(second)), Some(1))
        }
        [first, second] if second.len() == 4 && number(second).is_some() => {
            is_day(number(second), month(first).or_else(|| number(first)), Some(1))
        }
        [first, second] => {
            // A leap year: which one it is now is not asked.
            is_day(Some(2024), month(first).or_else(|| number(first)), number(second))
                || is_day(Some(2024), month(second), number(first))
        }
        _ => false,
    }
}

/// `10:15`, `10:15:30.5`, `10:15 PM`, `10:15Z`, `10:15+02:00`.
fn is_time(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let text = upper.strip_suffix('Z').or_else(|| upper.strip_suffix(" GMT")).unwrap_or(&upper);
    let (text, is_right) = match text.rfind(['+', '-']) {
        Some(at) => (&text[..at], is_offset(&text[at + 1..])),
        None => (text, true),
    };
    let text = text.trim_end();
    let half = text.strip_suffix("AM").or_else(|| text.strip_suffix("PM"));
    let last = if half.is_some() { 12 } else { 23 };
    let parts: Vec<&str> = half.unwrap_or(text).trim_end().split(':').collect();
    let below = |text: &str, last| number(text).is_some_and(|it| text.len() <= 2 && it <= last);
    let is_second = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = !fraction.is_empty() && fraction.bytes().all(|it| it.is_ascii_digit());
        below(whole, 59) && digits
    };
    is_right
        && match *parts {
            [hour] => half.is_some() && below(hour, last),
            [hour, minute] => below(hour, last) && below(minute, 59),
            [hour, minute, second] => below(hour, last) && below(minute, 59) && is_second(second),
            _ => false,
        }
}

fn is_offset(text: &str) -> bool {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    number(hours).is_some_and(|it| it <= 14) && number(minutes).is_some_and(|it| it <= 59)
}

fn is_day(year: Option<usize>, month: Option<usize>, day: Option<usize>) -> bool {
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=9999).contains(&year) && (1..=last).contains(&day)
}

/// Two digits are a year of about now.
fn full_year(text: &str) -> Option<usize> {
    let year = number(text)?;
    Some(if text.len() <= 2 { 2000 + year } else { year })
}

fn number(text: &str) -> Option<usize> {
    let is_one = (1..=4).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    is_one.then(|| text.parse().ok()).flatten()
}

fn is_any_of(text: &str, names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(&name[..3]))
}

const DAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_known_by_their_usual_forms() {
        for text in [
            "2026-11-20",
            "2026/11/20",
            "11/20/2026",
            "11-20-2026",
            "1.2.26",
            "20 Nov 2026",
            "Nov 20, 2026",
            "Fri, 20 Nov 2026 10:15:30 GMT",
            "2026-11-20T10:15:30Z",
            "2026-11-20T10:15:30.1234567+02:00",
            "2026-11-20 10:15",
            "10:15",
            "10:15:30.5",
            "10:15 PM",
            "2026-11",
            "11/20",
            "2024-02-29",
        ] {
            assert!(is_moment(text), "{text}");
        }
        for text in [
            "",
            "x",
            "5",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "20/11/2026",
            "24:00",
            "10:60",
            "2026-11-20T",
            "2026-11-20T25:00",
            "a-b-c",
            "\u{e9}\u{e9}",
        ] {
            assert!(!is_moment(text), "{text}");
        }
    }
}
