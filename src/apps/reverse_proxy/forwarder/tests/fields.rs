//! What is of one connection stays there, in both directions.

use super::kit::{Scripted, all_to, application, ask_for_head, cluster, destination, get, ok};
use crate::apps::reverse_proxy::forwarder::Upstreams;
use crate::apps::reverse_proxy::transform_options::{Change, RequestTransform};

/// What never goes on (RFC 9110 section 7.6.1, and what YARP leaves out besides), each with a value.
const OF_ONE_HOP: [(&str, &str); 17] = [
    ("Connection", "X-Named"),
    ("X-Named", "1"),
    ("Keep-Alive", "timeout=5"),
    ("Upgrade", "h2c"),
    ("Proxy-Connection", "keep-alive"),
    ("Proxy-Authenticate", "Basic"),
    ("Proxy-Authentication-Info", "x"),
    ("Proxy-Authorization", "Basic eDp5"),
    ("Proxy-Features", "x"),
    ("Proxy-Instruction", "x"),
    ("Security-Scheme", "x"),
    ("ALPN", "h2"),
    ("Close", "x"),
    ("HTTP2-Settings", "AAMAAABk"),
    ("Upgrade-Insecure-Requests", "1"),
    ("TE", "trailers"),
    ("Alt-Svc", "h3"),
];

#[tokio::test]
async fn what_is_of_one_hop_goes_neither_there_nor_back() {
    let lines: String =
        OF_ONE_HOP.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let server = Scripted::start(move |_| {
        Some(format!("HTTP/1.1 200 OK\r\n{lines}X-Kept: 1\r\nContent-Length: 0\r\n\r\n"))
    })
    .await;
    for changes in [false, true] {
        let mut options = all_to(cluster(vec![destination("d1", server.port)]));
        if changes {
            // Such a route has fields that it can change.
            let (name, value) = ("x-set".parse().unwrap(), "1".parse().unwrap());
            let set = RequestTransform::Header { name, value, how: Change::Set };
            options.routes[0].transforms.request.push(set);
        }
        let upstreams = Upstreams::default();
        let mut application = application(&upstreams, &options);
        let mut request = get("/");
        for (name, value) in OF_ONE_HOP {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        request.headers_mut().append("x-kept", "1".parse().unwrap());
        let answered = ask_for_head(&mut application, request).await.headers;
        let sent = server.seen().pop().unwrap();
        let has = |name: &str| {
            let mut names = sent.lines().filter_map(|line| line.split_once(':'));
            names.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        assert!(has("x-kept") && has("x-set") == changes && answered.contains_key("x-kept"));
        for (name, _) in OF_ONE_HOP {
            assert!(!has(name), "{name} went there ({changes}): {sent}");
            assert!(!answered.contains_key(name), "{name} came back ({changes})");
        }
    }
}

#[tokio::test]
async fn what_servers_could_take_for_a_field_of_ours_does_not_go_on() {
    let server = Scripted::start(|_| ok("")).await;
    for changes in [false, true] {
        let mut options = all_to(cluster(vec![destination("d1", server.port)]));
        if changes {
            let change = RequestTransform::HeaderRemove("x-gone".parse().unwrap());
            options.routes[0].transforms.request.push(change);
        }
        let mut application = application(&Upstreams::default(), &options);
        let mut request = get("/");
        let names = ["transfer_encoding", "content_length", "x_forwarded_for", "x_forwarded-port"];
        for name in names {
            request.headers_mut().append(name, "1".parse().unwrap());
        }
        request.headers_mut().append("x_request_id", "1".parse().unwrap());
        ask_for_head(&mut application, request).await;
        let sent = server.seen().pop().unwrap().to_lowercase();
        assert!(sent.contains("x_request_id: 1"), "{sent}");
        for name in names {
            assert!(!sent.contains(name), "{name} went there ({changes}): {sent}");
        }
    }
}

#[tokio::test]
async fn the_host_is_that_of_the_destination_unless_it_is_to_be_the_clients() {
    let server = Scripted::start(|_| ok("")).await;
    for original in [false, true] {
        let mut options = all_to(cluster(vec![destination("d1", server.port)]));
        let transforms = &mut options.routes[0].transforms;
        // That the header may go on is one thing, which host is named another.
        transforms.request_headers.allowed = vec!["host".parse().unwrap()];
        transforms.original_host = original;
        let mut application = application(&Upstreams::default(), &options);
        ask_for_head(&mut application, get("/")).await;
        let sent = server.seen().pop().unwrap();
        let host = sent.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap();
        let own = format!("127.0.0.1:{}", server.port);
        assert_eq!(host, if original { "app.test" } else { &own });
    }
}
