//! The site: everything a browser loads, as files with hashed names.
//!
//! `target/site` holds `name.<16 digits>.ext` with `.br` and `.gz` beside what compresses, and `manifest.json`, which
//! maps the parts (`style`, `script`, `bindings`, `wasm`, `logo`, `icon`, and `account_style` and `account_script` for the
//! pages of an account), the texts of the islands by language (`texts-de.txt`) and every file of `public/` (by its name) to
//! those names. The server embeds the folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, bail};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    stylesheet::{MinifyOptions, ParserOptions, PrinterOptions},
    targets::{Browsers, Targets},
};
use vestibule_locales::{Catalogue, TEXTS};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    bindings, files, say, setup,
    shell::{self, execute},
    wasm,
};

/// How much care the site gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As small as it gets.
    Shipped,
    /// Quickly, for working on it: less optimised WebAssembly.
    Quick,
}

impl Kind {
    /// Profile in the workspace's Cargo.toml.
    fn profile(self) -> &'static str {
        match self {
            Self::Shipped => "wasm",
            Self::Quick => "wasm-quick",
        }
    }
}

const MANIFEST: &str = "manifest.json";

/// What makes the WebAssembly small, in this order.
const WASM_PASSES: [&str; 8] = [
    // The lowest addresses are the end of the stack: nothing ever lies there.
    "--low-memory-unused",
    "-Oz",
    // Taken apart and put together anew it packs better; what that leaves behind goes in the second round.
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
    "--strip-target-features",
];
/// Features of WebAssembly that every browser of the last two years has and the compiler uses.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
];

/// Oldest browsers the style sheet is written for: what was current two years ago.
const BROWSERS: Browsers = Browsers {
    android: Some(129 << 16),
    chrome: Some(129 << 16),
    edge: Some(129 << 16),
    firefox: Some(131 << 16),
    ie: None,
    ios_saf: Some(18 << 16),
    opera: Some(114 << 16),
    safari: Some(18 << 16),
    samsung: Some(27 << 16),
};

/// The finished site.
#[derive(Debug)]
pub struct Site {
    /// Its folder.
    pub folder: PathBuf,
    /// Parts and public files, and the hashed name of each.
    pub manifest: BTreeMap<String, String>,
    /// What `/login` may weigh, in bytes.
    pub budget: usize,
}

impl Site {
    /// Bytes of a part as brotli, or as it is where that is smaller.
    ///
    /// # Errors
    /// There is no such part.
    pub fn weight(&self, part: &str) -> Result<usize> {
        let name = self
            .manifest
            .get(part)
            .with_context(|| format!("the site has no {part}"))?;
        let length = |name: &str| fs::metadata(self.folder.join(name)).map(|facts| facts.len());
        let bytes = length(&format!("{name}.br")).or_else(|_| length(name))?;
        Ok(usize::try_from(bytes)?)
    }
}

/// Builds `target/site`; what did not change is not done again.
///
/// # Errors
/// A tool is missing and cannot be installed, or a step fails.
pub fn build(kind: Kind) -> Result<Site> {
    let folder = shell::target("site");
    fs::create_dir_all(&folder)?;
    setup::npm()?;
    let toolchain = wasm::toolchain()?;
    let compiled = compile(kind, &toolchain)?;
    let browser = bind(kind, &compiled)?;
    let scripts = shell::root().join("src/frontend");

    let mut parts = vec![
        Part::new("style", "vestibule.css", style_sheet("main.css")?),
        Part::new("account_style", "account.css", style_sheet("account.css")?),
        Part::new("console_style", "console.css", style_sheet("console.css")?),
        Part::new(
            "script",
            "vestibule.js",
            minified_script(&scripts.join("loader.js"))?,
        ),
        Part::new(
            "account_script",
            "account.js",
            minified_script(&scripts.join("account.js"))?,
        ),
        Part::new("bindings", "bindings.js", browser.bindings),
        Part::new("wasm", "vestibule.wasm", browser.wasm),
    ];
    parts.extend(island_texts()?);
    parts.extend(public_files()?);
    let budget = toolchain.budget();
    let manifest = say::step("Names, hashes, compression", || publish(kind, &folder, &parts))?;
    let site = Site {
        folder,
        manifest,
        budget,
    };
    tell_sizes(&site);
    Ok(site)
}

