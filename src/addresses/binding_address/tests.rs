//! The grammar, row by row.

use super::*;

/// What a text means, in short: `LH(port)`, `IP(address,port)`, `ANY(port)`, `NAME(port)`,
/// `UDS(path)`, `PIPE(name)`, or the kind of the mistake.
fn read(text: &str) -> String {
    match BindingAddress::parse(text) {
        Ok(BindingAddress { https, host, port }) => {
            let tls = if https { "tls " } else { "" };
            let target = match host {
                BindingHost::Localhost(name) if name == "localhost" => format!("LH({port})"),
                BindingHost::Localhost(name) => format!("LH({name},{port})"),
                BindingHost::Ip(literal) => format!("IP({literal},{port})"),
                BindingHost::Any => format!("ANY({port})"),
                BindingHost::Name(_) => format!("NAME({port})"),
                BindingHost::UnixSocket(path) => format!("UDS({})", path.display()),
                BindingHost::NamedPipe(name) => format!("PIPE({name})"),
            };
            format!("{tls}{target}")
        }
        Err(error) => match error.problem {
            AddressProblem::InvalidUrl(_) => "invalid".to_owned(),
            AddressProblem::Scheme(_) => "scheme".to_owned(),
            AddressProblem::PathBase(_) => "path".to_owned(),
            AddressProblem::Port { port, .. } => format!("port {port:?}"),
            AddressProblem::PortRange { .. } => "range".to_owned(),
            AddressProblem::MistypedIp { .. } => "ip".to_owned(),
            AddressProblem::Blank(_) => "blank".to_owned(),
            AddressProblem::UnixSocket(_) => "socket".to_owned(),
            AddressProblem::UserInfo(_) => "user".to_owned(),
            AddressProblem::Brackets(_) => "brackets".to_owned(),
            AddressProblem::HostCharacter { character, .. } => format!("{character:?}"),
        },
    }
}

