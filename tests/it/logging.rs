//! The log belongs to the app that wants it. What the lines look like is tested with the binary.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::set_global_default;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use crate::support::{builder, started, stopped};

/// The addresses that events tell.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Addresses {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Addresses {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "address" {
            self.0.lock().expect("no panic").push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// One test, because a process has one subscriber.
#[tokio::test]
async fn without_logging_no_subscriber_is_installed_and_the_apps_own_hears_the_host() {
    let local = || builder().use_urls("http://127.0.0.1:0");
    stopped(started(local()).await).await;

    let heard = Addresses::default();
    set_global_default(Registry::default().with(heard.clone()))
        .expect("no host has installed a subscriber");
    let host = started(local()).await;
    let address = host.addresses()[0].clone();
    stopped(host).await;
    let heard = heard.0.lock().expect("no panic");
    assert!(heard.contains(&address), "{address} is not among {heard:?}");
}
