//! Where settings come from: gathering the layers, and reading one value after another out of them.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use toml::{Table, Value};
use zeroize::Zeroizing;

use super::{
    Inputs, Setting,
    keys::{self, FILE_SUFFIX, KEYS, Key, OTHER_VARIABLES, PREFIX, TEST_PREFIX},
    problem::Problem,
    values::{self, Wrong},
};

/// Largest file with settings or with a secret, in bytes.
const FILE_MAX: u64 = 256 * 1024;

/// What some editors write before the text of a file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file with settings.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A file that holds only this secret.
    SecretFile(PathBuf),
    /// An option of the command.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(variable) => f.write_str(variable),
            Self::SecretFile(path) => write!(f, "secret file {}", path.display()),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

/// Which layer, in rising order of weight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Default,
    File,
    Environment,
    CommandLine,
}

/// Values of one layer, by key.
struct Layer {
    rank: Rank,
    file: PathBuf,
    values: Table,
}

impl Layer {
    fn origin(&self, key: &str) -> Origin {
        match self.rank {
            Rank::Default => Origin::Default,
            Rank::File => Origin::File(self.file.clone()),
            Rank::Environment => Origin::Environment(format!("{PREFIX}{}", key.to_ascii_uppercase())),
            Rank::CommandLine => Origin::CommandLine,
        }
    }
}

/// All layers, lightest first, and what was passed over.
pub(super) struct Layers {
    all: Vec<Layer>,
    warnings: Vec<String>,
}

impl Layers {
    /// Reads the file and the environment; what cannot be read and what nobody knows becomes a problem.
    pub(super) fn gather(inputs: &Inputs) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut layers = vec![defaults()];
        let mut environment = BTreeMap::new();
        let mut passed_over = Vec::new();
        for (name, value) in &inputs.environment {
            let read = read_variable(name, value);
            match read {
                Variable::Setting(key, value) => drop(environment.insert(key, value)),
                Variable::OfRuntime(name) => passed_over.push(name),
                Variable::Wrong(problem) => problems.push(problem),
                Variable::OfOthers => {}
            }
        }
        let named_by_variable = inputs
            .environment
            .iter()
            .find(|(name, value)| name == "VESTIBULE_CONFIG" && !value.is_empty())
            .map(|(_, path)| PathBuf::from(path));
        let named = inputs.file.clone().or(named_by_variable);
        let path = named.clone().unwrap_or_else(|| inputs.default_file.clone());
        match read_file(&path) {
            Ok(values) => layers.push(Layer {
                rank: Rank::File,
                file: path,
                values: without_empty(values),
            }),
            Err(FileProblem::Missing) if named.is_none() => {}
            Err(problem) => problems.push(Problem::new("the file", &path.display(), problem.to_string())),
        }
        let values = environment
            .into_iter()
            .map(|(key, value)| (key, Value::from(value)))
            .collect();
        let values = without_empty(values);
        layers.push(Layer {
            rank: Rank::Environment,
            file: PathBuf::new(),
            values,
        });
        for layer in &layers {
            problems.extend(unknown_keys(layer));
        }
        let warnings = (!passed_over.is_empty()).then(|| told_of(passed_over));
        let layers = Self {
            all: layers,
            warnings: warnings.into_iter().collect(),
        };
        (layers, problems)
    }

    /// Defaults and what a command decides itself.
    pub(super) fn of_command_line<const N: usize>(values: [(&str, String); N]) -> Self {
        let values = values
            .into_iter()
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .collect();
        let layer = Layer {
            rank: Rank::CommandLine,
            file: PathBuf::new(),
            values,
        };
        Self {
            all: vec![defaults(), layer],
            warnings: Vec::new(),
        }
    }
}

fn defaults() -> Layer {
    let values = KEYS
        .iter()
        .filter_map(|key| Some((key.name.to_owned(), Value::from(key.default?))))
        .collect();
    Layer {
        rank: Rank::Default,
        file: PathBuf::new(),
        values,
    }
}

/// An empty value of a setting that has a default counts as not set: the lighter layer has its say.
fn without_empty(values: Table) -> Table {
    let is_empty = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    values
        .into_iter()
        .filter(|(key, value)| !(is_empty(value) && keys::has_default(key)))
        .collect()
}

/// What a variable of the environment is.
enum Variable {
    Setting(String, String),
    /// A container runtime put it there.
    OfRuntime(String),
    OfOthers,
    Wrong(Problem),
}

fn read_variable(name: &OsStr, value: &OsStr) -> Variable {
    let shown = name.to_string_lossy();
    let Some(rest) = shown.strip_prefix(PREFIX) else {
        return Variable::OfOthers;
    };
    if OTHER_VARIABLES.contains(&&*shown) || shown.starts_with(TEST_PREFIX) {
        return Variable::OfOthers;
    }
    let key = rest.to_ascii_lowercase();
    if !keys::is_known(&key) && is_of_runtime(rest, &value.to_string_lossy()) {
        return Variable::OfRuntime(shown.into_owned());
    }
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let reason = match value.to_str() {
        Some(value) if rest.bytes().all(plain) => return Variable::Setting(key, value.to_owned()),
        Some(_) => unknown(&key, true),
        None => "the value is not valid UTF-8".to_owned(),
    };
    Variable::Wrong(Problem::new(shown, &"the environment", reason))
}

