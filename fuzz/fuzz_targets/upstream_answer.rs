//! What a server answers to a request that was handed on: head, body and trailers. However it is split, it is
//! read the same; what is taken of its chunks is what the server's own reader takes, and nothing of the
//! connection goes on. The first byte chooses where it is split.
#![no_main]

use kestrel::fuzzing::upstream_answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| upstream_answer(bytes));
