use super::characters::plain_length;
use super::scan::LONGEST_NAME;
use super::{Framing, Head, MOST_HEADERS, Progress, Rules, Scan, Upgrade};
use crate::server::options::ServerOptions;
use crate::server::rejection::Reason;

fn rules() -> Rules {
    Rules::from(&ServerOptions::default())
}

/// The head at the beginning of `bytes`.
fn judge_by(bytes: impl AsRef<[u8]>, rules: &Rules) -> Result<Head, Reason> {
    let bytes = bytes.as_ref();
    match Scan::default().advance(bytes, rules) {
        Progress::Complete(head) => Ok(head),
        Progress::Rejected(rejection) => Err(rejection.reason),
        Progress::Partial => panic!("partial: {}", bytes.escape_ascii()),
    }
}

fn judge(bytes: impl AsRef<[u8]>) -> Result<Head, Reason> {
    judge_by(bytes, &rules())
}

#[test]
fn request_lines_are_a_method_a_target_and_a_version() {
    use Reason::{
        InvalidRequestLine, InvalidRequestTarget, RequestLineTooLong, UnrecognizedHttpVersion,
    };

    for line in [
        "GET / HTTP/1.1",
        "CUSTOM / HTTP/1.1",
        "!#$%&'*+-.^_`|~ / HTTP/1.1",
        "M-SEARCH / HTTP/1.1",
        "get / HTTP/1.1",
        "GET / HTTP/1.0",
        "TRACE / HTTP/1.1",
    ] {
        let head = format!("{line}\r\nHost: a\r\n\r\n");
        let judged = judge(&head);
        assert_eq!(judged.map(|judged| (judged.start, judged.end)), Ok((0, head.len())), "{line}");
    }
    for (line, reason) in [
        ("GET", InvalidRequestLine),
        ("GET ", InvalidRequestLine),
        ("GET /", InvalidRequestLine),
        ("GET / ", InvalidRequestLine),
        ("GET/HTTP/1.1", InvalidRequestLine),
        (" GET / HTTP/1.1", InvalidRequestLine),
        ("GET  / HTTP/1.1", InvalidRequestLine),
        ("GET /  HTTP/1.1", InvalidRequestLine),
        ("GET /    HTTP/1.1", InvalidRequestLine),
        ("GET\t/ HTTP/1.1", InvalidRequestLine),
        ("GET /\tHTTP/1.1", InvalidRequestLine),
        ("GET /xHTTP/1.1", InvalidRequestLine),
        ("GET /ab\tHTTP/1.1", InvalidRequestLine),
        ("GET / HTTP/1.1 ", InvalidRequestLine),
        ("GET / HTTP/1.1a", InvalidRequestLine),
        ("GET ? HTTP/1.1", InvalidRequestLine),
        ("GET %2F HTTP/1.1", InvalidRequestLine),
        ("GET /?d=a b HTTP/1.1", InvalidRequestLine),
        ("get@ / HTTP/1.1", InvalidRequestLine),
        ("( / HTTP/1.1", InvalidRequestLine),
        ("G\0T / HTTP/1.1", InvalidRequestLine),
        ("GET / HTTP/1.1\ra", InvalidRequestLine),
        ("GET / HTTP/1.10", InvalidRequestLine),
        ("GET / HTTP/1", InvalidRequestLine),
        ("GET / HTTP/1.", InvalidRequestLine),
        ("GET /HTTP/1.1", InvalidRequestLine),
        ("GET /\0 HTTP/1.1", InvalidRequestTarget),
        ("GET / HTTP/1.2", UnrecognizedHttpVersion),
        ("GET / HTTP/2.0", UnrecognizedHttpVersion),
        ("GET / HTTP/0.9", UnrecognizedHttpVersion),
        ("GET / http/1.1", UnrecognizedHttpVersion),
        ("GET / 8charact", UnrecognizedHttpVersion),
        (&*format!("GET /{} HTTP/1.1", "a".repeat(8192)), RequestLineTooLong),
    ] {
        assert_eq!(judge(format!("{line}\r\nHost: a\r\n\r\n")), Err(reason), "{line}");
    }
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\xfc\x03\x03\x03\xca\xe0\xfd\n";
    assert_eq!(judge(hello), Err(Reason::TlsOverHttpError));
    // No line end is waited for.
    assert_eq!(judge(&hello[..6]), Err(Reason::TlsOverHttpError));
}

