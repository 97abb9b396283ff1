//! Which source wins, as seen from outside.

use std::process::Command;

use crate::process::Kestrel;

/// The address of the only planned endpoint.
fn planned(kestrel: Kestrel) -> String {
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    // Who lost may be told there, but no mistake.
    assert!(!outcome.stderr.contains("error: "), "{}", outcome.stderr);
    outcome.stdout.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn each_source_of_urls_beats_the_weaker_ones() {
    let file = |name: &str| format!("{{ \"Urls\": \"http://127.0.0.1:{name}\" }}");
    // All sources, strongest first; each time the strongest is taken away.
    let sources = ["argument", "variable", "environment file", "file", "DOTNET_", "ASPNETCORE_"];
    for (stronger, source) in sources.iter().enumerate() {
        let urls = |port: usize| format!("http://127.0.0.1:{port}");
        let mut arguments = vec!["run", "--plan"];
        let argument = urls(1);
        if stronger == 0 {
            arguments.extend(["--urls", &*argument]);
        }
        let mut kestrel = Kestrel::new(arguments).variable("ASPNETCORE_URLS", &urls(6));
        if stronger <= 1 {
            kestrel = kestrel.variable("URLS", &urls(2));
        }
        if stronger <= 2 {
            kestrel = kestrel.file("appsettings.Production.json", &file("3"));
        }
        if stronger <= 3 {
            kestrel = kestrel.file("appsettings.json", &file("4"));
        }
        if stronger <= 4 {
            kestrel = kestrel.variable("DOTNET_URLS", &urls(5));
        }
        assert_eq!(planned(kestrel), urls(stronger + 1), "{source}");
    }
}

#[test]
fn every_form_of_a_setting_is_read() {
    let url = "http://127.0.0.1:7";
    let both = format!("--urls={url}");
    for arguments in [
        &["--urls", url][..],
        &[&*both],
        &["/urls", url],
        &[&*both.replace("--", "/")],
        &[&*both.replace("--", "")],
        &[&*both.replace("urls", "URLS")],
    ] {
        let all = ["run", "--plan"].into_iter().chain(arguments.iter().copied());
        assert_eq!(planned(Kestrel::new(all)), url, "{arguments:?}");
    }
}

#[test]
fn a_file_may_have_comments_trailing_commas_and_a_byte_order_mark() {
    let text = "\u{feff}{\n // here\n \"urls\": \"http://127.0.0.1:8\", /* and there */\n}\n";
    let kestrel = Kestrel::new(["run", "--plan"]).file("appsettings.json", text);
    assert_eq!(planned(kestrel), "http://127.0.0.1:8");
}

#[test]
fn the_content_root_is_where_the_files_are() {
    let other = tempfile::tempdir().expect("a folder");
    let text = r#"{ "urls": "http://127.0.0.1:9" }"#;
    std::fs::write(other.path().join("appsettings.json"), text).expect("the folder is ours");
    let path = other.path().to_str().expect("a path of letters");
    let kestrel = Kestrel::new(["run", "--plan", "--contentRoot", path])
        .file("appsettings.json", r#"{ "urls": "http://127.0.0.1:10" }"#);
    assert_eq!(planned(kestrel), "http://127.0.0.1:9");
}

#[test]
fn the_port_of_a_process_manager_is_bound_on_ipv4() {
    let kestrel = Kestrel::new(["run", "--plan", "--urls", "http://127.0.0.1:11"])
        .variable("ASPNETCORE_PORT", "12")
        .variable("ASPNETCORE_APPL_PATH", "/")
        .variable("ASPNETCORE_TOKEN", "t");
    assert_eq!(planned(kestrel), "http://127.0.0.1:12");
}

#[test]
fn strict_passes_what_has_nothing_odd() {
    let running = Kestrel::run(["--strict"])
        .file("appsettings.json", r#"{ "MyApp": { "Colour": "blue" }, "AllowedHosts": "*" }"#)
        .started();
    assert_eq!(running.terminated().code, Some(0));
}

/// Runs it under `--strict`, where a warning is the end, and gives what it said.
fn refused_strictly(kestrel: Kestrel) -> String {
    let outcome = kestrel.ended();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    outcome.stderr
}

#[test]
fn a_folder_in_the_place_of_a_file_is_told() {
    for name in ["appsettings.json", "appsettings.Production.json"] {
        let kestrel = Kestrel::run(["--strict"]);
        let path = kestrel.root().join(name);
        std::fs::create_dir(&path).expect("the folder is ours");
        let told = refused_strictly(kestrel);
        let first = format!("error: {} is a folder, and not read.\n", path.display());
        assert!(told.starts_with(&first) && told.contains("Docker"), "{told}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_told_with_what_it_names() {
    let kestrel = Kestrel::run(["--strict"]);
    let path = kestrel.root().join("appsettings.json");
    std::os::unix::fs::symlink("../gone/settings.json", &path).expect("the folder is ours");
    let told = refused_strictly(kestrel);
    let first = format!("error: {} is a link that leads nowhere, and not read.\n", path.display());
    assert!(told.starts_with(&first) && told.contains("It names ../gone/settings.json"), "{told}");
}

#[test]
fn a_file_in_another_case_is_told() {
    // Where case is not told apart, it is the file itself.
    let probe = tempfile::tempdir().expect("a folder");
    std::fs::write(probe.path().join("a"), "").expect("the folder is ours");
    let case_counts = !probe.path().join("A").exists();
    for (beside, name, fix) in [
        (None, "AppSettings.json", "fix: rename it: mv AppSettings.json appsettings.json\n"),
        (Some("appsettings.json"), "AppSettings.json", "fix: put the settings into one of them"),
        (
            None,
            "AppSettings.Production.json",
            "fix: rename it: mv AppSettings.Production.json appsettings.Production.json\n",
        ),
    ] {
        let mut kestrel = Kestrel::run(["--strict"]).file(name, "{}");
        if let Some(beside) = beside {
            kestrel = kestrel.file(beside, "{}");
        }
        if !case_counts {
            assert_eq!(kestrel.started().terminated().code, Some(0));
            continue;
        }
        let told = refused_strictly(kestrel);
        assert!(told.starts_with(&format!("error: The file {name} is not read.\n")), "{told}");
        assert!(told.contains(fix), "{told}");
    }
}

#[test]
fn a_working_directory_that_is_gone_is_called_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = folder.path().join("gone");
    std::fs::create_dir(&gone).expect("the folder is ours");
    let binary = env!("CARGO_BIN_EXE_kestrel");
    let started_in_it = |arguments: &str| {
        let mut shell = Command::new("/bin/sh");
        let script =
            format!("cd '{0}' && rmdir '{0}' && exec '{binary}' run {arguments}", gone.display());
        shell.args(["-c", &script]);
        std::fs::create_dir_all(&gone).expect("the folder is ours");
        Kestrel::by(shell)
    };
    let outcome = started_in_it("--urls http://127.0.0.1:0").ended();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let first = "error: The working directory is gone, and the content root with it.\n";
    assert!(outcome.stderr.starts_with(first), "{}", outcome.stderr);
    // Another content root is all it takes.
    let root = folder.path().display();
    let running = started_in_it(&format!("--urls http://127.0.0.1:0 --contentRoot '{root}'"));
    assert_eq!(running.started().terminated().code, Some(0));
}

#[test]
fn a_content_root_that_may_not_be_entered_is_called_so() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let folder = tempfile::tempdir().expect("a folder");
    let (closed, below) = (folder.path().join("closed"), folder.path().join("closed/below"));
    std::fs::create_dir_all(&below).expect("the folder is ours");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(folder.path(), mode(0o755)).expect("the folder is ours");
    // One may list it, and nothing more.
    std::fs::set_permissions(&closed, mode(0o744)).expect("the folder is ours");
    let root = std::fs::metadata(folder.path()).expect("it is there").uid() == 0;
    if !root {
        // Its owner is asked first.
        std::fs::set_permissions(&closed, mode(0o644)).expect("the folder is ours");
    }
    // A copy: the folder of the binary may be closed to others, too.
    let binary = folder.path().join("kestrel");
    std::fs::copy(env!("CARGO_BIN_EXE_kestrel"), &binary).expect("the folder is ours");
    for content_root in [&closed, &below] {
        let mut command = Command::new(&binary);
        command.args(["run", "--plan", "--contentRoot"]).arg(content_root);
        if root {
            // Root may enter anything.
            command.uid(65534).gid(65534);
        }
        let outcome = Kestrel::by(command).in_folder("/").ended();
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        let first = format!(
            "error: The content root {}/ cannot be entered: Permission denied",
            content_root.display()
        );
        assert!(outcome.stderr.starts_with(&first), "{}", outcome.stderr);
        let door = format!("may not enter {}.\n", closed.display());
        assert!(outcome.stderr.contains(&door), "{}", outcome.stderr);
    }
    std::fs::set_permissions(&closed, mode(0o755)).expect("the folder is ours");
}

#[test]
fn an_environment_that_cannot_name_a_file_is_refused() {
    for (name, shown) in [
        ("../other", "../other"),
        ("a\\b", "a\\\\b"),
        ("Production\n", "Production\\n"),
        ("\u{1b}[31m", "\\u{1b}[31m"),
    ] {
        let outcome = Kestrel::run([]).variable("ASPNETCORE_ENVIRONMENT", name).ended();
        assert_eq!(outcome.code, Some(3), "{name:?} {outcome:?}");
        let first = format!("error: The environment '{shown}' cannot name a file.\n");
        assert!(outcome.stderr.starts_with(&first), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("environment variable ASPNETCORE_ENVIRONMENT"));
    }
}

#[test]
fn an_environment_that_is_spelled_oddly_is_told() {
    for (name, fix) in [
        ("\"Production\"", "fix: write Production alone"),
        (" Staging", "fix: write Staging alone"),
        ("Developement", "fix: did you mean Development?"),
    ] {
        let told = refused_strictly(Kestrel::run(["--strict", "--environment", name]));
        assert!(told.contains(fix), "{told}");
    }
    // One that has a file is meant, and so is one that is like none of .NET's.
    let meant = Kestrel::run(["--strict", "--environment", "Developement"])
        .file("appsettings.Developement.json", "{}");
    assert_eq!(meant.started().terminated().code, Some(0));
    let own = Kestrel::run(["--strict", "--environment", "a b"]);
    assert_eq!(own.started().terminated().code, Some(0));
}

#[test]
fn a_variable_of_ours_that_is_no_text_is_told_and_another_is_not() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let with = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kestrel"));
        command.args(["run", "--strict", "--urls", "http://127.0.0.1:0"]);
        Kestrel::by(command).bytes(name, OsStr::from_bytes(b"http://\xff"))
    };
    let told = refused_strictly(with("ASPNETCORE_URLS"));
    let expected = "error: The variable ASPNETCORE_URLS is no text, and left out.\n  \
                    Its name or its value is not UTF-8.\n  \
                    set by: environment variable ASPNETCORE_URLS\n  \
                    fix: set it again in UTF-8, or unset it\n";
    assert_eq!(told, expected);
    assert_eq!(with("LS_COLORS").started().terminated().code, Some(0));
}
