//! What is known of a reading: what earlier passes found out, and what this one does.
//!
//! serde ends a reading with its first failure. So a section is read again with what the failure
//! taught, until a pass comes through: a place that is refused is left out, a field that is missing
//! gets a stand-in, and what follows from either is not told. Only a pass in which nothing was wrong
//! gives a value.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::failure::{Failure, Why};
use super::guess::Guess;
use super::mistakes;
use super::names;
use super::node::{Node, Place};
use crate::configuration::key::fold_key;
use crate::configuration::problem::Problem;

/// How many mistakes are told at most.
const MOST: usize = 100;

/// What earlier passes found out. Places are folded keys.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) problems: Vec<Problem>,
    /// What is told, or needs not be.
    told: BTreeSet<String>,
    /// What is left out.
    omitted: BTreeSet<String>,
    /// Fields that get a stand-in: the struct and the field.
    missing: BTreeSet<(String, &'static str)>,
    /// Fields for which nothing can stand in.
    hopeless: BTreeSet<(String, &'static str)>,
    /// Fields that are null, and get that: their types have no default.
    nulls: BTreeSet<(String, &'static str)>,
    /// Empty texts that are no values.
    unset: BTreeSet<String>,
    /// Texts that are no numbers, and no booleans, whatever they look like.
    texts: BTreeSet<String>,
    /// Those that were taken for texts and are not.
    no_texts: BTreeSet<String>,
    /// Names of variants as their type has them.
    respelled: BTreeMap<String, &'static str>,
    /// Names that are left out, of places that have another.
    dropped: BTreeSet<(String, String)>,
}

/// What this pass finds out.
#[derive(Debug, Default)]
struct Found {
    problems: Vec<Problem>,
    told: BTreeSet<String>,
    nulls: BTreeSet<(String, &'static str)>,
    unset: BTreeSet<String>,
    guesses: BTreeMap<String, Guess>,
}

/// One reading of everything.
#[derive(Debug)]
pub(super) struct Pass<'k> {
    known: &'k Known,
    found: RefCell<Found>,
}

/// What a pass found out, on its way to what is known.
#[derive(Debug)]
pub(super) struct Findings(Found);

impl<'k> Pass<'k> {
    pub(super) fn new(known: &'k Known) -> Self {
        Self { known, found: RefCell::default() }
    }

    pub(super) fn into_findings(self) -> Findings {
        Findings(self.found.into_inner())
    }

    /// Tells what is wrong at a place, once.
    pub(super) fn tell(&self, node: &Node<'_>, problem: impl FnOnce() -> Problem) {
        let path = node.path();
        let mut found = self.found.borrow_mut();
        if !self.known.told.contains(&path) && found.told.insert(path) {
            found.problems.push(problem());
        }
    }

    /// The empty text at a place is no value.
    pub(super) fn unset(&self, node: &Node<'_>) {
        self.found.borrow_mut().unset.insert(node.path());
    }

    pub(super) fn is_unset(&self, node: &Node<'_>) -> bool {
        self.known.unset.contains(&node.path())
    }

    pub(super) fn is_omitted(&self, node: &Node<'_>) -> bool {
        !self.known.omitted.is_empty() && self.known.omitted.contains(&node.path())
    }

    /// Whether a field that is null is to be left out, as if it were absent.
    pub(super) fn passes_over_null(&self, path: &str, field: &'static str) -> bool {
        let place = (path.to_owned(), field);
        let passes = !self.known.nulls.contains(&place);
        if passes {
            self.found.borrow_mut().nulls.insert(place);
        }
        passes
    }

    /// The fields of a struct that get a stand-in.
    pub(super) fn missing_of(&self, path: &str) -> Vec<&'static str> {
        let fields = self.known.missing.difference(&self.known.hopeless);
        fields.filter(|(of, _)| of == path).map(|(_, field)| *field).collect()
    }

    /// What the text at a place is taken for.
    pub(super) fn guess(&self, node: &Node<'_>, text: &str) -> Guess {
        let path = node.path();
        let guess = match self.known.texts.contains(&path) {
            true => Guess::Text(text.to_owned()),
            false => Guess::of(text),
        };
        self.found.borrow_mut().guesses.insert(path, guess.clone());
        guess
    }

    /// The text at a place, as its type wants to have it.
    pub(super) fn respelled<'t>(&self, node: &Node<'_>, text: &'t str) -> &'t str {
        self.known.respelled.get(&node.path()).copied().unwrap_or(text)
    }

    pub(super) fn is_dropped(&self, path: &str, name: &str) -> bool {
        self.known.dropped.contains(&(path.to_owned(), name.to_owned()))
    }
}

/// Where a field is.
fn field_path(path: &str, field: &str) -> String {
    match path {
        "" => fold_key(field),
        path => format!("{path}:{}", fold_key(field)),
    }
}

/// Whether another pass may tell more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Again,
    Enough,
}

impl Known {
    /// Every mistake, as far as they are told.
    pub(super) fn into_problems(mut self, root: &Node<'_>) -> Vec<Problem> {
        self.problems.truncate(MOST);
        if self.problems.is_empty() {
            self.problems.push(mistakes::of_failure(Why::Told, &root.place()));
        }
        self.problems
    }

    /// Takes in what a pass found that came through.
    pub(super) fn passed(&mut self, findings: Findings) -> Next {
        let Findings(found) = findings;
        let again = !found.unset.is_empty() && found.problems.is_empty();
        self.take(&found);
        if again { Next::Again } else { Next::Enough }
    }

