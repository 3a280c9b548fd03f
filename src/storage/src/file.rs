//! Why a database file of SQLite cannot be used, in words that say more than its own: those name neither the file nor what
//! the system said.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use crate::{Cause, StoreError};

/// What keeps a file from being a database that is written to; `None` = nothing that can be seen from outside.
pub(crate) fn obstacle(path: &Path) -> Option<String> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let because =
        |what: &str, error: rustix::io::Errno| format!("{what}: {}", std::io::Error::from(error).kind());
    if path.is_dir() {
        return Some(format!("{} is a folder and no file", path.display()));
    }
    if let Err(error) = access(folder, Access::EXEC_OK) {
        return Some(because(
            &format!("the folder {} cannot be used", folder.display()),
            error,
        ));
    }
    let exists = path.exists();
    if exists && let Err(error) = access(path, Access::READ_OK | Access::WRITE_OK) {
        return Some(because(
            &format!("the file {} cannot be read and written", path.display()),
            error,
        ));
    }
    // SQLite makes two files beside it, unless they are there.
    let complete = exists
        && ["-wal", "-shm"]
            .iter()
            .all(|ending| beside(path, ending).exists());
    match access(folder, Access::WRITE_OK) {
        Err(error) if !complete => Some(because(
            &format!("no file can be made in the folder {}", folder.display()),
            error,
        )),
        _ => None,
    }
}

/// The same failure with what keeps the file from being used, when that can be seen.
pub(crate) fn explained(error: StoreError, path: &Path) -> StoreError {
    let cause = match &error {
        StoreError::Unavailable(cause) | StoreError::Other(cause) => cause.to_string(),
        _ => return error,
    };
    let obstacle = if cause.starts_with("26 ") {
        Some(format!("{} is another program's file", path.display()))
    } else {
        obstacle(path)
    };
    match obstacle {
        Some(obstacle) => StoreError::Other(Cause::new(format!("{obstacle} ({cause})"))),
        None => error,
    }
}

/// A file that SQLite keeps beside the database.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{Store, StoreOptions};

    async fn refusal(path: &Path) -> String {
        let url = format!("sqlite://{}", path.display());
        let opened = async {
            let store = Store::open(&url, StoreOptions::default()).await?;
            store.migrate().await
        };
        opened.await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn every_obstacle_is_named_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("data");
        std::fs::create_dir(&inside).unwrap();
        let letter = folder.path().join("letter");
        std::fs::write(&letter, "This is a letter to my aunt. ".repeat(100)).unwrap();
        for (path, words) in [
            (inside.clone(), "is a folder"),
            (folder.path().join("missing/x.db"), "missing cannot be used"),
            (letter.join("x.db"), "letter cannot be used"),
            (letter.clone(), "another program's file"),
        ] {
            let said = refusal(&path).await;
            assert!(
                said.contains(words) && said.contains(folder.path().to_str().unwrap()),
                "{said}"
            );
        }

        let closed = folder.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).unwrap();
        // The administrator of the machine may write everywhere.
        if std::fs::write(closed.join("probe"), "").is_err() {
            let said = refusal(&closed.join("x.db")).await;
            assert!(
                said.contains("no file can be made in the folder") && said.contains("permission denied"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_file_that_can_be_used_meets_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        assert_eq!(obstacle(&path), None);
        std::fs::write(&path, "").unwrap();
        assert_eq!(obstacle(&path), None);
    }
}
