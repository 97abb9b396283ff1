//! The development certificate: one that signs itself, for `localhost`, kept where .NET keeps its
//! own, so that either tool finds what the other made.
//!
//! [`find`] is what a host asks for https endpoints without a certificate of their own. All else is the tool `kestrel dev-certs https`: it makes,
//! checks, trusts, exports, imports and removes certificates as `dotnet dev-certs https` does.
//!
//! In go [`Places`], which say where things are, and the time; nothing here looks at the process
//! or the clock. What comes out is told in a report; printing it is the command line's business.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "the tool, a part of the command line, uses the rest")
)]

mod certificate;
mod export;
mod file;
#[cfg(any(feature = "cli", test))]
mod generate;
mod programs;
mod report;
mod store;
#[cfg(any(feature = "cli", test))]
mod tool;
mod trust;

use std::cmp::Reverse;
use std::io;
use std::time::SystemTime;

use certificate::{DevelopmentCertificate, MINIMUM_VERSION};
use store::Store;

#[cfg(feature = "cli")]
pub(crate) use report::{Report, Stream};
#[cfg(feature = "cli")]
pub(crate) use tool::{Surroundings, run};
pub(crate) use trust::Trust;

use crate::tls::certificate::thumbprint;
use crate::tls::places::Places;
use crate::tls::user::user;

/// The certificate a server takes if it is given none.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The certificate, then its issuers as far as they are known, in DER form.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// The private key, in PKCS#8 DER form.
    pub(crate) key: Vec<u8>,
    /// Who trusts it.
    pub(crate) trust: Trust,
    /// The command that those wait for who do not trust it, where it has been given to all already.
    pub(crate) trust_command: Option<String>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = self.certificates.first().map(|der| thumbprint(der));
        f.debug_struct("Found").field("first", &first).field("trust", &self.trust).finish()
    }
}

/// The certificate of the user's store that .NET's servers would take: of those that are valid
/// now and new enough, the one of the highest version. Of several of that version it is the one that
/// the folder lists first, as in .NET. Subject, names and the kind of key do not count.
///
/// It reads files, and runs `certutil` if there are browsers: not to be called by what must not
/// wait.
pub(crate) fn find(places: &Places, now: SystemTime) -> Option<Found> {
    let store = Store::personal(places);
    let mut entries = store.entries();
    entries.retain(|entry| {
        entry.key.is_some()
            && entry.certificate.version >= MINIMUM_VERSION
            && entry.certificate.is_valid_at(now)
    });
    let best = entries.into_iter().min_by_key(|entry| Reverse(entry.certificate.version))?;
    let trust = trust::level(places, &best.certificate, now, &mut report::Report::silent());
    let left = || trust::command_that_is_left(places, &best.certificate);
    let trust_command = (trust == Trust::Partial).then(left).flatten();
    Some(Found { certificates: best.chain, key: best.key?, trust, trust_command })
}

/// Why [`find`] found nothing in the user's store, in words.
pub(crate) fn why_none(places: &Places, now: SystemTime) -> String {
    let store = Store::personal(places);
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => format!("unreadable by the {}", user()),
        _ => format!("unreadable: {error}"),
    };
    let contents = match store.contents() {
        Ok(contents) => contents,
        Err(error) => return unreadable(&error),
    };
    if let Some((path, error)) = contents.unread.first() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return format!("{name} in it is {}", unreadable(error));
    }
    // Of several, the one that was good last.
    let last = contents.entries.iter().max_by_key(|entry| entry.certificate.dates(' ').1);
    match last {
        None if store.folder().exists() => "no development certificate in it".to_owned(),
        None => "missing".to_owned(),
        Some(entry) if entry.key.is_none() => "its certificate has no private key".to_owned(),
        Some(entry) if !entry.certificate.is_valid_at(now) => {
            let (from, to) = entry.certificate.dates(' ');
            match entry.certificate.has_begun_at(now) {
                true => format!("expired on {to} UTC"),
                false => format!("not valid before {from} UTC"),
            }
        }
        Some(entry) if entry.certificate.version < MINIMUM_VERSION => {
            format!("its certificate is of an old version ({})", entry.certificate.version)
        }
        Some(_) => "its certificate cannot be served".to_owned(),
    }
}

