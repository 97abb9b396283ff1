//! Rules of settings for headers and for paths, over real sockets.

use std::fs;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse as _;
use axum::routing::{any, get};
use kestrel::{EffectiveRequest, HostBuilder, Reloaded, RequestTarget, Unhandled};

use crate::reload::Stage;
use crate::support::{Wire, builder, soon, started, stopped};

async fn panics() -> &'static str {
    panic!("this one is for the test")
}

/// An app that says which path it was asked for, fails in two ways, and has headers of its own.
fn app() -> Router {
    let told = async |request: Request| {
        let base = EffectiveRequest::of(&request).path_base().to_owned();
        let target = RequestTarget::of(&request);
        format!("{base} {}{}", target.path(), target.query())
    };
    let own = async || {
        let headers = [("x-frame-options", "DENY"), ("x-powered-by", "us"), ("x-set", "own")];
        (headers, "own").into_response()
    };
    Router::new()
        .route("/own", get(own))
        .route("/panics", get(panics))
        .route("/fails", any(async || Err::<(), _>(Unhandled::from("disk full"))))
        .fallback(told)
}

fn with(settings: &[(&str, &str)]) -> HostBuilder {
    let builder = builder().use_urls("http://127.0.0.1:0").app(app());
    settings.iter().fold(builder, |builder, (key, value)| builder.use_setting(key, value))
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("wwwroot")).expect("a folder");
    fs::write(folder.path().join("wwwroot/a.txt"), "a").expect("a file");
    let host = with(&[
        ("StaticFiles:Enabled", "true"),
        ("AllowedHosts", "a.example"),
        ("Headers:Enabled", "true"),
        ("Headers:Preset", "Site"),
        ("Headers:ContentSecurityPolicy", "default-src 'self'"),
        ("Headers:Set:X-Set", "ours"),
        ("Headers:Append:Link", "</a.css>; rel=preload"),
        ("Headers:Remove:0", "X-Powered-By"),
    ]);
    let host = started(host.content_root(folder.path())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (path, name, status, frame) in [
        ("/", "a.example", 200, "SAMEORIGIN"),
        ("/a.txt", "a.example", 200, "SAMEORIGIN"),
        ("/own", "a.example", 200, "DENY"),
        ("/fails", "a.example", 500, "SAMEORIGIN"),
        ("/panics", "a.example", 500, "SAMEORIGIN"),
        ("/", "b.example", 400, "SAMEORIGIN"),
    ] {
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n")).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, status, "{path}");
        for (header, expected) in [
            ("x-content-type-options", Some("nosniff")),
            ("referrer-policy", Some("strict-origin-when-cross-origin")),
            ("x-frame-options", Some(frame)),
            ("content-security-policy", Some("default-src 'self'")),
            ("x-set", Some("ours")),
            ("link", Some("</a.css>; rel=preload")),
            ("x-powered-by", None),
        ] {
            assert_eq!(answer.header(header), expected, "{path} {header}: {}", answer.head);
        }
    }
    stopped(host).await;
}

