//! The memory of connections that wait for their next request.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::process::file_limit;
use crate::spread::Spread;
use crate::{Contestants, Options, Result};

/// How fast they come, a second: a crowd, and yet not a burst that nobody lives through often.
const PACE: f64 = 1500.0;

/// Opens connections that ask once and then wait.
pub(crate) fn idle(options: &Options) -> Result<()> {
    // Some files are the client's own.
    let most = file_limit()?.saturating_sub(100);
    let count = options.idle.min(most);
    let contestants = Contestants::new(options)?;
    let mut figures: Vec<_> = contestants.all().iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds.div_ceil(3) {
        for which in contestants.order(round) {
            let contestant = &contestants.all()[which];
            let server = contestants.start(contestant)?;
            drop(Client::connect(server.address, &contestant.path, 1)?);
            let before = server.resident_memory();
            let start = Instant::now();
            let mut connections = Vec::with_capacity(count);
            for number in 0..count {
                let due = start + Duration::from_secs_f64(number as f64 / PACE);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let client = Client::connect(server.address, &contestant.path, 1)?;
                connections.push(client.into_stream());
            }
            thread::sleep(options.time);
            let after = server.resident_memory();
            let each = after.zip(before).map(|(after, before)| (after - before) / count as f64);
            figures[which].extend(each.map(|bytes| bytes / 1e3));
            // They were only waiting.
            drop(Client::connect(server.address, &contestant.path, 1)?);
            drop(connections);
        }
    }
    println!("{count} idle connections, each served once, {:?} after the last", options.time);
    for (contestant, own) in contestants.all().iter().zip(&figures) {
        if !own.is_empty() {
            let spread = Spread::of(own.clone());
            println!("  {:<18}{spread} kB of resident memory each", contestant.name);
        }
    }
    Ok(())
}
