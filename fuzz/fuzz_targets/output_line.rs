//! A line that a program behind the host wrote: it is told as it is, unless it says in JSON what is in it.
#![no_main]

use kestrel::fuzzing::output_line;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| output_line(bytes));
