//! Waiting times, written the same way in every language.

/// A waiting time as a clock: `0:42`, `12:05`, `1:02:05`.
pub fn clock(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn waits_read_like_a_clock() {
        for (seconds, text) in [
            (0, "0:00"),
            (7, "0:07"),
            (42, "0:42"),
            (60, "1:00"),
            (725, "12:05"),
            (3599, "59:59"),
            (3600, "1:00:00"),
            (3725, "1:02:05"),
            (86_400, "24:00:00"),
            (u32::MAX, "1193046:28:15"),
        ] {
            assert_eq!(clock(seconds), text);
        }
    }
}
