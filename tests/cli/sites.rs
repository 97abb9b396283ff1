//! `kestrel run` with several sites on one address.

use std::fs;
use std::path::Path;

use crate::certificates::{Secured, client};
use crate::http::{Answer, asked, connect, get_of};
use crate::process::{Kestrel, Running};
use crate::proxy::destination;
use crate::test_data::{certificate, file};

/// The binary with these sites, and a folder with a file for each of `a`, `b` and `c`.
fn kestrel(arguments: &[&str], sites: &str) -> Kestrel {
    let kestrel = Kestrel::run(arguments.iter().copied());
    let root = kestrel.root();
    for name in ["a", "b", "c"] {
        fs::create_dir(root.join(name)).expect("the folder is ours");
        fs::write(root.join(name).join("index.html"), name).expect("the folder is ours");
    }
    kestrel.file("appsettings.json", &settings(sites))
}

fn settings(sites: &str) -> String {
    format!(
        r#"{{"Kestrel":{{"Endpoints":{{"A":{{"Url":"http://127.0.0.1:0"}}}}}},"Sites":{{{sites}}}}}"#
    )
}

fn get(running: &Running, host: &str, path: &str) -> Answer {
    get_of(connect(&running.address()), host, path, &[])
}

fn edit(root: &Path, sites: &str) {
    let beside = root.join("beside.json");
    fs::write(&beside, settings(sites)).expect("the folder is ours");
    fs::rename(beside, root.join("appsettings.json")).expect("the folder is ours");
}

const A: &str =
    r#""A":{"Hosts":["a.example"],"webroot":"a","Headers":{"Enabled":true,"Set":{"X-Site":"a"}}}"#;
const B: &str = r#""B":{"Hosts":["*.b.example"],"webroot":"b"}"#;

#[test]
fn each_site_has_its_files_and_its_headers_and_the_rest_is_not_found() {
    let below = r#""C":{"PathBase":"/c","webroot":"c"}"#;
    let running = kestrel(&[], &[A, B, below].join(",")).started();
    for (host, path, expected) in [
        ("a.example", "/", (200, "a")),
        ("A.EXAMPLE:81", "/", (200, "a")),
        ("x.b.example", "/", (200, "b")),
        ("b.example", "/", (404, "")),
        ("b.example", "/c/", (200, "c")),
        ("a.example", "/c/", (404, "")),
        ("a.example", "/../b/index.html", (404, "")),
        ("other", "/", (404, "")),
    ] {
        let answer = get(&running, host, path);
        assert_eq!((answer.status, &*answer.body), expected, "{host}{path}");
        let of_a = expected.1 == "a" || host == "a.example";
        assert_eq!(answer.header("X-Site").is_some(), of_a, "{host}{path}: {}", answer.head);
    }
    let outcome = running.terminated();
    assert_eq!(outcome.code, Some(0));
    assert!(!outcome.stdout.contains("No site"), "{}", outcome.stdout);
}

#[test]
fn what_no_site_has_is_that_of_the_host_which_is_around_all_of_them() {
    let running = kestrel(&["--webroot=c", "--Headers:Enabled=true", "--Headers:Set:X-All=1"], A);
    let running = running.started();
    for (host, body) in [("a.example", "a"), ("other", "c")] {
        let answer = get(&running, host, "/");
        assert_eq!((&*answer.body, answer.header("X-All")), (body, Some("1")), "{host}");
    }
    running.terminated();
}

#[test]
fn a_plan_shows_the_sites_and_what_their_requests_go_through() {
    let outcome = kestrel(&["--plan"], &[A, B].join(",")).ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for line in [
        "A for a.example (set by ",
        "  A: headers of answers, ",
        "B for *.b.example (set by ",
        "  B: static files, from ",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {}", outcome.stdout);
    }
}

