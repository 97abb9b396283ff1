//! Cases whose recordings are played by scripts and bare sockets, not in a namespace like those of
//! `hosting`: what all of them have in common.
//!
//! A suite reads its file of recordings, plays each case against the app and says how what it saw
//! differs from the recording, and, where the recording says that we mean to differ, whether ours
//! is what is meant ([`Observed`]). The verdict over that is made here.
//!
//! ```text
//! anybody       certificates that are not what a case is about
//! app           the program, started with a group's options on a port of its own
//! pool          many cases at once
//! events        what the app logged, against what the reference did
//! ../http1      raw bytes and the answers to them
//! ../h2         frames and the reactions to them
//! ../limits     scripts with times
//! ../forwarded what proxies tell, and what a request is taken for by it
//! ../static_files  requests for files
//! ../middleware settings, requests and their answers
//! ../proxy      the reverse proxy between scripted clients and servers
//! ../dev_certs  steps of the tool for development certificates, which needs no sockets
//! ```

pub(crate) mod anybody;
pub(crate) mod app;
pub(crate) mod events;
pub(crate) mod pool;

use anyhow::Result;
use serde_json::Value;

use crate::deviations::Listed;
use crate::programs::Programs;
use crate::verdict::Verdict;
use crate::{dev_certs, forwarded, h2, http1, limits, middleware, proxy, static_files};

/// A file of recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Http1,
    Http2,
    Limits,
    StaticFiles,
    DevCerts,
    DevCertsHost,
    Forwarded,
    Proxy,
    Middleware(middleware::Group),
}

/// Which cases of a suite are wanted, by id.
pub(crate) type Wanted<'a> = &'a dyn Fn(&str) -> bool;

impl Suite {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let files = [
            Self::Http1,
            Self::Http2,
            Self::Limits,
            Self::StaticFiles,
            Self::DevCerts,
            Self::DevCertsHost,
            Self::Forwarded,
            Self::Proxy,
        ];
        files.into_iter().chain(middleware::JUDGED.map(Self::Middleware)).collect()
    }

    /// The name of its test.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "h2",
            Self::Limits => "limits",
            Self::StaticFiles => "static",
            Self::DevCerts => "dev_certs",
            Self::DevCertsHost => "dev_certs_host",
            Self::Forwarded => "forwarded",
            Self::Proxy => "proxy",
            Self::Middleware(group) => group.name,
        }
    }

    /// The ids of all its cases.
    ///
    /// # Errors
    /// When a line of its file is not a case.
    pub(crate) fn ids(self) -> Result<Vec<String>> {
        let text = match self {
            Self::Http1 => http1::RECORDINGS,
            Self::Http2 => h2::RECORDINGS,
            Self::Limits => limits::RECORDINGS,
            Self::StaticFiles => static_files::RECORDINGS,
            Self::DevCerts => dev_certs::RECORDINGS,
            Self::DevCertsHost => dev_certs::default_certificate::RECORDINGS,
            Self::Forwarded => forwarded::RECORDINGS,
            Self::Proxy => proxy::RECORDINGS,
            Self::Middleware(group) => group.recordings,
        };
        Ok(lines(text)?.into_iter().map(|case| case.id).collect())
    }

    /// What it needs and is not here.
    pub(crate) fn missing(self) -> Option<&'static str> {
        match self {
            Self::DevCerts | Self::DevCertsHost => dev_certs::missing(),
            _ => None,
        }
    }

    /// Plays the wanted cases.
    fn play(self, wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
        match self {
            Self::Http1 => http1::play(wanted, programs),
            Self::Http2 => h2::play(wanted, programs),
            Self::Limits => limits::play(wanted, programs),
            Self::StaticFiles => static_files::play(wanted, programs),
            Self::DevCerts => dev_certs::play(wanted, programs),
            Self::DevCertsHost => dev_certs::default_certificate::play(wanted, programs),
            Self::Forwarded => forwarded::play(wanted, programs),
            Self::Proxy => proxy::play(wanted, programs),
            Self::Middleware(group) => middleware::play(group, wanted, programs),
        }
    }

    /// Plays the wanted cases that are not put off, and judges them.
    ///
    /// # Errors
    /// When the recordings cannot be read.
    pub(crate) fn judge(
        self,
        wanted: Wanted<'_>,
        programs: &Programs,
        listed: &Listed,
    ) -> Result<Vec<Judged>> {
        let now = |id: &str| wanted(id) && !listed.later.contains(id);
        let observed = self.play(&now, programs)?;
        let judge = |observed| Judged::new(observed, listed, programs.foreign());
        Ok(observed.into_iter().map(judge).collect())
    }
}

/// What all cases have, as read from a line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) title: String,
    /// What the reference did varies.
    pub(crate) racy: bool,
    pub(crate) recorded: Value,
    /// Everything.
    pub(crate) all: Value,
}

/// All lines of a file of recordings.
///
/// # Errors
/// When one is not a case.
pub(crate) fn lines(text: &str) -> Result<Vec<Line>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let all: Value = serde_json::from_str(line)?;
            let text = |name: &str| all[name].as_str().unwrap_or_default().to_owned();
            Ok(Line {
                id: text("id"),
                title: text("title"),
                racy: all["racy"] == true,
                recorded: all["recorded"].clone(),
                all,
            })
        })
        .collect()
}

