//! Reads a CSV file of accounts strictly. Nothing here knows of the database.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder};
use serde::{Deserialize, Serialize};
use vestibule_core::{
    account::TimeFormat,
    limits::{IMPORT_BYTES_MAX, IMPORT_LINES_MAX},
    refusal::Problem,
    text::trim,
};
use vestibule_translations::yes_or_no;

use super::{AgentInput, cells::unguarded};
use crate::profile::PersonInput;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How two bytes are one unit of UTF-16.
type Unit = fn([u8; 2]) -> u16;

/// How a file in UTF-16 begins, and what its units are: spreadsheets save "Unicode text" so.
const UTF_16: [(&[u8], Unit); 2] = [
    (b"\xff\xfe", u16::from_le_bytes),
    (b"\xfe\xff", u16::from_be_bytes),
];
/// How the files of spreadsheets themselves begin: packed ones, and those of before 2007.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];
/// What the first line says, in some spreadsheets, before the separator of all others.
const SEPARATOR: &str = "sep=";

/// What one line says, without the apostrophes that keep spreadsheets from calculating.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) account: String,
    pub(super) email: String,
    first_name: String,
    last_name: String,
    alias: String,
    phone: String,
    title: String,
    language: String,
    roles: String,
    active: String,
}

impl Row {
    fn set(&mut self, column: Column, cell: String) {
        match column {
            Column::Account => self.account = cell,
            Column::Email => self.email = cell,
            Column::FirstName => self.first_name = cell,
            Column::LastName => self.last_name = cell,
            Column::Alias => self.alias = cell,
            Column::Phone => self.phone = cell,
            Column::Title => self.title = cell,
            Column::Language => self.language = cell,
            Column::Roles => self.roles = cell,
            Column::Active => self.active = cell,
        }
    }

    /// As if it had been typed into the form; `None` when `active` is neither yes nor no. Without a word about it an
    /// agent is active and has the role Agent.
    pub(super) fn input(&self) -> Option<AgentInput> {
        let active = self.active.is_empty() || yes_or_no(&self.active)?;
        let mut roles: Vec<_> = self.roles.split_whitespace().map(str::to_lowercase).collect();
        if roles.is_empty() {
            roles.push(vestibule_core::account::Role::Agent.as_str().to_owned());
        }
        Some(AgentInput {
            account: self.account.clone(),
            email: self.email.clone(),
            person: PersonInput {
                first_name: self.first_name.clone(),
                last_name: self.last_name.clone(),
                alias: self.alias.clone(),
                phone: self.phone.clone(),
                title: self.title.clone(),
                time_format: Some(TimeFormat::default()),
                language: self.language.clone(),
            },
            roles,
            active,
        })
    }
}

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Account,
    Email,
    FirstName,
    LastName,
    Alias,
    Phone,
    Title,
    Language,
    Roles,
    Active,
}

impl Column {
    /// Those that no file may lack.
    const NEEDED: [Self; 3] = [Self::Account, Self::Email, Self::FirstName];

    fn named(name: &str) -> Option<Self> {
        Some(match trim(name).to_lowercase().as_str() {
            "account" => Self::Account,
            "email" => Self::Email,
            "first_name" => Self::FirstName,
            "last_name" => Self::LastName,
            "alias" => Self::Alias,
            "phone" => Self::Phone,
            "title" => Self::Title,
            "language" => Self::Language,
            "roles" => Self::Roles,
            "active" => Self::Active,
            _ => return None,
        })
    }
}

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number in the file, from 1: where it begins, when a cell has several.
    pub(super) number: i64,
    /// What it says; `row` holds what could be read.
    pub(super) row: Row,
    /// Whether it has as many cells as the first line, and an end.
    pub(super) is_whole: bool,
}

