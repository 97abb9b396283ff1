//! `kestrel run` as a reverse proxy: what it hands on, and what it says of what it cannot.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::http::{asked, connect, get, nobody};
use crate::process::{Kestrel, Running};
use crate::test_data::file;

/// A server that answers every request with its first line; what is below `/none`, with an empty 404.
#[expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]
pub(crate) fn destination() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_all(stream));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        seen.extend_from_slice(&piece[..read]);
        while let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).into_owned();
            seen.drain(..end + 4);
            let line = head.lines().next().unwrap_or_default();
            let answer = match line.contains(" /none") {
                true => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
                false => {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len())
                }
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

#[test]
fn an_argument_hands_requests_on_and_nothing_else_is_there() {
    let to = format!("/api/{{**rest}}=http://{}", destination());
    let running = Kestrel::run(["--urls", "http://127.0.0.1:0", "--proxy", &to]).started();
    let address = running.address();
    let answer = get(&address, "/api/a%2Fb?c", &[]);
    assert_eq!((answer.status, &*answer.body), (200, "GET /api/a%2Fb?c HTTP/1.1"));
    let answer = get(&address, "/other", &[]);
    assert_eq!((answer.status, &*answer.body), (404, ""));
    let outcome = running.terminated();
    assert!(!outcome.stdout.contains("No site"), "{}", outcome.stdout);
}

/// A server that answers all requests with this.
#[expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]
fn saying(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                while let Ok(1..) = stream.read(&mut [0; 4096]) {
                    stream.write_all(answer.as_bytes()).expect("somebody who reads");
                }
            });
        }
    });
    address
}

#[test]
fn an_answer_goes_back_with_its_headers_and_what_is_of_its_connection_stays() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nX-One: 1\r\nSet-Cookie: a\r\nContent-Length: 2\r\nSet-Cookie: b\r\nDate: today\r\n";
    let to = saying(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX-One:1\r\nSet-Cookie: a\r\nAlt-Svc: h3\r\n\
        Content-Length: 2\r\nKeep-Alive: timeout=5\r\nSet-Cookie: b\r\nDate: today\r\n\r\nok",
    );
    let to = format!("/{{**rest}}=http://{to}");
    // With a log of requests, and with a stage that looks at answers, the headers are taken apart.
    for (log, stage) in [("Warning", ""), ("Information", ""), ("Warning", "X-Stage")] {
        let log = format!("--Logging:LogLevel:Microsoft.AspNetCore={log}");
        let mut arguments = vec!["--urls", "http://127.0.0.1:0", "--proxy", &to, &log];
        if !stage.is_empty() {
            arguments.extend(["--Headers:Enabled=true", "--Headers:Set:X-Stage=1"]);
        }
        let running = Kestrel::run(arguments.iter().copied()).started();
        let mut stream = connect(&running.address());
        for _ in 0..3 {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("a server that reads");
            let mut came = Vec::new();
            while !came.ends_with(b"ok") {
                let mut piece = [0; 1024];
                let read = stream.read(&mut piece).expect("an answer");
                assert!(read > 0, "{came:?}");
                came.extend_from_slice(&piece[..read]);
            }
            let came = String::from_utf8(came).expect("text");
            let sorted = |text: &str| {
                let mut lines: Vec<_> = text.lines().map(str::to_ascii_lowercase).collect();
                lines.sort();
                lines
            };
            let stage = if stage.is_empty() { "" } else { "X-Stage: 1\r\n" };
            let expected = format!("{HEAD}{stage}Server: Kestrel\r\n\r\nok");
            assert_eq!(sorted(&came), sorted(&expected), "{arguments:?}");
        }
        running.terminated();
    }
}

