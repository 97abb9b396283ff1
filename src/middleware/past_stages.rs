//! Which stages let the system send the file that an answer consists of.

use std::sync::Arc;
use std::time::Duration;

use http::header::ACCEPT_ENCODING;
use http::{HeaderName, HeaderValue, StatusCode};

use super::answer_headers::{AnswerHeaders, HeaderChanges};
use super::error_pages::{
    DeveloperPage, ErrorPath, ExceptionHandler, StatusPage, StatusPages, Template,
};
use super::hsts::Hsts;
use super::path_rules::PathRules;
use super::request_timeouts::{RequestTimeoutOptions, RequestTimeouts, TimeoutPolicy};
use super::response_compression::{
    CompressionOptions, Encoding, Level, MediaTypes, ResponseCompression,
};
use crate::features::Overlay;
use crate::pipeline::{
    Answering, ClientAddress, Enter, FilePart, Handler, InUse, OpenedFile, Pipeline, Request,
    Responder, Response, Stage,
};

/// Answers with a file, as the last stage does.
struct SendsFile;

impl Stage for SendsFile {
    fn enter(&self, request: &mut Request) -> Enter {
        let mut response = Response::new("file".into());
        let file = Arc::new(OpenedFile::new(tempfile::tempfile().unwrap(), 4));
        response.extensions_mut().insert(FilePart { file, range: 0..4, name: "file".into() });
        let media_type = match request.uri().path() {
            "/text" => "text/plain",
            _ => "video/mp4",
        };
        let media_type = HeaderValue::from_static(media_type);
        response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
        Enter::Answer(response)
    }
}

struct Nobody;

impl Handler for Nobody {
    fn call(&self, _: Request) -> Answering {
        Answering::Ready(Response::default())
    }
}

fn compression() -> ResponseCompression {
    let types = MediaTypes::DEFAULT.map(str::to_owned).to_vec();
    ResponseCompression(Arc::new(CompressionOptions {
        for_https: true,
        encodings: vec![Encoding::Gzip],
        types: MediaTypes::new(types, Vec::new()),
        level: Level::Fastest,
    }))
}

/// Every stage through which files come.
fn stages() -> Vec<(&'static str, Box<dyn Stage>)> {
    let timeout = TimeoutPolicy {
        timeout: Some(Duration::from_secs(9)),
        status: StatusCode::GATEWAY_TIMEOUT,
    };
    let timeouts = RequestTimeoutOptions {
        default: timeout,
        by_path: PathRules::default(),
        by_name: Vec::new(),
    };
    let header = (HeaderName::from_static("x-a"), HeaderValue::from_static("b"));
    let changes = HeaderChanges { set: vec![header], ..HeaderChanges::default() };
    let page = StatusPage::Reexecute(Template::new("/status/{0}").unwrap());
    vec![
        ("Headers", Box::new(AnswerHeaders(Arc::new(changes)))),
        ("DeveloperExceptionPage", Box::new(DeveloperPage { problems: false })),
        ("ExceptionHandler", Box::new(ExceptionHandler::Page(ErrorPath("/error".into())))),
        ("Hsts", Box::new(Hsts::new(Duration::from_secs(9), [], Vec::new()))),
        ("StatusCodePages", Box::new(StatusPages { page, problems: false })),
        ("ResponseCompression", Box::new(compression())),
        ("RequestTimeouts", Box::new(RequestTimeouts::new(timeouts))),
    ]
}

async fn file_behind(stages: Vec<Box<dyn Stage>>, path: &str) -> Option<FilePart> {
    let (app, _) = InUse::new(Responder::Handler(Arc::new(Nobody)), ClientAddress::InConnection);
    let stages: Vec<_> = stages.into_iter().chain([Box::new(SendsFile) as _]).collect();
    let pipeline = Arc::new(Pipeline::new(stages.into(), app));
    let mut request = Request::default();
    *request.uri_mut() = path.parse().unwrap();
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    Overlay::change(&mut request, |it| it.scheme = Some("https".into()));
    FilePart::take(&mut pipeline.call(request).await)
}

#[tokio::test]
async fn what_changes_headers_alone_lets_the_system_send_a_file() {
    for (name, stage) in stages() {
        assert!(file_behind(vec![stage], "/video").await.is_some(), "{name}");
    }
    let all = || stages().into_iter().map(|(_, stage)| stage).collect();
    assert!(file_behind(all(), "/video").await.is_some());
    assert!(file_behind(all(), "/text").await.is_none(), "it is compressed");
    assert!(file_behind(vec![Box::new(compression())], "/text").await.is_none());
}
