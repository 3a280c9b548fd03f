//! The key file: the versioned secrets that everything encrypted in the database hangs on (security.md 11.1.1, 13.3.1).
//!
//! It is TOML, made so that its owner alone may read and write it:
//!
//! ```toml
//! [[keys]]
//! version = 1
//! created = "2026-01-05T09:00:00Z"
//! secret = "32 random bytes in base64"
//! ```
//!
//! `vestibule keys rotate` adds a block with the next version. The newest version encrypts; the older ones still decrypt,
//! and leave the file when nothing made with them is left.

use std::{
    collections::BTreeSet,
    fmt,
    fs::{File, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use vestibule_core::ports::{Clock, Randomness};
use zeroize::Zeroizing;

/// Length of a secret, in bytes.
const SECRET_BYTES: usize = 32;
/// Largest key file, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// One version of the secret.
#[derive(Clone)]
pub struct KeyMaterial {
    /// Grows with every rotation; starts at 1.
    pub version: u32,
    /// 256 random bits.
    pub secret: Zeroizing<[u8; SECRET_BYTES]>,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial {{ version: {}, … }}", self.version)
    }
}

/// What the key file holds.
#[derive(Clone, Debug)]
pub struct KeyFile {
    keys: Vec<KeyMaterial>,
    created: bool,
}

impl KeyFile {
    /// All versions, oldest first; never empty, no version twice.
    pub fn keys(&self) -> &[KeyMaterial] {
        &self.keys
    }

    /// The same, to keep.
    pub fn into_keys(self) -> Vec<KeyMaterial> {
        self.keys
    }

    /// Whether the file was made just now.
    pub fn was_created(&self) -> bool {
        self.created
    }
}

/// Why the key file cannot be used. Never quotes it.
#[derive(Debug, thiserror::Error)]
#[error("the key file {} {problem}", path.display())]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: KeyFileProblem,
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileProblem {
    /// It is not there.
    #[error("does not exist")]
    Missing,
    /// The system does not give it out.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// The system does not let us write it.
    #[error("cannot be made: {0}")]
    Unwritable(io::Error),
    /// Everybody may read it.
    #[error(
        "may be read by every user of this machine (mode {mode:03o}). Run chmod 600 on it, or chmod 640 with a group \
         of its own; a container's secret that cannot be changed has to be mounted read-only"
    )]
    TooOpen {
        /// Its permission bits.
        mode: u32,
    },
    /// Others than its owner and the own group may write it.
    #[error("may be changed by other users of this machine (mode {mode:03o}). Run chmod 600 on it")]
    TooWritable {
        /// Its permission bits.
        mode: u32,
    },
    /// No regular file, or far too large.
    #[error("is not a key file")]
    NotAFile,
    /// No TOML, or not the expected fields.
    #[error(
        "is damaged near line {line}: it holds blocks [[keys]], each with version, created and secret and nothing else"
    )]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// No key in it.
    #[error("holds no key")]
    Empty,
    /// Version 0.
    #[error("holds a key with version 0: versions start at 1")]
    ZeroVersion,
    /// Two keys share a version.
    #[error("holds version {0} twice")]
    Doubled(u32),
    /// A secret that is not 32 bytes in base64.
    #[error("holds a secret in version {0} that is not 32 bytes in base64")]
    BadSecret(u32),
    /// A secret that nobody drew at random.
    #[error("holds a secret in version {0} that is not random")]
    WeakSecret(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default)]
    keys: Vec<StoredKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    version: u32,
    /// For people; only checked.
    #[serde(rename = "created")]
    _created: DateTime<Utc>,
    secret: Zeroizing<String>,
}

