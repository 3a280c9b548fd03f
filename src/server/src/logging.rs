//! Logs: readable lines or JSON, times in UTC, one event a line (security.md 16.2.4, 16.4.1).
//!
//! The server's lines go through a bounded queue to a thread of its own: a standard output that blocks (a stalled
//! journal, a full pipe) holds up that thread and nothing else. What finds the queue full is dropped and counted.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender, SyncSender, TryRecvError},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::{
    EnvFilter, Registry, fmt::MakeWriter, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use crate::config::LogFormat;

/// What is logged unless the operator says otherwise: our own events, and only trouble from libraries.
pub const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn";

/// Most that waits to be written, in bytes: some minutes of a busy node.
const QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// How long the end of the process waits for lines that are not written yet.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Lines of the server's log that nobody will read.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many lines were dropped since the start of the process, because the log could not be written in time or at all.
pub fn lines_dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: the server.
    Output,
    /// Standard error: commands, whose standard output is their answer.
    Error,
}

/// Logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is not one.
    #[error("the log filter cannot be understood: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else already takes the log.
    #[error("logging has already begun")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
    /// There is nothing to filter any more.
    #[error("the log filter cannot be changed: {0}")]
    Reload(#[from] reload::Error),
    /// No thread could be made that writes.
    #[error("no thread writes it: {0}")]
    Thread(#[from] io::Error),
}

/// The log of this process. Its end waits, not longer than a second, until what was logged so far is written.
pub struct Log {
    filter: Filter,
    queue: Option<Arc<Queue>>,
}

impl Log {
    /// What decides which events are logged.
    pub fn filter(&self) -> Filter {
        self.filter.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.wait_until_written();
        }
    }
}

/// Decides which events are logged; can be changed while the process runs.
#[derive(Clone)]
pub struct Filter(reload::Handle<EnvFilter, Registry>);

impl Filter {
    /// Takes another filter.
    ///
    /// # Errors
    /// [`LoggingError`] when it is none; then the old one stays.
    pub fn change(&self, filter: &str) -> Result<(), LoggingError> {
        Ok(self.0.reload(EnvFilter::builder().parse(filter)?)?)
    }
}

/// Starts logging for the whole process.
///
/// # Errors
/// [`LoggingError`] when the filter is bad or logging was started before.
pub fn start(filter: &str, format: LogFormat, stream: Stream) -> Result<Log, LoggingError> {
    let (filter, handle) = reload::Layer::new(EnvFilter::builder().parse(filter)?);
    let registry = tracing_subscriber::registry().with(filter);
    let queue = match stream {
        Stream::Output => Some(Arc::new(Queue::start(io::stdout(), &DROPPED)?)),
        Stream::Error => None,
    };
    let lines = |one_line| Lines {
        queue: queue.clone(),
        one_line,
    };
    match format {
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(lines(false));
            registry.with(layer).try_init()?;
        }
        LogFormat::Text => {
            let layer = tracing_subscriber::fmt::layer()
                .with_ansi(stream.shows_colours())
                .with_writer(lines(true));
            registry.with(layer).try_init()?;
        }
    }
    Ok(Log {
        filter: Filter(handle),
        queue,
    })
}

impl Stream {
    fn shows_colours(self) -> bool {
        let terminal = match self {
            Self::Output => io::stdout().is_terminal(),
            Self::Error => io::stderr().is_terminal(),
        };
        terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }
}

/// What the thread that writes is told.
enum Message {
    Line(Vec<u8>),
    /// Everything before this was written.
    Written(SyncSender<()>),
}

/// Lines on their way to the thread that writes them. Nobody who puts one in ever waits.
///
/// tracing-appender has a queue too, but its guard prints to standard output when the queue is full at the end, which
/// is where a blocked one would hold up the stop for ever.
struct Queue {
    lines: Sender<Message>,
    waiting: Arc<AtomicUsize>,
    dropped: &'static AtomicU64,
}

impl Queue {
    fn start(output: impl Write + Send + 'static, dropped: &'static AtomicU64) -> io::Result<Self> {
        let (lines, received) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writing {
            output,
            waiting: Arc::clone(&waiting),
            dropped,
            told: 0,
            works: true,
        };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(&received))?;
        Ok(Self {
            lines,
            waiting,
            dropped,
        })
    }

    fn put(&self, line: Vec<u8>) {
        let size = line.len();
        let fits = self.waiting.fetch_add(size, Ordering::Relaxed) + size <= QUEUE_BYTES;
        if !fits || self.lines.send(Message::Line(line)).is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wait_until_written(&self) {
        let (written, wait) = mpsc::sync_channel(1);
        if self.lines.send(Message::Written(written)).is_ok() {
            // A log that blocks must not hold up the end.
            let _ = wait.recv_timeout(LAST_LINES);
        }
    }
}