#[test]
fn lines_end_with_cr_lf_or_with_lf_if_that_is_allowed() {
    let strict = Rules { bare_line_feeds: false, ..rules() };
    for (head, lax, strictly) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None, None),
        ("GET / HTTP/1.1\nHost: a\n\n", None, Some(Reason::InvalidRequestLine)),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", None, Some(Reason::InvalidRequestLine)),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", None, Some(Reason::InvalidRequestHeader)),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", None, Some(Reason::InvalidRequestHeader)),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n",
            None,
            Some(Reason::InvalidRequestHeader),
        ),
    ] {
        for (rules, expected) in [(rules(), lax), (strict, strictly)] {
            assert_eq!(judge_by(head, &rules).err(), expected, "{head:?} {rules:?}");
        }
    }
    for (end, reason) in [
        ("Host: a\r\r\n\r\n", Reason::InvalidRequestHeader),
        ("Host: a\r\nX: b\rc\r\n\r\n", Reason::InvalidRequestHeader),
        ("Host: a\r\nX: b\nc\r\n\r\n", Reason::InvalidRequestHeader),
        ("Host: a\r\n\rX\r\n", Reason::InvalidRequestHeadersNoCrLf),
    ] {
        assert_eq!(judge(format!("GET / HTTP/1.1\r\n{end}")), Err(reason), "{end:?}");
    }
}

/// Byte by byte: none is refused before the one behind the CR is there, and none after it.
#[test]
fn a_cr_without_an_lf_is_refused_with_its_next_byte() {
    use Reason::{InvalidRequestHeader, InvalidRequestHeadersNoCrLf, InvalidRequestLine};

    const LINE: &str = "GET / HTTP/1.1\r\n";
    for (before, reason) in [
        ("".to_owned(), InvalidRequestLine),
        ("GE".to_owned(), InvalidRequestLine),
        ("GET ".to_owned(), InvalidRequestLine),
        ("GET /a".to_owned(), InvalidRequestLine),
        ("GET / HTTP/1.1".to_owned(), InvalidRequestLine),
        (LINE.to_owned(), InvalidRequestHeadersNoCrLf),
        (format!("{LINE}Ho"), InvalidRequestHeader),
        (format!("{LINE}Host:"), InvalidRequestHeader),
        (format!("{LINE}Content-Length: 1"), InvalidRequestHeader),
        (format!("{LINE}Host: a\r\n"), InvalidRequestHeadersNoCrLf),
        (format!("{LINE}Host: a\n"), InvalidRequestHeadersNoCrLf),
    ] {
        for next in ["\r", "X", " ", "\0"] {
            let bytes = format!("{before}\r{next}").into_bytes();
            let mut scan = Scan::default();
            for end in 0..bytes.len() {
                let progress = scan.advance(&bytes[..end], &rules());
                assert!(matches!(progress, Progress::Partial), "{before:?} {end} {progress:?}");
            }
            assert!(
                matches!(scan.advance(&bytes, &rules()), Progress::Rejected(told) if told.reason == reason),
                "{before:?} {next:?}"
            );
            assert_eq!(judge(&bytes), Err(reason), "{before:?} {next:?}");
        }
    }
}

#[test]
fn tls_is_told_whatever_its_length_is_made_of() {
    for length in [*b"\r\x01", *b"\x02\r", *b"\n\x01", *b"\x02\n", *b"\r\n", *b"\n\r"] {
        let hello = [&b"\x16\x03\x01"[..], &length, b"\x01\0"].concat();
        assert_eq!(judge(&hello), Err(Reason::TlsOverHttpError), "{length:?}");
        let other = [&b"\x16\x03\x01"[..], &length, b"\x02\r\n"].concat();
        assert_eq!(judge(&other), Err(Reason::InvalidRequestLine), "{length:?}");
    }
}

