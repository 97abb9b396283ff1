//! The certificates of a plan's endpoints: which one each gets, and what is said of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::settings::SharedCertificates;
use crate::addresses::{EndpointPlan, PlannedEndpoint};
use crate::configuration::{Configuration, Problem};
use crate::diagnostics::events;
use crate::tls::certificate::{ServerCertificate, timestamp};
use crate::tls::client_certificates::ClientRoots;
use crate::tls::dev_certificate::{self, Trust};
use crate::tls::endpoint::EndpointTls;
use crate::tls::places::Places;
use crate::tls::{self, CertificateLocation, CertificateSource, TlsOptions};

/// What the endpoints of a plan are secured with.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    /// In the order of the plan; clear text has none.
    endpoints: Vec<Option<Secured>>,
    /// Whom certificates of clients may come from, if any endpoint asks for them.
    client_roots: Option<ClientRoots>,
    /// The files that were read, and those that would have been.
    pub(super) files: Vec<PathBuf>,
    /// What is to be said of the development certificate.
    pub(super) development: Vec<Development>,
    looked: bool,
}

/// What an endpoint is secured with.
#[derive(Debug)]
struct Secured {
    tls: Arc<EndpointTls>,
    /// Whether it looks at certificates of clients.
    asks_clients: bool,
    /// Its certificates, each with what it is for.
    certificates: Vec<(String, Arc<ServerCertificate>)>,
}

/// What is to be said of the development certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Development {
    /// The application's file is served.
    FileUsed {
        subject: String,
        thumbprint: String,
    },
    FileMissing(PathBuf),
    FileUnreadable(PathBuf),
    Missing,
    NotTrusted,
    PartlyTrusted,
}

impl Certificates {
    /// What secures each endpoint of the plan, in its order.
    pub(super) fn endpoints(&self) -> Vec<Option<Arc<EndpointTls>>> {
        let tls = |secured: &Option<Secured>| secured.as_ref().map(|it| Arc::clone(&it.tls));
        self.endpoints.iter().map(tls).collect()
    }

    /// Whether nobody has looked for certificates, since the server is another one.
    pub(super) fn are_of_another_server(&self) -> bool {
        !self.looked
    }

    /// Logs what is to be said of the development certificate.
    pub(super) fn announce_development(&self) {
        for said in &self.development {
            match said {
                Development::FileUsed { subject, thumbprint } => {
                    events::development_certificate_used(subject, thumbprint);
                }
                Development::FileMissing(path) => {
                    events::development_file_missing(&path.display().to_string());
                }
                Development::FileUnreadable(path) => {
                    events::development_file_unreadable(&path.display().to_string());
                }
                Development::Missing => events::development_certificate_missing(),
                Development::NotTrusted => events::development_certificate_not_trusted(),
                Development::PartlyTrusted => events::development_certificate_partly_trusted(),
            }
        }
    }

    /// Logs what is to be said of every certificate that is served.
    pub(super) fn announce_all(&self) {
        (0..self.endpoints.len()).for_each(|place| self.announce(place));
    }

    /// Logs what is to be said of the certificates of the endpoint at a place of the plan.
    pub(super) fn announce(&self, place: usize) {
        let now = SystemTime::now();
        for (of, certificate) in self.of(place) {
            certificate.announce(of, now);
        }
    }

    /// Whether the endpoint at a place of one plan serves other certificates than one of another, or
    /// takes those of other clients.
    pub(super) fn differ_at(&self, place: usize, other: &Self, other_place: usize) -> bool {
        let (ours, theirs) = (self.of(place), other.of(other_place));
        let asks = |certificates: &Self, place: usize| {
            let secured = certificates.endpoints.get(place).and_then(Option::as_ref);
            secured.is_some_and(|secured| secured.asks_clients)
        };
        let asks = asks(self, place) || asks(other, other_place);
        (asks && self.client_roots != other.client_roots)
            || ours.len() != theirs.len()
            || ours.iter().zip(theirs).any(|(ours, theirs)| ours.1 != theirs.1)
    }

    /// The certificate of the endpoint at a place of the plan, in words.
    pub(super) fn text(&self, place: usize) -> Option<String> {
        let (_, certificate) = self.of(place).first()?;
        let facts = &certificate.facts;
        Some(format!("{}, expires {}", facts.subject, timestamp(facts.not_after)))
    }

    fn of(&self, place: usize) -> &[(String, Arc<ServerCertificate>)] {
        let secured = self.endpoints.get(place).and_then(Option::as_ref);
        secured.map_or(&[], |secured| &secured.certificates)
    }
}

