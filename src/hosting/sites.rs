//! The sites of a host: what they need that is read from files, what https serves for their names, and what of them
//! outlives reloads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::child_process::{self, Around, Children};
use super::finding::{Finding, Subject};
use super::reverse_proxy::{self, Material, Upstreams};
use super::settings::{
    SharedCertificates, SiteSettings, SitesSettings, StageSettings, of_site, site_of, site_section,
};
use super::surroundings::Surroundings;
use crate::addresses::EndpointPlan;
use crate::configuration::Configuration;
use crate::middleware::Limiters;
use crate::tls::{SniOptions, TlsOptions};

/// What clusters of the reverse proxy need, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Materials {
    /// Of the host's own.
    pub(super) own: Vec<Material>,
    /// Of those of each site.
    pub(super) of_sites: Vec<Vec<Material>>,
}

/// What is read for all clusters, and what is wrong with it. The files that it was read from are added to `files`.
pub(super) fn materials(
    settings: &StageSettings,
    configuration: &Configuration,
    surroundings: &Surroundings,
    files: &mut Vec<PathBuf>,
) -> (Materials, Vec<Finding>) {
    let (own, mut problems) = reverse_proxy::read(settings, configuration, surroundings, files);
    let missing =
        |of: &StageSettings| child_process::missing(of).map(|it| (Subject::Certificate, it));
    problems.extend(missing(settings));
    let mut of_sites = Vec::new();
    for site in settings.sites.iter().flat_map(|it| &it.sites) {
        let below = configuration.rooted_at(&site_section(&site.name));
        let (of_one, wrong) = reverse_proxy::read(&site.stages, &below, surroundings, files);
        let wrong = wrong.into_iter().chain(missing(&site.stages));
        problems.extend(wrong.map(|(about, problem)| (about, of_site(&site.name, problem))));
        of_sites.push(of_one);
    }
    let found = problems.into_iter().map(|(about, it)| Finding::of_problem(about, it));
    (Materials { own, of_sites }, found.collect())
}

/// What was renewed in files that clusters of the host and of its sites are read from, in words: of those that are there
/// before and after.
#[cfg_attr(not(feature = "reload"), allow(dead_code, reason = "only a reload asks for it"))]
pub(super) fn renewed(
    (old, before): (&StageSettings, &Materials),
    (new, after): (&StageSettings, &Materials),
) -> Vec<String> {
    fn all<'a>(
        settings: &'a StageSettings,
        materials: &'a Materials,
    ) -> impl Iterator<Item = (&'a SiteSettings, &'a Vec<Material>)> {
        settings.sites.iter().flat_map(|it| &it.sites).zip(&materials.of_sites)
    }
    let mut words = reverse_proxy::renewed((old, &before.own), (new, &after.own));
    for (site, material) in all(new, after) {
        let same = |it: &(&SiteSettings, _)| it.0.name.eq_ignore_ascii_case(&site.name);
        if let Some((was, known)) = all(old, before).find(same) {
            let of_one = reverse_proxy::renewed((&was.stages, known), (&site.stages, material));
            let section = site_section(&site.name);
            words.extend(of_one.into_iter().map(|it| format!("{section}:{it}")));
        }
    }
    words
}

/// Lets every https endpoint serve the certificates of sites for their names, but for names that it has itself.
///
/// Whoever asks for another name gets what he would get without the sites, where there is such a certificate.
pub(super) fn secure(
    plan: &mut EndpointPlan,
    sites: Option<&SitesSettings>,
    shared: &SharedCertificates,
) {
    let has_shared = shared.default.is_some() || shared.development_password.is_some();
    let entries: Vec<_> = sites.iter().flat_map(|it| &it.sites).flat_map(entries_of).collect();
    for endpoint in plan.endpoints.iter_mut().chain(&mut plan.refused) {
        let ready = |tls: &&mut TlsOptions| tls.server_config.is_none();
        let Some(tls) = endpoint.tls.as_mut().filter(ready) else { continue };
        // Of an endpoint that a reload has left as it was.
        tls.sni.retain(|entry| !is_of_site(entry));
        let has_names = !tls.sni.is_empty();
        for entry in &entries {
            if !tls.sni.iter().any(|own| own.name.eq_ignore_ascii_case(&entry.name)) {
                tls.sni.push(entry.clone());
            }
        }
        if !has_names && !tls.sni.is_empty() && (tls.certificate.is_some() || has_shared) {
            tls.sni.push(SniOptions { name: "*".to_owned(), ..SniOptions::default() });
        }
    }
}

fn entries_of(site: &SiteSettings) -> impl Iterator<Item = SniOptions> {
    let certificate = site.certificate.iter();
    certificate.flat_map(|certificate| {
        site.names().map(|name| SniOptions {
            name,
            certificate: Some(certificate.clone()),
            ..SniOptions::default()
        })
    })
}

/// Whether it stands for a site: by its certificate, or for the names that no site has.
fn is_of_site(entry: &SniOptions) -> bool {
    let of_certificate = entry.certificate.as_ref().map(|it| it.key.as_str());
    of_certificate.is_some_and(|key| site_of(key).is_some())
}

/// What sites have over reloads, by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct SitesOfHost(Arc<Mutex<BTreeMap<String, OfSite>>>);

/// What a site has over reloads.
#[derive(Clone, Debug, Default)]
pub(super) struct OfSite {
    /// What has passed of limits.
    pub(super) limiters: Arc<Limiters>,
    /// The servers that requests are handed to.
    pub(super) upstreams: Arc<Upstreams>,
    /// The programs behind it.
    pub(super) children: Arc<Children>,
}

impl SitesOfHost {
    /// What a site of this name has, which may be new.
    pub(super) fn of(&self, name: &str) -> OfSite {
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sites.entry(name.to_lowercase()).or_default().clone()
    }

    /// The programs behind all of them.
    pub(super) fn children(&self) -> Vec<Arc<Children>> {
        let sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sites.values().map(|site| Arc::clone(&site.children)).collect()
    }

    /// Lets go of what sites had that are none any more.
    pub(super) fn keep<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let names: Vec<_> = names.map(str::to_lowercase).collect();
        let mut sites = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sites.retain(|name, site| {
            let stays = names.contains(name);
            if !stays {
                // Their connections end, and nobody asks for their health.
                site.upstreams.change_to(&[], &[]);
                site.children.change_to(None, &Arc::new(Around::default()));
                let children = Arc::clone(&site.children);
                *site = OfSite { children, ..OfSite::default() };
            }
            // A stop ends programs that answer their last requests.
            stays || site.children.are_leaving()
        });
    }
}
