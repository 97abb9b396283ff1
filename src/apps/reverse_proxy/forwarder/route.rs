//! A route, prepared for requests.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::cluster::Cluster;
use crate::apps::reverse_proxy::options::RouteOptions;
use crate::apps::reverse_proxy::template::RouteValues;
use crate::apps::reverse_proxy::transform_options::{
    Change, RequestTransform, ResponseChange, ResponseTransform, Transforms, When, XForwarded,
};
use crate::diagnostics::Repeated;
use crate::features::Connection;

/// A route, prepared for requests.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) options: RouteOptions,
    pub(super) cluster: Option<Arc<Cluster>>,
    /// Whether it changes no more of a request's fields than is changed by itself.
    pub(super) is_plain: bool,
    /// Whether it changes paths or queries.
    pub(super) changes_target: bool,
    /// Whether a change asks for values of its template.
    pub(super) uses_values: bool,
    /// Of what its requests bring about again and again: no answer, answers that broke off, and that there is no
    /// cluster.
    pub(super) told: [Repeated; 3],
    /// Whether clients are told why there is no answer.
    pub(super) shows_details: bool,
    changes_trailers: bool,
    /// Whether answers go back with the headers that they came with.
    pub(super) passes_answers: bool,
}

impl Route {
    pub(super) fn new(
        options: RouteOptions,
        clusters: &[Arc<Cluster>],
        shows_details: bool,
    ) -> Arc<Self> {
        let cluster = options.cluster.and_then(|place| clusters.get(place)).cloned();
        let transforms = &options.transforms;
        let is_plain = is_plain(transforms);
        let copied = &transforms.response_trailers;
        let changes_trailers =
            !transforms.trailers.is_empty() || !copied.all || !copied.allowed.is_empty();
        let copied = &transforms.response_headers;
        let passes_answers =
            transforms.response.is_empty() && copied.all && copied.allowed.is_empty();
        let uses_values = transforms.uses_route_values();
        let changes_target = transforms.request.iter().any(is_of_target);
        Arc::new(Self {
            is_plain,
            changes_target,
            uses_values,
            told: Default::default(),
            shows_details,
            changes_trailers,
            passes_answers,
            options,
            cluster,
        })
    }

    /// The values of its template in a path, if a change asks for them.
    pub(super) fn values<'a>(&'a self, path: &'a str) -> RouteValues<'a> {
        let template = self.options.matching.path.as_ref().filter(|_| self.uses_values);
        template.and_then(|template| template.values(path)).unwrap_or_default()
    }

    /// Changes the head of an answer.
    pub(super) fn change_answer(&self, status: StatusCode, headers: &mut HeaderMap) {
        change_all(&self.options.transforms.response, status, headers);
    }

    /// Changes the trailers of an answer, which has begun well.
    pub(super) fn change_trailers(&self, trailers: &mut HeaderMap) {
        if !self.changes_trailers {
            return;
        }
        let transforms = &self.options.transforms;
        let copied = &transforms.response_trailers;
        if !copied.all {
            let kept = trailers.drain().collect::<Vec<_>>();
            let mut last = None;
            for (name, value) in kept {
                last = name.or(last);
                if let Some(name) = last.as_ref().filter(|name| copied.allowed.contains(name)) {
                    trailers.append(name.clone(), value);
                }
            }
        }
        change_all(&transforms.trailers, StatusCode::OK, trailers);
    }

    /// The client's certificate as a header has it, if the route tells it.
    pub(super) fn certificate(&self, parts: &Parts) -> Option<HeaderValue> {
        let tells =
            |change: &RequestTransform| matches!(change, RequestTransform::ClientCertificate(_));
        if !self.options.transforms.request.iter().any(tells) {
            return None;
        }
        let connection: &Connection = parts.extensions.get()?;
        let certificate = connection.tls()?.client_certificate()?;
        HeaderValue::from_str(&Base64::encode_string(certificate)).ok()
    }
}

/// Whether a change is one of path or query.
fn is_of_target(change: &RequestTransform) -> bool {
    matches!(
        change,
        RequestTransform::PathPrefix(_)
            | RequestTransform::PathRemovePrefix(_)
            | RequestTransform::PathSet(_)
            | RequestTransform::PathPattern(_)
            | RequestTransform::Query { .. }
            | RequestTransform::QueryRemove(_)
    )
}

fn is_plain(transforms: &Transforms) -> bool {
    let changes_no_field = |change: &RequestTransform| match change {
        RequestTransform::XForwarded(told) => *told == XForwarded::default(),
        other => is_of_target(other),
    };
    let tells = |change: &&RequestTransform| matches!(change, RequestTransform::XForwarded(_));
    transforms.request.iter().all(changes_no_field)
        && transforms.request.iter().filter(tells).count() == 1
        && transforms.request_headers.all
        && transforms.request_headers.allowed.is_empty()
}

fn change_all(changes: &[ResponseTransform], status: StatusCode, headers: &mut HeaderMap) {
    let succeeded = status.as_u16() < 400;
    for ResponseTransform { name, change, when } in changes {
        match when {
            When::Success if !succeeded => continue,
            When::Failure if succeeded => continue,
            When::Success | When::Failure | When::Always => {}
        }
        match change {
            ResponseChange::Value(value, Change::Set) => drop(headers.insert(name, value.clone())),
            ResponseChange::Value(value, Change::Append) => {
                headers.append(name, value.clone());
            }
            ResponseChange::Remove => drop(headers.remove(name)),
        }
    }
}