/// Kubernetes and Docker put such variables into every container when a service or a linked container is called
/// `vestibule`, or `vestibule-` and something.
fn is_of_runtime(rest: &str, value: &str) -> bool {
    // What follows the name of the service, with an underscore before it even when the name is the prefix alone.
    let rest = format!("_{rest}");
    let after = |mark: &str| rest.split_once(mark).map(|(_, after)| after);
    rest.ends_with("_SERVICE_HOST")
        || after("_SERVICE_PORT").is_some_and(|after| after.is_empty() || after.starts_with('_'))
        || (rest.ends_with("_PORT")
            && ["tcp://", "udp://", "sctp://"]
                .iter()
                .any(|start| value.starts_with(start)))
        || after("_PORT_").is_some_and(is_port_and_protocol)
        || (rest == "_NAME" && value.starts_with('/'))
        || rest.starts_with("_ENV_")
}

/// Such as `3000_TCP` and `3000_TCP_ADDR`.
fn is_port_and_protocol(text: &str) -> bool {
    let mut parts = text.split('_');
    parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
        && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
        && matches!(
            parts.next(),
            None | Some("START" | "END" | "PROTO" | "PORT" | "ADDR")
        )
}

fn told_of(mut passed_over: Vec<String>) -> String {
    passed_over.sort_unstable();
    format!(
        "These variables are no settings and were passed over: {}. Container runtimes set them for services called \
         vestibule.",
        passed_over.join(", ")
    )
}

fn unknown_keys(layer: &Layer) -> impl Iterator<Item = Problem> {
    layer.values.keys().filter(|key| !keys::is_known(key)).map(|key| {
        let in_environment = layer.rank == Rank::Environment;
        Problem::new(key, &layer.origin(key), unknown(key, in_environment))
    })
}

fn unknown(key: &str, in_environment: bool) -> String {
    let hint = keys::closest(key).map_or_else(
        || "`vestibule config check --help` lists all settings".to_owned(),
        |name| {
            let name = if in_environment {
                format!("{PREFIX}{}", name.to_ascii_uppercase())
            } else {
                name
            };
            format!("Did you mean {name}?")
        },
    );
    format!("there is no such setting. {hint}")
}

/// Why a file cannot be used. Never quotes the file: it may hold passwords.
#[derive(Debug, thiserror::Error)]
enum FileProblem {
    #[error("there is no such file")]
    Missing,
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("it is larger than 256 KiB")]
    TooLarge,
    #[error("it is not valid UTF-8")]
    NotText,
    #[error("line {line} is not valid TOML: texts need \"quotes\", each setting one line and one place")]
    NotToml { line: usize },
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, FileProblem> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FileProblem::Missing,
        _ => FileProblem::Unreadable(error),
    })?;
    if metadata.len() > FILE_MAX {
        return Err(FileProblem::TooLarge);
    }
    let bytes = fs::read(path).map_err(FileProblem::Unreadable)?;
    // What may be a secret is not copied, so the mark goes from where it stands.
    let mut text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| FileProblem::NotText)?);
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(text)
}

fn read_file(path: &Path) -> Result<Table, FileProblem> {
    let text = read_text(path)?;
    toml::from_str(&text).map_err(|error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        FileProblem::NotToml {
            line: before.matches('\n').count() + 1,
        }
    })
}

/// A value before it is understood.
struct Raw {
    text: Zeroizing<String>,
    origin: Origin,
    rank: Rank,
}

/// There is no value because something is wrong, and the reader has noted what.
pub(super) struct Noted;

/// Reads setting after setting and keeps what `config check` will show and what is wrong.
pub(super) struct Reader {
    layers: Vec<Layer>,
    settings: Vec<Setting>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Reader {
    pub(super) fn new(layers: Layers, problems: Vec<Problem>) -> Self {
        let Layers { all, warnings } = layers;
        Self {
            layers: all,
            settings: Vec::new(),
            problems,
            warnings,
        }
    }

    /// A setting that always has a value.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Result<T, Noted> {
        self.derived(name, String::new(), parse)
    }

    /// A setting whose default is worked out at start.
    pub(super) fn derived<T>(
        &mut self,
        name: &'static str,
        default: String,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Result<T, Noted> {
        let key = keys::find(name);
        let raw = self.raw(key)?.unwrap_or(Raw {
            text: Zeroizing::new(default),
            origin: Origin::Default,
            rank: Rank::Default,
        });
        self.understand(key, &raw, parse)
    }

    /// A setting that may be absent; empty text means absent, so that a variable can take back what the file says.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Noted> {
        let key = keys::find(name);
        match self.raw(key)? {
            Some(raw) if !raw.text.is_empty() => self.understand(key, &raw, parse).map(Some),
            absent => {
                let origin = absent.map_or(Origin::Default, |raw| raw.origin);
                self.settings.push(Setting {
                    key: key.name,
                    shown: "(none)".to_owned(),
                    origin,
                });
                Ok(None)
            }
        }
    }