/// One file of the site.
#[derive(Debug)]
struct Part {
    /// What the manifest calls it.
    keys: Vec<String>,
    /// Its name with the hash in it.
    name: String,
    content: Vec<u8>,
}

impl Part {
    fn new(key: &str, name: &str, content: Vec<u8>) -> Self {
        Self {
            keys: vec![key.to_owned()],
            name: files::hashed_name(name, &content),
            content,
        }
    }
}

/// What the islands say, a file for each offered language.
fn island_texts() -> Result<Vec<Part>> {
    let catalogue = Catalogue::read(&shell::root().join("locales"))?;
    let texts = catalogue.offered().into_iter().map(|language| {
        let name = format!("{TEXTS}{}.txt", language.tag);
        Part::new(&name, &name, catalogue.island_texts(language).into_bytes())
    });
    Ok(texts.collect())
}

/// The files of `public/`; those called `logo` and `icon` are parts of every page.
fn public_files() -> Result<Vec<Part>> {
    let public = shell::root().join("public");
    let mut parts = Vec::new();
    for file in files::all_below(&public)? {
        let key = file.strip_prefix(&public)?.to_string_lossy().into_owned();
        let mut part = Part::new(&key, &key.replace('/', "-"), fs::read(&file)?);
        if let Some((stem @ ("logo" | "icon"), _)) = key.split_once('.') {
            part.keys.push(stem.to_owned());
        }
        parts.push(part);
    }
    Ok(parts)
}

/// Writes the folder: all parts with their compressed siblings, the manifest, which it gives back, and nothing else.
fn publish(kind: Kind, folder: &Path, parts: &[Part]) -> Result<BTreeMap<String, String>> {
    // Unoptimised WebAssembly is large and changes with each build: packing it would take longer than it saves.
    let packs =
        |part: &Part| files::is_compressible(&part.name) && (kind == Kind::Shipped || part.keys != ["wasm"]);
    thread::scope(|scope| {
        let jobs: Vec<_> = parts
            .iter()
            .map(|part| scope.spawn(|| write(folder, part, packs(part))))
            .collect();
        jobs.into_iter()
            .try_for_each(|job| job.join().unwrap_or_else(|_| bail!("a thread died")))
    })?;
    let manifest: BTreeMap<String, String> = parts
        .iter()
        .flat_map(|part| part.keys.iter().map(|key| (key.clone(), part.name.clone())))
        .collect();
    let kept: Vec<PathBuf> = parts
        .iter()
        .flat_map(|part| ["", ".br", ".gz"].map(|end| folder.join(format!("{}{end}", part.name))))
        .chain([folder.join(MANIFEST)])
        .collect();
    for file in files::all_below(folder)? {
        if !kept.contains(&file) {
            fs::remove_file(&file)?;
        }
    }
    files::write_if_changed(
        &folder.join(MANIFEST),
        serde_json::to_string_pretty(&manifest)?.as_bytes(),
    )?;
    Ok(manifest)
}

/// Cargo's part: the WebAssembly as the compiler leaves it.
fn compile(kind: Kind, toolchain: &wasm::Toolchain) -> Result<PathBuf> {
    say::step(
        &format!("Compiling the browser's half ({})", toolchain.name()),
        || {
            execute(toolchain.cargo("build").args([
                "--package",
                "vestibule-frontend",
                "--profile",
                kind.profile(),
            ]))
        },
    )?;
    Ok(shell::target("wasm")
        .join(wasm::TARGET)
        .join(kind.profile())
        .join("vestibule_frontend.wasm"))
}

/// WebAssembly and the JavaScript that belongs to it.
#[derive(Debug)]
struct Browser {
    wasm: Vec<u8>,
    bindings: Vec<u8>,
}

