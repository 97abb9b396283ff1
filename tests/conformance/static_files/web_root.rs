//! The folder that the recordings were made with.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Names and contents.
const FILES: [(&str, &str); 39] = [
    ("index.html", "<h1>home</h1>\n"),
    ("a.txt", "0123456789abcdef\n"),
    ("empty.txt", ""),
    ("sub/index.html", "<h1>sub</h1>\n"),
    ("sub/page.html", "page\n"),
    ("noindex/x.txt", "x\n"),
    (".hidden/y.txt", "y\n"),
    (".dot.txt", "dot\n"),
    ("noext", "noext\n"),
    ("weird.unknownext", "w\n"),
    ("sp ace.txt", "space\n"),
    ("per%cent.txt", "p\n"),
    ("üml.txt", "u\n"),
    ("UPPER.TXT", "U\n"),
    ("data.json", "{}\n"),
    ("pic.svg", "<svg/>\n"),
    ("font.woff2", "f\n"),
    ("mod.mjs", "m\n"),
    ("w.wasm", "\0asm"),
    ("page.htm", "htm\n"),
    ("default.htm", "default\n"),
    ("doc.pdf", "%PDF"),
    ("v.mp4", "v"),
    ("m.map", "{}"),
    ("t.ts", "t"),
    ("x.webmanifest", "{}"),
    ("i.ico", "i"),
    ("i.webp", "i"),
    ("i.avif", "i"),
    ("a.md", "# md"),
    ("a.csv", "a"),
    ("a.xml", "<a/>"),
    ("a.yml", "a"),
    ("a.zip", "PK"),
    ("a.gz", "gz"),
    ("a.txt.gz", "gz"),
    ("a.7z", "7z"),
    ("a.exe", "MZ"),
    ("a.dll", "MZ"),
];

/// Makes it in a content root.
pub(super) fn fill(content_root: &Path) -> io::Result<()> {
    let root = content_root.join("wwwroot");
    for folder in ["sub/deep", "noindex", ".hidden"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let large: Vec<u8> = (0..=255).cycle().take(256 * 4096).collect();
    let repeated = [
        ("app.js", "var a=1;\n".repeat(200).into_bytes()),
        ("app.css", "a{}\n".repeat(200).into_bytes()),
        ("big.bin", large),
    ];
    let small = FILES.map(|(name, text)| (name, text.as_bytes().to_vec()));
    for (name, bytes) in small.into_iter().chain(repeated) {
        fs::write(root.join(name), bytes)?;
        let then = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::options().write(true).open(root.join(name))?.set_modified(then)?;
    }
    for (target, link) in
        [("/etc/hostname", "link.txt"), ("a.txt", "inlink.txt"), ("sub", "dirlink")]
    {
        symlink(target, root.join(link))?;
    }
    Ok(())
}
