//! Mails of a shift start: how fast ten thousand leave through one server, what memory that takes, and how long a
//! sign-in code waits behind them.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{COMPANY, Installation, PASSWORD, console, milliseconds};

/// Mails of the shift start, each to an account of its own.
const MAILS: usize = 10_000;
/// Requests at once.
const CLIENTS: usize = 16;
/// The account whose code overtakes them.
const HURRIED: &str = "hurried";
const LIMIT: Duration = Duration::from_mins(10);

/// Measures and prints, in an installation of its own.
///
/// # Errors
/// The server does not start, or mails do not come.
pub fn print(binary: &std::path::Path) -> Result<()> {
    let sink = Sink::start()?;
    let mut site = Installation::sending_to(binary, sink.port)?;
    site.fill_with("email", &[HURRIED])?;
    console::fill_one(&site, MAILS)?;
    site.start()?;
    println!("\n{MAILS} mails through one server");
    let begun = Instant::now();
    let asked = thread::scope(|scope| {
        let asking = scope.spawn(|| ask_all(&site.url));
        // The code is asked for while thousands of mails wait.
        sink.wait_for(MAILS / 4)?;
        let code = code_time(&site.url, &sink)?;
        println!(
            "  a sign-in code asked for in the middle of it: {:.0} ms until the server has it",
            milliseconds(code)
        );
        asking.join().unwrap_or_else(|_| bail!("asking ended early"))
    })?;
    sink.wait_for(MAILS + 1)?;
    let all = begun.elapsed();
    println!("  asked for: {:.0} a second", rate(MAILS, asked));
    println!("  sent: {:.0} a second", rate(MAILS, all));
    println!("  most memory: {}", site.memory("VmHWM:")?);
    Ok(())
}

fn rate(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// Asks for a link to choose a new password for every account; gives how long that took.
fn ask_all(url: &str) -> Result<Duration> {
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= MAILS {
                            return Ok(());
                        }
                        let company = console::company(MAILS);
                        let email = format!("agent{number}@bench.test");
                        ureq::post(format!("{url}/forgot-password"))
                            .header("Origin", url)
                            .header("Accept", "application/json")
                            .header("X-Forwarded-For", source(number))
                            .send_form([("company", company.as_str()), ("email", email.as_str())])?;
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap_or_else(|_| bail!("a client ended early"))?;
        }
        Ok(begun.elapsed())
    })
}

/// An address of its own for every request.
fn source(number: usize) -> String {
    format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255)
}

fn code_time(url: &str, sink: &Sink) -> Result<Duration> {
    let begun = Instant::now();
    ureq::post(format!("{url}/login"))
        .header("Origin", url)
        .header("Accept", "application/json")
        .send_form([("company", COMPANY), ("account", HURRIED), ("password", PASSWORD)])?;
    let receiver = format!("{HURRIED}@bench.test");
    while begun.elapsed() < LIMIT {
        if let Some(at) = sink.arrival_of(&receiver) {
            return Ok(at - begun);
        }
        thread::sleep(Duration::from_millis(1));
    }
    bail!("the code did not come")
}

/// A mail server that takes everything and remembers who got something when.
struct Sink {
    port: u16,
    arrived: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Sink {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let arrived = Arc::<Mutex<Vec<_>>>::default();
        let shared = Arc::clone(&arrived);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrived = Arc::clone(&shared);
                // A conversation that breaks off is the server's affair; its mail is counted when it comes whole.
                thread::spawn(move || converse(&stream, &arrived).ok());
            }
        });
        Ok(Self { port, arrived })
    }

    fn count(&self) -> usize {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn arrival_of(&self, receiver: &str) -> Option<Instant> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.iter().find(|(_, to)| to == receiver).map(|(at, _)| *at)
    }

    fn wait_for(&self, count: usize) -> Result<()> {
        let begun = Instant::now();
        while self.count() < count {
            if begun.elapsed() > LIMIT {
                bail!("{} of {count} mails after {} s", self.count(), LIMIT.as_secs());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// What a mail server says when it has nothing against anything (RFC 5321).
fn converse(stream: &TcpStream, arrived: &Mutex<Vec<(Instant, String)>>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut answer = stream;
    let mut lines = BufReader::new(stream).lines();
    let mut receiver = String::new();
    answer.write_all(b"220 bench\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let command = line.to_ascii_uppercase();
        if command.starts_with("RCPT TO:") {
            let (_, rest) = line.split_once('<').context("no receiver")?;
            rest.split('>')
                .next()
                .unwrap_or_default()
                .clone_into(&mut receiver);
        }
        if command == "DATA" {
            answer.write_all(b"354 go on\r\n")?;
            while lines.next().transpose()?.context("no end")? != "." {}
            let mut arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
            arrived.push((Instant::now(), std::mem::take(&mut receiver)));
        }
        answer.write_all(if command == "QUIT" {
            b"221 bye\r\n"
        } else {
            b"250 ok\r\n"
        })?;
    }
    Ok(())
}
