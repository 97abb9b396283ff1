//! What is to be done: which options go together.

use super::arguments::Options;
use crate::tls::Secret;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Tell whether there is a certificate, and whether it is trusted if that matters.
    Check { trust: bool },
    /// Tell all of them in JSON.
    CheckMachineReadable,
    /// Remove all, and take another one in if it is given.
    Clean { import: Option<(String, Secret)> },
    /// Make one if there is none.
    Ensure { export: Option<Export>, trust: Option<TrustBy> },
}

/// Who is to trust the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrustBy {
    /// The user's programs.
    User,
    /// Those of the whole machine, too.
    System,
}

/// What is to be written where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Export {
    /// As it was typed.
    pub(super) path: String,
    pub(super) form: Form,
}

/// How a certificate is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The bare certificate.
    Der,
    /// With its key, behind a password.
    Pfx(Secret),
    /// The certificate in PEM form, and its key in a file beside it if it is to leave.
    Pem(PemKey),
}

/// How the key of a certificate in PEM form is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PemKey {
    /// Not at all.
    None,
    /// For everybody who can read the file.
    Plain,
    /// Behind a password.
    Encrypted(Secret),
}

/// Why nothing is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The options do not go together.
    Incompatible,
    /// There is no such format.
    UnknownFormat(String),
    /// The key's file would take the place of the certificate's.
    KeyInItsPlace(String),
}

/// Decides what the options ask for.
pub(super) fn plan(options: &Options) -> Result<Plan, Refusal> {
    let Options { check, clean, trust, system, machine_readable, no_password, .. } = *options;
    let exports = options.export_path.is_some() || options.format.is_some() || no_password;
    let imports = options.import.is_some();
    let password = options.password.is_some();
    let alone = !exports && !imports && !password && !system;
    if machine_readable {
        let asked_for_nothing_else = alone && !check && !clean && !trust;
        return asked_for_nothing_else
            .then_some(Plan::CheckMachineReadable)
            .ok_or(Refusal::Incompatible);
    }
    if check {
        return (alone && !clean).then_some(Plan::Check { trust }).ok_or(Refusal::Incompatible);
    }
    if clean {
        if exports || trust || system {
            return Err(Refusal::Incompatible);
        }
        return match (&options.import, &options.password) {
            (None, None) => Ok(Plan::Clean { import: None }),
            (Some(file), Some(password)) => {
                Ok(Plan::Clean { import: Some((file.clone(), password.clone())) })
            }
            _ => Err(Refusal::Incompatible),
        };
    }
    let named_pem = options.format.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("pem"));
    if imports || (no_password && (password || !named_pem)) || (system && !trust) {
        return Err(Refusal::Incompatible);
    }
    let pem = match &options.format {
        None => false,
        Some(name) => is_pem(name).ok_or_else(|| Refusal::UnknownFormat(name.clone()))?,
    };
    let trust = trust.then_some(if system { TrustBy::System } else { TrustBy::User });
    let Some(path) = options.export_path.clone() else {
        return Ok(Plan::Ensure { export: None, trust });
    };
    let form = match (pem, &options.password) {
        (false, None) => Form::Der,
        (false, Some(password)) => Form::Pfx(password.clone()),
        (true, Some(password)) => Form::Pem(PemKey::Encrypted(password.clone())),
        (true, None) if no_password => Form::Pem(PemKey::Plain),
        (true, None) => Form::Pem(PemKey::None),
    };
    let has_key_file = matches!(form, Form::Pem(PemKey::Plain | PemKey::Encrypted(_)));
    if has_key_file && key_path(&path) == path {
        return Err(Refusal::KeyInItsPlace(path));
    }
    Ok(Plan::Ensure { export: Some(Export { path, form }), trust })
}

/// Whether a format is PEM; `None` if it is none. .NET reads it as the name or the number of a
/// member of an enumeration, with blanks around it.
fn is_pem(format: &str) -> Option<bool> {
    match format.trim().to_ascii_lowercase().as_str() {
        "pfx" | "0" => Some(false),
        "pem" | "1" => Some(true),
        _ => None,
    }
}

/// Where the key of a certificate in PEM form goes: what stands behind the last dot of the name is
/// its extension, even in a name that begins with that dot.
pub(super) fn key_path(path: &str) -> String {
    let name = path.rfind(std::path::is_separator).map_or(0, |slash| slash + 1);
    let stem = path[name..].rfind('.').map_or(path, |dot| &path[..name + dot]);
    format!("{stem}.key")
}

