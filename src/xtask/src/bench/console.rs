//! The Admin console in companies of every size: the list of agents, searches, sign-in, import.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{Installation, PASSWORD, milliseconds};
use crate::{
    say,
    shell::{self, cargo, execute},
};

/// Accounts of the companies that are compared.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Companies of one account each, for the last comparison.
const COMPANIES: usize = 1_000;
/// How often each address is asked for.
const VISITS: usize = 60;
const SIGN_INS: usize = 20;
/// Accounts in the file that is imported.
const IMPORTED: usize = 1_000;
const IMPORT_LIMIT: Duration = Duration::from_mins(5);

/// Fills the database. The server need not run.
///
/// # Errors
/// The tool cannot be built, or the database cannot be filled.
pub fn fill(site: &Installation) -> Result<()> {
    for size in SIZES {
        fill_one(site, size)?;
    }
    let fill = tool()?;
    say::step(&format!("{COMPANIES} companies"), || {
        let mut fill = Command::new(&fill);
        let count = COMPANIES.to_string();
        shell::output(fill.args([site.database.as_str(), "--companies", &count])).map(drop)
    })
}

/// Adds one company of this size.
///
/// # Errors
/// As [`fill`].
pub fn fill_one(site: &Installation, accounts: usize) -> Result<()> {
    let fill = tool()?;
    say::step(&format!("A company with {accounts} accounts"), || {
        let mut fill = Command::new(&fill);
        shell::output(fill.args([&site.database, &company(accounts), &accounts.to_string()])).map(drop)
    })
}

/// Compiles what fills the database, unless that was done.
fn tool() -> Result<std::path::PathBuf> {
    say::step("Compiling what fills the database (release)", || {
        execute(cargo("build").args(["--package", "vestibule-storage", "--release", "--example", "fill"]))
    })?;
    Ok(shell::target("release").join("examples").join("fill"))
}

/// Measures and prints.
///
/// # Errors
/// A page is not what was asked for.
pub fn print(url: &str) -> Result<()> {
    println!("\nAdmin console: median (95 of 100 within) of {VISITS} visits, in milliseconds");
    for size in SIZES {
        let visitor = Visitor::sign_in(url, &company(size), 0)?;
        println!("  company with {size} accounts");
        let middle = format!("agent{}", size / 2);
        for (what, address) in [
            ("list, first page", "/admin/agents".to_owned()),
            (
                "list by name, turned round",
                "/admin/agents?sort=name&order=desc".to_owned(),
            ),
            (
                "search that finds one",
                format!("/admin/agents?search={middle}@bench.test"),
            ),
            ("search that finds many", "/admin/agents?search=agent".to_owned()),
            (
                "search of two words",
                format!("/admin/agents?search=smith+{}", size / 2),
            ),
            ("locked", "/admin/agents?state=locked".to_owned()),
            ("supervisors", "/admin/agents?role=supervisor".to_owned()),
            ("overview", "/admin".to_owned()),
        ] {
            let (median, most) = visitor.visits(&address)?;
            println!("    {what:<28}{median:>7.1} ({most:.1})");
        }
        sign_ins(url, &company(size), size)?;
    }
    println!(
        "  the same installation, company {} of {COMPANIES}",
        COMPANIES / 2
    );
    sign_ins(url, &format!("Company {}", COMPANIES / 2), 1)?;
    import(url)
}

/// Name of the company of this size.
pub fn company(size: usize) -> String {
    format!("Bench {size}")
}

fn sign_ins(url: &str, company: &str, accounts: usize) -> Result<()> {
    let mut times = Vec::with_capacity(SIGN_INS);
    for number in 0..SIGN_INS {
        let begun = Instant::now();
        Visitor::sign_in(url, company, number * 37 % accounts)?;
        times.push(begun.elapsed());
    }
    let (median, most) = spread(times);
    println!("    {:<28}{median:>7.1} ({most:.1})", "sign-in");
    Ok(())
}

/// How fast a file becomes accounts, from the button to the last line.
fn import(url: &str) -> Result<()> {
    use std::fmt::Write as _;
    let visitor = Visitor::sign_in(url, &company(SIZES[0]), 0)?;
    let mut file = "account,email,first_name,last_name\r\n".to_owned();
    for number in 0..IMPORTED {
        write!(file, "new{number},new{number}@bench.test,New,Agent {number}\r\n")?;
    }
    let begun = Instant::now();
    let page = visitor.upload("/admin/agents/import", &file)?;
    let checked = begun.elapsed();
    let id = page.rsplit('/').next().context("no import")?.to_owned();
    let begun = Instant::now();
    visitor.post("/admin/agents/import/start", &[("id", &id)])?;
    // While it runs, the page asks to be loaded again.
    while visitor.get(&page)?.contains("http-equiv=\"refresh\"") {
        if begun.elapsed() > IMPORT_LIMIT {
            bail!("the import did not end");
        }
        thread::sleep(Duration::from_millis(100));
    }
    println!(
        "  import of {IMPORTED} accounts with temporary passwords: checked in {:.0} ms, then {:.0} a second",
        milliseconds(checked),
        f64::from(u32::try_from(IMPORTED)?) / begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Median and the 95th of a hundred, in milliseconds.
pub fn spread(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    (milliseconds(at(50)), milliseconds(at(95)))
}

/// Somebody who is signed in.
pub struct Visitor {
    url: String,
    /// The cookie of the session.
    pub cookie: String,
}

impl Visitor {
    /// Signs in with one of the accounts of a company.
    ///
    /// # Errors
    /// It is refused.
    pub fn sign_in(url: &str, company: &str, account: usize) -> Result<Self> {
        // An address of its own each time, as in life; else the limits per address are measured.
        let name = format!("agent{account}");
        let number = company.bytes().map(usize::from).sum::<usize>() * 131 + account;
        let [.., high, middle, low] = number.to_be_bytes();
        let answer = ureq::post(format!("{url}/login"))
            .header("accept", "application/json")
            .header("origin", url)
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", format!("10.{high}.{middle}.{low}"))
            .send_form([("company", company), ("account", &name), ("password", PASSWORD)])?;
        let session = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("session="))
            .context("no session")?;
        Ok(Self {
            url: url.to_owned(),
            cookie: session.to_owned(),
        })
    }

    fn get(&self, path: &str) -> Result<String> {
        let mut answer = ureq::get(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .call()?;
        Ok(answer.body_mut().read_to_string()?)
    }

    /// Median of several visits, and within what 95 of a hundred stay, in milliseconds.
    ///
    /// # Errors
    /// It is not shown.
    pub fn visits(&self, path: &str) -> Result<(f64, f64)> {
        let mut times = Vec::with_capacity(VISITS);
        for _ in 0..VISITS {
            let begun = Instant::now();
            self.get(path)?;
            times.push(begun.elapsed());
        }
        Ok(spread(times))
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        ureq::post(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("accept", "application/json")
            .header("origin", &self.url)
            .header("sec-fetch-site", "same-origin")
            .send_form(fields.iter().copied())?;
        Ok(())
    }

    /// Sends a file as a browser does; gives the address of the page that follows.
    fn upload(&self, path: &str, file: &str) -> Result<String> {
        const BOUNDARY: &str = "----bench";
        let body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"agents.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{file}\r\n--{BOUNDARY}--\r\n"
        );
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().max_redirects(0).build());
        let answer = agent
            .post(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .header("origin", &self.url)
            .header("sec-fetch-site", "same-origin")
            .header(
                "content-type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .send(body)?;
        let location = answer
            .headers()
            .get("location")
            .context("the file was not taken")?;
        Ok(location.to_str()?.to_owned())
    }
}
