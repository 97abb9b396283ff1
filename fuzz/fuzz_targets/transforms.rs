//! A target, and changes of it, a line each: what goes out is one line that leads nowhere up.
#![no_main]

use kestrel::fuzzing::transforms;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| transforms(bytes));
