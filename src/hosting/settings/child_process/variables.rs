//! `EnvironmentVariables`: names and values.

use super::section::SECTION;
use crate::configuration::{Configuration, Origin, Problem};

/// A variable, and where it was written.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) key: String,
    pub(super) origin: Origin,
}

/// Reads the variables, in the order of their names.
pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> Vec<Variable> {
    let children = configuration.section(&format!("{SECTION}:EnvironmentVariables")).children();
    let mut variables = Vec::new();
    for child in &children {
        let Some(setting) = child.setting() else { continue };
        let Some(text) = setting.value.clone() else { continue };
        let name = child.name();
        if name.is_empty() || name.contains(['=', '\0']) || text.contains('\0') {
            problems.push(
                Problem::error("No program can be given a variable of this name, or this value.")
                    .cause("A name has a character at least, and no '=' in it; neither has the character NUL.")
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix("write \"EnvironmentVariables\": { \"NAME\": \"value\" }"),
            );
            continue;
        }
        let (name, key) = (name.to_owned(), setting.key.clone());
        variables.push(Variable { name, text, key, origin: setting.origin.clone() });
    }
    variables
}
