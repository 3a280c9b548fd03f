//! The bindings between WebAssembly and JavaScript without what no page of ours uses, and with short names.
//!
//! A library that can stream the body of a request exports three classes, which nothing here touches and the linker must
//! keep; and every function that crosses the border has a long name on both sides, half of it a number that does not
//! compress. Both are taken out here. The generator's version is fixed, so its text has the shape that is read here.

use std::{collections::BTreeMap, fs, mem, path::Path};

use anyhow::{Result, bail};
use walrus::{Module, passes::gc};
use wasm_bindgen_cli_support::Output;

/// What the names of the unused classes begin with, in the JavaScript and, in small letters, among the exports.
const UNUSED: &str = "IntoUnderlying";
/// The object in the JavaScript that holds what the WebAssembly imports.
const IMPORTS_BEGIN: &str = "    const import0 = {";
const IMPORTS_END: &str = "    };";
/// An entry of that object begins after this many blanks.
const INDENT: usize = 8;

/// Old names and the short ones.
type Names = BTreeMap<String, String>;

/// Writes the WebAssembly and its JavaScript into `folder`, made smaller. The generator's own writer goes first: it sets the
/// JavaScript out in lines.
///
/// # Errors
/// A file cannot be written, or the generator's text has another shape than expected.
pub fn emit(mut output: Output, folder: &Path, script: &Path) -> Result<()> {
    let mut names = Names::new();
    let module = output.wasm_mut();
    drop_unused(module);
    shorten_imports(module, &mut names);
    let imports = names.clone();
    shorten_exports(module, &mut names);
    output.emit(folder)?;
    let text = without_classes(&fs::read_to_string(script)?);
    let text = only_imports(&text, &imports)?;
    fs::write(script, renamed(&text, &names))?;
    Ok(())
}

/// Takes the exports of the unused classes away, and everything that only they needed.
fn drop_unused(module: &mut Module) {
    let unused = UNUSED.to_lowercase();
    let exports: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.contains(&unused))
        .map(walrus::Export::id)
        .collect();
    for export in exports {
        module.exports.delete(export);
    }
    gc::run(module);
}

/// A number is a name that an object may have.
fn shorten_imports(module: &mut Module, names: &mut Names) {
    for (number, import) in module.imports.iter_mut().enumerate() {
        let short = number.to_string();
        names.insert(mem::replace(&mut import.name, short.clone()), short);
    }
}

/// Only what the generator named: the islands are found by their names.
fn shorten_exports(module: &mut Module, names: &mut Names) {
    let generated = |name: &str| name.starts_with("__") || name.starts_with("wasm_bindgen__");
    for (number, export) in module.exports.iter_mut().enumerate() {
        if generated(&export.name) {
            let short = format!("x{number}");
            names.insert(mem::replace(&mut export.name, short.clone()), short);
        }
    }
}

/// The JavaScript without the unused classes and what cleans up after them.
fn without_classes(script: &str) -> String {
    let class = format!("export class {UNUSED}");
    let cleaner = format!("const {UNUSED}");
    let mut kept = String::with_capacity(script.len());
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        if line.starts_with(&class) {
            lines
                .by_ref()
                .find(|line| line.starts_with("if (Symbol.dispose)"));
        } else if line.starts_with(&cleaner) {
            lines.by_ref().find(|line| line.ends_with(';'));
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The JavaScript with only those imports that the WebAssembly still has.
fn only_imports(script: &str, used: &Names) -> Result<String> {
    let Some((before, rest)) = script.split_once(IMPORTS_BEGIN) else {
        bail!("the bindings have no list of imports where one is expected");
    };
    let mut kept = format!("{before}{IMPORTS_BEGIN}");
    let (mut inside, mut wanted, mut found) = (true, true, 0);
    for line in rest.split_inclusive('\n') {
        if inside {
            inside = !line.starts_with(IMPORTS_END);
            if let Some(name) = entry(line).filter(|name| *name != "__proto__") {
                wanted = used.contains_key(name);
                found += usize::from(wanted);
            }
            wanted |= !inside;
        }
        if wanted {
            kept.push_str(line);
        }
    }
    if found != used.len() {
        bail!("the bindings list {found} of {} imports", used.len());
    }
    Ok(kept)
}

/// The name that a line begins an entry of the list with.
fn entry(line: &str) -> Option<&str> {
    let name = line.strip_prefix(&" ".repeat(INDENT))?;
    let name = name.split_once(':')?.0;
    (!name.starts_with(' ') && name.chars().all(is_of_name)).then_some(name)
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// The JavaScript with every old name replaced, wherever it stands as a whole.
fn renamed(script: &str, names: &Names) -> String {
    let mut written = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(is_of_name) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|letter| !is_of_name(letter)).unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        written.push_str(between);
        written.push_str(names.get(name).map_or(name, String::as_str));
        rest = behind;
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "export class IntoUnderlyingSink {\n    close() {}\n}\nif (Symbol.dispose) IntoUnderlyingSink.x;\n\
                          function get() {\n    const import0 = {\n        __proto__: null,\n        __wbg_a_1: function(arg0) {\n            \
                          const ret = { x: 1 };\n        },\n        __wbg_b_2: function() { return handleError(function () {\n        \
                          }, arguments); },\n    };\n}\nconst IntoUnderlyingSinkFinalization = (a)\n    ? b\n    : c;\nwasm.__wbindgen_malloc();\n";

    fn names(pairs: &[(&str, &str)]) -> Names {
        let owned = |(old, new): &(&str, &str)| ((*old).to_owned(), (*new).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn unused_classes_go_with_their_cleaners() {
        let kept = without_classes(SCRIPT);
        assert!(!kept.contains(UNUSED), "{kept}");
        assert!(
            kept.starts_with("function get() {\n") && kept.ends_with("wasm.__wbindgen_malloc();\n"),
            "{kept}"
        );
    }

    #[test]
    fn only_used_imports_stay() {
        let kept = only_imports(SCRIPT, &names(&[("__wbg_b_2", "0")])).unwrap();
        assert!(
            !kept.contains("__wbg_a_1") && !kept.contains("const ret"),
            "{kept}"
        );
        assert!(
            kept.contains("        __wbg_b_2: function()") && kept.contains("}, arguments); },\n    };"),
            "{kept}"
        );
        assert!(only_imports(SCRIPT, &names(&[("__wbg_c_3", "0")])).is_err());
        assert!(only_imports("", &names(&[])).is_err());
    }

    #[test]
    fn only_whole_names_are_replaced() {
        let names = names(&[("__wbg_a_1", "0"), ("__wbindgen_malloc", "x3")]);
        assert_eq!(
            renamed(
                "{ __wbg_a_1: f, __wbg_a_12: g } wasm.__wbindgen_malloc(ä)",
                &names
            ),
            "{ 0: f, __wbg_a_12: g } wasm.x3(ä)"
        );
    }
}
