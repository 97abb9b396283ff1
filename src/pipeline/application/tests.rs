use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use futures_util::FutureExt;

use super::*;
use crate::pipeline::{Answering, Handler, OpenedFile, PreparedHead};

/// Where stages and apps note what they see.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

/// A stage that is a function.
struct Does<F>(F);

impl<F: Fn(&mut Request) -> Enter + Send + Sync + 'static> Stage for Does<F> {
    fn enter(&self, request: &mut Request) -> Enter {
        (self.0)(request)
    }
}

fn stage(does: impl Fn(&mut Request) -> Enter + Send + Sync + 'static) -> Box<dyn Stage> {
    Box::new(Does(does))
}

/// A stage that knows of files.
struct Knows(Box<dyn Stage>);

impl Stage for Knows {
    fn enter(&self, request: &mut Request) -> Enter {
        self.0.enter(request)
    }

    fn knows_files(&self) -> bool {
        true
    }
}

fn knows(stage: Box<dyn Stage>) -> Box<dyn Stage> {
    Box::new(Knows(stage))
}

/// Notes `name>` on the way in and `<name` on the way out.
fn then(seen: &Seen, name: &'static str) -> Box<dyn Stage> {
    let seen = seen.clone();
    stage(move |_| {
        seen.note(format!("{name}>"));
        let seen = seen.clone();
        Enter::Then(Box::new(move |response| {
            seen.note(format!("<{name}"));
            response
        }))
    })
}

/// The same, but goes the rest of the way itself, after it has waited, `times` times.
fn around(seen: &Seen, name: &'static str, times: usize) -> Box<dyn Stage> {
    let seen = seen.clone();
    stage(move |_| {
        let seen = seen.clone();
        Enter::Around(Box::new(move |request, next| {
            Responding::later(async move {
                seen.note(format!("{name}>"));
                tokio::task::yield_now().await;
                let mut response = next.call(request).await;
                for _ in 1..times {
                    response = next.clone().call(Request::new(Body::empty())).await;
                }
                seen.note(format!("<{name}"));
                response
            })
        }))
    })
}

/// An app that notes its requests; the path `/fails` panics as it is called, `/fails-later` when waited for.
struct Answers(Seen);

impl Handler for Answers {
    fn call(&self, request: Request) -> Answering {
        self.0.note("app");
        match request.uri().path() {
            "/fails" => panic!("this one is for the test"),
            "/fails-later" => Answering::later(async { panic!("this one is for the test") }),
            _ => Answering::Ready(Response::new(Body::from("app"))),
        }
    }
}

fn pipeline(seen: &Seen, stages: impl Into<Box<[Box<dyn Stage>]>>) -> Arc<Pipeline> {
    let (app, _) = InUse::new(
        Responder::Handler(Arc::new(Answers(seen.clone()))),
        ClientAddress::InConnection,
    );
    Arc::new(Pipeline::new(stages.into(), app))
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 100).await.unwrap().to_vec()).unwrap()
}

