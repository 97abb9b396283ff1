//! A configuration source of one's own: a file of properties, over `appsettings.json` and under the variables.
//! `echo 'Greeting = Hello' > app.properties; cargo run --example own_source -- --urls http://127.0.0.1:5000`
//!
//! A change of the file is a reload. `--plan` and what is told of mistakes name its lines.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use axum::{Router, routing::get};
use kestrel::configuration::{ConfigurationSource, Leaf, Origin, Problem, SourcePlace};
use kestrel::{AppContext, AppError, Host};

/// Lines such as `Kestrel:Limits:MaxConcurrentConnections = 100`; `#` begins a comment.
struct Properties(&'static str);

impl ConfigurationSource for Properties {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn files(&self, content_root: &Path) -> Vec<PathBuf> {
        vec![content_root.join(self.0)]
    }

    fn read(&self, content_root: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        let text = std::fs::read_to_string(content_root.join(self.0))
            .map_err(|error| vec![Problem::error(format!("{}: {error}.", self.0))])?;
        let (mut leaves, mut problems) = (Vec::new(), Vec::new());
        for (at, line) in text.lines().enumerate() {
            let origin =
                |column| Origin::File { path: self.0.into(), line: at + 1, column: column + 1 };
            match line.split_once('=') {
                _ if line.trim().is_empty() || line.starts_with('#') => {}
                Some((key, value)) => {
                    let column = line.chars().count() - value.trim_start().chars().count();
                    leaves.push(Leaf::new(key.trim(), value.trim(), origin(column)));
                }
                None => problems.push(
                    Problem::error(format!("'{line}' is no property."))
                        .origin(origin(0))
                        .fix("write it as key = value"),
                ),
            }
        }
        // Everything that is wrong is told at once.
        if problems.is_empty() { Ok(leaves) } else { Err(problems) }
    }
}

async fn app(context: AppContext) -> Result<Router, AppError> {
    let greeting: String = context.configuration.get("Greeting")?;
    Ok(Router::new().route("/", get(async move || greeting.clone())))
}

#[tokio::main]
async fn main() -> ExitCode {
    let properties = Properties("app.properties");
    Host::from_args()
        .configuration_source(SourcePlace::AboveFiles, properties)
        .reloadable_app(app)
        .run()
        .await
}