#[test]
fn every_row_of_the_grammar() {
    for (text, meaning) in [
        ("http://localhost", "LH(80)"),
        ("https://localhost", "tls LH(443)"),
        ("http://localhost:5000", "LH(5000)"),
        ("http://localhost:5000/", "LH(5000)"),
        ("HTTP://LOCALHOST:5000", "LH(5000)"),
        ("http://localhost:0", "LH(0)"),
        ("http://localhost:", "port \"\""),
        ("http://localhost:abc", "port \"abc\""),
        ("http://*:{port}", "port \"{port}\""),
        ("http://localhost:-1", "range"),
        ("http://localhost:+5000", "LH(5000)"),
        ("http://localhost: 5000", "LH(5000)"),
        ("http://localhost:5000 ", "LH(5000)"),
        ("http://localhost ", "blank"),
        ("http://localhost :5000", "blank"),
        ("http:// localhost:5000", "blank"),
        (" http://localhost:5000", "scheme"),
        ("http://localhost:65535", "LH(65535)"),
        ("http://localhost:65536", "range"),
        ("http://localhost:99999999999", "port \"99999999999\""),
        ("http://localhost:05000", "LH(5000)"),
        ("http://localhost:0x50", "port \"0x50\""),
        ("http://localhost.:5000", "NAME(5000)"),
        ("http://foo.localhost:5000", "LH(foo.localhost,5000)"),
        ("http://a.B.LOCALHOST:5000", "LH(a.B.localhost,5000)"),
        ("http://.localhost:5000", "NAME(5000)"),
        ("http://a..localhost:5000", "LH(a..localhost,5000)"),
        ("http://foo.localhost.:5000", "NAME(5000)"),
        ("http://mylocalhost:5000", "NAME(5000)"),
        ("http://127.0.0.1", "IP(127.0.0.1,80)"),
        ("https://127.0.0.1", "tls IP(127.0.0.1,443)"),
        ("http://10.10.10.10:5000/", "IP(10.10.10.10,5000)"),
        ("http://127.0.0.1:0", "IP(127.0.0.1,0)"),
        ("http://127.1:5000", "IP(127.0.0.1,5000)"),
        ("http://010.0.0.1:5000", "IP(8.0.0.1,5000)"),
        ("http://1:5000", "IP(0.0.0.1,5000)"),
        ("http://256.1.1.1:5000", "ip"),
        ("http://127.0.0.1.1", "ip"),
        ("http://0.0.0.0:5000", "IP(0.0.0.0,5000)"),
        ("http://[::1]", "IP([::1],80)"),
        ("http://[::1]:5000", "IP([::1],5000)"),
        ("http://[::1]:", "port \"\""),
        ("http://[::1]5000", "port \"1]5000\""),
        ("http://[::1:5000", "brackets"),
        ("http://::1:5000", "IP([::1],5000)"),
        ("http://::1", "brackets"),
        ("http://::", "brackets"),
        ("http://[::]:5000", "IP([::],5000)"),
        ("http://[fe80::1%3]:5000", "IP([fe80::1%3],5000)"),
        ("http://[fe80::1%eth0]:5000", "IP([fe80::1%eth0],5000)"),
        ("http://*", "ANY(80)"),
        ("http://+", "ANY(80)"),
        ("http://*:0/", "ANY(0)"),
        ("https://*:443", "tls ANY(443)"),
        ("http://contoso.com", "NAME(80)"),
        ("http://b\u{fc}cher.example:5000", "NAME(5000)"),
        ("http://a,b:5000", "','"),
        ("http://user:pw@localhost:5000", "user"),
        ("http://localhost?x=1", "'?'"),
        ("http://localhost:5000?x=1", "port \"5000?x=1\""),
        ("http://localhost:5000#frag", "port \"5000#frag\""),
        ("http://localhost:5000/app", "path"),
        ("http://localhost:5000//", "path"),
        ("http://unix:/tmp/k.sock", "UDS(/tmp/k.sock)"),
        ("https://unix:/tmp/k.sock", "tls UDS(/tmp/k.sock)"),
        ("http://unix:/tmp/k.sock:", "UDS(/tmp/k.sock)"),
        ("http://unix:/tmp/k.sock:/", "UDS(/tmp/k.sock)"),
        ("http://unix:/tmp/k.sock:5000/x", "path"),
        ("http://unix:/tmp/a:b.sock", "path"),
        ("http://unix:/tmp/k.sock/", "socket"),
        ("http://unix:/tmp/k/:", "socket"),
        ("http://unix:/", "socket"),
        ("http://unix://tmp/k.sock", "UDS(//tmp/k.sock)"),
        ("http://unix:tmp/k.sock", "path"),
        ("http://unix:relative.sock", "port \"relative.sock\""),
        ("http://unix:5000", "NAME(5000)"),
        ("http://UNIX:/tmp/k.sock", "path"),
        ("http://unix:/@name", "UDS(/@name)"),
        ("http://pipe:/HelloWorld", "PIPE(HelloWorld)"),
        ("http://pipe:8080", "NAME(8080)"),
        ("http://pipe:name", "port \"name\""),
        ("http://pipe:/", "socket"),
        ("http://pipe:/a:b", "path"),
        ("ftp://localhost", "scheme"),
        ("://localhost", "scheme"),
        ("", "invalid"),
        ("5000", "invalid"),
        ("localhost", "invalid"),
        ("localhost:5000", "invalid"),
        ("//noscheme", "invalid"),
        ("://", "invalid"),
        ("://:5000", "invalid"),
        ("http://", "invalid"),
        ("http://:5000", "invalid"),
        ("http:///", "invalid"),
        ("http:///:5000", "invalid"),
        ("http:////:5000", "invalid"),
        ("http:/asdf", "invalid"),
        ("http://localhost:5000,http://localhost:5001", "path"),
        ("http://*.example.com:5000", "'*'"),
        ("http://%6c:5000", "'%'"),
        ("http://host_name:5000", "NAME(5000)"),
        ("http://-:5000", "NAME(5000)"),
        ("http://xn--bcher-kva.example:5000", "NAME(5000)"),
        ("http://bu\u{308}cher.example:5000", "NAME(5000)"),
        ("http://\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}.example:5000", "NAME(5000)"),
        ("http://127.0.0.l:5000", "NAME(5000)"),
        ("http://locahost:5000", "NAME(5000)"),
        ("http://[fd00::1::2]:1", "brackets"),
        ("http://[127.0.0.1]:1", "brackets"),
        ("http://[localhost]:1", "brackets"),
        ("http://[]:1", "brackets"),
        ("http://[::1", "brackets"),
        ("http://[::1]]:5000", "brackets"),
        ("http://[::1]x:5000", "brackets"),
        ("http://x[::1]:5000", "brackets"),
        ("http://::1]:5000", "brackets"),
        ("http://[[::1]]:5000", "brackets"),
        ("http://[fe80::1%]:5000", "brackets"),
        ("http://fd00::1", "brackets"),
        ("http://a:b:5000", "':'"),
        ("http://localhost:5000:5000", "':'"),
        ("http://$HOST:5000", "'$'"),
        ("http://\"localhost\":5000", "'\"'"),
        ("http://127,0,0,1:5000", "','"),
        ("http://localhost\\:5000", "'\\\\'"),
        ("http://a\u{0}:5000", "'\\0'"),
        ("http://\u{ff0a}:5000", "'\u{ff0a}'"),
        ("http://$.localhost:5000", "'$'"),
        ("user:pw@localhost:5000", "user"),
        ("http://@localhost:5000", "user"),
        ("http://****@localhost:5000", "user"),
    ] {
        assert_eq!(read(text), meaning, "{text:?}");
    }
}

