//! Where ours is to differ, and why. docs/deviations.md says the same to users.

use serde_json::{Value, json};

/// What differs at every step: the tool's name; and exceptions, of which ours has the message
/// only, because users are shown no stack traces.
pub(super) fn everywhere(expected: &mut Value) {
    for stream in ["stdout", "stderr"] {
        let text = expected[stream].as_str().unwrap_or_default();
        let text = text.replace("dotnet dev-certs", "kestrel dev-certs");
        expected[stream] = Value::from(without_exceptions(&text));
    }
}

/// A text whose exceptions are told by their message.
fn without_exceptions(text: &str) -> String {
    let inner = |line: &&str| line.starts_with(" ---> ") || line.starts_with("   ");
    let mut lines = Vec::new();
    let mut in_exception = false;
    for line in text.lines() {
        if in_exception && inner(&line) {
            continue;
        }
        in_exception = false;
        match line
            .split_once(": System.")
            .and_then(|(what, rest)| Some((what, rest.split_once(": ")?)))
        {
            Some((what, (kind, message))) if kind.ends_with("Exception") => {
                in_exception = true;
                lines.push(format!("{what}: {message}"));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    let end = if text.ends_with('\n') { "\n" } else { "" };
    lines.join("\n") + end
}

/// Changes what is expected of a step to what we mean; `false` if we mean the same.
pub(super) fn here(id: &str, expected: &mut Value) -> bool {
    match id.trim_start_matches("dev-certs-") {
        // The help has one option more, which is ours.
        "004" | "005" => {
            let text = expected["stdout"].as_str().unwrap_or_default();
            let text = text.replace(
                "  -v|--verbose  ",
                "  --system                        Together with --trust, as root: has the whole machine trust the certificate, by update-ca-certificates. --clean undoes it.\n  -v|--verbose  ",
            );
            expected["stdout"] = Value::from(text);
        }
        // A PKCS#12 file is encrypted with AES and sealed with SHA-256, each with as many turns
        // as .NET takes for keys in PEM form; .NET writes 3DES and SHA-1 here.
        "076" | "077" | "078" | "093" | "096" | "099" | "100" | "101" | "120" | "121" | "125" => {
            better_encryption(expected);
        }
        // The key would take the place of its certificate.
        "088" => {
            let told = "There was an error exporting the HTTPS developer certificate to a file.\n  '{work}/l.key' is the file its key would be written to, too.\n  fix: name the certificate '{work}/l.pem'\n";
            set(expected, json!({"exit": 3, "stdout": told, "stderr": ""}));
            set(expected, json!({"files": null, "note": {"{work}/l.key": null}}));
        }
        // What is wrong with a command line is named.
        "006" | "007" => add(expected, "stderr", "Unrecognized option '--version'.\n"),
        "008" => add(expected, "stderr", "Unrecognized command or argument 'nosuch'.\n"),
        "009" => add(expected, "stderr", "Unrecognized option '--nosuch'.\n"),
        "010" => add(expected, "stderr", "Unrecognized command or argument 'extra'.\n"),
        "011" => add(expected, "stderr", "Unrecognized option '-x'.\n"),
        "012" => add(
            expected,
            "stderr",
            "The option '--check' belongs to a command.\n  fix: kestrel dev-certs https --check\n",
        ),
        "013" => add(
            expected,
            "stderr",
            "Unrecognized command or argument 'http'.\n  fix: did you mean https?\n",
        ),
        "117" => add(expected, "stderr", "The option '-ep' needs a value.\n"),
        "118" => {
            add(expected, "stderr", "Unrecognized option '-ct'.\n  fix: write -c -t\n");
        }
        "119" => add(expected, "stderr", "The option '--check' takes no value.\n"),
        "122" => {
            add(expected, "stderr", "Unrecognized option '/check'.\n  fix: did you mean --check?\n")
        }
        "123" => add(
            expected,
            "stderr",
            "Unrecognized option '--CHECK'.\n  fix: did you mean --check?\n",
        ),
        "124" => add(expected, "stderr", "Unrecognized option '-C'.\n"),
        // A failure is told with its cause.
        "097" => add(expected, "stdout", "  {work}/folder: it is a directory\n"),
        "098" => add(expected, "stdout", "  the path is empty\n"),
        // What is to be imported is read before anything is removed.
        "129" | "133" => not_imported(expected, "  the password is not that of the file\n"),
        "132" => not_imported(expected, "  it is not a PKCS#12 (PFX) file\n"),
        "131" | "134" => not_imported(expected, ""),
        "130" => {
            let told = "A valid certificate was found: {THUMB1} - CN=localhost - Valid from {time} to {time} - IsHttpsDevelopmentCertificate: true - IsExportable: true\nRun the command with both --check and --trust options to ensure that the certificate is not only valid but also trusted.\n";
            set(expected, json!({"exit": 0, "stdout": told}));
        }
        "135" => {
            let store = "{home}/.dotnet/corefx/cryptography/x509stores/my";
            set(expected, json!({"gone": [format!("{store}/{{THUMB1}}.pfx")]}));
        }
        // DOTNET_CLI_HOME is a variable of the program that starts .NET's tool, and not ours.
        "178" => {
            let told = "The user's home directory could not be determined. Set the 'HOME' environment variable to specify the directory to use.\n  {work}/nohome is not a directory\n";
            set(expected, json!({"stderr": told}));
        }
        "180" => {
            if let Value::Object(files) = &mut expected["files"] {
                files.retain(|name, _| !name.starts_with("{work}/clihome/"));
            }
        }
        _ => return false,
    }
    true
}

/// Sets members, and takes away those that are null.
fn set(expected: &mut Value, members: Value) {
    let (Value::Object(all), Value::Object(members)) = (expected, members) else { return };
    for (name, value) in members {
        if value.is_null() {
            all.remove(&name);
        } else {
            all.insert(name, value);
        }
    }
}

/// Adds lines to what is told.
fn add(expected: &mut Value, stream: &str, lines: &str) {
    let told = expected[stream].as_str().unwrap_or_default();
    expected[stream] = Value::from(format!("{told}{lines}"));
}

fn not_imported(expected: &mut Value, reason: &str) {
    let told = expected["stderr"].as_str().unwrap_or_default();
    let told = format!("{told}{reason}  Nothing was removed.\n");
    set(expected, json!({"stdout": "", "stderr": told, "gone": null}));
}

fn better_encryption(expected: &mut Value) {
    if let Value::Object(files) = &mut expected["files"] {
        for (_, file) in files.iter_mut().filter(|(_, file)| file["size"] == 2575) {
            file["size"] = json!(2732);
        }
    }
    if let Value::Object(notes) = &mut expected["note"] {
        for note in notes.values_mut() {
            let password = note[0].clone();
            *note = json!([
                password,
                "MAC: sha256, Iteration 100000",
                "MAC length: 32, salt length: 32",
                "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256",
                "Certificate bag",
                "PKCS7 Data",
                "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256",
            ]);
        }
    }
}

pub(super) fn check() {
    let text = "[1] a\n[7] An error: System.X.YException: No.\n ---> System.Z: no\n   --- End\n   at {frame}\nb\n";
    assert_eq!(without_exceptions(text), "[1] a\n[7] An error: No.\nb\n");
    assert_eq!(
        without_exceptions("a: System.Net.Http.HttpClient.\n    1) x"),
        "a: System.Net.Http.HttpClient.\n    1) x"
    );
}
