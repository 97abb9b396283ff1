use super::*;

#[test]
fn a_target_has_one_of_four_forms() {
    use Reason::{
        ConnectMethodRequired, InvalidRequestTarget, OptionsMethodRequired, RequestLineTooLong,
    };

    let plain = Form::Origin { unsafe_characters: false };
    let odd = Form::Origin { unsafe_characters: true };
    let absolute = |begin, end, secure| Form::Absolute { authority: begin..end, path: end, secure };
    for (method, target, form) in [
        ("GET", "/", plain.clone()),
        ("GET", "/a/../b", plain.clone()),
        ("GET", "//a", plain.clone()),
        ("GET", "/a?p=/a/../b", plain.clone()),
        ("GET", "/%25%30%30", plain.clone()),
        ("GET", "/%%2000", plain.clone()),
        ("GET", "/%zz", plain.clone()),
        ("GET", "/a%", plain.clone()),
        ("GET", "/a\\b", plain.clone()),
        ("GET", "/{|}^", plain.clone()),
        ("GET", "/?%00", plain.clone()),
        ("GET", "/a#b", odd.clone()),
        ("GET", "/a\"<>`b", odd.clone()),
        ("GET", "/?#", odd),
        ("OPTIONS", "*", Form::Asterisk),
        ("CONNECT", "asp.net:80", Form::Authority),
        ("CONNECT", "[::1]:80", Form::Authority),
        ("GET", "http://localhost/abs/path", absolute(7, 16, false)),
        ("GET", "https://localhost:443/", absolute(8, 21, true)),
        ("GET", "HTTP://localhost/", absolute(7, 16, false)),
        ("GET", "hTtPs://localhost/", absolute(8, 17, true)),
        ("GET", "http://localhost?q=1", absolute(7, 16, false)),
        ("GET", "http://localhost#f", absolute(7, 16, false)),
        ("GET", "http://root:pw@contoso.com/path", absolute(15, 26, false)),
        ("GET", "http://[::1]:8080/p", absolute(7, 17, false)),
    ] {
        assert_eq!(
            super::form(method.as_bytes(), target.as_bytes()),
            Ok(form),
            "{method} {target}"
        );
    }
    let long = format!("/{}", "a".repeat(LONGEST));
    for (method, target, reason) in [
        ("GET", &b"*"[..], OptionsMethodRequired),
        ("CUSTOM", b"*", OptionsMethodRequired),
        ("OPTIONS", b"**", InvalidRequestTarget),
        ("OPTIONS", b"*?a", InvalidRequestTarget),
        ("GET", b"www.example.com:80", ConnectMethodRequired),
        ("GET", b"index.html", ConnectMethodRequired),
        ("CONNECT", b"foo_bar:80", InvalidRequestTarget),
        ("GET", b"../../", InvalidRequestTarget),
        ("GET", b"ftp://host/", InvalidRequestTarget),
        ("GET", b"ws://host/", InvalidRequestTarget),
        ("GET", b"HTTP:/host/", InvalidRequestTarget),
        ("CONNECT", b"asp.net", InvalidRequestTarget),
        ("CONNECT", b"/a", InvalidRequestTarget),
        ("CONNECT", b"/a:80", InvalidRequestTarget),
        ("CONNECT", b"http://a/", InvalidRequestTarget),
        ("CONNECT", b"http://a:80", InvalidRequestTarget),
        ("CONNECT", b"*", OptionsMethodRequired),
        ("CONNECT", b"asp.net:", InvalidRequestTarget),
        ("CONNECT", b"asp.net:0", InvalidRequestTarget),
        ("CONNECT", b"asp.net:65536", InvalidRequestTarget),
        ("CONNECT", b"[::1]", InvalidRequestTarget),
        ("CONNECT", b"u@asp.net:80", InvalidRequestTarget),
        ("GET", b"http://", InvalidRequestTarget),
        ("GET", b"http:/", InvalidRequestTarget),
        ("GET", b"http:///", InvalidRequestTarget),
        ("GET", b"http://:80/abc", InvalidRequestTarget),
        ("GET", b"http://user@/abc", InvalidRequestTarget),
        ("GET", b"http://abc%20xyz/abc", InvalidRequestTarget),
        ("GET", b"http://a/\xff", InvalidRequestTarget),
        ("GET", b"/%00", InvalidRequestTarget),
        ("GET", b"/%E8%00%84", InvalidRequestTarget),
        ("GET", b"http://a/%00", InvalidRequestTarget),
        ("GET", b"/\xe5", InvalidRequestTarget),
        ("GET", b"/?\xe5", InvalidRequestTarget),
        ("GET", b"/a\x1bb", InvalidRequestTarget),
        ("GET", b"/a\x7fb", InvalidRequestTarget),
        ("GET", b"/a\rb", InvalidRequestTarget),
        ("GET", b"/?a=\0", InvalidRequestTarget),
        ("GET", long.as_bytes(), RequestLineTooLong),
    ] {
        let judged = super::form(method.as_bytes(), target).map_err(|rejection| rejection.reason);
        assert_eq!(judged, Err(reason), "{method} {}", target.escape_ascii());
    }
}

#[test]
fn hyper_takes_the_longest_target_in_every_form() {
    let room = |prefix: &str| format!("{prefix}{}", "\"".repeat(LONGEST - prefix.len()));
    for target in [room("/"), room("/?"), room("http://a"), room("http://a/")] {
        let Ok(form) = super::form(b"GET", target.as_bytes()) else {
            assert_eq!(&target[..9], "http://a\"", "only that is none");
            continue;
        };
        let mut given = Vec::new();
        form.write_for_hyper(target.as_bytes(), &mut given);
        let uri = http::Uri::try_from(&*given).expect("it fits");
        assert_eq!(uri.to_string().as_bytes(), given);
    }
}

#[test]
fn only_a_target_that_names_a_host_can_differ_from_the_header() {
    for (method, target, host, fits) in [
        ("GET", "/", "a", true),
        ("OPTIONS", "*", "", true),
        ("CONNECT", "a:80", "a:80", true),
        ("CONNECT", "a:80", "A:80", false),
        ("CONNECT", "a:443", "a", false),
        ("GET", "http://a/", "A", true),
        ("GET", "http://u@a/", "a", true),
        ("GET", "http://a/", "a:80", true),
        ("GET", "http://a:80/", "a", true),
        ("GET", "http://a:443/", "a", false),
        ("GET", "https://a/", "a:443", true),
        ("GET", "https://a/", "a:80", false),
        ("GET", "http://a:8/", "a", false),
        ("GET", "http://a/", "", false),
    ] {
        let form = super::form(method.as_bytes(), target.as_bytes()).expect("a good one");
        assert_eq!(
            host_matches(&form, target.as_bytes(), host.as_bytes()),
            fits,
            "{target} {host}"
        );
    }
}
