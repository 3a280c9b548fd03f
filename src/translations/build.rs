//! Compiles `locales/` into one typed module. Every folder there that is no draft is an offered language: adding one needs no
//! Rust.

use std::{env, error::Error, fs, path::Path, path::PathBuf};

use leptos_i18n_codegen::gen_code;
use leptos_i18n_parser::parse_locales::{
    locale::{BuildersKeys, LocaleValue, RangeOrPlural},
    options::{Config, FileFormat, ParseOptions},
    parse_locales,
};

const DEFAULT_LANGUAGE: &str = "en";
/// A folder with a file of this name is not offered yet.
const DRAFT: &str = "draft";

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let folder = here.join("../../locales").canonicalize()?;
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo looks through the whole folder, so a new language or file is noticed, and the embedded legal texts with it.
    println!("cargo::rerun-if-changed={}", folder.display());

    let languages = names(&folder, |path| path.is_dir() && !path.join(DRAFT).exists())?;
    let namespaces = names(&folder.join(DEFAULT_LANGUAGE), |path| {
        path.extension().is_some_and(|extension| extension == "json")
    })?;

    let config = Config::new(DEFAULT_LANGUAGE)?
        .add_locales(
            languages
                .into_iter()
                .filter(|language| language != DEFAULT_LANGUAGE),
        )?
        .add_namespaces(namespaces)?
        .locales_path("../../locales")
        .parse_options(
            ParseOptions::default()
                .file_format(FileFormat::Json)
                .interpolate_display(true),
        );
    let mut translations = parse_locales(None, config)?;
    for warning in translations.diag.warnings().iter() {
        println!("cargo::warning={warning}");
    }
    for error in translations.diag.errors().iter() {
        println!("cargo::error={error}");
    }
    if env::var("CARGO_CFG_TARGET_ARCH")? == "wasm32" {
        drop_plurals(&mut translations.builder_keys);
    }
    // Diagnostics were said already; with documentation, so that an editor shows a key's placeholders.
    let module = gen_code(&translations, None, false, None, true)?;

    let folder = PathBuf::from(env::var("OUT_DIR")?).join("i18n");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("mod.rs"), module.to_string())?;
    Ok(())
}

/// Leaves out the texts that need plural rules: an island that wants one does not compile, so the browser never loads the
/// rules.
fn drop_plurals(keys: &mut BuildersKeys) {
    if let BuildersKeys::NameSpaces { keys, .. } = keys {
        for namespace in keys.values_mut() {
            namespace.0.retain(|_, value| !is_plural(value));
        }
    }
}

fn is_plural(value: &LocaleValue) -> bool {
    let LocaleValue::Value { value, .. } = value else {
        return false;
    };
    value.is_interpol().is_some_and(|keys| {
        keys.iter_vars()
            .any(|(_, variable)| matches!(variable.range_count, Some(RangeOrPlural::Plural)))
    })
}

/// The names, without extension, of what lies in `folder` and is wanted; sorted, hidden things left out.
fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str())
            && !name.starts_with('.')
            && wanted(&path)
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
