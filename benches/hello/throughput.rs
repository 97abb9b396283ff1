//! Requests per second, and the processor time of a request.

use crate::client::{Client, load};
use crate::spread::row;
use crate::{CONNECTIONS, Contestants, Options, Result, TEXT};

/// What a server did in a round.
struct Figures {
    /// Requests in a second.
    rate: f64,
    /// Seconds of processor for a request; `None` where the system does not tell.
    processor: Option<f64>,
}

/// Lets the contestants answer, with `depth` requests at once on a connection.
pub(crate) fn throughput(options: &Options, depth: usize) -> Result<()> {
    let contestants = Contestants::new(options)?;
    let mut headers = Vec::new();
    let mut figures: Vec<_> = contestants.all().iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for which in contestants.order(round) {
            let contestant = &contestants.all()[which];
            let server = contestants.start(contestant)?;
            load(&server, &contestant.path, depth, options.warm_up(contestant))?;
            let load = load(&server, &contestant.path, depth, options.time)?;
            let processor = load.processor.map(|seconds| seconds / load.requests);
            figures[which].push(Figures { rate: load.requests / load.seconds, processor });
            let client = Client::connect(server.address, &contestant.path, 1)?;
            assert_eq!(client.body(), TEXT);
            if !contestant.is_other() {
                headers.push(client.headers().into_keys().collect::<Vec<_>>());
            }
        }
    }
    assert!(
        headers.iter().all(|names| *names == headers[0]),
        "the servers answer with different headers: {headers:?}"
    );

    println!(
        "plaintext, {CONNECTIONS} connections with {depth} requests at once, {} rounds of {:?}, median [quartiles]",
        options.rounds, options.time
    );
    for (contestant, own) in contestants.all().iter().zip(&figures) {
        let ratio = |of: fn(&Figures) -> Option<f64>| {
            let pairs = own.iter().zip(&figures[0]);
            pairs.map(|(own, bare)| Some(of(own)? / of(bare)?)).collect::<Option<Vec<_>>>()
        };
        println!("  {}", contestant.name);
        row(own.iter().map(|own| Some(own.rate / 1e3)).collect(), "thousand requests/s");
        row(
            own.iter().map(|own| Some(own.processor? * 1e6)).collect(),
            "µs of processor for a request",
        );
        if !std::ptr::eq(own, &figures[0]) {
            row(ratio(|own| Some(own.rate)), "of bare hyper's requests/s");
            row(ratio(|own| own.processor), "of bare hyper's processor time for a request");
        }
    }
    // What ours costs over another, in parts of bare hyper.
    let of = |name| contestants.all().iter().position(|contestant| contestant.name == name);
    let ours = of("kestrel").map_or(&figures[0], |ours| &figures[ours]);
    for (contestant, theirs) in contestants.all().iter().zip(&figures) {
        let rounds = ours.iter().zip(theirs).zip(&figures[0]);
        let more = rounds.map(|((ours, theirs), bare)| {
            Some((ours.processor? - theirs.processor?) / bare.processor? * 100.0)
        });
        if !std::ptr::eq(ours, theirs) {
            let unit =
                format!("% of bare hyper's time for a request more than {}", contestant.name);
            row(more.collect(), &unit);
        }
    }
    Ok(())
}
