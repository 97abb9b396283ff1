//! The binary notices that its files change, whichever way they do, and goes over to what they say.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;

use crate::environment::skipped;
use crate::http::get;
use crate::process::{Kestrel, Running, taken_port};
use crate::rights::without_reserved_ports;

/// An endpoint on a free port, with settings beside it.
fn settings(names: &[&str], beside: &str) -> String {
    let endpoint = |name: &&str| format!(r#""{name}":{{"Url":"http://127.0.0.1:0"}}"#);
    let endpoints: Vec<_> = names.iter().map(endpoint).collect();
    format!(r#"{{"Kestrel":{{"Endpoints":{{{}}}}}{beside}}}"#, endpoints.join(","))
}

/// The binary with these settings in its folder, and that folder.
fn kestrel(settings: &str) -> (Kestrel, PathBuf) {
    let kestrel = Kestrel::new(["run"]).file("appsettings.json", settings);
    let root = kestrel.root();
    (kestrel, root)
}

/// Waits until an endpoint is added, and gives its address.
fn added(running: &Running) -> String {
    running.wait_for("\n      + ");
    let text = running.stdout();
    let line = text.lines().find_map(|line| line.strip_prefix("      + "));
    line.expect("it was waited for").to_owned()
}

fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("beside");
    fs::write(&beside, text).expect("the folder is ours");
    fs::rename(beside, path).expect("the folder is ours");
}

#[test]
fn a_file_that_is_written_or_replaced_is_read_again() {
    let edits: [fn(&Path, &str); 2] =
        [|path, text| fs::write(path, text).expect("the folder is ours"), replace];
    for edit in edits {
        for polling in ["0", "1", "TRUE"] {
            let (kestrel, root) = kestrel(&settings(&["A"], ""));
            let running = kestrel.variable("DOTNET_USE_POLLING_FILE_WATCHER", polling).started();
            let first = running.address();
            edit(&root.join("appsettings.json"), &settings(&["A", "B"], ""));
            let second = added(&running);
            for address in [&first, &second] {
                assert_eq!(get(address, "/", &[]).status, 200);
            }
            let outcome = running.terminated();
            let starting = "Config changed. Starting the following endpoints: 'http://127.0.0.1:0'";
            for told in [starting, &format!("\n      = {first}\n")] {
                assert!(outcome.stdout.contains(told), "{told}: {}", outcome.stdout);
            }
            assert!(!outcome.stdout.contains("Stopping the following"), "{}", outcome.stdout);
        }
    }
}

#[test]
fn a_file_that_appears_is_read() {
    for name in ["appsettings.json", "appsettings.Production.json"] {
        let kestrel = Kestrel::run([]);
        let root = kestrel.root();
        let running = kestrel.started();
        replace(&root.join(name), &settings(&["A"], ""));
        let second = added(&running);
        for address in [running.address(), second] {
            assert_eq!(get(&address, "/", &[]).status, 200);
        }
    }
}

#[test]
fn a_volume_that_is_swapped_as_kubernetes_does_it_is_read_again() {
    for polling in ["0", "1"] {
        let kestrel = Kestrel::new(["run"]).variable("DOTNET_USE_POLLING_FILE_WATCHER", polling);
        let root = kestrel.root();
        for (version, names) in [("..1", &["A"][..]), ("..2", &["A", "B"])] {
            fs::create_dir(root.join(version)).expect("the folder is ours");
            fs::write(root.join(version).join("appsettings.json"), settings(names, ""))
                .expect("the folder is ours");
        }
        symlink("..1", root.join("..data")).expect("the folder is ours");
        symlink("..data/appsettings.json", root.join("appsettings.json"))
            .expect("the folder is ours");
        let running = kestrel.started();
        // A new link takes the place of the old one, and the old volume goes.
        symlink("..2", root.join("..data_tmp")).expect("the folder is ours");
        fs::rename(root.join("..data_tmp"), root.join("..data")).expect("the folder is ours");
        fs::remove_dir_all(root.join("..1")).expect("the folder is ours");
        assert_eq!(get(&added(&running), "/", &[]).status, 200);
        drop(running);
    }
}

#[test]
fn what_is_wrong_is_told_and_the_next_good_edit_counts() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let path = root.join("appsettings.json");
    let running = kestrel.started();
    let address = running.address();
    for (text, told) in [
        ("{ nonsense".to_owned(), "set by: appsettings.json:1:3"),
        (
            settings(&["A"], r#","Logging":{"LogLevel":{"Default":"Loud"}}"#),
            "'Loud' is not supported",
        ),
        (settings(&[], ""), "The last endpoint is gone from the configuration"),
    ] {
        fs::write(&path, text).expect("the folder is ours");
        running.wait_for(told);
        assert_eq!(get(&address, "/", &[]).status, 200);
    }
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, settings(&["A", "B"], "")).expect("the folder is ours");
    assert_eq!(get(&added(&running), "/", &[]).status, 200);
    let outcome = running.terminated();
    let told =
        "crit: Microsoft.AspNetCore.Server.Kestrel[0]\n      Unable to reload configuration.\n";
    assert!(outcome.stdout.matches(told).count() >= 3, "{}", outcome.stdout);
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

/// Levels are the last to follow: not before the ports are bound, too.
#[test]
fn the_log_of_a_reload_that_is_refused_is_as_verbose_as_before() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let path = root.join("appsettings.json");
    let running = kestrel.started();
    let address = running.address();
    let verbose = r#","Logging":{"LogLevel":{"Default":"Debug"}}"#;
    // Somebody else has the port: the host itself, without a plan to give it up.
    let taken = format!(r#""B":{{"Url":"{address}"}},"#);
    let clash =
        settings(&["A"], verbose).replace(r#""Endpoints":{"#, &format!(r#""Endpoints":{{{taken}"#));
    replace(&path, &clash);
    running.wait_for(&format!("Unable to bind to '{address}' on config reload."));
    assert_eq!(get(&address, "/", &[]).status, 200);
    replace(&path, &settings(&["A", "B"], ""));
    added(&running);
    let outcome = running.terminated();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    assert!(!outcome.stdout.contains("dbug: "), "{}", outcome.stdout);
}

/// With something odd in the settings of B, which is only to be warned of.
fn odd(names: &[&str]) -> String {
    settings(names, "").replace(r#""B":{"#, r#""B":{"Protocols":"Htpp1","#)
}

#[test]
fn a_warning_is_told_when_it_is_new_and_not_at_every_reload() {
    const TOLD: &str = "'Htpp1' names no HTTP protocols and is left out.";
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let path = root.join("appsettings.json");
    let running = kestrel.started();
    let told = |times: usize| move |text: &str| text.matches(TOLD).count() == times;
    for (text, reloads, times) in [
        (odd(&["A", "B"]), 1, 1),
        (odd(&["A", "B", "C"]), 2, 1),
        (settings(&["A"], ""), 3, 1),
        (odd(&["A", "B"]), 4, 2),
    ] {
        replace(&path, &text);
        let over = |text: &str| text.matches("The configuration was reloaded:").count() == reloads;
        running.wait_until(over);
        assert!(told(times)(&running.stdout()), "{}", running.stdout());
    }
    assert_eq!(running.terminated().code, Some(0));
}

#[test]
fn what_was_strict_at_the_start_is_strict_at_a_reload() {
    let kestrel = Kestrel::new(["run", "--strict"]).file("appsettings.json", &settings(&["A"], ""));
    let path = kestrel.root().join("appsettings.json");
    let running = kestrel.started();
    replace(&path, &odd(&["A", "B"]));
    running.wait_for("Unable to reload configuration.");
    replace(&path, &settings(&["A", "B", "C"], ""));
    added(&running);
    let outcome = running.terminated();
    let told = "'Htpp1' names no HTTP protocols and is left out.";
    assert_eq!(outcome.stdout.matches(told).count(), 1, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("warn: "), "{}", outcome.stdout);
}

/// Something writes on and on, and never pauses for as long as a group of changes lasts.
#[test]
fn a_file_that_never_comes_to_rest_is_read_all_the_same() {
    for polling in ["0", "1"] {
        let (kestrel, root) = kestrel(&settings(&["A"], ""));
        let path = root.join("appsettings.json");
        let running = kestrel.variable("DOTNET_USE_POLLING_FILE_WATCHER", polling).started();
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Other blanks at its end make it another file each time.
                for length in 1.. {
                    if ends.load(Ordering::Relaxed) {
                        break;
                    }
                    let blanks = " ".repeat(length % 100);
                    replace(&path, &format!("{}{blanks}", settings(&["A", "B"], "")));
                    thread::yield_now();
                }
            });
            let noticed = running.wait_as_long_as_allowed("\n      + ");
            ends.store(true, Ordering::Relaxed);
            assert!(noticed, "{}", running.stdout());
        });
        assert_eq!(running.terminated().code, Some(0));
    }
}

