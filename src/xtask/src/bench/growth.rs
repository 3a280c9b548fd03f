//! The same pages in a small installation and in large ones: nothing may grow with the number of accounts.

use std::{fs, path::Path, time::Instant};

use anyhow::Result;

use super::{
    Installation,
    console::{self, Visitor},
    figures::Figures,
    quick_or,
};
use crate::postgres::Cluster;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const VISITS: usize = 60;

/// Measures every size on both databases.
///
/// # Errors
/// Something does not start, or a page is not what was asked for.
pub fn run(binary: &Path, quick: bool, figures: &mut Figures) -> Result<()> {
    let cluster = Cluster::durable()?;
    for size in SIZES.map(|size| quick_or(quick, size)) {
        let name = format!("bench-{size}");
        let database = cluster.database(&format!("bench_{size}"))?;
        for (on, database) in [("SQLite", None), ("PostgreSQL", Some(database))] {
            let mut site = Installation::in_folder(binary, &name, None)?;
            if let Some(database) = database {
                site.database = database;
            }
            site.fill_with("none", &["agent0"])?;
            console::fill_one(&site, size)?;
            site.start()?;
            measure(&site, size, on, figures)?;
            let folder = site.folder.clone();
            drop(site);
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(())
}

fn measure(site: &Installation, accounts: usize, on: &str, figures: &mut Figures) -> Result<()> {
    let part = format!("{accounts} accounts");
    let company = console::company(accounts);
    let mut times = Vec::with_capacity(VISITS);
    let visitor = Visitor::sign_in(&site.url, &company, 0)?;
    for number in 1..=VISITS {
        let begun = Instant::now();
        Visitor::sign_in(&site.url, &company, number * 37 % accounts)?;
        times.push(begun.elapsed());
    }
    told(figures, (&part, on), "sign-in", console::spread(times));
    for (what, address) in [
        ("list", "/admin/agents".to_owned()),
        (
            "search",
            format!("/admin/agents?search=agent{}@bench.test", accounts / 2),
        ),
        ("audit page", "/admin/audit".to_owned()),
        ("overview", "/admin".to_owned()),
    ] {
        told(figures, (&part, on), what, visitor.visits(&address)?);
    }
    Ok(())
}

fn told(figures: &mut Figures, (part, on): (&str, &str), what: &str, (median, most): (f64, f64)) {
    figures.add(part, on, &format!("{what} median"), median, "ms");
    figures.add(part, on, &format!("{what} 95 of 100 within"), most, "ms");
}
