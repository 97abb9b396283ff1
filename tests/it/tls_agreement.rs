//! What a handshake agrees on: the version of TLS, and what is spoken behind it.

use kestrel::tls::SslProtocols;

use crate::support::{Wire, configured, skipped, soon, started, stopped};
use crate::test_data::file;
use crate::tls_client::{Client, connected, options};
use crate::tls_host::{VERSIONS, address, app, host, http2_body, section};

#[tokio::test]
async fn versions_and_protocols_are_agreed_on() {
    let host = host(options()).await;
    for (versions, version) in VERSIONS {
        for (offered, agreed) in [
            (&["h2", "http/1.1"][..], Some("h2")),
            (&["http/1.1", "h2"], Some("h2")),
            (&["foo", "http/1.1"], Some("http/1.1")),
            (&[], None),
        ] {
            let client = Client { versions, ..Client::offering(offered) };
            let mut wire = client.connect(&address(&host)).await;
            let (_, session) = wire.stream().get_ref();
            assert_eq!(session.alpn_protocol(), agreed.map(str::as_bytes));
            if agreed == Some("h2") {
                assert_eq!(http2_body(wire).await, format!("https {version} - h2 0"));
            } else {
                let body = wire.get("/").await.body;
                assert_eq!(body, format!("https {version} - {} 0", agreed.unwrap_or("-")));
            }
        }
        let client = Client { versions, ..Client::offering(&["foo", "http/1.0"]) };
        let error = client.try_connect(&address(&host)).await.map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn an_endpoint_speaks_the_versions_of_tls_it_is_allowed() {
    // One that is allowed none is refused: `endpoints_in_code`.
    for (tls12, tls13) in [(true, false), (false, true)] {
        let mut options = options();
        let mut allowed = SslProtocols::default();
        (allowed.tls12, allowed.tls13) = (tls12, tls13);
        options.ssl_protocols = allowed;
        let host = host(options).await;
        for ((versions, version), served) in VERSIONS.into_iter().zip([tls12, tls13]) {
            let client = Client { versions, ..Client::default() };
            match client.try_connect(&address(&host)).await {
                Ok(mut wire) => {
                    assert!(served, "{version}");
                    assert_eq!(wire.get("/").await.body, format!("https {version} - - 0"));
                }
                Err(error) => {
                    assert!(!served, "{version}: {error}");
                    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
                }
            }
        }
        stopped(host).await;
    }
}

#[tokio::test]
async fn http2_alone_is_not_spoken_without_an_agreement() {
    let mut options = options();
    options.sni = vec![section("*", |all| {
        all.protocols = kestrel::HttpProtocols::parse("Http2");
    })];
    let host = host(options).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    assert_eq!(wire.rest().await, b"");
    let error = Client::offering(&["http/1.1"]).try_connect(&address(&host)).await.map(|_| ());
    assert!(error.unwrap_err().to_string().contains("NoApplicationProtocol"));
    assert_eq!(
        http2_body(Client::offering(&["h2"]).connect(&address(&host)).await).await,
        "https Tls13 - h2 0"
    );
    stopped(host).await;
}

#[tokio::test]
async fn an_endpoint_without_protocols_closes_every_connection() {
    let mut options = options();
    options.sni = vec![section("*", |all| {
        all.protocols = kestrel::HttpProtocols::parse("None");
    })];
    let host = host(options).await;
    let mut wire = Client::default().connect(&address(&host)).await;
    assert_eq!(wire.rest().await, b"");
    stopped(host).await;
}

#[tokio::test]
async fn tls_to_clear_text_is_refused_as_before() {
    let host = configured(&[("ASPNETCORE_URLS", "http://127.0.0.1:0")]).app(app());
    let host = started(host).await;
    let https = address(&host).replace("http://", "https://");
    assert!(Client::default().try_connect(&https).await.is_err());
    let mut wire = Wire::connect(&address(&host)).await;
    assert_eq!(wire.get("/").await.body, "http");
    stopped(host).await;
}

#[tokio::test]
async fn curl_and_openssl_are_served() {
    use tokio::process::Command;

    let host = host(options()).await;
    let url = address(&host).to_owned();
    let authority = file("ca.pem");
    for (arguments, expected) in [
        (&["--http1.1"][..], "https Tls13 - http/1.1 0"),
        (&["--http2"], "https Tls13 - h2 0"),
        (&["--http2", "--tls-max", "1.2"], "https Tls12 - h2 0"),
        (&["--no-alpn"], "https Tls13 - - 0"),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--cacert"]).arg(&authority).args(arguments).arg(&url);
        let Ok(output) = soon("curl", curl.output()).await else {
            return skipped("curl_and_openssl_are_served", "curl (apt-get install curl)");
        };
        let (out, error) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&out), expected, "{arguments:?}: {error}");
    }
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-brief", "-connect", &url["https://".len()..], "-CAfile"]);
    openssl.arg(&authority).args(["-alpn", "foo"]).stdin(std::process::Stdio::null());
    let Ok(output) = soon("openssl", openssl.output()).await else {
        return skipped("curl_and_openssl_are_served", "openssl (apt-get install openssl)");
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no application protocol"), "{told}");
    stopped(host).await;
}

/// A client from before TLS 1.2, and one that could speak it and may not.
#[tokio::test]
async fn old_clients_are_told_that_their_version_is_not_spoken() {
    use tokio::process::Command;

    let host = host(options()).await;
    let authority = address(&host)["https://".len()..].to_owned();
    for (version, minor) in [("-tls1", 1), ("-tls1_1", 2)] {
        // As it stands on the wire.
        let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, minor];
        hello.extend([7; 32]);
        hello.extend(b"\0\0\x02\xc0\x13\x01\0");
        let mut wire = Wire::new(connected(&address(&host)).await);
        wire.send(&hello).await;
        assert_eq!(wire.rest().await, [21, 3, minor, 0, 2, 2, 70], "{version}");
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-connect", &authority, version]);
        openssl.args(["-cipher", "DEFAULT@SECLEVEL=0"]).stdin(std::process::Stdio::null());
        let name = "old_clients_are_told_that_their_version_is_not_spoken";
        let Ok(output) = soon("openssl", openssl.output()).await else {
            return skipped(name, "openssl (apt-get install openssl)");
        };
        let told = String::from_utf8_lossy(&output.stderr);
        if told.contains("no protocols available") || told.contains("nknown option") {
            return skipped(name, "an openssl that speaks TLS 1.0 and 1.1");
        }
        assert!(told.contains("alert protocol version"), "{version}: {told}");
    }
    stopped(host).await;
}
