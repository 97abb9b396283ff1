use std::borrow::Cow;

use super::*;
use crate::features::{Remote, Scheme};
use crate::pipeline::{Application, Responding};

/// Answers with its name, and the path that is asked for.
struct Named(&'static str);

impl Stage for Named {
    fn enter(&self, request: &mut Request) -> Enter {
        match request.uri().path() {
            "/none" => Enter::Next,
            path => Enter::Answer(Response::new(Body::from(format!("{} {path}", self.0)))),
        }
    }
}

fn sites(is_last: bool) -> Sites {
    let place =
        |host: &str| SitePlace { hosts: vec![SiteHost::parse(host).unwrap()], path: String::new() };
    let stages =
        ["a", "b"].map(|name| (Box::new([Box::new(Named(name)) as Box<dyn Stage>]) as _, None));
    Sites::new(SiteTable::new(&[place("a.example"), place("127.0.0.1:81")]), stages, is_last)
}

async fn answer(sites: Sites, host: &str, local: &str, path: &str) -> (u16, Cow<'static, str>) {
    let router = axum::Router::new().fallback(|| async { "the app" });
    let application = Application::from(router);
    application.replace_stages(Box::new([Box::new(sites)]));
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().unwrap();
    request.headers_mut().insert("host", host.parse().unwrap());
    let local = local.parse().ok().map(Local);
    let remote = "127.0.0.1:1".parse().ok().map(Remote);
    request.extensions_mut().insert(Connection::new(1, local, remote, Scheme::Http));
    let pipeline = application.current();
    let responding: Responding = pipeline.call(request);
    let response = responding.await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap().into())
}

#[tokio::test]
async fn a_request_goes_through_what_its_site_has_and_no_further() {
    for (host, local, path, expected) in [
        ("a.example:80", "127.0.0.1:80", "/x", (200, "a /x")),
        ("a.example", "127.0.0.1:81", "/x", (200, "a /x")),
        ("a.example", "127.0.0.1:80", "/none", (404, "")),
        ("other", "127.0.0.1:81", "/x", (200, "b /x")),
        ("other", "127.0.0.1:80", "/x", (200, "the app")),
        ("other", "", "/x", (200, "the app")),
    ] {
        let answered = answer(sites(false), host, local, path).await;
        assert_eq!(answered, (expected.0, expected.1.into()), "{host} {local} {path}");
    }
}

#[tokio::test]
async fn where_no_app_is_what_is_for_no_site_is_not_found() {
    let answered = answer(sites(true), "other", "127.0.0.1:80", "/x").await;
    assert_eq!(answered, (404, "".into()));
}