/// Reads the key file; makes it with one new key when there is none, and says in the log that it must be kept safe.
/// When several processes start at the same moment, one makes the file and all read the same.
///
/// # Errors
/// [`KeyFileError`] when the file cannot be made, is open to others, or holds anything but sound keys.
pub fn load_or_create(
    path: &Path,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<KeyFile, KeyFileError> {
    match load(path) {
        Err(KeyFileError {
            problem: KeyFileProblem::Missing,
            ..
        }) => {}
        other => return other,
    }
    let created = create(path, clock, randomness).map_err(|error| KeyFileError {
        path: path.to_owned(),
        problem: KeyFileProblem::Unwritable(error),
    })?;
    if created {
        tracing::warn!(
            file = %path.display(),
            "made a new key file: keep a copy in a safe place, without it the encrypted parts of the database are lost"
        );
    }
    load(path).map(|file| KeyFile { created, ..file })
}

/// Reads the key file.
///
/// # Errors
/// [`KeyFileError`] when the file is missing, is open to others, or holds anything but sound keys.
pub fn load(path: &Path) -> Result<KeyFile, KeyFileError> {
    read(path).map_err(|problem| KeyFileError {
        path: path.to_owned(),
        problem,
    })
}

fn read(path: &Path) -> Result<KeyFile, KeyFileProblem> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileProblem::Missing,
        _ => KeyFileProblem::Unreadable(error),
    })?;
    // Asked of the open file, so that nobody can put another in its place between the question and the reading.
    let metadata = file.metadata().map_err(KeyFileProblem::Unreadable)?;
    if !metadata.is_file() || metadata.len() > FILE_MAX {
        return Err(KeyFileProblem::NotAFile);
    }
    let mount = rustix::fs::fstatvfs(&file).map_err(|error| KeyFileProblem::Unreadable(error.into()))?;
    let access = Access {
        mode: metadata.permissions().mode() & 0o777,
        owner: metadata.uid(),
        group: metadata.gid(),
        read_only_mount: mount.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    };
    access.judge(&Process::this())?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_MAX)
        .read_to_string(&mut text)
        .map_err(KeyFileProblem::Unreadable)?;
    let keys = parse(&text)?;
    Ok(KeyFile { keys, created: false })
}

/// Who may do what with the file.
#[derive(Clone, Copy)]
struct Access {
    mode: u32,
    owner: u32,
    group: u32,
    read_only_mount: bool,
}

/// As whom this process runs.
struct Process {
    user: u32,
    groups: Vec<u32>,
}

impl Process {
    fn this() -> Self {
        let mut groups: Vec<u32> = rustix::process::getgroups()
            .unwrap_or_default()
            .iter()
            .map(|group| group.as_raw())
            .collect();
        groups.push(rustix::process::getegid().as_raw());
        Self {
            user: rustix::process::geteuid().as_raw(),
            groups,
        }
    }
}

