//! The grammar, row by row.

use super::*;

/// What a text means, in short: `LH(port)`, `IP(address,port)`, `ANY(port)`, `NAME(port)`,
/// `UDS(path)`, `PIPE(name)`, or the kind of the mistake.
fn read(text: &str) -> String {
    match BindingAddress::parse(text) {
        Ok(BindingAddress { https, host, port }) => {
            let tls = if https { "tls " } else { "" };
            let target = match host {
                Host::Localhost(name) if name == "localhost" => format!("LH({port})"),
                Host::Localhost(name) => format!("LH({name},{port})"),
                Host::Ip(literal) => format!("IP({literal},{port})"),
                Host::Any => format!("ANY({port})"),
                Host::Name(_) => format!("NAME({port})"),
                Host::UnixSocket(path) => format!("UDS({})", path.display()),
                Host::NamedPipe(name) => format!("PIPE({name})"),
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
        ("http://[::1:5000", "NAME(5000)"),
        ("http://::1:5000", "IP([::1],5000)"),
        ("http://::1", "NAME(1)"),
        ("http://::", "port \"\""),
        ("http://[::]:5000", "IP([::],5000)"),
        ("http://[fe80::1%3]:5000", "IP([fe80::1%3],5000)"),
        ("http://[fe80::1%eth0]:5000", "IP([fe80::1%eth0],5000)"),
        ("http://*", "ANY(80)"),
        ("http://+", "ANY(80)"),
        ("http://*:0/", "ANY(0)"),
        ("https://*:443", "tls ANY(443)"),
        ("http://contoso.com", "NAME(80)"),
        ("http://b\u{fc}cher.example:5000", "NAME(5000)"),
        ("http://a,b:5000", "NAME(5000)"),
        ("http://user:pw@localhost:5000", "NAME(5000)"),
        ("http://localhost?x=1", "NAME(80)"),
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
        ("http://*.example.com:5000", "NAME(5000)"),
        ("http://%6c:5000", "NAME(5000)"),
        ("http://host_name:5000", "NAME(5000)"),
    ] {
        assert_eq!(read(text), meaning, "{text:?}");
    }
}

#[test]
fn the_usual_slips_are_named() {
    for (text, fix) in [
        ("http://a:1,http://b:2", "addresses are separated by ';', not by ','"),
        (
            "\"http://localhost:5000\"",
            "the quotes are part of the value; remove them: http://localhost:5000",
        ),
        ("5000", "write the whole address: http://localhost:5000"),
        ("localhost:5000", "write the scheme too: http://localhost:5000"),
        ("http:/localhost:5000", "write two slashes: http://localhost:5000"),
        ("http://localhost:5000/app", "end the address behind the port: http://localhost:5000"),
        (
            "http:--localhost:5000",
            "the address was escaped: write it as it is, http://localhost:5000, in double quotes",
        ),
    ] {
        assert_eq!(BindingAddress::parse(text).unwrap_err().fix, fix, "{text}");
    }
}

proptest::proptest! {
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
