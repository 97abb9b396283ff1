//! A path, and templates, a line each: the tree of routes finds what going through all templates finds.
#![no_main]

use kestrel::fuzzing::route_templates;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| route_templates(bytes));
