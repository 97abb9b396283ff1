//! Every way in which a file can become another one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

/// How long a change may take to be noticed before the test is given up.
const LIMIT: Duration = Duration::from_secs(60);

struct Stage {
    folder: tempfile::TempDir,
    kind: Kind,
    watcher: Watcher,
    changes: UnboundedReceiver<()>,
}

impl Stage {
    fn new(mode: Mode, kind: Kind, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let path = folder.path().join("a.json");
        // As if it had been read long after it was written.
        let since = SystemTime::now() + Duration::from_secs(3600);
        let files = found(vec![Watched { path, kind }], since);
        let (watcher, changes, _) = Watcher::start(mode, files).unwrap();
        Self { folder, kind, watcher, changes }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for a change to be told.
    fn noticed(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let noticed = runtime
            .unwrap()
            .block_on(async { tokio::time::timeout(LIMIT, self.changes.recv()).await });
        assert_eq!(noticed, Ok(Some(())), "nothing was noticed");
    }

    /// Watches `marker`, too. The thread has come to the present when it has told of it.
    fn settled(&mut self) {
        let marker = self.path("marker");
        fs::write(&marker, "").unwrap();
        let mut files = vec![Watched { path: marker, kind: Kind::Configuration }];
        files.push(Watched { path: self.path("a.json"), kind: self.kind });
        self.watcher.watch(found(files, SystemTime::UNIX_EPOCH));
        self.noticed();
    }
}

fn kubernetes(root: &Path) {
    for version in ["..1", "..2"] {
        fs::create_dir(root.join(version)).unwrap();
        fs::write(root.join(version).join("a.json"), "{}").unwrap();
    }
    symlink("..1", root.join("..data")).unwrap();
    symlink("..data/a.json", root.join("a.json")).unwrap();
}

type Edit = fn(&Path);

#[test]
fn every_way_to_change_a_file_is_noticed() {
    let plain: Edit = |root| fs::write(root.join("a.json"), "{}").unwrap();
    let cases: [(&str, Edit, Edit); 7] = [
        ("written in place", plain, |root| fs::write(root.join("a.json"), "{ }").unwrap()),
        ("renamed over", plain, |root| {
            fs::write(root.join("b"), "{}").unwrap();
            fs::rename(root.join("b"), root.join("a.json")).unwrap();
        }),
        ("removed", plain, |root| fs::remove_file(root.join("a.json")).unwrap()),
        ("made", |_| {}, |root| fs::write(root.join("a.json"), "{}").unwrap()),
        ("a link that is swapped", kubernetes, |root| {
            symlink("..2", root.join("..tmp")).unwrap();
            fs::rename(root.join("..tmp"), root.join("..data")).unwrap();
        }),
        ("a link that is made anew", kubernetes, |root| {
            fs::remove_file(root.join("..data")).unwrap();
            symlink("..2", root.join("..data")).unwrap();
        }),
        ("the file behind two links", kubernetes, |root| {
            fs::write(root.join("..1/a.json"), "{ }").unwrap();
        }),
    ];
    let is_noticed = |mode, what: &str, prepare: Edit, edit: Edit| {
        let mut stage = Stage::new(mode, Kind::Configuration, prepare);
        stage.settled();
        edit(stage.folder.path());
        stage.noticed();
        // The next change is noticed, too.
        if what.starts_with("a link") {
            fs::write(stage.path("..2/a.json"), "{  }").unwrap();
            stage.noticed();
        }
    };
    thread::scope(|scope| {
        for mode in [Mode::Events, Mode::Polling] {
            for (what, prepare, edit) in cases {
                thread::Builder::new()
                    .name(format!("{what}, {mode:?}"))
                    .spawn_scoped(scope, move || is_noticed(mode, what, prepare, edit))
                    .unwrap();
            }
        }
    });
}

#[test]
fn a_certificate_that_is_removed_is_told_of_once_it_is_back() {
    let plain: Edit = |root| fs::write(root.join("a.json"), "1").unwrap();
    let mut stage = Stage::new(Mode::Events, Kind::Certificate, plain);
    stage.settled();
    fs::remove_file(stage.path("a.json")).unwrap();
    // What is told is the marker; the certificate is seen to be gone by then.
    fs::write(stage.path("marker"), "1").unwrap();
    stage.noticed();
    fs::write(stage.path("a.json"), "1").unwrap();
    stage.noticed();
    assert!(stage.changes.try_recv().is_err(), "one for each");
}

#[test]
fn what_happens_beside_the_file_is_not_told() {
    let plain: Edit = |root| fs::write(root.join("a.json"), "1").unwrap();
    let mut stage = Stage::new(Mode::Events, Kind::Configuration, plain);
    stage.settled();
    for length in 1..100 {
        fs::write(stage.path("app.log"), "x".repeat(length)).unwrap();
        fs::read(stage.path("a.json")).unwrap();
    }
    fs::write(stage.path("a.json"), "2").unwrap();
    stage.noticed();
    assert!(stage.changes.try_recv().is_err(), "once");
}

/// A reload ends with the files it has read. What changed since is told, though the files are what
/// they are now.
#[test]
fn what_changes_while_files_are_read_again_is_not_forgotten() {
    let plain: Edit = |root| fs::write(root.join("a.json"), "1").unwrap();
    for mode in [Mode::Events, Mode::Polling] {
        let mut stage = Stage::new(mode, Kind::Configuration, plain);
        stage.settled();
        fs::write(stage.path("a.json"), "12").unwrap();
        let files = [stage.path("a.json"), stage.path("marker")];
        let files = files.map(|path| Watched { path, kind: Kind::Configuration });
        // As if the reading had begun before the change, and were over now.
        let since = SystemTime::now() + Duration::from_secs(3600);
        stage.watcher.watch(found(files.into(), since));
        stage.noticed();
    }
}