#[tokio::test]
async fn rules_send_requests_elsewhere_or_ask_for_something_else() {
    let host = started(with(&[
        ("Rewrite:Enabled", "true"),
        ("PathBase", "/app"),
        ("Rewrite:Rules:0:Www", "Add"),
        ("Rewrite:Rules:0:Hosts:0", "site.example"),
        ("Rewrite:Rules:0:StatusCode", "301"),
        ("Rewrite:Rules:1:Prefix", "/old"),
        ("Rewrite:Rules:1:Redirect", "/new/$1"),
        ("Rewrite:Rules:2:Pattern", "^/p/([0-9]+)$"),
        ("Rewrite:Rules:2:Rewrite", "/products?id=$1"),
        ("Rewrite:Rules:3:Path", "/go"),
        ("Rewrite:Rules:3:Redirect", "https://b.example/$0"),
        ("Rewrite:Rules:3:StatusCode", "308"),
        ("Rewrite:Rules:4:TrailingSlash", "Remove"),
    ]))
    .await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (target, name, expected) in [
        ("/old/a%20b?q=1", "a", (307, "", "/new/a%20b?q=1")),
        ("/app/old", "a", (307, "", "/app/new/")),
        ("/old//evil.example", "a", (307, "", "/new//evil.example")),
        ("/app/p/12?x=y", "a", (200, "/app /products?x=y&id=12", "")),
        ("/p/x", "a", (200, " /p/x", "")),
        ("/go?a", "evil.example", (308, "", "https://b.example/go?a")),
        ("//evil.example/", "a", (307, "", "/evil.example")),
        ("/x/", "site.example:80", (301, "", "http://www.site.example/x/")),
        ("/x/", "www.site.example", (307, "", "/x")),
    ] {
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: {name}\r\n\r\n")).await;
        let answer = wire.answer().await;
        let location = answer.header("location").unwrap_or_default();
        assert_eq!((answer.status, answer.body.as_str(), location), expected, "{target} {name}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_reload_changes_headers_and_rules_on_open_connections() {
    const A: &str = r#""Kestrel":{"Endpoints":{"A":{"Url":"http://127.0.0.1:0"}}}"#;
    let stage = Stage::new(&format!("{{{A}}}"));
    let host = stage.started(app()).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (settings, expected) in [
        ("", (200, " /a", None)),
        (r#""Headers":{"Enabled":true,"Set":{"X-A":"1"}},"#, (200, " /a", Some("1"))),
        (
            r#""Headers":{"Enabled":true,"Set":{"X-A":"2"}},
               "Rewrite":{"Enabled":true,"Rules":[{"Path":"/a","Rewrite":"/b"}]},"#,
            (200, " /b", Some("2")),
        ),
        (
            r#""Rewrite":{"Enabled":true,"Rules":[{"Path":"/a","Redirect":"/b","StatusCode":302}]},"#,
            (302, "", None),
        ),
        ("", (200, " /a", None)),
    ] {
        stage.write(&format!("{{{settings}{A}}}"));
        let reloaded = soon("the reload", host.reload()).await.expect("nothing is wrong with it");
        let is_first =
            settings.is_empty() && expected.2.is_none() && reloaded == Reloaded::Unchanged;
        assert!(reloaded == Reloaded::Changed || is_first, "{settings}");
        let answer = wire.get("/a").await;
        let seen = (answer.status, answer.body.as_str(), answer.header("x-a"));
        assert_eq!(seen, expected, "{settings}");
    }
    stopped(host).await;
}

/// What a rule sends round in circles is told, and what cannot be refuses the start, with its key.
#[tokio::test]
async fn a_rule_that_cannot_be_refuses_the_start() {
    for (settings, told) in [
        (
            &[
                ("Rewrite:Enabled", "true"),
                ("Rewrite:Rules:0:Pattern", "("),
                ("Rewrite:Rules:0:Redirect", "/a"),
            ][..],
            "Rewrite:Rules:0:Pattern",
        ),
        (
            &[("Headers:Enabled", "true"), ("Headers:Set:Content-Length", "5")],
            "Headers:Set:Content-Length",
        ),
    ] {
        let error = with(settings).start().await.map(|_| ()).expect_err("it cannot be");
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn code_gives_paths_policies_of_their_own_and_has_its_say_on_origins() {
    let host = with(&[
        ("Cors:Enabled", "true"),
        ("Cors:Policies:default:Origins:0", "https://a.example"),
        ("Cors:Policies:named:Origins:0", "https://n.example"),
        ("Cors:Policies:named:Methods:0", "PUT"),
    ]);
    let host = host
        .cors_origins("default", |origin| origin.ends_with(".code.example"))
        .cors_policy("/named", "named")
        .without_cors("/named/off");
    let host = started(host).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    for (path, origin, allowed, methods) in [
        ("/x", "https://a.example", true, None),
        ("/x", "https://b.code.example", true, None),
        ("/x", "https://n.example", false, None),
        ("/named", "https://n.example", true, Some("PUT")),
        ("/Named/x", "https://n.example", true, Some("PUT")),
        ("/named", "https://a.example", false, None),
        ("/named/off", "https://n.example", false, None),
        ("/named/off", "https://a.example", false, None),
    ] {
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\n\r\n")).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 200);
        let told = answer.header("access-control-allow-origin");
        assert_eq!(told, allowed.then_some(origin), "{path} {origin}: {}", answer.head);
        wire.send(format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT\r\n\r\n"
        ))
        .await;
        let preflight = wire.head().await;
        assert!(preflight.starts_with("HTTP/1.1 204 "), "{path}: {preflight}");
        let line = |name: &str| {
            let lower = preflight.to_ascii_lowercase();
            let line = lower.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.map(str::to_ascii_uppercase)
        };
        let told = line("access-control-allow-origin");
        assert_eq!(told, allowed.then(|| origin.to_ascii_uppercase()), "{path}: {preflight}");
        assert_eq!(line("access-control-allow-methods").as_deref(), methods, "{path}: {preflight}");
    }
    stopped(host).await;
}

#[tokio::test]
async fn a_policy_that_is_not_there_and_code_that_nobody_heeds_are_told() {
    let policy = ("Cors:Policies:default:Origins:0", "https://a.example");
    for (host, told) in [
        (
            with(&[("Cors:Enabled", "true"), policy]).cors_policy("/api", "nobody's"),
            "There is no policy 'nobody's' for pages of other origins, which /api is to have.",
        ),
        (
            with(&[("Cors:Enabled", "true"), policy]).without_cors("api"),
            "'api' is no path: it does not begin with '/'.",
        ),
        (
            with(&[]).cors_origins("default", |_| true),
            "What code says of other origins has no effect: Cors:Enabled is not set.",
        ),
    ] {
        let error = host.strict(true).start().await.map(|_| ()).expect_err("it is told");
        assert!(error.to_string().contains(told), "{error}");
    }
    // Off is off.
    let off = with(&[("Cors:Enabled", "false")]).cors_policy("/api", "nobody's").strict(true);
    stopped(started(off).await).await;
}