#[test]
fn more_than_the_types_of_headers_hold_is_refused_whatever_the_limits_are() {
    let wide = Rules { headers_total_size: 10_000_000, header_count: MOST_HEADERS, ..rules() };
    let huge = ServerOptions::default();
    let huge = Rules::from(&ServerOptions {
        limits: crate::Limits { max_request_header_count: usize::MAX, ..huge.limits },
        ..huge
    });
    assert_eq!(huge.header_count, MOST_HEADERS);
    let named = |length| format!("GET / HTTP/1.1\r\nHost: a\r\n{}: b\r\n\r\n", "x".repeat(length));
    assert!(judge_by(named(LONGEST_NAME), &wide).is_ok());
    let longer = judge_by(named(LONGEST_NAME + 1), &wide);
    assert_eq!(longer, Err(Reason::HeadersExceedMaxTotalSize));
}

#[test]
fn empty_lines_before_a_head_are_passed_over_however_they_come() {
    const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for blank in ["", "\r\n", "\n", "\r\n\r\n", "\n\r\n"] {
        let bytes = format!("{blank}{HEAD}").into_bytes();
        for first in 0..bytes.len() {
            let mut scan = Scan::default();
            let progress = scan.advance(&bytes[..first], &rules());
            assert!(matches!(progress, Progress::Partial), "{first} of {blank:?}");
            match scan.advance(&bytes, &rules()) {
                Progress::Complete(head) => {
                    assert_eq!(
                        (head.start, head.end),
                        (blank.len(), bytes.len()),
                        "{first} of {blank:?}"
                    );
                }
                other => panic!("{first} of {blank:?}: {other:?}"),
            }
        }
    }
    for blank in ["\r", "\r\r\n", "\n\r\r\n", " \r\n", "\t"] {
        assert_eq!(judge(format!("{blank}{HEAD}")), Err(Reason::InvalidRequestLine), "{blank:?}");
    }
}

#[test]
fn a_host_is_named_once_and_fits_the_target() {
    use Reason::{InvalidHostHeader, InvalidRequestTarget, MissingHostHeader, MultipleHostHeaders};

    for (line, headers, expected) in [
        ("GET / HTTP/1.1", "", Some(MissingHostHeader)),
        ("GET / HTTP/1.0", "", None),
        ("GET / HTTP/1.1", "Host:\r\n", None),
        ("GET / HTTP/1.1", "Host:  \t \r\n", None),
        ("GET / HTTP/1.1", "hOST: \ta\t \r\n", None),
        ("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n", Some(MultipleHostHeaders)),
        ("GET / HTTP/1.0", "Host: a\r\nHost: b\r\n", Some(MultipleHostHeaders)),
        ("GET / HTTP/1.1", "Host: a b\r\n", Some(InvalidHostHeader)),
        ("GET / HTTP/1.1", "Host: a,b\r\n", Some(InvalidHostHeader)),
        ("GET / HTTP/1.0", "Host: a=b\r\n", Some(InvalidHostHeader)),
        ("GET / HTTP/1.1", "Host: http://a\r\n", Some(InvalidHostHeader)),
        ("GET http://a/ HTTP/1.1", "Host: A\r\n", None),
        ("GET http://a/ HTTP/1.1", "Host: a:80\r\n", None),
        ("GET https://a:443/ HTTP/1.1", "Host: a\r\n", None),
        ("GET http://a/ HTTP/1.0", "", None),
        ("GET http://a/ HTTP/1.1", "", Some(MissingHostHeader)),
        ("GET http://a/ HTTP/1.1", "Host: b\r\n", Some(InvalidHostHeader)),
        ("GET http://a/ HTTP/1.1", "Host:\r\n", Some(InvalidHostHeader)),
        ("GET http://a:80/ HTTP/1.1", "Host: a:81\r\n", Some(InvalidHostHeader)),
        ("GET http://a:443/ HTTP/1.1", "Host: a\r\n", Some(InvalidHostHeader)),
        ("CONNECT a:80 HTTP/1.1", "Host: a:80\r\n", None),
        ("CONNECT a:443 HTTP/1.1", "Host: a\r\n", Some(InvalidHostHeader)),
        ("CONNECT a:80 HTTP/1.1", "Host: \r\n", Some(InvalidHostHeader)),
        ("CONNECT a HTTP/1.1", "Host: a\r\n", Some(InvalidRequestTarget)),
        ("GET HTTPS://a/ HTTP/1.1", "Host: a:443\r\n", None),
        ("GET / HTTP/1.1", "Host: [1.2.3.4]\r\n", Some(InvalidHostHeader)),
    ] {
        let head = format!("{line}\r\n{headers}\r\n");
        assert_eq!(judge(&head).err(), expected, "{head:?}");
    }
}

