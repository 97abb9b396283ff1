//! How a template is written.

use super::constraint::Constraint;
use super::mistake::Mistake;
use super::segment::{Parameter, Part, Segment};

/// A template has as many segments at most, as ASP.NET Core's do.
const MOST_SEGMENTS: usize = 28;

/// What a template is read into.
#[derive(Default)]
struct Read {
    segments: Vec<Segment>,
    parameters: Vec<Parameter>,
}

/// A piece of a segment as it is written, braces taken off.
enum Piece {
    Literal(String),
    Parameter(String),
}

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<(Vec<Segment>, Vec<Parameter>), Mistake> {
    let inside = text.strip_prefix("~/").or_else(|| text.strip_prefix('/')).unwrap_or(text);
    if inside.starts_with('~') && inside.len() == text.len() {
        return Err(Mistake::new("a '~' stands before a '/' only", "write ~/, or / alone"));
    }
    let mut read = Read::default();
    let mut rest = inside;
    let mut was_rest = None;
    while !rest.is_empty() {
        if let Some(name) = was_rest {
            let what =
                format!("'{{**{name}}}' is the rest of the path: nothing can stand behind it");
            return Err(Mistake::new(what, "let it be the last segment"));
        }
        let (pieces, behind) = segment(rest)?;
        rest = behind.strip_prefix('/').unwrap_or(behind);
        if pieces.is_empty() {
            return Err(Mistake::new("there is nothing between two slashes", "write one slash"));
        }
        let segment = read.segment(pieces)?;
        if let Segment::CatchAll(parameter) = segment {
            was_rest = read.parameters.get(parameter).map(|it| it.name.clone());
        }
        read.segments.push(segment);
    }
    if read.segments.len() > MOST_SEGMENTS {
        let what = format!("it has more than {MOST_SEGMENTS} segments");
        return Err(Mistake::new(what, "let {**rest} stand for the last of them"));
    }
    Ok((read.segments, read.parameters))
}

/// The pieces of the first segment, and what stands behind it.
fn segment(text: &str) -> Result<(Vec<Piece>, &str), Mistake> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        match rest.chars().next() {
            None | Some('/') => return Ok((pieces, rest)),
            Some('{') if !rest.starts_with("{{") => {
                let (parameter, behind) = braces(&rest[1..])?;
                pieces.push(Piece::Parameter(parameter));
                rest = behind;
            }
            Some(_) => {
                let (literal, behind) = literal(rest)?;
                pieces.push(Piece::Literal(literal));
                rest = behind;
            }
        }
    }
}

/// A text up to a slash or a parameter.
fn literal(text: &str) -> Result<(String, &str), Mistake> {
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        match character {
            '/' => break,
            '{' if !rest.starts_with("{{") => break,
            '}' if !rest.starts_with("}}") => {
                return Err(Mistake::new(
                    "there is a '}' without its '{'",
                    "write it twice if it is to stand for itself: }}",
                ));
            }
            '{' | '}' => rest = &rest[1..],
            '?' => {
                return Err(Mistake::new(
                    "a '?' can be no part of a path",
                    "match the query by QueryParameters, and change it by QueryValueParameter",
                ));
            }
            _ => {}
        }
        literal.push(character);
        rest = &rest[character.len_utf8()..];
    }
    Ok((literal, rest))
}

/// What stands in braces, of which the first is gone, and what stands behind them.
fn braces(text: &str) -> Result<(String, &str), Mistake> {
    let mut inside = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        match character {
            '{' if !rest.starts_with("{{") => {
                let what = "in a parameter, '{' and '}' stand for themselves only if they are written twice";
                return Err(Mistake::new(
                    what,
                    "write {{ and }}, or close the parameter with a '}' before",
                ));
            }
            '}' if !rest.starts_with("}}") => return Ok((inside, &rest[1..])),
            '{' | '}' => rest = &rest[1..],
            _ => {}
        }
        inside.push(character);
        rest = &rest[character.len_utf8()..];
    }
    Err(Mistake::new("there is a '{' without its '}'", "close the parameter: {name}"))
}