/// Whether a certificate has the mark of a development certificate; its version and its dates do
/// not count.
pub(crate) fn is_development_certificate(der: &[u8]) -> bool {
    DevelopmentCertificate::read(der).is_some()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::generate::of_version;
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    /// A home with a store of certificates, each of a version and made on a day before today.
    fn home(certificates: &[(u8, u32)]) -> (tempfile::TempDir, Places, Vec<Vec<u8>>) {
        let home = tempfile::tempdir().unwrap();
        let places = Places { home: home.path().to_owned(), ..Places::default() };
        let made = certificates
            .iter()
            .map(|(version, days)| {
                let made = of_version(*version, now() - DAY * *days).unwrap();
                let chain = [made.certificate];
                Store::personal(&places).save(&chain, Some(&made.key)).unwrap();
                chain.into_iter().next().unwrap()
            })
            .collect();
        (home, places, made)
    }

    #[test]
    fn the_highest_version_is_taken() {
        for (certificates, expected) in [
            (&[][..], None),
            (&[(6, 1)], Some(0)),
            (&[(4, 1)], Some(0)),
            (&[(3, 1)], None),
            (&[(6, 400)], None),
            (&[(4, 1), (6, 9)], Some(1)),
            (&[(7, 9), (6, 1)], Some(0)),
            (&[(6, 400), (5, 2)], Some(1)),
        ] {
            let (_home, places, made) = home(certificates);
            let found = find(&places, now()).map(|found| found.certificates[0].clone());
            assert_eq!(found, expected.map(|place: usize| made[place].clone()), "{certificates:?}");
        }
    }

    #[test]
    fn of_equal_versions_the_one_that_the_folder_lists_first_is_taken() {
        let (_home, places, _) = home(&[(6, 1), (4, 1), (6, 2), (6, 3)]);
        let listed = std::fs::read_dir(places.store("My")).unwrap().flatten();
        let expected = listed
            .filter_map(|file| crate::tls::pfx::read(&std::fs::read(file.path()).unwrap(), "").ok())
            .find(|identity| {
                DevelopmentCertificate::read(&identity.certificates[0]).unwrap().version == 6
            })
            .unwrap();
        assert_eq!(find(&places, now()).unwrap().certificates, expected.certificates);
    }

    #[test]
    fn what_is_not_valid_yet_or_not_readable_is_left_out() {
        let (_home, places, _) = home(&[(6, 1)]);
        assert_eq!(find(&places, now() - DAY * 2), None);
        let broken = places.store("My").join("broken.pfx");
        std::fs::write(broken, "junk").unwrap();
        assert!(find(&places, now()).is_some());
    }

    #[test]
    fn why_there_is_none_is_told() {
        for (certificates, told) in [
            (&[][..], "missing"),
            (&[(6, 400)], "expired on 2026-12-1"),
            (&[(6, 900), (6, 400)], "expired on 2026-12-1"),
            (&[(3, 1)], "its certificate is of an old version (3)"),
        ] {
            let (_home, places, _) = home(certificates);
            let why = why_none(&places, now());
            assert!(why.starts_with(told), "{certificates:?}: {why}");
        }
        let (_home, places, made) = home(&[(6, 1)]);
        assert!(why_none(&places, now() - DAY * 2).starts_with("not valid before 2027-01-1"));
        let store = places.store("My");
        std::fs::remove_file(store.join(format!("{}.pfx", thumbprint(&made[0])))).unwrap();
        assert_eq!(why_none(&places, now()), "no development certificate in it");
        Store::personal(&places).save(&made, None).unwrap();
        assert_eq!(why_none(&places, now()), "its certificate has no private key");
    }

    #[test]
    fn a_store_that_cannot_be_read_is_told() {
        let (_home, places, _) = home(&[]);
        let store = places.store("My");
        std::fs::create_dir_all(store.parent().unwrap()).unwrap();
        std::fs::write(&store, "a file").unwrap();
        let why = why_none(&places, now());
        assert!(why.starts_with("unreadable: "), "{why}");
    }

    #[test]
    fn the_name_of_a_file_says_nothing() {
        let (_home, places, made) = home(&[(6, 1)]);
        let store = places.store("My");
        let name = format!("{}.pfx", thumbprint(&made[0]));
        std::fs::rename(store.join(name), store.join("any-name.pfx")).unwrap();
        assert!(find(&places, now()).is_some());
    }

    #[test]
    fn trust_is_told() {
        let (_home, mut places, made) = home(&[(6, 1)]);
        let trust = |places: &Places| find(places, now()).unwrap().trust;
        assert_eq!(trust(&places), Trust::None);
        Store::trusted(&places).save(&made, None).unwrap();
        assert_eq!(trust(&places), Trust::Partial);
        let folder = places.home.join("trust");
        std::fs::create_dir(&folder).unwrap();
        let name = format!("aspnetcore-localhost-{}.pem", thumbprint(&made[0]));
        std::fs::write(folder.join(name), export::pem("CERTIFICATE", &made[0])).unwrap();
        places.ssl_cert_dir = Some(format!("/nowhere:{}", folder.display()));
        assert_eq!(trust(&places), Trust::Full);
    }

    /// To trust it anew changes nothing where OpenSSL does not look into the folder: that is told.
    #[test]
    fn the_command_that_trust_waits_for_is_told() {
        let (_home, mut places, made) = home(&[(6, 1)]);
        places.ssl_cert_dir = Some("/nowhere".to_owned());
        Store::trusted(&places).save(&made, None).unwrap();
        let command = |places: &Places| find(places, now()).unwrap().trust_command;
        assert_eq!(command(&places), None);
        let folder = places.home.join(".aspnet/dev-certs/trust");
        std::fs::create_dir_all(&folder).unwrap();
        let name = format!("aspnetcore-localhost-{}.pem", thumbprint(&made[0]));
        std::fs::write(folder.join(name), export::pem("CERTIFICATE", &made[0])).unwrap();
        assert_eq!(
            command(&places).as_deref(),
            Some("export SSL_CERT_DIR=\"$HOME/.aspnet/dev-certs/trust:$SSL_CERT_DIR\"")
        );
        places.ssl_cert_dir = Some(format!("/nowhere:{}", folder.display()));
        assert_eq!(command(&places), None);
    }

    #[test]
    fn only_the_mark_makes_a_development_certificate() {
        let old = of_version(2, now() - DAY * 900).unwrap();
        assert!(is_development_certificate(&old.certificate));
        assert!(!is_development_certificate(include_bytes!("../../tests/data/pfx/rsa.cer")));
        assert!(!is_development_certificate(b""));
    }
}