#[test]
fn a_hang_up_reloads_where_files_are_not_watched() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let running = kestrel.variable("DOTNET_hostBuilder__reloadConfigOnChange", "false").started();
    replace(&root.join("appsettings.json"), &settings(&["A", "B"], ""));
    running.signal(Signal::SIGHUP);
    assert_eq!(get(&added(&running), "/", &[]).status, 200);
    running
        .wait_for("The configuration was read again on SIGHUP: it has changed, and is in effect.");
    running.signal(Signal::SIGHUP);
    running.wait_for("The configuration was read again on SIGHUP: nothing changed.");
    let outcome = running.terminated();
    let reloads = outcome.stdout.matches("The configuration was reloaded:").count();
    assert_eq!(reloads, 1, "{}", outcome.stdout);
}

/// The time that a stop may take is that of the start, whatever the file says of it by now.
#[test]
fn a_delay_that_the_stop_has_no_time_for_is_told_as_long_as_it_will_be() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let running = kestrel.started();
    let more =
        r#","shutdownTimeoutSeconds":60,"HealthChecks":{"Enabled":true,"StopDelay":"00:00:20"}"#;
    replace(&root.join("appsettings.json"), &settings(&["A"], more));
    running.wait_for("StopDelay is more than half of what a stop may take: it is 15 seconds.");
    running.wait_for("or half of what a stop may take, before it begins");
    running.terminated();
}

