//! What many slow downloads at once cost.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep_until, timeout};

use crate::process::{Server, file_limit};
use crate::spread::row;
use crate::{Options, Part, Result, contestants, fill, start};

/// How many clients there are, if they may have so many files open.
const CLIENTS: usize = 10_000;
/// How fast they come, a second.
const PACE: usize = 1000;
/// What each of them takes, once a second.
const PIECE: usize = 1 << 10;
/// What the system holds for each of them: it is for the server to hold the rest back.
const WINDOW: u32 = 16 << 10;

/// What a server is while its answers are taken.
struct Figures {
    memory: Option<f64>,
    descriptors: Option<f64>,
    threads: Option<f64>,
    /// Seconds until other requests were answered, on connections of their own.
    others: Vec<f64>,
    /// How many answers were not cut off.
    lasting: usize,
}

/// Measures it for each server.
pub(crate) fn measure(options: &Options) -> Result<()> {
    let (wanted, time) = match options.is_test {
        true => (20, Duration::from_secs(1)),
        false => (CLIENTS, Duration::from_secs(20)),
    };
    // Some files are this program's own.
    let count = wanted.min(file_limit()?.saturating_sub(200));
    let folder = tempfile::tempdir()?;
    let part = Part::of("slow", 1 << 20, count);
    let path = fill(folder.path(), &part)?.remove(0);
    fs::write(folder.path().join("wwwroot/small.bin"), [0; PIECE])?;
    let contestants = contestants(options, folder.path(), &part, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("slow, {count} clients that take {PIECE} bytes of 1 MiB a second, for {time:?}");
    for contestant in &contestants {
        let server = start(options, contestant, folder.path(), None)?;
        let own = runtime.block_on(load(&server, &path, count, time))?;
        println!("  {}", contestant.name);
        println!("    {:>8} of {count} answers still under way", own.lasting);
        one(own.memory.map(|bytes| bytes / 1e6), "MB of memory above the start");
        one(own.memory.map(|bytes| bytes / 1e3 / count as f64), "kB of it each");
        one(own.descriptors, "descriptors");
        one(own.threads, "threads");
        let slowest = own.others.iter().copied().fold(0.0, f64::max);
        row(Some(own.others.iter().map(|it| it * 1e3).collect()), "ms for another request");
        one(Some(slowest * 1e3), "ms for the slowest of them");
    }
    Ok(())
}

/// Prints a figure as a row; nothing where the system did not tell.
fn one(figure: Option<f64>, unit: &str) {
    if let Some(figure) = figure {
        println!("    {figure:>8.3} {unit}");
    }
}

async fn load(server: &Server, path: &str, count: usize, time: Duration) -> Result<Figures> {
    other(server.address).await?;
    let before = server.resident_memory();
    let began = Instant::now();
    let coming = Duration::from_secs_f64(count as f64 / PACE as f64);
    let until = began + coming + time;
    let mut clients = JoinSet::new();
    for number in 0..count {
        let due = began + Duration::from_secs_f64(number as f64 / PACE as f64);
        clients.spawn(taken_slowly(server.address, path.to_owned(), due, until));
    }
    sleep_until((began + coming).into()).await;
    let mut others = Vec::new();
    let mut turns = interval(Duration::from_millis(100));
    // What there is then is what is looked at, not what is left once they go.
    while Instant::now() + Duration::from_millis(500) < until {
        turns.tick().await;
        others.push(other(server.address).await?.as_secs_f64());
    }
    let memory = server.resident_memory().zip(before).map(|(after, before)| after - before);
    let (descriptors, threads) = (descriptors(server), server.told("Threads:"));
    let lasting = clients.join_all().await.into_iter().filter(|it| *it).count();
    Ok(Figures { memory, descriptors, threads, others, lasting })
}

/// Comes when it is due, and takes a piece of the answer each second; whether it was there until the end.
async fn taken_slowly(to: SocketAddr, path: String, due: Instant, until: Instant) -> bool {
    sleep_until(due.into()).await;
    let asked = async {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(WINDOW)?;
        let mut stream = socket.connect(to).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        std::io::Result::Ok(stream)
    };
    let Ok(mut stream) = asked.await else { return false };
    let mut turns = interval(Duration::from_secs(1));
    // Who was late takes no more at once than others.
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut piece = [0; PIECE];
    while Instant::now() < until {
        turns.tick().await;
        if stream.read_exact(&mut piece).await.is_err() {
            return false;
        }
    }
    true
}

/// The time until a small file is there, with its connection.
async fn other(to: SocketAddr) -> Result<Duration> {
    let began = Instant::now();
    let asked = async {
        let mut stream = TcpStream::connect(to).await?;
        let request = "GET /small.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(Duration::from_secs(30), asked).await??;
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.len() > PIECE);
    Ok(began.elapsed())
}

/// How many files a server has open.
fn descriptors(server: &Server) -> Option<f64> {
    let folder = format!("/proc/{}/fd", server.told("Pid:")?);
    Some(fs::read_dir(folder).ok()?.count() as f64)
}
