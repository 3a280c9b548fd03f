//! Cells of CSV files. A spreadsheet takes some beginnings for a formula and runs it (attacks.md T137): such cells get
//! an apostrophe, which a spreadsheet hides and the import takes away again.

/// What keeps a spreadsheet from calculating.
const GUARD: char = '\'';

/// Where spreadsheets of many languages split lines, also within our quotes: what comes after it is a cell to them.
const SPLIT: char = ';';

/// Whether a spreadsheet may take the cell for a formula, with quotes around it or not.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['\t', '\r', '\n'])
        || cell
            .trim_start_matches(|c: char| c.is_whitespace() || c == '"')
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// Whether the cell is a formula once its apostrophes are gone.
fn hides_formula(cell: &str) -> bool {
    is_formula(cell.trim_start_matches(GUARD))
}

/// The cell as it is written.
pub(super) fn guarded(cell: &str) -> String {
    let mut written = String::with_capacity(cell.len() + 1);
    for part in cell.split_inclusive(SPLIT) {
        if hides_formula(part) {
            written.push(GUARD);
        }
        written.push_str(part);
    }
    written
}

/// The cell as it is meant.
pub(super) fn unguarded(cell: &str) -> String {
    cell.split_inclusive(SPLIT)
        .map(|part| {
            part.strip_prefix(GUARD)
                .filter(|rest| hides_formula(rest))
                .unwrap_or(part)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_like_a_formula_and_all_come_back() {
        for formula in [
            "=1+1",
            "+46 8 123",
            "-1",
            "@sum",
            " \u{a0}=x",
            "\tx",
            "\r=x",
            "'=x",
            "''+x",
            "＝1",
        ] {
            let written = guarded(formula);
            assert!(written.starts_with('\''), "{formula}");
            assert_eq!(unguarded(&written), formula);
        }
        // Where numbers have a decimal comma, spreadsheets split lines at semicolons, whatever stands in quotes.
        for (inside, written) in [
            ("x;=1+1", "x;'=1+1"),
            ("x; @y;-1", "x;' @y;'-1"),
            ("x;\"=1\"", "x;'\"=1\""),
            ("x;'=1", "x;''=1"),
            (";=", ";'="),
        ] {
            assert_eq!(guarded(inside), written);
            assert_eq!(unguarded(written), inside);
        }
        for plain in ["", "Ada", "O'Hara", "'s-Gravenhage", "a=b", "''", "a; b", "a;'b"] {
            assert_eq!(guarded(plain), plain);
            assert_eq!(unguarded(plain), plain);
        }
    }
}
