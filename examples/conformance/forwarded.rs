//! What the stage of forwarded headers makes of a request, with options and a peer that come with it.
//!
//! Each request is put to a host of its own, whose section `ForwardedHeaders` has those options, over a
//! connection in memory that comes from that peer.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use kestrel::configuration::{Pairs, SourcePlace};
use kestrel::testing::TestServer;
use kestrel::{EffectiveRequest, Host, Unhandled};
use serde_json::{Value, json};

use crate::answers::{fail, json_answer};

/// Where a peer has no address.
const WITHOUT_ADDRESS: &str = "http://unix:/forwarded.sock";
const WITH_ADDRESS: &str = "http://127.0.0.1:5000";

const OPTIONS: HeaderName = HeaderName::from_static("case-options");
const PEER: HeaderName = HeaderName::from_static("case-peer");
const PORT: HeaderName = HeaderName::from_static("case-peer-port");

pub(crate) async fn forwarded(request: Request) -> Response {
    match put_to_a_host(request.headers()).await {
        Ok(seen) => json_answer(&seen),
        Err(error) => fail(error.to_string()),
    }
}

async fn put_to_a_host(headers: &HeaderMap) -> Result<Value, Box<dyn std::error::Error>> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let options: Value = serde_json::from_str(text(&OPTIONS).unwrap_or("{}"))?;
    let peer: Option<IpAddr> = match text(&PEER).filter(|peer| !peer.is_empty()) {
        Some(peer) => Some(peer.parse()?),
        None => None,
    };
    let host = Host::builder()
        .use_urls(if peer.is_some() { WITH_ADDRESS } else { WITHOUT_ADDRESS })
        .configuration_source(SourcePlace::AboveFiles, Pairs::new("a case", settings(&options)))
        .app(Router::new().fallback(seen));
    let server = TestServer::start_host(host).await?;
    let mut forwarded = axum::http::Request::new(Body::empty());
    *forwarded.headers_mut() = headers.clone();
    for name in [&OPTIONS, &PEER, &PORT] {
        forwarded.headers_mut().remove(name);
    }
    // The host is said by its header alone.
    forwarded.headers_mut().entry(HOST).or_insert(axum::http::HeaderValue::from_static(""));
    let mut asking = server.request(forwarded);
    if let Some(ip) = peer {
        let port = text(&PORT).and_then(|port| port.parse().ok()).unwrap_or(0);
        asking = asking.remote_address(SocketAddr::new(ip, port));
    }
    let answer = asking.send().await?.json().await?;
    server.stop().await;
    Ok(answer)
}

/// The options of a case as keys of the section.
fn settings(options: &Value) -> Vec<(String, String)> {
    let key = |name: &str| format!("ForwardedHeaders:{name}");
    let list = |name: &str| -> Vec<String> {
        let members = options[name].as_array().into_iter().flatten();
        members.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let kinds = list("ForwardedHeaders");
    let kinds = if kinds.is_empty() { "None".to_owned() } else { kinds.join(", ") };
    let limit = options["ForwardLimit"].as_u64().unwrap_or(i32::MAX.cast_unsigned().into());
    let symmetry = options["RequireHeaderSymmetry"] == true;
    let mut pairs = vec![
        (key("ForwardedHeaders"), kinds),
        (key("ForwardLimit"), limit.to_string()),
        (key("RequireHeaderSymmetry"), symmetry.to_string()),
    ];
    let (proxies, networks) = (list("KnownProxies"), list("KnownIPNetworks"));
    // Without a list everybody is believed by this switch alone.
    match proxies.is_empty() && networks.is_empty() {
        true => pairs.push(("ForwardedHeaders_Enabled".to_owned(), "true".to_owned())),
        false => pairs.push((key("Enabled"), "true".to_owned())),
    }
    for (name, members) in [
        ("KnownProxies", proxies),
        ("KnownIPNetworks", networks),
        ("AllowedHosts", list("AllowedHosts")),
    ] {
        let entries = members.into_iter().enumerate();
        pairs.extend(entries.map(|(at, member)| (key(&format!("{name}:{at}")), member)));
    }
    pairs
}

/// What the app saw.
async fn seen(request: Request) -> Result<Response, Unhandled> {
    let meant = EffectiveRequest::of(&request);
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers() {
        if name.as_str().starts_with("x-") || name.as_str().starts_with("forwarded") {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.as_str()).or_default().push(value);
        }
    }
    Ok(json_answer(&json!({
        "remote": meant.client().map(|client| client.ip().to_string()),
        "port": meant.client().map_or(0, |client| client.port()),
        "scheme": meant.scheme(),
        "host": meant.host(),
        "pathBase": meant.path_base(),
        "headers": headers,
    })))
}
