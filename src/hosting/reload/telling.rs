//! What is told of a reload, and what is not told again.

use std::time::SystemTime;

use super::report;
use super::running::Running;
use crate::addresses::{BindError, Change, Difference, EndpointPlan};
use crate::configuration::Problem;
use crate::diagnostics::events;
use crate::hosting::certificates::Certificates;
use crate::hosting::error::HostError;
use crate::hosting::finding::Finding;
use crate::hosting::prepare::Left;

impl Running {
    /// Tells what a reload did, as Kestrel does; what it did line by line is the result.
    pub(super) fn tell(
        &self,
        difference: &Difference,
        (plan, certificates): (&EndpointPlan, &Certificates),
        addresses_before: &[String],
    ) -> Vec<String> {
        let mut lines = Vec::new();
        if !difference.is_empty() {
            let (stopping, starting) =
                report::stopping_and_starting(difference, &self.current.plan, plan);
            if !stopping.is_empty() {
                events::endpoints_stopping(&stopping);
            }
            if !starting.is_empty() {
                events::endpoints_starting(&starting);
            }
            let certificate = |place: usize| {
                let old = difference.endpoints.get(place).and_then(Change::old);
                certificates.text_of_new(place, (&self.current.certificates, old))
            };
            let now = self.context.addresses.list();
            lines = report::endpoint_lines(difference, addresses_before, &now, certificate);
        }
        lines
    }

    /// Tells what is odd, and once: what is tried again is odd again.
    pub(super) fn tell_odd(&mut self, problems: &[Finding]) {
        let odd = problems.iter().filter(|odd| !odd.problem().is_error());
        let odd: Vec<_> = odd.filter(|odd| !self.was_told(odd.problem())).collect();
        odd.iter().for_each(|odd| odd.notice().log());
        self.told.extend(odd.into_iter().map(|odd| odd.problem().clone()));
    }

    /// Whether a warning was told at the last reload or the start. It may have moved in its file.
    fn was_told(&self, problem: &Problem) -> bool {
        let same = |told: &Problem| told.message == problem.message && told.key == problem.key;
        self.told.iter().any(same)
    }

    /// What is to be said of certificates that are served from now on.
    pub(super) fn said_of(
        &self,
        certificates: &Certificates,
        difference: &Difference,
    ) -> Vec<Finding> {
        let mut said = Vec::new();
        if !certificates.development_is_that_of(&self.current.certificates) {
            said.extend(certificates.of_development());
        }
        let now = SystemTime::now();
        for (place, change) in difference.endpoints.iter().enumerate() {
            if !matches!(change, Change::Kept { .. }) {
                said.extend(certificates.of_endpoint(place, now));
            }
        }
        said
    }

    pub(super) fn tell_refused(&self, error: &HostError) {
        let detail = format!("{error}\nWhat runs goes on as it was.");
        match error {
            HostError::Bind(errors) => {
                let addresses: Vec<_> = errors.iter().map(BindError::address).collect();
                events::reload_bind_failed(&addresses.join("', '"), &detail);
            }
            _ => events::reload_refused(&detail),
        }
    }

    /// Tells of sites that are left as they are.
    pub(super) fn tell_left(&mut self) {
        for Left { site, problems } in std::mem::take(&mut self.left) {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            events::site_left(&site, &problems.join("\n"));
        }
    }
}
