//! `EnvironmentVariables`: names and values.

use super::section::SECTION;
use crate::configuration::{Configuration, Origin, Problem, Section};

const EXAMPLE: &str = "write \"EnvironmentVariables\": { \"NAME\": \"value\" }";

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
        problems.extend(nested(child));
        let Some(setting) = child.setting() else { continue };
        let Some(text) = setting.value.clone() else { continue };
        let name = child.name();
        if name.bytes().all(|it| it.is_ascii_digit()) && !name.is_empty() {
            problems.push(
                Problem::error(format!("'{name}' is the place in a list, and no variable's name."))
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(EXAMPLE),
            );
            continue;
        }
        if name.is_empty() || name.contains(['=', '\0']) || text.contains('\0') {
            problems.push(
                Problem::error("No program can be given a variable of this name, or this value.")
                    .cause("A name has a character at least, and no '=' in it; neither has the character NUL.")
                    .key(setting.key.clone())
                    .origin(setting.origin.clone())
                    .fix(EXAMPLE),
            );
            continue;
        }
        let (name, key) = (name.to_owned(), setting.key.clone());
        variables.push(Variable { name, text, key, origin: setting.origin.clone() });
    }
    variables
}

/// What stands below a name: a colon in a name parts it, and a list or a section is no text.
fn nested(child: &Section<'_>) -> Option<Problem> {
    let children = child.children();
    let setting = children.first()?.first_setting()?;
    let fix = match child.name().bytes().all(|it| it.is_ascii_digit()) {
        true => EXAMPLE.to_owned(),
        false => format!(
            "write a text; where the name has parts, write them with two underscores, such as {}__{}",
            child.name(),
            children.first()?.name()
        ),
    };
    Some(
        Problem::error(format!("'{}' is no variable with a value.", setting.key))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix(fix),
    )
}