#[test]
fn log_levels_change_at_once_and_what_waits_for_a_restart_is_named() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let running = kestrel.started();
    let verbose = r#","Logging":{"LogLevel":{"Default":"Debug"}},"Urls":"http://127.0.0.1:1""#;
    replace(&root.join("appsettings.json"), &settings(&["A"], verbose));
    running.wait_for("\n      ~ Logging:LogLevel:Default (at once)");
    running.wait_for("A change that takes effect at the next start: Urls");
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    running.wait_for("dbug: Microsoft.AspNetCore.Server.Kestrel.Connections[39]");
    replace(&root.join("appsettings.json"), &settings(&["A"], r#","Mine":1"#));
    running.wait_until(|text| text.matches("LogLevel:Default (at once)").count() == 2);
    let told = |running: &Running| running.stdout().matches("Connections[39]").count();
    let before = told(&running);
    assert_eq!(get(&running.address(), "/", &[]).status, 200);
    let outcome = running.terminated();
    assert_eq!(outcome.stdout.matches("Connections[39]").count(), before, "{}", outcome.stdout);
}

/// What only a start reads is in effect as the start read it: an edit that is undone waits for nothing.
#[test]
fn an_edit_that_is_undone_waits_for_no_restart() {
    let with = |port: u16, size: u32| {
        let beside = format!(
            r#","Limits":{{"MaxRequestBodySize":{size}}},"Limitz":{{"MaxRequestBodySize":{size}}}}},"Urls":"http://127.0.0.1:{port}""#
        );
        settings(&["A"], "").replacen("}}}}", &format!("}}}}{beside}}}"), 1)
    };
    let (kestrel, root) = kestrel(&with(6001, 1));
    let running = kestrel.started();
    let edit = |port, size| replace(&root.join("appsettings.json"), &with(port, size));
    edit(6002, 2);
    running.wait_for("A change that takes effect at the next start: Urls");
    edit(6001, 3);
    running.wait_until(|text| text.matches("The configuration was reloaded:").count() == 2);
    edit(6003, 4);
    running.wait_until(|text| text.matches("The configuration was reloaded:").count() == 3);
    let outcome = running.terminated();
    let waiting = outcome.stdout.matches("at the next start: Urls").count();
    assert_eq!(waiting, 2, "{}", outcome.stdout);
    let known = outcome.stdout.matches("~ Kestrel:Limits:MaxRequestBodySize").count();
    assert_eq!(known, 3, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("~ Kestrel:Limitz"), "{}", outcome.stdout);
}

#[test]
fn several_changes_that_wait_for_a_restart_are_told_as_several() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let running = kestrel.started();
    let later = r#","Urls":"http://127.0.0.1:6001","http_ports":"6002""#;
    replace(&root.join("appsettings.json"), &settings(&["A"], later));
    running.wait_for("Changes that take effect at the next start: http_ports, Urls");
}

