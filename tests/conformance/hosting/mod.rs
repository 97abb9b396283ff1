//! The host: how it is started, in which surroundings, and what it does then.
//!
//! `hosting.jsonl` and `asked.jsonl` hold cases. Each is run on the binary `kestrel` and on
//! `examples/conformance` in a network namespace of its own. The way of a case through the files:
//!
//! ```text
//! case          a line of the recordings (json_text: its parts in their order)
//! selection     which cases run: the tables to edit when something is built
//! judge         a process and a namespace for each run, and the verdict
//! in_namespace  what happens in there (surroundings: files, network)
//! facts         lines, sockets -> what can be compared (placeholders: for ports, times)
//! compare       recorded facts and ours -> differences
//! ```

pub(crate) mod case;
mod compare;
mod facts;
pub(crate) mod in_namespace;
mod json_text;
pub(crate) mod judge;
mod placeholders;
pub(crate) mod selection;
mod surroundings;

/// The harness's tests of these files.
pub(crate) const CHECKS: &[fn()] = &[
    case::check,
    compare::check,
    facts::check,
    json_text::check,
    placeholders::check,
    selection::check,
];
