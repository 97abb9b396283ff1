//! `HttpClient` and `HttpRequest`: how connections to destinations are made, and requests sent.

use super::address;
use super::reader::{Numbers, Reader};
use crate::apps::reverse_proxy::options::{
    CertificateFiles, ClientOptions, HttpVersion, RequestOptions, TlsVersion, VersionPolicy,
    WebProxy,
};
use crate::configuration::Problem;
use crate::hosting::settings::parse::{cannot_convert, shown};
use crate::hosting::settings::tls::meant_version;

/// In the order of .NET's numbers.
pub(in super::super) const VERSION_POLICIES: [(&str, VersionPolicy); 3] = [
    ("RequestVersionOrLower", VersionPolicy::OrLower),
    ("RequestVersionOrHigher", VersionPolicy::OrHigher),
    ("RequestVersionExact", VersionPolicy::Exact),
];

/// The versions of HTTP, as they are written shortest.
pub(in super::super) const VERSIONS: [(&str, HttpVersion); 4] = [
    ("1.0", HttpVersion::Http10),
    ("1.1", HttpVersion::Http11),
    ("2", HttpVersion::Http2),
    ("3", HttpVersion::Http3),
];

/// .NET's names of versions of TLS. The old ones are not spoken.
const TLS_VERSIONS: [(&str, Option<TlsVersion>); 7] = [
    ("None", None),
    ("Ssl2", None),
    ("Ssl3", None),
    ("Tls", None),
    ("Tls11", None),
    ("Tls12", Some(TlsVersion::Tls12)),
    ("Tls13", Some(TlsVersion::Tls13)),
];

/// What bytes of headers can be called. They pass as they are in any case.
const ENCODINGS: [&str; 8] =
    ["utf-8", "utf8", "latin1", "iso-8859-1", "ascii", "us-ascii", "utf-16", "windows-1252"];

/// Reads `HttpClient` of a cluster.
pub(super) fn read(reader: &mut Reader<'_, '_>, id: &str) -> ClientOptions {
    let default = ClientOptions::default();
    let accept_any = reader.boolean("DangerousAcceptAnyServerCertificate").unwrap_or_default();
    if let (true, Some((setting, _))) =
        (accept_any, reader.setting("DangerousAcceptAnyServerCertificate"))
    {
        let problem = Problem::warning(format!(
            "Anybody can be a destination of the cluster '{id}': no certificate is looked at."
        ));
        let fix = format!(
            "let {} name a file with the authority of theirs",
            reader.key("ServerCertificateRoots")
        );
        reader.push(problem, setting, fix);
    }
    for name in ["RequestHeaderEncoding", "ResponseHeaderEncoding"] {
        encoding(reader, name, id);
    }
    ClientOptions {
        tls_versions: tls_versions(reader, id),
        accept_any_certificate: accept_any,
        max_connections_per_server: connections(reader, id),
        multiple_http2_connections: reader
            .boolean("EnableMultipleHttp2Connections")
            .unwrap_or(default.multiple_http2_connections),
        web_proxy: web_proxy(&mut reader.below("WebProxy"), id),
        client_certificate: certificate(&mut reader.below("ClientCertificate"), id),
        trusted_roots: reader.file("ServerCertificateRoots"),
    }
}

fn connections(reader: &mut Reader<'_, '_>, id: &str) -> Option<u32> {
    let number = reader.number(
        "MaxConnectionsPerServer",
        ("System.Int32", "write a number from 1 on"),
        |it| i32::try_from(it).ok(),
    )?;
    let number = u32::try_from(number).ok().filter(|number| *number > 0);
    if let (None, Some((setting, _))) = (number, reader.setting("MaxConnectionsPerServer")) {
        let message =
            format!("Max connections per server limit set on the cluster '{id}' must be positive.");
        reader.wrong(setting, message, "write a number from 1 on, or remove it for no limit");
    }
    number
}

fn tls_versions(reader: &mut Reader<'_, '_>, id: &str) -> Vec<TlsVersion> {
    let mut versions = Vec::new();
    for (setting, text) in reader.list("SslProtocols") {
        let known = TLS_VERSIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        let text = shown(&setting.key, text);
        match known {
            Some((_, Some(version))) => versions.push(*version),
            Some(("None", _)) => {}
            Some(_) => reader.odd(
                setting,
                format!("'{text}' is not spoken: versions of TLS before 1.2 are broken and were withdrawn in 2021 (RFC 8996)."),
                "remove it, or write Tls12 or Tls13",
            ),
            None => {
                let fix = match meant_version(&text) {
                    Some(meant) => format!("write {meant}"),
                    None => "write Tls12 or Tls13".to_owned(),
                };
                let message = format!("'{text}' names no version of TLS: cluster '{id}'.");
                reader.wrong(setting, message, fix);
            }
        }
    }
    versions
}

