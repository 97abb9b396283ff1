//! `kestrel run` in a folder with files.

use crate::http::{asked, connect, get, nobody};
use crate::process::Kestrel;

#[test]
fn a_folder_is_served_where_there_is_one_and_nothing_else() {
    let kestrel = Kestrel::run(["--urls", "http://127.0.0.1:0"]);
    let root = kestrel.root();
    std::fs::create_dir(root.join("wwwroot")).expect("a folder");
    std::fs::write(root.join("wwwroot/index.html"), "hi\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    let answer = get(&address, "/", &[]);
    assert_eq!((answer.status, &*answer.body), (200, "hi\n"));
    let answer = get(&address, "/missing", &[]);
    assert_eq!((answer.status, &*answer.body), (404, ""));
    std::fs::write(root.join("wwwroot/404.html"), "gone\n").expect("a file");
    let answer = get(&address, "/missing", &[]);
    assert_eq!((answer.status, &*answer.body), (404, "gone\n"));
    running.terminated();
}

#[test]
fn a_page_for_a_status_keeps_it_and_where_there_is_none_the_answer_stays() {
    let kestrel = Kestrel::run([
        "--urls=http://127.0.0.1:0",
        "--proxy",
        &format!("/api/{{**rest}}=http://{}", nobody()),
        "--StatusCodePages:Enabled=true",
        "--StatusCodePages:ReExecute=/{0}.html",
        "--StaticFiles:Headers:*:Cache-Control=max-age=3600",
        "--RateLimiter:Enabled=true",
        "--RateLimiter:Policies:few:PermitLimit=1",
        "--RateLimiter:Policies:few:Window=01:00:00",
        "--RateLimiter:Policies:few:Paths:0=/few",
    ]);
    let root = kestrel.root().join("wwwroot");
    std::fs::create_dir(&root).expect("a folder");
    std::fs::write(root.join("404.html"), "nothing here\n").expect("a file");
    std::fs::write(root.join("502.html"), "out of order\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    let page = get(&address, "/502.html", &[]);
    assert_eq!((page.status, page.header("cache-control")), (200, Some("max-age=3600")));
    let tag = page.header("etag").expect("a tag");
    let unless = format!("If-None-Match: {tag}");
    for (what, headers) in [
        ("GET /api/x", &[][..]),
        ("POST /api/x", &[]),
        ("DELETE /api/x", &[]),
        ("GET /api/x", &["Accept: text/html"]),
        ("GET /api/x", &["Range: bytes=0-1"]),
        ("GET /api/x", &[&*unless]),
        ("PUT /api/x", &["If-Match: \"another\""]),
    ] {
        let answer = asked(connect(&address), "a.test", what, headers);
        let seen = (answer.status, &*answer.body);
        assert_eq!(seen, (502, "out of order\n"), "{what} {headers:?}");
        // What is true of the file is not of what was asked for.
        for name in ["etag", "last-modified", "accept-ranges", "cache-control"] {
            assert_eq!(answer.header(name), None, "{what} {headers:?}");
        }
    }
    let answer = asked(connect(&address), "a.test", "HEAD /api/x", &[]);
    assert_eq!((answer.status, answer.header("content-length")), (502, Some("13")));
    let answer = get(&address, "/api/x", &["Accept: application/json"]);
    assert!(answer.body.contains("\"status\":502"), "{}", answer.body);
    for (path, status, body) in
        [("/few", 404, "nothing here\n"), ("/few", 503, ""), ("/missing", 404, "nothing here\n")]
    {
        let answer = get(&address, path, &[]);
        assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "{}", answer.head);
    }
    running.terminated();
}

#[test]
fn pages_for_statuses_of_which_none_is_there_are_told() {
    for (page, made, is_told) in [
        ("/{0}.html", "index.html", true),
        ("/errors/{0}.html?of={0}", "503.html", true),
        ("/{0}.html", "503.html", false),
        ("/error.html", "error.html", false),
        // It may be a folder's.
        ("/status/{0}/", "index.html", false),
    ] {
        let page = format!("--StatusCodePages:ReExecute={page}");
        let kestrel = Kestrel::new(["run", "--plan", "--StatusCodePages:Enabled=true", &page]);
        let root = kestrel.root().join("wwwroot");
        std::fs::create_dir(&root).expect("a folder");
        std::fs::write(root.join(made), "a page\n").expect("a file");
        let outcome = kestrel.ended();
        let told = "'StatusCodePages:ReExecute' has no effect: ";
        assert_eq!(outcome.stderr.contains(told), is_told, "{page}: {}", outcome.stderr);
    }
}

#[test]
fn signs_of_other_patterns_are_told_with_what_to_write() {
    for (pattern, told) in [
        ("*.{css, js}", "write one entry for each: *.css and *.js"),
        ("/a/*.{css,js}", "write one entry for each: /a/*.css and /a/*.js"),
        ("*.m?s", "'?' in the pattern '*.m?s' stands for itself"),
        ("*.[a-z]s", "'[' in the pattern '*.[a-z]s' stands for itself"),
        ("/pages/[slug]*.js", ""),
        ("*.js", ""),
    ] {
        let setting = format!("--StaticFiles:Headers:{pattern}:Cache-Control=no-cache");
        let kestrel = Kestrel::new(["run", "--plan", &setting]);
        std::fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
        let said = kestrel.ended().stderr;
        assert!(said.contains(told), "{pattern}: {said}");
        assert_eq!(said.contains("stands for itself"), !told.is_empty(), "{pattern}: {said}");
    }
}

#[test]
fn without_a_folder_or_with_files_off_there_is_the_welcome_page() {
    for settings in [&[][..], &["--StaticFiles:Enabled=false"]] {
        let arguments = ["--urls", "http://127.0.0.1:0"].iter().chain(settings).copied();
        let kestrel = Kestrel::run(arguments);
        if !settings.is_empty() {
            std::fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
        }
        let running = kestrel.started();
        let answer = get(&running.address(), "/", &[]);
        assert!(answer.status == 200 && answer.body.contains("environment"), "{}", answer.body);
        assert_eq!(get(&running.address(), "/index.html", &[]).status, 404);
        running.terminated();
    }
}

/// Asks until the answer has this status: the folder is looked up again after a second.
#[cfg(unix)]
fn until(address: &str, status: u16) {
    let began = std::time::Instant::now();
    while get(address, "/", &[]).status != status {
        assert!(began.elapsed().as_secs() < 30, "{status} does not come");
    }
}

#[cfg(unix)]
#[test]
fn a_site_whose_folder_is_away_while_it_is_reloaded_comes_back_with_it() {
    use nix::sys::signal::Signal;

    let kestrel =
        Kestrel::run(["--urls", "http://127.0.0.1:0", "--hostBuilder:reloadConfigOnChange=false"]);
    let root = kestrel.root();
    std::fs::create_dir(root.join("wwwroot")).expect("a folder");
    std::fs::write(root.join("wwwroot/index.html"), "hi\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    assert_eq!(get(&address, "/", &[]).status, 200);
    std::fs::rename(root.join("wwwroot"), root.join("away")).expect("it is there");
    until(&address, 404);
    std::fs::write(root.join("appsettings.json"), r#"{"Hsts":{"Enabled":true}}"#).expect("a file");
    running.signal(Signal::SIGHUP);
    running.wait_for("was read again on SIGHUP");
    let answer = get(&address, "/", &[]);
    assert_eq!((answer.status, &*answer.body), (404, ""), "it is no welcome page");
    std::fs::rename(root.join("away"), root.join("wwwroot")).expect("it is there");
    until(&address, 200);
    let said = running.terminated().stdout;
    let shown = root.join("wwwroot");
    let shown = shown.display();
    for told in [
        format!("warn: Kestrel.StaticFiles[4]\n      The web root {shown} is not there any more"),
        format!("The web root {shown} is not there: nothing is served from it."),
        format!("info: Kestrel.StaticFiles[5]\n      The web root {shown} is there, and served"),
    ] {
        assert_eq!(said.matches(&told).count(), 1, "{told}: {said}");
    }
    assert!(!said.contains("off now"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_reload_that_finds_a_site_does_not_say_that_nothing_changed() {
    use nix::sys::signal::Signal;

    let kestrel =
        Kestrel::run(["--urls", "http://127.0.0.1:0", "--hostBuilder:reloadConfigOnChange=false"]);
    let root = kestrel.root();
    let running = kestrel.started();
    std::fs::create_dir(root.join("wwwroot")).expect("a folder");
    running.signal(Signal::SIGHUP);
    running.wait_for("was read again on SIGHUP");
    let said = running.terminated().stdout;
    assert!(said.contains("+ static files: from "), "{said}");
    assert!(said.contains("on SIGHUP: it has changed, and is in effect."), "{said}");
}

#[test]
fn a_folder_that_is_made_while_the_host_runs_is_served() {
    let kestrel = Kestrel::run(["--urls", "http://127.0.0.1:0"]);
    let root = kestrel.root();
    std::fs::create_dir(root.join("new")).expect("a folder");
    std::fs::write(root.join("new/index.html"), "hi\n").expect("a file");
    let running = kestrel.started();
    let address = running.address();
    assert!(get(&address, "/", &[]).body.contains("environment"), "it is the welcome page");
    std::fs::rename(root.join("new"), root.join("wwwroot")).expect("it is there");
    running.wait_for("+ static files: from ");
    running.wait_for("404.html with 404");
    // The line is written once the stages are there.
    assert_eq!(get(&address, "/", &[]).body, "hi\n");
    running.terminated();
}

#[test]
fn a_folder_that_is_not_there_is_told_by_the_start_and_by_the_plan() {
    for (arguments, has_folder, is_told) in [
        (&[][..], false, true),
        (&[], true, false),
        // It is meant so, or made.
        (&["--StaticFiles:Enabled=false"], false, false),
        (&["--webroot=site"], false, false),
    ] {
        for plan in [&["--plan"][..], &[]] {
            let kestrel = Kestrel::run(arguments.iter().chain(plan).copied());
            let root = kestrel.root();
            if has_folder {
                std::fs::create_dir(root.join("wwwroot")).expect("a folder");
            }
            let outcome = kestrel.stopped_if_started();
            let told = format!("No site: {} is not there", root.join("wwwroot").display());
            let said = [outcome.stdout, outcome.stderr].concat();
            assert_eq!(said.contains(&told), is_told, "{arguments:?} {plan:?}: {said}");
        }
    }
}

#[test]
fn a_plan_shows_what_is_served_and_who_said_so() {
    let kestrel = Kestrel::new(["run", "--plan", "--DirectoryBrowser:Enabled=true"]);
    std::fs::create_dir(kestrel.root().join("wwwroot")).expect("a folder");
    let outcome = kestrel.ended();
    for line in [
        "  static files (set by built-in default, key webroot)\n",
        "    files at every path (default)\n",
        "    pages of folders at every path (set by command line, argument",
        "    404.html with 404, if it is there (default)\n",
    ] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
}

#[test]
fn settings_that_are_served_are_told() {
    let told = "The settings in ";
    for (root, is_told) in [(".", true), ("public", false)] {
        let settings = format!(r#"{{"webroot":"{root}"}}"#);
        let kestrel = Kestrel::new(["run", "--plan"]).file("appsettings.json", &settings);
        // Settings of a page, which is to read them.
        std::fs::create_dir(kestrel.root().join("public")).expect("a folder");
        std::fs::write(kestrel.root().join("public/appsettings.json"), "{}").expect("a file");
        let outcome = kestrel.ended();
        assert_eq!(outcome.stderr.contains(told), is_told, "{root}: {}", outcome.stderr);
    }
}

#[cfg(unix)]
#[test]
fn what_stands_in_the_place_of_a_web_root_is_told_and_not_that_it_is_missing() {
    let told = |arguments: &[&str], make: &dyn Fn(&std::path::Path)| {
        let kestrel = Kestrel::run(arguments.iter().copied());
        let root = kestrel.root();
        make(&root);
        let outcome = kestrel.stopped_if_started();
        let said = outcome.stdout + &outcome.stderr;
        said.replace(&root.display().to_string(), "{root}")
    };
    let file = |root: &std::path::Path| std::fs::write(root.join("wwwroot"), "").expect("a file");
    let link = |root: &std::path::Path| {
        std::os::unix::fs::symlink("nowhere", root.join("wwwroot")).expect("a link");
    };
    for (make, what) in
        [(&file as &dyn Fn(&std::path::Path), "no folder"), (&link, "a link that leads nowhere")]
    {
        for plan in [&["--plan"][..], &["--urls=http://127.0.0.1:0"]] {
            let said = told(plan, make);
            let expected = format!("No site: {{root}}/wwwroot is {what}, and a welcome page");
            assert!(said.contains(&expected) && !said.contains("is not there"), "{said}");
            let said = told(&[plan, &["--webroot=wwwroot"]].concat(), make);
            let expected = format!("cannot be created: {{root}}/wwwroot is {what}.");
            assert!(said.contains(&expected), "{said}");
            for other in ["does not exist", "can be asked for"] {
                assert!(!said.contains(other), "{said}");
            }
        }
    }
}