/// Makes the bindings and optimises, unless the same was done before.
fn bind(kind: Kind, compiled: &Path) -> Result<Browser> {
    let work = shell::target("site-work").join(kind.profile());
    let (wasm, script_file, stamp) = (
        work.join("vestibule.wasm"),
        work.join("bindings.js"),
        work.join("stamp"),
    );
    let code = fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    // This program holds the generator and the switches: when it changes, everything is done again.
    let inputs = format!(
        "{} {}",
        files::hash(&code),
        files::hash(&fs::read(std::env::current_exe()?)?)
    );
    let done = fs::read_to_string(&stamp).is_ok_and(|found| found == inputs)
        && wasm.exists()
        && script_file.exists();
    if !done {
        let _ = fs::remove_file(&stamp);
        let raw = work.join("vestibule_bg.wasm");
        let script = work.join("vestibule.js");
        say::step("Bindings between WebAssembly and JavaScript", || {
            let output = Bindgen::new()
                .input_bytes("vestibule", code)
                .web(true)?
                .typescript(false)
                .omit_default_module_path(true)
                .remove_producers_section(true)
                .remove_name_section(true)
                .generate_output()?;
            bindings::emit(output, &work, &script)
        })?;
        match kind {
            Kind::Shipped => say::step("Optimising the WebAssembly for size", || {
                execute(
                    setup::npm_program("wasm-opt")
                        .arg(&raw)
                        .arg("-o")
                        .arg(&wasm)
                        .args(WASM_PASSES)
                        .args(WASM_FEATURES),
                )
            })?,
            Kind::Quick => fs::rename(&raw, &wasm)?,
        }
        fs::write(&script_file, minified_script(&script)?)?;
        fs::write(&stamp, inputs)?;
    }
    Ok(Browser {
        wasm: fs::read(wasm)?,
        bindings: fs::read(script_file)?,
    })
}

/// A file of `style/` and all it imports, as one small sheet.
fn style_sheet(name: &str) -> Result<Vec<u8>> {
    let main = shell::root().join("style").join(name);
    if !main.exists() {
        bail!("{} is missing", main.display());
    }
    let targets = Targets::from(BROWSERS);
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler
        .bundle(&main)
        .map_err(|error| anyhow::anyhow!("style sheet: {error}"))?;
    sheet
        .minify(MinifyOptions {
            targets,
            ..Default::default()
        })
        .map_err(|error| anyhow::anyhow!("style sheet: {error}"))?;
    let printed = sheet
        .to_css(PrinterOptions {
            minify: true,
            targets,
            ..Default::default()
        })
        .map_err(|error| anyhow::anyhow!("style sheet: {error}"))?;
    Ok(printed.code.into_bytes())
}

fn minified_script(file: &Path) -> Result<Vec<u8>> {
    let mut esbuild: Command = setup::npm_program("esbuild");
    esbuild.arg(file).args([
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--legal-comments=none",
    ]);
    let output = esbuild
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start esbuild")?;
    if !output.status.success() {
        bail!("esbuild refuses {}", file.display());
    }
    Ok(output.stdout)
}

type Compress = fn(&[u8]) -> Result<Vec<u8>>;

/// Writes one file and its compressed siblings. A hashed name that is there already has the right content.
fn write(folder: &Path, part: &Part, pack: bool) -> Result<()> {
    let Part { name, content, .. } = part;
    let known = folder.join(name).exists();
    for (extension, compress) in [("br", files::brotli as Compress), ("gz", files::gzip)] {
        let file = folder.join(format!("{name}.{extension}"));
        if pack && !(known && file.exists()) {
            let packed = compress(content)?;
            if packed.len() < content.len() {
                fs::write(&file, packed)?;
            }
        }
    }
    // Last, so that a build that was cut off here is taken up again.
    files::write_if_changed(&folder.join(name), content)
}

fn tell_sizes(site: &Site) {
    let length = |name: &str| fs::metadata(site.folder.join(name)).map_or(0, |facts| facts.len());
    for part in [
        "style",
        "script",
        "bindings",
        "wasm",
        "account_style",
        "console_style",
        "account_script",
    ] {
        if let Some(name) = site.manifest.get(part) {
            let raw = say::bytes(length(name));
            match length(&format!("{name}.br")) {
                0 => say::line(&format!("  {part}: {raw} bytes")),
                packed => say::line(&format!("  {part}: {raw} bytes, brotli {}", say::bytes(packed))),
            }
        }
    }
}
