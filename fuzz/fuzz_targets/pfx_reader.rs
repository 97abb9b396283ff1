//! A PKCS#12 file: reading it never panics, whatever the password. Files to begin with are in
//! tests/data/pfx.
#![no_main]

use kestrel::fuzzing::pfx_reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| pfx_reader(bytes));
