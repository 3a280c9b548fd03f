//! Compiles `locales/`: for the server into one typed module, for the browser into the numbers of the texts that its islands
//! say. Every folder there that is no draft is an offered language: adding one needs no Rust.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use leptos_i18n_codegen::gen_code;
use leptos_i18n_parser::parse_locales::{
    ParsedLocales,
    options::{Config, FileFormat, ParseOptions},
    parse_locales,
};
use vestibule_locales::{Catalogue, DEFAULT_LANGUAGE, ISLANDS, Language, TRANSLATOR};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = here.join("../../locales").canonicalize()?;
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo looks through the whole folder, so a new language or file is noticed, and the embedded legal texts with it.
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-env-changed={TRANSLATOR}");

    let output = PathBuf::from(env::var("OUT_DIR")?);
    if env::var("CARGO_CFG_TARGET_ARCH")? == "wasm32" {
        fs::write(output.join("keys.rs"), keys()?)?;
        return Ok(());
    }
    let catalogue = Catalogue::read(&folder)?;
    for finding in catalogue.left_out() {
        println!("cargo::warning={finding}");
    }
    let offered = taken(&catalogue, catalogue.offered());
    fs::write(output.join("islands.rs"), island_texts(&catalogue, &offered)?)?;
    let module = output.join("i18n");
    fs::create_dir_all(&module)?;
    fs::write(module.join("mod.rs"), typed_module(&catalogue, &offered)?)?;
    Ok(())
}

/// The languages that the compiler takes: what the check of the files does not know of costs one language and not the build.
fn taken<'a>(catalogue: &Catalogue, offered: Vec<&'a Language>) -> Vec<&'a Language> {
    let refused = |languages: &[&Language]| match parsed(catalogue, languages) {
        Ok(parsed) => parsed.diag.errors().first().map(ToString::to_string),
        Err(error) => Some(error.to_string()),
    };
    if refused(&offered).is_none() {
        return offered;
    }
    let is_taken = |language: &&Language| match refused(&[*language]) {
        Some(problem) if language.tag != DEFAULT_LANGUAGE => {
            println!(
                "cargo::warning=locales/{}: The language is left out, because it cannot be compiled. {problem}",
                language.tag
            );
            false
        }
        _ => true,
    };
    offered.into_iter().filter(is_taken).collect()
}

/// The texts of English and some languages, as the compiler reads them.
fn parsed(catalogue: &Catalogue, offered: &[&Language]) -> Result<ParsedLocales, Box<dyn Error>> {
    let english = catalogue.english().ok_or("there is no English")?;
    let others = offered.iter().map(|language| language.tag.clone());
    let config = Config::new(DEFAULT_LANGUAGE)?
        .add_locales(others.filter(|tag| tag != DEFAULT_LANGUAGE))?
        .add_namespaces(english.files.iter().map(|file| file.name.clone()))?
        .locales_path("../../locales")
        .parse_options(
            ParseOptions::default()
                .file_format(FileFormat::Json)
                .interpolate_display(true),
        );
    Ok(parse_locales(None, config)?)
}

/// The typed keys of all texts, in every offered language.
fn typed_module(catalogue: &Catalogue, offered: &[&Language]) -> Result<String, Box<dyn Error>> {
    let translations = parsed(catalogue, offered)?;
    for warning in translations.diag.warnings().iter() {
        println!("cargo::warning={warning}");
    }
    for error in translations.diag.errors().iter() {
        println!("cargo::error={error}");
    }
    // Diagnostics were said already; with documentation, so that an editor shows a key's placeholders.
    Ok(gen_code(&translations, None, false, None, true)?.to_string())
}

/// What the server hands to the browser: the texts of the islands by language.
fn island_texts(catalogue: &Catalogue, offered: &[&Language]) -> Result<String, Box<dyn Error>> {
    let mut source = "match tag {\n".to_owned();
    for language in offered {
        let texts = catalogue.island_texts(language);
        writeln!(source, "    {:?} => {texts:?},", language.tag)?;
    }
    source.push_str("    _ => \"\",\n}\n");
    Ok(source)
}

/// The numbers of the texts that the islands say, as constants named as their keys.
fn keys() -> Result<String, Box<dyn Error>> {
    let mut source = format!(
        "/// How many texts travel.\npub const ALL: usize = {};\n",
        ISLANDS.len()
    );
    let mut files: Vec<&str> = Vec::new();
    for (file, _) in ISLANDS.iter().filter_map(|path| path.split_once('.')) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    for file in files {
        writeln!(source, "/// Of `{file}.json`.\npub mod {file} {{")?;
        for (number, path) in ISLANDS.iter().enumerate() {
            if let Some((_, key)) = path.split_once('.').filter(|(stands_in, _)| *stands_in == file) {
                writeln!(
                    source,
                    "    /// `{path}`\n    pub const {key}: crate::Key = crate::Key::new({number});"
                )?;
            }
        }
        source.push_str("}\n");
    }
    Ok(source)
}
