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

/// Notes which events come: the category and the id.
#[derive(Clone, Default)]
struct Listener(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Listener {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Id(Option<u64>);
        impl tracing::field::Visit for Id {
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
            fn record_u64(&mut self, field: &tracing::field::Field, value: u64) {
                if field.name() == "event.id" {
                    self.0 = Some(value);
                }
            }
        }
        let mut id = Id(None);
        event.record(&mut id);
        let category = event.metadata().target().rsplit('.').next().unwrap_or_default();
        self.0.lock().unwrap().push(format!("{category} {}", id.0.unwrap()));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn what_an_operator_wants_to_know_is_told() {
    let script = r"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out named.pem -days 30 -subj /CN=a -addext subjectAltName=DNS:a
openssl req -x509 -key k.pem -out unnamed.pem -days 30 -subj /CN=a
openssl req -new -key k.pem -subj /CN=a | openssl x509 -req -signkey k.pem -out v1.pem -days 30
(cat named.pem; echo '-----BEGIN CERTIFICATE-----') > cut.pem
";
    let Some(folder) = made("what_an_operator_wants_to_know_is_told", script) else {
        return;
    };
    let now = SystemTime::now();
    let day = Duration::from_secs(86_400);
    let no_names = "HttpsConnectionMiddleware 9";
    let cases: [(&str, SystemTime, &[&str]); 7] = [
        ("named.pem", now, &[]),
        ("named.pem", now + 20 * day, &["Certificates 3"]),
        ("named.pem", now + 31 * day, &["Certificates 1"]),
        ("named.pem", now - day, &["Certificates 2"]),
        ("unnamed.pem", now, &[no_names]),
        ("v1.pem", now, &[no_names, "Certificates 4"]),
        ("cut.pem", now, &["Certificates 5"]),
    ];
    for (name, now, expected) in cases {
        let source = crate::tls::CertificateSource::pem(
            folder.path().join(name),
            folder.path().join("k.pem"),
        );
        let loaded = crate::tls::load::load(&source, &crate::tls::places::Places::default(), now);
        let listener = Listener::default();
        tracing::subscriber::with_default(listener.clone(), || {
            loaded.unwrap().notices("A", now).iter().for_each(Notice::log)
        });
        assert_eq!(*listener.0.lock().unwrap(), expected, "{name}");
    }
}

#[test]
fn two_certificates_are_equal_if_their_chains_are() {
    let script = r"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out one.pem -subj /CN=a
openssl req -x509 -key k.pem -out two.pem -subj /CN=a
cp one.pem same.pem
cat one.pem two.pem > chain.pem
";
    let Some(folder) = made("two_certificates_are_equal_if_their_chains_are", script) else {
        return;
    };
    let load = |name: &str| {
        let source = crate::tls::CertificateSource::pem(
            folder.path().join(name),
            folder.path().join("k.pem"),
        );
        let places = crate::tls::places::Places::default();
        crate::tls::load::load(&source, &places, SystemTime::now()).unwrap()
    };
    let one = load("one.pem");
    assert_eq!(one, load("same.pem"));
    assert_ne!(one, load("two.pem"));
    assert_ne!(one, load("chain.pem"));
}
