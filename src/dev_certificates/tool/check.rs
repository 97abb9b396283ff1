//! Whether there is a certificate, and whether it is trusted.

use super::super::report::Report;
use super::super::store::Entry;
use super::super::trust::{self, Trust};
use super::listing::{self, described};
use super::{Exit, Surroundings};

/// Answers in words.
pub(super) fn check(surroundings: &Surroundings, trusted: bool, report: &mut Report) -> Exit {
    let Surroundings { places, now, .. } = surroundings;
    let entries = listing::valid(places, *now, report);
    if entries.is_empty() {
        report.answer_and_causes("No valid certificate found.");
        return Exit::NoneFound;
    }
    let all: Vec<&Entry> = entries.iter().collect();
    if !trusted {
        report.answer(found("valid", &all));
        report.answer(
            "Run the command with both --check and --trust options to ensure that the certificate is not only valid but also trusted.",
        );
        return Exit::Success;
    }
    let is_trusted =
        |entry: &&Entry| trust::level(places, &entry.certificate, *now, report) == Trust::Full;
    let trusted: Vec<&Entry> = entries.iter().filter(is_trusted).collect();
    if trusted.is_empty() {
        report.answer(format!(
            "The following certificates were found, but none of them is trusted: {}",
            described(&all)
        ));
        if !report.is_verbose() {
            report.answer("Run the command with --verbose for more details.");
        }
        return Exit::NoneTrusted;
    }
    report.answer(found("trusted", &trusted));
    Exit::Success
}

fn found(state: &str, entries: &[&Entry]) -> String {
    match entries {
        [one] => format!("A {state} certificate was found: {}", one.certificate),
        more => format!("{} {state} certificates were found: {}", more.len(), described(more)),
    }
}

/// Answers in JSON, which is an answer whatever it says.
pub(super) fn machine_readable(surroundings: &Surroundings, report: &mut Report) -> Exit {
    let Surroundings { places, now, .. } = surroundings;
    let entries = listing::valid(places, *now, report);
    let items: Vec<String> = entries
        .iter()
        .map(|entry| item(entry, trust::level(places, &entry.certificate, *now, report)))
        .collect();
    report.answer(match &items[..] {
        [] => "[]".to_owned(),
        items => format!("[\n{}\n]", items.join(",\n")),
    });
    Exit::Success
}

/// One certificate, its fields in the order .NET has them in.
fn item(entry: &Entry, trust: Trust) -> String {
    let certificate = &entry.certificate;
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let (from, to) = certificate.dates('T');
    let names: Vec<String> =
        certificate.dns_names.iter().map(|name| format!("\n      {}", text(name))).collect();
    let names = match &names[..] {
        [] => "[]".to_owned(),
        names => format!("[{}\n    ]", names.join(",")),
    };
    let trust = match trust {
        Trust::None => "None",
        Trust::Partial => "Partial",
        Trust::Full => "Full",
    };
    let fields = [
        ("Thumbprint", text(&certificate.thumbprint)),
        ("Subject", text(&certificate.subject)),
        ("X509SubjectAlternativeNameExtension", names),
        ("Version", certificate.version.to_string()),
        ("ValidityNotBefore", text(&format!("{from}+00:00"))),
        ("ValidityNotAfter", text(&format!("{to}+00:00"))),
        ("IsHttpsDevelopmentCertificate", "true".to_owned()),
        ("IsExportable", "true".to_owned()),
        ("TrustLevel", text(trust)),
    ];
    let fields = fields.map(|(name, value)| format!("    \"{name}\": {value}"));
    format!("  {{\n{}\n  }}", fields.join(",\n"))
}
