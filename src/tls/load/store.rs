//! Certificates in the stores of .NET, which on Unix are folders of PKCS#12 files without password.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::file;
use super::told::Told;
use super::vouch::Roots;
use super::wanted::Wanted;
use crate::tls::certificate::{CertificateFacts, ServerCertificate, Unfit, Validity, timestamp};
use crate::tls::places::Places;
use crate::tls::{StoreLocation, pfx};

/// Finds the certificate with this subject that is valid longest.
///
/// "Valid" is what .NET's `validOnly` means: within its time, and its chain ends in a certificate
/// that the system or the user's store `Root` trusts. Revocation is not looked up.
pub(super) fn find(
    wanted: &Wanted<'_>,
    places: &Places,
    now: SystemTime,
) -> Result<ServerCertificate, Told> {
    let (location, store) = (&wanted.location, wanted.store());
    if store.contains(['/', '\0']) || matches!(store, "." | "..") {
        return Err(Told::new("The storeName value was invalid.")
            .cause(format!("The name of a store is the name of a folder, and '{store}' is none."))
            .fix("write a name such as My"));
    }
    let not_found = wanted.not_found();
    if *location == StoreLocation::LocalMachine {
        let told = if ["root", "ca"].contains(&store.to_lowercase().as_str()) {
            not_found.cause("That store has the authorities of the system, without private keys.")
        } else {
            Told::new(
                "Unix LocalMachine X509Store is limited to the Root and CertificateAuthority \
                 stores.",
            )
        };
        return Err(told.fix("set Location to CurrentUser, or name the certificate's file in Path"));
    }

    let folder = places.store(store);
    let candidates = candidates(&folder);
    let mut judged: Vec<(Candidate, Verdict)> = Vec::new();
    let mut roots = None;
    for candidate in candidates {
        let verdict = judge(&candidate, wanted, now, || {
            roots.get_or_insert_with(|| Roots::read(places)).vouch_for(&candidate.chain, now)
        });
        judged.push((candidate, verdict));
    }
    let best = judged
        .iter()
        .enumerate()
        .filter(|(_, (_, verdict))| *verdict == Verdict::Good)
        // Of equals the first by name: the order of a folder is chance.
        .min_by_key(|(_, (candidate, _))| std::cmp::Reverse(candidate.facts.not_after))
        .map(|(place, _)| place);
    let Some(place) = best else {
        return Err(explain(not_found, &judged, wanted, &folder));
    };
    let found = judged.swap_remove(place).0;
    let shown = found.file.display().to_string();
    let Some(key) = found.key else {
        return Err(not_found);
    };
    let key = PrivatePkcs8KeyDer::from(key).into();
    ServerCertificate::new(found.chain, key, vec![found.file])
        .map_err(|reason: Unfit| super::unfit::told(reason, &shown, &shown))
}

/// One file of a store.
#[derive(Debug)]
struct Candidate {
    file: PathBuf,
    chain: Vec<CertificateDer<'static>>,
    key: Option<Vec<u8>>,
    facts: CertificateFacts,
}

/// The readable files of a store, by name. .NET skips those that are broken, and so do we.
fn candidates(folder: &Path) -> Vec<Candidate> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pfx"))
        .collect();
    files.sort();
    files.into_iter().filter_map(candidate).collect()
}

fn candidate(file: PathBuf) -> Option<Candidate> {
    let bytes = file::read(&file).ok()?;
    let (chain, key) = match pfx::read(&bytes, "") {
        Ok(identity) => (identity.certificates, Some(identity.key)),
        Err(pfx::ReadError::NoKey) => (pfx::certificates(&bytes, "").ok()?, None),
        Err(_) => return None,
    };
    let facts = CertificateFacts::of(chain.first()?)?;
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    Some(Candidate { file, chain, key, facts })
}

/// Whether a certificate is the one that is asked for, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    OtherSubject,
    NotForServers,
    NoKey,
    OutOfTime,
    NotTrusted,
}

fn judge(
    candidate: &Candidate,
    wanted: &Wanted<'_>,
    now: SystemTime,
    trusted: impl FnOnce() -> bool,
) -> Verdict {
    let facts = &candidate.facts;
    let subject = facts.subject_values.to_lowercase();
    if !subject.contains(&wanted.subject.to_lowercase()) {
        Verdict::OtherSubject
    } else if !facts.usable_for_servers {
        Verdict::NotForServers
    } else if candidate.key.is_none() {
        Verdict::NoKey
    } else if wanted.allow_invalid {
        Verdict::Good
    } else if matches!(facts.validity(now), Validity::Expired { .. } | Validity::NotYet { .. }) {
        Verdict::OutOfTime
    } else if !trusted() {
        Verdict::NotTrusted
    } else {
        Verdict::Good
    }
}

/// Says what the store has instead.
fn explain(
    not_found: Told,
    judged: &[(Candidate, Verdict)],
    wanted: &Wanted<'_>,
    folder: &Path,
) -> Told {
    const MOST: usize = 5;
    let shown = folder.display();
    if judged.is_empty() {
        let cause = if folder.is_dir() {
            format!("{shown} has no certificate in it that can be read.")
        } else {
            format!("The folder {shown} does not exist.")
        };
        return not_found.cause(cause).fix(
            "put a PKCS#12 (PFX) file without password into it, or name the certificate's file in \
             Path",
        );
    }
    let line = |(candidate, verdict): &(Candidate, Verdict)| {
        let facts = &candidate.facts;
        let why = match verdict {
            Verdict::Good => "fits".to_owned(),
            Verdict::OtherSubject => "another subject".to_owned(),
            Verdict::NotForServers => "not for servers".to_owned(),
            Verdict::NoKey => "without a private key".to_owned(),
            Verdict::OutOfTime => format!(
                "valid from {} to {}",
                timestamp(facts.not_before),
                timestamp(facts.not_after)
            ),
            Verdict::NotTrusted => "not trusted".to_owned(),
        };
        format!("{} ({why})", facts.subject)
    };
    let mut list: Vec<String> = judged.iter().take(MOST).map(line).collect();
    if judged.len() > MOST {
        list.push(format!("{} more", judged.len() - MOST));
    }
    let has = |wanted: Verdict| judged.iter().any(|(_, verdict)| *verdict == wanted);
    let fix = if has(Verdict::NotTrusted) {
        "trust the certificate (kestrel dev-certs https --trust for that of development), or set \
         AllowInvalid to true"
    } else if has(Verdict::OutOfTime) {
        "renew the certificate, or set AllowInvalid to true"
    } else if wanted.subject.contains('=') {
        "write Subject without CN=: it is looked for in the values alone"
    } else {
        "correct Subject: it is a part of the certificate's subject, such as localhost"
    };
    not_found.cause(format!("{shown} has: {}.", list.join("; "))).fix(fix)
}