#[cfg(test)]
mod tests {
    use super::super::arguments::{Typed, parse};
    use super::*;

    fn planned(arguments: &str) -> Result<Plan, Refusal> {
        let arguments: Vec<String> =
            format!("https {arguments}").split_whitespace().map(str::to_owned).collect();
        match parse(&arguments) {
            Typed::Https(options) => plan(&options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        for arguments in [
            "--check --clean",
            "--trust --clean",
            "--clean --import f",
            "--import f",
            "--import f -p secret",
            "--clean -p x",
            "--check -p x",
            "--check -ep f",
            "--clean -ep f -p x",
            "--clean --format pem",
            "--check-trust-machine-readable --trust",
            "--check-trust-machine-readable --check",
            "--check-trust-machine-readable --clean",
            "--trust --import f -p x",
            "--clean --import f -p x --trust",
            "-np",
            "-ep f -np",
            "-ep f -np -p x",
            "-ep f --format pem -np -p x",
            "--system",
            "--check --trust --system",
            "--clean --system",
        ] {
            assert_eq!(planned(arguments), Err(Refusal::Incompatible), "{arguments}");
        }
    }

    #[test]
    fn options_that_go_together_are_done() {
        let secret = || Secret::new("x");
        let export = |form| Plan::Ensure {
            export: Some(Export { path: "f".to_owned(), form }),
            trust: None,
        };
        for (arguments, expected) in [
            ("", Plan::Ensure { export: None, trust: None }),
            ("-p x", Plan::Ensure { export: None, trust: None }),
            ("--format PEM -np", Plan::Ensure { export: None, trust: None }),
            ("-t", Plan::Ensure { export: None, trust: Some(TrustBy::User) }),
            ("-t --system", Plan::Ensure { export: None, trust: Some(TrustBy::System) }),
            ("-c -v", Plan::Check { trust: false }),
            ("-c -t", Plan::Check { trust: true }),
            ("--check-trust-machine-readable", Plan::CheckMachineReadable),
            ("--clean", Plan::Clean { import: None }),
            ("--clean -i f -p x", Plan::Clean { import: Some(("f".to_owned(), secret())) }),
            ("-ep f", export(Form::Der)),
            ("-ep f -p x", export(Form::Pfx(secret()))),
            ("-ep f -p x --format pFx", export(Form::Pfx(secret()))),
            ("-ep f --format Pem", export(Form::Pem(PemKey::None))),
            ("-ep f --format Pem -np", export(Form::Pem(PemKey::Plain))),
            ("-ep f --format pem -p x", export(Form::Pem(PemKey::Encrypted(secret())))),
        ] {
            assert_eq!(planned(arguments), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn the_key_must_not_take_the_place_of_the_certificate() {
        let refused = Err(Refusal::KeyInItsPlace("a.key".to_owned()));
        assert_eq!(planned("-ep a.key --format pem -np"), refused);
        assert_eq!(planned("-ep a.key --format pem -p x"), refused);
        assert!(planned("-ep .key --format pem -np").is_err());
        // There is one file only.
        assert!(planned("-ep a.key --format pem").is_ok());
        assert!(planned("-ep a.key -p x").is_ok());
        assert!(planned("-ep a.crt --format pem -np").is_ok());
    }

    #[test]
    fn the_key_goes_beside_the_certificate() {
        for (path, expected) in [
            ("a.pem", "a.key"),
            ("a", "a.key"),
            ("a.b.crt", "a.b.key"),
            ("a.", "a.key"),
            (".pem", ".key"),
            ("x.d/a", "x.d/a.key"),
            ("/x.d/.pem", "/x.d/.key"),
            ("ä.ü", "ä.key"),
            ("", ".key"),
        ] {
            assert_eq!(key_path(path), expected, "{path}");
        }
    }

    #[test]
    fn there_are_two_formats() {
        for (format, expected) in [
            ("Pfx", Some(false)),
            ("pEM", Some(true)),
            (" pem ", Some(true)),
            ("0", Some(false)),
            ("1", Some(true)),
            ("2", None),
            ("der", None),
            ("", None),
        ] {
            assert_eq!(is_pem(format), expected, "{format}");
        }
        let refused = Err(Refusal::UnknownFormat("der".to_owned()));
        assert_eq!(planned("-ep f --format der"), refused);
        // A password that is to be left away wants the name of the format.
        assert_eq!(planned("-ep f --format 1 -np"), Err(Refusal::Incompatible));
    }
}
