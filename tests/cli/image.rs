//! The image that docs/deployment.md has a Dockerfile for: its files, and nothing else, are the root of a process
//! with its user, its variables and its command.
//!
//! The binary in it is built by `cargo build --locked --target x86_64-unknown-linux-musl --bin kestrel`.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::{no_musl, skipped};
use crate::http::{connect, get, get_of};
use crate::process::Kestrel;

const DOCUMENT: &str = include_str!("../../docs/deployment.md");

/// Where certificates are on the machine that builds the image, and on this one.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What a Dockerfile says of how its image runs.
#[derive(Debug, Default)]
struct Image {
    folder: String,
    user: String,
    variables: Vec<(String, String)>,
    command: Vec<String>,
}

/// Where a build for musl puts it.
fn program() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    target.join("x86_64-unknown-linux-musl/debug/kestrel")
}

/// Makes what the last stage of a Dockerfile does, from a folder of sources.
fn build(dockerfile: &str, sources: &Path, root: &Path) -> Image {
    let (_, last) = dockerfile.split_once("FROM scratch\n").expect("it begins with nothing");
    let mut image = Image::default();
    for line in last.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').expect(line);
        match word {
            "COPY" => {
                let (from, to) = match rest.strip_prefix("--from=build ") {
                    Some(built) => {
                        let (from, to) = built.split_once(' ').expect(line);
                        match from == CERTIFICATES {
                            true => (PathBuf::from(from), to),
                            false => {
                                assert!(from.ends_with("-linux-musl/release/kestrel"), "{line}");
                                (program(), to)
                            }
                        }
                    }
                    None => {
                        let (from, to) = rest.split_once(' ').expect(line);
                        (sources.join(from), to)
                    }
                };
                let to = Path::new(&image.folder).join(to.trim_start_matches("./"));
                copy(&from, &root.join(to.strip_prefix("/").expect(line)));
            }
            "WORKDIR" => rest.clone_into(&mut image.folder),
            "USER" => rest.clone_into(&mut image.user),
            "ENV" => {
                let (name, value) = rest.split_once('=').expect(line);
                image.variables.push((name.to_owned(), value.to_owned()));
            }
            "EXPOSE" => assert_eq!(rest, "8080"),
            "ENTRYPOINT" => image.command = serde_json::from_str(rest).expect(line),
            _ => panic!("{line}"),
        }
    }
    image
}

/// Copies a file, or a folder of files, to a path; or into the folder that it names.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a new folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let path = entry.expect("an entry").path();
            copy(&path, &to.join(path.file_name().expect("a name")));
        }
        return;
    }
    let name = from.file_name().expect("a name");
    let to = if to.ends_with(name) { to.to_owned() } else { to.join(name) };
    fs::create_dir_all(to.parent().expect("a folder")).expect("folders");
    fs::copy(from, to).expect("a file");
}

#[test]
fn the_image_of_the_document_serves_a_site_with_nothing_else_in_it() {
    if no_musl() {
        return;
    }
    let needs = match () {
        () if !program().is_file() => {
            "kestrel for musl (apt-get install musl-tools; rustup target add x86_64-unknown-linux-musl; \
             cargo build --locked --target x86_64-unknown-linux-musl --bin kestrel)"
        }
        () if !nix::unistd::Uid::effective().is_root() => "root",
        () if !Path::new(CERTIFICATES).exists() => "apt-get install ca-certificates",
        () => "",
    };
    if !needs.is_empty() {
        return skipped("an image", needs);
    }
    let start = DOCUMENT.find("```dockerfile\n").expect("a Dockerfile");
    let dockerfile = DOCUMENT[start..].split("```").nth(1).expect("its end");
    let sources = tempfile::tempdir().expect("a folder");
    fs::create_dir(sources.path().join("wwwroot")).expect("a folder");
    fs::write(sources.path().join("wwwroot/index.html"), "in an image\n").expect("a file");
    fs::write(sources.path().join("appsettings.json"), r#"{ "AllowedHosts": "a.test" }"#)
        .expect("a file");
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    let image = build(dockerfile, sources.path(), &root);
    // Whoever it runs as has to reach it.
    chown(folder.path(), Some(65532), Some(65532)).expect("root may");

    let mut command = Command::new("/usr/bin/unshare");
    let (user, group) = image.user.split_once(':').expect("a user and a group");
    command.arg("--root").arg(&root).args(["--wd", &image.folder]);
    command.args(["--setuid", user, "--setgid", group]).args(&image.command);
    let mut kestrel = Kestrel::by(command);
    for (name, value) in &image.variables {
        let value = match &**name {
            "ASPNETCORE_HTTP_PORTS" => {
                assert_eq!(value, "8080", "the port that is exposed");
                "0"
            }
            _ => value,
        };
        kestrel = kestrel.variable(name, value);
    }
    let running = kestrel.started();
    let address = running.address();
    let port = address.rsplit(':').next().expect("a port");
    assert_eq!(address, format!("http://[::]:{port}"));
    let address = format!("http://127.0.0.1:{port}");
    let answer = get(&address, "/", &[]);
    assert_eq!((answer.status, &*answer.body), (200, "in an image\n"), "{}", answer.head);
    // Its settings are read as well.
    assert_eq!(get_of(connect(&address), "b.test", "/", &[]).status, 400);
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).expect("it runs");
    assert!(status.contains(&format!("\nUid:\t{user}\t{user}\t{user}\t{user}\n")), "{status}");
    let outcome = running.terminated();
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
}
