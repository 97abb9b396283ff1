//! What a file is, told by openssl and certutil in the words of the recordings' notes.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::stage::Stage;

/// Notes that are left out: the first says less than `asn1` beside it; the second is the number of
/// digits of a random number, of which now and then the first are zeros and not written.
pub(super) const LEFT_OUT: [&str; 2] = ["openssl_x509_text", "serial_hex_digits"];

/// The note of this name about what is there now.
///
/// # Errors
/// When a program cannot be started, or a file cannot be read.
pub(super) fn note(name: &str, stage: &mut Stage) -> Result<Value> {
    match name {
        "certificates in the store" => Ok(json!(stage.stored().len())),
        "store_file" => {
            let file = stored(stage)?;
            Ok(json!(stage.neutral(&file)))
        }
        "openssl_pkcs12_info" => {
            let file = stored(stage)?;
            Ok(json!(pkcs12_info(stage, &file, "")?.unwrap_or_default()))
        }
        "asn1" => asn1(stage),
        "bag_attributes" => bag_attributes(stage),
        "lifetime_seconds" => lifetime(stage),
        "chromium" => marks(stage, ".pki/nssdb"),
        "firefox" => marks(stage, ".mozilla/firefox/abcd1234.default-release"),
        file => form(stage, file),
    }
}

fn stored(stage: &Stage) -> Result<String> {
    let stored = stage.stored();
    Ok(stored.first().context("a certificate in the store")?.to_string_lossy().into_owned())
}

/// What a tool says, line by line.
fn lines(stage: &Stage, program: &str, arguments: &[&str]) -> Result<Vec<String>> {
    let output = stage.tool(program, arguments)?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).trim().lines().map(str::to_owned).collect())
}

/// How a PKCS#12 file is made; `None` if the password is another.
fn pkcs12_info(stage: &Stage, file: &str, password: &str) -> Result<Option<Vec<String>>> {
    let password = format!("pass:{password}");
    let arguments = ["pkcs12", "-in", file, "-passin", &password, "-info", "-noout"];
    let told = lines(stage, "openssl", &arguments)?;
    let refused =
        told.iter().any(|line| line.contains("rror") || line.contains("invalid password"));
    Ok((!refused).then_some(told))
}

