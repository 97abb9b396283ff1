//! The files that cases are about.

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// When all of them were written: 2023-11-14 22:13:20 UTC.
const TIME: Duration = Duration::from_secs(1_700_000_000);

/// A line of text, many times.
fn text() -> Vec<u8> {
    "The quick brown fox jumps over the lazy dog.\n".repeat(40).into_bytes()
}

/// Files of so many types with the same text.
const TYPES: [&str; 32] = [
    "page.html",
    "page.htm",
    "a.txt",
    "app.js",
    "mod.mjs",
    "app.css",
    "data.json",
    "pic.svg",
    "w.wasm",
    "a.md",
    "a.csv",
    "a.xml",
    "m.map",
    "x.webmanifest",
    "font.woff2",
    "font.ttf",
    "font.otf",
    "img.png",
    "img.bmp",
    "i.ico",
    "a.rtf",
    "f.xhtml",
    "f.rss",
    "f.atom",
    "a.ics",
    "v.vtt",
    "x.xsl",
    "t.ts",
    "a.gz",
    "doc.pdf",
    "noext",
    "a.unknownext",
];

/// Names that need care, each with its content, how often.
const LISTING: [(&str, &str, usize); 29] = [
    ("b.txt", "b", 1),
    ("A.txt", "a", 1234),
    ("c10.txt", "c", 1_234_567),
    ("c9.txt", "c", 1),
    ("index2.html", "x", 1),
    (".hidden.txt", "h", 1),
    ("sp ace.txt", "s", 1),
    ("per%cent.txt", "p", 1),
    ("ha#sh.txt", "h", 1),
    ("que?ry.txt", "q", 1),
    ("amp&lt;.txt", "a", 1),
    ("a<b>.txt", "l", 1),
    ("quo\"te'.txt", "q", 1),
    ("\u{fc}ml\u{e4}ut.txt", "u", 1),
    ("\u{65e5}\u{672c}.txt", "j", 1),
    ("noext", "n", 1),
    ("emo\u{1f600}ji.txt", "e", 1),
    ("plus+.txt", "p", 1),
    ("semi;colon.txt", "s", 1),
    ("back\\slash.txt", "b", 1),
    ("zdir/inside.txt", "i", 1),
    ("Adir/inside.txt", "i", 1),
    ("sub dir/inside.txt", "i", 1),
    (".hid/inside.txt", "i", 1),
    ("empty/", "", 1),
    ("zdir/deep/er/x.txt", "x", 1),
    ("withindex/index.html", "<h1>index</h1>", 1),
    ("a&b/x.txt", "x", 1),
    ("zdir/", "", 1),
];

/// Folders with default files, each of which holds its own name.
const DEFAULTS: [(&str, &str); 14] = [
    ("all/default.htm", "default.htm"),
    ("all/default.html", "default.html"),
    ("all/index.htm", "index.htm"),
    ("all/index.html", "index.html"),
    ("three/default.html", "default.html"),
    ("three/index.htm", "index.htm"),
    ("three/index.html", "index.html"),
    ("two/index.htm", "index.htm"),
    ("two/index.html", "index.html"),
    ("one/index.html", "index.html"),
    ("caps/INDEX.HTML", "caps"),
    ("none/x.txt", "x"),
    ("dirnamed/index.html/x.txt", "x"),
    ("index.html", "root"),
];

/// Makes the files of a kind below `root`.
///
/// # Errors
/// When one cannot be made.
pub(super) fn make(root: &Path, kind: &str) -> io::Result<()> {
    fs::create_dir_all(root)?;
    let put = |name: &str, content: &[u8]| {
        let path = root.join(name);
        if name.ends_with('/') {
            return fs::create_dir_all(path);
        }
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, content)
    };
    match kind {
        "types" => {
            TYPES.iter().try_for_each(|name| put(name, &text()))?;
            put("tiny.txt", b"abc")?;
            put("one.txt", b"a")?;
            put("empty.txt", b"")?;
            put("big.txt", &text().repeat(60))?;
        }
        "listing" => {
            let one = |(name, content, times): &(&str, &str, usize)| {
                put(name, content.repeat(*times).as_bytes())
            };
            LISTING.iter().try_for_each(one)?;
        }
        "defaults" => {
            DEFAULTS.iter().try_for_each(|(name, content)| put(name, content.as_bytes()))?;
        }
        "spa" => put("index.html", b"<h1>home</h1>")?,
        other => return Err(io::Error::other(format!("nobody here knows the files `{other}`"))),
    }
    date(root)?;
    if kind == "listing" {
        for (target, name) in
            [("b.txt", "link.txt"), ("nowhere", "broken.txt"), ("zdir", "linkdir")]
        {
            symlink(target, root.join(name))?;
        }
    }
    date_one(root)
}

/// Gives everything below a folder its time.
fn date(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            date(&path)?;
        }
        date_one(&path)?;
    }
    Ok(())
}

fn date_one(path: &Path) -> io::Result<()> {
    let time = SystemTime::UNIX_EPOCH + TIME;
    File::open(path)?.set_times(FileTimes::new().set_modified(time).set_accessed(time))
}
