//! What is read from files, and is to be known of it.

use std::sync::{Arc, Mutex};

use super::*;
use crate::diagnostics::Notice;

/// Notes which events come: the category and the id.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

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
        let source = CertificateSource::pem(folder.path().join(name), folder.path().join("k.pem"));
        let loaded = load(&source, &Places::default(), now);
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
    let loaded = |name: &str| {
        let source = CertificateSource::pem(folder.path().join(name), folder.path().join("k.pem"));
        let places = Places::default();
        load(&source, &places, SystemTime::now()).unwrap()
    };
    let one = loaded("one.pem");
    assert_eq!(one, loaded("same.pem"));
    assert_ne!(one, loaded("two.pem"));
    assert_ne!(one, loaded("chain.pem"));
}