/// All lines of a file but the first and empty ones.
///
/// # Errors
/// What is wrong with the file as a whole.
pub(super) fn read(file: &[u8]) -> Result<Vec<Line>, Problem> {
    if file.len() > IMPORT_BYTES_MAX {
        return Err(Problem::LargeFile {
            most: IMPORT_BYTES_MAX,
        });
    }
    let whole = text_of(file)?;
    let (named, text) = named_separator(&whole);
    if text.trim().is_empty() {
        return Err(Problem::EmptyFile);
    }
    let delimiter = named.unwrap_or_else(|| delimiter_of(text));
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<Option<Column>>> = None;
    let mut lines = Vec::new();
    let mut record = ByteRecord::new();
    let mut places = Places {
        text,
        at: 0,
        line: 1 + usize::from(named.is_some()),
    };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return Err(Problem::NotOurColumns),
        }
        // The text is UTF-8 and its separators are ASCII: so is every cell.
        let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
        let Some(columns) = &columns else {
            columns = Some(columns_of(&cells)?);
            continue;
        };
        if cells.iter().all(|cell| trim(cell).is_empty()) {
            continue;
        }
        if lines.len() == IMPORT_LINES_MAX {
            return Err(Problem::ManyLines {
                most: IMPORT_LINES_MAX,
            });
        }
        let mut row = Row::default();
        for (column, cell) in columns.iter().zip(&cells) {
            if let Some(column) = column {
                row.set(*column, trim(&unguarded(cell)).to_owned());
            }
        }
        let start = record.position().map_or(0, csv::Position::byte);
        lines.push(Line {
            number: places.line_of(usize::try_from(start).unwrap_or(usize::MAX)),
            row,
            is_whole: cells.len() == columns.len(),
        });
    }
    let last = lines.last_mut().ok_or(Problem::EmptyFile)?;
    if ends_in_quotes(text, delimiter) {
        // It holds what was meant to be other lines.
        last.is_whole = false;
    }
    Ok(lines)
}

/// The file as text. A character that is null stands in files of other encodings only.
fn text_of(file: &[u8]) -> Result<Cow<'_, str>, Problem> {
    if WORKBOOKS.iter().any(|beginning| file.starts_with(beginning)) {
        return Err(Problem::Workbook);
    }
    for (mark, unit) in UTF_16 {
        if let Some(units) = file.strip_prefix(mark) {
            return text_of_units(units, unit).map(Cow::Owned);
        }
    }
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let readable = match std::str::from_utf8(file) {
        Ok(_) => file.len(),
        Err(error) => error.valid_up_to(),
    };
    let readable = file
        .iter()
        .take(readable)
        .position(|&byte| byte == 0)
        .unwrap_or(readable);
    let (good, rest) = file.split_at(readable);
    let good = str::from_utf8(good).map_err(|_| Problem::NotUtf8 { line: 1 })?;
    if rest.is_empty() {
        Ok(Cow::Borrowed(good))
    } else {
        Err(Problem::NotUtf8 {
            line: 1 + breaks(good),
        })
    }
}

/// A file in UTF-16 as text. A byte too many is half a character.
fn text_of_units(file: &[u8], unit: Unit) -> Result<String, Problem> {
    let (pairs, rest) = file.as_chunks::<2>();
    let mut text = String::with_capacity(file.len());
    for found in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match found {
            Ok(c) if c != '\0' => text.push(c),
            _ => {
                return Err(Problem::NotUtf8 {
                    line: 1 + breaks(&text),
                });
            }
        }
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(Problem::NotUtf8 {
            line: 1 + breaks(&text),
        })
    }
}

/// The separator that the first line names, `sep=;`, and what follows that line.
fn named_separator(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = match text.find(['\r', '\n']) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let rest = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix(['\r', '\n']))
        .unwrap_or(rest);
    let first = first
        .strip_prefix('"')
        .and_then(|quoted| quoted.strip_suffix('"'))
        .unwrap_or(first);
    let named = first
        .split_at_checked(SEPARATOR.len())
        .filter(|(word, _)| word.eq_ignore_ascii_case(SEPARATOR))
        .map(|(_, separator)| separator.as_bytes());
    match named {
        Some(&[separator]) if !separator.is_ascii_alphanumeric() && separator != b'"' => {
            (Some(separator), rest)
        }
        _ => (None, text),
    }
}

/// How many lines end in the text: by CR LF, LF or CR.
fn breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends =
        |place: usize, byte: u8| byte == b'\n' || (byte == b'\r' && bytes.get(place + 1) != Some(&b'\n'));
    bytes
        .iter()
        .enumerate()
        .filter(|&(place, &byte)| ends(place, byte))
        .count()
}

/// Whether a quote that opens a cell is never closed: the rest of the file is one cell then.
fn ends_in_quotes(text: &str, delimiter: u8) -> bool {
    let (mut begins, mut quoted) = (true, false);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if quoted {
            // Two quotes within a cell are one that does not close it.
            if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                quoted = false;
            }
        } else {
            quoted = begins && byte == b'"';
            begins = byte == delimiter || matches!(byte, b'\r' | b'\n');
        }
    }
    quoted
}

