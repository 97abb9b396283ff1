//! Which source wins, as seen from outside.

use crate::process::Kestrel;

/// The address of the only planned endpoint.
fn planned(kestrel: Kestrel) -> String {
    let outcome = kestrel.ended();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
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
