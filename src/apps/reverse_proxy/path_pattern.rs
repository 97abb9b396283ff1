//! Paths that are built from the parameters of a route.

use super::mistake::Mistake;
use super::segment::{Parameter, Part, Segment};
use super::template::{RouteValues, Template, is_same};

/// A parameter of a route, as something else names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RouteParameter {
    pub(crate) name: String,
    /// Its place in the route's template; `None` if that has none of this name: then it never has a value.
    pub(crate) place: Option<usize>,
}

impl RouteParameter {
    /// The one with this name of a route's template.
    pub(crate) fn of(route: Option<&Template>, name: &str) -> Self {
        let place = route.and_then(|route| route.parameter(name));
        Self { name: name.to_owned(), place }
    }
}

/// What a path is built from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PathPattern {
    pattern: Template,
    /// For each parameter of the pattern, which one of the route it is.
    places: Vec<Option<usize>>,
}

/// A path that is being built. Parameters that have their default are held back, and left out at its end.
#[derive(Default)]
struct Building {
    path: String,
    held_back: String,
    /// How long the path was before its last piece.
    before_last: usize,
    /// Whether something of this segment is written, or held back.
    inside: bool,
    held_inside: bool,
    /// A segment was empty: nothing can follow.
    is_over: bool,
}

/// A pattern that wants a value in the middle which is not there.
struct Missing;

impl PathPattern {
    /// Reads a pattern for a route with this template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str, route: Option<&Template>) -> Result<Self, Mistake> {
        let pattern = Template::parse(text)?;
        let place = |name| route.and_then(|route| route.parameter(name));
        let places = pattern.parameter_names().map(place).collect();
        Ok(Self { pattern, places })
    }

    /// Whether it is built from anything.
    pub(crate) fn has_parameters(&self) -> bool {
        !self.places.is_empty()
    }

    /// The names of parameters that the route has not.
    pub(crate) fn unknown_names(&self) -> impl Iterator<Item = &str> {
        let names = self.pattern.parameter_names().zip(&self.places);
        names.filter(|(_, place)| place.is_none()).map(|(name, _)| name)
    }

    /// The path for these values, decoded: `%` in it stands for itself, and slashes of values that are one
    /// segment are `%2F`. A value that is missing at its end is left out with its slash; one in its middle
    /// makes it `/`.
    pub(crate) fn build(&self, values: &RouteValues<'_>) -> String {
        let mut building = Building::default();
        match self.write(values, &mut building) {
            Ok(()) if building.path.starts_with('/') => building.path,
            Ok(()) => format!("/{}", building.path),
            Err(Missing) => "/".to_owned(),
        }
    }

    fn write(&self, values: &RouteValues<'_>, building: &mut Building) -> Result<(), Missing> {
        for segment in &self.pattern.segments {
            match segment {
                Segment::Literal(text) => building.write(text)?,
                Segment::Parameter(parameter) | Segment::CatchAll(parameter) => {
                    self.write_value(*parameter, values, building)?;
                }
                Segment::Parts(parts) => self.write_parts(parts, values, building)?,
            }
            building.end_segment();
        }
        Ok(())
    }

    fn write_parts(
        &self,
        parts: &[Part],
        values: &RouteValues<'_>,
        building: &mut Building,
    ) -> Result<(), Missing> {
        let mut has_dot = false;
        for part in parts {
            match part {
                Part::Literal(text) => building.write(text)?,
                Part::Dot => building.write(".")?,
                Part::Parameter(parameter) => {
                    match self.write_value(*parameter, values, building) {
                        Err(Missing) if has_dot => building.take_back(),
                        written => written?,
                    }
                }
            }
            has_dot = matches!(part, Part::Dot);
        }
        Ok(())
    }

    fn write_value(
        &self,
        parameter: usize,
        values: &RouteValues<'_>,
        building: &mut Building,
    ) -> Result<(), Missing> {
        let value = self.places.get(parameter).and_then(|place| values.get(*place));
        let value = value.unwrap_or_default();
        let Some(Parameter { default, keeps_slashes, .. }) = self.pattern.parameters.get(parameter)
        else {
            return Ok(());
        };
        let is_default = default.as_deref().is_some_and(|default| is_same(default, value));
        match (is_default, *keeps_slashes) {
            (true, _) => building.hold_back(value),
            (false, true) => building.write(value),
            (false, false) if value.contains('/') => building.write(&value.replace('/', "%2F")),
            (false, false) => building.write(value),
        }
    }
}

impl Building {
    fn write(&mut self, text: &str) -> Result<(), Missing> {
        if self.may_be_empty(text)? {
            return Ok(());
        }
        self.path.push_str(&std::mem::take(&mut self.held_back));
        if !self.inside && !self.held_inside {
            self.path.push('/');
        }
        self.inside = true;
        self.held_inside = true;
        self.before_last = self.path.len();
        self.path.push_str(text);
        Ok(())
    }

