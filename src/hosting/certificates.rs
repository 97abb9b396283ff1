//! The certificates of a plan's endpoints: which one each gets, and what is said of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::development_certificate::{self, Development};
use super::finding::{Finding, Subject};
use super::settings::{SharedCertificates, site_of};
use super::surroundings::Surroundings;
use crate::addresses::{EndpointPlan, PlannedEndpoint};
use crate::configuration::{Configuration, Problem, Section, Severity};
use crate::tls::certificate::{ServerCertificate, timestamp};
use crate::tls::client_certificates::ClientRoots;
use crate::tls::endpoint::{EndpointTls, Material};
use crate::tls::{
    self, CertificateLocation, CertificateSource, ClientCertificateMode, RootsSource, TlsOptions,
};

/// Certificates of sites that are served.
pub(super) type OfSites = Vec<Arc<ServerCertificate>>;

/// What the endpoints of a plan are secured with.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    /// In the order of the plan; clear text has none.
    endpoints: Vec<Option<Secured>>,
    /// The files that were read, and those that would have been.
    pub(super) files: Vec<PathBuf>,
    /// What is to be said of the development certificate.
    development: Vec<Development>,
    /// What is said of endpoints for which none was found. If settings could not be read, one of
    /// them may have named it.
    pub(super) none_found: Vec<Problem>,
    /// What is wrong with certificates of sites in whose place those serve on that were served before.
    pub(super) left: Vec<Problem>,
    /// Whether something is wrong that no other content of a file puts right.
    is_final: bool,
}

/// What an endpoint is secured with.
#[derive(Debug)]
struct Secured {
    tls: Arc<EndpointTls>,
    /// Whose certificates of clients it takes, if it looks at any.
    client_roots: Vec<ClientRoots>,
    /// Its certificates, each with what it is for.
    certificates: Vec<(String, Arc<ServerCertificate>)>,
}

impl Certificates {
    /// What secures each endpoint of the plan, in its order.
    pub(super) fn endpoints(&self) -> Vec<Option<Arc<EndpointTls>>> {
        let tls = |secured: &Option<Secured>| secured.as_ref().map(|it| Arc::clone(&it.tls));
        self.endpoints.iter().map(tls).collect()
    }

    /// Whether what is wrong may be right in a moment, since files are replaced one after the other.
    pub(super) fn may_pass(&self) -> bool {
        !self.is_final
    }

    /// Whether the same is to be said of the development certificate.
    pub(super) fn development_is_that_of(&self, other: &Self) -> bool {
        self.development == other.development
    }

    /// What is to be said of the development certificate.
    pub(super) fn of_development(&self) -> Vec<Finding> {
        let said = self.development.iter().map(Development::notice);
        said.map(|notice| Finding::of_notice(Subject::Certificate, notice)).collect()
    }

    /// What is to be said of the certificates of all endpoints.
    pub(super) fn of_all(&self, now: SystemTime) -> Vec<Finding> {
        (0..self.endpoints.len()).flat_map(|place| self.of_endpoint(place, now)).collect()
    }

    /// What is to be said of the certificates of the endpoint at a place of the plan.
    pub(super) fn of_endpoint(&self, place: usize, now: SystemTime) -> Vec<Finding> {
        let said = self.of(place).iter().flat_map(|(of, it)| it.notices(of, now));
        said.map(|notice| Finding::of_notice(Subject::Certificate, notice)).collect()
    }

    /// Each certificate of the endpoint at a place of the plan in words: what it is for, its subject,
    /// its end, its file. The endpoint's own comes first.
    pub(super) fn served(&self, place: usize) -> Vec<(String, String)> {
        let text = |certificate: &ServerCertificate| {
            let facts = &certificate.facts;
            let from = match certificate.files.first() {
                Some(file) => file.display().to_string(),
                None if certificate.in_memory => "memory".to_owned(),
                None => "the development certificate".to_owned(),
            };
            format!("{}, expires {}, from {from}", facts.subject, timestamp(facts.not_after))
        };
        self.of(place).iter().map(|(of, certificate)| (of.clone(), text(certificate))).collect()
    }

