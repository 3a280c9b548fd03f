//! A database some milliseconds away: what a page costs then is how often it asks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::mpsc,
};

use super::{
    figures::Figures,
    shift_start::{sign_in, told},
};
use crate::attack::{
    Kind, Stage,
    client::Outcome,
    nodes::{Codes, Nodes, Wanted},
    sink::Sink,
};

/// Round trips that are measured, in milliseconds.
const AWAY: [u64; 3] = [0, 5, 50];
const SIGN_INS: usize = 20;
const CHUNK: usize = 16 * 1024;

/// Measures sign-in, code and page with the database at each distance.
///
/// # Errors
/// Something does not start, or a sign-in fails.
pub async fn run(stage: &mut Stage, figures: &mut Figures) -> Result<()> {
    for away in AWAY {
        let part = format!("database {away} ms away");
        let server = stage.cluster()?.port();
        let relay = relay(server, Duration::from_millis(away) / 2).await?;
        stage.reach_database_at(Some(relay));
        let measured = measure(stage, &part, figures).await;
        stage.reach_database_at(None);
        measured?;
    }
    Ok(())
}

async fn measure(stage: &mut Stage, part: &str, figures: &mut Figures) -> Result<()> {
    let sink = Sink::start().await?;
    let wanted = Wanted {
        name: "distance",
        accounts: SIGN_INS * 2,
        codes: Codes::Half,
        mail_port: Some(sink.port),
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, Kind::Postgres, wanted).await?;
    let on = Kind::Postgres.name();
    let mut pages = Vec::new();
    for by_code in [false, true] {
        let mut times = Vec::new();
        for number in (0..SIGN_INS * 2).filter(|number| Codes::Half.asked_of(*number) == by_code) {
            let mut browser = nodes.web.browser(format!("10.8.0.{number}"));
            let arrival = sign_in(&mut browser, &sink, number, by_code).await;
            anyhow::ensure!(arrival.outcome == Outcome::In, "{part}: {}", arrival.outcome);
            times.push(arrival.took);
            let begun = Instant::now();
            let page = browser.get("/agent").await?;
            anyhow::ensure!(page.status == 200, "{part}: /agent {}", page.status);
            pages.push(begun.elapsed());
        }
        let what = if by_code {
            "both steps of a mailed code"
        } else {
            "password only"
        };
        told(figures, (part, on), what, times);
    }
    told(figures, (part, on), "/agent", pages);
    Ok(())
}

/// Hands everything on to a port of this machine, each way later by `delay`; gives the port to connect to. It ends with the
/// program.
async fn relay(to: u16, delay: Duration) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A connection that breaks is the business of both ends.
                let _ = join(near, to, delay).await;
            });
        }
    });
    Ok(port)
}

async fn join(near: TcpStream, to: u16, delay: Duration) -> Result<()> {
    let far = TcpStream::connect(("127.0.0.1", to)).await.context("no server")?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::try_join!(pass(near_in, far_out, delay), pass(far_in, near_out, delay)).map(drop)
}

/// One way. What is under way does not hold up what comes behind it.
async fn pass(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, delay: Duration) -> Result<()> {
    let (sender, mut under_way) = mpsc::channel::<(tokio::time::Instant, Vec<u8>)>(1024);
    let reading = async move {
        loop {
            let mut chunk = vec![0; CHUNK];
            let length = from.read(&mut chunk).await?;
            if length == 0 {
                return anyhow::Ok(());
            }
            chunk.truncate(length);
            sender.send((tokio::time::Instant::now() + delay, chunk)).await?;
        }
    };
    let writing = async {
        while let Some((due, chunk)) = under_way.recv().await {
            tokio::time::sleep_until(due).await;
            to.write_all(&chunk).await?;
        }
        to.shutdown().await?;
        anyhow::Ok(())
    };
    tokio::try_join!(reading, writing).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_through_the_relay_arrives_whole_and_late() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut client, _) = server.accept().await.unwrap();
            let mut asked = [0; 4];
            client.read_exact(&mut asked).await.unwrap();
            client.write_all(&asked).await.unwrap();
        });
        let delay = Duration::from_millis(20);
        let port = relay(port, delay).await.unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let begun = Instant::now();
        client.write_all(b"ping").await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"ping");
        assert!(begun.elapsed() >= delay * 2, "{:?}", begun.elapsed());
    }
}
