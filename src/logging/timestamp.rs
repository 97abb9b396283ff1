//! .NET date format strings, rendered in the invariant culture.
//!
//! One letter is a standard format and stands for a longer one; anything else is a custom format, read letter by
//! letter. A moment always carries its offset, as the reference's loggers hand it over: `K` prints the offset even in
//! UTC, and `r` and `u` convert to UTC.
//! <https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings>

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, FixedOffset, Timelike as _};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Appends the moment to `out`. What the format language does not know is printed as it stands: a log line with an odd
/// time is of more use than none.
pub(super) fn render(format: &str, moment: &DateTime<FixedOffset>, out: &mut String) {
    let utc = || moment.to_utc().fixed_offset();
    match format {
        "r" | "R" => custom("ddd, dd MMM yyyy HH:mm:ss 'GMT'", &utc(), out),
        "u" => custom("yyyy-MM-dd HH:mm:ss'Z'", &utc(), out),
        _ => custom(standard(format).unwrap_or(format), moment, out),
    }
}

fn standard(format: &str) -> Option<&'static str> {
    Some(match format {
        "d" => "MM/dd/yyyy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yyyy HH:mm",
        "G" => "MM/dd/yyyy HH:mm:ss",
        "m" | "M" => "MMMM dd",
        "o" | "O" => "yyyy-MM-ddTHH:mm:ss.fffffffzzz",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "y" | "Y" => "yyyy MMMM",
        _ => return None,
    })
}

fn custom(format: &str, moment: &DateTime<FixedOffset>, out: &mut String) {
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '\'' | '"' => quoted(rest, letter, out),
            '\\' => match rest[1..].chars().next() {
                Some(escaped) => {
                    out.push(escaped);
                    1 + escaped.len_utf8()
                }
                None => 1,
            },
            // A mark that the next letter stands alone; it prints nothing itself.
            '%' => 1,
            _ => {
                let run = &rest[..rest.len() - rest.trim_start_matches(letter).len()];
                component(letter, run, moment, out);
                run.len()
            }
        };
        rest = &rest[length..];
    }
}

/// Prints what stands between quotes, in which a backslash still escapes; a missing second quote ends with the text.
fn quoted(text: &str, quote: char, out: &mut String) -> usize {
    let mut characters = text.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => out.extend(characters.next().map(|(_, escaped)| escaped)),
            _ if character == quote => return index + 1,
            _ => out.push(character),
        }
    }
    text.len()
}

fn component(letter: char, run: &str, moment: &DateTime<FixedOffset>, out: &mut String) {
    let count = run.len();
    let two = count.min(2);
    match letter {
        'y' => year(moment.year(), count, out),
        'M' => match count {
            1 | 2 => padded(moment.month(), two, out),
            3 => out.push_str(&MONTHS[moment.month0() as usize][..3]),
            _ => out.push_str(MONTHS[moment.month0() as usize]),
        },
        'd' => match (count, DAYS[moment.weekday().num_days_from_sunday() as usize]) {
            (1 | 2, _) => padded(moment.day(), two, out),
            (3, day) => out.push_str(&day[..3]),
            (_, day) => out.push_str(day),
        },
        'H' => padded(moment.hour(), two, out),
        'h' => padded(moment.hour12().1, two, out),
        'm' => padded(moment.minute(), two, out),
        's' => padded(moment.second(), two, out),
        'f' | 'F' if count <= 7 => fraction(letter, count, moment.nanosecond(), out),
        't' => out.push_str(&(if moment.hour() < 12 { "AM" } else { "PM" })[..two]),
        'z' => offset(moment.offset().local_minus_utc(), count, out),
        // Unlike the others, every single K stands for the whole.
        'K' => (0..count).for_each(|_| offset(moment.offset().local_minus_utc(), 3, out)),
        'g' => out.push_str("A.D."),
        _ => out.push_str(run),
    }
}

fn year(year: i32, count: usize, out: &mut String) {
    match count {
        1 | 2 => padded(year.rem_euclid(100).unsigned_abs(), count, out),
        _ => padded(year.unsigned_abs(), count, out),
    }
}