fn get(path: &str) -> Request {
    http::Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_stage_that_goes_around_stands_in_its_place_on_both_ways() {
    let seen = Seen::default();
    let stages = [then(&seen, "a"), around(&seen, "b", 1), then(&seen, "c"), around(&seen, "d", 1)];
    let pipeline = pipeline(&seen, stages);
    assert_eq!(text(pipeline.call(get("/")).await).await, "app");
    assert_eq!(seen.take(), "a> b> c> d> app <d <c <b <a");
}

/// A stage that answers with a head that was prepared.
fn prepared() -> Box<dyn Stage> {
    knows(stage(|_| {
        let mut headers = http::HeaderMap::new();
        headers.insert("a", http::HeaderValue::from_static("b"));
        let head = Arc::new(PreparedHead::new(headers).unwrap());
        Enter::Taken(Responding::prepared(Response::new(Body::from("file")), head))
    }))
}

#[tokio::test]
async fn a_prepared_head_is_part_of_the_answer_for_all_but_the_server() {
    let seen = Seen::default();
    let looks = || {
        let seen = seen.clone();
        stage(move |_| {
            let seen = seen.clone();
            Enter::Then(Box::new(move |response: Response| {
                seen.note(format!("{} headers", response.headers().len()));
                response
            }))
        })
    };
    for (stages, noted) in [
        (vec![prepared()], ""),
        (vec![stage(|_| Enter::Next), prepared()], ""),
        (vec![looks(), prepared()], "1 headers"),
        (vec![around(&seen, "a", 1), looks(), prepared()], "a> 1 headers <a"),
    ] {
        let pipeline = pipeline(&seen, stages);
        let answer = pipeline.call(get("/")).await;
        assert_eq!(answer.headers()["a"], "b");
        assert_eq!(text(answer).await, "file");
        assert_eq!(seen.take(), noted);
        // As the server asks.
        let mut responding = std::pin::pin!(pipeline.call(get("/")));
        let (mut answer, head) =
            std::future::poll_fn(|cx| responding.as_mut().poll_parts(cx)).await;
        assert_eq!(head.is_some(), noted.is_empty(), "{noted}");
        if let Some(head) = head {
            assert!(answer.headers().is_empty());
            head.put_into(answer.headers_mut());
        }
        assert_eq!(answer.headers()["a"], "b");
        seen.take();
    }
}

#[tokio::test]
async fn the_rest_of_the_way_can_be_gone_again() {
    let seen = Seen::default();
    let pipeline =
        pipeline(&seen, [around(&seen, "a", 2), then(&seen, "b"), around(&seen, "c", 2)]);
    assert_eq!(text(pipeline.call(get("/")).await).await, "app");
    assert_eq!(seen.take(), "a> b> c> app app <c <b b> c> app app <c <b <a");
}

#[tokio::test]
async fn a_stage_may_answer_in_place_of_the_rest() {
    let seen = Seen::default();
    let answers = stage(|_| {
        Enter::Around(Box::new(|_, _| {
            Responding::later(async { Response::new(Body::from("not the app")) })
        }))
    });
    let pipeline = pipeline(&seen, [then(&seen, "a"), answers, then(&seen, "c")]);
    assert_eq!(text(pipeline.call(get("/")).await).await, "not the app");
    assert_eq!(seen.take(), "a> <a");
}

#[tokio::test]
async fn a_panic_anywhere_comes_to_whoever_waits_for_the_answer() {
    let seen = Seen::default();
    let panics = || stage(|_| panic!("this one is for the test"));
    let panics_around =
        || stage(|_| Enter::Around(Box::new(|_, _| panic!("this one is for the test"))));
    for (stages, path, what) in [
        (vec![panics()], "/", "a> catch> caught <a"),
        (vec![panics_around()], "/", "a> catch> caught <a"),
        (vec![around(&seen, "b", 1), panics()], "/", "a> catch> b> caught <a"),
        (vec![then(&seen, "b")], "/fails", "a> catch> b> app caught <a"),
        (vec![around(&seen, "b", 1)], "/fails-later", "a> catch> b> app caught <a"),
    ] {
        // What an error page is: it lives through a panic behind it, and stages before it do not notice.
        let noted = seen.clone();
        let catches = stage(move |_| {
            let noted = noted.clone();
            Enter::Around(Box::new(move |request, next| {
                noted.note("catch>");
                Responding::later(async move {
                    let caught = AssertUnwindSafe(next.call(request)).catch_unwind().await;
                    caught.unwrap_or_else(|_| {
                        noted.note("caught");
                        Response::new(Body::from("sorry"))
                    })
                })
            }))
        });
        let stages: Vec<_> = [then(&seen, "a"), catches].into_iter().chain(stages).collect();
        assert_eq!(text(pipeline(&seen, stages).call(get(path)).await).await, "sorry");
        assert_eq!(seen.take(), what);
    }
    let pipeline = pipeline(&seen, [around(&seen, "a", 1), panics_around()]);
    let failed = tokio::spawn(async move { pipeline.call(get("/")).await }).await;
    assert!(failed.is_err_and(|error| error.is_panic()));
}

#[test]
fn a_connection_finds_the_pipeline_of_the_moment_and_keeps_none_while_it_waits() {
    let in_use = || {
        InUse::new(
            Responder::Handler(Arc::new(Answers(Seen::default()))),
            ClientAddress::InConnection,
        )
    };
    let is_retired = |retired: &mut Retired| retired.now_or_never().is_some();
    let (first, mut first_retired) = in_use();
    let (second, mut second_retired) = in_use();
    let application = Application::new(Pipeline::new(Box::default(), first));
    let connection = LookUp::of(&application);
    let request = connection.current();
    assert!(Arc::ptr_eq(&request, &application.current()));
    assert!(Arc::ptr_eq(&request, &connection.current()), "it is found again");

    application.replace(Pipeline::new(Box::default(), second));
    let other = connection.current();
    assert!(Arc::ptr_eq(&other, &application.current()));
    assert!(!Arc::ptr_eq(&other, &request));
    assert!(!is_retired(&mut first_retired), "it answers a request");
    drop(request);
    assert!(is_retired(&mut first_retired), "nobody has it but connections that wait");

    drop((other, application));
    assert!(!is_retired(&mut second_retired), "it may be asked for");
    drop(connection);
    assert!(is_retired(&mut second_retired));
}

#[tokio::test]
async fn a_file_reaches_the_server_past_stages_that_let_its_body_be() {
    fn file() -> Response {
        let mut response = Response::new(Body::from("file"));
        let file = Arc::new(OpenedFile::new(tempfile::tempfile().unwrap(), 4));
        let part = FilePart { file, range: 0..4, name: "file".into() };
        response.extensions_mut().insert(part);
        response
    }
    let seen = Seen::default();
    let next = || stage(|_| Enter::Next);
    let at_once = || stage(|_| Enter::Answer(file()));
    let later = || {
        let later = || Box::pin(async { file() });
        stage(move |_| Enter::Around(Box::new(move |_, _| Responding::Later { future: later() })))
    };
    let ready = || {
        let ready = || Responding::Ready { response: Some(file()) };
        stage(move |_| Enter::Around(Box::new(move |_, _| ready())))
    };
    for (stages, comes) in [
        (vec![at_once()], true),
        (vec![next(), at_once()], true),
        (vec![next(), later()], true),
        (vec![ready()], true),
        (vec![then(&seen, "a"), at_once()], false),
        (vec![then(&seen, "a"), next(), later()], false),
        (vec![then(&seen, "a"), ready()], false),
        (vec![around(&seen, "a", 1), at_once()], false),
        (vec![around(&seen, "a", 2), next(), later()], false),
        (vec![around(&seen, "a", 1), ready()], false),
        (vec![around(&seen, "a", 1), then(&seen, "b"), later()], false),
        (vec![knows(then(&seen, "a")), at_once()], true),
        (vec![knows(then(&seen, "a")), knows(around(&seen, "b", 2)), later()], true),
        (vec![knows(around(&seen, "a", 1)), next(), ready()], true),
        (vec![knows(around(&seen, "a", 1)), around(&seen, "b", 1), at_once()], false),
        (vec![around(&seen, "a", 1), knows(around(&seen, "b", 1)), later()], false),
        (vec![then(&seen, "a"), knows(around(&seen, "b", 1)), at_once()], false),
        (vec![knows(then(&seen, "a")), then(&seen, "b"), later()], false),
    ] {
        let count = stages.len();
        let mut response = pipeline(&seen, stages).call(get("/")).await;
        let part = FilePart::take(&mut response);
        assert_eq!(part.map(|part| part.length()), comes.then_some(4), "{count} stages");
        assert_eq!(text(response).await, "file");
    }
}