#[test]
fn header_lines_are_a_name_and_a_value() {
    use Reason::{
        InvalidCharactersInHeaderName, InvalidRequestHeader, MalformedRequestInvalidHeaders,
    };

    for line in [
        &b"X:v"[..],
        b"X:",
        b"X: \t v\tw \t",
        b"X: v:w",
        b"!#$%&'*+-.^_`|~: v",
        b"X: \xc3\xa5",
        b"Hos: not the host",
        b"Hosts: neither",
    ] {
        let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", line, b"\r\n\r\n"].concat();
        assert_eq!(
            judge(&head).map(|judged| judged.end),
            Ok(head.len()),
            "{}",
            line.escape_ascii()
        );
    }
    for (line, reason) in [
        (&b"X : v"[..], InvalidRequestHeader),
        (b"X\t: v", InvalidRequestHeader),
        (b"X Y: v", InvalidRequestHeader),
        (b"X: a\r\n\tb", InvalidRequestHeader),
        (b" X: a", InvalidRequestHeader),
        (b"X", InvalidRequestHeader),
        (b": v", InvalidRequestHeader),
        (b"He@(d)er/x: v", InvalidRequestHeader),
        (b"He\x01der: v", InvalidRequestHeader),
        (b"He\0der: v", InvalidCharactersInHeaderName),
        (b"H\xc3\xa9: v", InvalidCharactersInHeaderName),
        (b"X: a\x01b", InvalidRequestHeader),
        (b"X: a\x7fb", InvalidRequestHeader),
        (b"X: a\0b", MalformedRequestInvalidHeaders),
        (b"X: \xa3", MalformedRequestInvalidHeaders),
    ] {
        let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", line, b"\r\n\r\n"].concat();
        assert_eq!(judge(&head), Err(reason), "{}", line.escape_ascii());
    }
}

