//! Where things are, in words that an operator can check: whole paths, hosts, and never a password.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use percent_encoding::percent_decode_str;
use url::Url;

use super::DatabaseUrl;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite, by its whole path.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Server {
        /// Name of the database.
        database: String,
        /// Host and port, or the folder of a socket.
        host: String,
    },
}

impl Place {
    pub(super) fn of(url: &DatabaseUrl) -> Self {
        let url = url.reveal();
        if let Some(path) = url.strip_prefix("sqlite://") {
            let path = percent_decode_str(path).decode_utf8_lossy();
            return Self::File(whole(Path::new(&*path)));
        }
        let (mut host, mut database, mut port) = (String::new(), String::new(), None);
        if let Ok(url) = Url::parse(url) {
            url.host_str().unwrap_or_default().clone_into(&mut host);
            url.path().trim_start_matches('/').clone_into(&mut database);
            port = url.port().map(|port| port.to_string());
            for (key, value) in url.query_pairs() {
                match &*key {
                    "host" => host = value.into_owned(),
                    "port" => port = Some(value.into_owned()),
                    "dbname" => database = value.into_owned(),
                    _ => {}
                }
            }
        }
        let mut host = percent_decode_str(&host).decode_utf8_lossy().into_owned();
        if let Some(port) = port.filter(|_| !host.starts_with('/')) {
            host = format!("{host}:{port}");
        }
        Self::Server {
            database: percent_decode_str(&database).decode_utf8_lossy().into_owned(),
            host,
        }
    }

    /// The file, when it is one and is not there.
    pub fn missing_file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path.as_path()).filter(|path| matches!(path.try_exists(), Ok(false))),
            Self::Server { .. } => None,
        }
    }

    /// The folder of the file, when it is not there.
    pub fn missing_folder(&self) -> Option<&Path> {
        self.missing_file()?
            .parent()
            .filter(|folder| matches!(folder.try_exists(), Ok(false)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server { database, host } if host.is_empty() => write!(f, "{database} (PostgreSQL)"),
            Self::Server { database, host } => write!(f, "{database} on {host} (PostgreSQL)"),
        }
    }
}

/// The whole path of a file, from the root of the machine.
pub(crate) fn whole(path: &Path) -> PathBuf {
    // It fails for an empty path, and when the working folder is gone.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