/// Where certificates are looked for besides the files that settings name.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) places: Places,
    /// The name of the application's development file.
    pub(super) application: String,
}

/// Loads the certificates of `plan`, and tells what is wrong with them: every certificate that
/// cannot be served, and every endpoint that has none; some of it is only to be warned of.
///
/// An endpoint gets its own, else `Kestrel:Certificates:Default`, else that of the application's
/// development file, else the user's development certificate. The default one is loaded even if
/// nothing uses it, as on Kestrel.
pub(super) fn load(
    plan: &EndpointPlan,
    shared: &SharedCertificates,
    configuration: &Configuration,
    surroundings: &Surroundings,
    now: SystemTime,
) -> (Certificates, Vec<Problem>) {
    let mut loading = Loading {
        shared,
        configuration,
        surroundings,
        now,
        loaded: Vec::new(),
        fallback: None,
        problems: Vec::new(),
        certificates: Certificates { looked: true, ..Certificates::default() },
    };
    if let Some(source) = &shared.default {
        loading.default(source, plan.endpoints.iter().any(takes_the_default));
    }
    for endpoint in &plan.endpoints {
        let secured = endpoint.tls.as_ref().and_then(|it| loading.endpoint(endpoint, it));
        loading.certificates.endpoints.push(secured);
    }
    (loading.certificates, loading.problems)
}

/// Whether an endpoint has no certificate of its own for some client.
fn takes_the_default(endpoint: &PlannedEndpoint) -> bool {
    endpoint.tls.as_ref().is_some_and(|options| {
        options.certificate.is_none()
            && (options.sni.is_empty()
                || options.sni.iter().any(|entry| entry.certificate.is_none()))
    })
}

struct Loading<'a> {
    shared: &'a SharedCertificates,
    configuration: &'a Configuration,
    surroundings: &'a Surroundings,
    now: SystemTime,
    /// What was read already: one certificate may serve many endpoints. `None` failed.
    loaded: Vec<(CertificateLocation, Option<Arc<ServerCertificate>>)>,
    /// For endpoints without a certificate, once one of them was seen.
    fallback: Option<Option<Arc<ServerCertificate>>>,
    problems: Vec<Problem>,
    certificates: Certificates,
}

