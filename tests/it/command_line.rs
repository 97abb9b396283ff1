//! The flags of the host on the command line of a program.

use kestrel::{ExitKind, HostBuilder, HostError};

use crate::support::{builder, started, stopped};

fn program(arguments: &[&str]) -> HostBuilder {
    builder().application_name("app").version("1.2.3").args(arguments.iter().copied())
}

#[test]
fn help_version_and_plan_are_answers_and_no_mistakes() {
    for (arguments, part) in [
        (&["--help"][..], "\n  --listen <SPEC>\n"),
        (&["--urls", "x", "-h", "--strict=no"], "Usage: app "),
        (&["--version"], "app 1.2.3 (kestrel "),
        (&["--plan", "--listen", "127.0.0.1:5001"], "http://127.0.0.1:5001\n  sockets: "),
    ] {
        let error = program(arguments).build().expect_err("it is no start");
        let HostError::Answered(answer) = &error else {
            panic!("{arguments:?}: {error:?}");
        };
        assert!(answer.text.contains(part), "{arguments:?}: {}", answer.text);
        assert_eq!(answer.remarks, "", "{arguments:?}");
        assert_eq!(error.exit_kind(), ExitKind::Stopped, "{arguments:?}");
        assert!(error.problems().is_empty(), "{arguments:?}");
        assert_eq!(error.to_string(), answer.text);
    }
}

#[test]
fn what_a_start_would_say_comes_with_the_plan() {
    let error = program(&["--plan", "--listen=127.0.0.1:5001", "--urls=http://127.0.0.1:5002"])
        .build()
        .expect_err("it is no start");
    let HostError::Answered(answer) = &error else {
        panic!("{error:?}");
    };
    let overridden = "warning: Overriding address(es) 'http://127.0.0.1:5002'.";
    assert!(answer.remarks.starts_with(overridden), "{}", answer.remarks);
}

#[test]
fn a_plan_says_that_it_makes_no_app() {
    let remarks = |builder: kestrel::HostBuilder| match builder.build() {
        Err(HostError::Answered(answer)) => answer.remarks,
        other => panic!("{other:?}"),
    };
    let plan = || program(&["--plan", "--urls=http://127.0.0.1:5001"]);
    let told = "note: A plan makes no app and starts no service: what is wrong with settings that they read, a start tells.\n";
    assert_eq!(remarks(plan()), "");
    assert_eq!(remarks(plan().app_with(async |_| Ok(axum::Router::new()))), told);
    assert_eq!(remarks(plan().reloadable_app(async |_| Ok(axum::Router::new()))), told);
    assert_eq!(remarks(plan().background_service("mail", async |_, _| Ok(()))), told);
}

#[test]
fn a_log_that_nobody_writes_is_told_to_who_sets_it() {
    let quiet = || kestrel::Host::empty_builder().use_setting("Logging:LogLevel:Default", "Debug");
    let error = quiet().strict(true).build().expect_err("nobody writes it");
    assert_eq!(
        error.to_string(),
        "'Logging:LogLevel:Default' has no effect on a console: this host writes none.\n  \
         set by: code (use_setting), key Logging:LogLevel:Default\n  \
         fix: call with_logging() on the builder, or without_logging() if Host::log() is used"
    );
    for meant in [quiet().with_logging(), quiet().without_logging(), quiet().hermetic()] {
        meant.strict(true).build().expect("it is meant");
    }
}

#[tokio::test]
async fn a_program_listens_where_its_command_line_says() {
    let host = started(program(&["--listen", "127.0.0.1:0", "--urls", "http://127.0.0.1:1"])).await;
    let addresses = host.addresses();
    let [address] = &addresses[..] else {
        panic!("one address, not {addresses:?}");
    };
    assert!(address.starts_with("http://127.0.0.1:") && !address.ends_with(":1"), "{address}");
    stopped(host).await;
}

#[test]
fn strict_on_the_command_line_is_strict() {
    let error = program(&["--urls=http://127.0.0.1:0", "--strict", "--urlz=x"]).build();
    let error = error.expect_err("a near miss is fatal");
    assert!(matches!(&error, HostError::Configuration(_)), "{error:?}");
    assert!(error.to_string().contains("did you mean urls?"), "{error}");
}

#[test]
fn a_flag_that_a_switch_takes_for_its_value_is_told() {
    let error = program(&["--environment", "--plan"]).strict(true).build();
    let told = error.expect_err("it is a warning").to_string();
    assert!(told.contains("The switch '--environment' takes '--plan' as its value."), "{told}");
}

#[test]
fn a_command_line_that_is_none_is_a_mistake_of_usage() {
    let error = program(&["--plan=yes", "--listen"]).build().expect_err("two mistakes");
    assert!(matches!(&error, HostError::Usage(_)), "{error:?}");
    assert_eq!((error.exit_kind(), error.problems().len()), (ExitKind::Usage, 2), "{error}");
}

#[test]
fn a_program_that_reads_its_own_command_line_gets_settings_only() {
    let host = program(&["--urls", "http://127.0.0.1:0", "--help", "me", "--plan=x"])
        .without_host_flags()
        .build()
        .expect("they are settings");
    assert_eq!(host.configuration().value("help"), Some("me"));
    assert_eq!(host.configuration().value("plan"), Some("x"));
}
