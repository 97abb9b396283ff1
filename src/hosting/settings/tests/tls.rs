//! `Certificate`, `SslProtocols`, `ClientCertificateMode`, `Sni` and `Kestrel:Certificates`.

use super::{read, told};
use crate::configuration::Severity;
use crate::features::HttpProtocols;
use crate::tls::{CertificateLocation, ClientCertificateMode, SslProtocols, StoreLocation};

#[test]
fn tls_is_read_as_kestrel_names_it() {
    let settings = read(
        &[
            "--Kestrel:Endpoints:A:Url=https://*:1",
            "--Kestrel:Endpoints:A:Certificate:Path=c.pem",
            "--Kestrel:Endpoints:A:Certificate:KeyPath=/etc/k.pem",
            "--Kestrel:Endpoints:A:SslProtocols:0=tls13",
            "--Kestrel:Endpoints:A:ClientCertificateMode=requirecertificate",
            "--Kestrel:Endpoints:A:Sni:*.example.org:Protocols=Http1",
            "--Kestrel:Endpoints:A:Sni:*.example.org:Certificate:Subject=example",
            "--Kestrel:Endpoints:A:Sni:*.example.org:Certificate:Location=LocalMachine",
            "--Kestrel:Endpoints:B:Url=https://*:2",
            "--Kestrel:EndpointDefaults:SslProtocols:0=Tls12",
            "--Kestrel:Certificates:Default:Path=d.pfx",
            "--Kestrel:Certificates:Default:Password=",
            "--Kestrel:Certificates:Development:Password=unused",
        ],
        &[],
    );
    assert_eq!(told(&settings, Severity::Error), Vec::<&str>::new());
    let plan = crate::addresses::plan(&settings.endpoints);
    let [a, b] = [0, 1].map(|place: usize| plan.endpoints[place].tls.clone().unwrap());
    let certificate = a.certificate.unwrap();
    assert_eq!(certificate.key, "Kestrel:Endpoints:A:Certificate");
    assert!(
        matches!(certificate.location, CertificateLocation::File { path, key_path, password: None }
        if path.is_absolute() && path.ends_with("c.pem") && key_path.as_deref() == Some("/etc/k.pem".as_ref()))
    );
    assert_eq!(a.ssl_protocols, SslProtocols::TLS13);
    assert_eq!(a.client_certificate_mode, ClientCertificateMode::RequireCertificate);
    assert_eq!(a.sni.len(), 1);
    let name = &a.sni[0];
    assert_eq!((name.name.as_str(), name.protocols), ("*.example.org", Some(HttpProtocols::Http1)));
    let certificate = name.certificate.clone().unwrap();
    assert_eq!(certificate.name, "A:Sni:*.example.org");
    assert!(
        matches!(certificate.location, CertificateLocation::Store { store, location: StoreLocation::LocalMachine, .. } if store == "My")
    );
    assert_eq!(b.ssl_protocols, SslProtocols::TLS12);
    let shared = settings.certificates;
    assert!(matches!(
        shared.default.unwrap().location,
        CertificateLocation::File { password: Some(_), .. }
    ));
    assert!(shared.development_password.is_none(), "a default certificate is there");
}

