//! Builds the server again when the site that it embeds has changed.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let site = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../target/site");
    // Cargo takes a missing folder for a changed one, each time.
    fs::create_dir_all(&site)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", site.canonicalize()?.display());
    Ok(())
}