#[test]
fn files_come_before_routes_and_pages_after_them() {
    let to = format!("/api/{{**rest}}=http://{}", destination());
    let none = format!("/none/{{**rest}}=http://{}", destination());
    let kestrel = Kestrel::run([
        "--urls=http://127.0.0.1:0",
        "--NavigationFallback:Path=/index.html",
        "--proxy",
        &to,
        "--proxy",
        &none,
    ]);
    let root = kestrel.root().join("wwwroot");
    std::fs::create_dir_all(root.join("api")).expect("a folder");
    std::fs::write(root.join("api/file.txt"), "a file\n").expect("a file");
    std::fs::write(root.join("index.html"), "the app\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    for (path, status, body) in [
        ("/api/file.txt", 200, "a file\n"),
        ("/api/other", 200, "GET /api/other HTTP/1.1"),
        ("/somewhere", 200, "the app\n"),
        // It is the destination that has nothing there.
        ("/none/at/all", 404, ""),
    ] {
        let answer = get(&address, path, &[]);
        assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
    }
    running.terminated();
}

#[test]
fn all_mistakes_of_a_file_refuse_the_start_with_where_they_stand() {
    const FILE: &str = r#"{
  "ReverseProxy": {
    "Routes": {
      "a": { "ClusterId": "c", "Match": { "Path": "/{a" } },
      "b": { "ClusterId": "d", "Match": { "Hosts": [ "a.test:x" ] } },
      "c": { "ClusterId": "c", "Match": { "Path": "/{x:nosuch}" }, "Transforms": [ { "PathPrefx": "/a" } ] }
    },
    "Clusters": { "c": { "LoadBalancingPolicy": "RoundRobbin", "Destinations": { "d": { "Address": "localhost:5000" } }, "Desinations": {} } }
  }
}"#;
    for plan in [&["--plan"][..], &[]] {
        let kestrel = Kestrel::run(plan.iter().copied()).file("appsettings.json", FILE);
        let outcome = kestrel.ended();
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        let said = [outcome.stdout, outcome.stderr].concat();
        for line in [
            "Invalid path '/{a' for route 'a'.",
            "There is a '{' without its '}'.",
            "appsettings.json:4:",
            "There is no cluster 'd' for route 'b': it answers 503.",
            "Invalid host 'a.test:x' for route 'b'.",
            "'x' is no port.",
            "Of the parameter 'x', there is no constraint 'nosuch'.",
            "Unknown transform: PathPrefx",
            "did you mean PathPrefix?",
            "No matching ILoadBalancingPolicy found for the load balancing policy 'RoundRobbin' set on the cluster 'c'.",
            "write RoundRobin",
            "Invalid address 'localhost:5000' of destination 'd' on cluster 'c'.",
            "write http://localhost:5000",
        ] {
            assert!(said.contains(line), "{line}: {said}");
        }
    }
}

#[test]
fn names_that_are_nearly_right_are_told_with_the_right_ones_and_where_they_stand() {
    const FILE: &str = r#"{
  "ReverseProxy": {
    "Routes": {
      "a": { "ClusterId": "c", "Machs": { "Path": "/{**rest}" } },
      "b": { "ClusterId": "c", "Match": { "Path": "/{**rest}", "Method": [ "GET" ] } }
    },
    "Clusters": {
      "c": {
        "HealthChecks": { "Active": { "Enabled": true } },
        "Destinations": { "d": { "Adress": "http://localhost:5000" }, "e": { "Address": "http://localhost:5001", "Helth": "http://x" } }
      }
    }
  }
}"#;
    let outcome = Kestrel::run(["--plan"]).file("appsettings.json", FILE).ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let said = outcome.stderr;
    for (place, right) in [
        ("appsettings.json:4:51", "ReverseProxy:Routes:a:Match?"),
        ("appsettings.json:5:76", "ReverseProxy:Routes:b:Match:Methods?"),
        ("appsettings.json:9:50", "ReverseProxy:Clusters:c:HealthCheck?"),
        ("appsettings.json:10:44", "ReverseProxy:Clusters:c:Destinations:d:Address?"),
        ("appsettings.json:10:123", "ReverseProxy:Clusters:c:Destinations:e:Health?"),
    ] {
        let fix = format!("fix: did you mean {right}");
        let mut told = said.split("\n  set by: ").filter(|it| it.contains(&fix));
        assert!(told.any(|it| it.starts_with(place)), "{place} {right}: {said}");
    }
}

