//! The beginning of a connection of HTTP/1: however it is split, it is judged the same, and what is
//! accepted is framed by hyper as by us. The first byte chooses options, the rest is what comes.
#![no_main]

use kestrel::fuzzing::http1_head;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| http1_head(bytes));