fn encoding(reader: &mut Reader<'_, '_>, name: &str, id: &str) {
    let Some((setting, text)) = reader.text(name) else { return };
    if !ENCODINGS.iter().any(|known| known.eq_ignore_ascii_case(text.trim())) {
        let text = shown(&setting.key, text);
        let message = format!("'{text}' names no encoding of headers: cluster '{id}'.");
        reader.wrong(setting, message, "remove it: bytes of headers pass as they are");
    }
}

fn web_proxy(reader: &mut Reader<'_, '_>, id: &str) -> Option<WebProxy> {
    let bypass_on_local = reader.boolean("BypassOnLocal").unwrap_or_default();
    if reader.boolean("UseDefaultCredentials").unwrap_or_default()
        && let Some((setting, _)) = reader.setting("UseDefaultCredentials")
    {
        let message =
            format!("'{}' has no effect: this process has no credentials of a user.", setting.key);
        reader.odd(setting, message, "remove it");
    }
    let address = address::read(reader, "Address", |text| {
        format!("Invalid WebProxy address '{text}' on the cluster '{id}'.")
    });
    Some(WebProxy { address: address?, bypass_on_local })
}

/// The certificate that this host shows. It is read where certificates are.
fn certificate(reader: &mut Reader<'_, '_>, id: &str) -> Option<CertificateFiles> {
    let Some(path) = reader.file("Path") else {
        let other = reader.text("KeyPath").or_else(|| reader.text("Password"));
        if let Some((setting, _)) = other {
            let message = format!(
                "'{}' has no effect: there is no Path beside it: cluster '{id}'.",
                setting.key
            );
            reader.odd(setting, message, "write Path, the file of the certificate");
        }
        return None;
    };
    let password = reader.setting("Password").map(|(_, text)| text.to_owned());
    Some(CertificateFiles { path, key_path: reader.file("KeyPath"), password })
}

/// Reads `HttpRequest` of a cluster.
pub(super) fn request(reader: &mut Reader<'_, '_>, id: &str) -> RequestOptions {
    let default = RequestOptions::default();
    let activity_timeout = reader.time("ActivityTimeout", |_| {
        format!("The ActivityTimeout set on the cluster '{id}' must be positive.")
    });
    let version = version(reader, id).unwrap_or(default.version);
    let policy = reader.word("VersionPolicy", (&VERSION_POLICIES, Numbers::Taken), |text| {
        format!("'{text}' is no VersionPolicy: cluster '{id}'.")
    });
    let version_policy = policy.unwrap_or(default.version_policy);
    if let (HttpVersion::Http3, Some((setting, _))) = (version, reader.setting("Version"))
        && version_policy != VersionPolicy::OrLower
    {
        let message =
            format!("HTTP/3 is not spoken to destinations: requests to the cluster '{id}' fail.");
        reader.odd(setting, message, "write 2, or the VersionPolicy RequestVersionOrLower");
    }
    if let (Some(true), Some((setting, _))) =
        (reader.boolean("AllowResponseBuffering"), reader.setting("AllowResponseBuffering"))
    {
        let message = format!("'{}' has no effect: answers are never held back.", setting.key);
        reader.push(Problem::information(message), setting, "remove it");
    }
    RequestOptions {
        activity_timeout: activity_timeout.unwrap_or(default.activity_timeout),
        version,
        version_policy,
    }
}

fn version(reader: &mut Reader<'_, '_>, id: &str) -> Option<HttpVersion> {
    let (setting, text) = reader.text("Version")?;
    let Some(whole) = whole_version(text) else {
        let fix = "write 1.1, 2 or 3";
        reader.problems.push(cannot_convert(setting, text, "System.Version", fix));
        return None;
    };
    let version = match whole {
        (1, 0) => HttpVersion::Http10,
        (1, 1) => HttpVersion::Http11,
        (2, 0) => HttpVersion::Http2,
        (3, 0) => HttpVersion::Http3,
        (major, minor) => {
            let message = format!(
                "Outgoing request version '{major}.{minor}' is not any of supported HTTP versions (1.0, 1.1, 2 and 3): cluster '{id}'."
            );
            reader.wrong(setting, message, "write 1.1, 2 or 3");
            return None;
        }
    };
    if version == HttpVersion::Http10 {
        let message = format!(
            "HTTP/1.0 keeps no connection, and bodies of unknown length are not sent: cluster '{id}'."
        );
        reader.odd(setting, message, "write 1.1, unless a destination knows no other");
    }
    Some(version)
}

/// A version with its second number, which is 0 if there is none.
fn whole_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}