#[test]
fn two_arguments_for_the_same_requests_start_nothing() {
    let outcome = Kestrel::run([
        "--proxy=/api/{**rest}=http://localhost:5000",
        "--proxy=/API/{**r}=http://localhost:5001",
    ])
    .ended();
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    for line in [
        "Two --proxy are for the same requests: '/api/{**rest}' and '/API/{**r}'.",
        "The first one: command line, argument 4 (--proxy).",
        "set by: command line, argument 5 (--proxy)",
        "fix: leave one of them out",
    ] {
        assert!(outcome.stderr.contains(line), "{line}: {}", outcome.stderr);
    }
}

#[test]
fn an_argument_takes_the_requests_of_a_route_of_a_file() {
    let file = format!(
        r#"{{ "ReverseProxy": {{
        "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**catchall}}" }} }},
                     "own": {{ "ClusterId": "c", "Match": {{ "Path": "/own/{{**rest}}" }} }} }},
        "Clusters": {{ "c": {{ "Destinations": {{ "d": {{ "Address": "http://{}" }} }} }} }} }} }}"#,
        nobody()
    );
    let to = format!("/{{**rest}}=http://{}", destination());
    let kestrel = Kestrel::run(["--strict", "--proxy", &to]).file("appsettings.json", &file);
    let running = kestrel.started();
    let address = running.address();
    assert_eq!(get(&address, "/x", &[]).body, "GET /x HTTP/1.1");
    assert_eq!(get(&address, "/own/x", &[]).status, 502, "another one is as good as before");
    let said = running.terminated().stdout;
    let line =
        "The route 'all' gets no requests: --proxy '/{**rest}' is for the same ones, and counts.";
    assert!(said.contains(line), "{said}");
    assert!(!said.contains("500"), "{said}");
}

#[test]
fn a_settings_file_as_an_argument_is_told_where_it_belongs() {
    for (argument, folder) in [
        ("./yarp-config.json", "."),
        ("yarp.JSON", "."),
        ("/etc/yarp/config.json", "/etc/yarp"),
        ("/config.json", "/"),
    ] {
        let outcome = Kestrel::run(["--plan", argument]).ended();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        for line in [
            format!("The argument '{argument}' sets nothing and is ignored."),
            format!(
                "fix: settings are read from appsettings.json of the content root: name the file so, and write --contentRoot {folder} if that is another folder"
            ),
        ] {
            assert!(outcome.stderr.contains(&line), "{line}: {}", outcome.stderr);
        }
    }
}

#[test]
fn an_argument_that_nearly_is_proxy_starts_nothing() {
    for arguments in [&["--prox", "/{**rest}=http://localhost:3000"][..], &["--prxy"]] {
        let outcome = Kestrel::run(arguments.iter().copied()).ended();
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("did you mean --proxy?"), "{}", outcome.stderr);
    }
}

#[test]
fn a_plan_shows_where_requests_go_and_who_said_so() {
    let kestrel = Kestrel::new([
        "run",
        "--plan",
        "--proxy",
        "/api/{**rest}=localhost:9000",
        "--proxy=/{**rest}=http://unix:/run/a.sock",
    ]);
    let outcome = kestrel.ended();
    for line in [
        "  reverse proxy (set by command line, argument 3 (--proxy), key ReverseProxy:Routes)\n",
        "    /api/{**rest} to http://localhost:9000 (set by command line, argument 3 (--proxy))\n",
        "    /{**rest} to http://unix:/run/a.sock (set by command line, argument 5 (--proxy))\n",
    ] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
    assert!(outcome.stderr.contains("it is taken for http://localhost:9000"), "{}", outcome.stderr);
    let outcome = Kestrel::new(["run", "--proxy", "/api"]).ended();
    let said = [outcome.stdout, outcome.stderr].concat();
    assert!(said.contains("'/api' does not say where its requests go."), "{said}");
    assert_eq!(outcome.code, Some(3), "{said}");
}