    /// Whether the endpoint at a place of one plan serves other certificates than one of another, or
    /// takes those of other clients.
    pub(super) fn differ_at(&self, place: usize, other: &Self, other_place: usize) -> bool {
        let (ours, theirs) = (self.of(place), other.of(other_place));
        let roots = |certificates: &Self, place: usize| {
            let secured = certificates.endpoints.get(place).and_then(Option::as_ref);
            secured.map(|secured| secured.client_roots.clone()).unwrap_or_default()
        };
        roots(self, place) != roots(other, other_place)
            || ours.len() != theirs.len()
            || ours.iter().zip(theirs).any(|(ours, theirs)| ours.1 != theirs.1)
    }

    /// The certificates of names of clients.
    pub(super) fn of_sites(&self) -> OfSites {
        let all = self.endpoints.iter().flatten().flat_map(|secured| &secured.certificates);
        let of_names = all.filter(|(of, _)| of.contains(":Sni:"));
        of_names.map(|(_, certificate)| Arc::clone(certificate)).collect()
    }

    /// The certificates of the endpoint at a place of the plan that it did not have at a place of another one, in
    /// words; its first one, if there is no other.
    pub(super) fn text_of_new(
        &self,
        place: usize,
        (other, other_place): (&Self, Option<usize>),
    ) -> Option<String> {
        let before = other_place.map_or(&[][..], |place| other.of(place));
        let is_new = |it: &&(String, Arc<ServerCertificate>)| {
            let same = before.iter().find(|(of, _)| *of == it.0);
            same.is_none_or(|(_, certificate)| *certificate != it.1)
        };
        let text = |(of, certificate): &(String, Arc<ServerCertificate>)| {
            let facts = &certificate.facts;
            let name = of.split_once(":Sni:").map(|(_, name)| format!("for {name} "));
            let ends = timestamp(facts.not_after);
            format!("{}{}, expires {ends}", name.unwrap_or_default(), facts.subject)
        };
        let new: Vec<_> = self.of(place).iter().filter(is_new).map(text).collect();
        match new.is_empty() {
            true => self.of(place).first().map(text),
            false => Some(new.join("; ")),
        }
    }

    fn of(&self, place: usize) -> &[(String, Arc<ServerCertificate>)] {
        let secured = self.endpoints.get(place).and_then(Option::as_ref);
        secured.map_or(&[], |secured| &secured.certificates)
    }
}

/// What comes of it if there is no authority for clients, and what to do.
const NO_ROOTS: (&str, &str) = (
    "No client could be let in.",
    "put the certificates of the clients' authorities there, in PEM form",
);

/// Loads the certificates of `plan`, and tells what is wrong with them: every certificate that
/// cannot be served, and every endpoint that has none; some of it is only to be warned of.
///
/// An endpoint gets its own, else `Kestrel:Certificates:Default`, else that of the application's
/// development file, else the user's development certificate. The default one is loaded even if
/// nothing uses it, as on Kestrel.
///
/// A certificate of a site that cannot be served is left, if one of the same file is in `served`.
pub(super) fn read(
    plan: &EndpointPlan,
    shared: &SharedCertificates,
    configuration: &Configuration,
    (surroundings, served): (&Surroundings, &OfSites),
    now: SystemTime,
) -> (Certificates, Vec<Problem>) {
    let mut loading = Loading {
        plan,
        shared,
        configuration,
        surroundings,
        served,
        now,
        loaded: Vec::new(),
        roots: Vec::new(),
        fallback: None,
        problems: Vec::new(),
        certificates: Certificates::default(),
    };
    if let Some(source) = &shared.default {
        loading.default(source, plan.endpoints.iter().any(takes_the_default));
    }
    for endpoint in &plan.endpoints {
        let secured = endpoint.tls.as_ref().and_then(|it| loading.endpoint(endpoint, it));
        loading.certificates.endpoints.push(secured);
    }
    for endpoint in &plan.refused {
        endpoint.tls.iter().for_each(|options| loading.named(endpoint, options));
    }
    (loading.certificates, loading.problems)
}

/// Whether an endpoint has no certificate of its own for some client.
fn takes_the_default(endpoint: &PlannedEndpoint) -> bool {
    endpoint.tls.as_ref().is_some_and(|options| {
        options.server_config.is_none()
            && options.certificate.is_none()
            && (options.sni.is_empty()
                || options.sni.iter().any(|entry| entry.certificate.is_none()))
    })
}