impl Read {
    fn segment(&mut self, pieces: Vec<Piece>) -> Result<Segment, Mistake> {
        let number = pieces.len();
        let mut parts: Vec<Part> = Vec::new();
        for (place, piece) in pieces.into_iter().enumerate() {
            let text = match piece {
                Piece::Literal(text) => {
                    parts.push(Part::Literal(text));
                    continue;
                }
                Piece::Parameter(text) => text,
            };
            let (parameter, is_rest) = parameter(&text)?;
            if self.parameters.iter().any(|it| it.name.eq_ignore_ascii_case(&parameter.name)) {
                let what = format!("there are two parameters '{}'", parameter.name);
                return Err(Mistake::new(what, "give each a name of its own"));
            }
            let name = parameter.name.clone();
            if number > 1 {
                let behind = place + 1 < number;
                in_company(&parameter, (is_rest, behind), &mut parts)?;
            }
            let index = self.parameters.len();
            self.parameters.push(parameter);
            match (is_rest, number) {
                (true, 1) => return Ok(Segment::CatchAll(index)),
                (true, _) => {
                    let what =
                        format!("'{{**{name}}}' is the rest of the path, and no part of a segment");
                    return Err(Mistake::new(what, "let it stand alone between slashes"));
                }
                (false, 1) => return Ok(Segment::Parameter(index)),
                (false, _) => parts.push(Part::Parameter(index)),
            }
        }
        Ok(match <[Part; 1]>::try_from(parts) {
            Ok([Part::Literal(text)]) => Segment::Literal(text),
            Ok([part]) => Segment::Parts(vec![part]),
            Err(parts) => Segment::Parts(parts),
        })
    }
}

/// Judges a parameter that has something beside it in its segment.
fn in_company(
    parameter: &Parameter,
    (is_rest, has_more_behind): (bool, bool),
    before: &mut [Part],
) -> Result<(), Mistake> {
    let name = &parameter.name;
    if is_rest {
        // Told of the segment.
        return Ok(());
    }
    if matches!(before.last(), Some(Part::Parameter(_))) {
        let what = format!("nothing stands between '{{{name}}}' and the parameter before it");
        return Err(Mistake::new(what, "write a text between them, such as {a}-{b}, or a slash"));
    }
    if !parameter.is_optional {
        return Ok(());
    }
    let dot = before.last_mut().filter(|_| !has_more_behind);
    match dot {
        Some(dot @ Part::Literal(_)) if *dot == Part::Literal(".".to_owned()) => {
            *dot = Part::Dot;
            Ok(())
        }
        _ => {
            let what = format!("'{{{name}?}}' is optional in the middle of a segment");
            Err(Mistake::new(what, "let it stand at the end behind a dot: {name}.{extension?}"))
        }
    }
}

/// Reads what stands in the braces of a parameter; and whether it is the rest of a path.
fn parameter(text: &str) -> Result<(Parameter, bool), Mistake> {
    let (rest, stars) = match text.strip_prefix("**") {
        Some(rest) => (rest, 2),
        None => text.strip_prefix('*').map_or((text, 0), |rest| (rest, 1)),
    };
    let (rest, is_optional) = match rest.strip_suffix('?') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    // A name may begin with what would end it.
    let end = rest.char_indices().skip(1).find(|(_, it)| matches!(it, ':' | '='));
    let (name, behind) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
    if name.is_empty() || name.contains(['/', '{', '}', '?', '*']) {
        let what = format!("'{name}' can be no name of a parameter");
        return Err(Mistake::new(what, "write a name of letters and digits: {id}"));
    }
    let (constraints, default) = constraints(behind);
    if is_optional && stars > 0 {
        let what = format!("'{{{text}}}' is the rest of the path, which may be empty anyhow");
        return Err(Mistake::new(what, "remove its '?'"));
    }
    if is_optional && default.is_some() {
        let what = format!("'{{{text}}}' has a default: it is always there");
        return Err(Mistake::new(what, "remove the '?', or what stands behind '='"));
    }
    let read = constraints.into_iter().map(|it| {
        Constraint::parse(it)
            .map_err(|it| Mistake { what: format!("of the parameter '{name}', {}", it.what), ..it })
    });
    let parameter = Parameter {
        name: name.to_owned(),
        is_optional,
        keeps_slashes: stars == 2,
        default: default.map(str::to_owned),
        constraints: read.collect::<Result<_, _>>()?,
    };
    Ok((parameter, stars > 0))
}

/// The constraints behind a name, each behind a colon, and the default behind `=`. What stands in parentheses
/// may have both in it.
fn constraints(text: &str) -> (Vec<&str>, Option<&str>) {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(behind) = rest.strip_prefix(':') {
        let end = end_of_constraint(behind);
        found.push(&behind[..end]);
        rest = &behind[end..];
    }
    (found, rest.strip_prefix('='))
}

/// Where a constraint ends: at a colon or `=`, behind the parentheses if there are some.
fn end_of_constraint(text: &str) -> usize {
    let is_end = |it: char| matches!(it, ':' | '=');
    let first = text.find(is_end).unwrap_or(text.len());
    if text.find('(').is_none_or(|open| open > first) {
        return first;
    }
    let closed = text.match_indices(')').map(|(at, _)| at + 1);
    let mut closed = closed.filter(|at| text[*at..].is_empty() || text[*at..].starts_with(is_end));
    closed.next().unwrap_or(first)
}
