use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;

/// A root with files, and beside it what nobody may see.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("sub/deep")).unwrap();
        fs::write(root.join("a.txt"), "inside").unwrap();
        fs::write(root.join("sub/b.txt"), "inside").unwrap();
        fs::write(folder.path().join("secret.txt"), "outside").unwrap();
        for (link, target) in [
            ("out.txt", "../secret.txt".to_owned()),
            ("out-absolute.txt", folder.path().join("secret.txt").display().to_string()),
            ("out", "..".to_owned()),
            ("in.txt", "sub/b.txt".to_owned()),
            ("sub/up.txt", "../a.txt".to_owned()),
            ("in-absolute.txt", root.join("sub/b.txt").display().to_string()),
            ("folder", "sub".to_owned()),
            ("loop", "loop".to_owned()),
            ("gone.txt", "nowhere".to_owned()),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        Self { folder }
    }

    fn root(&self) -> Root {
        Root::new(self.folder.path().join("root"))
    }
}

/// What a way of opening finds, in words.
fn seen(found: Result<Found, MustWait>) -> String {
    match found.expect("an answer without a wait") {
        Found::File(mut it) => {
            let mut text = String::new();
            it.file.read_to_string(&mut text).unwrap();
            assert_eq!(it.length, text.len() as u64);
            text
        }
        Found::Folder(_) => "folder".to_owned(),
        Found::Nothing => "nothing".to_owned(),
        Found::Refused(error) => error.to_string(),
    }
}

/// The same by the checked walk alone, as where there is no such call.
fn walked(root: &Root, relative: &str) -> String {
    seen(Ok(match walk::open(root.path(), relative) {
        Ok(Some(walk::Walked::File(file))) => found(Ok(Some(file))),
        Ok(Some(walk::Walked::Folder(folder))) => Found::Folder(folder),
        Ok(None) => Found::Nothing,
        Err(error) => found(Err(error)),
    }))
}

#[test]
fn links_are_followed_as_long_as_they_stay_inside() {
    let house = House::new();
    let root = house.root();
    for (path, expected) in [
        ("", "folder"),
        ("a.txt", "inside"),
        ("sub/b.txt", "inside"),
        ("sub", "folder"),
        ("folder/b.txt", "inside"),
        ("in.txt", "inside"),
        ("in-absolute.txt", "inside"),
        ("sub/up.txt", "inside"),
        ("out.txt", "nothing"),
        ("out-absolute.txt", "nothing"),
        ("out", "nothing"),
        ("out/secret.txt", "nothing"),
        // Out and in again is inside.
        ("out/root/a.txt", "inside"),
        ("loop", "nothing"),
        ("gone.txt", "nothing"),
        ("a.txt/x", "nothing"),
        ("missing", "nothing"),
    ] {
        assert_eq!(seen(root.open(path, Wait::Yes)), expected, "{path}");
        assert_eq!(walked(&root, path), expected, "{path}, walked to");
    }
    let long = "x".repeat(5000);
    assert_eq!(seen(root.open(&long, Wait::Yes)), "nothing");
    assert_eq!(walked(&root, &long), "nothing");
}

#[test]
fn no_link_leads_to_what_is_hidden() {
    let house = House::new();
    let root = house.root();
    let top = house.folder.path().join("root");
    let volume = "..2026_11_29_10_00_05.123";
    for folder in [".git", "sub/.hidden", ".well-known", volume] {
        fs::create_dir(top.join(folder)).unwrap();
        fs::write(top.join(folder).join("x.txt"), folder).unwrap();
    }
    fs::write(top.join(".env"), "secret").unwrap();
    for (link, target) in [
        ("git", ".git".to_owned()),
        ("x.txt", ".git/x.txt".to_owned()),
        ("env", ".env".to_owned()),
        ("absolute", top.join(".git").display().to_string()),
        ("deep", "sub/.hidden".to_owned()),
        ("again", "git".to_owned()),
        ("known", ".well-known".to_owned()),
        ("..data", volume.to_owned()),
        ("page.txt", "..data/x.txt".to_owned()),
    ] {
        symlink(target, top.join(link)).unwrap();
    }
    for (path, expected) in [
        ("git", "nothing"),
        ("git/x.txt", "nothing"),
        ("x.txt", "nothing"),
        ("env", "nothing"),
        ("absolute/x.txt", "nothing"),
        ("deep/x.txt", "nothing"),
        ("again/x.txt", "nothing"),
        ("known/x.txt", ".well-known"),
        // As Kubernetes lays out the files of a volume.
        ("page.txt", volume),
    ] {
        assert_eq!(seen(root.open(path, Wait::Yes)), expected, "{path}");
        assert_eq!(walked(&root, path), expected, "{path}, walked to");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_in_memory_is_found_without_a_wait() {
    let house = House::new();
    let root = house.root();
    assert_eq!(seen(root.open("sub/b.txt", Wait::Yes)), "inside");
    assert_eq!(seen(root.open("sub/b.txt", Wait::No)), "inside");
    // Where the link leads is found by a walk, which may wait.
    assert!(root.open("in-absolute.txt", Wait::No).is_err());
}

#[test]
fn a_pipe_is_nothing_and_holds_nobody() {
    let house = House::new();
    let path = house.folder.path().join("root/pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(seen(house.root().open("pipe", Wait::Yes)), "nothing");
    assert_eq!(walked(&house.root(), "pipe"), "nothing");
}

#[test]
fn the_folder_may_become_another_one() {
    let house = House::new();
    let other = house.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.txt"), "other").unwrap();
    let link = house.folder.path().join("current");
    symlink("root", &link).unwrap();
    let root = Root::new(link.clone());
    assert_eq!(seen(root.open("a.txt", Wait::Yes)), "inside");
    fs::remove_file(&link).unwrap();
    symlink("other", &link).unwrap();
    let begin = std::time::Instant::now();
    while seen(root.open("a.txt", Wait::Yes)) == "inside" {
        assert!(begin.elapsed().as_secs() < 30, "it is never looked up anew");
        std::thread::yield_now();
    }
    assert_eq!(seen(root.open("a.txt", Wait::Yes)), "other");
}

proptest! {
    #[test]
    fn no_path_opens_what_lies_outside(path in "((\\.\\.|\\.|sub|out|folder|deep|a\\.txt|secret\\.txt|root|loop|in\\.txt|/)/?){0,8}") {
        let house = House::new();
        let root = house.root();
        prop_assert_ne!(seen(root.open(&path, Wait::Yes)), "outside");
        prop_assert_ne!(walked(&root, &path), "outside");
    }
}