#[test]
fn roots_of_clients_are_a_file_or_a_folder_or_a_list_of_them() {
    let settings = read(
        &[
            "--Kestrel:EndpointDefaults:ClientCertificateRoots=all.pem",
            "--Kestrel:Endpoints:A:Url=https://*:1",
            "--Kestrel:Endpoints:A:ClientCertificateMode=AllowCertificate",
            "--Kestrel:Endpoints:A:Sni:a.example:ClientCertificateRoots:0=/etc/one",
            "--Kestrel:Endpoints:A:Sni:a.example:ClientCertificateRoots:1=two.pem",
            "--Kestrel:Endpoints:B:Url=https://*:2",
            "--Kestrel:Endpoints:B:ClientCertificateRoots=b.pem",
            "--Kestrel:Endpoints:C:Url=http://*:3",
            "--Kestrel:Endpoints:C:ClientCertificateRoots:0=c.pem",
            "--Kestrel:Endpoints:D:Url=https://*:4",
            "--Kestrel:Endpoints:D:Sni:d.example:ClientCertificateRoots:0=d.pem",
        ],
        &[],
    );
    let plan = crate::addresses::plan(&settings.endpoints);
    let ends = |place: usize| {
        let tls = plan.endpoints[place].tls.clone().unwrap();
        let names = |roots: &[crate::tls::RootsSource]| -> Vec<String> {
            let name = |source: &crate::tls::RootsSource| match source {
                crate::tls::RootsSource::Path(path) if path.is_absolute() => {
                    path.file_name().unwrap().to_owned().into_string().unwrap()
                }
                other => panic!("{other:?}"),
            };
            roots.iter().map(name).collect()
        };
        (
            names(&tls.client_certificate_roots),
            tls.sni.first().map(|entry| names(&entry.client_certificate_roots)),
        )
    };
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(ends(0), (list(&["all.pem"]), Some(list(&["one", "two.pem"]))));
    assert_eq!(ends(1), (list(&["b.pem"]), None));
    assert_eq!(
        told(&settings, Severity::Error),
        ["The non-HTTPS endpoint C includes HTTPS-only configuration for ClientCertificateRoots."]
    );
    let unused = "Roots for certificates that no client is asked for mean nothing.";
    assert_eq!(told(&settings, Severity::Warning), [unused, unused]);
    assert!(
        settings.problems.iter().all(|problem| problem.fix.is_some() && problem.origin.is_some())
    );
}

#[test]
fn wrong_tls_settings_are_told() {
    let settings = read(
        &[
            "--Kestrel:Endpoints:A:Url=https://*:1",
            "--Kestrel:Endpoints:A:Certificate:Path=c.pem",
            "--Kestrel:Endpoints:A:Certificate:Subject=x",
            "--Kestrel:Endpoints:A:SslProtocols:0=Tls11",
            "--Kestrel:Endpoints:A:Sni::Protocols=Http1",
            "--Kestrel:Endpoints:B:Url=https://*:2",
            "--Kestrel:Endpoints:B:SslProtocols=Tls12",
            "--Kestrel:Endpoints:B:ClientCertificateMode=Allow",
            "--Kestrel:Endpoints:B:Certificate:KeyPath=k.pem",
            "--Kestrel:Endpoints:C:Url=https://*:3",
            "--Kestrel:Endpoints:C:SslProtocols:0=Tls99",
            "--Kestrel:Endpoints:C:SslProtocols:1=Tls11, Tls12",
            "--Kestrel:Endpoints:C:ClientCertificateMode=3",
            "--Kestrel:Certificates:Default:Subject=x",
            "--Kestrel:Certificates:Default:Location=Nowhere",
            "--Kestrel:Certificates:Other:Path=o.pfx",
        ],
        &[],
    );
    assert_eq!(
        told(&settings, Severity::Error),
        [
            "The endpoint A specified multiple certificate sources.",
            "'Tls11' is not spoken: versions of TLS before 1.2 are broken and were withdrawn in 2021 (RFC 8996).",
            "The endpoint A is invalid because an SNI configuration section has an empty string as its key. \
             Use a wildcard ('*') SNI section to match all server names.",
            "Requested value 'Nowhere' was not found.",
        ]
    );
    assert_eq!(
        told(&settings, Severity::Warning),
        [
            "A private key without a certificate is left out.",
            "'Tls12' is no list and is left out.",
            "'Allow' is no mode for client certificates and is left out.",
            "'Tls99' names no version of TLS and is left out.",
            "'Tls11, Tls12' is not spoken: versions of TLS before 1.2 are broken and were withdrawn in 2021 (RFC 8996).",
            "Clients cannot be asked for a certificate after the handshake: with DelayCertificate they are never asked.",
            "The key 'Kestrel:Certificates:Other' means nothing to the server.",
        ]
    );
    assert!(
        settings.problems.iter().all(|problem| problem.fix.is_some() && problem.origin.is_some())
    );
}

#[test]
fn no_version_is_advised_that_is_not_spoken() {
    use crate::hosting::settings::tls::meant_version;
    for (text, meant) in [
        ("Tls14", None),
        ("Tls1", None),
        ("Ssl3", None),
        ("Tls1.2", Some("Tls12")),
        ("TLSv1.3", Some("Tls13")),
        ("1.3", Some("Tls13")),
        ("Tsl12", Some("Tls12")),
        ("x", None),
    ] {
        assert_eq!(meant_version(text), meant, "{text}");
    }
}