/// Whose certificates of clients an endpoint takes.
#[derive(Debug, Default)]
struct EndpointRoots {
    own: ClientRoots,
    /// Of the sections of `Sni`, in their order; `None` takes the endpoint's.
    of_names: Vec<Option<ClientRoots>>,
}

impl EndpointRoots {
    fn all(&self) -> Vec<ClientRoots> {
        std::iter::once(&self.own).chain(self.of_names.iter().flatten()).cloned().collect()
    }
}

/// The section of an endpoint, or of a name of it, that says how it is secured; for one of code the call
/// that made it.
fn tls_key(endpoint: &PlannedEndpoint, sni: Option<&str>) -> String {
    match (endpoint.key.strip_suffix(":Url"), sni) {
        (Some(node), Some(name)) => format!("{node}:Sni:{name}"),
        (Some(node), None) => node.to_owned(),
        (None, _) => endpoint.key.clone(),
    }
}

fn is_in_memory(source: &CertificateSource) -> bool {
    matches!(source.location, CertificateLocation::Memory(_))
}

/// A problem with what a call of code gave, with the endpoint that has it: the call is no key that tells
/// it. `of` is that endpoint's name, behind which that of a client's choice may stand.
fn of_code(problem: Problem, of: &str) -> Problem {
    if problem.key.as_deref().is_some_and(|key| key.contains(':')) {
        return problem;
    }
    let whose = match of.split_once(":Sni:") {
        Some((endpoint, name)) => format!("the name {name} of the endpoint {endpoint}"),
        None => format!("the endpoint {of}"),
    };
    let cause = problem.cause.clone().map(|cause| cause + " ").unwrap_or_default();
    problem.cause(format!("{cause}It is for {whose}."))
}

struct Loading<'a> {
    plan: &'a EndpointPlan,
    shared: &'a SharedCertificates,
    configuration: &'a Configuration,
    surroundings: &'a Surroundings,
    served: &'a OfSites,
    now: SystemTime,
    /// What was read already: one certificate may serve many endpoints. `None` failed.
    loaded: Vec<(CertificateLocation, Option<Arc<ServerCertificate>>)>,
    /// The roots that were read, by what names them; nothing names those of the machine. `None` failed.
    roots: Vec<(Vec<RootsSource>, Option<ClientRoots>)>,
    /// For endpoints without a certificate, once one of them was seen.
    fallback: Option<Option<Arc<ServerCertificate>>>,
    problems: Vec<Problem>,
    certificates: Certificates,
}

