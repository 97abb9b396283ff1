//! The stage that hands requests on to processes.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use http::{HeaderName, HeaderValue};

use super::children::Children;
use super::pool::Pool;
use crate::features::Connection;
use crate::pipeline::{Enter, Request, Responding, Stage};

/// The headers that only a host may send.
const OF_HOST: &str = "ms-aspnetcore";
const CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("ms-aspnetcore-clientcert");

/// Hands every request on to a process. It is the last stage: nothing is behind it.
#[derive(Debug)]
pub(crate) struct ChildProcess(Option<Arc<Pool>>);

impl ChildProcess {
    /// With the processes of a host.
    pub(crate) fn new(children: &Children) -> Self {
        Self(children.pool())
    }
}

impl Stage for ChildProcess {
    fn enter(&self, request: &mut Request) -> Enter {
        let Some(pool) = self.0.clone() else { return Enter::Next };
        tell_certificate(request);
        let request = std::mem::take(request);
        Enter::Taken(Responding::later(pool.answer(request)))
    }
}

/// Takes away what a client says in the place of its host, and tells the certificate that it really has.
fn tell_certificate(request: &mut Request) {
    let is_of_host = |name: &&HeaderName| name.as_str().starts_with(OF_HOST);
    while let Some(name) = request.headers().keys().find(is_of_host).cloned() {
        request.headers_mut().remove(name);
    }
    let connection = request.extensions().get::<Connection>();
    let certificate = connection.and_then(|it| it.tls()?.client_certificate());
    let value = certificate.and_then(|it| HeaderValue::from_str(&Base64::encode_string(it)).ok());
    if let Some(value) = value {
        request.headers_mut().insert(CLIENT_CERTIFICATE, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_client_cannot_speak_for_its_host() {
        let mut request = Request::new(Body::empty());
        for (name, value) in [
            ("ms-aspnetcore-token", "guessed"),
            ("ms-aspnetcore-clientcert", "another"),
            ("MS-ASPNETCORE-Event", "shutdown"),
            ("accept", "*/*"),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(&name, HeaderValue::from_static(value));
            request.headers_mut().append(&name, HeaderValue::from_static(value));
        }
        tell_certificate(&mut request);
        assert_eq!(request.headers().keys().collect::<Vec<_>>(), ["accept"]);
    }
}
