//! What was there before a step, by its id. The recordings tell what was done, and not what was
//! arranged before.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Result, ensure};

use super::stage::Stage;
use crate::suite::Line;

const CHROMIUM: &str = ".pki/nssdb";
const FIREFOX: &str = ".mozilla/firefox/abcd1234.default-release";

/// A certificate that openssl makes, with its key.
pub(super) struct Made {
    pub(super) version: &'static [u8],
    /// The days from now on which it begins and ends.
    pub(super) days: (i64, i64),
    pub(super) name: &'static str,
    /// The one name it is for, as openssl writes it.
    pub(super) host: &'static str,
    pub(super) marked: bool,
    pub(super) key: &'static [&'static str],
    /// The password of its file.
    pub(super) password: &'static str,
}

pub(super) const MADE: Made = Made {
    version: &[6],
    days: (-1, 365),
    name: "localhost",
    host: "localhost",
    marked: true,
    key: &["rsa:2048"],
    password: "",
};

pub(super) const OLD_MARK: &[u8] = b"ASP.NET Core HTTPS development certificate";

/// The first of the three steps on each certificate in the store, and the certificate.
const STORED: [(u32, Made); 12] = [
    (140, MADE),
    (143, Made { version: &[5], ..MADE }),
    (146, Made { version: &[4], ..MADE }),
    (149, Made { version: &[7], ..MADE }),
    (152, Made { version: OLD_MARK, ..MADE }),
    (155, Made { version: &[6, 6], ..MADE }),
    (158, Made { version: &[2, 1, 6], ..MADE }),
    (161, Made { days: (-400, -35), ..MADE }),
    (164, Made { days: (5, 300), ..MADE }),
    (167, Made { name: "example", ..MADE }),
    (170, Made { marked: false, ..MADE }),
    (173, Made { key: &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ..MADE }),
];

fn number(id: &str) -> u32 {
    id.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Whether a step has a home of its own.
pub(super) fn is_fresh(step: &Line) -> bool {
    let number = number(&step.id);
    let arranged = [66, 72, 176].contains(&number) || stored(number).is_some();
    arranged || step.all["fresh"] == true
}

fn stored(number: u32) -> Option<&'static Made> {
    STORED.iter().find(|(first, _)| *first == number).map(|(_, made)| made)
}

/// Arranges what a step needs.
///
/// # Errors
/// When it cannot be arranged.
pub(super) fn before(id: &str, stage: &mut Stage) -> Result<()> {
    let number = number(id);
    if let Some(made) = stored(number) {
        make(stage, "x", made)?;
        fs::create_dir_all(stage.store())?;
        fs::copy(stage.work.join("x.pfx"), stage.store().join("A.pfx"))?;
    }
    match number {
        66 => [CHROMIUM, FIREFOX].iter().try_for_each(|folder| database(stage, folder))?,
        72 => [CHROMIUM, "db1"].iter().try_for_each(|folder| database(stage, folder))?,
        74 => {
            let stored = stage.stored();
            let thumbprint = stored[0].file_stem().unwrap_or_default().to_string_lossy();
            let folder = stage.home.join(".aspnet/dev-certs/trust");
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("aspnetcore-localhost-{thumbprint}.pem")), "other\n")?;
        }
        96 => {
            let path = stage.work.join("old.pfx");
            fs::write(&path, "old")?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        }
        97 => fs::create_dir(stage.work.join("folder"))?,
        132 => fs::write(stage.work.join("junk.pfx"), "junk")?,
        134 => make(stage, "other", &Made { marked: false, ..MADE })?,
        135 => make(stage, "v2", &Made { version: &[2], ..MADE })?,
        138 => make(stage, "expired", &Made { days: (-400, -35), ..MADE })?,
        176 => {
            fs::create_dir_all(stage.store())?;
            fs::write(stage.store().join("AA.pfx"), "junk")?;
        }
        _ => {}
    }
    Ok(())
}

/// Makes an empty database of a browser.
fn database(stage: &Stage, folder: &str) -> Result<()> {
    fs::create_dir_all(stage.home.join(folder))?;
    let place = format!("sql:{{home}}/{folder}");
    succeed(stage, "certutil", &["-d", &place, "-N", "--empty-password"])
}

fn succeed(stage: &Stage, program: &str, arguments: &[&str]) -> Result<()> {
    let output = stage.tool(program, arguments)?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {}: {told}", arguments.join(" "));
    Ok(())
}

/// Makes a certificate that signs itself, as `{work}/NAME.pfx`.
pub(super) fn make(stage: &Stage, file: &str, made: &Made) -> Result<()> {
    let mark = match made.marked {
        true => {
            let bytes: Vec<String> =
                made.version.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("1.3.6.1.4.1.311.84.1.1=DER:{}\n", bytes.join(":"))
        }
        false => String::new(),
    };
    let folder = stage.work.join("making");
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("config"),
        format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={0}/index\nnew_certs_dir={0}\nrand_serial=yes\n\
             default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[req]\n\
             distinguished_name=n\n[n]\n[e]\nbasicConstraints=critical,CA:FALSE\n\
             keyUsage=critical,digitalSignature,keyEncipherment\n\
             extendedKeyUsage=critical,serverAuth\nsubjectAltName=critical,DNS:{1}\n{mark}",
            folder.display(),
            made.host
        ),
    )?;
    fs::write(folder.join("index"), "")?;
    let subject = format!("/CN={}", made.name);
    let (from, to) = (day(made.days.0), day(made.days.1));
    let request = ["req", "-newkey"].iter().chain(made.key).copied().chain([
        "-nodes",
        "-keyout",
        "making/key",
        "-out",
        "making/request",
        "-subj",
        &subject,
        "-config",
        "making/config",
    ]);
    succeed(stage, "openssl", &request.collect::<Vec<_>>())?;
    let sign = [
        "ca",
        "-batch",
        "-config",
        "making/config",
        "-selfsign",
        "-keyfile",
        "making/key",
        "-in",
        "making/request",
        "-startdate",
        &from,
        "-enddate",
        &to,
        "-out",
        "making/certificate",
        "-notext",
    ];
    succeed(stage, "openssl", &sign)?;
    let (out, password) = (format!("{file}.pfx"), format!("pass:{}", made.password));
    let pack = [
        "pkcs12",
        "-export",
        "-inkey",
        "making/key",
        "-in",
        "making/certificate",
        "-out",
        &out,
        "-passout",
        &password,
    ];
    succeed(stage, "openssl", &pack)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// A day from now, as openssl wants it.
fn day(days: i64) -> String {
    let now = chrono::Utc::now() + chrono::Duration::days(days);
    now.format("%Y%m%d%H%M%SZ").to_string()
}

pub(super) fn check() {
    assert_eq!(number("dev-certs-096"), 96);
    assert!(stored(140).is_some() && stored(141).is_none());
}
