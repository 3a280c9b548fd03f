//! Clients that take their time.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Kind, Stage,
    client::Outcome,
    load::{Tally, megabytes, percentile, spread},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account},
    report::Report,
};

/// Agents who sign in meanwhile.
const VISITORS: usize = 20;
const VISIT: Duration = Duration::from_secs(1);
/// Longest a socket is watched.
const WATCHED: Duration = Duration::from_secs(130);
/// Between two bytes of a client that drips.
const DRIP: Duration = Duration::from_secs(5);
/// Between two reads of a slow reader, and what it takes.
const SIP: Duration = Duration::from_secs(12);
const SIP_BYTES: usize = 4096;

/// A way of being slow.
#[derive(Clone, Copy)]
enum Way {
    Silent,
    Head,
    Body,
    Reader,
}

impl Way {
    const ALL: [Self; 4] = [Self::Silent, Self::Head, Self::Body, Self::Reader];

    const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Head => "a byte of the head each 5 s",
            Self::Body => "a byte of the body each 5 s",
            Self::Reader => "4 KiB of the answer each 12 s",
        }
    }

    /// When the last of them has to be closed: the limits of N26 and some seconds; for readers two minutes.
    const fn limit(self) -> Duration {
        match self {
            Self::Silent | Self::Head => Duration::from_secs(15),
            Self::Body => Duration::from_secs(40),
            Self::Reader => Duration::from_mins(2),
        }
    }
}

/// Slow clients of every kind, and visitors meanwhile.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let sockets = stage.count(150);
    let wanted = Wanted {
        name: "slow",
        accounts: VISITORS,
        codes: Codes::Nobody,
        mail_port: None,
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    // A node itself: what nginx does with slow clients is nginx's affair.
    let port = nodes.port(0)?;
    let host = nodes
        .settings
        .url
        .split("//")
        .last()
        .unwrap_or_default()
        .to_owned();
    let asset = largest_asset(&nodes).await?;

    let mut slow = JoinSet::new();
    for way in Way::ALL {
        for _ in 0..sockets {
            let (host, asset) = (host.clone(), asset.clone());
            slow.spawn(async move { (way.name(), closed_after(way, port, &host, &asset).await) });
        }
    }
    visit(&nodes, sockets * Way::ALL.len(), report).await;
    let mut closed = Vec::new();
    while let Some(one) = slow.join_next().await {
        closed.push(one?);
    }
    for way in Way::ALL {
        let mut open = 0;
        let mut times = Vec::new();
        for (_, time) in closed.iter().filter(|(name, _)| *name == way.name()) {
            match time {
                Ok(Some(time)) => times.push(*time),
                _ => open += 1,
            }
        }
        let last = percentile(&mut times, 100);
        report.row(
            format!("{sockets} sockets, {}: closed", way.name()),
            &format!("all within {} s", way.limit().as_secs()),
            format!(
                "the last after {} s; {open} still open after {} s",
                last.as_secs(),
                WATCHED.as_secs()
            ),
            open == 0 && last <= way.limit(),
        );
    }
    Ok(())
}

/// People who come while the slow ones are there.
async fn visit(nodes: &Nodes, sockets: usize, report: &mut Report) {
    let begun = Instant::now();
    let mut pages = Vec::new();
    let mut arrivals = Vec::new();
    let mut memory = 0;
    let mut number = 0;
    while begun.elapsed() < Way::Body.limit() {
        let mut browser = nodes.web.browser(format!("10.1.0.{}", number % VISITORS));
        let asked = Instant::now();
        let page = browser.get("/login").await;
        pages.push(page.map_or(WATCHED, |_| asked.elapsed()));
        arrivals.push(
            browser
                .sign_in(COMPANY, &account(number % VISITORS), PASSWORD)
                .await,
        );
        memory = nodes.memory().into_iter().fold(memory, u64::max);
        number += 1;
        sleep(VISIT).await;
    }
    let within = percentile(&mut pages, 95);
    report.row(
        format!("GET /login beside {sockets} slow clients"),
        "p95 < 1 s",
        spread(pages),
        within < Duration::from_secs(1),
    );
    let tally = Tally::of(&arrivals);
    let mut times: Vec<Duration> = arrivals.iter().map(|arrival| arrival.took).collect();
    let within = percentile(&mut times, 95);
    report.row(
        "sign-ins beside them",
        "all in, p95 < 1 s",
        tally.words(),
        tally.count(&Outcome::In) == arrivals.len() && within < Duration::from_secs(1),
    );
    report.tell("most memory of a node", megabytes(memory));
}

/// After how long the node closed the connection; `None` = not while it was watched.
async fn closed_after(way: Way, port: u16, host: &str, asset: &str) -> Result<Option<Duration>> {
    let socket = TcpSocket::new_v4()?;
    if matches!(way, Way::Reader) {
        socket.set_recv_buffer_size(u32::try_from(SIP_BYTES)?)?;
    }
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    let begun = Instant::now();
    let end = timeout(WATCHED, async {
        match way {
            Way::Silent => {}
            Way::Head => {
                let head = format!("GET /login HTTP/1.1\r\nHost: {host}\r\nX-Slow: ");
                drip(&mut stream, &head).await;
            }
            Way::Body => {
                let head = format!(
                    "POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: 1000\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\n\r\ncompany="
                );
                drip(&mut stream, &head).await;
            }
            Way::Reader => sip(&mut stream, host, asset).await,
        }
        // Whatever is still said; the end is what counts.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    Ok(end.ok().map(|()| begun.elapsed()))
}

/// Sends a beginning and then a byte now and then, until the other side has enough.
async fn drip(stream: &mut TcpStream, beginning: &str) {
    if stream.write_all(beginning.as_bytes()).await.is_err() {
        return;
    }
    let mut said = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut said) => if !read.is_ok_and(|count| count > 0) { return },
            () = sleep(DRIP) => if stream.write_all(b"a").await.is_err() { return },
        }
    }
}

/// Asks for something large and takes a little of it now and then.
async fn sip(stream: &mut TcpStream, host: &str, asset: &str) {
    let request = format!("GET {asset} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    // Many times, so that no buffer on the way holds all of it.
    if stream.write_all(request.repeat(8).as_bytes()).await.is_err() {
        return;
    }
    let mut taken = [0; SIP_BYTES];
    while stream.read(&mut taken).await.is_ok_and(|count| count > 0) {
        sleep(SIP).await;
    }
}

/// The WebAssembly, which is the largest file there is.
async fn largest_asset(nodes: &Nodes) -> Result<String> {
    let page = nodes.web.get("/login").await?;
    ensure!(page.status == 200, "/login answers {}", page.status);
    page.body
        .split('"')
        .find(|part| part.starts_with('/') && part.contains(".wasm"))
        .map(str::to_owned)
        .context("the page names no WebAssembly")
}