impl Loading<'_> {
    /// Reads what an endpoint names that is bound only once its address is mended.
    fn named(&mut self, endpoint: &PlannedEndpoint, options: &TlsOptions) {
        let of_names = options.sni.iter().map(|entry| &entry.certificate);
        for source in std::iter::once(&options.certificate).chain(of_names).flatten() {
            self.certificate(source);
        }
        self.named_roots(endpoint, options);
    }

    /// Reads the roots that an endpoint names that is not bound for another reason: what is wrong with
    /// them is told with it.
    fn named_roots(&mut self, endpoint: &PlannedEndpoint, options: &TlsOptions) {
        if !ClientRoots::are_needed(options) {
            return;
        }
        let of_names = options
            .sni
            .iter()
            .map(|entry| (Some(entry.name.as_str()), &entry.client_certificate_roots));
        for (name, paths) in std::iter::once((None, &options.client_certificate_roots))
            .chain(of_names)
            .filter(|(_, paths)| !paths.is_empty())
        {
            self.roots_of(paths, &tls_key(endpoint, name), endpoint);
        }
    }

    fn endpoint(&mut self, endpoint: &PlannedEndpoint, options: &TlsOptions) -> Option<Secured> {
        if let Some(config) = &options.server_config {
            let tls = EndpointTls::ready(&endpoint.name, config, endpoint.protocols);
            let (client_roots, certificates) = (Vec::new(), Vec::new());
            return Some(Secured { tls: Arc::new(tls), client_roots, certificates });
        }
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
            self.named_roots(endpoint, options);
            return None;
        }
        if own.is_none() && takes_the_default(endpoint) {
            // A default that cannot be read was told, too.
            if self.shared.default.is_none() {
                self.none_found(endpoint);
            }
            self.named_roots(endpoint, options);
            return None;
        }
        let roots = self.client_roots(endpoint, options)?;
        let material = Material {
            certificate: own.as_ref(),
            of_names: &names,
            client_roots: &roots.own,
            client_roots_of_names: &roots.of_names,
        };
        match EndpointTls::new(&endpoint.name, options, endpoint.protocols, &material) {
            Ok(tls) => {
                let of_names =
                    options.sni.iter().map(|name| format!("{}:Sni:{}", endpoint.name, name.name));
                let certificates = std::iter::once(endpoint.name.clone())
                    .chain(of_names)
                    .zip(std::iter::once(own).chain(names))
                    .filter_map(|(of, certificate)| Some((of, certificate?)))
                    .collect();
                let asks = ClientRoots::are_needed(options);
                let client_roots = if asks { roots.all() } else { Vec::new() };
                Some(Secured { tls: Arc::new(tls), client_roots, certificates })
            }
            Err(problem) => {
                let problem = problem.key(endpoint.key.clone()).origin(endpoint.origin.clone());
                self.problems.push(problem);
                self.certificates.is_final = true;
                None
            }
        }
    }

    /// Whose certificates of clients an endpoint takes; `None` if that cannot be read.
    fn client_roots(
        &mut self,
        endpoint: &PlannedEndpoint,
        options: &TlsOptions,
    ) -> Option<EndpointRoots> {
        if !ClientRoots::are_needed(options) {
            return Some(EndpointRoots::default());
        }
        let key = |sni: Option<&str>| tls_key(endpoint, sni);
        let own = self.roots_of(&options.client_certificate_roots, &key(None), endpoint);
        let of_names: Vec<_> = options
            .sni
            .iter()
            .map(|entry| {
                let paths = &entry.client_certificate_roots;
                let read = || self.roots_of(paths, &key(Some(&entry.name)), endpoint);
                (!paths.is_empty()).then(read)
            })
            .collect();
        let modes = options.sni.iter().zip(&of_names).map(|(entry, roots)| {
            let mode = entry.client_certificate_mode.unwrap_or(options.client_certificate_mode);
            (Some(entry.name.as_str()), mode, roots.as_ref().unwrap_or(&own))
        });
        let own_mode = (None, options.client_certificate_mode, &own);
        let modes = modes.chain(options.sni.is_empty().then_some(own_mode));
        let open = modes.into_iter().find_map(|(name, mode, roots)| {
            let public = roots.as_ref()?.public_authority()?;
            (mode == ClientCertificateMode::RequireCertificate).then_some((name, public))
        });
        if let Some((name, public)) = open {
            let key = key(name);
            let problem = Problem::warning(format!(
                "Every client is let in whose certificate comes from a public authority, such as {public}: anybody can have one."
            ))
            .key(format!("{key}:ClientCertificateMode"))
            .fix(format!(
                "name the certificates of your clients' authorities in {}, or let the app look at the certificate",
                match endpoint.key.ends_with(":Url") {
                    true => format!("{key}:ClientCertificateRoots"),
                    false => "TlsOptions::client_certificate_roots".to_owned(),
                }
            ));
            let problem = self.of_endpoint(problem, endpoint);
            self.problems.push(problem);
        }
        let of_names: Option<Vec<_>> = of_names
            .into_iter()
            .map(|roots| roots.map_or(Some(None), |roots| Some(Some(roots?))))
            .collect();
        Some(EndpointRoots { own: own?, of_names: of_names? })
    }

    /// Reads roots, once: those of files and folders, or else those of the machine.
    fn roots_of(
        &mut self,
        paths: &[RootsSource],
        node: &str,
        endpoint: &PlannedEndpoint,
    ) -> Option<ClientRoots> {
        if let Some((_, known)) = self.roots.iter().find(|(known, _)| *known == paths) {
            return known.clone();
        }
        let read = match paths {
            [] => Some(ClientRoots::of_system(&self.surroundings.places)),
            paths => {
                let key = match node.contains(':') {
                    true => format!("{node}:ClientCertificateRoots"),
                    false => node.to_owned(),
                };
                let roots = tls::load::roots::read(paths, &key, NO_ROOTS);
                roots.files.into_iter().for_each(|file| self.watch(file));
                let failed = roots.problems.iter().any(|it| it.severity == Severity::Error);
                let in_memory = |it: &RootsSource| matches!(it, RootsSource::Memory(_));
                self.certificates.is_final |= failed && paths.iter().all(in_memory);
                for problem in roots.problems {
                    let problem = self.of_endpoint(problem, endpoint);
                    self.problems.push(of_code(problem, &endpoint.name));
                }
                (!failed).then(|| ClientRoots::new(roots.certificates))
            }
        };
        self.roots.push((paths.to_vec(), read.clone()));
        read
    }

    /// Says who set the key that a problem names, for the endpoint or for all of them; else who made
    /// the endpoint.
    fn of_endpoint(&self, problem: Problem, endpoint: &PlannedEndpoint) -> Problem {
        let key = problem.key.clone().unwrap_or_default();
        let name = key.rsplit(':').next().unwrap_or_default();
        let defaults = format!("Kestrel:EndpointDefaults:{name}");
        let own = endpoint.key.strip_suffix(":Url").map(|node| format!("{node}:{name}"));
        let keys = [Some(key), own, Some(defaults)];
        let set = keys.into_iter().flatten().find_map(|key| {
            let section = self.configuration.section(&key);
            let setting = section.setting().filter(|setting| setting.value.is_some()).cloned();
            let listed = || section.children().first().and_then(Section::setting).cloned();
            Some((key, setting.or_else(listed)?))
        });
        match set {
            Some((key, setting)) => problem.key(key).origin(setting.origin),
            None => problem.key(endpoint.key.clone()).origin(endpoint.origin.clone()),
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
            self.certificates.is_final |= problem.is_error() && is_in_memory(source);
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
                let also = tls::load::also_wrong(source, &problem);
                let served = self.served_for(source);
                for problem in std::iter::once(problem).chain(also) {
                    let problem = of_code(self.with_origin(problem), &source.name);
                    match served {
                        Some(_) => self.certificates.left.push(problem),
                        None => self.problems.push(problem),
                    }
                }
                self.certificates.is_final |= is_in_memory(source);
                served
            }
        };
        self.loaded.push((source.location.clone(), read.clone()));
        read
    }

    /// The certificate of the same file that is served for a site.
    fn served_for(&self, source: &CertificateSource) -> Option<Arc<ServerCertificate>> {
        let CertificateLocation::File { path, .. } = &source.location else { return None };
        site_of(&source.key)?;
        self.served.iter().find(|served| served.files.contains(path)).map(Arc::clone)
    }

    /// The certificate of endpoints that have none: looked for once.
    fn fallback(&mut self) -> Option<Arc<ServerCertificate>> {
        if let Some(source) = &self.shared.default {
            return self.certificate(source);
        }
        if self.surroundings.only_code {
            return None;
        }
        if self.fallback.is_none() {
            let password = self.shared.development_password.as_ref();
            let found = development_certificate::find(password, self.surroundings, self.now);
            found.files.into_iter().for_each(|file| self.watch(file));
            self.certificates.development.extend(found.said);
            self.fallback = Some(found.certificate);
        }
        self.fallback.clone().flatten()
    }

    fn none_found(&mut self, endpoint: &PlannedEndpoint) {
        self.certificates.is_final = true;
        if self.surroundings.only_code {
            let problem =
                tls::load::none_given().key(endpoint.key.clone()).origin(endpoint.origin.clone());
            self.problems.push(problem);
            return;
        }
        let node = endpoint.key.strip_suffix(":Url");
        let meant_for = (&*self.surroundings.environment, endpoint.targets.are_loopback());
        let password = self.shared.development_password.as_ref();
        let said = &self.certificates.development;
        let looked_at =
            development_certificate::looked_at(password, said, self.surroundings, self.now);
        let make_one = development_certificate::TO_MAKE_ONE;
        let problem = tls::load::none_found(node, looked_at, make_one, meant_for)
            .key(endpoint.key.clone())
            .origin(endpoint.origin.clone());
        self.certificates.none_found.push(problem.clone());
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
        // What code made names its call.
        let made_by = || {
            let endpoints = self.plan.endpoints.iter().chain(&self.plan.refused);
            let origins = endpoints.map(|endpoint| (Some(&endpoint.key), &endpoint.origin));
            origins.into_iter().find(|(key, _)| *key == problem.key.as_ref()).map(|(_, it)| it)
        };
        match setting.map(|setting| &setting.origin).or_else(made_by).cloned() {
            Some(origin) => problem.origin(origin),
            None => problem,
        }
    }
}