#[test]
fn the_usual_slips_are_named() {
    for (text, fix) in [
        ("http://a:1,http://b:2", "separate addresses by ';', not by ',': http://a:1;http://b:2"),
        (
            "\"http://localhost:5000\"",
            "the quotes are part of the value; remove them: http://localhost:5000",
        ),
        ("5000", "write the whole address: http://localhost:5000"),
        ("localhost:5000", "write the scheme too: http://localhost:5000"),
        ("http:/localhost:5000", "write two slashes: http://localhost:5000"),
        (
            "http://localhost:5000/app",
            "end the address behind the port: http://localhost:5000; a path belongs to the routes of the app",
        ),
        (" http://localhost:5000", "remove the blank before it: http://localhost:5000"),
        ("\u{feff}http://localhost:5000", "remove the blank before it: http://localhost:5000"),
        ("http://localhost:5000?x", "end the address behind the port: http://localhost:5000"),
        ("http://localhost:5000;", "end the address behind the port: http://localhost:5000"),
        ("http://127.0.0.1:x", "write a number from 0 to 65535, such as http://127.0.0.1:5000"),
        ("ws://localhost:5000", "write http://localhost:5000"),
        ("http//*:5000", "a scheme ends with '://': write http://*:5000"),
        ("http:localhost:5000", "a scheme ends with '://': write http://localhost:5000"),
        ("HTTPS:*:5000", "a scheme ends with '://': write https://*:5000"),
        ("http:\\\\localhost:5000", "a scheme ends with '://': write http://localhost:5000"),
        ("http;//[::1]:5000", "a scheme ends with '://': write http://[::1]:5000"),
        ("http:5000", "a scheme ends with '://': write http://localhost:5000"),
        ("httpd:5000", "write the scheme too: http://httpd:5000"),
        ("http", "write the scheme too: http://http"),
        ("localhost:{port}", "write a whole address, such as http://localhost:5000"),
        (
            "http://*:5000 http://*:5001",
            "in urls separate addresses by ';', http://*:5000;http://*:5001; elsewhere write one address",
        ),
        (
            "http://*:5000http://*:5001",
            "in urls separate addresses by ';', such as http://*:5000;https://*:5001; elsewhere write one address",
        ),
        (
            "http://*:${PORT}",
            "nothing fills in '*:${PORT}' here: write what it stands for, such as http://*:8080",
        ),
        (
            "http://${HOST}:${PORT:-80}",
            "nothing fills in '${HOST}:${PORT:-80}' here: write what it stands for, such as http://localhost:8080",
        ),
        ("htps://localhost:5000", "write https://localhost:5000"),
        ("ftp://localhost:5000", "write http:// or https://"),
        (
            "http:--localhost:5000",
            "the address was escaped: write it as it is, http://localhost:5000, in double quotes",
        ),
    ] {
        assert_eq!(BindingAddress::parse(text).unwrap_err().fix, fix, "{text}");
    }
}

