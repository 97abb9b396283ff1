//! Facts of certificates, and the time around them.

use std::time::Duration;

use super::*;
use crate::tls::load::tests::made;

#[test]
fn a_moment_is_printed_as_by_dotnet() {
    let at = |seconds: u64| timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(at(0), "1970-01-01 00:00:00Z");
    assert_eq!(at(1_795_229_563), "2026-11-21 02:52:43Z");
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    assert_eq!(timestamp(before), "1969-12-31 23:59:59Z");
    assert_eq!(at(u64::MAX >> 2), "a time out of all bounds");
}

#[test]
fn a_certificate_is_spoken_of_two_weeks_ahead() {
    let second = Duration::from_secs(1);
    let day = 86_400 * second;
    let start = SystemTime::UNIX_EPOCH + 1000 * day;
    let end = start + 90 * day;
    let facts = CertificateFacts {
        thumbprint: String::new(),
        subject: String::new(),
        subject_values: String::new(),
        not_before: start,
        not_after: end,
        has_subject_alternative_name: true,
        names: Vec::new(),
        usable_for_servers: true,
        version: 3,
    };
    let cases = [
        (start - second, Validity::NotYet { from: start }),
        (start, Validity::Valid),
        (end - 14 * day, Validity::Valid),
        (end - 14 * day + second, Validity::ExpiresSoon { at: end }),
        (end, Validity::ExpiresSoon { at: end }),
        (end + second, Validity::Expired { since: end }),
    ];
    for (now, expected) in cases {
        assert_eq!(facts.validity(now), expected);
    }
}

#[test]
fn facts_are_what_openssl_says() {
    let script = r"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -outform DER -out c.der -utf8 \
  -days 30 -subj '/C=DE/ST=Land/L=Ort/O=A, B Inc/OU=x\+y=z/CN=wwwü.example/emailAddress=a@b.example' \
  -addext subjectAltName=DNS:a.example,IP:::1,email:x@y.example
openssl x509 -inform DER -in c.der -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr -d '\n' > thumbprint
";
    let Some(folder) = made("facts_are_what_openssl_says", script) else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let facts = CertificateFacts::of(&read("c.der")).unwrap();
    assert_eq!(facts.thumbprint.as_bytes(), read("thumbprint"));
    assert_eq!(
        facts.subject,
        "E=a@b.example, CN=wwwü.example, OU=\"x+y=z\", O=\"A, B Inc\", L=Ort, S=Land, C=DE"
    );
    assert_eq!(
        facts.subject_values,
        "DE, Land, Ort, \"A, B Inc\", \"x+y=z\", wwwü.example, a@b.example"
    );
    assert_eq!(facts.names, ["a.example", "::1"]);
    assert_eq!(facts.version, 3);
    assert!(facts.usable_for_servers && facts.has_subject_alternative_name);
    assert_eq!(CertificateFacts::of(b"none"), None);
}