#[test]
fn a_mistake_in_one_site_leaves_it_as_it_is_and_the_others_change() {
    let kestrel = kestrel(&[], &[A, B].join(","));
    let root = kestrel.root();
    let running = kestrel.started();
    let broken = A.replace(r#""X-Site":"a""#, r#""X Site":"z""#);
    edit(&root, &[&broken, &B.replace(r#""b""#, r#""c""#)].map(|it| &**it).join(","));
    running.wait_for("The site 'A' is left as it was before");
    running.wait_for("~ the site B: static files: from ");
    let answer = get(&running, "a.example", "/");
    assert_eq!((&*answer.body, answer.header("X-Site")), ("a", Some("a")));
    assert_eq!(get(&running, "x.b.example", "/").body, "c");
    // What was refused can be put right, and a site can go.
    edit(&root, &A.replace(r#""X-Site":"a""#, r#""X-Site":"z""#));
    running.wait_for("~ the site A: headers of answers: ");
    running.wait_for("- the site B is off now");
    let answer = get(&running, "a.example", "/");
    assert_eq!(answer.header("X-Site"), Some("z"));
    assert_eq!(get(&running, "x.b.example", "/").status, 404);
    let outcome = running.terminated();
    let place = "appsettings.json:1:";
    assert!(outcome.stdout.contains(place), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("is left as it was").count(), 1, "{}", outcome.stdout);
}

#[test]
fn a_site_that_is_new_and_wrong_is_none_and_at_the_start_it_is_fatal() {
    let wrong = r#""B":{"Hosts":["https://b.example/"],"webroot":"b"}"#;
    let both = [A, wrong].join(",");
    let outcome = kestrel(&[], &both).ended();
    assert_eq!(outcome.code, Some(3));
    let told = "The site 'B': 'https://b.example/' is no host of a site: it is a URL";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    let kestrel = kestrel(&[], A);
    let root = kestrel.root();
    let running = kestrel.started();
    edit(&root, &both);
    running.wait_for("The site 'B' is left as it was before, or closed if it is new");
    assert_eq!(get(&running, "b.example", "/").status, 404);
    edit(&root, &[A, &wrong.replace("https://b.example/", "b.example")].join(","));
    running.wait_for("+ the site B for b.example");
    assert_eq!(get(&running, "b.example", "/").body, "b");
    running.terminated();
}

#[test]
fn https_serves_each_site_with_its_certificate() {
    let path = |name: &str| file(name).display().to_string();
    let site = |name: &str, host: &str| {
        let certificate = format!(
            r#"{{"Path":"{}","KeyPath":"{}"}}"#,
            path(&format!("{name}.pem")),
            path(&format!("{name}.key"))
        );
        format!(r#""{name}":{{"Hosts":["{host}"],"webroot":"a","Certificate":{certificate}}}"#)
    };
    let sites = [site("one", "one.example"), site("two", "*.two.example")].join(",");
    let default = [("Path", path("server.pem")), ("KeyPath", path("server.key"))]
        .map(|(name, path)| format!("--Kestrel:Certificates:Default:{name}={path}"));
    let url = "--Kestrel:Endpoints:A:Url=https://127.0.0.1:0";
    for has_default in [true, false] {
        let mut arguments = vec![url];
        arguments.extend(default.iter().map(String::as_str).filter(|_| has_default));
        let kestrel = kestrel(&arguments, &sites);
        let root = kestrel.root();
        let running = kestrel.started();
        let (address, config) = (running.address(), client());
        for (name, shown) in
            [("one.example", "one"), ("x.two.example", "two"), ("localhost", "server")]
        {
            let connected = Secured::connect_for(&config, &address, name);
            match connected {
                Ok(it) => assert_eq!(it.certificate(), certificate(shown), "{name}"),
                Err(error) => assert!(shown == "server" && !has_default, "{name}: {error}"),
            }
        }
        // The other one gets a certificate that cannot be served; this one gets another one.
        let gone = site("two", "*.two.example").replace("two.pem", "gone.pem");
        let other = site("one", "one.example").replace("/one.", "/server.");
        edit(&root, &[other, gone].join(","));
        running.wait_for("The site 'two' is left as it was before");
        running.wait_for("(certificate ");
        for (name, shown) in [("x.two.example", "two"), ("one.example", "server")] {
            // The client does not believe what is not for that name: the host serves it all the same.
            match Secured::connect_for(&config, &address, name) {
                Ok(it) => assert_eq!(it.certificate(), certificate(shown), "{name}"),
                Err(error) => {
                    assert!(
                        shown == "server"
                            && error.to_string().contains("only valid for DnsName(\"localhost\")"),
                        "{error}"
                    );
                }
            }
        }
        running.terminated();
    }
}

#[test]
fn a_site_may_hand_on_to_another_of_the_same_host_but_not_to_itself() {
    let url = "--Kestrel:Endpoints:A:Url=http://127.0.0.1:5999";
    let to = |host: &str| {
        format!(
            r#""P":{{"Hosts":["p.example","127.0.0.1"],"ReverseProxy":{{"Routes":{{"r":{{"ClusterId":"c",
            "Match":{{"Path":"/{{**all}}"}}}}}},"Clusters":{{"c":{{"Destinations":{{"d":{{"Address":"http://{host}:5999"}}}}}}}}}}}}"#
        )
    };
    let other = r#""L":{"Hosts":["localhost"],"webroot":"a"}"#;
    for (host, code) in [("localhost", 0), ("127.0.0.1", 3)] {
        let outcome = kestrel(&["--plan", url], &[&*to(host), other].join(",")).ended();
        assert_eq!(outcome.code, Some(code), "{host}: {}{}", outcome.stdout, outcome.stderr);
        let told = "The site 'P': The destination 'd' of the cluster 'c' is this host itself";
        assert_eq!(outcome.stderr.contains(told), code == 3, "{}", outcome.stderr);
    }
}

