//! What only code can say of an endpoint, and may say wrongly: configuration is judged where it is read.

use super::tls::never_asked;
use crate::addresses::{ConfiguredEndpoint, ConfiguredTls, ListenTarget};
use crate::configuration::{Origin, Problem};
use crate::tls::{ClientCertificateMode, SslProtocols};

/// Judges the endpoints that code made, in their order.
pub(super) fn check(endpoints: &[ConfiguredEndpoint], problems: &mut Vec<Problem>) {
    let in_code = |it: &&ConfiguredEndpoint| matches!(it.target.origin, Origin::Code(_));
    let mut names: Vec<&str> = Vec::new();
    for endpoint in endpoints.iter().filter(in_code) {
        let mut found = Vec::new();
        // Its address is its name if it has no other, and is judged by the plan.
        if endpoint.name != endpoint.target.value.to_string() {
            let is_taken = names.iter().any(|known| known.eq_ignore_ascii_case(&endpoint.name));
            found.extend(name(&endpoint.name, is_taken));
            names.push(&endpoint.name);
        }
        if let ListenTarget::UnixSocket(path) = &endpoint.target.value
            && !path.is_absolute()
        {
            found.push(
                Problem::error("Unix socket path must be absolute.")
                    .cause(format!("'{}' begins with no slash.", path.display()))
                    .fix("give the whole path, such as /run/app.sock"),
            );
        }
        if let Some(tls) = &endpoint.tls {
            of_tls(tls, &mut found);
        }
        let origin = &endpoint.target.origin;
        problems.extend(
            found.into_iter().map(|it| it.key(endpoint.key.clone()).origin(origin.clone())),
        );
    }
}

fn name(name: &str, is_taken: bool) -> Option<Problem> {
    if name.trim().is_empty() {
        return Some(
            Problem::error("An endpoint with an empty name cannot be told from others.").fix(
                "give it a name, or leave out the call of named: then its address is its name",
            ),
        );
    }
    is_taken.then(|| {
        Problem::error(format!("Two endpoints are named '{name}'."))
            .fix("give each a name of its own, or leave out the call of named")
    })
}

fn of_tls(tls: &ConfiguredTls, found: &mut Vec<Problem>) {
    use ClientCertificateMode::{AllowCertificate, DelayCertificate, RequireCertificate};

    const NONE: SslProtocols = SslProtocols { tls12: false, tls13: false };

    if std::iter::once(tls.ssl_protocols)
        .chain(tls.sni.iter().map(|section| section.ssl_protocols))
        .any(|protocols| protocols == Some(NONE))
    {
        found.push(
            Problem::error("An https endpoint that speaks no version of TLS serves nobody.")
                .fix("use SslProtocols::ALL, SslProtocols::TLS12 or SslProtocols::TLS13"),
        );
    }
    if tls.server_config.is_some() {
        let is = |said: bool, what: &'static str| said.then_some(what);
        let beside: Vec<_> = [
            is(tls.certificate.is_some(), "certificate"),
            is(tls.ssl_protocols != Some(SslProtocols::ALL), "ssl_protocols"),
            is(
                tls.client_certificate_mode != Some(ClientCertificateMode::NoCertificate),
                "client_certificate_mode",
            ),
            is(!tls.client_certificate_roots.is_empty(), "client_certificate_roots"),
            is(!tls.sni.is_empty(), "sni"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !beside.is_empty() {
            found.push(
                Problem::error(format!(
                    "A configuration of rustls says all of TLS, and beside it there is {}.",
                    beside.join(" and ")
                ))
                .fix("say it in the configuration of rustls, or leave that out"),
            );
        }
    }
    let mut names: Vec<&str> = Vec::new();
    for section in &tls.sni {
        if section.name.is_empty() {
            found.push(
                Problem::error("A name that clients ask for cannot be empty.").fix(
                    "name a host such as www.example.com, *.example.com for all below it, or *",
                ),
            );
        } else if names.iter().any(|known| known.eq_ignore_ascii_case(&section.name)) {
            found.push(
                Problem::error(format!("The name {} is there twice.", section.name))
                    .fix("say once what differs for it"),
            );
        }
        names.push(&section.name);
    }
    let modes = || {
        let of_names = tls.sni.iter().map(|section| section.client_certificate_mode);
        of_names.chain([tls.client_certificate_mode]).flatten()
    };
    if modes().any(|mode| mode == DelayCertificate) {
        found.push(never_asked());
    }
    let has_roots = !tls.client_certificate_roots.is_empty()
        || tls.sni.iter().any(|section| !section.client_certificate_roots.is_empty());
    if has_roots && !modes().any(|mode| matches!(mode, AllowCertificate | RequireCertificate)) {
        found.push(
            Problem::warning("Roots for certificates that no client is asked for mean nothing.")
                .fix("set client_certificate_mode to RequireCertificate, or to AllowCertificate"),
        );
    }
}
