//! A method, a blank and a target: what is accepted is read by hyper to its end, and told to the app
//! as it was sent and without anything left to normalise.
#![no_main]

use kestrel::fuzzing::http1_target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| http1_target(bytes));
