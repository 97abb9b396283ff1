//! A program with tests of its own, which need no port and no file: `cargo test --example tested`

use std::process::ExitCode;

use axum::extract::Path;
use axum::{Router, routing::get};
use kestrel::{AppContext, AppError, Host, HostBuilder};

#[tokio::main]
async fn main() -> ExitCode {
    host().run().await
}

/// The whole program, as `main` runs it and the tests do.
fn host() -> HostBuilder {
    Host::from_args().app_with(app)
}

async fn app(context: AppContext) -> Result<Router, AppError> {
    let greeting: String = context.configuration.get("Greeting")?;
    let greet = async move |Path(name): Path<String>| format!("{greeting}, {name}!");
    Ok(Router::new().route("/greet/{name}", get(greet)))
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use kestrel::testing::TestServer;

    #[tokio::test]
    async fn it_greets_as_its_file_says() -> Result<(), Box<dyn Error>> {
        let host = super::host().file("appsettings.json", r#"{ "Greeting": "Hallo" }"#);
        let server = TestServer::start_host(host).await?;
        let response = server.get("/greet/Ada").send().await?;
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await?, "Hallo, Ada!");
        assert!(server.stop().await.is_clean());
        Ok(())
    }

    #[tokio::test]
    async fn it_does_not_start_without_a_greeting() {
        let refused = TestServer::start_host(super::host()).await;
        let told = refused.expect_err("there is no greeting").to_string();
        assert!(told.contains("'Greeting' is missing"), "{told}");
    }

    /// No test framework of the server's: a socket for any client, and a host without the feature `testing`.
    #[tokio::test]
    async fn it_listens_on_a_port_of_its_own() -> Result<(), Box<dyn Error>> {
        let host = super::host().hermetic().args(["--Greeting=Hi"]).start().await?;
        assert_ne!(host.socket_addresses()[0].port(), 0);
        assert!(host.stop().await.is_clean());
        Ok(())
    }
}