#[test]
fn a_body_is_framed_by_its_length_or_in_chunks() {
    use Framing::{Chunked, Length};
    use Reason::{
        FinalTransferCodingNotChunked, InvalidContentLength, LengthRequiredHttp10,
        MultipleContentLengths, TransferCodingNotImplemented, TransferCodingOnHttp10,
    };

    for (line, headers, expected) in [
        ("POST / HTTP/1.1", "", Ok(Length(0))),
        ("POST / HTTP/1.1", "Content-Length: 5\r\n", Ok(Length(5))),
        ("GET / HTTP/1.1", "cONTENT-lENGTH:\t5 \r\n", Ok(Length(5))),
        ("POST / HTTP/1.1", "Content-Length: 005\r\n", Ok(Length(5))),
        ("POST / HTTP/1.1", "Content-Length: 9223372036854775807\r\n", Ok(Length(i64::MAX as u64))),
        ("POST / HTTP/1.1", "Content-Length: 9223372036854775808\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: 99999999999999999999\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: NaN\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length:\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: +5\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: -0\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: 0x5\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: 5, 5\r\n", Err(InvalidContentLength)),
        ("POST / HTTP/1.1", "Content-Length: 5 5\r\n", Err(InvalidContentLength)),
        (
            "POST / HTTP/1.1",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            Err(MultipleContentLengths),
        ),
        (
            "POST / HTTP/1.1",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            Err(MultipleContentLengths),
        ),
        ("POST / HTTP/1.0", "", Err(LengthRequiredHttp10)),
        ("PUT / HTTP/1.0", "", Err(LengthRequiredHttp10)),
        ("PATCH / HTTP/1.0", "", Ok(Length(0))),
        ("POST / HTTP/1.0", "Content-Length: 5\r\n", Ok(Length(5))),
        ("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", Ok(Chunked)),
        ("POST / HTTP/1.1", "transfer-encoding:\tCHUNKED\t\r\n", Ok(Chunked)),
        ("POST / HTTP/1.1", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Ok(Chunked)),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: gzip, chunked\r\n",
            Err(TransferCodingNotImplemented),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            Err(TransferCodingNotImplemented),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked, chunked\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: not-chunked\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        ("POST / HTTP/1.1", "Transfer-Encoding:\r\n", Err(FinalTransferCodingNotChunked)),
        ("POST / HTTP/1.1", "Transfer-Encoding: chunked,\r\n", Err(FinalTransferCodingNotChunked)),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked;q=1\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: \"chunked\"\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: identity\r\nContent-Length: 2\r\n",
            Err(FinalTransferCodingNotChunked),
        ),
        ("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n", Err(TransferCodingOnHttp10)),
    ] {
        let head = format!("{line}\r\nHost: a\r\n{headers}\r\n");
        assert_eq!(judge(&head).map(|head| head.framing), expected, "{head:?}");
    }
}

