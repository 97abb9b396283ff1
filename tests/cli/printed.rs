//! What documents show of `kestrel generate` is what it prints: below a line such as
//! `<!-- kestrel generate nginx -- --urls http://127.0.0.1:5000 -->` stands a block with it.
//!
//! With `KESTREL_UPDATE=1` the blocks are rewritten.

use std::fs;
use std::path::Path;

use crate::environment::updates;
use crate::process::Kestrel;

/// What stands for the folder it was asked in, and for this binary.
const FOLDER: &str = "/srv/app";
const PROGRAM: &str = "/usr/local/bin/kestrel";

#[test]
fn documents_show_what_generate_prints() {
    for (document, expected) in [("reverse-proxy", 8), ("deployment", 1)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{document}.md"));
        let text = fs::read_to_string(&path).expect("the document is there");
        let (now, count) = printed_anew(&text);
        assert_eq!(count, expected, "blocks of {document}");
        if updates() && now != text {
            fs::write(&path, &now).expect("it can be written");
            continue;
        }
        assert!(
            now == text,
            "docs/{document}.md would be\n{now}\nKESTREL_UPDATE=1 cargo test --test cli rewrites it"
        );
    }
}

/// The document with what is printed now, and how many blocks it has of it.
fn printed_anew(text: &str) -> (String, usize) {
    const COMMAND: &str = "<!-- kestrel generate ";
    let (mut now, mut count) = (String::new(), 0);
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        now.push_str(line);
        let Some(command) = line.strip_prefix(COMMAND) else { continue };
        let command = command.trim_end().strip_suffix("-->").expect("an end");
        now.push_str(lines.next().filter(|line| line.starts_with("```")).expect("a block"));
        now.push_str(&printed(command));
        now.push_str(lines.find(|line| line.starts_with("```")).expect("its end"));
        count += 1;
    }
    (now, count)
}

fn printed(command: &str) -> String {
    let kestrel = Kestrel::new(["generate"].into_iter().chain(command.split_whitespace()));
    let folder = kestrel.root().display().to_string();
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(0), "{command}: {}", outcome.stderr);
    // Its name is that of the folder, too.
    let (_, name) = folder.rsplit_once('/').expect("a path");
    let text = outcome.stdout.replace(env!("CARGO_BIN_EXE_kestrel"), PROGRAM);
    text.replace(&folder, FOLDER).replace(name, "app")
}
