//! Logs: readable lines or JSON, times in UTC, one event a line (security.md 16.2.4, 16.4.1).

use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::{
    EnvFilter, fmt::MakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::LogFormat;

/// What is logged unless the operator says otherwise: our own events, and only trouble from libraries.
pub const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn";

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
}

/// Starts logging for the whole process.
///
/// # Errors
/// [`LoggingError`] when the filter is bad or logging was started before.
pub fn start(filter: &str, format: LogFormat, stream: Stream) -> Result<(), LoggingError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Json => {
            let lines = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(Lines {
                    stream,
                    one_line: false,
                });
            registry.with(lines).try_init()?;
        }
        LogFormat::Text => {
            let lines = tracing_subscriber::fmt::layer()
                .with_ansi(stream.shows_colours())
                .with_writer(Lines {
                    stream,
                    one_line: true,
                });
            registry.with(lines).try_init()?;
        }
    }
    Ok(())
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

/// Makes the writer of each event.
#[derive(Clone, Copy)]
struct Lines {
    stream: Stream,
    one_line: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        let stream: Box<dyn Write> = match self.stream {
            Stream::Output => Box::new(io::stdout().lock()),
            Stream::Error => Box::new(io::stderr().lock()),
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

    #[test]
    fn the_default_filter_is_one() {
        assert!(EnvFilter::builder().parse(DEFAULT_FILTER).is_ok());
    }
}
