//! Chromium and Firefox trust what their databases say, which `certutil` of NSS edits.

use std::path::{Path, PathBuf};

use super::super::certificate::DevelopmentCertificate;
use super::super::programs::Program;
use super::super::report::Report;
use super::nickname::nickname;
use crate::tls::places::Places;

const VARIABLE: &str = "DOTNET_DEV_CERTS_NSSDB_PATHS";

/// One database: a folder.
#[derive(Debug, PartialEq, Eq)]
struct Database {
    path: PathBuf,
    browser: Browser,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Browser {
    Chromium,
    Firefox,
}

impl Browser {
    fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
        }
    }

    /// What a certificate must be marked as, so that this browser takes it: a trusted peer for
    /// Chromium; Firefox knows none, and wants an authority.
    fn mark(self) -> &'static str {
        match self {
            Self::Chromium => "P,,",
            Self::Firefox => "C,,",
        }
    }
}

impl Database {
    fn at(path: PathBuf) -> Self {
        let firefox = path.to_string_lossy().contains("/.mozilla/firefox/");
        let browser = if firefox { Browser::Firefox } else { Browser::Chromium };
        Self { path, browser }
    }

    /// Runs `certutil` on it, and returns what it said if all went well.
    fn run(&self, certutil: &Program, arguments: &[&str]) -> Option<String> {
        let mut database = std::ffi::OsString::from("sql:");
        database.push(&self.path);
        let start = [std::ffi::OsStr::new("-d"), &database];
        certutil.run(start.into_iter().chain(arguments.iter().map(std::ffi::OsStr::new)))
    }

    /// What it marks a certificate as; `None` if it has it not.
    ///
    /// It is not asked whether it takes the certificate for a server's: of one that is marked as
    /// an authority and is none it says no, and Firefox says yes.
    fn mark_of(&self, certutil: &Program, nickname: &str) -> Option<String> {
        let list = self.run(certutil, &["-L"])?;
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(nickname))?;
        Some(line.split_whitespace().next_back()?.to_owned())
    }
}

/// Whether the first of the marks, which is about servers, is one of trust.
fn is_trust(marks: &str) -> bool {
    marks.split(',').next().is_some_and(|servers| servers.contains(['P', 'C', 'T']))
}