#[test]
fn hyper_is_given_another_head_where_it_would_read_the_clients_otherwise() {
    let over = Rules { host_override: true, ..rules() };
    for (head, rewritten, target) in [
        ("GET /# HTTP/1.1\nHost: a\n\n", "GET /%23 HTTP/1.1\r\nHost: a\n\n", "/#"),
        ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a%23b HTTP/1.1\r\nHost: a\r\n\r\n", "/a#b"),
        (
            "GET /\"<>`|?\"<>`| HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /%22%3C%3E%60|?%22%3C%3E%60| HTTP/1.1\r\nHost: a\r\n\r\n",
            "/\"<>`|?\"<>`|",
        ),
        (
            "GET http://a/b?c HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n",
            "GET /b?c HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n",
            "http://a/b?c",
        ),
        ("GET http://a HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "http://a"),
        (
            "GET https://u:p@a?q#f HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /?q%23f HTTP/1.1\r\nHost: a\r\n\r\n",
            "https://u:p@a?q#f",
        ),
        (
            "GET http://a:1/ HTTP/1.1\r\nX: y\r\nhost: \tb \r\nZ:\r\n\r\n",
            "GET / HTTP/1.1\r\nX: y\r\nhost: \ta:1 \r\nZ:\r\n\r\n",
            "http://a:1/",
        ),
        (
            "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:a\r\n\r\n",
            "http://a/",
        ),
        ("GET HTTP://A/b HTTP/1.0\r\n\r\n", "GET /b HTTP/1.0\r\n\r\n", "HTTP://A/b"),
    ] {
        // What stands before the head and behind it has no part in it.
        let judged = judge_by(format!("\r\n{head}GET "), &over).expect("it is good");
        assert_eq!((judged.start, judged.end), (2, 2 + head.len()), "{head:?}");
        let given = judged.rewritten.unwrap_or_else(|| panic!("{head:?} is given as it is"));
        assert_eq!(String::from_utf8_lossy(&given.bytes), rewritten, "{head:?}");
        assert_eq!(&*given.raw_target, target, "{head:?}");
    }
    for line in
        ["GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "GET //a?%00 HTTP/1.1", "GET /{|}^\\ HTTP/1.1"]
    {
        let judged = judge(format!("{line}\r\nHost: a\r\n\r\n")).expect("it is good");
        assert_eq!(judged.rewritten, None, "{line}");
    }
}

#[test]
fn limits_are_kept_to_the_byte_and_passing_them_is_told_at_once() {
    let small = Rules { line_size: 23, headers_total_size: 30, header_count: 2, ..rules() };
    let line = "POST /abc/de HTTP/1.1\r\n";
    for (head, expected) in [
        (format!("{line}Host:\r\n\r\n"), None),
        (format!("\r\n\r\n{line}Host:\r\n\r\n"), None),
        (line.replace("/de", "/def"), Some(Reason::RequestLineTooLong)),
        ("P".repeat(23), Some(Reason::RequestLineTooLong)),
        (format!("{line}Host:\r\nX: 345678901234567890\r\n\r\n"), None),
        (format!("{line}Host:\r\nX: 3456789012345678901\n\r\n"), None),
        (
            format!("{line}Host:\r\nX: 3456789012345678901\r\n\r\n"),
            Some(Reason::HeadersExceedMaxTotalSize),
        ),
        (format!("{line}X: {}", "3".repeat(30)), Some(Reason::HeadersExceedMaxTotalSize)),
        (format!("{line}Host:\r\nX:\r\n\r\n"), None),
        (format!("{line}Host:\r\nX:\r\nY:\r\n"), Some(Reason::TooManyHeaders)),
    ] {
        assert_eq!(judge_by(&head, &small).err(), expected, "{head:?}");
    }
    let head = format!("{line}Host:\r\nX: 3456\r\n\r\n");
    let left = judge_by(&head, &small).map(|head| head.left);
    assert_eq!(left, Ok((30 - 7 - 9, 0)), "for trailers");
}

#[test]
fn a_head_that_breaks_off_is_no_request() {
    for (bytes, reason) in [
        ("G", Reason::InvalidRequestLine),
        ("GET / HTTP/1.1\r", Reason::InvalidRequestLine),
        ("GET / HTTP/1.1\r\n", Reason::MalformedRequestInvalidHeaders),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r", Reason::MalformedRequestInvalidHeaders),
    ] {
        let mut scan = Scan::default();
        assert!(matches!(scan.advance(bytes.as_bytes(), &rules()), Progress::Partial), "{bytes:?}");
        assert!(scan.has_begun(bytes.as_bytes()), "{bytes:?}");
        assert_eq!(scan.cut_off(bytes.as_bytes()).reason, reason, "{bytes:?}");
    }
    for blank in ["", "\r\n", "\n", "\r", "\r\n\r"] {
        let mut scan = Scan::default();
        assert!(matches!(scan.advance(blank.as_bytes(), &rules()), Progress::Partial));
        assert!(!scan.has_begun(blank.as_bytes()), "{blank:?}");
    }
}

#[test]
fn an_upgrade_is_asked_for_by_its_header_or_by_connect() {
    for (head, expected) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n", Upgrade::Asked),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrades: x\r\n\r\n", Upgrade::No),
        ("GET / HTTP/1.1\r\nHost: a\r\nRefresh: x\r\n\r\n", Upgrade::No),
        ("GET / HTTP/1.0\r\nHost: a\r\nUpgrade: x\r\n\r\n", Upgrade::No),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", Upgrade::Asked),
    ] {
        assert_eq!(judge(head).map(|head| head.upgrade), Ok(expected), "{head:?}");
    }
}

#[test]
fn plain_text_is_measured_exactly() {
    for length in 0..40 {
        let text = vec![b'a'; length];
        assert_eq!(plain_length(&text), length);
        for byte in 0..=255_u8 {
            for place in 0..length {
                let mut text = text.clone();
                text[place] = byte;
                let plain = (0x20..0x7F).contains(&byte);
                assert_eq!(
                    plain_length(&text),
                    if plain { length } else { place },
                    "{byte} at {place}"
                );
            }
        }
    }
    // What stands behind the first odd byte does not matter, nor how many there are.
    assert_eq!(plain_length(b"abc\x7f\x00\xff\x1f "), 3);
    assert_eq!(plain_length(b"ab\x20\x1f\x20\x1f\x20\x1f"), 3);
}
