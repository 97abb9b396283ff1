//! Templates of paths, such as `/api/{id:int}/{**rest}`.
//!
//! A template is read once; then it tells whether a decoded path is like it, and what its parameters
//! are there. The rules are those of ASP.NET Core's routing.

use super::mistake::Mistake;
use super::segment::{Parameter, Part, Segment};
use super::template_text;

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    text: String,
    pub(super) segments: Vec<Segment>,
    /// In the order in which they stand there.
    pub(super) parameters: Vec<Parameter>,
}

/// The values of a route's parameters, in the order of its template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RouteValues<'a>(pub(super) Vec<Option<&'a str>>);

impl<'a> RouteValues<'a> {
    /// That of the parameter in this place.
    pub(crate) fn get(&self, parameter: Option<usize>) -> Option<&'a str> {
        self.0.get(parameter?).copied().flatten()
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let (segments, parameters) = template_text::parse(text)?;
        Ok(Self { text: text.to_owned(), segments, parameters })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The place of the parameter with this name, in any case.
    pub(crate) fn parameter(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// The names of its parameters.
    pub(crate) fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|it| it.name.as_str())
    }

    /// What it stands behind: of two templates that a path is like, the lower one counts. A number for
    /// each segment, from 1 for a text to 5 for any rest of the path.
    pub(super) fn precedence(&self) -> Vec<u8> {
        let constrained = |parameter: &usize| {
            let has_any = self.parameters.get(*parameter).map(|it| !it.constraints.is_empty());
            u8::from(has_any.unwrap_or_default())
        };
        let digit = |segment: &Segment| match segment {
            Segment::Literal(_) => 1,
            Segment::Parts(_) => 2,
            Segment::Parameter(parameter) => 3 - constrained(parameter),
            Segment::CatchAll(parameter) => 5 - constrained(parameter),
        };
        self.segments.iter().map(digit).collect()
    }

    /// What two templates have in common that the same paths are like, whatever their parameters are called.
    pub(crate) fn shape(&self) -> String {
        let constraints = |parameter: &usize| {
            self.parameters.get(*parameter).map(|it| format!("{:?}", it.constraints))
        };
        let shape = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("{:?}", text.to_lowercase()),
            Segment::Parameter(it) => {
                let is_needed = self
                    .parameters
                    .get(*it)
                    .is_some_and(|it| !it.is_optional && it.default.is_none());
                format!("{{{is_needed} {}}}", constraints(it).unwrap_or_default())
            }
            Segment::CatchAll(it) => format!("{{**{}}}", constraints(it).unwrap_or_default()),
            Segment::Parts(parts) => format!("{parts:?}"),
        };
        self.segments.iter().map(shape).collect::<Vec<_>>().join("/")
    }

    /// How many segments a path has at least that is like it.
    pub(super) fn required_segments(&self) -> usize {
        let required = |segment: &Segment| match segment {
            Segment::Literal(_) | Segment::Parts(_) => true,
            Segment::Parameter(parameter) => self
                .parameters
                .get(*parameter)
                .is_some_and(|it| !it.is_optional && it.default.is_none()),
            Segment::CatchAll(_) => false,
        };
        self.segments.iter().rposition(required).map_or(0, |last| last + 1)
    }

    /// The values of its parameters in a path; `None` if the path is not like it.
    pub(crate) fn values<'a>(&'a self, path: &'a str) -> Option<RouteValues<'a>> {
        let mut values = vec![None; self.parameters.len()];
        let mut set = |parameter: usize, value| {
            if let Some(place) = values.get_mut(parameter) {
                *place = value;
            }
        };
        self.walk(path, &mut set).then_some(())?;
        Some(RouteValues(values))
    }

    /// Whether a path is like it, constraints and all. It allocates nothing.
    pub(super) fn is_like(&self, path: &str) -> bool {
        self.walk(path, &mut |_, _| ())
    }

    /// Goes along a path, and hands out what parameters are there, constraints kept.
    fn walk<'a>(&'a self, path: &'a str, set: &mut dyn FnMut(usize, Option<&'a str>)) -> bool {
        let required = self.required_segments();
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        let mut seen = 0_usize;
        let mut judge = |parameter: usize, value: Option<&'a str>| {
            let Some(known) = self.parameters.get(parameter) else { return false };
            let value = value.or(known.default.as_deref());
            set(parameter, value);
            (value.is_none() && known.is_optional)
                || known.constraints.iter().all(|it| it.holds(value))
        };
        for segment in &self.segments {
            if let Segment::CatchAll(parameter) = segment {
                let value = Some(rest).filter(|it| !it.is_empty());
                return seen >= required && judge(*parameter, value);
            }
            if rest.is_empty() {
                let Segment::Parameter(parameter) = segment else { return false };
                if seen < required || !judge(*parameter, None) {
                    return false;
                }
                continue;
            }
            let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
            rest = tail;
            seen += 1;
            let is_like = match segment {
                Segment::Literal(text) => is_same(text, head),
                Segment::Parameter(parameter) => !head.is_empty() && judge(*parameter, Some(head)),
                // A dot that goes with what is left out leaves nothing, and no segment is that.
                Segment::Parts(parts) => {
                    !head.is_empty()
                        && self.is_of_parts(parts, head, &mut |parameter, value| {
                            judge(parameter, value)
                        })
                }
                Segment::CatchAll(_) => false,
            };
            if !is_like {
                return false;
            }
        }
        rest.is_empty()
    }

    /// Whether a segment is of these parts. The last one may be left out with its dot, if it is optional.
    fn is_of_parts<'a>(
        &self,
        parts: &[Part],
        text: &'a str,
        judge: &mut dyn FnMut(usize, Option<&'a str>) -> bool,
    ) -> bool {
        let [before @ .., Part::Dot, Part::Parameter(last)] = parts else {
            return is_like(parts, text, &mut |parameter, value| judge(parameter, Some(value)));
        };
        let mut kept = true;
        if is_like(parts, text, &mut |parameter, value| {
            kept &= judge(parameter, Some(value));
            true
        }) {
            return kept;
        }
        !text.ends_with('.')
            && is_like(before, text, &mut |parameter, value| judge(parameter, Some(value)))
            && judge(*last, None)
    }
}

