//! Files of the site: their hashes, names and compressed siblings.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// 16 hexadecimal digits of the content's SHA-256: enough that no two versions of a file share a name.
pub fn hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .take(8)
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// `logo.svg` with the hash of its content: `logo.0123456789abcdef.svg`.
pub fn hashed_name(name: &str, content: &[u8]) -> String {
    let hash = hash(content);
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{name}.{hash}"),
    }
}

/// Whether compressing pays: not for formats that are compressed already.
pub fn is_compressible(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    [
        "css",
        "html",
        "ico",
        "js",
        "json",
        "md",
        "svg",
        "txt",
        "wasm",
        "webmanifest",
        "xml",
    ]
    .contains(&extension)
}

/// The content as brotli, best quality.
///
/// # Errors
/// None in practice: memory is the only resource.
pub fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut packed, &parameters)?;
    Ok(packed)
}

/// The content as gzip, best level, without a time in it.
///
/// # Errors
/// None in practice.
pub fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(content)?;
    Ok(packer.finish()?)
}

/// Writes a file only when it does not hold exactly this already, so that builds see no change where there is none.
///
/// # Errors
/// The file cannot be written.
pub fn write_if_changed(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|found| found == content) {
        return Ok(());
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// All files below a folder, sorted; dot-files are left out. Nothing when the folder is not there.
///
/// # Errors
/// A folder cannot be read.
pub fn all_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path
                .file_name()
                .and_then(|name| name.to_str())
                .is_none_or(|name| name.starts_with('.'))
            {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn names_carry_sixteen_digits_of_the_content() {
        assert_eq!(hashed_name("logo.svg", b""), "logo.e3b0c44298fc1c14.svg");
        assert_eq!(hashed_name("a.b.svg", b""), "a.b.e3b0c44298fc1c14.svg");
        assert_eq!(hashed_name("plain", b""), "plain.e3b0c44298fc1c14");
        assert_ne!(hashed_name("logo.svg", b"1"), hashed_name("logo.svg", b"2"));
    }

    #[test]
    fn packed_files_unpack_to_the_same() {
        let content = b"vestibule ".repeat(1000);
        let mut unpacked = Vec::new();
        brotli::Decompressor::new(&*brotli(&content).unwrap(), 4096)
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, content);
        unpacked.clear();
        flate2::read::GzDecoder::new(&*gzip(&content).unwrap())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, content);
    }

    #[test]
    fn packing_twice_gives_the_same_bytes() {
        assert_eq!(gzip(b"same").unwrap(), gzip(b"same").unwrap());
        assert_eq!(brotli(b"same").unwrap(), brotli(b"same").unwrap());
    }

    #[test]
    fn compressed_formats_are_left_alone() {
        assert!(is_compressible("main.css"));
        assert!(is_compressible("vestibule.wasm"));
        assert!(!is_compressible("photo.webp"));
        assert!(!is_compressible("README"));
    }
}
