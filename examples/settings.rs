//! Settings of the moment: `cargo run --example settings -- --Greeting:Text Hello --urls http://127.0.0.1:5000`,
//! or a section `Greeting` in `appsettings.json`, which may be edited while it runs.
//!
//! An edit that cannot be read is told, with its line, and changes nothing.

use std::process::ExitCode;
use std::time::Duration;

use axum::extract::State;
use axum::{Router, routing::get};
use kestrel::{App, AppContext, AppError, Ending, Host, SettingsMonitor};
use serde::Deserialize;

/// The section `Greeting`.
#[derive(Deserialize)]
struct Greeting {
    text: String,
    #[serde(default)]
    pause: Duration,
}

#[tokio::main]
async fn main() -> ExitCode {
    Host::from_args().app_with(app).run().await
}

async fn app(context: AppContext) -> Result<App, AppError> {
    let greeting = context.live_configuration.monitor::<Greeting>("Greeting")?;
    let router = Router::new().route("/", get(greet)).with_state(greeting.clone());
    Ok(App::from(router).background(|ending| tell(greeting, ending)))
}

async fn greet(State(greeting): State<SettingsMonitor<Greeting>>) -> String {
    let greeting = greeting.current();
    tokio::time::sleep(greeting.pause).await;
    greeting.text.clone()
}

async fn tell(mut greeting: SettingsMonitor<Greeting>, mut ending: Ending) {
    loop {
        tokio::select! {
            Some(new) = greeting.changed() => tracing::warn!("the greeting is {} now", new.text),
            () = ending.begun() => return,
        }
    }
}