#[test]
fn a_site_limits_the_bodies_of_its_requests() {
    let site = |name: &str, limits: &str| {
        let routes = r#""Routes":{"all":{"ClusterId":"one","Match":{"Path":"/{**rest}"}}}"#;
        let one =
            format!(r#"{{"Destinations":{{"one":{{"Address":"http://{}"}}}}}}"#, destination());
        format!(
            r#""{name}":{{"Hosts":["{name}.example"]{limits},"ReverseProxy":{{{routes},"Clusters":{{"one":{one}}}}}}}"#
        )
    };
    let small = site("a", r#","Limits":{"MaxRequestBodySize":5}"#);
    let large = site("b", r#","Limits":{"MaxRequestBodySize":null}"#);
    let sites = [small, large, site("c", "")].join(",");
    let running = kestrel(&["--Kestrel:Limits:MaxRequestBodySize=8"], &sites).started();
    for (host, length, status) in [
        ("a.example", 5, 200),
        ("a.example", 6, 413),
        ("b.example", 9, 200),
        ("c.example", 8, 200),
        ("c.example", 9, 413),
    ] {
        let body = format!("Content-Length: {length}\r\n\r\n{}", "x".repeat(length));
        let answer = asked(connect(&running.address()), host, "POST /", &[&body]);
        assert_eq!(answer.status, status, "{host} {length}: {}", answer.head);
    }
    running.terminated();
}

#[test]
fn a_site_keeps_clients_out_by_their_addresses() {
    let with = |filter: &str| {
        format!(r#""A":{{"Hosts":["a.example"],"webroot":"a","AddressFilter":{{{filter}}}}}"#)
    };
    let inside = with(r#""Enabled":true,"Allow":["10.0.0.0/8"]"#);
    let kestrel = kestrel(&["--ForwardedHeaders:Enabled=true"], &[&*inside, B].join(","));
    let root = kestrel.root();
    let running = kestrel.started();
    let status = |host: &str, client: &str| {
        let told = format!("X-Forwarded-For: {client}");
        get_of(connect(&running.address()), host, "/", &[&told]).status
    };
    for (host, client, expected) in [
        ("a.example", "10.1.2.3", 200),
        ("a.example", "192.0.2.1", 403),
        ("a.example", "2001:db8::1", 403),
        ("x.b.example", "192.0.2.1", 200),
    ] {
        assert_eq!(status(host, client), expected, "{client} at {host}");
    }
    running.wait_for("192.0.2.1 is not let in by its address.");
    // A typo opens nothing, and neither does a section that is gone without a word.
    edit(&root, &[&*with(r#""Enabled":true,"Allow":["10.0.0.0/8","192.0.2.1/24"]"#), B].join(","));
    running.wait_for("'192.0.2.1/24' is no network");
    assert_eq!(status("a.example", "192.0.2.1"), 403);
    edit(&root, &[A, B].join(","));
    running.wait_for("The site 'A': The address filter is off now");
    assert_eq!(status("a.example", "192.0.2.1"), 200);
    running.terminated();
}

#[test]
fn who_tells_of_clients_is_not_taken_for_one_of_them() {
    const ON: &str = "--ForwardedHeaders:Enabled=true";
    const FILTERED: &str = "AddressFilter goes by the address of 127.0.0.1, and not by that of the client that it \
        tells in x-forwarded-for: it is not believed. If it is a proxy of yours, set ForwardedHeaders:Enabled to true.";
    const STRANGER: &str = "127.0.0.1 is no known proxy, and what it tells";
    const UNREAD: &str =
        "127.0.0.1 tells of a client in a way that cannot be taken: it is not let in";
    let filter = r#""AddressFilter":{"Enabled":true,"Allow":["127.0.0.0/8"]}"#;
    let site = format!(r#""A":{{"Hosts":["a.example"],"webroot":"a",{filter}}}"#);
    for (arguments, line, status, told) in [
        (&[][..], "X-Forwarded-For: 192.0.2.1", 200, Some(FILTERED)),
        (&[], "Accept: text/html", 200, None),
        (
            &[ON, "--ForwardedHeaders:KnownProxies:0=192.0.2.9"],
            "X-Forwarded-For: 192.0.2.1",
            200,
            Some(STRANGER),
        ),
        (&[ON], "X-Forwarded-For: 192.0.2.1", 403, None),
        (&[ON], "X-Forwarded-For: 127.0.0.1", 200, None),
        (&[ON], "X-Forwarded-For: unknown", 403, Some(UNREAD)),
        (
            &[ON, "--ForwardedHeaders:ForwardLimit=2"],
            "X-Forwarded-For: unknown, 127.0.0.1",
            403,
            Some(UNREAD),
        ),
        (
            &[ON, "--ForwardedHeaders:RequireHeaderSymmetry=true"],
            "X-Forwarded-For: 192.0.2.1",
            403,
            Some(UNREAD),
        ),
    ] {
        let running = kestrel(arguments, &site).started();
        for _ in 0..2 {
            let answer = get_of(connect(&running.address()), "a.example", "/", &[line]);
            assert_eq!(answer.status, status, "{line} with {arguments:?}");
        }
        let log = running.terminated().stdout;
        for each in [FILTERED, STRANGER, UNREAD] {
            let times = log.matches(each).count();
            assert_eq!(times, usize::from(told == Some(each)), "{line}, {arguments:?}: {log}");
        }
    }
}

#[test]
fn passwords_of_a_file_are_read_again_when_it_changes() {
    // Of `htpasswd -nbB -C 4`, for `one` and for `two`.
    const ONE: &str = "$2y$04$x/O/AmoeSkILSobFF9RC8OyHATFKD0y9k/zcb1GKiZBJ1p0IVv0J2";
    const TWO: &str = "$2y$04$ceKYwf4SgRFdbXUYeiIqqe8LJCI9blTnE0I6XOjLTtB6DoBaCHXYm";
    let asks = r#""BasicAuthentication":{"Enabled":true,"File":"users"}"#;
    let site = format!(r#""A":{{"Hosts":["a.example"],"webroot":"a",{asks}}}"#);
    let kestrel = kestrel(&[], &[&*site, B].join(",")).file("users", &format!("alice:{ONE}\n"));
    let root = kestrel.root();
    let running = kestrel.started();
    let status = |host: &str, credentials: &str| {
        let told = format!("Authorization: Basic {credentials}");
        get_of(connect(&running.address()), host, "/", &[&told]).status
    };
    // `alice:one`, `alice:two`, in base64.
    let (one, two) = ("YWxpY2U6b25l", "YWxpY2U6dHdv");
    assert_eq!((status("a.example", one), status("a.example", two)), (200, 401));
    let write = |text: &str| {
        std::fs::write(root.join("beside"), text).expect("the folder is ours");
        std::fs::rename(root.join("beside"), root.join("users")).expect("the folder is ours");
    };
    write(&format!("alice:{TWO}\n"));
    running.wait_for("~ the site A: basic authentication: other passwords");
    assert_eq!((status("a.example", one), status("a.example", two)), (401, 200));
    // Whoever is mistaken in it opens nothing, and reads no secret in the log.
    write("alice:$apr1$secretsecret\n");
    running.wait_for("the password of 'alice' is hashed by MD5");
    assert_eq!((status("a.example", one), status("a.example", two)), (401, 200));
    // Nor does it stand in the way of other sites.
    edit(&root, &[&*site, B, r#""C":{"Hosts":["c.example"],"webroot":"c"}"#].join(","));
    running.wait_for("+ the site C");
    assert_eq!((status("c.example", one), status("a.example", one)), (200, 401));
    assert_eq!(status("a.example", two), 200);
    write(&format!("# put right\nalice:{ONE}\n"));
    running.wait_until(|text| text.matches("other passwords").count() == 2);
    assert_eq!((status("a.example", one), status("a.example", two)), (200, 401));
    let outcome = running.terminated();
    assert!(!outcome.stdout.contains("secretsecret"), "{}", outcome.stdout);
}

#[test]
fn a_password_that_a_site_asks_for_in_clear_text_is_told() {
    let site = r#""A":{"Hosts":["a"],"webroot":"a","BasicAuthentication":{"Enabled":true,"Passwords":{"u":"sesame"}}}"#;
    for (more, is_told) in [("", true), ("--ForwardedHeaders:Enabled=true", false)] {
        let arguments = ["--plan", "--Kestrel:Endpoints:A:Url=http://*:0", more];
        let arguments: Vec<_> = arguments.into_iter().filter(|it| !it.is_empty()).collect();
        let outcome = kestrel(&arguments, site).ended();
        let said = outcome.stdout + &outcome.stderr;
        let told = "The site 'A': Passwords go over the network in clear text";
        assert_eq!(said.contains(told), is_told, "{said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}

#[test]
fn a_site_below_another_is_not_got_round_by_slashes() {
    let open = r#""Open":{"Hosts":["a"],"webroot":"a"}"#;
    let closed = r#""Closed":{"Hosts":["a"],"PathBase":"/secret","webroot":"a/secret",
        "BasicAuthentication":{"Enabled":true,"Passwords":{"u":"sesame"}}}"#;
    let kestrel = kestrel(&[], &[open, closed].join(","));
    let folder = kestrel.root().join("a/secret");
    fs::create_dir(&folder).expect("the folder is ours");
    fs::write(folder.join("s.txt"), "secret").expect("the folder is ours");
    let running = kestrel.started();
    for path in [
        "/secret/s.txt",
        "//secret/s.txt",
        "/.//secret/s.txt",
        "/SECRET//s.txt",
        "/%2fsecret/s.txt",
    ] {
        assert_eq!(get(&running, "a", path).status, 401, "{path}");
    }
    running.terminated();
}

#[test]
fn a_new_site_with_a_mistake_is_closed_until_it_is_put_right() {
    let open = r#""Open":{"Hosts":["a"],"webroot":"a"}"#;
    let kestrel = kestrel(&[], open);
    let root = kestrel.root();
    let running = kestrel.started();
    assert_eq!(get(&running, "a", "/index.html").status, 200);
    let wrong = r#""New":{"Hosts":["a"],"PathBase":"/index.html","webroot":"b","BasicAuthentication":{"Passwords":{"u":"sesame"}}}"#;
    edit(&root, &[open, wrong].join(","));
    running.wait_for("The site 'New' is left as it was before, or closed if it is new");
    running.wait_for("+ the site New for a below /index.html");
    assert_eq!(get(&running, "a", "/index.html").status, 404);
    assert_eq!(get(&running, "a", "/").body, "a");
    let outcome = running.terminated();
    assert!(!outcome.stdout.contains("sesame"), "{}", outcome.stdout);
}

#[test]
fn a_certificate_that_cannot_be_read_any_more_stops_no_other_site() {
    let kestrel = kestrel(&["--Kestrel:Endpoints:A:Url=https://127.0.0.1:0"], "");
    let root = kestrel.root();
    for kind in ["pem", "key"] {
        let own = root.join(format!("one.{kind}"));
        fs::copy(file(&format!("one.{kind}")), own).expect("the folder is ours");
    }
    let one = r#""One":{"Hosts":["one.example"],"webroot":"a","Certificate":{"Path":"one.pem","KeyPath":"one.key"}}"#;
    edit(&root, &[one, B].join(","));
    let running = kestrel.started();
    let (address, config) = (running.address(), client());
    fs::write(root.join("one.key"), "garbage").expect("the folder is ours");
    running.wait_for("The site 'One' is left as it was before");
    edit(&root, &[one, &B.replace(r#""b""#, r#""c""#)].join(","));
    running.wait_for("~ the site B: static files: from ");
    let served = Secured::connect_for(&config, &address, "one.example").expect("a handshake");
    assert_eq!(served.certificate(), certificate("one"));
    running.terminated();
}

#[test]
fn who_was_shown_the_certificate_of_another_site_is_misdirected() {
    let site = |name: &str, host: &str| {
        let path = |kind: &str| file(&format!("{name}.{kind}")).display().to_string();
        let (pem, key) = (path("pem"), path("key"));
        format!(
            r#""{name}":{{"Hosts":["{host}"],"webroot":"a","Certificate":{{"Path":"{pem}","KeyPath":"{key}"}}}}"#
        )
    };
    let sites = [
        site("one", "one.example"),
        site("two", "*.two.example"),
        r#""p":{"Hosts":["p"],"webroot":"b"}"#.to_owned(),
    ];
    let kestrel = kestrel(&["--Kestrel:Endpoints:A:Url=https://127.0.0.1:0"], &sites.join(","));
    let running = kestrel.started();
    for (name, host, status) in [
        ("one.example", "one.example", 200),
        ("one.example", "x.two.example", 421),
        ("one.example", "p", 200),
    ] {
        let connection =
            Secured::connect_for(&client(), &running.address(), name).expect("a handshake");
        let answer = get_of(connection.into_stream(), host, "/", &[]);
        assert_eq!(answer.status, status, "{host} by {name}");
    }
    running.terminated();
}

#[test]
fn a_certificate_that_nobody_can_be_shown_is_told() {
    let site = |hosts: &str| {
        format!(r#""A":{{"Hosts":["{hosts}"],"webroot":"a","Certificate":{{"Path":"none.pem"}}}}"#)
    };
    for (host, told) in [
        ("a.example", "The site 'A': Its certificate is never served: no endpoint speaks https."),
        ("*", "The certificate of the site 'A' is never served: none of its hosts is a name."),
    ] {
        let outcome = kestrel(&["--plan"], &site(host)).ended();
        let said = outcome.stdout + &outcome.stderr;
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_new_site_with_a_mistake_closes_no_host_that_another_one_serves() {
    let kestrel = kestrel(&[], B);
    let root = kestrel.root();
    let running = kestrel.started();
    let wrong = r#""New":{"Hosts":["x.b.example"],"PathBas":"/admin","webroot":"c"}"#;
    edit(&root, &[B, wrong].join(","));
    running.wait_for("The site 'New' is left as it was before");
    assert_eq!(get(&running, "x.b.example", "/").body, "b");
    running.terminated();
}
