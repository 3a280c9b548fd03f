//! What the commands print.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::Result;

/// Prints one plain line.
pub fn line(text: &str) {
    // A closed pipe is no reason to stop building.
    let _ = writeln!(std::io::stdout(), "xtask: {text}");
}

/// Announces a step, does it and tells how long it took.
///
/// # Errors
/// Whatever the step failed with, with the step's name in front.
pub fn step<T>(what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    line(what);
    let start = Instant::now();
    let result = act().map_err(|error| error.context(format!("failed: {what}")))?;
    line(&format!("  {}", took(start)));
    Ok(result)
}

/// Time since `start`, for a person.
pub fn took(start: Instant) -> String {
    duration(start.elapsed())
}

fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// Bytes with thousands apart: `1 234 567`.
pub fn bytes(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Prints why a command failed.
pub fn problem(error: &anyhow::Error) {
    let _ = std::io::stdout().flush();
    let mut text = String::from("xtask: ");
    for (depth, cause) in error.chain().enumerate() {
        if depth > 0 {
            text.push_str("\n       ");
        }
        text.push_str(&cause.to_string());
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(bytes(0), "0");
        assert_eq!(bytes(999), "999");
        assert_eq!(bytes(1000), "1 000");
        assert_eq!(bytes(1_234_567), "1 234 567");
    }

    #[test]
    fn long_times_are_told_in_minutes() {
        assert_eq!(duration(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 5 s");
    }
}
