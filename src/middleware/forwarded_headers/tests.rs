//! The recorded cases of ASP.NET Core's middleware, and what is ours.

use axum::body::Body;
use http::Request;

use super::*;
use crate::features::{Connection, IpNetwork, Remote, Scheme};

/// Which headers are believed: `F`or, `P`roto, `H`ost, prefi`X`.
fn believing(kinds: &str) -> Believed {
    let names = |kind: char, name: &str| {
        let header = |which: &str| format!("x-{which}-{name}").parse().expect("a name");
        let names = Names { forwarded: header("forwarded"), original: header("original") };
        kinds.contains(kind).then_some(names)
    };
    Believed {
        client: names('F', "for"),
        scheme: names('P', "proto"),
        host: names('H', "host"),
        path_base: names('X', "prefix"),
        originals: ["for", "proto", "host", "prefix"]
            .map(|name| format!("x-original-{name}").parse().expect("a name")),
        limit: Some(1),
        proxies: known(&["127.0.0.0/8", "::1/128"]),
        hosts: None,
        all_or_nothing: false,
    }
}

fn known(networks: &[&str]) -> Proxies {
    let network = |text: &&str| {
        let (address, bits) = text.split_once('/').expect("a network");
        IpNetwork::new(address.parse().expect("an address"), bits.parse().expect("bits"))
    };
    Proxies::Of(networks.iter().map(|text| network(text).expect("a network")).collect())
}

fn limited(kinds: &str, limit: impl Into<Option<u32>>) -> Believed {
    Believed { limit: limit.into(), ..believing(kinds) }
}

fn of_all(believed: Believed) -> Believed {
    Believed { proxies: Proxies::All, ..believed }
}

fn symmetric(believed: Believed) -> Believed {
    Believed { all_or_nothing: true, ..believed }
}

fn for_hosts(limit: u32, hosts: &str) -> Believed {
    Believed { hosts: AllowedHosts::parse(hosts), ..limited("H", limit) }
}

fn request(peer: &str, sent: &[(&str, &str)]) -> Request<Body> {
    let remote = (!peer.is_empty()).then(|| Remote(peer.parse().expect("an address")));
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(Connection::new(1, None, remote, Scheme::Http));
    request.headers_mut().insert(HOST, HeaderValue::from_static("app.local"));
    for (short, value) in sent {
        let name = match *short {
            "XFF" => "x-forwarded-for",
            "XFP" => "x-forwarded-proto",
            "XFH" => "x-forwarded-host",
            "XFX" => "x-forwarded-prefix",
            name => name,
        };
        let name: HeaderName = name.parse().expect("a name");
        request.headers_mut().append(name, HeaderValue::from_str(value).expect("a value"));
    }
    request
}

/// Client, scheme, host and path base behind the stage, and what of its headers is there then.
fn behind(believed: Believed, mut request: Request<Body>) -> String {
    let entered = ForwardedHeaders::new(believed).enter(&mut request);
    assert!(matches!(entered, Enter::Next));
    let meant = EffectiveRequest::of(&request);
    let client = meant.client().map_or("-".to_owned(), |client| client.to_string());
    let mut told = format!("{client} {} {}{}", meant.scheme(), meant.host(), meant.path_base());
    assert_eq!(request.headers()[HOST], meant.host());
    let short = [("F", "for"), ("P", "proto"), ("H", "host"), ("X", "prefix")];
    for which in ["forwarded", "original"] {
        for (letter, name) in short {
            let lines = request.headers().get_all(format!("x-{which}-{name}")).iter();
            let lines: Vec<_> = lines.map(|line| line.to_str().expect("text")).collect();
            if !lines.is_empty() {
                told.push_str(&format!(" {}{letter}={}", &which[..1], lines.join("|")));
            }
        }
    }
    told
}

const HERE: &str = "127.0.0.1:50000";