/// A server of https that takes the certificates of clients that `ca` has signed.
pub(crate) fn secured() -> Running {
    let settings = format!(
        r#"{{ "Kestrel": {{ "Endpoints": {{ "A": {{ "Url": "https://127.0.0.1:0",
        "ClientCertificateMode": "RequireCertificate", "ClientCertificateRoots": {ca:?},
        "Certificate": {{ "Path": {pem:?}, "KeyPath": {key:?} }} }} }} }} }}"#,
        ca = file("ca.pem"),
        pem = file("server.pem"),
        key = file("server.key"),
    );
    Kestrel::run([]).file("appsettings.json", &settings).started()
}

#[test]
fn servers_are_believed_by_their_own_authority_and_shown_a_certificate() {
    let upstream = secured();
    let port = upstream.address().rsplit(':').next().expect("a port").to_owned();
    let own = format!(
        r#", "ClientCertificate": {{ "Path": {:?}, "KeyPath": {:?} }}"#,
        file("client.pem"),
        file("client.key")
    );
    for (roots, own, status) in
        [("ca.pem", &*own, 200), ("ca.pem", "", 502), ("strange-ca.pem", &*own, 502)]
    {
        let front = format!(
            r#"{{ "ReverseProxy": {{
            "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} }} }},
            "Clusters": {{ "c": {{
                "Destinations": {{ "d": {{ "Address": "https://localhost:{port}" }} }},
                "HttpClient": {{ "ServerCertificateRoots": {roots:?} {own} }} }} }} }} }}"#,
            roots = file(roots),
        );
        let front =
            Kestrel::run(["--urls=http://127.0.0.1:0"]).file("appsettings.json", &front).started();
        let answer = get(&front.address(), "/", &[]);
        assert_eq!(answer.status, status, "{roots} {own}: {}", front.stdout());
        front.terminated();
    }
    upstream.terminated();
}

#[test]
fn a_proxy_that_cannot_be_asked_for_a_tunnel_refuses_the_start() {
    let settings = |to: &str, proxy: &str| {
        format!(
            r#"{{ "ReverseProxy": {{
            "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} }} }},
            "Clusters": {{ "c": {{ "Destinations": {{ "d": {{ "Address": "{to}" }} }},
                "HttpClient": {{ "WebProxy": {{ "Address": "{proxy}" }} }} }} }} }} }}"#
        )
    };
    for (to, proxy, is_refused) in [
        ("https://a.test", "http://proxy.test:3128", false),
        ("https://a.test", "https://proxy.test:3128", true),
        ("https://a.test", "http://unix:/run/proxy.sock", true),
        ("http://a.test", "https://proxy.test:3128", false),
    ] {
        let kestrel = Kestrel::run(["--plan", "--urls=http://127.0.0.1:0"]);
        let outcome = kestrel.file("appsettings.json", &settings(to, proxy)).ended();
        let said = outcome.stdout + &outcome.stderr;
        let told = "https destinations of the cluster 'c' cannot be reached through";
        assert_eq!(said.contains(told), is_refused, "{to} {proxy}: {said}");
        assert_eq!(outcome.code != Some(0), is_refused, "{to} {proxy}: {said}");
    }
}

#[test]
fn certificates_that_cannot_be_read_refuse_the_start_with_their_keys() {
    const FILE: &str = r#"{ "ReverseProxy": {
        "Routes": { "all": { "ClusterId": "c", "Match": { "Path": "/{**rest}" } } },
        "Clusters": { "c": { "Destinations": { "d": { "Address": "https://localhost:1" } },
            "HttpClient": { "ServerCertificateRoots": "missing.pem",
                "ClientCertificate": { "Path": "gone.pem", "KeyPath": "gone.key" } } } } } }"#;
    let outcome = Kestrel::run([]).file("appsettings.json", FILE).ended();
    let said = [outcome.stdout, outcome.stderr].concat();
    for line in [
        "missing.pem",
        "key ReverseProxy:Clusters:c:HttpClient:ServerCertificateRoots",
        "gone.pem",
        "key ReverseProxy:Clusters:c:HttpClient:ClientCertificate:Path",
        "set by: appsettings.json:4:",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(outcome.code, Some(5), "{said}");
}

