//! A body in chunks: however it is split, it is judged the same, and hyper takes the same data from
//! what is accepted. The first byte chooses the room for trailers, the rest is what comes.
#![no_main]

use kestrel::fuzzing::http1_chunks;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| http1_chunks(bytes));
