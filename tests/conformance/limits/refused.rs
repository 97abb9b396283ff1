//! Settings with which the app is not to start.

use super::Script;
use super::stage::Stage;

const START: Script = |stage: &mut Stage| Ok(stage.start_outcome());

pub(super) const SCRIPTS: &[(&str, Script)] = &[
    ("li-008", START),
    ("li-080", START),
    ("li-081", START),
    ("li-082", START),
    ("li-084", START),
    ("li-085", START),
    ("li-086", START),
    ("li-088", START),
    ("li-089", START),
    ("li-090", START),
];
