//! Settings that follow their file, which a program has once: a change of `settings.json` reads them again. Those
//! that cannot be read are told, and change nothing.

use std::path::Path;
use std::sync::Arc;

use figment::Figment;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, watch};

use super::serve::{Failure, settings};

/// The section `name`: now, and whenever it is another one.
pub(crate) fn monitor<T>(name: &'static str) -> Result<watch::Receiver<Arc<T>>, Failure>
where
    T: DeserializeOwned + PartialEq + Send + Sync + 'static,
{
    let read = |settings: Figment| settings.extract_inner::<T>(name);
    let (send, receive) = watch::channel(Arc::new(read(settings()?)?));
    let changed = Arc::new(Notify::new());
    let mut watcher = watch_file(Arc::clone(&changed))?;
    // The folder: editors put another file in the place of the old one.
    watcher.watch(Path::new("."), RecursiveMode::NonRecursive)?;
    tokio::spawn(async move {
        let _watcher = watcher;
        loop {
            changed.notified().await;
            match settings().and_then(|settings| Ok(read(settings)?)) {
                Ok(new) => drop(send.send_if_modified(|old| {
                    let is_another = **old != new;
                    *old = Arc::new(new);
                    is_another
                })),
                Err(error) => tracing::error!("The settings stay as they are: {error}"),
            }
        }
    });
    Ok(receive)
}

fn watch_file(changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<Event>| {
        let is_ours = |event: Event| {
            let is_file = |path: &std::path::PathBuf| path.ends_with("settings.json");
            !event.kind.is_access() && event.paths.iter().any(is_file)
        };
        if event.is_ok_and(is_ours) {
            changed.notify_one();
        }
    })
}