/// What the file in the store says of its bags, without their contents and without the number by
/// which a key finds its certificate.
fn bag_attributes(stage: &Stage) -> Result<Value> {
    let file = stored(stage)?;
    let told = lines(stage, "openssl", &["pkcs12", "-in", &file, "-passin", "pass:", "-nodes"])?;
    let content = |line: &&String| {
        line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    let attributes =
        told.iter().filter(|line| !content(line) && !line.contains("localKeyID")).cloned();
    // The recorded list ends with what follows its last line end.
    Ok(attributes.chain([String::new()]).collect())
}

/// How many seconds the certificate in the store is valid.
fn lifetime(stage: &Stage) -> Result<Value> {
    let script = "openssl pkcs12 -in \"$0\" -passin pass: -nokeys | openssl x509 -noout -dates";
    let told = lines(stage, "sh", &["-c", script, &stored(stage)?])?;
    let date = |name: &str| {
        let line = told.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        chrono::NaiveDateTime::parse_from_str(line, "%b %e %H:%M:%S %Y GMT")
            .with_context(|| format!("{name}{line}"))
    };
    Ok(json!((date("notAfter=")? - date("notBefore=")?).num_seconds()))
}

/// The structure of the certificate in the store; keys, serial number and times are left out.
fn asn1(stage: &Stage) -> Result<Value> {
    let file = stored(stage)?;
    let bag = ["pkcs12", "-in", &file, "-passin", "pass:", "-nokeys", "-out", "certificate.pem"];
    lines(stage, "openssl", &bag)?;
    // A bag has a text before the certificate, which the next program cannot read.
    let bare = ["x509", "-in", "certificate.pem", "-out", "certificate.pem"];
    lines(stage, "openssl", &bare)?;
    let told = lines(stage, "openssl", &["asn1parse", "-i", "-in", "certificate.pem"])?;
    fs::remove_file(stage.work.join("certificate.pem"))?;
    let told: Vec<String> = told.iter().map(|line| without_accidents(line)).collect();
    Ok(json!(told))
}

/// Recorded lines of `asn1parse` without what is different in each certificate.
pub(super) fn without_accidents_in(recorded: &Value) -> Value {
    let lines = recorded.as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.filter(|line| !line.is_empty()).map(without_accidents).collect()
}

/// A line of `asn1parse` without what is different in each certificate: places and lengths, because
/// one serial number has eight bytes and another nine; that number, the times, the key.
fn without_accidents(line: &str) -> String {
    let (head, what) = line.split_once(" l=").unwrap_or(("", line));
    let depth = head.split_once(":d=").map_or("", |(_, rest)| rest.split(' ').next().unwrap_or(""));
    let what = what.trim_start().trim_start_matches(|digit: char| digit.is_ascii_digit()).trim();
    let line = format!("{depth} {what}");
    let Some((what, value)) = line.rsplit_once(':') else { return line };
    let digits = value.len() >= 10 && value.bytes().all(|digit| digit.is_ascii_hexdigit());
    match what {
        _ if what.contains("INTEGER") && digits => format!("{what}:{{hex}}"),
        _ if what.contains("UTCTIME") => format!("{what}:{{time}}"),
        // The two identifiers of the key: what stands before them says which.
        _ if what.contains("HEX DUMP") && value.len() > 64 => {
            let (kind, key) = value.split_at(value.len() - 64);
            match kind {
                "0420" | "30228020" => format!("{what}:{kind}{{hex}}"),
                _ => format!("{what}:{kind}{key}"),
            }
        }
        _ => line,
    }
}

/// What a browser's database marks its certificates as.
fn marks(stage: &mut Stage, folder: &str) -> Result<Value> {
    let place = format!("sql:{{home}}/{folder}");
    let told = lines(stage, "certutil", &["-d", &place, "-L"])?;
    Ok(told.iter().map(|line| stage.neutral(line)).collect())
}

/// What an exported file is.
fn form(stage: &Stage, file: &str) -> Result<Value> {
    let path = stage.fill(file);
    let Ok(bytes) = fs::read(&path) else { return Ok(Value::Null) };
    if bytes.starts_with(b"-----") {
        return pem_form(stage, &path, &String::from_utf8_lossy(&bytes));
    }
    for (password, shown) in [("", "''"), ("secret", "'secret'"), ("p wü", "'p wü'")] {
        if let Some(told) = pkcs12_info(stage, &path, password)? {
            let head = format!("PKCS#12, password {shown}");
            return Ok(std::iter::once(head).chain(told).collect());
        }
    }
    let told =
        lines(stage, "openssl", &["x509", "-inform", "DER", "-in", &path, "-noout", "-subject"])?;
    Ok(json!([format!("DER certificate, {}", told.join("\n"))]))
}

fn pem_form(stage: &Stage, path: &str, text: &str) -> Result<Value> {
    let labels = text.lines().filter_map(|line| {
        line.strip_prefix("-----BEGIN ")?.strip_suffix("-----").map(str::to_owned)
    });
    let end = if text.ends_with('\n') { "ends with a newline" } else { "no newline at the end" };
    let ends = if text.contains("\r\n") { "CRLF" } else { "LF" };
    let longest = text.split('\n').map(str::len).max().unwrap_or_default();
    let mut form: Vec<String> =
        labels.chain([end.to_owned(), ends.to_owned(), format!("line length {longest}")]).collect();
    if text.contains("ENCRYPTED") {
        let told = lines(stage, "openssl", &["asn1parse", "-i", "-in", path])?;
        form.extend(told.iter().filter_map(|line| {
            let (_, value) = line.split_once("prim:")?;
            let value = value.trim();
            (value.starts_with("OBJECT") || value.starts_with("INTEGER")).then(|| value.to_owned())
        }));
    }
    Ok(json!(form))
}

pub(super) fn check() {
    for (line, expected) in [
        (
            "   13:d=2  hl=2 l=   9 prim:   INTEGER           :8F0123456789ABCDEF",
            "2 prim:   INTEGER           :{hex}",
        ),
        (
            "   12:d=2  hl=2 l=   8 prim:   INTEGER           :{hex}",
            "2 prim:   INTEGER           :{hex}",
        ),
        (
            "   10:d=3  hl=2 l=   1 prim:    INTEGER           :02",
            "3 prim:    INTEGER           :02",
        ),
        ("    0:d=0  hl=4 l= 979 cons: SEQUENCE          ", "0 cons: SEQUENCE"),
    ] {
        assert_eq!(without_accidents(line), expected, "{line}");
    }
}
