//! What stands for the certificates of a plan's endpoints in a build without the feature `tls`: there are none,
//! and whoever asks for https is told why.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::finding::Finding;
use super::settings::SharedCertificates;
use super::surroundings::Surroundings;
use crate::addresses::EndpointPlan;
use crate::configuration::{Configuration, Problem};
use crate::tls::EndpointTls;

const FIX: &str = "build it with the feature 'tls' of the crate kestrel";

/// Certificates of sites that are served: none.
#[derive(Debug, Default)]
pub(super) struct OfSites {}

/// What the endpoints of a plan are secured with: nothing.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    /// How many endpoints there are.
    endpoints: usize,
    /// The files that were read: none.
    pub(super) files: Vec<PathBuf>,
    /// What is said of endpoints for which none was found. A setting that could not be read changes
    /// nothing of it.
    pub(super) none_found: Vec<Problem>,
    /// What is wrong with certificates of sites that serve on: nothing.
    pub(super) left: Vec<Problem>,
}

impl Certificates {
    /// What secures each endpoint of the plan, in its order.
    pub(super) fn endpoints(&self) -> Vec<Option<Arc<EndpointTls>>> {
        vec![None; self.endpoints]
    }

    /// Whether what is wrong may be right in a moment.
    pub(super) fn may_pass(&self) -> bool {
        false
    }

    /// Whether the same is to be said of the development certificate.
    pub(super) fn development_is_that_of(&self, _: &Self) -> bool {
        true
    }

    /// What is to be said of the development certificate.
    pub(super) fn of_development(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// What is to be said of the certificates of all endpoints.
    pub(super) fn of_all(&self, _: SystemTime) -> Vec<Finding> {
        Vec::new()
    }

    /// What is to be said of the certificates of the endpoint at a place of the plan.
    pub(super) fn of_endpoint(&self, _: usize, _: SystemTime) -> Vec<Finding> {
        Vec::new()
    }

    /// Each certificate of the endpoint at a place of the plan in words.
    pub(super) fn served(&self, _: usize) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether the endpoint at a place of one plan serves other certificates than one of another.
    pub(super) fn differ_at(&self, _: usize, _: &Self, _: usize) -> bool {
        false
    }

    /// The certificate of the endpoint at a place of the plan, in words.
    pub(super) fn text_of_new(&self, _: usize, _: (&Self, Option<usize>)) -> Option<String> {
        None
    }

    /// Certificates of sites that are served.
    pub(super) fn of_sites(&self) -> OfSites {
        OfSites {}
    }
}

/// Tells of every https endpoint, and of a default certificate, that this program can do nothing with
/// them.
pub(super) fn read(
    plan: &EndpointPlan,
    shared: &SharedCertificates,
    configuration: &Configuration,
    _: (&Surroundings, &OfSites),
    _: SystemTime,
) -> (Certificates, Vec<Problem>) {
    let secured = plan.endpoints.iter().chain(&plan.refused).filter(|it| it.tls.is_some());
    let mut problems: Vec<_> = secured
        .map(|endpoint| {
            Problem::error(
                "HTTPS cannot be served: this program was built without the feature 'tls'.",
            )
            .key(endpoint.key.clone())
            .origin(endpoint.origin.clone())
            .fix(format!("{FIX}, or write http in the place of https"))
        })
        .collect();
    if let Some(source) = &shared.default {
        let problem = Problem::error(
            "A certificate cannot be served: this program was built without the feature 'tls'.",
        )
        .fix(format!("{FIX}, or remove {}", source.key));
        let section = configuration.section(&source.key);
        problems.push(match section.first_setting() {
            Some(setting) => problem.key(setting.key.clone()).origin(setting.origin.clone()),
            None => problem.key(source.key.clone()),
        });
    }
    let certificates = Certificates { endpoints: plan.endpoints.len(), ..Certificates::default() };
    (certificates, problems)
}