/// For each database, whether it trusts a certificate; one answer for all where they cannot be
/// asked.
pub(super) fn trust_levels(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> Vec<bool> {
    let databases = databases(places, report);
    let Some(certutil) = program(places, &databases, report) else {
        return if databases.is_empty() { Vec::new() } else { vec![false] };
    };
    let nickname = nickname(certificate);
    let ask = |database: &Database| {
        let trusted = database.mark_of(&certutil, &nickname).is_some_and(|marks| is_trust(&marks));
        if !trusted {
            report.step(
                77,
                format!(
                    "The certificate is not trusted in the NSS database in '{}'. This will likely affect the {} family of browsers.",
                    database.path.display(),
                    database.browser.name()
                ),
            );
        }
        trusted
    };
    databases.iter().map(ask).collect()
}

/// Puts a certificate into all databases; `file` has it in PEM form. `false` if one refuses.
pub(super) fn trust(
    places: &Places,
    certificate: &DevelopmentCertificate,
    file: &Path,
    report: &mut Report,
) -> bool {
    let databases = databases(places, report);
    let certutil = program(places, &databases, report);
    let nickname = nickname(certificate);
    let file = file.to_string_lossy();
    let mut all = true;
    for database in &databases {
        let (shown, browser) = (database.path.display(), database.browser.name());
        let failed = format!(
            "Failed to trust the certificate in the NSS database in '{shown}'. This will likely affect the {browser} family of browsers."
        );
        let arguments = ["-A", "-n", &nickname, "-t", database.browser.mark(), "-i", &file];
        let Some(certutil) = certutil.as_ref().filter(|c| database.run(c, &arguments).is_some())
        else {
            report.drawback(90, failed);
            all = false;
            continue;
        };
        if database.mark_of(certutil, &nickname).is_some() {
            report.step(91, format!("Trusted the certificate in the NSS database in '{shown}'."));
        } else {
            // It keeps the first name of a certificate.
            report.drawback(
                103,
                format!("{failed} This likely indicates that the database already contains an entry for the certificate under a different name. Please remove it and try again."),
            );
            all = false;
        }
    }
    all
}

/// Takes a certificate out of all databases; `false` if one keeps it.
pub(super) fn withdraw(
    places: &Places,
    certificate: &DevelopmentCertificate,
    report: &mut Report,
) -> bool {
    let databases = databases(places, report);
    let certutil = program(places, &databases, report);
    let nickname = nickname(certificate);
    let mut all = true;
    for database in databases {
        let shown = database.path.display();
        // It may never have had it, in which case the program has nothing to remove.
        let gone = certutil.as_ref().is_some_and(|certutil| {
            database.run(certutil, &["-D", "-n", &nickname]).is_some()
                || database.mark_of(certutil, &nickname).is_none()
        });
        if gone {
            report.step(96, format!("Removed the certificate from the NSS database in '{shown}'."));
        } else {
            report.drawback(
                95,
                format!("Failed to remove the certificate from the NSS database in '{shown}'."),
            );
            all = false;
        }
    }
    all
}

fn program(places: &Places, databases: &[Database], report: &mut Report) -> Option<Program> {
    if databases.is_empty() {
        return None;
    }
    let program = Program::find(places, "certutil");
    if program.is_none() {
        report.drawback(
            106,
            "The certutil command is unavailable.  It is required for querying and updating NSS databases, which are chiefly used to trust certificates in browsers.",
        );
        report.fix("install it (Debian: apt-get install libnss3-tools), and put it on PATH");
    }
    program
}

/// The databases there are: those that a variable names, else those of the known browsers.
fn databases(places: &Places, report: &mut Report) -> Vec<Database> {
    if let Some(list) = &places.nss_databases {
        report.step(73, format!("Reading NSS database locations from {VARIABLE}."));
        let named = std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty());
        return named
            .filter(|path| {
                let there = path.is_dir();
                if !there {
                    let shown = path.display();
                    report.step(
                        74,
                        format!(
                            "The NSS database '{shown}' provided via {VARIABLE} does not exist."
                        ),
                    );
                }
                there
            })
            .map(Database::at)
            .collect();
    }
    let chromium = [".pki/nssdb", "snap/chromium/current/.pki/nssdb"];
    let firefox = [".mozilla/firefox", "snap/firefox/common/.mozilla/firefox"];
    let mut found: Vec<Database> = chromium
        .iter()
        .map(|folder| places.home.join(folder))
        .filter(|folder| folder.is_dir())
        .map(|path| Database { path, browser: Browser::Chromium })
        .collect();
    for folder in firefox {
        let folder = places.home.join(folder);
        if !folder.is_dir() {
            continue;
        }
        let mut profiles: Vec<PathBuf> = match std::fs::read_dir(&folder) {
            Ok(profiles) => profiles.flatten().map(|profile| profile.path()).collect(),
            Err(error) => {
                let shown = folder.display();
                report.step(
                    101,
                    format!("Failed to find the Firefox profiles in directory '{shown}': {error}."),
                );
                continue;
            }
        };
        profiles.retain(|path| path.is_dir() && is_default_profile(path));
        if profiles.is_empty() {
            report.step(
                102,
                format!("No Firefox profiles found in directory '{}'.", folder.display()),
            );
        }
        // Those of the release channels come last, as in .NET.
        profiles.sort_by_key(|path| (!path.to_string_lossy().ends_with(".default"), path.clone()));
        found.extend(profiles.into_iter().map(|path| Database { path, browser: Browser::Firefox }));
    }
    found
}

/// Firefox names profiles `{random}.default`, `{random}.default-release` and so on.
fn is_default_profile(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".default") || name.contains(".default-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_about_servers_are_trust() {
        for (marks, expected) in [
            ("P,,", true),
            ("C,,", true),
            ("CT,C,C", true),
            ("p,,", false),
            (",,", false),
            (",P,", false),
            ("u,u,u", false),
        ] {
            assert_eq!(is_trust(marks), expected, "{marks}");
        }
    }

    #[test]
    fn databases_are_found_where_browsers_keep_them() {
        let home = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = home.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let chromium = folder(".pki/nssdb");
        let firefox = folder(".mozilla/firefox/abcd.default-release");
        folder(".mozilla/firefox/Crash Reports");
        folder(".mozilla/firefox/old.default.bak");
        let snap = folder("snap/firefox/common/.mozilla/firefox/b.default-esr");
        let first = folder("snap/firefox/common/.mozilla/firefox/z.default");
        let mut places = Places { home: home.path().to_owned(), ..Places::default() };
        let mut report = Report::new(true, false);
        assert_eq!(
            databases(&places, &mut report),
            [
                Database { path: chromium.clone(), browser: Browser::Chromium },
                Database { path: firefox.clone(), browser: Browser::Firefox },
                Database { path: first, browser: Browser::Firefox },
                Database { path: snap, browser: Browser::Firefox },
            ]
        );
        let other = folder("my.mozilla/firefox-copy");
        places.nss_databases = Some(format!("{}:/missing::{}", firefox.display(), other.display()));
        assert_eq!(
            databases(&places, &mut report),
            [
                Database { path: firefox, browser: Browser::Firefox },
                Database { path: other, browser: Browser::Chromium },
            ]
        );
        assert!(
            report
                .lines()
                .iter()
                .any(|(_, line)| line.starts_with("[74] The NSS database '/missing'"))
        );
    }
}
