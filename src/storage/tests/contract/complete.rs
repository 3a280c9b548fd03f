//! Whether this suite is complete: every method of the database is called by it, and so every statement is run.

use std::{collections::BTreeSet, fs, path::Path};

/// The text of a file, or of all files of a folder, but for the helpers of tests.
fn sources(place: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
    if folder.is_file() {
        return fs::read_to_string(folder).unwrap();
    }
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("test_support.rs") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn every_method_of_the_database_is_called_by_this_suite() {
    let (library, suite) = (sources("src"), sources("tests/contract"));
    let methods: BTreeSet<&str> = library
        .split("pub async fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['(', '<']).next())
        .collect();
    assert!(methods.len() > 60, "{methods:?}");
    let called =
        |method: &&str| suite.contains(&format!(".{method}(")) || suite.contains(&format!("::{method}("));
    let uncalled: Vec<_> = methods.into_iter().filter(|method| !called(method)).collect();
    assert!(uncalled.is_empty(), "not called by this suite: {uncalled:?}");
}

#[test]
fn every_method_that_takes_a_company_is_asked_across_the_border() {
    let (library, borders) = (sources("src"), sources("tests/contract/borders.rs"));
    let takes_a_company = |signature: &&str| {
        [
            "company: CompanyId",
            "company: Option<CompanyId>",
            "id: CompanyId",
        ]
        .iter()
        .any(|argument| signature.contains(argument))
    };
    let signatures = library
        .split("pub async fn ")
        .skip(1)
        .filter_map(|rest| rest.split(" -> ").next());
    let names: BTreeSet<&str> = signatures
        .filter(takes_a_company)
        .filter_map(|signature| signature.split('(').next())
        .collect();
    assert!(names.len() > 35, "{names:?}");
    let unasked: Vec<_> = names
        .into_iter()
        .filter(|name| !borders.contains(&format!(".{name}(")))
        .collect();
    assert!(unasked.is_empty(), "not asked across the border: {unasked:?}");
}
