//! Values of every kind, and mistakes.

mod mistakes;
mod values;

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::configuration::layers::Layer;
use crate::configuration::{Configuration, Leaf, Origin, Problem};

/// A configuration of one file, each value in a line of its own.
fn file(values: &[(&str, Option<&str>)]) -> Layer {
    let leaf = |(line, (key, value)): (usize, &(&str, Option<&str>))| Leaf {
        key: (*key).to_owned(),
        value: value.map(str::to_owned),
        origin: Origin::File { path: PathBuf::from("a.json"), line: line + 1, column: 5 },
    };
    values.iter().enumerate().map(leaf).collect()
}

fn configuration(values: &[(&str, &str)]) -> Configuration {
    let values: Vec<_> = values.iter().map(|(key, value)| (*key, Some(*value))).collect();
    Configuration::from_layers(&[file(&values)])
}

fn read<T: DeserializeOwned>(values: &[(&str, &str)]) -> T {
    configuration(values).get("A").unwrap_or_else(|error| panic!("{values:?}: {error}"))
}

fn problems<T: DeserializeOwned>(values: &[(&str, &str)]) -> Vec<Problem> {
    match configuration(values).get::<T>("A") {
        Ok(_) => panic!("{values:?} is read"),
        Err(error) => error.into_problems(),
    }
}

/// What is wrong, and the line that it is in.
fn told<T: DeserializeOwned>(values: &[(&str, &str)]) -> Vec<(String, Option<usize>)> {
    let line = |problem: &Problem| match &problem.origin {
        Some(Origin::File { line, .. }) => Some(*line),
        _ => None,
    };
    problems::<T>(values).into_iter().map(|it| (it.message.clone(), line(&it))).collect()
}