    /// Whether nobody set this.
    pub(super) fn is_default(&self, name: &str) -> bool {
        !self
            .layers
            .iter()
            .any(|layer| layer.rank != Rank::Default && layer.values.contains_key(name))
    }

    /// Notes that a value does not fit to another.
    pub(super) fn complain(&mut self, name: &'static str, reason: &str) -> Noted {
        let origin = self
            .settings
            .iter()
            .find(|setting| setting.key == name)
            .map(|setting| setting.origin.clone());
        let reason = format!("{reason}. It must be {}", keys::find(name).right);
        self.problem(name, &origin.unwrap_or(Origin::Default), reason)
    }

    /// Everything that was read, that is wrong, and that deserves a warning.
    pub(super) fn finish(self) -> (Vec<Setting>, Vec<Problem>, Vec<String>) {
        (self.settings, self.problems, self.warnings)
    }

    fn problem(&mut self, key: &str, origin: &Origin, reason: String) -> Noted {
        self.problems.push(Problem::new(key, origin, reason));
        Noted
    }

    fn understand<T>(
        &mut self,
        key: &'static Key,
        raw: &Raw,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Result<T, Noted> {
        match parse(&raw.text) {
            Ok(value) => {
                let shown = if key.secret {
                    values::hidden(&raw.text)
                } else {
                    raw.text.to_string()
                };
                self.settings.push(Setting {
                    key: key.name,
                    shown,
                    origin: raw.origin.clone(),
                });
                Ok(value)
            }
            Err(Wrong(reason)) => {
                let value = if key.secret {
                    "the value".to_owned()
                } else {
                    format!("{:?}", &*raw.text)
                };
                let reason = reason.unwrap_or_else(|| "is not right".to_owned());
                Err(self.problem(
                    key.name,
                    &raw.origin,
                    format!("{value} {reason}. It must be {}", key.right),
                ))
            }
        }
    }

    /// The heaviest value of a key.
    fn raw(&mut self, key: &'static Key) -> Result<Option<Raw>, Noted> {
        let mut direct = self.direct(key.name, key.right)?;
        if !key.secret {
            return Ok(direct);
        }
        let file_key = format!("{}{FILE_SUFFIX}", key.name);
        let named = self
            .direct(&file_key, "the path of a file")?
            .filter(|raw| !raw.text.is_empty());
        if named.is_some() && direct.as_ref().is_some_and(|direct| direct.text.is_empty()) {
            // Nothing and the name of a file do not contradict one another.
            direct = direct.filter(|direct| Some(direct.rank) > named.as_ref().map(|named| named.rank));
        }
        match (direct, named) {
            (Some(direct), Some(named)) if direct.rank == named.rank => {
                let reason = format!("{} and {file_key} are both set. Keep one of them", key.name);
                Err(self.problem(&file_key, &named.origin, reason))
            }
            (direct, Some(named)) if direct.as_ref().is_none_or(|direct| direct.rank < named.rank) => {
                let path = PathBuf::from(named.text.as_str());
                match read_text(&path) {
                    Ok(text) => {
                        let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
                        Ok(Some(Raw {
                            text,
                            origin: Origin::SecretFile(path),
                            rank: named.rank,
                        }))
                    }
                    Err(problem) => {
                        Err(self.problem(&file_key, &named.origin, format!("{}: {problem}", path.display())))
                    }
                }
            }
            (direct, _) => {
                self.warn_about_readers(key, direct.as_ref());
                Ok(direct)
            }
        }
    }

    /// What the layers say about this key alone.
    fn direct(&mut self, key: &str, right: &str) -> Result<Option<Raw>, Noted> {
        let heaviest = self
            .layers
            .iter()
            .rev()
            .find_map(|layer| Some((layer, layer.values.get(key)?)));
        let Some((layer, value)) = heaviest else {
            return Ok(None);
        };
        let (rank, origin) = (layer.rank, layer.origin(key));
        match text_of(value) {
            Some(text) => Ok(Some(Raw {
                text: Zeroizing::new(text),
                origin,
                rank,
            })),
            None => Err(self.problem(
                key,
                &origin,
                format!("this is no text or number. It must be {right}"),
            )),
        }
    }

    fn warn_about_readers(&mut self, key: &Key, raw: Option<&Raw>) {
        if let Some(Raw {
            text,
            origin: Origin::File(path),
            ..
        }) = raw
            && values::has_password(text)
            && others_may_read(path)
        {
            let path = path.display();
            self.warnings.push(format!(
                "{path} holds the password of {} and other users of this machine may read it: chmod 600 {path}",
                key.name
            ));
        }
    }
}

fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// The text of a single value; lists of single values become one text with commas.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Array(values) => values
            .iter()
            .map(text_of)
            .collect::<Option<Vec<_>>>()
            .map(|all| all.join(",")),
        Value::Datetime(_) | Value::Table(_) => None,
    }
}
