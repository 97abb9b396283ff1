use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::apps::child_process::options::{Listen, RunAs};
use crate::configuration::{Inputs, load};

/// What is read of these settings of the section, in a content root with some files.
struct Read {
    folder: tempfile::TempDir,
    options: Option<ChildOptions>,
    problems: Vec<Problem>,
    cannot_start: Vec<Problem>,
    shown: Vec<String>,
}

fn read_of(settings: &[&str]) -> Read {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir(root.join("bin")).unwrap();
    for file in ["app.py", "bin/shop", "bin/python3", "bin/notes.txt"] {
        std::fs::write(root.join(file), "").unwrap();
        #[cfg(unix)]
        if file.starts_with("bin/") && !file.ends_with(".txt") {
            use std::os::unix::fs::PermissionsExt as _;

            let all = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(root.join(file), all).unwrap();
        }
    }
    let arguments = settings.iter().map(|it| format!("--AspNetCore:{it}")).enumerate().collect();
    let inputs = Inputs {
        arguments,
        variables: vec![("PATH".to_owned(), root.join("bin").display().to_string())],
        current_directory: root.to_owned(),
        ..Inputs::default()
    };
    let loaded = load(&inputs);
    let mut problems = Vec::new();
    let read = read(&loaded, None, &mut problems);
    let cannot_start = read.as_ref().map_or_else(Vec::new, |it| cannot_start(&loaded, &it.value));
    let shown = read.iter().flat_map(|it| &it.shown).map(|it| it.value.clone()).collect();
    let options = read.map(|it| it.value);
    Read { folder, options, problems, cannot_start, shown }
}

/// The same of a section that is right.
fn options_of(settings: &[&str]) -> ChildOptions {
    let Read { options, problems, cannot_start, .. } = read_of(settings);
    assert_eq!((&problems, &cannot_start), (&vec![], &vec![]), "{settings:?}");
    options.expect("a program is named")
}

const PYTHON: &str = "ProcessPath=python3";

#[test]
fn a_program_alone_has_the_defaults_of_the_module() {
    let Read { folder, options, problems, cannot_start, .. } = read_of(&[PYTHON]);
    assert_eq!((problems, cannot_start), (vec![], vec![]));
    let root = folder.path();
    let expected = ChildOptions {
        program: root.join("bin/python3"),
        shown_arguments: vec![],
        arguments: vec![],
        working_directory: root.to_owned(),
        variables: vec![],
        clears_environment: false,
        listen: Listen::Port,
        speaks_http2: false,
        health: None,
        startup_time_limit: Duration::from_secs(120),
        shutdown_time_limit: Duration::from_secs(10),
        rapid_fails_per_minute: 10,
        request_timeout: Duration::from_secs(120),
        request_queue_limit: 1000,
        processes: 1,
        output_file: None,
        watch: vec![],
        recycle: Recycle::default(),
        run_as: None,
        umask: None,
        limits: ResourceLimits::default(),
        path_base: "/".to_owned(),
        offline_page: root.join("app_offline.htm"),
        shows_details: false,
        site: None,
    };
    assert_eq!(options, Some(expected));
}

#[test]
fn nothing_runs_that_is_not_named_or_is_off() {
    assert!(read_of(&[]).options.is_none());
    for settings in [&["Enabled=false"][..], &[PYTHON, "Enabled=false", "Arguments=app.py"]] {
        let Read { options, problems, .. } = read_of(settings);
        assert!(options.is_none() && problems.is_empty(), "{settings:?} {problems:?}");
    }
    for settings in [&["Enabled=true"][..], &["Arguments=app.py"], &["ProcessPath="]] {
        let Read { options, problems, .. } = read_of(settings);
        assert!(options.is_none(), "{settings:?}");
        let [problem] = &problems[..] else { panic!("{settings:?}: {problems:?}") };
        assert!(problem.message.contains("'AspNetCore:ProcessPath' is missing"), "{problem}");
    }
}

