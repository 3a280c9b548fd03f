//! Formatting, lints with warnings as errors, and what the WebAssembly contains.

use std::{
    collections::BTreeSet,
    env, fs,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files, say, setup,
    shell::{self, cargo, cargo_plain, execute},
    site::{self, Site},
    wasm,
};

/// Crates that must never get into the browser's half: the server's own, and those whose weight is not worth it.
const SERVER_CRATES: [&str; 14] = [
    "argon2",
    "axum",
    "chrono",
    "getrandom",
    "hyper",
    "leptos_i18n",
    "lettre",
    "rand",
    "rusqlite",
    "sqlx",
    "sqlx-core",
    "tokio",
    "totp-rs",
    "uuid",
];

/// Words that only the server's code knows. Finding one in the browser's half means that code leaked.
const SERVER_WORDS: [&str; 8] = [
    "INSERT INTO",
    "SELECT ",
    "BEGIN IMMEDIATE",
    "$argon2id",
    "vestibule-server-only",
    "VESTIBULE_DATABASE_URL",
    "/_test/",
    "postgres://",
];

/// All checks.
///
/// # Errors
/// The first that finds something.
pub fn run_all(site: &Site) -> Result<()> {
    formatting()?;
    lints()?;
    dependencies()?;
    scripts()?;
    alert_rules()?;
    audit(site)?;
    weight(site)
}

/// The command `check`.
///
/// # Errors
/// The first check that finds something.
pub fn run() -> Result<()> {
    let site = site::build(site::Kind::Shipped)?;
    run_all(&site)
}

fn formatting() -> Result<()> {
    say::step("Formatting", || {
        execute(cargo_plain("fmt").args(["--all", "--check"])).context("repair with: cargo fmt")
    })
}

fn lints() -> Result<()> {
    const STRICT: [&str; 3] = ["--", "-D", "warnings"];
    let server = [
        "--workspace",
        "--exclude",
        "vestibule-frontend",
        "--exclude",
        "vestibule-xtask",
        "--all-targets",
    ];
    say::step("Clippy: the server's half", || {
        execute(cargo("clippy").args(server).args(STRICT))
    })?;
    say::step("Clippy: the server's half with the test kit", || {
        execute(
            cargo("clippy")
                .args(server)
                .args(["--features", "vestibule-server/test-kit"])
                .args(STRICT),
        )
    })?;
    say::step("Clippy: this tool", || {
        execute(
            cargo("clippy")
                .args(["--package", "vestibule-xtask", "--all-targets"])
                .args(["--features", "attack,bench"])
                .args(STRICT),
        )
    })?;
    browser_lints(&STRICT)
}

fn browser_lints(strict: &[&str]) -> Result<()> {
    let toolchain = wasm::ready().map_or_else(wasm::toolchain, Ok)?;
    let mut clippy = toolchain.cargo("clippy");
    if toolchain == wasm::Toolchain::Ready {
        // The same compiler as for the server's half: macros and build scripts are there already.
        clippy.env("CARGO_TARGET_DIR", shell::target(""));
    } else {
        // Its lints may be newer than those of the compiler at hand.
        setup::debian(&["rust-web-clippy"], "clippy for Debian's compiler")
            .or_else(|_| setup::debian(&["rust-clippy"], "clippy for Debian's compiler"))?;
    }
    say::step(
        &format!("Clippy: the browser's half ({})", toolchain.name()),
        || execute(clippy.args(["--package", "vestibule-frontend"]).args(strict)),
    )
}

fn scripts() -> Result<()> {
    say::step("Types of the browser tests", || {
        execute(setup::npm_program("tsc").arg("--noEmit").stdin(Stdio::null()))
    })
}

