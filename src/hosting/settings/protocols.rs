//! `Protocols` of an endpoint, of its server names, and of the defaults.

use super::parse::shown;
use crate::configuration::near_names::meant_value;
use crate::configuration::{Problem, Section};
use crate::features::HttpProtocols;

/// Reads `Protocols`. Kestrel passes over a text it does not know; so
/// do we, but not in silence.
pub(super) fn protocols(
    section: &Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<HttpProtocols> {
    let text = section.non_empty("Protocols")?;
    let read = HttpProtocols::parse(text.value);
    if read.is_none() {
        let names = HttpProtocols::SPOKEN;
        let fix = match meant_value(text.value, &names) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("write one of {}", names.join(", ")),
        };
        let given = shown("Protocols", text.value);
        problems.push(
            Problem::warning(format!("'{given}' names no HTTP protocols and is left out."))
                .key(format!("{}:Protocols", section.path()))
                .origin(text.origin)
                .fix(fix),
        );
    }
    read
}
