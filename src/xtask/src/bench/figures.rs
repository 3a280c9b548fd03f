//! What was measured, for people and for programs.

use std::{fmt::Write as _, fs};

use anyhow::Result;
use serde_json::json;

use crate::{say, shell};

/// All figures of a run, in the order in which they came.
#[derive(Default)]
pub struct Figures(Vec<Figure>);

struct Figure {
    part: String,
    on: String,
    what: String,
    value: f64,
    unit: &'static str,
}

impl Figures {
    /// Writes a figure down, and shows it. `part` is what was measured, `on` what it was measured on.
    pub fn add(&mut self, part: &str, on: &str, what: &str, value: f64, unit: &'static str) {
        say::line(&format!("  {part}, {on}: {what}: {value:.1} {unit}"));
        self.0.push(Figure {
            part: part.to_owned(),
            on: on.to_owned(),
            what: what.to_owned(),
            value,
            unit,
        });
    }

    /// The table, a line for each figure.
    fn table(&self) -> String {
        let mut widths = [0; 3];
        for figure in &self.0 {
            for (width, cell) in widths.iter_mut().zip([&figure.part, &figure.on, &figure.what]) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let [part, on, what] = widths;
        let mut table = String::new();
        for figure in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(
                table,
                "{:<part$}  {:<on$}  {:<what$}  {:>10.1} {}",
                figure.part, figure.on, figure.what, figure.value, figure.unit
            );
        }
        table
    }

    fn json(&self) -> serde_json::Value {
        let figures = self.0.iter().map(|figure| {
            json!({
                "part": figure.part, "on": figure.on, "what": figure.what, "value": figure.value, "unit": figure.unit,
            })
        });
        json!({ "figures": figures.collect::<Vec<_>>() })
    }

    /// Prints the table, and writes `target/bench.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn tell(&self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        println!("\n{}", self.table());
        let file = shell::target("bench.json");
        fs::write(&file, serde_json::to_vec_pretty(&self.json())?)?;
        say::line("the same for programs: target/bench.json");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_to_people_and_to_programs() {
        let mut figures = Figures::default();
        figures.add("sign-in", "SQLite", "p50", 101.25, "ms");
        figures.add("overview of 1000 accounts", "SQLite", "median", 3.0, "ms");
        let table = figures.table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0].find("101.2"), lines[1].find("  3.0"), "{table}");
        assert_eq!(figures.json()["figures"][0]["value"], 101.25);
        assert_eq!(figures.json()["figures"][1]["what"], "median");
    }
}
