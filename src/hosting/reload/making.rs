//! The app of another configuration, and what apps read of it.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::sleep;

use super::running::{PATIENCE, Running};
use super::wishes::Wish;
use crate::configuration::{Configuration, Problem};
use crate::diagnostics::events;
use crate::hosting::app::{self, App, AppContext};
use crate::hosting::app_error::AppError;
use crate::hosting::finding::{Finding, Subject};
use crate::hosting::settings::{Effect, effect};
use crate::hosting::settings_monitor::Readings;

impl Running {
    /// Makes the app of another configuration; `None` if the app stays.
    ///
    /// # Errors
    ///
    /// Why it cannot be made.
    async fn make_app(&mut self, next: &Arc<Configuration>) -> Result<Option<App>, Vec<Problem>> {
        let Some(make) = &self.serving.make_app else {
            return Ok(None);
        };
        let differing = self.current.configuration.differing_keys(next);
        // What only the host uses makes no other app: it would lose what it holds for a level of the log.
        self.renewal_due |= self.wish == Wish::Renew;
        if !self.renewal_due && !differing.iter().any(|key| effect(key) == Effect::None) {
            return Ok(None);
        }
        let context = AppContext {
            configuration: Configuration::clone(next),
            live_configuration: self.live.handle_before(&Arc::downgrade(next)),
            ..self.context.clone()
        };
        let make = Arc::clone(make);
        let mut newer = self.heard.clone();
        let mut made = pin!(app::made(move |context| make(context), context));
        let mut patience = pin!(sleep(PATIENCE));
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                // Nobody wants it then.
                _ = self.stopping.wait_for(|stopping| *stopping) => {
                    return Err(AppError::from("the host is stopping").into_problems());
                }
                made = &mut made => {
                    self.renewal_due = false;
                    return made.map(Some);
                }
                // What is being made may never be, and must not hold what puts that right.
                () = newer.next() => {
                    self.gave_way = true;
                    let text = "another reload is asked for while it is being made";
                    return Err(AppError::from(text).into_problems());
                }
                () = &mut patience, if !told => {
                    told = true;
                    events::app_takes_time(PATIENCE.as_secs());
                }
            }
        }
    }

    /// Makes the app of another configuration, unless it stays, and reads what apps monitor; what is wrong
    /// with either.
    pub(super) async fn read_for_app(
        &mut self,
        configuration: &Configuration,
    ) -> (Option<App>, Readings, Vec<Finding>) {
        let next = Arc::new(configuration.clone());
        let made = self.make_app(&next).await;
        let (app, mut wrong) = made.map_or_else(|wrong| (None, wrong), |app| (app, Vec::new()));
        let (readings, of_monitors) = self.live.read(next);
        for problem in of_monitors {
            // An app that is made anew may monitor what the old one does.
            if !wrong.contains(&problem) {
                wrong.push(problem);
            }
        }
        let wrong = wrong.into_iter().map(|it| Finding::of_problem(Subject::App, it));
        (app, readings, wrong.collect())
    }
}