/// Licences, sources and doubled versions of what comes from others; known defects too when `XTASK_ADVISORIES` names a clone
/// of <https://github.com/RustSec/advisory-db>.
fn dependencies() -> Result<()> {
    /// How cargo-deny calls a clone of that database.
    const CLONE: &str = "advisory-db-3157b0e258782691";
    let program = setup::cargo_deny()?;
    let mut check = Command::new(program);
    check
        .args(["--all-features", "--locked"])
        .current_dir(shell::root());
    let Some(database) = env::var_os("XTASK_ADVISORIES") else {
        return say::step("Crates of others: licences, sources, doubled versions", || {
            execute(check.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
        });
    };
    let database = fs::canonicalize(database).context("XTASK_ADVISORIES")?;
    let clones = shell::target("cargo-deny/advisories");
    fs::create_dir_all(&clones)?;
    let clone = clones.join(CLONE);
    let _ = fs::remove_file(&clone);
    std::os::unix::fs::symlink(database, clone)?;
    say::step(
        "Crates of others: licences, sources, doubled versions, known defects",
        || execute(check.args(["--offline", "check", "--hide-inclusion-graph"])),
    )
}

/// The rules for Prometheus, tried on made-up numbers.
fn alert_rules() -> Result<()> {
    let promtool = setup::promtool()?;
    say::step("Alert rules", || {
        execute(
            Command::new(promtool)
                .args(["test", "rules", "alerts.test.yml"])
                .current_dir(shell::root().join("src/server/monitoring")),
        )
    })
}

/// What the browser's half is made of.
///
/// # Errors
/// Something of the server is in it, or its islands are not.
pub fn audit(site: &Site) -> Result<()> {
    say::step("Audit of the WebAssembly", || {
        // Macros run in the compiler and are no part of the result.
        let tree = shell::output(
            cargo("tree")
                .args(["--package", "vestibule-frontend", "--target", wasm::TARGET])
                .args([
                    "--edges",
                    "normal,no-proc-macro",
                    "--prefix",
                    "none",
                    "--format",
                    "{p}",
                ]),
        )?;
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        if !crates.contains("vestibule-app") {
            bail!("the list of crates is not what it should be");
        }
        let leaked: Vec<&str> = SERVER_CRATES
            .into_iter()
            .filter(|name| crates.contains(name))
            .collect();
        if !leaked.is_empty() {
            bail!(
                "crates that do not belong into the browser: {}",
                leaked.join(", ")
            );
        }
        let name = site
            .manifest
            .get("wasm")
            .context("the manifest names no WebAssembly")?;
        let code = fs::read(site.folder.join(name))?;
        if let Some(word) = SERVER_WORDS
            .into_iter()
            .find(|word| contains(&code, word.as_bytes()))
        {
            bail!("the WebAssembly contains {word:?}, which only the server may know");
        }
        islands(&code)?;
        say::line(&format!("  {} crates, none of them the server's", crates.len()));
        Ok(())
    })
}

/// Bytes of the page itself, as brotli, where its texts are longest: in French, and a little less in German.
const PAGE: usize = 3_430;

/// What a first visit of `/login` loads. A language more is not among it.
fn weight(site: &Site) -> Result<()> {
    let mut total = PAGE;
    for part in ["style", "script", "bindings", "wasm", "logo", "icon"] {
        total += site.weight(part)?;
    }
    say::line(&format!(
        "A first visit of /login loads {} bytes, of at most {}",
        say::bytes(total as u64),
        say::bytes(site.budget as u64)
    ));
    if total > site.budget {
        bail!("the sign-in page is too heavy");
    }
    Ok(())
}

/// Every island that the sources have must be exported, or pages look right and stay dead.
fn islands(code: &[u8]) -> Result<()> {
    let mut names = Vec::new();
    for file in files::all_below(&shell::root().join("src/app/src"))? {
        names.extend(island_names(&fs::read_to_string(&file)?));
    }
    // The export is the name, an underscore and a number.
    let lost: Vec<&String> = names
        .iter()
        .filter(|name| !contains(code, format!("{name}_").as_bytes()))
        .collect();
    if !lost.is_empty() {
        bail!(
            "islands that are not in the WebAssembly: {lost:?}; does the frontend still say `use vestibule_app as _`?"
        );
    }
    say::line(&format!("  {} islands, all there", names.len()));
    Ok(())
}

/// Names of the functions marked `#[island]`.
fn island_names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in source.lines() {
        marked |= line.trim_start().starts_with("#[island");
        if let Some((_, after)) = line.split_once("fn ").filter(|_| marked) {
            names.push(
                after
                    .chars()
                    .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                    .collect(),
            );
            marked = false;
        }
    }
    names
}

/// Whether `word` is somewhere in `content`.
pub fn contains(content: &[u8], word: &[u8]) -> bool {
    content.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn islands_are_found_in_sources() {
        let source = "/// A function: fn no()\n#[island]\n#[expect(x)]\npub fn LoginScreen(a: u8) {}\nfn other() {}\n#[island(lazy)] fn Two() {}";
        assert_eq!(island_names(source), ["LoginScreen", "Two"]);
    }

    #[test]
    fn words_are_found_anywhere() {
        assert!(contains(b"xxINSERT INTO", b"INSERT INTO"));
        assert!(!contains(b"INSERT", b"INSERT INTO"));
    }
}