    fn take(&mut self, found: &Found) {
        self.problems.extend(found.problems.iter().cloned());
        self.told.extend(found.told.iter().cloned());
        self.unset.extend(found.unset.iter().cloned());
    }

    /// Takes in what a pass found, and the failure that ended it.
    pub(super) fn failed(&mut self, failure: Failure, findings: Findings, root: &Node<'_>) -> Next {
        let Findings(found) = findings;
        self.take(&found);
        let (why, place) = failure.into_parts();
        let place = place.unwrap_or_else(|| root.place());
        let root = root.path();
        if self.problems.len() >= MOST {
            return Next::Enough;
        }
        match why {
            Why::Missing(field) => return self.missed(field, &place, &found, &root),
            Why::NoStandIn(field) => {
                return match self.hopeless.insert((place.path.clone(), field)) {
                    true => Next::Again,
                    false => self.omit(&place.path, &root),
                };
            }
            // What may be absent is absent if it is empty.
            _ if found.unset.contains(&place.path) => return Next::Again,
            _ => {}
        }
        if self.understands(&why, &place, &found) {
            return Next::Again;
        }
        self.tell(&place.path, || mistakes::of_failure(why, &place));
        self.omit(&place.path, &root)
    }

    /// A field has neither value nor default.
    fn missed(&mut self, field: &'static str, place: &Place, found: &Found, root: &str) -> Next {
        let of = (place.path.clone(), field);
        if found.nulls.contains(&of) && self.nulls.insert(of.clone()) {
            return Next::Again;
        }
        let path = field_path(&place.path, field);
        let plain = names::plain(field);
        let is_it = |omitted: &String| {
            let name = omitted.strip_prefix(&place.path);
            name.is_some_and(|name| names::plain(name.trim_start_matches(':')) == plain)
        };
        if !self.omitted.iter().any(is_it) {
            self.tell(&path, || mistakes::missing(field, place));
        }
        match self.missing.insert(of) {
            true => Next::Again,
            false => self.omit(&place.path, root),
        }
    }

    /// Whether a failure comes of what was guessed wrong, which the next pass does better.
    fn understands(&mut self, why: &Why, place: &Place, found: &Found) -> bool {
        let guesses = || found.guesses.iter().filter(|(path, _)| is_at(path, &place.path));
        match why {
            Why::OtherType { found: Some(taken @ Guess::Text(_)), .. } => {
                let is_wrong = |path: &&String| self.texts.contains(*path);
                let wrong = guesses().filter(|(_, guess)| *guess == taken).map(|(path, _)| path);
                match wrong.into_iter().find(is_wrong) {
                    Some(path) => self.texts.remove(path) && self.no_texts.insert(path.clone()),
                    None => false,
                }
            }
            Why::OtherType { found: Some(taken), .. } => {
                let mut alike = guesses().filter(|(_, guess)| *guess == taken);
                let text = alike.find(|(path, _)| !self.no_texts.contains(*path));
                text.is_some_and(|(path, _)| self.texts.insert(path.clone()))
            }
            Why::UnknownVariant { variant, known } => {
                let spelled = names::find(variant, known).and_then(|at| known.get(at).copied());
                // Of those below, the one that says so.
                let says = |(_, guess): &(&String, &Guess)| **guess == Guess::Text(variant.clone());
                let below = guesses().find(says).map(|(path, _)| path.clone());
                let own = place.value.as_ref() == Some(variant);
                let at = if own { Some(place.path.clone()) } else { below };
                spelled.zip(at).is_some_and(|(name, at)| self.respelled.insert(at, name).is_none())
            }
            Why::UnknownField { field, .. } => {
                let own_name = place.names.iter().any(|name| name == field);
                let other = place.names.iter().any(|name| names::snake_case(name) == *field);
                (own_name != other) && self.dropped.insert((place.path.clone(), field.clone()))
            }
            Why::Refused(_) => {
                let open =
                    |path: &&String| !self.texts.contains(*path) && !self.no_texts.contains(*path);
                let open: Vec<_> = guesses()
                    .filter(|(_, guess)| !guess.is_text())
                    .map(|(path, _)| path)
                    .filter(open)
                    .cloned()
                    .collect();
                let any = !open.is_empty();
                self.texts.extend(open);
                any
            }
            _ => false,
        }
    }

    /// Tells a mistake, unless it follows from one that is told.
    fn tell(&mut self, path: &str, problem: impl FnOnce() -> Problem) {
        let follows = [&self.told, &self.omitted].into_iter().any(|known| has_at(known, path));
        if !follows {
            self.problems.push(problem());
        }
        self.told.insert(path.to_owned());
    }

    /// Leaves a place out, or what it is part of.
    fn omit(&mut self, path: &str, root: &str) -> Next {
        let mut path = path;
        while path.len() > root.len() {
            if self.omitted.insert(path.to_owned()) {
                return Next::Again;
            }
            path = path.rsplit_once(':').map_or("", |(above, _)| above);
        }
        Next::Enough
    }
}

/// Whether one place is another, or lies below it.
fn is_at(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above);
    above.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Whether one of `places` is `path`, or lies below it.
fn has_at(places: &BTreeSet<String>, path: &str) -> bool {
    let mut from = places.range(path.to_owned()..).take_while(|place| place.starts_with(path));
    from.any(|place| is_at(place, path))
}