/// The thread that writes.
struct Writing<W> {
    output: W,
    waiting: Arc<AtomicUsize>,
    dropped: &'static AtomicU64,
    /// Dropped lines that the log tells about.
    told: u64,
    /// Whether the last line could be written.
    works: bool,
}

impl<W: Write> Writing<W> {
    fn run(mut self, lines: &Receiver<Message>) {
        loop {
            let message = match lines.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.tell();
                    lines.recv().ok()
                }
                other => other.ok(),
            };
            match message {
                Some(Message::Line(line)) => self.write(&line),
                // Whoever asked may have stopped waiting.
                Some(Message::Written(written)) => drop(written.send(())),
                None => return,
            }
        }
    }

    fn write(&mut self, line: &[u8]) {
        // When nobody reads the log any more, the server serves all the same.
        self.works = self
            .output
            .write_all(line)
            .and_then(|()| self.output.flush())
            .is_ok();
        if !self.works {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.waiting.fetch_sub(line.len(), Ordering::Relaxed);
    }

    /// Says, once the log is written again and the queue is empty, how many lines are missing from it.
    fn tell(&mut self) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if self.works && dropped > self.told {
            let lines = dropped - self.told;
            self.told = dropped;
            tracing::warn!(
                lines,
                "log lines were dropped: the log could not be written in time"
            );
        }
    }
}

/// Puts each event into the queue as a whole, as the formatter writes it.
struct Queued<'a>(&'a Queue);

impl Write for Queued<'_> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.put(event.to_vec());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the writer of each event: into the queue, or straight to standard error.
struct Lines {
    queue: Option<Arc<Queue>>,
    one_line: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        let stream: Box<dyn Write> = match &self.queue {
            Some(queue) => Box::new(Queued(queue)),
            None => Box::new(io::stderr().lock()),
        };
        if self.one_line {
            Box::new(OneLine(stream))
        } else {
            stream
        }
    }
}

/// Writes each event as one line: a line break inside it, which may come from a request, could otherwise begin
/// what looks like another event. The formatter escapes the other control characters and writes an event at once.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let (body, end) = match event {
            [body @ .., b'\n'] => (body, &b"\n"[..]),
            body => (body, &b""[..]),
        };
        let mut line = Vec::with_capacity(event.len() + 8);
        for &byte in body {
            match byte {
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                other => line.push(other),
            }
        }
        line.extend_from_slice(end);
        self.0.write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_says() {
        let mut out = Vec::new();
        OneLine(&mut out)
            .write_all(b"INFO name=a\r\nERROR forged\n")
            .unwrap();
        assert_eq!(out, b"INFO name=a\\r\\nERROR forged\n");
    }

    /// An output that stands still until it is told to go on.
    struct Blocked {
        go_on: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Blocked {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.go_on.recv().map_err(io::Error::other)?;
            self.written.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_output_that_blocks_holds_up_nobody_and_what_finds_no_room_is_counted() {
        static DROPPED: AtomicU64 = AtomicU64::new(0);
        let (go_on, blocked) = mpsc::channel();
        let (written, lines) = mpsc::channel();
        let output = Blocked {
            go_on: blocked,
            written,
        };
        let queue = Queue::start(output, &DROPPED).unwrap();
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..10 {
            queue.put(line.clone());
        }
        assert_eq!(
            DROPPED.load(Ordering::Relaxed),
            6,
            "four fit, the one being written included"
        );
        queue.wait_until_written();
        for _ in 0..4 {
            go_on.send(()).unwrap();
            assert_eq!(lines.recv().unwrap().len(), line.len());
        }
        queue.wait_until_written();
        queue.put(b"after\n".to_vec());
        go_on.send(()).unwrap();
        assert_eq!(lines.recv().unwrap(), b"after\n", "there is room again");
        assert_eq!(DROPPED.load(Ordering::Relaxed), 6);
    }

    /// An output that several hold.
    #[derive(Clone, Default)]
    struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_says_how_many_lines_are_missing_once_it_works_again() {
        static DROPPED: AtomicU64 = AtomicU64::new(3);
        let log = Shared::default();
        let copy = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || copy.clone())
            .finish();
        let mut writing = Writing {
            output: io::sink(),
            waiting: Arc::default(),
            dropped: &DROPPED,
            told: 0,
            works: false,
        };
        let said = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            writing.tell();
            assert_eq!(said(), "", "nobody could read it");
            writing.works = true;
            writing.tell();
            writing.tell();
        });
        assert!(
            said().contains("lines=3") && said().lines().count() == 1,
            "{}",
            said()
        );
    }

    #[test]
    fn the_default_filter_is_one() {
        assert!(EnvFilter::builder().parse(DEFAULT_FILTER).is_ok());
    }
}
