//! What a case finds when it starts: folders and files, a network with something missing, sockets
//! that are taken.
//!
//! [`Place`] has the case's folders and knows them by their placeholders in both directions.
//! [`network`] and [`take_sockets`] change the network namespace of this process, so they are only
//! for the inside of one.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use super::case::{Case, Content};

/// The folders of a case. The path is short, since those of Unix sockets may have 108 characters.
pub(crate) struct Place {
    pub(crate) work: TempDir,
    pub(crate) root: PathBuf,
    home: PathBuf,
    /// The folder of the program: relative content roots start there.
    base: PathBuf,
}

impl Place {
    pub(crate) fn new(case: &Case, program: &Path) -> Result<Self> {
        let work = tempfile::Builder::new().prefix("kst").rand_bytes(8).tempdir_in("/tmp")?;
        let (root, home) = (work.path().join("app"), work.path().join("home"));
        fs::create_dir(&root)?;
        fs::create_dir(&home)?;
        let base = program.parent().unwrap_or(Path::new("/")).to_owned();
        let place = Self { work, root, home, base };
        place.put_all(&case.files)?;
        for line in &case.setup {
            let done = place
                .tool("sh")
                .arg("-c")
                .arg(place.fill(line))
                .current_dir(&place.root)
                .output()?;
            ensure!(
                done.status.success(),
                "the set-up `{line}` failed: {}",
                String::from_utf8_lossy(&done.stderr).trim()
            );
        }
        Ok(place)
    }

    /// A program that is not under test, in a small environment.
    pub(crate) fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    pub(crate) fn environment(&self) -> [(&'static str, OsString); 4] {
        let path = std::env::var_os("PATH").unwrap_or_default();
        [
            ("PATH", path),
            ("HOME", self.home.clone().into()),
            ("TMPDIR", self.work.path().into()),
            ("LANG", "C.UTF-8".into()),
        ]
    }

    /// Placeholders out, paths in.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{root}", &self.root.to_string_lossy())
            .replace("{home}", &self.home.to_string_lossy())
    }

    /// Paths out, placeholders in.
    pub(crate) fn clean(&self, text: &str) -> String {
        let places = [
            (&self.root, "{root}"),
            (&self.home, "{home}"),
            (&self.work.path().to_owned(), "{work}"),
            (&self.base, "{base}"),
        ];
        places.iter().fold(text.to_owned(), |text, (path, name)| {
            text.replace(&*path.to_string_lossy(), name)
        })
    }

    fn path(&self, path: &str) -> Result<PathBuf> {
        let full = self.root.join(self.fill(path));
        fs::create_dir_all(full.parent().context("a path with a parent")?)?;
        Ok(full)
    }

    /// Puts files in their places at once: whoever reads one sees the old text or the new one.
    pub(crate) fn put_all(&self, files: &[(String, Content)]) -> Result<()> {
        for (path, content) in files {
            let full = self.path(path)?;
            match content {
                Content::Directory => fs::create_dir_all(full)?,
                Content::Text(text) => {
                    let mut beside = full.clone().into_os_string();
                    beside.push(".tmp");
                    fs::write(&beside, self.fill(text))?;
                    fs::rename(beside, full)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn write_all(&self, files: &[(String, Content)]) -> Result<()> {
        for (path, content) in files {
            let Content::Text(text) = content else {
                bail!("{path}: a folder is not written in place")
            };
            fs::write(self.path(path)?, text)?;
        }
        Ok(())
    }

    /// The texts of files in the content root; null where there is none.
    pub(crate) fn texts(&self, names: &[String]) -> Value {
        let text = |name: &String| {
            fs::read(self.root.join(name))
                .ok()
                .map(|text| self.clean(&String::from_utf8_lossy(&text)))
        };
        names.iter().map(|name| (name.clone(), json!(text(name)))).collect()
    }

    /// Everything in the content root that is no folder.
    pub(crate) fn left_files(&self) -> Result<Vec<String>> {
        let (mut files, mut folders) = (Vec::new(), vec![self.root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(
                        entry.path().strip_prefix(&self.root)?.to_string_lossy().into_owned(),
                    );
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Switches the loopback on, and off what the case wants to be missing.
pub(crate) fn network(net: &str) -> Result<()> {
    let ip = |arguments: &[&str]| -> Result<()> {
        ensure!(
            Command::new("ip").args(arguments).status()?.success(),
            "ip {} failed",
            arguments.join(" ")
        );
        Ok(())
    };
    ip(&["link", "set", "lo", "up"])?;
    match net {
        "" | "dual" => Ok(()),
        "no-ipv6" => ["all", "default", "lo"].iter().try_for_each(|interface| {
            let file = format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6");
            fs::write(&file, "1").with_context(|| format!("writing {file}"))
        }),
        "no-ipv4-loopback" => ip(&["addr", "del", "127.0.0.1/8", "dev", "lo"]),
        other => bail!("nobody here knows the network `{other}`"),
    }
}

/// Sockets that are in the host's way, and how `ss` writes their addresses.
pub(crate) struct Taken {
    /// Nobody reads these; they are open as long as this value lives.
    _held: Vec<OwnedFd>,
    pub(crate) addresses: Vec<String>,
}

pub(crate) fn take_sockets(case: &Case, place: &Place) -> Result<Taken> {
    let (mut held, mut addresses) = (Vec::<OwnedFd>::new(), Vec::new());
    for occupied in &case.occupy {
        let (kind, address) = occupied.split_once(':').context("KIND:ADDRESS")?;
        if kind == "unix" {
            held.push(UnixListener::bind(place.fill(address))?.into());
            continue;
        }
        let (host, port) = address.rsplit_once(':').context("HOST:PORT")?;
        let host: IpAddr = host.trim_matches(['[', ']']).parse()?;
        let address = SocketAddr::new(host, port.parse()?);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        match kind {
            "tcp4" | "tcp6dual" => {}
            "tcp6" => socket.set_only_v6(true)?,
            other => bail!("nobody here knows the socket kind `{other}`"),
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(1)?;
        held.push(socket.into());
        // `ss` writes a dual-mode [::] as `*`, so it does not count as taken, and the recordings
        // show it.
        addresses.push(address.to_string());
    }
    Ok(Taken { _held: held, addresses })
}