/// What the recording says about us.
#[derive(Debug)]
pub(crate) enum Ours {
    /// We are to do the same.
    Same,
    /// The same, or this, if it is `Ok`.
    Either(Result<(), String>),
    /// Nothing but this.
    Instead(Result<(), String>),
}

/// A case that was played.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) case: Line,
    /// How we differ from the recording.
    pub(crate) differences: Vec<String>,
    pub(crate) ours: Ours,
    /// What was seen, in the shape of the recording.
    pub(crate) seen: Value,
}

impl Observed {
    /// Whether it is neither like the recording nor as we mean it.
    pub(crate) fn differs(&self) -> bool {
        match &self.ours {
            Ours::Same => !self.differences.is_empty(),
            Ours::Either(met) => !self.differences.is_empty() && met.is_err(),
            Ours::Instead(met) => met.is_err(),
        }
    }

    /// A case that could not be played.
    pub(crate) fn broken(case: Line, why: &str) -> Self {
        let why = format!("could not be played: {why}");
        Self { case, ours: Ours::Instead(Err(why)), differences: Vec::new(), seen: Value::Null }
    }
}

/// A case and what came of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) observed: Observed,
    pub(crate) verdict: Verdict,
}

impl Judged {
    fn new(observed: Observed, listed: &Listed, foreign: bool) -> Self {
        let equal = observed.differences.is_empty();
        let racy = observed.case.racy;
        let mean = |met: &Result<(), String>| match met {
            Ok(()) => Verdict::AsMeant,
            Err(_) => Verdict::Differs,
        };
        let verdict = match &observed.ours {
            // What we mean is no matter of another host.
            Ours::Same if foreign && !equal && racy => Verdict::MayDiffer,
            Ours::Either(_) | Ours::Instead(_) if foreign && !equal && !observed.seen.is_null() => {
                Verdict::MayDiffer
            }
            Ours::Instead(_) if foreign && !observed.seen.is_null() => Verdict::Equal,
            Ours::Instead(met) => mean(met),
            _ if equal => Verdict::Equal,
            Ours::Either(met) => mean(met),
            Ours::Same if racy => Verdict::MayDiffer,
            Ours::Same => Verdict::Differs,
        };
        let verdict = match verdict {
            Verdict::Differs if listed.deviations.contains(&observed.case.id) => Verdict::Listed,
            Verdict::Equal if listed.deviations.contains(&observed.case.id) && !racy => {
                Verdict::ListedButEqual
            }
            verdict => verdict,
        };
        Self { observed, verdict }
    }

    /// Prints how the case differs.
    pub(crate) fn show(&self) {
        let Observed { case, differences, ours, .. } = &self.observed;
        println!("\n{}: {}: {}", case.id, case.title, self.verdict);
        for difference in differences {
            println!("  {difference}");
        }
        if let Ours::Either(Err(why)) | Ours::Instead(Err(why)) = ours {
            println!("  what we mean is not met: {why}");
        }
    }
}

/// The harness's test of this file.
pub(crate) fn check() {
    let line = |racy: bool| {
        let case = format!(r#"{{"id": "x-001", "title": "t", "racy": {racy}, "recorded": 1}}"#);
        lines(&case).expect("a case").remove(0)
    };
    let listed = |id: &str| Listed { deviations: [id.to_owned()].into(), later: [].into() };
    let met = || Ok(());
    let missed = || Err("why".to_owned());
    for (racy, equal, ours, on_list, foreign, verdict) in [
        (false, true, Ours::Same, false, false, Verdict::Equal),
        (false, false, Ours::Same, false, false, Verdict::Differs),
        (false, false, Ours::Same, true, false, Verdict::Listed),
        (false, true, Ours::Same, true, false, Verdict::ListedButEqual),
        (true, true, Ours::Same, true, false, Verdict::Equal),
        (true, false, Ours::Same, false, false, Verdict::MayDiffer),
        (true, false, Ours::Either(missed()), false, false, Verdict::Differs),
        (false, false, Ours::Either(met()), false, false, Verdict::AsMeant),
        (false, true, Ours::Either(missed()), false, false, Verdict::Equal),
        (false, true, Ours::Instead(missed()), false, false, Verdict::Differs),
        (false, true, Ours::Instead(missed()), true, false, Verdict::Listed),
        (false, true, Ours::Instead(met()), false, false, Verdict::AsMeant),
        (false, true, Ours::Instead(missed()), false, true, Verdict::Equal),
        (false, false, Ours::Either(missed()), false, true, Verdict::MayDiffer),
        (false, false, Ours::Same, false, true, Verdict::Differs),
    ] {
        let label = format!("racy {racy}, equal {equal}, {ours:?}, listed {on_list}, {foreign}");
        let differences = if equal { Vec::new() } else { vec!["it".to_owned()] };
        let observed = Observed { case: line(racy), differences, ours, seen: Value::Bool(true) };
        let listed = listed(if on_list { "x-001" } else { "y-001" });
        assert_eq!(Judged::new(observed, &listed, foreign).verdict, verdict, "{label}");
    }
}
