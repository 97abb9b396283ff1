//! `Transforms`: what a route changes of requests, and what of answers.

use http::Method;

use super::forwarded;
use super::one_transform::OneTransform;
use super::reader::{Reader, in_order};
use super::response_transforms;
use crate::apps::reverse_proxy::path_pattern::{PathPattern, RouteParameter};
use crate::apps::reverse_proxy::template::Template;
use crate::apps::reverse_proxy::transform_options::{
    RequestTransform, Transforms, Value, XForwarded,
};
use crate::configuration::Setting;
use crate::configuration::near_names::did_you_mean;

/// Reads the list of a route with this template.
pub(super) fn read(route: &mut Reader<'_, '_>, template: Option<&Template>) -> Transforms {
    let mut transforms = Transforms { request: Vec::new(), ..Transforms::default() };
    let mut tells_of_client = false;
    for section in in_order(&route.section("Transforms")) {
        let mut reader = route.below(&format!("Transforms:{}", section.name()));
        let Some(mut one) = OneTransform::of(&mut reader, &section) else { continue };
        tells_of_client |= matches!(one.kind, "X-Forwarded" | "Forwarded");
        if one.kind.starts_with("Response") {
            response_transforms::read(&mut one, &mut transforms);
            continue;
        }
        match one.kind {
            "RequestHeadersCopy" => {
                transforms.request_headers.all = one.boolean().unwrap_or_default();
            }
            "RequestHeaderOriginalHost" => {
                transforms.original_host = one.boolean().unwrap_or_default();
            }
            "RequestHeadersAllowed" => {
                transforms.request_headers.all = false;
                transforms.request_headers.allowed.extend(one.headers());
            }
            _ => transforms.request.extend(step(&mut one, template)),
        }
    }
    if !tells_of_client {
        transforms.request.push(RequestTransform::XForwarded(XForwarded::default()));
    }
    transforms
}

/// A change of the request that has its turn.
fn step(
    one: &mut OneTransform<'_, '_, '_>,
    template: Option<&Template>,
) -> Option<RequestTransform> {
    Some(match one.kind {
        "PathPrefix" => RequestTransform::PathPrefix(path(one)),
        "PathRemovePrefix" => RequestTransform::PathRemovePrefix(prefix_to_remove(one)),
        "PathSet" => RequestTransform::PathSet(path(one)),
        "PathPattern" => RequestTransform::PathPattern(pattern(one, template)?),
        "QueryValueParameter" => {
            let (how, _, text) = one.change()?;
            RequestTransform::Query {
                name: one.text.to_owned(),
                value: Value::Text(text.to_owned()),
                how,
            }
        }
        "QueryRouteParameter" => {
            let (how, setting, text) = one.change()?;
            let value = Value::Route(parameter(one, (setting, text), template));
            RequestTransform::Query { name: one.text.to_owned(), value, how }
        }
        "QueryRemoveParameter" => RequestTransform::QueryRemove(one.text.to_owned()),
        "HttpMethodChange" => method(one)?,
        "RequestHeader" => {
            let (how, setting, text) = one.change()?;
            let value = one.value((setting, text));
            RequestTransform::Header { name: one.header()?, value: value?, how }
        }
        "RequestHeaderRouteValue" => {
            let (how, setting, text) = one.change()?;
            let parameter = parameter(one, (setting, text), template);
            RequestTransform::HeaderOfRoute { name: one.header()?, parameter, how }
        }
        "RequestHeaderRemove" => RequestTransform::HeaderRemove(one.header()?),
        "ClientCert" => RequestTransform::ClientCertificate(one.header()?),
        "X-Forwarded" => RequestTransform::XForwarded(forwarded::x_forwarded(one)?),
        _ => RequestTransform::Forwarded(forwarded::forwarded(one)?),
    })
}

/// A path, which begins with a slash if it is not empty.
fn path(one: &OneTransform<'_, '_, '_>) -> String {
    match one.text {
        text if text.is_empty() || text.starts_with('/') => text.to_owned(),
        text => format!("/{text}"),
    }
}

fn prefix_to_remove(one: &mut OneTransform<'_, '_, '_>) -> String {
    let path = path(one);
    if let Some(without) = path.strip_suffix('/') {
        let message = format!(
            "'{}' has no effect: no path has '{path}' for whole segments.",
            one.setting.key
        );
        one.reader.odd(one.setting, message, format!("write {without}"));
    }
    path
}

fn pattern(one: &mut OneTransform<'_, '_, '_>, template: Option<&Template>) -> Option<PathPattern> {
    let pattern = match PathPattern::parse(one.text, template) {
        Ok(pattern) => pattern,
        Err(mistake) => {
            let message = |text: &str| format!("Invalid PathPattern '{text}'.");
            one.reader.because((one.setting, one.text), message, mistake);
            return None;
        }
    };
    for name in pattern.unknown_names() {
        tell_unknown(one, one.setting, name, template);
    }
    Some(pattern)
}

/// A parameter of the route.
fn parameter(
    one: &mut OneTransform<'_, '_, '_>,
    (setting, name): (&Setting, &str),
    template: Option<&Template>,
) -> RouteParameter {
    let parameter = RouteParameter::of(template, name);
    if parameter.place.is_none() {
        tell_unknown(one, setting, name, template);
    }
    parameter
}

/// Tells that the route has no such parameter. It would never have a value.
fn tell_unknown(
    one: &mut OneTransform<'_, '_, '_>,
    setting: &Setting,
    name: &str,
    template: Option<&Template>,
) {
    let known: Vec<&str> = template.into_iter().flat_map(Template::parameter_names).collect();
    let fix = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.is_empty() => "write a Match:Path with parameters".to_owned(),
        None => format!("write one of {}", known.join(", ")),
    };
    let message = format!(
        "'{}' never has a value: the path of its route has no parameter '{name}'.",
        setting.key
    );
    one.reader.odd(setting, message, fix);
}

fn method(one: &mut OneTransform<'_, '_, '_>) -> Option<RequestTransform> {
    let Some((setting, to)) = one.reader.setting("Set") else {
        let message =
            "Unexpected parameters for HttpMethodChange: HttpMethodChange. Expected 'Set'"
                .to_owned();
        one.reader.wrong_here(message, "add \"Set\": .. with the method then");
        return None;
    };
    let read = |text: &str| text.trim().to_uppercase().parse::<Method>().ok();
    let methods = (read(one.text), read(to));
    for (setting, method) in [(one.setting, &methods.0), (setting, &methods.1)] {
        if method.is_none() {
            let message = format!("What stands at '{}' can be no method.", setting.key);
            one.reader.wrong(setting, message, "write a method such as GET");
        }
    }
    Some(RequestTransform::Method { from: methods.0?, to: methods.1? })
}
