//! The lines of an `Accept-Encoding`: what is chosen was asked for.
#![no_main]

use kestrel::fuzzing::accept_encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| accept_encoding(bytes));