#[test]
fn everything_can_be_said() {
    let options = options_of(&[
        "ProcessPath=bin/shop",
        "Arguments:0=--listen",
        "Arguments:1={socket}",
        "Arguments:2=a b",
        "WorkingDirectory=bin",
        "EnvironmentVariables:DEBUG=1",
        "EnvironmentVariables:App_Name=shop",
        "ClearEnvironment=true",
        "HttpVersion=2",
        "Health=/up?full=1",
        "StartupTimeLimit=30",
        "ShutdownTimeLimit=00:01:30",
        "RapidFailsPerMinute=0",
        "RequestTimeout=360:00:00",
        "RequestQueueLimit=7",
        "ProcessesPerApplication=4",
        "StdoutLogEnabled=true",
        "StdoutLogFile=logs/out",
        "Watch:0=app.py",
        "Watch:1=/etc/hosts",
        "Recycle:Time=1.00:00:00",
        "Recycle:Memory=512MiB",
        "Recycle:Requests=100000",
        "Umask=027",
        "Limits:OpenFiles=4096",
        "Limits:Memory=1GB",
        "Limits:Processes=64",
        "Limits:CoreSize=0",
        "ForwardWindowsAuthToken=false",
        "HostingModel=outofprocess",
    ]);
    let root = options.working_directory.parent().unwrap().to_owned();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = ChildOptions {
        program: root.join("bin/shop"),
        shown_arguments: ["--listen", "{socket}", "a b"].map(str::to_owned).to_vec(),
        arguments: ["--listen", "{socket}", "a b"].map(str::to_owned).to_vec(),
        working_directory: root.join("bin"),
        variables: vec![pair("App_Name", "shop"), pair("DEBUG", "1")],
        clears_environment: true,
        listen: Listen::Socket,
        speaks_http2: true,
        health: Some("/up?full=1".to_owned()),
        startup_time_limit: Duration::from_secs(30),
        shutdown_time_limit: Duration::from_secs(90),
        rapid_fails_per_minute: 0,
        request_timeout: Duration::from_secs(360 * 3600),
        request_queue_limit: 7,
        processes: 4,
        output_file: Some(root.join("logs/out")),
        watch: vec![root.join("app.py"), PathBuf::from("/etc/hosts")],
        recycle: Recycle {
            time: Some(Duration::from_secs(86_400)),
            memory: Some(512 << 20),
            requests: Some(100_000),
        },
        run_as: None,
        umask: Some(0o27),
        limits: ResourceLimits {
            open_files: Some(4096),
            memory: Some(1_000_000_000),
            processes: Some(64),
            core_size: Some(0),
        },
        path_base: "/".to_owned(),
        offline_page: root.join("bin/app_offline.htm"),
        shows_details: false,
        site: None,
    };
    assert_eq!(options, expected);
}

