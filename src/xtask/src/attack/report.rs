//! What was wanted and what was measured.

use std::fmt::Write as _;

use crate::say;

/// All that was measured.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    /// Scenario and database of the rows that come next.
    part: (String, String),
}

struct Row {
    part: (String, String),
    what: String,
    wanted: String,
    measured: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Held,
    Missed,
    /// For the reader; nothing was promised.
    Told,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Held => "ok",
            Self::Missed => "MISSED",
            Self::Told => "",
        }
    }
}

impl Report {
    /// What comes next belongs to this scenario on this database.
    pub fn begin(&mut self, scenario: &str, database: &str) {
        self.part = (scenario.to_owned(), database.to_owned());
    }

    /// A promise and whether it held.
    pub fn row(&mut self, what: impl Into<String>, wanted: &str, measured: impl Into<String>, held: bool) {
        self.add(
            what.into(),
            wanted,
            measured.into(),
            if held { Verdict::Held } else { Verdict::Missed },
        );
    }

    /// Something that nobody promised, or that could not be tried and why.
    pub fn tell(&mut self, what: impl Into<String>, measured: impl Into<String>) {
        self.add(what.into(), "", measured.into(), Verdict::Told);
    }

    /// Whether every promise held.
    pub fn all_held(&self) -> bool {
        self.missed() == 0
    }

    /// How many did not.
    pub fn missed(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == Verdict::Missed)
            .count()
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut lines = vec![["scenario", "on", "what", "wanted", "measured", ""].map(str::to_owned)];
        lines.extend(self.rows.iter().map(|row| {
            [
                row.part.0.clone(),
                row.part.1.clone(),
                row.what.clone(),
                row.wanted.clone(),
                row.measured.clone(),
                row.verdict.word().to_owned(),
            ]
        }));
        let mut widths = [0; 6];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut table = String::new();
        for line in lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(widths) {
                // Writing to a String cannot fail.
                let _ = write!(text, "{cell:<width$}  ");
            }
            let _ = writeln!(table, "{}", text.trim_end());
        }
        table
    }

    fn add(&mut self, what: String, wanted: &str, measured: String, verdict: Verdict) {
        let (scenario, database) = &self.part;
        let wanted_note = if wanted.is_empty() {
            String::new()
        } else {
            format!(" (wanted: {wanted})")
        };
        let word = verdict.word();
        say::line(format!("  {scenario}, {database}: {what}: {measured}{wanted_note} {word}").trim_end());
        self.rows.push(Row {
            part: self.part.clone(),
            what,
            wanted: wanted.to_owned(),
            measured,
            verdict,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missed_promise_is_enough() {
        let mut report = Report::default();
        report.begin("storm", "SQLite");
        report.row("30 at once", "30 in", "30 in", true);
        report.tell("longest", "2 s");
        assert!(report.all_held());
        report.row("600 in 30 s", "600 in", "64 in", false);
        assert_eq!((report.all_held(), report.missed()), (false, 1));
        let table = report.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[3].ends_with("MISSED"), "{table}");
    }
}