impl Access {
    /// Whether the file is safe enough. Secrets that a container's runtime hands out belong to root and may be read by a
    /// group or by everybody inside: it is the mount that protects them, and their mode cannot be changed.
    fn judge(self, process: &Process) -> Result<(), KeyFileProblem> {
        let mode = self.mode;
        let own_group = process.groups.contains(&self.group);
        if mode & 0o002 != 0 || (mode & 0o020 != 0 && !own_group) {
            return Err(KeyFileProblem::TooWritable { mode });
        }
        let ours_to_change = process.user == 0 || self.owner == process.user || mode & 0o020 != 0;
        let handed_out = self.read_only_mount || (self.owner == 0 && !ours_to_change);
        if mode & 0o004 != 0 && !handed_out {
            return Err(KeyFileProblem::TooOpen { mode });
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Vec<KeyMaterial>, KeyFileProblem> {
    let stored: Stored = toml::from_str(text).map_err(|error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        KeyFileProblem::Malformed {
            line: before.matches('\n').count() + 1,
        }
    })?;
    let mut seen = BTreeSet::new();
    let mut keys = Vec::with_capacity(stored.keys.len());
    for StoredKey { version, secret, .. } in stored.keys {
        if version == 0 {
            return Err(KeyFileProblem::ZeroVersion);
        }
        if !seen.insert(version) {
            return Err(KeyFileProblem::Doubled(version));
        }
        keys.push(KeyMaterial {
            version,
            secret: decode(version, &secret)?,
        });
    }
    if keys.is_empty() {
        return Err(KeyFileProblem::Empty);
    }
    keys.sort_by_key(|key| key.version);
    Ok(keys)
}

fn decode(version: u32, text: &str) -> Result<Zeroizing<[u8; SECRET_BYTES]>, KeyFileProblem> {
    let bytes = STANDARD
        .decode(text)
        .map(Zeroizing::new)
        .map_err(|_| KeyFileProblem::BadSecret(version))?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    if bytes.len() != SECRET_BYTES {
        return Err(KeyFileProblem::BadSecret(version));
    }
    secret.copy_from_slice(&bytes);
    // Placeholders repeat a byte or two. Of 32 random bytes fewer than 16 are different with a chance below 2^-60.
    let different: BTreeSet<u8> = secret.iter().copied().collect();
    if different.len() < 16 {
        Err(KeyFileProblem::WeakSecret(version))
    } else {
        Ok(secret)
    }
}

/// Makes the file unless it exists; says whether it was made. It appears under its name only when it is whole.
fn create(path: &Path, clock: &dyn Clock, randomness: &dyn Randomness) -> io::Result<bool> {
    let text = Zeroizing::new(format!(
        "# Vestibule: key file. Keep a copy in a safe place and show it to nobody.\n\
         # Without it the encrypted parts of the database cannot be read again.\n\n{}",
        *block(1, clock, randomness),
    ));
    match written_beside(path, &text)?.persist_noclobber(path) {
        Ok(_) => {
            sync_folder(path)?;
            Ok(true)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// Adds a key with the next version to the file and gives that version. The file is replaced as a whole: whoever reads
/// it meanwhile reads the old one or the new one.
///
/// # Errors
/// [`KeyFileError`] when the file is missing, unsound or cannot be written.
pub fn add_version(path: &Path, clock: &dyn Clock, randomness: &dyn Randomness) -> Result<u32, KeyFileError> {
    let failed = |problem| KeyFileError {
        path: path.to_owned(),
        problem,
    };
    let newest = load(path)?.keys.last().map_or(0, |key| key.version);
    let version = newest + 1;
    let old = Zeroizing::new(
        std::fs::read_to_string(path).map_err(|error| failed(KeyFileProblem::Unreadable(error)))?,
    );
    let text = Zeroizing::new(format!(
        "{}\n\n{}",
        old.trim_end(),
        *block(version, clock, randomness)
    ));
    written_beside(path, &text)
        .and_then(|file| file.persist(path).map_err(|error| error.error))
        .and_then(|_| sync_folder(path))
        .map_err(|error| failed(KeyFileProblem::Unwritable(error)))?;
    Ok(version)
}

/// A block of the file with a new secret.
fn block(version: u32, clock: &dyn Clock, randomness: &dyn Randomness) -> Zeroizing<String> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    randomness.fill(secret.as_mut());
    Zeroizing::new(format!(
        "[[keys]]\nversion = {version}\ncreated = \"{}\"\nsecret = \"{}\"\n",
        clock.now().to_rfc3339_opts(SecondsFormat::Secs, true),
        *Zeroizing::new(STANDARD.encode(secret.as_ref())),
    ))
}

fn written_beside(path: &Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".vestibule-key")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A name is on the disk only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, sync::Barrier};
    use vestibule_core::ports::{ManualClock, SeededRandomness};

    fn clock() -> ManualClock {
        ManualClock::at(DateTime::from_timestamp(1_767_603_600, 0).unwrap())
    }

    fn block(version: u32, seed: u64) -> String {
        let mut secret = [0; SECRET_BYTES];
        SeededRandomness::new(seed).fill(&mut secret);
        let secret = STANDARD.encode(secret);
        format!("[[keys]]\nversion = {version}\ncreated = \"2026-01-05T09:00:00Z\"\nsecret = \"{secret}\"\n")
    }

    #[test]
    fn the_first_start_makes_a_file_that_only_its_owner_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.key");
        let first = load_or_create(&path, &clock(), &SeededRandomness::new(1)).unwrap();
        assert!(first.was_created());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = load_or_create(&path, &clock(), &SeededRandomness::new(2)).unwrap();
        assert!(!second.was_created());
        assert_eq!(first.keys()[0].secret, second.keys()[0].secret);
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            1,
            "nothing is left beside it"
        );
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains("2026-01-05T09:00:00Z")
        );
    }

    #[test]
    fn two_starts_at_once_end_with_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.key");
        let barrier = Barrier::new(8);
        let files: Vec<KeyFile> = std::thread::scope(|scope| {
            let start = |seed| {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    load_or_create(path, &clock(), &SeededRandomness::new(seed)).unwrap()
                })
            };
            let threads: Vec<_> = (0..8).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(files.iter().filter(|file| file.was_created()).count(), 1);
        assert!(
            files
                .iter()
                .all(|file| file.keys()[0].secret == files[0].keys()[0].secret)
        );
    }

    #[test]
    fn a_file_open_to_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.key");
        load_or_create(&path, &clock(), &SeededRandomness::new(1)).unwrap();
        for mode in [0o604, 0o644, 0o602, 0o666] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = load_or_create(&path, &clock(), &SeededRandomness::new(1)).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        // What the owner and a group may read is nobody else's.
        for mode in [0o600, 0o400, 0o640, 0o440] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            load(&path).unwrap();
        }
    }

    #[test]
    fn a_containers_secret_is_taken_and_a_file_that_others_may_change_is_not() {
        use KeyFileProblem::{TooOpen, TooWritable};
        const ROOT: u32 = 0;
        const APP: u32 = 1000;
        let app = Process {
            user: APP,
            groups: vec![APP],
        };
        let root = Process {
            user: ROOT,
            groups: vec![ROOT],
        };
        let file = |mode, owner, group| Access {
            mode,
            owner,
            group,
            read_only_mount: false,
        };
        let accepted = |access: Access, process| access.judge(process).is_ok();
        assert!(accepted(file(0o444, ROOT, ROOT), &app), "a secret of Docker");
        assert!(accepted(file(0o440, ROOT, APP), &app), "a secret of Kubernetes");
        assert!(accepted(file(0o660, APP, APP), &app), "the own group");
        let mounted = Access {
            read_only_mount: true,
            ..file(0o444, APP, APP)
        };
        assert!(accepted(mounted, &app) && accepted(mounted, &root));
        for access in [
            file(0o444, APP, APP),
            file(0o604, 2000, 2000),
            file(0o464, ROOT, APP),
        ] {
            let judged = access.judge(&app);
            assert!(matches!(judged, Err(TooOpen { .. })), "{:o}", access.mode);
        }
        assert!(matches!(
            file(0o444, ROOT, ROOT).judge(&root),
            Err(TooOpen { .. })
        ));
        for access in [
            file(0o602, APP, APP),
            file(0o620, APP, 2000),
            file(0o446, ROOT, ROOT),
        ] {
            let judged = access.judge(&app);
            assert!(matches!(judged, Err(TooWritable { .. })), "{:o}", access.mode);
        }
        let writable = Access {
            read_only_mount: true,
            ..file(0o666, ROOT, ROOT)
        };
        assert!(
            !accepted(writable, &app),
            "mounted read-only here, but not elsewhere"
        );
    }

    #[test]
    fn the_newest_version_comes_last_whatever_the_order_in_the_file() {
        let keys = parse(&format!("{}{}{}", block(2, 2), block(10, 10), block(1, 1))).unwrap();
        assert_eq!(keys.iter().map(|key| key.version).collect::<Vec<_>>(), [1, 2, 10]);
    }

    #[test]
    fn anything_but_sound_keys_is_refused_and_never_quoted() {
        use KeyFileProblem::{BadSecret, Doubled, Empty, Malformed, WeakSecret, ZeroVersion};
        let good = block(1, 1);
        let short = STANDARD.encode([7; 31]);
        let zero = STANDARD.encode([0; 32]);
        let with = |secret: &str| {
            format!("[[keys]]\nversion = 1\ncreated = \"2026-01-05T09:00:00Z\"\nsecret = \"{secret}\"\n")
        };
        assert!(matches!(parse(""), Err(Empty)));
        assert!(matches!(parse("keys = []"), Err(Empty)));
        assert!(matches!(parse(&with(&short)), Err(BadSecret(1))));
        assert!(matches!(parse(&with("not base64!")), Err(BadSecret(1))));
        assert!(matches!(parse(&with(&zero)), Err(WeakSecret(1))));
        assert!(matches!(parse(&format!("{good}{good}")), Err(Doubled(1))));
        assert!(matches!(parse(&block(0, 1)), Err(ZeroVersion)));
        assert!(matches!(
            parse(&format!("{good}extra = 1\n")),
            Err(Malformed { line: 1.. })
        ));
        assert!(matches!(
            parse(&good.replace("2026-01", "yesterday")),
            Err(Malformed { line: 3 })
        ));
        assert!(matches!(parse("{\"keys\": []}"), Err(Malformed { line: 1 })));
        let misplaced = "[[keys]]\nversion = \"sentinel-secret\"\n";
        let error = parse(misplaced).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("sentinel"), "{error:?}");
        let keys = parse(&good).unwrap();
        assert!(!format!("{keys:?}").contains(&format!("{:?}", keys[0].secret[0..4].to_vec())));
        assert!(format!("{keys:?}").len() < 50, "{keys:?}");
    }

    #[test]
    fn a_new_version_joins_the_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.key");
        let first = load_or_create(&path, &clock(), &SeededRandomness::new(1)).unwrap();
        assert_eq!(
            add_version(&path, &clock(), &SeededRandomness::new(2)).unwrap(),
            2
        );
        assert_eq!(
            add_version(&path, &clock(), &SeededRandomness::new(3)).unwrap(),
            3
        );
        let all = load(&path).unwrap();
        assert_eq!(
            all.keys().iter().map(|key| key.version).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert_eq!(all.keys()[0].secret, first.keys()[0].secret);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&path).unwrap().starts_with("# Vestibule"));
        let missing = folder.path().join("none.key");
        let error = add_version(&missing, &clock(), &SeededRandomness::new(4)).unwrap_err();
        assert!(matches!(error.problem, KeyFileProblem::Missing));
    }

    #[test]
    fn a_folder_that_does_not_exist_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/vestibule.key");
        let error = load_or_create(&path, &clock(), &SeededRandomness::new(1)).unwrap_err();
        assert!(error.to_string().contains("cannot be made"), "{error}");
        assert!(matches!(
            load(folder.path()).unwrap_err().problem,
            KeyFileProblem::NotAFile
        ));
    }
}