#[test]
fn without_inotify_files_are_looked_at() {
    let limits = [
        ("max_inotify_instances", "fs.inotify.max_user_instances"),
        ("max_inotify_watches", "fs.inotify.max_user_watches"),
    ];
    for (limit, named) in limits {
        let script = format!("echo 0 > /proc/sys/user/{limit} && exec \"$0\" \"$@\"");
        let limited = |program: &str| {
            let mut command = Command::new("/usr/bin/unshare");
            command.args(["-U", "-r", "/bin/sh", "-c", &script, program]);
            command
        };
        let mut attempt = limited("/bin/true");
        let attempt = attempt.stdin(Stdio::null()).stderr(Stdio::null()).status();
        if !attempt.is_ok_and(|status| status.success()) {
            return skipped("without inotify", "user namespaces (unshare -U -r)");
        }
        let mut command = limited(env!("CARGO_BIN_EXE_kestrel"));
        command.arg("run");
        let kestrel = Kestrel::by(command).file("appsettings.json", &settings(&["A"], ""));
        let root = kestrel.root();
        let running = kestrel.started();
        running.wait_for("warn: Kestrel.Reload[6]");
        replace(&root.join("appsettings.json"), &settings(&["A", "B"], ""));
        assert_eq!(get(&added(&running), "/", &[]).status, 200);
        let outcome = running.terminated();
        assert_eq!(outcome.stdout.matches("Kestrel.Reload[6]").count(), 1, "{}", outcome.stdout);
        assert!(outcome.stdout.contains(named), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("fix: raise it: sysctl fs.inotify"), "{}", outcome.stdout);

        // A strict start takes it only if it is asked for.
        let strict = |polling: &str| {
            let mut command = limited(env!("CARGO_BIN_EXE_kestrel"));
            command.args(["run", "--strict", "--urls=http://127.0.0.1:0"]);
            let kestrel = Kestrel::by(command);
            kestrel.variable("DOTNET_USE_POLLING_FILE_WATCHER", polling).stopped_if_started()
        };
        let outcome = strict("0");
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        let told = "error: Files are watched by looking at them every second: ";
        for told in [told, named, "DOTNET_USE_POLLING_FILE_WATCHER=1 says that it is meant"] {
            assert!(outcome.stderr.contains(told), "{told}: {}", outcome.stderr);
        }
        assert!(!outcome.stdout.contains("Now listening on"), "{}", outcome.stdout);
        assert_eq!(strict("1").code, Some(0));
    }
}

/// Whoever sends the signal waits for its outcome.
#[test]
fn a_hang_up_whose_reload_is_refused_has_an_outcome_too() {
    let kestrel = Kestrel::new(["run", "--hostBuilder:reloadConfigOnChange=false"]);
    let kestrel = kestrel.file("appsettings.json", &settings(&["A"], ""));
    let path = kestrel.root().join("appsettings.json");
    let running = kestrel.started();
    for (text, outcome) in [
        ("{ nonsense".to_owned(), "it could not be applied, and what runs goes on as it was"),
        // The all-clear comes first.
        (settings(&["A"], ""), "nothing changed"),
        (settings(&["A", "B"], ""), "it has changed, and is in effect"),
    ] {
        replace(&path, &text);
        running.signal(Signal::SIGHUP);
        running.wait_for(&format!("The configuration was read again on SIGHUP: {outcome}."));
    }
    let outcome = running.terminated();
    assert_eq!(outcome.stdout.matches("info: Kestrel.Reload[9]\n").count(), 3);
    let all_clear = "info: Kestrel.Reload[14]\n      The configuration can be reloaded again";
    assert_eq!(outcome.stdout.matches(all_clear).count(), 1, "{}", outcome.stdout);
}