/// The fix is what can be pasted; where the text has one, it binds what was meant.
#[test]
fn what_cannot_be_a_host_is_pointed_at_with_what_to_write() {
    for (text, position, fix) in [
        ("http://[::1:5000", 7, "close the bracket: http://[::1]:5000"),
        ("http://[fd00::1:8080/", 7, "close the bracket: http://[fd00::1]:8080/"),
        ("http://[::1", 7, "close the bracket, and write the port behind it: http://[::1]:5000"),
        ("http://[x", 7, "close the bracket behind an IPv6 address, such as http://[::1]:5000"),
        ("http://::1]:5000", 10, "open the bracket: http://[::1]:5000"),
        (
            "http://[127.0.0.1]:1",
            7,
            "only an IPv6 address stands in brackets; write http://127.0.0.1:1",
        ),
        (
            "http://[localhost]:1",
            7,
            "only an IPv6 address stands in brackets; write http://localhost:1",
        ),
        ("http://[]:1", 8, "write an address between the brackets: http://[::1]:1"),
        (
            "http://[::1]x:5000",
            12,
            "remove what stands between the bracket and the port: http://[::1]:5000",
        ),
        (
            "http://[::1]]:5000",
            12,
            "remove what stands between the bracket and the port: http://[::1]:5000",
        ),
        (
            "http://fd00::1",
            7,
            "an IPv6 address stands in brackets, which a port may follow: http://[fd00::1]",
        ),
        ("http://localhost:5000:5001", 16, "write one port: http://localhost:5000"),
        (
            "http://[fe80::1%]:5000",
            15,
            "write the interface behind the '%', such as [fe80::1%eth0], or remove the '%'",
        ),
        ("http://\"localhost\":5000", 7, "remove the quotes: http://localhost:5000"),
        ("http://\u{201c}localhost\u{201d}:5000", 7, "remove the quotes: http://localhost:5000"),
        ("http://127,0,0,1:5000", 10, "write dots: http://127.0.0.1:5000"),
        (
            "http://*,localhost:5000",
            8,
            "in urls separate addresses by ';', with a scheme for each: http://*:5000;http://localhost:5000; elsewhere write one address",
        ),
        (
            "http://localhost:5000,[::]:5001/",
            21,
            "in urls separate addresses by ';', with a scheme for each: http://localhost:5000;http://[::]:5001; elsewhere write one address",
        ),
        (
            "https://127.0.0.1,[::1]",
            17,
            "in urls separate addresses by ';', with a scheme for each: https://127.0.0.1;https://[::1]; elsewhere write one address",
        ),
        (
            "http://* localhost:5000",
            8,
            "in urls separate addresses by ';', with a scheme for each: http://*:5000;http://localhost:5000; elsewhere write one address",
        ),
        (
            "http://+|localhost:5000",
            8,
            "in urls separate addresses by ';', with a scheme for each: http://+:5000;http://localhost:5000; elsewhere write one address",
        ),
        (
            "http://a,b:5000",
            8,
            "write one host here; a list has ';' between its addresses and a scheme for each, and stands in urls",
        ),
        ("http://localhost :5000", 16, "remove the blank: the host would mean all interfaces"),
        (
            "http://$HOST:5000",
            7,
            "nothing fills in '$HOST' here: write what it stands for, such as http://localhost:5000",
        ),
        (
            "http://%HOST%:5000",
            7,
            "nothing fills in '%HOST%' here: write what it stands for, such as http://localhost:5000",
        ),
        (
            "http://localhost?x=1",
            16,
            "an address to listen on has no query: write http://localhost",
        ),
        (
            "http://*.example.com:5000",
            7,
            "write http://*:5000 for all interfaces: a part of a name cannot be chosen here",
        ),
        ("http://local!host:5000", 12, "remove it: http://localhost:5000"),
        (
            "http://user:pw@localhost:5000",
            7,
            "write no user and no password: http://localhost:5000",
        ),
        ("http://127.0.0.1.:1", 7, "remove the dot at the end: write http://127.0.0.1:1"),
        ("http://127.0..0.1:1", 7, "remove a dot: write http://127.0.0.1:1"),
        ("http://127.0.0.1.5000", 7, "write ':' before the port: http://127.0.0.1:5000"),
        (
            "http://256.1.1.1:5000",
            7,
            "256 is more than 255: correct it, or write http://*:5000 for all interfaces",
        ),
        (
            "http://1.2.3.4.5:5000",
            7,
            "5 parts are more than four: correct it, or write http://*:5000 for all interfaces",
        ),
    ] {
        let error = BindingAddress::parse(text).unwrap_err();
        assert_eq!((error.position, &*error.fix), (Some(position), fix), "{text}");
    }
}