#[test]
fn what_it_listens_on_is_said_or_follows_from_what_it_is_given() {
    for (settings, listen) in [
        (&["Arguments=app.py {port}"][..], Listen::Port),
        (&["Arguments=app.py {socket}"], Listen::Socket),
        (&["EnvironmentVariables:LISTEN=unix:{socket}"], Listen::Socket),
        (&["Listen=Socket", "Arguments={url}"], Listen::Socket),
        (&["Listen=port", "Arguments={url}"], Listen::Port),
        (&["Listen=3000", "Arguments={port}"], Listen::ThisPort(3000)),
        // Braces that are the program's own.
        (&[r#"Arguments='{"a": 1}' {} {x} {portal-of-the-shop}"#], Listen::Port),
    ] {
        let settings: Vec<_> = settings.iter().copied().chain([PYTHON]).collect();
        assert_eq!(options_of(&settings).listen, listen, "{settings:?}");
    }
}

#[test]
fn what_cannot_be_is_told_with_what_to_write() {
    let times = "write 00:00:00 to 01:00:00, or 0 to 3600 seconds";
    for (setting, fix) in [
        ("Commandline=x", "remove it; AspNetCore has Enabled"),
        ("ProcesPath=x", "did you mean AspNetCore:ProcessPath?"),
        ("Limits:Time=1", "remove it; AspNetCore:Limits has OpenFiles, Memory"),
        ("command=x", "did you mean AspNetCore:ProcessPath?"),
        ("cwd=x", "did you mean AspNetCore:WorkingDirectory?"),
        ("env:A=b", "did you mean AspNetCore:EnvironmentVariables?"),
        ("Limits:OpenFile=3", "did you mean AspNetCore:Limits:OpenFiles?"),
        ("Recycle:Requests=0", "write a whole number, 1 or more"),
        ("StartupTimeLimit=3601", times),
        ("StartupTimeLimit=01:00:01", times),
        ("StartupTimeLimit=-00:00:01", times),
        ("StartupTimeLimit=30s", "write 00:00:30, which is hours:minutes:seconds"),
        ("ShutdownTimeLimit=601", "write 00:00:00 to 00:10:00, or 0 to 600 seconds"),
        ("RequestTimeout=361:00:00", "write 00:00:00 to 15.00:00:00, or 0 to 1296000 seconds"),
        ("RapidFailsPerMinute=101", "write a whole number from 0 to 100"),
        ("ProcessesPerApplication=0", "write a whole number from 1 to 100"),
        ("HttpVersion=3", "write 1.1 or 2"),
        ("Health=up", "write a path that begins with a slash, such as /healthz"),
        ("Umask=9", "write three octal digits"),
        ("Limits:Memory=much", "write a number of bytes, or a size with its unit, such as 512MiB"),
        ("Listen=0", "write port for one that is free"),
        ("Listen=65536", "write port for one that is free, a number"),
        ("Arguments={Port}", "did you mean {port}?"),
        ("Arguments=a 'b", "close it, or write the arguments as a list"),
        ("HostingModel=InProcess", "set HostingModel to OutOfProcess, or remove it"),
        ("HostingModel=inproc", "write OutOfProcess, or remove it"),
        ("ForwardWindowsAuthToken=true", "set it to false, or remove it"),
        ("Watch=true", "name files and folders"),
        ("Watch=apps", "name a file or a folder, from the content root on"),
        ("Watch:0=app.pu", "name a file or a folder, from the content root on"),
        ("Arguments:0:0=app.py", "write each argument as a text of its own"),
        ("EnvironmentVariables:0=A=b", "write \"EnvironmentVariables\": { \"NAME\""),
        ("EnvironmentVariables:0:name=A", "write \"EnvironmentVariables\": { \"NAME\""),
        (
            "EnvironmentVariables:Log:Level=1",
            "write a text; where the name has parts, write them with two underscores, such as Log__Level",
        ),
        ("Group=0", "write AspNetCore:User, or remove AspNetCore:Group"),
        ("User=", "name the account, or remove the key"),
    ] {
        let Read { problems, .. } = read_of(&[PYTHON, setting]);
        let [problem] = &problems[..] else { panic!("{setting}: {problems:?}") };
        let told = problem.fix.as_deref().unwrap_or_default();
        assert!(told.starts_with(fix), "{setting}: {told}");
        assert!(problem.key.is_some() && problem.origin.is_some(), "{setting}");
    }
}

#[test]
fn what_names_an_address_that_is_not_there_is_an_error() {
    for settings in [
        &["Listen=socket", "Arguments=app.py {port}"][..],
        &["Listen=port", "Arguments:0={socket}"],
        &["Listen=3000", "EnvironmentVariables:A={socket}"],
        &["Arguments={socket} {port}"],
        &["Listen=3000", "ProcessesPerApplication=2"],
    ] {
        let settings: Vec<_> = settings.iter().copied().chain([PYTHON]).collect();
        let Read { problems, .. } = read_of(&settings);
        assert!(problems.len() == 1 && problems[0].is_error(), "{settings:?} {problems:?}");
    }
}

#[test]
fn what_windows_does_not_have_can_be_told() {
    let settings = ["Limits:OpenFiles=100", "Umask=027", "Recycle:Memory=1GB", "User="];
    let arguments = settings.map(|it| format!("--AspNetCore:{it}")).into_iter().enumerate();
    let loaded = load(&Inputs { arguments: arguments.collect(), ..Inputs::default() });
    let problems = other_systems::missing_keys(&loaded.configuration);
    let keys: Vec<_> = problems.iter().filter_map(|it| it.key.as_deref()).collect();
    let expected = ["Umask", "Limits:OpenFiles", "Recycle:Memory"];
    assert_eq!(keys, expected.map(|name| format!("AspNetCore:{name}")));
    assert!(problems.iter().all(|it| it.origin.is_some() && it.fix.is_some()), "{problems:?}");
}

#[test]
fn what_is_run_is_watched() {
    for (settings, watched) in [
        (&[PYTHON, "Arguments=-u app.py", "Watch=true"][..], &["app.py"][..]),
        (&["ProcessPath=bin/shop", "Watch=true"], &["bin/shop"]),
        (&["ProcessPath=bin/shop", "Watch=bin"], &["bin"]),
        (&["ProcessPath=bin/shop", "Watch=true", "Watch:0=bin"], &["bin", "bin/shop"]),
        (&[PYTHON, "Arguments=app.py", "Watch=true", "Watch:0=app.py"], &["app.py"]),
        (&["ProcessPath=bin/shop", "Watch=false"], &[]),
    ] {
        let options = options_of(settings);
        let root = options.working_directory.clone();
        let expected: Vec<_> = watched.iter().map(|it| root.join(it)).collect();
        assert_eq!(options.watch, expected, "{settings:?}");
    }
}

#[cfg(unix)]
#[test]
fn what_can_never_start_is_told_apart() {
    for (settings, told, fix) in [
        (&["ProcessPath=pyhton3"][..], "There is no program 'pyhton3'.", "did you mean python3?"),
        (&["ProcessPath=bin/shpo"], "There is no program 'bin/shpo'.", "did you mean bin/shop?"),
        (&["ProcessPath=zzz"], "There is no program 'zzz'.", "install it"),
        (&["ProcessPath=/nowhere/at/all"], "There is no program", "write the path of its file"),
        (&["ProcessPath=bin/notes.txt"], "may not be run by anybody.", "let it be run: chmod +x"),
        (&["ProcessPath=./bin"], "is a folder.", "name the file in it"),
        (&[PYTHON, "WorkingDirectory=src"], "is not there.", "create it"),
        (&[PYTHON, "WorkingDirectory=app.py"], "is no folder.", "name the folder"),
        (&[PYTHON, "Limits:OpenFiles=99999999999"], "more than the", "write "),
    ] {
        let Read { problems, cannot_start, .. } = read_of(settings);
        assert_eq!(problems, [], "{settings:?}");
        let [problem] = &cannot_start[..] else { panic!("{settings:?}: {cannot_start:?}") };
        assert!(problem.message.contains(told), "{settings:?}: {problem}");
        assert!(problem.fix.as_deref().is_some_and(|it| it.starts_with(fix)), "{problem}");
    }
}

#[cfg(unix)]
#[test]
fn another_user_has_its_own_group_and_takes_root() {
    let read = read_of(&[PYTHON, "User=root"]);
    assert_eq!(read.problems, []);
    let run_as = read.options.and_then(|it| it.run_as);
    assert_eq!(run_as, Some(RunAs { name: "root".to_owned(), user: 0, group: 0 }));
    let is_root = nix::unistd::Uid::effective().is_root();
    assert_eq!(read.cannot_start.is_empty(), is_root, "{:?}", read.cannot_start);
    for settings in [
        &[PYTHON, "User=no such account", "Group=nobody's"],
        // -1, which the system takes for no change.
        &[PYTHON, "User=4294967295", "Group=4294967295"],
    ] {
        let read = read_of(settings);
        assert_eq!(read.problems.len(), 2, "{:?}", read.problems);
    }
}

#[test]
fn no_secret_is_shown() {
    let shown = read_of(&[
        PYTHON,
        "Arguments=app.py --password PW1 --api-key=PW2 --url http://u:PW3@db --pw PW6 --dsn=PW7 --auth PW8",
        "EnvironmentVariables:DB_PASSWORD=PW4",
        "EnvironmentVariables:DATABASE_URL=postgres://u:PW5@db",
        "EnvironmentVariables:PGPASS=PW9",
        "EnvironmentVariables:CONN=Server=db;Pwd=PWA",
        "EnvironmentVariables:LANG=C",
    ])
    .shown
    .join("\n");
    assert!(!shown.contains("PW"), "{shown}");
    for part in ["app.py --password", "--api-key=", "DB_PASSWORD=(hidden)", "LANG=C"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn what_only_a_shell_reads_is_told() {
    for (setting, fix) in [
        ("Arguments=app.py --port {port} && echo", "run a shell if one is meant: sh -c"),
        ("Arguments=app.py --port port", "did you mean {port}?"),
    ] {
        let Read { problems, .. } = read_of(&[PYTHON, setting]);
        let [problem] = &problems[..] else { panic!("{setting}: {problems:?}") };
        assert!(!problem.is_error(), "{setting}");
        assert!(problem.fix.as_deref().unwrap_or_default().starts_with(fix), "{problem:?}");
    }
    for (program, fix) in [
        ("ProcessPath=python3 app.py", "the blank stands between two words"),
        ("ProcessPath=cd", "it takes a shell"),
        ("ProcessPath=DEBUG=1", "it takes a shell"),
    ] {
        let Read { cannot_start, .. } = read_of(&[program]);
        let [problem] = &cannot_start[..] else { panic!("{program}: {cannot_start:?}") };
        assert!(problem.fix.as_deref().unwrap_or_default().starts_with(fix), "{problem:?}");
    }
}