/// Comma, semicolon or tab, whichever the first line has most of.
fn delimiter_of(text: &str) -> u8 {
    let first = text
        .trim_start_matches(['\r', '\n'])
        .split(['\r', '\n'])
        .next()
        .unwrap_or_default();
    let count = |wanted: u8| first.bytes().filter(|&found| found == wanted).count();
    [b',', b';', b'\t']
        .into_iter()
        .rev()
        .max_by_key(|&delimiter| count(delimiter))
        .unwrap_or(b',')
}

/// What the first line names, in its order; `None` is left alone.
fn columns_of(cells: &[Cow<'_, str>]) -> Result<Vec<Option<Column>>, Problem> {
    let columns: Vec<_> = cells.iter().map(|name| Column::named(&unguarded(name))).collect();
    let times = |column| columns.iter().filter(|&&found| found == Some(column)).count();
    let known: Vec<_> = columns.iter().flatten().copied().collect();
    if Column::NEEDED.into_iter().all(|column| times(column) == 1)
        && known.into_iter().all(|column| times(column) == 1)
    {
        Ok(columns)
    } else {
        Err(Problem::NotOurColumns)
    }
}

/// Counts lines up to places that come in their order.
struct Places<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl Places<'_> {
    /// The number of the line in which the first thing after this byte stands that is no end of a line.
    fn line_of(&mut self, start: usize) -> i64 {
        let bytes = self.text.as_bytes();
        let blank = bytes
            .iter()
            .skip(start)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let start = start.saturating_add(blank);
        if let Some(passed) = self.text.get(self.at..start) {
            self.line += breaks(passed);
            self.at = start;
        }
        i64::try_from(self.line).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(file: &[u8]) -> Vec<(i64, String, bool)> {
        let lines = read(file).unwrap();
        let facts = lines
            .into_iter()
            .map(|line| (line.number, line.row.account, line.is_whole));
        facts.collect()
    }

    #[test]
    fn lines_have_the_numbers_that_an_editor_shows() {
        let expected = [
            (2, "ada".to_owned(), true),
            (4, "bob".to_owned(), true),
            (7, "eve".to_owned(), false),
        ];
        for end in ["\n", "\r\n", "\r"] {
            let file = [
                "account,email,first_name",
                "ada,a@b.test,Ada",
                "",
                "bob,b@b.test,\"B",
                "ob\"",
                " , ,",
                "eve,e@b.test",
                "",
            ]
            .join(end);
            assert_eq!(names(file.as_bytes()), expected, "{end:?}");
        }
    }

    #[test]
    fn columns_come_in_any_order_with_comma_or_semicolon() {
        let file = "\u{feff}Active;roles;what;first_name;EMAIL; account \r\nno;Agent ADMIN;=x;'=Ada;a@b.test;ada\r\n";
        let [line] = &read(file.as_bytes()).unwrap()[..] else {
            panic!("one line")
        };
        let input = line.row.input().unwrap();
        assert_eq!(
            (input.account.as_str(), input.person.first_name.as_str()),
            ("ada", "=Ada")
        );
        assert_eq!(
            (input.roles, input.active),
            (vec!["agent".to_owned(), "admin".to_owned()], false)
        );
        let plain = &read(b"account,email,first_name\na,b,c").unwrap()[0].row;
        let input = plain.input().unwrap();
        assert_eq!((input.roles, input.active), (vec!["agent".to_owned()], true));
        let odd = &read(b"account,email,first_name,active\na,b,c,perhaps").unwrap()[0].row;
        assert!(odd.input().is_none());
    }

    #[test]
    fn active_is_said_in_many_words() {
        for (word, active) in [
            ("TRUE", true),
            ("false", false),
            ("1", true),
            ("0", false),
            ("Yes", true),
            ("nein", false),
            ("WAHR", true),
            ("\u{646}\u{639}\u{645}", true),
        ] {
            let file = format!("account,email,first_name,active\na1,a1@x.test,Ann,{word}");
            let input = read(file.as_bytes()).unwrap()[0].row.input().unwrap();
            assert_eq!(input.active, active, "{word}");
        }
    }

    #[test]
    fn the_first_line_may_name_the_separator_of_the_others() {
        for (first, separator) in [
            ("sep=;", ";"),
            ("SEP=,", ","),
            ("\"sep=;\"", ";"),
            ("sep=|", "|"),
            ("sep=\t", "\t"),
        ] {
            for end in ["\n", "\r\n", "\r"] {
                let file = [
                    first,
                    "account,email,first_name",
                    "ada,a@b.test,Ada",
                    "bob,b@b.test,Bob",
                ]
                .join(end)
                .replace(',', separator);
                let file = format!("\u{feff}{file}");
                let expected = [(3, "ada".to_owned(), true), (4, "bob".to_owned(), true)];
                assert_eq!(names(file.as_bytes()), expected, "{first} {end:?}");
            }
        }
    }

    #[test]
    fn files_with_tabs_and_in_utf_16_are_read() {
        let text = "account\temail\tfirst_name\r\nada\ta@b.test\tÅda, 😀\r\n";
        let units = || text.encode_utf16();
        let little = [b"\xff\xfe".to_vec(), units().flat_map(u16::to_le_bytes).collect()].concat();
        let big = [b"\xfe\xff".to_vec(), units().flat_map(u16::to_be_bytes).collect()].concat();
        for file in [text.as_bytes(), &little, &big] {
            let lines = read(file).unwrap();
            assert_eq!(lines[0].row.first_name, "Åda, 😀");
            assert_eq!((lines.len(), lines[0].number, lines[0].is_whole), (1, 2, true));
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_hides_no_lines() {
        for rest in ["", "eve,e@b.test,Eve,y\n"] {
            let file = format!(
                "account,email,first_name,what\nada,a@b.test,Ada,\"x\"\nbob,b@b.test,Bob,\"6 inch\nkim,k@b.test,Kim,x\n{rest}"
            );
            assert_eq!(
                names(file.as_bytes()),
                [(2, "ada".to_owned(), true), (3, "bob".to_owned(), false)]
            );
        }
        let closed = [
            "account,email,first_name,what\nbob,b@b.test,Bob,6\"\n",
            "account,email,first_name,what\nbob,b@b.test,Bob,\"6\"\"\"\n",
            "account,email,first_name,what\nbob,b@b.test,Bob,\"6\"",
            "account,email,first_name,what\nbob,b@b.test,Bob,\"\"",
            "account,email,first_name,what\nbob,b@b.test,Bob,\"6\"x\"\n",
        ];
        for file in closed {
            assert_eq!(names(file.as_bytes()), [(2, "bob".to_owned(), true)], "{file}");
        }
    }

    #[test]
    fn what_is_no_file_of_ours_is_told_apart() {
        let utf_16: Vec<u8> = "account,email"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let half = b"\xff\xfea\0\n\0b";
        for (file, problem) in [
            (&b""[..], Problem::EmptyFile),
            (b"\xef\xbb\xbf \r\n", Problem::EmptyFile),
            (b"account,email,first_name\r\n,,\r\n", Problem::EmptyFile),
            (&utf_16, Problem::NotUtf8 { line: 1 }),
            (half, Problem::NotUtf8 { line: 2 }),
            (b"\xfe\xff\xd8\x00\0a", Problem::NotUtf8 { line: 1 }),
            (b"\xff\xfea\0\0\0", Problem::NotUtf8 { line: 1 }),
            (
                b"account,email,first_name\r\na,b,c\r\na,b,J\xfcrgen",
                Problem::NotUtf8 { line: 3 },
            ),
            (b"account,email\na,b", Problem::NotOurColumns),
            (
                b"account,email,first_name,Account\na,b,c,d",
                Problem::NotOurColumns,
            ),
            (b"PK\x03\x04[Content_Types].xml", Problem::Workbook),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Problem::Workbook),
            (b"sep=;\r\n", Problem::EmptyFile),
            (b"sep=x\naccount,email,first_name\na,b,c", Problem::NotOurColumns),
        ] {
            assert_eq!(read(file), Err(problem), "{:?}", String::from_utf8_lossy(file));
        }
        let large = vec![b'a'; IMPORT_BYTES_MAX + 1];
        assert_eq!(
            read(&large),
            Err(Problem::LargeFile {
                most: IMPORT_BYTES_MAX
            })
        );
        let many = |lines: usize| ["account,email,first_name\n", &"a,b,c\n".repeat(lines)].concat();
        assert_eq!(
            read(many(IMPORT_LINES_MAX).as_bytes()).unwrap().len(),
            IMPORT_LINES_MAX
        );
        assert_eq!(
            read(many(IMPORT_LINES_MAX + 1).as_bytes()),
            Err(Problem::ManyLines {
                most: IMPORT_LINES_MAX
            })
        );
    }
}
