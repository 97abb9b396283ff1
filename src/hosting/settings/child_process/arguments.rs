//! `Arguments`: a list, or one text that is taken apart as a shell does.

use super::section::ARGUMENTS;
use crate::configuration::{Configuration, Origin, Problem, Section, Setting};

/// An argument, and where it was written.
pub(super) struct Argument {
    pub(super) text: String,
    pub(super) key: String,
    pub(super) origin: Origin,
}

/// Reads the arguments. Of a text and a list, the one that was said more strongly counts.
pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<Argument> {
    let section = configuration.section(ARGUMENTS);
    let listed = section.children();
    problems.extend(listed.iter().filter_map(nested));
    let listed: Vec<_> = listed.iter().filter_map(Section::setting).collect();
    let strongest = listed.iter().map(|it| it.layer).max();
    let text = section.setting().filter(|it| it.value.is_some());
    let text = text.filter(|it| strongest.is_none_or(|layer| it.layer >= layer));
    let read = match text {
        None => listed.into_iter().filter_map(|it| argument(it, it.value.clone()?)).collect(),
        Some(setting) => match split(setting.value.as_deref().unwrap_or_default()) {
            Ok(texts) => texts.into_iter().filter_map(|text| argument(setting, text)).collect(),
            Err(unclosed) => {
                problems.push(unclosed.problem(setting));
                Vec::new()
            }
        },
    };
    problems.extend(read.iter().find_map(of_shell));
    problems.extend(read.iter().find_map(without_braces));
    let hold_nothing = |it: &&Argument| it.text.contains('\0');
    problems.extend(read.iter().filter(hold_nothing).map(|it: &Argument| {
        Problem::error("An argument has a character in it that ends texts: NUL.")
            .key(it.key.clone())
            .origin(it.origin.clone())
            .fix("leave it out: no program can be given it")
    }));
    read
}

/// Words that mean something to a shell alone.
pub(super) const OF_SHELLS: &[&str] = &["&&", "||", "|", "&", ";", ">", ">>", "<", "2>&1"];

fn of_shell(it: &Argument) -> Option<Problem> {
    OF_SHELLS.contains(&it.text.as_str()).then(|| {
        Problem::warning(format!(
            "'{}' is handed over as it is: no shell reads the arguments.",
            it.text
        ))
        .key(it.key.clone())
        .origin(it.origin.clone())
        .fix("run a shell if one is meant: sh -c 'exec app --port {port}'")
    })
}

fn without_braces(it: &Argument) -> Option<Problem> {
    ["port", "socket", "url"].contains(&it.text.as_str()).then(|| {
        Problem::warning(format!("Nothing stands for '{}': it is handed over as it is.", it.text))
            .key(it.key.clone())
            .origin(it.origin.clone())
            .fix(format!("did you mean {{{}}}?", it.text))
    })
}

/// Something in the list that is no text.
fn nested(listed: &Section<'_>) -> Option<Problem> {
    let children = listed.children();
    let setting = children.first()?.first_setting()?;
    let place = setting.key.rsplit_once(':').map_or(&*setting.key, |(above, _)| above);
    Some(
        Problem::error(format!("'{place}' is a list or a section, and no argument."))
            .key(place)
            .origin(setting.origin.clone())
            .fix("write each argument as a text of its own: \"Arguments\": [\"app.py\", \"--port\", \"{port}\"]"),
    )
}

#[expect(clippy::unnecessary_wraps, reason = "callers filter by it")]
fn argument(setting: &Setting, text: String) -> Option<Argument> {
    Some(Argument { text, key: setting.key.clone(), origin: setting.origin.clone() })
}

/// A quote that nothing closes.
#[derive(Debug, PartialEq)]
struct Unclosed {
    quote: char,
    /// At which character, the first being 1.
    at: usize,
}

impl Unclosed {
    fn problem(&self, setting: &Setting) -> Problem {
        let Self { quote, at } = self;
        Problem::error(format!(
            "Nothing closes the {quote} at character {at} of '{}'.",
            setting.key
        ))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(format!(
            "close it, or write the arguments as a list: \"Arguments\": [\"{}\"]",
            "app.py\", \"--port\", \"{port}"
        ))
    }
}

/// Takes a text apart at blanks. What stands in quotes belongs together; in double ones a backslash lets a quote, or
/// another backslash, stand for itself, and anywhere else it is a character like all others, as in paths of Windows.
fn split(text: &str) -> Result<Vec<String>, Unclosed> {
    let mut parts = Vec::new();
    let mut part: Option<String> = None;
    let mut characters = text.chars().enumerate().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            quote @ ('"' | '\'') => {
                let part = part.get_or_insert_default();
                loop {
                    let Some((_, inside)) = characters.next() else {
                        return Err(Unclosed { quote, at: at + 1 });
                    };
                    let next = characters.peek().map(|(_, next)| *next);
                    match (inside, next) {
                        (inside, _) if inside == quote => break,
                        ('\\', Some(next @ ('"' | '\\'))) if quote == '"' => {
                            part.push(next);
                            characters.next();
                        }
                        _ => part.push(inside),
                    }
                }
            }
            blank if blank.is_whitespace() => parts.extend(part.take()),
            other => part.get_or_insert_default().push(other),
        }
    }
    parts.extend(part);
    Ok(parts)
}

/// Arguments as one text that is taken apart into them.
pub(crate) fn quoted<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = arguments.into_iter().map(|argument| {
        let escaped = argument.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_taken_apart_as_a_shell_does() {
        for (text, parts) in [
            ("", &[][..]),
            ("  \t ", &[]),
            ("app.py --port {port}", &["app.py", "--port", "{port}"]),
            (r#"-c "print('a b')" ''"#, &["-c", "print('a b')", ""]),
            (r#"a"b c"d'e f'"#, &["ab cde f"]),
            (r#""say \"it\" \\ \n""#, &[r#"say "it" \ \n"#]),
            (r#"'a\"b' .\App.dll \\srv\x"#, &[r#"a\"b"#, r".\App.dll", r"\\srv\x"]),
            ("it\u{a0}is", &["it", "is"]),
        ] {
            assert_eq!(split(text).unwrap(), parts, "{text}");
        }
        for (text, quote, at) in [("a \"b", '"', 3), ("'", '\'', 1), (r#"é "a\""#, '"', 3)] {
            assert_eq!(split(text), Err(Unclosed { quote, at }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_out_as_it_was(arguments in proptest::collection::vec("\\PC*|[\"'\\\\ a]{0,6}", 0..5)) {
            let text = quoted(arguments.iter().map(String::as_str));
            prop_assert_eq!(split(&text), Ok(arguments));
        }

        #[test]
        fn no_text_is_a_surprise(text in "\\PC*") {
            let _ = split(&text);
        }
    }
}