/// `f` prints every digit it is given; `F` leaves out zeros at the end, and the point before it when nothing remains.
fn fraction(letter: char, count: usize, nanosecond: u32, out: &mut String) {
    // A leap second counts beyond a thousand million in chrono.
    let digits = format!("{:09}", nanosecond % 1_000_000_000);
    let digits = &digits[..count];
    if letter == 'f' {
        out.push_str(digits);
        return;
    }
    let digits = digits.trim_end_matches('0');
    out.push_str(digits);
    if digits.is_empty() && out.ends_with('.') {
        out.pop();
    }
}

fn offset(seconds: i32, count: usize, out: &mut String) {
    out.push(if seconds < 0 { '-' } else { '+' });
    let minutes = seconds.unsigned_abs() / 60;
    padded(minutes / 60, count.min(2), out);
    if count >= 3 {
        out.push(':');
        padded(minutes % 60, 2, out);
    }
}

fn padded(number: u32, width: usize, out: &mut String) {
    write!(out, "{number:0width$}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_renders(moment: &str, table: &[(&str, &str)]) {
        let moment = DateTime::parse_from_rfc3339(moment).expect("a valid moment");
        for (format, expected) in table {
            let mut text = String::new();
            render(format, &moment, &mut text);
            assert_eq!(text, *expected, "{format}");
        }
    }

    #[test]
    fn custom_formats() {
        assert_renders(
            "2026-03-05T13:04:09.120450700+05:30",
            &[
                ("HH:mm:ss ", "13:04:09 "),
                ("yyyy-MM-dd HH:mm:ss ", "2026-03-05 13:04:09 "),
                ("[HH:mm] ", "[13:04] "),
                ("yyyy-MM-ddTHH:mm:ss.fffZ", "2026-03-05T13:04:09.120Z"),
                ("yyyyy yyyy yyy yy %y", "02026 2026 2026 26 26"),
                ("MMMM MMM MM %M", "March Mar 03 3"),
                ("dddd ddd dd %d", "Thursday Thu 05 5"),
                ("HH H hh h mm m ss %s", "13 13 01 1 04 4 09 9"),
                ("HHHH:mmmm", "13:04"),
                ("ff fffffff FF FFF FFFFFFF", "12 1204507 12 12 1204507"),
                ("ss.FFF", "09.12"),
                ("tt t", "PM P"),
                ("zzz zz z K", "+05:30 +05 +5 +05:30"),
                ("d/M", "5/3"),
                ("'at' H \"o'clock\"", "at 13 o'clock"),
                ("'it\\'s' \\H\\\\", "it's H\\"),
                ("'open", "open"),
                ("%h%h", "11"),
                ("gg", "A.D."),
                ("é H", "é 13"),
                ("", ""),
            ],
        );
    }

    #[test]
    fn zeros_midnight_and_negative_offsets() {
        assert_renders(
            "2026-12-31T00:00:00.000000900-03:00",
            &[
                ("hh tt", "12 AM"),
                ("ss.FFF|ss.fff|FFF", "00|00.000|"),
                ("ss.FFFFFFF", "00.0000009"),
                ("z zz zzz", "-3 -03 -03:00"),
                ("ffffffff", "ffffffff"),
            ],
        );
        assert_renders(
            "2009-01-01T00:00:00Z",
            &[("K zzz z", "+00:00 +00:00 +0"), ("%y", "9"), ("yy", "09")],
        );
    }

    #[test]
    fn standard_formats() {
        assert_renders(
            "2026-03-05T13:04:09.120450700+05:30",
            &[
                ("d", "03/05/2026"),
                ("D", "Thursday, 05 March 2026"),
                ("f", "Thursday, 05 March 2026 13:04"),
                ("F", "Thursday, 05 March 2026 13:04:09"),
                ("g", "03/05/2026 13:04"),
                ("G", "03/05/2026 13:04:09"),
                ("m", "March 05"),
                ("M", "March 05"),
                ("o", "2026-03-05T13:04:09.1204507+05:30"),
                ("O", "2026-03-05T13:04:09.1204507+05:30"),
                ("r", "Thu, 05 Mar 2026 07:34:09 GMT"),
                ("R", "Thu, 05 Mar 2026 07:34:09 GMT"),
                ("s", "2026-03-05T13:04:09"),
                ("t", "13:04"),
                ("T", "13:04:09"),
                ("u", "2026-03-05 07:34:09Z"),
                ("y", "2026 March"),
                ("Y", "2026 March"),
                ("x", "x"),
            ],
        );
    }
}