/// As at the start: with a port that is free, and not the same one for all.
#[test]
fn ports_that_are_taken_are_told_with_others_in_a_reload_too() {
    let (kestrel, root) = kestrel(&settings(&["A"], ""));
    let running = kestrel.started();
    let taken = [taken_port(), taken_port()];
    let new: Vec<_> = taken
        .iter()
        .enumerate()
        .map(|(place, (_, url))| format!(r#""B{place}":{{"Url":"{url}"}}"#))
        .collect();
    let with_taken = settings(&["A"], "")
        .replace(r#""Endpoints":{"#, &format!(r#""Endpoints":{{{},"#, new.join(",")));
    replace(&root.join("appsettings.json"), &with_taken);
    running.wait_for("What runs goes on as it was.");
    let outcome = running.terminated();
    let free = outcome.stdout.lines().filter_map(|line| {
        let (address, _) = line.split_once(" in Kestrel:Endpoints:B")?;
        assert!(line.ends_with(": that port is free now"), "{line}");
        address.rsplit_once(':')?.1.parse::<u16>().ok()
    });
    let free: Vec<_> = free.collect();
    assert!(free.len() == 2 && free[0] != free[1], "{free:?}: {}", outcome.stdout);
}

/// Root may bind every port, unless it gives that right away first.
#[test]
fn a_port_that_is_denied_is_told_in_a_reload_too_and_nothing_has_changed() {
    let test = "a port that is denied in a reload";
    let Some((reserved, mut command)) = without_reserved_ports(test) else { return };
    command.arg("run");
    let kestrel = Kestrel::by(command).file("appsettings.json", &settings(&["A"], ""));
    let path = kestrel.root().join("appsettings.json");
    let running = kestrel.started();
    let address = running.address();
    let (_holder, taken) = taken_port();
    // What could be bound is closed again.
    let wanted = format!(
        r#""Endpoints":{{"B":{{"Url":"http://127.0.0.1:1"}},"C":{{"Url":"{taken}"}},"D":{{"Url":"http://127.0.0.1:0"}},"#
    );
    replace(&path, &settings(&["A"], "").replace(r#""Endpoints":{"#, &wanted));
    running.wait_for("What runs goes on as it was.");
    let told = running.stdout();
    for text in [
        &*format!("Unable to bind to 'http://127.0.0.1:1', '{taken}' on config reload."),
        "Failed to bind to address http://127.0.0.1:1: Permission denied.",
        &*format!(
            " without CAP_NET_BIND_SERVICE, and net.ipv4.ip_unprivileged_port_start is {reserved}: "
        ),
        "set by: appsettings.json:1:",
        ", key Kestrel:Endpoints:B:Url",
        "fix: write http://127.0.0.1:8080 in Kestrel:Endpoints:B:Url",
        &*format!("Failed to bind to address {taken}: address already in use."),
        ", key Kestrel:Endpoints:C:Url",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert_eq!(get(&address, "/", &[]).status, 200);
    replace(&path, &settings(&["A", "B"], ""));
    assert_eq!(get(&added(&running), "/", &[]).status, 200);
    let outcome = running.terminated();
    assert!(outcome.stdout.contains(&format!("\n      = {address}\n")), "{}", outcome.stdout);
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

/// Whoever replaces a file may remove it first, and what it protects must not be open meanwhile.
#[test]
fn a_file_that_is_gone_changes_nothing_until_somebody_says_that_this_is_meant() {
    for name in ["appsettings.json", "appsettings.Production.json"] {
        // Every request of these tests asks for `a.test`.
        let kestrel = Kestrel::new(["run", "--urls", "http://127.0.0.1:0"])
            .file(name, r#"{"AllowedHosts":"good.test"}"#);
        let path = kestrel.root().join(name);
        let running = kestrel.started();
        let address = running.address();
        assert_eq!(get(&address, "/", &[]).status, 400);
        fs::remove_file(&path).expect("it is there");
        running.wait_for(&format!("The file {} is gone: what it said stays", path.display()));
        assert_eq!(get(&address, "/", &[]).status, 400, "{name}");
        fs::write(&path, r#"{"AllowedHosts":"good.test;a.test"}"#).expect("the folder is ours");
        running.wait_for("AllowedHosts (at once)");
        assert_eq!(get(&address, "/", &[]).status, 200, "{name}");
        fs::write(&path, r#"{"AllowedHosts":"good.test"}"#).expect("the folder is ours");
        running.wait_until(|log| log.matches("AllowedHosts (at once)").count() == 2);
        fs::remove_file(&path).expect("it is there");
        running.wait_until(|log| log.matches("is gone: what it said stays").count() == 2);
        running.signal(Signal::SIGHUP);
        running.wait_for("was read again on SIGHUP: it has changed");
        assert_eq!(get(&address, "/", &[]).status, 200, "{name}");
        running.terminated();
    }
}
