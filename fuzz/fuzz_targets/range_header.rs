//! The length of a file and a `Range` header: the part that is sent lies in the file, and a list is passed over.
#![no_main]

use kestrel::fuzzing::range_header;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| range_header(bytes));
