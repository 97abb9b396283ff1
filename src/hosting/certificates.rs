//! The certificates of a plan's endpoints: which one each gets, and what is said of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::error::HostError;
use super::settings::{HostSettings, SharedCertificates};
use crate::addresses::{EndpointPlan, PlannedEndpoint};
use crate::configuration::{Configuration, Problem, Severity};
use crate::diagnostics::events;
use crate::tls::certificate::ServerCertificate;
use crate::tls::client_certificates::ClientRoots;
use crate::tls::dev_certificate::{self, Trust};
use crate::tls::endpoint::EndpointTls;
use crate::tls::places::Places;
use crate::tls::{self, CertificateLocation, CertificateSource, TlsOptions};

/// What the endpoints of a plan are secured with.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    /// In the order of the plan; clear text has none.
    pub(super) endpoints: Vec<Option<Arc<EndpointTls>>>,
    /// The files that were read, and those that would have been.
    pub(super) files: Vec<PathBuf>,
    /// What is served, as often as it is: the place of the endpoint, what it is for, and itself.
    served: Vec<(usize, String, Arc<ServerCertificate>)>,
    /// What is to be said of the trust in the development certificate.
    trust: Option<fn()>,
    /// What is odd, but no reason to refuse anything.
    pub(super) warnings: Vec<Problem>,
}

impl Certificates {
    /// Says what is to be said of the certificates of endpoints that are `new`, by their places: as
    /// often as a certificate is served, as Kestrel does.
    pub(super) fn announce(&self, new: impl Fn(usize) -> bool) {
        let now = SystemTime::now();
        let mut served = self.served.iter().filter(|(place, ..)| new(*place)).peekable();
        if let Some(trust) = self.trust.filter(|_| served.peek().is_some()) {
            trust();
        }
        for (_, of, certificate) in served {
            certificate.announce(of, now);
        }
    }
}

/// Where certificates are looked for besides the files that settings name.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) places: Places,
    /// The name of the application's development file.
    pub(super) application: String,
    /// Whether warnings are errors.
    pub(super) strict: bool,
}

impl Surroundings {
    /// Loads the certificates of `plan`, which was made from these settings.
    ///
    /// # Errors
    ///
    /// As of [`load`].
    pub(super) fn load(
        &self,
        plan: &EndpointPlan,
        settings: &HostSettings,
        configuration: &Configuration,
    ) -> Result<Certificates, HostError> {
        load(plan, &settings.certificates, configuration, self, SystemTime::now())
            .map_err(HostError::Certificate)
    }

    /// The same on a thread that may wait: a key may take long to decrypt, and requests run.
    ///
    /// # Errors
    ///
    /// As of [`load`](Self::load).
    pub(super) async fn load_apart(
        &self,
        plan: &EndpointPlan,
        settings: &HostSettings,
        configuration: &Configuration,
    ) -> Result<Certificates, HostError> {
        let (surroundings, plan, settings) = (self.clone(), plan.clone(), settings.clone());
        let configuration = configuration.clone();
        let load = move || surroundings.load(&plan, &settings, &configuration);
        let loaded = tokio::task::spawn_blocking(load).await;
        loaded.unwrap_or_else(|error| Err(HostError::Server(Box::new(error))))
    }
}

/// Loads the certificates of `plan`.
///
/// An endpoint gets its own, else `Kestrel:Certificates:Default`, else that of the application's
/// development file, else the user's development certificate. The default one is loaded even if
/// nothing uses it, as on Kestrel.
///
/// # Errors
///
/// Every certificate that cannot be served, and every endpoint that has none.
fn load(
    plan: &EndpointPlan,
    shared: &SharedCertificates,
    configuration: &Configuration,
    surroundings: &Surroundings,
    now: SystemTime,
) -> Result<Certificates, Vec<Problem>> {
    let mut loading = Loading {
        shared,
        configuration,
        surroundings,
        now,
        loaded: Vec::new(),
        fallback: None,
        client_roots: None,
        problems: Vec::new(),
        certificates: Certificates::default(),
    };
    if let Some(source) = &shared.default {
        loading.default(source, plan.endpoints.iter().any(takes_the_default));
    }
    for (place, endpoint) in plan.endpoints.iter().enumerate() {
        let options = endpoint.tls.as_ref();
        let tls = options.and_then(|options| loading.endpoint(place, endpoint, options));
        loading.certificates.endpoints.push(tls);
    }
    let Loading { problems, mut certificates, .. } = loading;
    let is_fatal = |problem: &Problem| surroundings.strict || problem.severity == Severity::Error;
    let (fatal, warnings): (Vec<_>, Vec<_>) = problems.into_iter().partition(is_fatal);
    certificates.warnings = warnings;
    if fatal.is_empty() { Ok(certificates) } else { Err(fatal) }
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
    client_roots: Option<ClientRoots>,
    problems: Vec<Problem>,
    certificates: Certificates,
}

impl Loading<'_> {
    fn endpoint(
        &mut self,
        place: usize,
        endpoint: &PlannedEndpoint,
        options: &TlsOptions,
    ) -> Option<Arc<EndpointTls>> {
        let failed_before = self.problems.len();
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
        if self.problems.len() > failed_before {
            return None;
        }
        if own.is_none() && takes_the_default(endpoint) {
            self.none_found(endpoint);
            return None;
        }
        if ClientRoots::are_needed(options) && self.client_roots.is_none() {
            self.client_roots = Some(ClientRoots::of_system(&self.surroundings.places));
        }
        let roots = self.client_roots.clone().unwrap_or_default();
        match EndpointTls::new(
            &endpoint.name,
            options,
            endpoint.protocols,
            own.as_ref(),
            &names,
            &roots,
        ) {
            Ok(tls) => {
                let of = |name: &str| format!("{}:Sni:{name}", endpoint.name);
                let names = options.sni.iter().zip(names).map(|(entry, it)| (of(&entry.name), it));
                let all = std::iter::once((endpoint.name.clone(), own)).chain(names);
                let served = all.filter_map(|(of, certificate)| Some((place, of, certificate?)));
                self.certificates.served.extend(served);
                Some(Arc::new(tls))
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
                // One of a store was found in some file.
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
                events::development_certificate_missing();
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
        let shown = path.display().to_string();
        if !path.exists() {
            events::development_file_missing(&shown);
            return None;
        }
        let location = CertificateLocation::File { path, key_path: None, password: Some(password) };
        let source =
            CertificateSource::new("Development", "Kestrel:Certificates:Development", location);
        let Ok(certificate) = tls::load::load(&source, &self.surroundings.places, self.now) else {
            events::development_file_unreadable(&shown);
            return None;
        };
        let leaf = certificate.certified.cert.first()?;
        if !dev_certificate::is_development_certificate(leaf) {
            return None;
        }
        events::development_certificate_used(
            &certificate.facts.subject,
            &certificate.facts.thumbprint,
        );
        Some(Arc::new(certificate))
    }

    /// The user's development certificate.
    fn development_certificate(&mut self) -> Option<Arc<ServerCertificate>> {
        let found = dev_certificate::find(&self.surroundings.places, self.now)?;
        let chain = found.certificates.into_iter().map(Into::into).collect();
        let certificate = ServerCertificate::from_pkcs8(chain, found.key).ok()?;
        self.certificates.trust = match found.trust {
            Trust::None => Some(events::development_certificate_not_trusted),
            Trust::Partial => Some(events::development_certificate_partly_trusted),
            Trust::Full => None,
        };
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
            let files = [Some(path), key_path.as_ref()].into_iter().flatten();
            files.for_each(|file| self.watch(file.clone()));
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