#[test]
fn a_mistake_in_brackets_is_pointed_at() {
    for (text, position, why) in [
        ("http://[fd00::1::2]:1", 15, "'::' stands there twice; "),
        ("http://[1:::2]:1", 10, "'::' stands there twice; "),
        ("http://[::g]:1", 10, "'g' is no hexadecimal digit; "),
        ("http://[1:12345::]:1", 10, "the group '12345' has more than four digits; "),
        ("http://[1:2:3]:1", 8, "3 groups are not eight; "),
        ("http://[1:2:3:4:5:6:7:8:9]:1", 8, "9 groups are not eight; "),
    ] {
        let error = BindingAddress::parse(text).unwrap_err();
        assert_eq!(error.position, Some(position), "{text}");
        assert!(error.fix.starts_with(why), "{text}: {}", error.fix);
    }
}

#[test]
fn a_password_is_never_told() {
    for text in [
        "http://user:hunter2@localhost:5000",
        "https://hunter2@localhost",
        "http://user:hun/hunter2@localhost:5000",
        "http://user:hunter2@localhost:5000/app",
        "http://user:hunter2@[::1:5000",
        "http://user:hunter2@",
        "ftp://user:hunter2@localhost",
        "user:hunter2@localhost:5000",
        "user:hunter2@http://localhost:5000",
        "http:/user:hunter2@localhost:5000",
        "http:\\\\user:hunter2@localhost:5000",
        " http://user:hunter2@localhost:5000",
        "http://u:hunter2@a;http://v:hunter2@b",
    ] {
        let error = BindingAddress::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

proptest::proptest! {
    #[test]
    fn a_place_lies_in_the_text_and_a_fix_is_given(text in "\\PC*|(https?://)?[\\[\\]:/a-z0-9.%@ ;,*+é$\"]*") {
        if let Err(error) = BindingAddress::parse(&text) {
            proptest::prop_assert!(error.position.is_none_or(|place| text.is_char_boundary(place)));
            proptest::prop_assert!(!error.fix.is_empty());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|(https?://)?[\\[\\]:/a-z0-9.%@ ;,*+]*") {
        let _ = BindingAddress::parse(&text);
    }

    #[test]
    fn what_is_printed_reads_back_the_same(text in "https?://(localhost|[a-z.]{1,9}|\\*|[0-9.]{1,9}|unix:/[a-z]{1,9}):?[0-9]{0,5}") {
        if let Ok(address) = BindingAddress::parse(&text) {
            proptest::prop_assert_eq!(BindingAddress::parse(&address.to_string()), Ok(address));
        }
    }
}
