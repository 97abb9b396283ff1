//! A pattern, a target and what is asked for, a line each: no request leads to another host than its rule, and what is
//! asked for instead is a path of this one.
#![no_main]

use kestrel::fuzzing::rewrite_rules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| rewrite_rules(bytes));