#[test]
fn clients_are_believed_as_recorded() {
    let mapped = "22.33.44.55,::ffff:172.123.142.121,172.32.24.23";
    let three = "13.113.113.13:34567, 12.112.112.12.23456, 11.111.111.11:12345";
    let chain = "198.51.100.7, 10.0.0.5, 10.0.0.6";
    let tens = known(&["127.0.0.0/8", "10.0.0.0/8"]);
    let f = || believing("F");
    for (number, believed, peer, list, expected) in [
        (2, f(), HERE, "203.0.113.9:4711", "203.0.113.9:4711 oF=127.0.0.1:50000"),
        (
            8,
            Believed { proxies: tens, ..limited("F", None) },
            HERE,
            chain,
            "198.51.100.7:0 oF=127.0.0.1:50000",
        ),
        (15, f(), "[::1]:99", "10.0.0.1:1234", "10.0.0.1:1234 oF=[::1]:99"),
        (16, f(), "127.0.1.1:99", "10.0.0.1:1234", "10.0.0.1:1234 oF=127.0.1.1:99"),
        (17, f(), "[::ffff:127.0.0.1]:99", "203.0.113.9", "203.0.113.9:0 oF=[::ffff:127.0.0.1]:99"),
        (18, f(), "[::]:99", "10.0.0.1:1234", "[::]:99 fF=10.0.0.1:1234"),
        (
            19,
            Believed { proxies: known(&["172.0.0.0/8", "127.0.0.0/8"]), ..limited("F", None) },
            HERE,
            mapped,
            "22.33.44.55:0 oF=127.0.0.1:50000",
        ),
        (
            20,
            Believed { proxies: known(&["::ffff:10.0.0.1/128"]), ..f() },
            "10.0.0.1:99",
            "203.0.113.9",
            "10.0.0.1:99 fF=203.0.113.9",
        ),
        (22, f(), HERE, "_hidden", "127.0.0.1:50000 fF=_hidden"),
        (23, f(), HERE, "11.111.111.11.12345", "127.0.0.1:50000 fF=11.111.111.11.12345"),
        (
            24,
            of_all(limited("F", 10)),
            "10.0.0.1:99",
            three,
            "11.111.111.11:12345 fF=13.113.113.13:34567, 12.112.112.12.23456 oF=10.0.0.1:99",
        ),
        (25, f(), HERE, "12.112.112.12;23456", "127.0.0.1:50000 fF=12.112.112.12;23456"),
        (30, f(), HERE, "2001:db8::9", "[2001:db8::9]:0 oF=127.0.0.1:50000"),
        (32, f(), HERE, "\"[2001:db8::9]:4711\"", "[2001:db8::9]:4711 oF=127.0.0.1:50000"),
        (34, f(), HERE, ", ,203.0.113.9,", "203.0.113.9:0 oF=127.0.0.1:50000"),
    ] {
        let told = behind(believed, request(peer, &[("XFF", list)]));
        let expected = expected.replacen(' ', " http app.local ", 1);
        assert_eq!(told, expected, "case {number}");
    }
    let lines = request(HERE, &[("XFF", "6.6.6.6"), ("XFF", "203.0.113.9")]);
    assert_eq!(behind(f(), lines), "203.0.113.9:0 http app.local fF=6.6.6.6 oF=127.0.0.1:50000");
}

