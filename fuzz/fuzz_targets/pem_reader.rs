//! The files of a certificate and its key: reading them never panics, and what is read together can
//! be served.
#![no_main]

use kestrel::fuzzing::pem_reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| pem_reader(bytes));
