//! A small disk of our own that can be full.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// Enough for half an hour of work.
const SIZE: &str = "size=384m";
const BLOCK: usize = 64 * 1024;

/// A file system in memory; unmounted when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts it; only root can.
    ///
    /// # Errors
    /// Not root, or not allowed here.
    pub fn mount(place: &Path) -> Result<Self> {
        if !shell::is_root() {
            bail!("only root can mount a small disk");
        }
        fs::create_dir_all(place)?;
        shell::output(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", SIZE, "vestibule-attack"])
                .arg(place),
        )
        .context("a small disk cannot be mounted here")?;
        Ok(Self(place.to_path_buf()))
    }

    /// Unmounts what a run that was killed has left.
    pub fn leftover(place: &Path) {
        if place.exists() {
            let _ = shell::output(Command::new("umount").arg(place));
        }
    }

    /// Where data go.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Leaves no room.
    ///
    /// # Errors
    /// The ballast cannot be made at all.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = fs::File::create(self.ballast())?;
        let block = vec![0; BLOCK];
        // Until it is refused, which is what was wanted; then byte by byte what is left.
        while ballast.write_all(&block).is_ok() {}
        while ballast.write_all(&[0; 512]).is_ok() {}
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// The ballast cannot be removed.
    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = shell::output(Command::new("umount").arg(&self.0));
    }
}
