//! What the tests themselves are told by variables.

/// Whether `KESTREL_UPDATE=1`: expected texts are rewritten, not compared.
pub(crate) fn updates() -> bool {
    is_set("KESTREL_UPDATE")
}

/// Whether `KESTREL_TEST_NO_WINDOWS=1`: nothing can be built for Windows here, and the tests of such a
/// build are not run.
#[cfg(target_os = "linux")]
pub(crate) fn no_windows() -> bool {
    is_set("KESTREL_TEST_NO_WINDOWS")
}

/// Whether `KESTREL_TEST_NO_MUSL=1`: the same of a binary that is linked statically.
#[cfg(target_os = "linux")]
pub(crate) fn no_musl() -> bool {
    is_set("KESTREL_TEST_NO_MUSL")
}

/// Says that a test cannot run here, and what it needs; a failure if `KESTREL_TEST_NO_SKIP=1`.
#[cfg(unix)]
pub(crate) fn skipped(test: &str, needs: &str) {
    use std::io::Write;

    assert!(!is_set("KESTREL_TEST_NO_SKIP"), "{test} needs {needs}");
    // Not by a macro: libtest would keep the line to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: needs {needs}");
}

#[expect(clippy::disallowed_methods, reason = "a test program has no other way to be told")]
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1")
}