impl Loading<'_> {
    fn endpoint(&mut self, endpoint: &PlannedEndpoint, options: &TlsOptions) -> Option<Secured> {
        let own = match &options.certificate {
            Some(source) => self.certificate(source),
            // Also looked for if every name has one of its own: Kestrel's log says so.
            None => self.fallback(),
        };
        let names: Vec<_> = options
            .sni
            .iter()
            .map(|entry| entry.certificate.as_ref().and_then(|source| self.certificate(source)))
            .collect();
        let configured = options.sni.iter().map(|entry| &entry.certificate).zip(&names);
        if configured
            .chain([(&options.certificate, &own)])
            .any(|(source, read)| source.is_some() && read.is_none())
        {
            // Told when it was read, which was for another endpoint if they share it.
            return None;
        }
        if own.is_none() && takes_the_default(endpoint) {
            // A default that cannot be read was told, too.
            if self.shared.default.is_none() {
                self.none_found(endpoint);
            }
            return None;
        }
        let asks_clients = ClientRoots::are_needed(options);
        let known = &mut self.certificates.client_roots;
        if asks_clients && known.is_none() {
            *known = Some(ClientRoots::of_system(&self.surroundings.places));
        }
        let roots = known.clone().unwrap_or_default();
        match EndpointTls::new(
            &endpoint.name,
            options,
            endpoint.protocols,
            own.as_ref(),
            &names,
            &roots,
        ) {
            Ok(tls) => {
                let of_names =
                    options.sni.iter().map(|name| format!("{}:Sni:{}", endpoint.name, name.name));
                let certificates = std::iter::once(endpoint.name.clone())
                    .chain(of_names)
                    .zip(std::iter::once(own).chain(names))
                    .filter_map(|(of, certificate)| Some((of, certificate?)))
                    .collect();
                Some(Secured { tls: Arc::new(tls), asks_clients, certificates })
            }
            Err(problem) => {
                let problem = problem.key(endpoint.key.clone()).origin(endpoint.origin.clone());
                self.problems.push(problem);
                None
            }
        }
    }

    /// Reads the default certificate. If nothing uses it, it is read all the same, as on Kestrel.
    fn default(&mut self, source: &CertificateSource, is_used: bool) {
        if is_used {
            // What is wrong with it is told.
            let _ = self.certificate(source);
            return;
        }
        self.watch_files_of(source);
        let problem = tls::load::check_unused(source, &self.surroundings.places, self.now);
        if let Some(problem) = problem {
            self.problems.push(self.with_origin(problem));
        }
    }

    /// Reads a certificate, once.
    fn certificate(&mut self, source: &CertificateSource) -> Option<Arc<ServerCertificate>> {
        self.watch_files_of(source);
        if let Some((_, known)) = self.loaded.iter().find(|(known, _)| *known == source.location) {
            return known.clone();
        }
        let read = match tls::load::load(source, &self.surroundings.places, self.now) {
            Ok(certificate) => {
                // One of a store is found in some file.
                certificate.files.iter().for_each(|file| self.watch(file.clone()));
                Some(Arc::new(certificate))
            }
            Err(problem) => {
                self.problems.push(self.with_origin(problem));
                None
            }
        };
        self.loaded.push((source.location.clone(), read.clone()));
        read
    }

    /// The certificate of endpoints that have none: looked for once.
    fn fallback(&mut self) -> Option<Arc<ServerCertificate>> {
        if let Some(source) = &self.shared.default {
            return self.certificate(source);
        }
        if self.fallback.is_none() {
            let found = self.development_file().or_else(|| self.development_certificate());
            if found.is_none() {
                self.certificates.development.push(Development::Missing);
            }
            self.fallback = Some(found);
        }
        self.fallback.clone().flatten()
    }

    /// The application's development file, if a password for it is set. Neither its version nor
    /// its dates are looked at, as on Kestrel.
    fn development_file(&mut self) -> Option<Arc<ServerCertificate>> {
        let password = self.shared.development_password.clone()?;
        let path = self.surroundings.places.development_file(&self.surroundings.application);
        self.watch(path.clone());
        if !path.exists() {
            self.certificates.development.push(Development::FileMissing(path));
            return None;
        }
        let location = CertificateLocation::File {
            path: path.clone(),
            key_path: None,
            password: Some(password),
        };
        let source =
            CertificateSource::new("Development", "Kestrel:Certificates:Development", location);
        let Ok(certificate) = tls::load::load(&source, &self.surroundings.places, self.now) else {
            self.certificates.development.push(Development::FileUnreadable(path));
            return None;
        };
        let leaf = certificate.certified.cert.first()?;
        if !dev_certificate::is_development_certificate(leaf) {
            return None;
        }
        self.certificates.development.push(Development::FileUsed {
            subject: certificate.facts.subject.clone(),
            thumbprint: certificate.facts.thumbprint.clone(),
        });
        Some(Arc::new(certificate))
    }

    /// The user's development certificate.
    fn development_certificate(&mut self) -> Option<Arc<ServerCertificate>> {
        let found = dev_certificate::find(&self.surroundings.places, self.now)?;
        let chain = found.certificates.into_iter().map(Into::into).collect();
        let certificate = ServerCertificate::from_pkcs8(chain, found.key).ok()?;
        self.certificates.development.extend(match found.trust {
            Trust::None => Some(Development::NotTrusted),
            Trust::Partial => Some(Development::PartlyTrusted),
            Trust::Full => None,
        });
        Some(Arc::new(certificate))
    }

    fn none_found(&mut self, endpoint: &PlannedEndpoint) {
        let file = self
            .shared
            .development_password
            .as_ref()
            .map(|_| self.surroundings.places.development_file(&self.surroundings.application));
        let node = endpoint.key.strip_suffix(":Url");
        let problem = tls::load::none_found(node, file, &self.surroundings.places)
            .key(endpoint.key.clone())
            .origin(endpoint.origin.clone());
        self.problems.push(problem);
    }

    fn watch_files_of(&mut self, source: &CertificateSource) {
        if let CertificateLocation::File { path, key_path, .. } = &source.location {
            [Some(path), key_path.as_ref()]
                .into_iter()
                .flatten()
                .for_each(|it| self.watch(it.clone()));
        }
    }

    fn watch(&mut self, file: PathBuf) {
        if !self.certificates.files.contains(&file) {
            self.certificates.files.push(file);
        }
    }

    /// Says who set the key that a problem names.
    fn with_origin(&self, problem: Problem) -> Problem {
        let setting = problem.key.as_deref().and_then(|key| self.configuration.setting(key));
        match setting.map(|setting| setting.origin.clone()) {
            Some(origin) => problem.origin(origin),
            None => problem,
        }
    }
}
