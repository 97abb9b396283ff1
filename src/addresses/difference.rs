//! What a reload does to the endpoints: a pure function from two plans to what differs.

use std::fmt;

use super::claim::Claim;
use super::endpoint::{PlannedEndpoint, Targets};
use crate::tls::{CertificateSource, SniOptions, TlsOptions};

/// How a new plan differs from the one that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What becomes of each endpoint of the new plan, in its order.
    pub endpoints: Vec<Change>,
    /// The endpoints that go: their places in the old plan.
    pub removed: Vec<usize>,
}

/// What becomes of an endpoint of the new plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Nothing has its sockets yet: they are bound.
    Added,
    /// It is as it was, whatever it is called now.
    Kept {
        /// Its place in the old plan.
        old: usize,
    },
    /// Its sockets stay open, and new connections are served in another way.
    Changed {
        /// Its place in the old plan.
        old: usize,
        /// What is different.
        aspects: Vec<Aspect>,
    },
}

impl Change {
    /// The place in the old plan, of an endpoint that was there.
    pub fn old(&self) -> Option<usize> {
        match self {
            Self::Added => None,
            Self::Kept { old } | Self::Changed { old, .. } => Some(*old),
        }
    }
}

/// What can be different about an endpoint while its sockets stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aspect {
    /// Clear text or TLS.
    Scheme,
    /// The name it is announced with.
    Name,
    /// The versions of HTTP.
    Protocols,
    /// The certificate, or one of the certificates.
    Certificate,
    /// The versions of TLS.
    SslProtocols,
    /// Whether clients are asked for a certificate, and whose are taken.
    ClientCertificateMode,
    /// What differs by the name that a client asks for.
    Sni,
    /// The mode, the owner or the group of a Unix socket's file.
    SocketFile,
    /// Whether the PROXY protocol is spoken, and with whom.
    ProxyProtocol,
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "scheme",
            Self::Name => "name",
            Self::Protocols => "protocols",
            Self::Certificate => "certificate",
            Self::SslProtocols => "TLS versions",
            Self::ClientCertificateMode => "client certificates",
            Self::Sni => "server names",
            Self::SocketFile => "rights of the socket's file",
            Self::ProxyProtocol => "PROXY protocol",
        })
    }
}

impl Difference {
    /// Whether nothing starts, stops or is served in another way.
    pub fn is_empty(&self) -> bool {
        let kept = |change: &Change| matches!(change, Change::Kept { .. });
        self.removed.is_empty() && self.endpoints.iter().all(kept)
    }
}

/// Compares what runs with a new plan.
///
/// Two endpoints are the same if their sockets are; of several on free ports, those of one name.
/// `other_certificate` tells of the endpoints at two places, old and new, whether the certificates
/// that were loaded for them differ: a file can be another without a setting being so.
pub(crate) fn difference(
    old: &[PlannedEndpoint],
    new: &[PlannedEndpoint],
    other_certificate: impl Fn(usize, usize) -> bool,
) -> Difference {
    // Places of the old plan that have no partner yet, and those that found one.
    let mut left: Vec<(usize, &PlannedEndpoint)> = old.iter().enumerate().collect();
    let mut partners: Vec<Option<(usize, &PlannedEndpoint)>> = vec![None; new.len()];
    for by_name in [true, false] {
        for (partner, endpoint) in partners.iter_mut().zip(new).filter(|(found, _)| found.is_none())
        {
            let fits = |(_, known): &(usize, &PlannedEndpoint)| {
                known.targets == endpoint.targets && (!by_name || known.name == endpoint.name)
            };
            *partner = left.iter().position(fits).map(|place| left.remove(place));
        }
    }
    let change = |(place, (partner, endpoint)): (usize, (Option<(usize, _)>, _))| {
        let Some((old, known)) = partner else {
            return Change::Added;
        };
        let aspects = aspects(known, endpoint, other_certificate(old, place));
        if aspects.is_empty() { Change::Kept { old } } else { Change::Changed { old, aspects } }
    };
    Difference {
        endpoints: partners.into_iter().zip(new).enumerate().map(change).collect(),
        removed: left.into_iter().map(|(place, _)| place).collect(),
    }
}

/// Whether the system would refuse the sockets of one while the other has its own.
pub(crate) fn clash(one: &PlannedEndpoint, other: &PlannedEndpoint) -> bool {
    let others = Claim::all(&other.targets);
    Claim::all(&one.targets)
        .iter()
        .any(|claim| others.iter().any(|other| claim.clashes_with(other)))
}

/// What is different between two endpoints on the same sockets.
fn aspects(old: &PlannedEndpoint, new: &PlannedEndpoint, other_certificate: bool) -> Vec<Aspect> {
    let loopback = matches!(new.targets, Targets::AtLeastOne(_));
    let mut aspects = vec![
        (Aspect::Scheme, old.transport != new.transport),
        (Aspect::Name, loopback && old.local_name != new.local_name),
        (Aspect::Protocols, old.protocols != new.protocols),
        (Aspect::SocketFile, old.unix_socket != new.unix_socket),
        (Aspect::ProxyProtocol, old.proxy_protocol != new.proxy_protocol),
    ];
    if let (Some(old), Some(new)) = (&old.tls, &new.tls) {
        aspects.extend(aspects_of_tls(old, new, other_certificate));
    }
    aspects.into_iter().filter(|(_, different)| *different).map(|(aspect, _)| aspect).collect()
}