    fn hold_back(&mut self, text: &str) -> Result<(), Missing> {
        if self.inside {
            return self.write(text);
        }
        if self.may_be_empty(text)? {
            return Ok(());
        }
        if !self.held_inside {
            self.held_back.push('/');
            self.held_inside = true;
        }
        self.held_back.push_str(text);
        Ok(())
    }

    /// Whether there is nothing to write.
    fn may_be_empty(&mut self, text: &str) -> Result<bool, Missing> {
        match text.is_empty() {
            true if self.inside || self.held_inside => Err(Missing),
            true => {
                self.is_over = true;
                Ok(true)
            }
            false if self.is_over => Err(Missing),
            false => Ok(false),
        }
    }

    /// Takes the last piece back.
    fn take_back(&mut self) {
        self.path.truncate(self.before_last);
    }

    fn end_segment(&mut self) {
        self.inside = false;
        self.held_inside = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_built_from_values() {
        for (route, pattern, path, expected) in [
            ("/a/{id}/{**r}", "/v/{id}/w/{**r}", "/a/5/x/y", "/v/5/w/x/y"),
            ("/a/{id}/{**r}", "/v/{id}/w/{**r}", "/a/5", "/v/5/w"),
            ("/b/{id?}", "/v/{ID}/w", "/b/7", "/v/7/w"),
            ("/b/{id?}", "/v/{id}/w", "/b", "/"),
            ("/c/{x}", "/v/{x}/{y}", "/c/1", "/v/1"),
            ("/d/{x}", "v/{x}", "/d/1", "/v/1"),
            ("/e/{x}", "/v/pre-{x}.html", "/e/1", "/v/pre-1.html"),
            ("/e/{x?}", "/v/pre-{x}.html", "/e", "/"),
            ("/f/{**r}", "/v/{r}", "/f/x/y", "/v/x%2Fy"),
            ("/f/{**r}", "/v/{*r}", "/f/x/y", "/v/x%2Fy"),
            ("/f/{**r}", "/v/{**r}", "/f/x/y/", "/v/x/y/"),
            ("/g", "/v/{q=5}", "/g", "/v"),
            ("/g/{q=5}", "/v/{q=5}", "/g", "/v"),
            ("/g/{q=5}", "/v/{q=5}/w", "/g", "/v/5/w"),
            ("/g/{q=5}", "/v/{q=6}", "/g", "/v/5"),
            ("/h/{n}.{e?}", "/v/{n}.{e?}", "/h/a", "/v/a"),
            ("/h/{n}.{e?}", "/v/{n}.{e?}", "/h/a.b", "/v/a.b"),
            ("/i", "", "/i", "/"),
            ("/i/{x}", "/{x}", "/i/a%b", "/a%b"),
        ] {
            let route = Template::parse(route).unwrap();
            let pattern = PathPattern::parse(pattern, Some(&route)).unwrap();
            let values = route.values(path).unwrap();
            assert_eq!(pattern.build(&values), expected, "{} {path}", pattern.pattern.text());
        }
    }

    #[test]
    fn names_that_the_route_has_not_are_known() {
        let route = Template::parse("/{a}/{B}").unwrap();
        let pattern = PathPattern::parse("/{b}/{c}", Some(&route)).unwrap();
        assert_eq!(pattern.unknown_names().collect::<Vec<_>>(), ["c"]);
        assert!(pattern.has_parameters());
        assert!(PathPattern::parse("/{a", None).is_err());
    }

    proptest! {
        #[test]
        fn a_path_is_built_again_by_its_own_template(
            names in prop::collection::vec(("[a-z]{1,4}", "[a-z0-9%]{1,5}"), 0..6),
            rest in "([a-z]{1,3}/){0,2}[a-z]{1,3}",
        ) {
            let mut text = String::new();
            let mut path = String::new();
            for (place, (literal, value)) in names.iter().enumerate() {
                text.push_str(&format!("/{literal}/{{p{place}}}"));
                path.push_str(&format!("/{literal}/{value}"));
            }
            let template = Template::parse(&format!("{text}/{{**rest}}")).unwrap();
            let path = format!("{path}/{rest}");
            let pattern = PathPattern::parse(template.text(), Some(&template)).unwrap();
            prop_assert_eq!(pattern.build(&template.values(&path).unwrap()), path);
        }

        #[test]
        fn every_path_that_is_built_begins_with_a_slash(
            pattern in "(/|[a-b]|\\{[a-c]\\}|\\{[d-f]=x\\}|\\{[g-i]\\?\\}|\\.|\\{\\*\\*r\\}){0,6}",
            path in "(/[a-c./]{0,3}){0,4}",
        ) {
            let route = Template::parse("/{a?}/{d?}/{g?}/{**r}").unwrap();
            let Ok(pattern) = PathPattern::parse(&pattern, Some(&route)) else { return Ok(()) };
            let Some(values) = route.values(&path) else { return Ok(()) };
            prop_assert!(pattern.build(&values).starts_with('/'));
        }
    }
}