#[test]
fn a_route_has_the_policies_that_it_names() {
    let settings = format!(
        r#"{{"RateLimiter": {{"Enabled": true, "GlobalLimiter": {{"PermitLimit": 3, "Window": "01:00:00", "PartitionBy": "None"}},
             "Policies": {{"once": {{"PermitLimit": 1, "Window": "01:00:00", "PartitionBy": "None"}}}}}},
           "Cors": {{"Enabled": true, "Policies": {{"pages": {{"Origins": ["https://a.example"]}}}}}},
           "ReverseProxy": {{
             "Routes": {{
               "limited": {{"ClusterId": "c", "Match": {{"Path": "/limited/{{**rest}}", "Methods": ["GET"]}}, "RateLimiterPolicy": "Once", "CorsPolicy": "pages"}},
               "free": {{"ClusterId": "c", "Match": {{"Path": "/free/{{**rest}}"}}, "RateLimiterPolicy": "Disable"}},
               "others": {{"ClusterId": "c", "Match": {{"Path": "/others/{{**rest}}"}}}}
             }},
             "Clusters": {{"c": {{"Destinations": {{"d": {{"Address": "http://{}"}}}}}}}}
           }}}}"#,
        destination()
    );
    let arguments = ["--urls", "http://127.0.0.1:0"];
    let kestrel = Kestrel::run(arguments.into_iter().chain(["--plan"]));
    let plan = kestrel.file("appsettings.json", &settings).ended();
    let told = "limited: RateLimiterPolicy Once, CorsPolicy pages";
    assert!(plan.stdout.contains(told), "{}{}", plan.stdout, plan.stderr);
    let running = Kestrel::run(arguments).file("appsettings.json", &settings).started();
    let address = running.address();
    let origin = ["Origin: https://a.example"];
    for (path, status) in [
        ("/limited/a", 200),
        ("/limited/b", 503),
        ("/free/a", 200),
        // The global limiter has let three pass by now: what was turned away had its turn there.
        ("/others/a", 200),
        ("/others/b", 503),
        ("/free/b", 200),
    ] {
        let answer = get(&address, path, &origin);
        assert_eq!(answer.status, status, "{path}");
        let told = answer.header("Access-Control-Allow-Origin");
        assert_eq!(told.is_some(), path.starts_with("/limited"), "{path}: {}", answer.head);
    }
    running.terminated();
}

#[test]
fn what_a_browser_asks_beforehand_is_answered_by_the_policy_of_the_route() {
    let settings = format!(
        r#"{{"Cors": {{"Enabled": true, "Policies": {{"pages": {{"Origins": ["https://a.example"], "Methods": ["PUT"]}}}}}},
           "ReverseProxy": {{
             "Routes": {{
               "put": {{"ClusterId": "c", "Match": {{"Path": "/x", "Methods": ["PUT"]}}, "CorsPolicy": "pages"}},
               "own": {{"ClusterId": "c", "Match": {{"Path": "/own"}}, "CorsPolicy": "Disable"}}
             }},
             "Clusters": {{"c": {{"Destinations": {{"d": {{"Address": "http://{}"}}}}}}}}
           }}}}"#,
        destination()
    );
    let arguments = ["--urls", "http://127.0.0.1:0"];
    let running = Kestrel::run(arguments).file("appsettings.json", &settings).started();
    for (path, method, expected) in [
        ("/x", "PUT", (204, "", Some("https://a.example"))),
        ("/x", "GET", (405, "", None)),
        ("/own", "PUT", (200, "OPTIONS /own HTTP/1.1", None)),
    ] {
        let mut stream = connect(&running.address());
        let request = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: {method}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        let of = |line: &str| line.strip_prefix("Access-Control-Allow-Origin: ").map(str::to_owned);
        let told = head.lines().find_map(of);
        assert_eq!((status, body, told.as_deref()), expected, "{path} {method}: {head}");
    }
    running.terminated();
}