fn aspects_of_tls(
    old: &TlsOptions,
    new: &TlsOptions,
    other_certificate: bool,
) -> [(Aspect, bool); 4] {
    let same = |old: &Option<CertificateSource>, new: &Option<CertificateSource>| {
        // Not by its key and name: those of an endpoint that is renamed are others, too.
        old.as_ref().map(|source| &source.location) == new.as_ref().map(|source| &source.location)
    };
    let same_sni = |(old, new): (&SniOptions, &SniOptions)| {
        old.name == new.name
            && old.protocols == new.protocols
            && old.ssl_protocols == new.ssl_protocols
            && old.client_certificate_mode == new.client_certificate_mode
            && old.client_certificate_roots == new.client_certificate_roots
            && same(&old.certificate, &new.certificate)
    };
    [
        (
            Aspect::Certificate,
            other_certificate
                || !same(&old.certificate, &new.certificate)
                || old.server_config != new.server_config,
        ),
        (Aspect::SslProtocols, old.ssl_protocols != new.ssl_protocols),
        (
            Aspect::ClientCertificateMode,
            old.client_certificate_mode != new.client_certificate_mode
                || old.client_certificate_roots != new.client_certificate_roots,
        ),
        (
            Aspect::Sni,
            old.sni.len() != new.sni.len() || !old.sni.iter().zip(&new.sni).all(same_sni),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::{EndpointSettings, Transport, plan};
    use crate::configuration::{Origin, Sourced};
    use crate::features::HttpProtocols;
    use crate::tls::SslProtocols;

    /// Endpoints from URLs, each with the name before its `=`.
    fn endpoints(list: &str) -> Vec<PlannedEndpoint> {
        let each = list.split(' ').filter(|item| !item.is_empty()).flat_map(|item| {
            let (name, url) = item.split_once('=').expect("name=url");
            let settings = EndpointSettings {
                urls: Some(Sourced::new(url.to_owned(), Origin::Default)),
                ..EndpointSettings::default()
            };
            let endpoints = plan(&settings).endpoints;
            endpoints.into_iter().map(move |mut endpoint| {
                endpoint.name = name.to_owned();
                endpoint
            })
        });
        each.collect()
    }

    /// `+`, `=0`, `~0(what)` for the new plan, then `-0` for what goes.
    fn shown(difference: &Difference) -> String {
        let mut words: Vec<String> = Vec::new();
        for change in &difference.endpoints {
            words.push(match change {
                Change::Added => "+".to_owned(),
                Change::Kept { old } => format!("={old}"),
                Change::Changed { old, aspects } => {
                    let aspects: Vec<_> = aspects.iter().map(Aspect::to_string).collect();
                    format!("~{old}({})", aspects.join(","))
                }
            });
        }
        words.extend(difference.removed.iter().map(|old| format!("-{old}")));
        words.join(" ")
    }

    #[test]
    fn endpoints_are_told_apart_by_their_sockets() {
        for (old, new, expected) in [
            ("A=http://127.0.0.1:1", "A=http://127.0.0.1:1", "=0"),
            // The name, and the place, do not count.
            ("A=http://127.0.0.1:1", "B=http://127.0.0.1:1", "=0"),
            (
                "A=http://127.0.0.1:1 B=http://127.0.0.1:2",
                "B=http://127.0.0.1:2 A=http://127.0.0.1:1",
                "=1 =0",
            ),
            ("A=http://127.0.0.1:1", "A=http://127.0.0.1:1 B=http://127.0.0.1:2", "=0 +"),
            ("A=http://127.0.0.1:1 B=http://127.0.0.1:2", "A=http://127.0.0.1:1", "=0 -1"),
            ("A=http://127.0.0.1:1", "A=http://127.0.0.1:2", "+ -0"),
            ("A=http://127.0.0.1:1", "A=http://*:1", "+ -0"),
            ("A=http://localhost:1", "A=http://127.0.0.1:1", "+ -0"),
            ("A=http://localhost:1", "A=http://a.localhost:1", "~0(name)"),
            ("A=http://unix:/a", "A=http://unix:/a", "=0"),
            ("A=http://unix:/a", "A=http://unix:/b", "+ -0"),
            ("A=http://*:1", "A=http://+:1", "=0"),
            ("A=http://127.0.0.1:1", "A=https://127.0.0.1:1", "~0(scheme)"),
            ("A=http://127.0.0.1:1", "", "-0"),
            // Free ports: those of one name first, whatever the order.
            (
                "A=http://127.0.0.1:0 B=http://127.0.0.1:0",
                "B=http://127.0.0.1:0 C=http://127.0.0.1:0",
                "=1 =0",
            ),
            ("A=http://127.0.0.1:0 B=http://127.0.0.1:0", "B=http://127.0.0.1:0", "=1 -0"),
        ] {
            let found = difference(&endpoints(old), &endpoints(new), |_, _| false);
            assert_eq!(shown(&found), expected, "{old} -> {new}");
            assert_eq!(found.is_empty(), !expected.contains(['+', '-', '~']), "{expected}");
        }
    }

    #[test]
    fn what_is_different_about_the_same_sockets_is_named() {
        let pem = |path: &str| Some(CertificateSource::pem(path, "key.pem"));
        let old = endpoints("A=https://127.0.0.1:1");
        type Edit = fn(&mut PlannedEndpoint, Option<CertificateSource>);
        let edits: [(Edit, &str); 9] = [
            (|_, _| {}, "=0"),
            (|new, _| new.unix_socket.mode = Some(0o660), "~0(rights of the socket's file)"),
            (|new, _| new.protocols = HttpProtocols::Http2, "~0(protocols)"),
            (
                |new, _| {
                    new.transport = Transport::Http;
                    new.tls = None;
                },
                "~0(scheme)",
            ),
            (|new, pem| tls(new).certificate = pem, "~0(certificate)"),
            (
                |new, _| tls(new).ssl_protocols = SslProtocols { tls12: false, tls13: true },
                "~0(TLS versions)",
            ),
            (
                |new, _| {
                    tls(new).client_certificate_mode =
                        crate::tls::ClientCertificateMode::RequireCertificate;
                },
                "~0(client certificates)",
            ),
            (
                |new, _| tls(new).client_certificate_roots = vec!["ca.pem".into()],
                "~0(client certificates)",
            ),
            (
                |new, pem| {
                    let sni = SniOptions {
                        name: "*".to_owned(),
                        certificate: pem,
                        ..SniOptions::default()
                    };
                    tls(new).sni = vec![sni];
                },
                "~0(server names)",
            ),
        ];
        for (edit, expected) in edits {
            let mut new = old.clone();
            edit(&mut new[0], pem("a.pem"));
            assert_eq!(shown(&difference(&old, &new, |_, _| false)), expected);
        }
        // The file is another one, though every setting is the same.
        let other = difference(&old, &old, |old, new| (old, new) == (0, 0));
        assert_eq!(shown(&other), "~0(certificate)");
        // A certificate is not another one because its endpoint is called otherwise.
        let mut named = old.clone();
        tls(&mut named[0]).certificate = pem("a.pem");
        let mut renamed = named.clone();
        tls(&mut renamed[0]).certificate.as_mut().unwrap().key = "Kestrel:Endpoints:B".to_owned();
        assert!(difference(&named, &renamed, |_, _| false).is_empty());
    }

    #[test]
    fn whatever_is_different_about_one_name_is_seen() {
        type Edit = fn(&mut SniOptions);
        let edits: [(Edit, bool); 8] = [
            (|_| {}, false),
            (|section| section.client_certificate_roots = vec!["ca.pem".into()], true),
            // The endpoint was given another name, and with it the section another key.
            (
                |section| {
                    section.certificate.as_mut().unwrap().key = "Kestrel:Endpoints:B".to_owned();
                },
                false,
            ),
            (|section| section.name = "other.example".to_owned(), true),
            (|section| section.protocols = Some(HttpProtocols::Http1), true),
            (
                |section| section.ssl_protocols = Some(SslProtocols { tls12: false, tls13: true }),
                true,
            ),
            (
                |section| {
                    section.client_certificate_mode =
                        Some(crate::tls::ClientCertificateMode::RequireCertificate);
                },
                true,
            ),
            (|section| section.certificate = Some(CertificateSource::pem("b.pem", "b.key")), true),
        ];
        let section = |name: &str| SniOptions {
            name: name.to_owned(),
            certificate: Some(CertificateSource::pem("a.pem", "a.key")),
            ..SniOptions::default()
        };
        let mut old = endpoints("A=https://127.0.0.1:1");
        tls(&mut old[0]).sni = vec![section("one.example"), section("two.example")];
        for (edit, is_different) in edits {
            // The last one, so that the first does not stand for all.
            let mut new = old.clone();
            edit(&mut tls(&mut new[0]).sni[1]);
            let expected = if is_different { "~0(server names)" } else { "=0" };
            assert_eq!(shown(&difference(&old, &new, |_, _| false)), expected, "{new:?}");
        }
    }

    fn tls(endpoint: &mut PlannedEndpoint) -> &mut TlsOptions {
        endpoint.tls.get_or_insert_default()
    }

    #[test]
    fn sockets_that_cannot_be_had_at_once_clash() {
        for (one, other, clashes) in [
            ("http://127.0.0.1:1", "http://*:1", true),
            ("http://localhost:1", "http://[::1]:1", true),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", false),
            ("http://127.0.0.1:0", "http://*:0", false),
            ("http://unix:/a", "http://unix:/a", true),
        ] {
            let one = endpoints(&format!("A={one}"));
            assert_eq!(clash(&one[0], &endpoints(&format!("B={other}"))[0]), clashes);
        }
    }
}
