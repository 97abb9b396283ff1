//! The table of `docs/library.md` that has our examples beside the same programs with `axum::serve`: its lines are counted
//! here, and `KESTREL_UPDATE=1` writes them. That both do the same is for `tests/cli/beside_axum.rs`.

use std::fs;
use std::path::Path;

/// The lines of a file that are neither blank nor a comment and nothing else, nor for the lints of this repository.
fn lines(file: &str) -> usize {
    let is_code =
        |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("#![");
    text(file).lines().map(str::trim).filter(is_code).count()
}

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it is there")
}

/// A row of the table, with its lines as they are now.
fn counted(row: &str) -> Option<String> {
    let (_, link) = row.strip_prefix("| [")?.split_once("](../examples/")?;
    let (name, _) = link.split_once(".rs) |")?;
    let (ours, axum) = (format!("examples/{name}.rs"), format!("tests/beside_axum/{name}.rs"));
    let follows_files = text(&axum).contains("super::live");
    let live = if follows_files { lines("tests/beside_axum/live.rs") } else { 0 };
    let once = lines("tests/beside_axum/serve.rs") + live;
    let mut cells: Vec<_> = row.split('|').map(str::to_owned).collect();
    cells[2] = format!(" {} ", lines(&ours));
    cells[3] = format!(" [{}](../{axum}) + {once} ", lines(&axum));
    Some(cells.join("|"))
}

#[expect(clippy::disallowed_methods, reason = "a test program has no other way to be told")]
#[test]
fn the_lines_of_the_programs_are_counted() {
    let document = text("docs/library.md");
    let mut rows = 0;
    let now = document.lines().map(|line| match counted(line) {
        Some(row) => {
            rows += 1;
            format!("{row}\n")
        }
        None => format!("{line}\n"),
    });
    let now: String = now.collect();
    assert_eq!(rows, 8, "the programs of the table");
    if std::env::var_os("KESTREL_UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/library.md");
        fs::write(path, &now).expect("the folder is ours");
    } else {
        for (written, counted) in document.lines().zip(now.lines()) {
            assert_eq!(written, counted, "KESTREL_UPDATE=1 cargo test --test it beside_axum");
        }
    }
}