#[test]
fn a_route_has_a_limit_of_its_own_for_bodies() {
    const BODY: &str = "twenty bytes, really";
    for (of_server, of_route, status) in
        [("10", "", 413), ("10", "-1", 200), ("10", "30", 200), ("30", "10", 413), ("30", "", 200)]
    {
        let limit = match of_route {
            "" => String::new(),
            limit => format!(r#", "MaxRequestBodySize": {limit}"#),
        };
        let file = format!(
            r#"{{ "Kestrel": {{ "Limits": {{ "MaxRequestBodySize": {of_server} }} }}, "ReverseProxy": {{
            "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} {limit} }} }},
            "Clusters": {{ "c": {{ "Destinations": {{ "d": {{ "Address": "http://{}" }} }} }} }} }} }}"#,
            destination()
        );
        let running =
            Kestrel::run(["--urls=http://127.0.0.1:0"]).file("appsettings.json", &file).started();
        let length = format!("Content-Length: {}", BODY.len());
        let mut stream = connect(&running.address());
        let head =
            format!("POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{length}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("the server reads");
        // It may be answered before.
        let _ = stream.write_all(BODY.as_bytes());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{of_server} {limit}: {answer}"
        );
        running.terminated();
    }
}

#[test]
fn what_is_announced_as_too_large_reaches_no_destination() {
    // Nobody listens there: whoever tries to connect gets a 502.
    let nobody = nobody();
    let proxy = |limit: &str| {
        format!(
            r#""ReverseProxy": {{
            "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} {limit} }} }},
            "Clusters": {{ "c": {{ "Destinations": {{ "d": {{ "Address": "http://{nobody}" }} }} }} }} }}"#
        )
    };
    let site = format!(
        r#""Sites": {{ "s": {{ "Hosts": ["site.test"], "Limits": {{ "MaxRequestBodySize": 10 }}, {} }} }}"#,
        proxy("")
    );
    for (settings, limit) in [
        (proxy(""), "20"),
        (proxy(r#", "MaxRequestBodySize": 10"#), "30"),
        (format!("{}, {site}", proxy("")), "30"),
    ] {
        let file = format!(
            r#"{{ "Kestrel": {{ "Limits": {{ "MaxRequestBodySize": {limit} }} }}, {settings} }}"#
        );
        let running =
            Kestrel::run(["--urls=http://127.0.0.1:0"]).file("appsettings.json", &file).started();
        for (lines, status) in [
            (&["Content-Length: 21"][..], 413),
            (&["Content-Length: 21", "Expect: 100-continue"], 413),
            (&["Content-Length: 0"], 502),
        ] {
            let stream = connect(&running.address());
            let answer = asked(stream, "site.test", "POST /", lines);
            assert_eq!(answer.status, status, "{lines:?} with {file}: {}", answer.head);
        }
        running.terminated();
    }
}

/// A server that changes to whatever protocol it is asked for, and is silent then.
#[expect(clippy::disallowed_methods, reason = "a destination is no endpoint")]
fn silent_after_a_change() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut piece = [0; 4096];
            let _ = stream.read(&mut piece);
            let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
            while stream.read(&mut piece).is_ok_and(|read| read > 0) {}
        }
    });
    address
}

#[test]
fn a_websocket_on_which_nothing_comes_ends_after_the_activity_timeout() {
    let file = format!(
        r#"{{ "ReverseProxy": {{
        "Routes": {{ "all": {{ "ClusterId": "c", "Match": {{ "Path": "/{{**rest}}" }} }} }},
        "Clusters": {{ "c": {{ "Destinations": {{ "d": {{ "Address": "http://{}" }} }},
            "HttpRequest": {{ "ActivityTimeout": "00:00:00.2" }} }} }} }} }}"#,
        silent_after_a_change()
    );
    let running =
        Kestrel::run(["--urls=http://127.0.0.1:0"]).file("appsettings.json", &file).started();
    let mut stream = connect(&running.address());
    let request = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    // To the end, which nobody but the proxy makes.
    stream.read_to_string(&mut answer).expect("it ends in time");
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    running.terminated();
}
