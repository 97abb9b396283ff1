//! What a build without a feature says to somebody who asks for it: what, where that was set, and which
//! feature it takes. With the feature, nothing of that is said.
//!
//! `cargo test --no-default-features --test features`, and the same with `--features tls`.

use std::io;
use std::sync::{Arc, Mutex};

use kestrel::tls::{CertificateSource, TlsOptions};
use kestrel::{Endpoint, Host, HostBuilder};

/// Of the files.
const PASSWORD: &str = "secret";

fn host() -> HostBuilder {
    Host::builder().hermetic().use_urls("http://127.0.0.1:0")
}

/// A host whose only endpoint has this certificate.
fn with_certificate(certificate: CertificateSource) -> HostBuilder {
    let endpoint = Endpoint::ip(([127, 0, 0, 1], 0).into()).https(TlsOptions::with(certificate));
    Host::builder().hermetic().listen_on(endpoint)
}

fn data(file: &str) -> String {
    format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// What refuses the start of a host that takes warnings for errors; empty if nothing does.
async fn refusal(host: HostBuilder) -> String {
    match host.strict(true).start().await {
        Ok(running) => {
            running.stop().await;
            String::new()
        }
        Err(error) => error.to_string(),
    }
}

/// Holds a host to what it says without a feature.
async fn judge(has_feature: bool, host: HostBuilder, told: &[&str]) {
    let refusal = refusal(host).await;
    let without = refusal.contains("built without the feature");
    assert_eq!(without, !has_feature, "{refusal}");
    for part in told.iter().filter(|_| !has_feature) {
        assert!(refusal.contains(part), "{part:?} is missing in {refusal}");
    }
}

#[tokio::test]
async fn an_https_endpoint_takes_tls() {
    let host = Host::builder().hermetic().args(["--urls", "https://127.0.0.1:0"]);
    let told = [
        "HTTPS cannot be served: this program was built without the feature 'tls'.",
        "set by: command line, argument 1 (--urls), key urls",
        "fix: build it with the feature 'tls' of the crate kestrel, or write http in the place of https",
    ];
    judge(cfg!(feature = "tls"), host, &told).await;
}

/// A route to a destination, which nobody asks.
fn with_route(address: &str) -> HostBuilder {
    host()
        .use_setting("ReverseProxy:Routes:all:ClusterId", "one")
        .use_setting("ReverseProxy:Routes:all:Match:Path", "/{**rest}")
        .use_setting("ReverseProxy:Clusters:one:Destinations:a:Address", address)
}

#[tokio::test]
async fn a_route_takes_proxy() {
    let told = [
        "Requests cannot be handed on: this program was built without the feature 'proxy'.",
        "key ReverseProxy:Routes",
        "fix: build it with the feature 'proxy' of the crate kestrel",
    ];
    judge(cfg!(feature = "proxy"), with_route("http://127.0.0.1:9"), &told).await;
}

#[tokio::test]
async fn a_program_takes_child_process() {
    let program = env!("CARGO");
    let host =
        host().args(["--AspNetCore:ProcessPath", program, "--AspNetCore:Arguments", "--version"]);
    let told = [
        "No program can be run behind this one: it was built without the feature 'child-process'.",
        "set by: command line, argument 1 (--AspNetCore:ProcessPath), key AspNetCore:ProcessPath",
        "fix: build it with the feature 'child-process' of the crate kestrel, or remove the key",
    ];
    judge(cfg!(feature = "child-process"), host, &told).await;
}

#[cfg(feature = "proxy")]
#[tokio::test]
async fn an_https_destination_takes_tls() {
    let told = ["built without the feature 'tls'", "ReverseProxy:Clusters:one"];
    judge(cfg!(feature = "tls"), with_route("https://127.0.0.1:9"), &told).await;
}

#[tokio::test]
async fn an_https_endpoint_of_code_takes_tls() {
    let certificate = CertificateSource::pem(data("tls/server.pem"), data("tls/server.key"));
    let told = ["built without the feature 'tls'", "set by: code (listen_on)"];
    judge(cfg!(feature = "tls"), with_certificate(certificate), &told).await;
}

#[tokio::test]
async fn a_default_certificate_takes_tls() {
    let files = [("Path", "tls/server.pem"), ("KeyPath", "tls/server.key")];
    let host = files.into_iter().fold(host(), |host, (key, file)| {
        host.use_setting(&format!("Kestrel:Certificates:Default:{key}"), &data(file))
    });
    let told = [
        "A certificate cannot be served: this program was built without the feature 'tls'.",
        "key Kestrel:Certificates:Default:",
        "or remove Kestrel:Certificates:Default",
    ];
    judge(cfg!(feature = "tls"), host, &told).await;
}

/// Without `tls`, that is what is told of all that follows.
const HAS_TLS: bool = cfg!(feature = "tls");
const HAS_PKCS12: bool = cfg!(feature = "pkcs12");

#[tokio::test]
async fn a_pfx_file_takes_pkcs12() {
    let host = with_certificate(CertificateSource::pfx(data("tls/server.pfx"), PASSWORD));
    let cause = "This program was built without the feature 'pkcs12'.";
    let told =
        [cause, "server.pfx' cannot be read.", "openssl pkcs12 -in", "set by: code (listen_on)"];
    judge(HAS_PKCS12, host, if HAS_TLS { &told } else { &[] }).await;

    let bytes = std::fs::read(data("tls/server.pfx")).expect("the file is there");
    let host = with_certificate(CertificateSource::pfx_bytes(bytes, PASSWORD));
    let told = [
        cause,
        "feature 'pkcs12' of the crate kestrel, or give the certificate and its private key as",
    ];
    judge(HAS_PKCS12, host, if HAS_TLS { &told } else { &[] }).await;
}

/// A file that is none of these is told for what it is.
#[tokio::test]
async fn what_is_no_pfx_file_takes_no_feature() {
    let host = with_certificate(CertificateSource::pfx(data("tls/server.pem"), PASSWORD));
    judge(HAS_TLS, host, &[]).await;
}

#[tokio::test]
async fn an_encrypted_key_takes_pkcs12() {
    let text = |file| std::fs::read(data(file)).expect("the file is there");
    let (certificate, key) = (text("tls/server.pem"), text("tls/encrypted.key"));
    let certificate = CertificateSource::encrypted_pem_text(certificate, key, PASSWORD);
    let told = [
        "The encrypted private key in 'the private key in memory' cannot be read.",
        "This program was built without the feature 'pkcs12', which decrypts keys.",
    ];
    judge(HAS_PKCS12, with_certificate(certificate), if HAS_TLS { &told } else { &[] }).await;
}

#[tokio::test]
async fn a_certificate_store_takes_pkcs12() {
    let host = Host::builder().hermetic().args([
        "--Kestrel:Endpoints:Web:Url=https://127.0.0.1:0",
        "--Kestrel:Endpoints:Web:Certificate:Subject=localhost",
    ]);
    let told = [
        "The requested certificate localhost could not be found in CurrentUser/My",
        "this program was built without the feature 'pkcs12'",
        "set by: command line, argument 2 (--Kestrel:Endpoints:Web:Certificate:Subject), key",
    ];
    judge(HAS_PKCS12, host, if HAS_TLS { &told } else { &[] }).await;
}

/// A host that would look for the development certificate of a user who has none.
#[tokio::test]
async fn the_development_certificate_takes_dev_certs() {
    let home = tempfile::tempdir().expect("a folder");
    let host = Host::builder()
        .without_logging()
        .current_directory(home.path())
        .environment_variables([
            ("HOME", home.path().to_str().expect("a plain path")),
            ("DOTNET_ENVIRONMENT", "Development"),
        ])
        .use_urls("https://127.0.0.1:0");
    let told = [
        "Kestrel:Certificates:Default: not set",
        "the development certificate: not looked for, since this program was built without the feature 'dev-certs'",
        "fix: build the program with the feature 'dev-certs' of the crate kestrel, and make one for development",
    ];
    judge(cfg!(feature = "dev-certs"), host, if HAS_TLS { &told } else { &[] }).await;
}

#[tokio::test]
async fn watching_files_takes_reload() {
    let host = host().args(["--hostBuilder:reloadConfigOnChange=true"]);
    let told = [
        "Files are not watched: this program was built without the feature 'reload'.",
        "(--hostBuilder:reloadConfigOnChange), key hostBuilder:reloadConfigOnChange",
        "fix: build it with the feature 'reload' of the crate kestrel, or set this to false",
    ];
    judge(cfg!(feature = "reload"), host, &told).await;
}

/// What a subscriber of the test's heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nobody asked for it: a line says that edits are not noticed, where there is something to edit.
#[tokio::test]
async fn files_that_are_not_watched_are_noted_where_there_are_some() {
    for (has_file, reloads, told) in
        [(true, "true", true), (true, "false", false), (false, "true", false)]
    {
        let heard = Heard::default();
        let writer = heard.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let folder = tempfile::tempdir().expect("a folder");
        if has_file {
            std::fs::write(folder.path().join("appsettings.json"), "{}").expect("a file");
        }
        let mut variables = vec![("DOTNET_URLS", "http://127.0.0.1:0")];
        // Without a word it is so, too.
        if reloads != "true" {
            variables.push(("DOTNET_hostBuilder__reloadConfigOnChange", reloads));
        }
        let host =
            Host::builder().current_directory(folder.path()).environment_variables(variables);
        host.start().await.expect("a free port").stop().await;
        let heard = String::from_utf8(heard.0.lock().expect("nobody panics").clone());
        let noted = heard.expect("text").contains(
            "Files are not watched: this program was built without the feature 'reload'. An edit takes a restart",
        );
        assert_eq!(noted, told && !cfg!(feature = "reload"), "{has_file} {reloads}");
    }
}

#[tokio::test]
async fn a_host_name_in_another_script_takes_idna() {
    let host = host().args(["--AllowedHosts=example.com;*.b\u{fc}cher.example"]);
    let told = [
        "No request can be for '*.b\u{fc}cher.example': it is not in ASCII",
        "this program was built without the feature 'idna'",
        "set by: command line, argument 1 (--AllowedHosts), key AllowedHosts",
        "fix: write it as requests have it (xn--...)",
    ];
    judge(cfg!(feature = "idna"), host, &told).await;
}

#[tokio::test]
async fn passwords_take_basic_auth() {
    let switch = "--BasicAuthentication:Enabled";
    let host = host().args([switch, "true", "--BasicAuthentication:Passwords:alice", "sesame"]);
    let told = [
        "Nobody can be asked for a password: this program was built without the feature 'basic-auth'.",
        "set by: command line, argument 1 (--BasicAuthentication:Enabled)",
        "fix: build it with the feature 'basic-auth' of the crate kestrel, or set it to false",
    ];
    judge(cfg!(feature = "basic-auth"), host, &told).await;
}

#[tokio::test]
async fn compressed_answers_take_compression() {
    let host = host().args(["--ResponseCompression:Enabled", "true"]);
    let told = [
        "Answers cannot be compressed: this program was built without the feature 'compression'.",
        "set by: command line, argument 1 (--ResponseCompression:Enabled)",
        "fix: build it with the feature 'compression' of the crate kestrel, or set it to false",
    ];
    judge(cfg!(feature = "compression"), host, &told).await;
}

#[tokio::test]
async fn compressed_requests_take_compression() {
    let host = host().args(["--RequestDecompression:Enabled", "true"]);
    let told = [
        "Requests cannot be decompressed: this program was built without the feature 'compression'.",
        "set by: command line, argument 1 (--RequestDecompression:Enabled)",
    ];
    judge(cfg!(feature = "compression"), host, &told).await;
}