/// Whether a text is made of these parts, from its end on: every text between parameters where it stands
/// for the last time, so that parameters take as much as they can from the left.
fn is_like<'a>(parts: &[Part], text: &'a str, set: &mut dyn FnMut(usize, &'a str) -> bool) -> bool {
    let mut end = text.len();
    let mut waiting: Option<usize> = None;
    for (place, part) in parts.iter().enumerate().rev() {
        let literal = match part {
            Part::Parameter(parameter) => {
                waiting = Some(*parameter);
                continue;
            }
            Part::Literal(literal) => literal.as_str(),
            Part::Dot => ".",
        };
        // One character at least for a parameter behind it.
        let before = if waiting.is_some() { end.saturating_sub(1) } else { end };
        let Some(at) = last_place(&text[..floor(text, before)], literal) else { return false };
        let behind = at + literal.len();
        if place + 1 == parts.len() && behind != text.len() {
            return false;
        }
        if let Some(parameter) = waiting.take()
            && (behind == end || !set(parameter, &text[behind..end]))
        {
            return false;
        }
        end = at;
    }
    match waiting {
        Some(parameter) => end > 0 && set(parameter, &text[..end]),
        None => end == 0,
    }
}

/// The last place of `literal` in `text`, in any case.
fn last_place(text: &str, literal: &str) -> Option<usize> {
    let (text_bytes, literal) = (text.as_bytes(), literal.as_bytes());
    let windows = text_bytes.windows(literal.len());
    let places = windows.enumerate().filter(|(_, window)| window.eq_ignore_ascii_case(literal));
    let mut places = places.map(|(at, _)| at).filter(|at| text.is_char_boundary(*at));
    places.next_back()
}

/// The end of the last whole character before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Whether two texts are the same in any case.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || !(left.is_ascii() && right.is_ascii())
            && left
                .chars()
                .flat_map(char::to_lowercase)
                .eq(right.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests;