#[test]
fn clients_and_schemes_are_believed_as_recorded() {
    let fp = || believing("FP");
    let both = || Believed { proxies: known(&["127.0.0.0/8", "10.0.0.0/8"]), ..limited("FP", 2) };
    let two = "198.51.100.7, 10.0.0.5";
    let there = "192.0.2.1:4000";
    for (number, believed, peer, client, scheme, expected) in [
        (1, fp(), HERE, "203.0.113.9", "https", "203.0.113.9:0 https oF=127.0.0.1:50000 oP=http"),
        (
            4,
            believing(""),
            HERE,
            "203.0.113.9",
            "https",
            "127.0.0.1:50000 http fF=203.0.113.9 fP=https",
        ),
        (
            5,
            fp(),
            HERE,
            "6.6.6.6, 203.0.113.9",
            "https",
            "203.0.113.9:0 https fF=6.6.6.6 oF=127.0.0.1:50000 oP=http",
        ),
        (
            6,
            limited("FP", 2),
            HERE,
            two,
            "https, http",
            "10.0.0.5:0 http fF=198.51.100.7 fP=https oF=127.0.0.1:50000 oP=http",
        ),
        (7, both(), HERE, two, "https, http", "198.51.100.7:0 https oF=127.0.0.1:50000 oP=http"),
        (9, limited("P", 0), HERE, "", "https", "127.0.0.1:50000 http fP=https"),
        (10, fp(), there, "203.0.113.9", "https", "192.0.2.1:4000 http fF=203.0.113.9 fP=https"),
        (11, believing("P"), there, "", "https", "192.0.2.1:4000 http fP=https"),
        (
            12,
            of_all(fp()),
            there,
            "203.0.113.9",
            "https",
            "203.0.113.9:0 https oF=192.0.2.1:4000 oP=http",
        ),
        (
            13,
            of_all(fp()),
            there,
            "6.6.6.6, 203.0.113.9",
            "",
            "203.0.113.9:0 http fF=6.6.6.6 oF=192.0.2.1:4000",
        ),
        (14, fp(), "", "203.0.113.9", "https", "203.0.113.9:0 https oP=http"),
        (21, fp(), HERE, "unknown", "https", "127.0.0.1:50000 http fF=unknown fP=https"),
        (36, fp(), HERE, "", "https", "127.0.0.1:50000 https oF=127.0.0.1:50000 oP=http"),
        (37, limited("FP", 3), "", "::1", "h2, h1", "[::1]:0 h2 oP=http"),
        (38, symmetric(limited("FP", 3)), "", "::1", "h2, h1", "- http fF=::1 fP=h2, h1"),
        (
            39,
            symmetric(fp()),
            HERE,
            "203.0.113.9",
            "https",
            "203.0.113.9:0 https oF=127.0.0.1:50000 oP=http",
        ),
        (
            40,
            symmetric(limited("FP", 10)),
            "",
            "::1, badip, ::1",
            "h3, h2, h1",
            "[::1]:0 h1 fF=::1, badip fP=h3, h2 oP=http",
        ),
        (41, fp(), HERE, "203.0.113.9", "ht!tp", "203.0.113.9:0 http fP=ht!tp oF=127.0.0.1:50000"),
        (42, believing("P"), HERE, "", "WSS+1", "127.0.0.1:50000 WSS+1 oP=http"),
        (
            0,
            symmetric(fp()),
            HERE,
            "203.0.113.9",
            "ht!tp",
            "127.0.0.1:50000 http fF=203.0.113.9 fP=ht!tp",
        ),
    ] {
        let sent = [("XFF", client), ("XFP", scheme)];
        let sent: Vec<_> = sent.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let (remote, rest) = expected.split_once(' ').expect("several words");
        let (scheme, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let expected = format!("{remote} {scheme} app.local {rest}");
        assert_eq!(behind(believed, request(peer, &sent)), expected.trim(), "case {number}");
    }
}

#[test]
#[cfg_attr(not(feature = "idna"), ignore = "takes the feature `idna`")]
fn hosts_are_believed_as_recorded() {
    let h = || believing("H");
    for (number, believed, list, host, left) in [
        (43, h(), "www.example.com:8443", "www.example.com:8443", ""),
        (46, h(), ":1234", "", ":1234"),
        (47, h(), "a:b:c", "", "a:b:c"),
        (48, h(), "[::]", "", "[::]"),
        (49, h(), "[::1]:80", "[::1]:80", ""),
        (50, h(), "900.900.900.900:9523547852", "900.900.900.900:9523547852", ""),
        (52, for_hosts(1, "點看"), "xn--c1yn36f:443", "xn--c1yn36f:443", ""),
        (53, for_hosts(1, "*.exampLe.com"), "foo.eXample.com:443", "foo.eXample.com:443", ""),
        (54, for_hosts(1, "*.example.com"), "example.com:443", "", "example.com:443"),
        (55, for_hosts(1, "example.com"), "evil.example", "", "evil.example"),
        (
            56,
            for_hosts(10, "bar.com;*.foo.com"),
            "stuff:523, bar.foo.com:432, bar.com:80",
            "bar.foo.com:432",
            "",
        ),
        (57, for_hosts(10, "good.com;bar.com"), "good.com, evil.net, bar.com", "good.com", ""),
    ] {
        let told = behind(believed, request(HERE, &[("XFH", list)]));
        let expected = match host {
            "" => format!("{HERE} http app.local fH={left}"),
            host => format!("{HERE} http {host} oH=app.local"),
        };
        assert_eq!(told, expected, "case {number}");
    }
    let all =
        [("XFF", "11.111.111.11"), ("XFP", "Protocol"), ("XFH", "testhost"), ("XFX", "/pathbase")];
    let expected =
        "11.111.111.11:0 Protocol testhost/pathbase oF=127.0.0.1:50000 oP=http oH=app.local";
    assert_eq!(behind(believing("FPHX"), request(HERE, &all)), expected, "case 44");
    let three = [("XFF", "203.0.113.9"), ("XFP", "https"), ("XFH", "www.example.com")];
    let expected = "203.0.113.9:0 https app.local fH=www.example.com oF=127.0.0.1:50000 oP=http";
    assert_eq!(behind(believing("FP"), request(HERE, &three)), expected, "case 45");
}

#[test]
fn path_bases_are_believed_as_recorded() {
    for (number, before, prefix, path_base, headers) in [
        (58, "", "/foo%20bar", "/foo bar", ""),
        (59, "", "/foo%2F/", "/foo%2F/", ""),
        (60, "/foo bar", "/bar", "/bar", " oX=/foo%20bar"),
        (61, "", "%2Finvalid", "", " fX=%2Finvalid"),
        // Ours: what would lead elsewhere, or break a line.
        (0, "", "//evil.example", "", " fX=//evil.example"),
        (0, "", "/%0d%0aX: y", "", " fX=/%0d%0aX: y"),
        (0, "/a%2Fb c", "/bar", "/bar", " oX=/a%2Fb%20c"),
    ] {
        let mut request = request(HERE, &[("XFX", prefix)]);
        Overlay::change(&mut request, |overlay| overlay.path_base = Some(before.into()));
        let expected = format!("{HERE} http app.local{path_base}{headers}");
        assert_eq!(behind(believing("X"), request), expected, "case {number}");
    }
}

#[test]
fn what_a_client_calls_original_goes_with_what_is_believed() {
    let claims = [("x-original-proto", "https"), ("x-original-for", "6.6.6.6:1")];
    let nothing = request(HERE, &claims);
    let expected = format!("{HERE} http app.local oF=6.6.6.6:1 oP=https");
    assert_eq!(behind(believing("FP"), nothing), expected, "case 62");
    // Here we differ: on ASP.NET Core the address stays where the peer has none.
    let of_socket =
        request("", &[&claims[..], &[("XFF", "203.0.113.9"), ("XFP", "https")]].concat());
    assert_eq!(behind(believing("FP"), of_socket), "203.0.113.9:0 https app.local oP=http");
    // As do those of what is not believed, and of what was not told.
    let claims = [("x-original-host", "evil.example"), ("x-original-prefix", "/evil")];
    let told = [("x-original-proto", "https"), ("XFF", "203.0.113.9")];
    let beside = request(HERE, &[&claims[..], &told].concat());
    let expected = "203.0.113.9:0 http app.local oF=127.0.0.1:50000";
    assert_eq!(behind(believing("FP"), beside), expected);
}

#[test]
fn no_quote_of_a_client_hides_its_address() {
    for client in ["\"", "a, \"b", "\"6.6.6.6"] {
        let list = format!("{client}, 203.0.113.9");
        let told = behind(believing("F"), request(HERE, &[("XFF", &list)]));
        assert!(told.starts_with("203.0.113.9:0 "), "{told}");
    }
}

#[test]
fn bytes_that_are_no_text_are_not_believed() {
    let mut request = request(HERE, &[]);
    for name in ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"] {
        let value = HeaderValue::from_bytes(b"/\xff").expect("a value");
        request.headers_mut().insert(name, value);
    }
    assert!(ForwardedHeaders::new(believing("FPHX")).heard(request.headers(), None).told.is_none());
}

proptest::proptest! {
    #[test]
    fn nothing_is_taken_that_is_not_what_it_is_to_be(
        lines in "!?([0-9a-f:.\\[\\],\" ]{0,30}\n)([a-z,:/ \"]{0,12}\n)([a-z:0-9,\\[\\]@/\\\\ ]{0,20}\n)[/\\\\a-z%250d,]{0,20}",
    ) {
        check(lines.as_bytes());
    }
}
