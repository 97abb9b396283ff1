//! Hosts that see nothing of the process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use kestrel::{AppContext, AppError, Host, HostBuilder, HostError, RunningHost};

use crate::support::{Wire, saying, soon};

async fn started(host: HostBuilder) -> RunningHost {
    soon("the start", host.start()).await.expect("the host starts")
}

fn value(host: &RunningHost, key: &str) -> Option<String> {
    host.configuration().value(key).map(str::to_owned)
}

#[tokio::test]
async fn nothing_of_the_process_is_seen() {
    // What there would be to see: cargo sets the variable.
    let open =
        Host::builder().without_logging().build().expect("the files of this package are right");
    assert!(open.configuration().value("CARGO_MANIFEST_DIR").is_some());
    assert!(open.configuration().value("Logging:LogLevel:Default").is_some());
    // The command line of a test is none of a host.
    let host = started(Host::from_args().hermetic().app(saying("hello"))).await;
    assert_eq!(value(&host, "CARGO_MANIFEST_DIR"), None);
    assert_eq!(value(&host, "Logging:LogLevel:Default"), None);
    assert_eq!(value(&host, "applicationName").as_deref(), Some("TestHost"));
    let address = host.addresses().remove(0);
    assert!(address.starts_with("http://127.0.0.1:") && !address.ends_with(":5000"), "{address}");
    assert_eq!(Wire::connect(&address).await.get("/").await.body, "hello");
    assert!(host.stop().await.is_clean());
}

#[tokio::test]
async fn what_code_says_counts_in_whatever_order() {
    let said = |host: HostBuilder| {
        host.args(["--A=argument"])
            .environment_variables([("B", "variable")])
            .use_setting("C", "setting")
            .file("appsettings.json", r#"{ "A": 1, "B": 1, "C": 1, "D": "file" }"#)
    };
    for host in [said(Host::from_args()).hermetic(), said(Host::from_args().hermetic())] {
        let host = started(host).await;
        let seen = ["A", "B", "C", "D"].map(|key| value(&host, key).unwrap_or_default());
        assert_eq!(seen, ["argument", "variable", "setting", "file"]);
        host.stop().await;
    }
}

#[tokio::test]
async fn its_folder_has_the_files_and_goes_with_the_host() {
    let roots = Arc::<Mutex<Vec<PathBuf>>>::default();
    let seen = Arc::clone(&roots);
    let app = async move |context: AppContext| -> Result<Router, AppError> {
        let root = context.content_root();
        seen.lock().expect("no panic").push(root.to_owned());
        let text = std::fs::read_to_string(root.join("data/a.txt"))?;
        Ok(Router::new().fallback(async move || text))
    };
    let host = || Host::builder().app_with(app.clone()).file("data/a.txt", "in a file");
    let (one, other) = (started(host()).await, started(host()).await);
    let roots = roots.lock().expect("no panic").clone();
    assert_ne!(roots[0], roots[1]);
    assert!(roots.iter().all(|root| root.is_dir()));
    let mut wire = Wire::connect(&one.addresses()[0]).await;
    assert_eq!(wire.get("/").await.body, "in a file");
    drop(wire);
    one.stop().await;
    assert!(!roots[0].exists() && roots[1].exists());
    drop(other);
    // What it was made of ends in its tasks.
    soon("the end of the folder", async {
        while roots[1].exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_code_names_is_the_hosts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for host in [Host::builder().content_root(folder), Host::builder().current_directory(folder)] {
        let host = host.hermetic().build().expect("its files are right");
        assert_eq!(host.content_root(), folder);
        assert!(host.configuration().value("Logging:LogLevel:Default").is_some());
    }
}

#[tokio::test]
async fn a_file_that_is_not_in_its_folder_is_refused() {
    let outside = if cfg!(windows) { r"C:\a.txt" } else { "/a.txt" };
    for path in ["../a.txt", outside, ""] {
        let error = Host::builder().file(path, "").build().expect_err("it is outside");
        assert!(matches!(error, HostError::Configuration(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("The file {path} of the test cannot be made")), "{text}");
    }
}

#[tokio::test]
async fn files_are_not_watched_but_read_by_a_reload() {
    let host = started(Host::builder().file("appsettings.json", r#"{ "A": "1" }"#)).await;
    assert_eq!(value(&host, "hostBuilder:reloadConfigOnChange").as_deref(), Some("false"));
    let file = value(&host, "contentRoot").expect("a folder") + "/appsettings.json";
    std::fs::write(file, r#"{ "A": "2" }"#).expect("it is ours");
    host.reload().await.expect("it is right");
    assert_eq!(value(&host, "A").as_deref(), Some("2"));
    host.stop().await;
}
