//! `appsettings.json` with any bytes: reading it never panics, every value knows a place inside
//! the file, and every problem can be printed. The file is the public way in; put `TMPDIR` on a
//! file system in memory, such as `/dev/shm`, to make it fast.
#![no_main]

use std::sync::LazyLock;

use kestrel::configuration::{Inputs, Origin, load};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for the file"));

fuzz_target!(|bytes: &[u8]| {
    let folder = FOLDER.path();
    std::fs::write(folder.join("appsettings.json"), bytes).expect("the file can be written");
    let mut inputs = Inputs::default();
    inputs.current_directory = folder.to_owned();
    let loaded = load(&inputs);
    assert!(loaded.files[0].found);
    // Half a character at the end of UTF-16 still makes a line.
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    for setting in loaded.configuration.settings() {
        if let Origin::File { line, column, .. } = setting.origin {
            assert!((1..=lines).contains(&line) && column >= 1, "{setting:?}");
        }
    }
    for problem in &loaded.problems {
        assert!(!problem.to_string().is_empty());
    }
});
