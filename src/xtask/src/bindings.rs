//! The bindings between WebAssembly and JavaScript without what no page of ours uses, and with short names.
//!
//! A library that can stream the body of a request exports three classes, which nothing here touches and the linker must
//! keep; and every function that crosses the border has a long name on both sides, half of it a number that does not
//! compress. Both are taken out here, and what a panic would say to nobody. The generator's version is fixed, so its text
//! has the shape that is read here.

use std::{collections::BTreeMap, fs, mem, path::Path};

use anyhow::{Result, bail};
use walrus::{
    InstrLocId, LocalFunction, Module,
    ir::{Instr, Unreachable},
    passes::gc,
};
use wasm_bindgen_cli_support::Output;

/// What the names of the unused classes begin with, in the JavaScript and, in small letters, among the exports.
const UNUSED: &str = "IntoUnderlying";
/// The object in the JavaScript that holds what the WebAssembly imports.
const IMPORTS_BEGIN: &str = "    const import0 = {";
const IMPORTS_END: &str = "    };";
/// An entry of that object begins after this many blanks.
const INDENT: usize = 8;
/// What the WebAssembly calls that object, and a shorter name.
const IMPORTS_NAME: &str = "./vestibule_bg.js";
const IMPORTS_SHORT: &str = "0";
/// What the JavaScript offers: functions that load the WebAssembly in every way there is. Ours is in `frontend/loader.js`.
const OFFERED: &str = "export { initSync, __wbg_init as default };";
const NEEDED: &str = "export { __wbg_get_imports as imports, __wbg_finalize_init as begin };";

/// Functions that never come back, by the beginnings of their names: each puts the message of a panic together, which is
/// written nowhere in a browser, and stops the program.
const PANICS: [&str; 16] = [
    "__rustc::rust_begin_unwind",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::lazy::panic_poisoned",
    "core::cell::panic_already_",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::slice::index::slice_index_fail",
    "core::str::slice_error_fail",
    "std::panicking::begin_panic",
    "std::sync::lazy_lock::panic_poisoned",
    "std::thread::local::panic_access_error",
];
/// How the names of functions begin that only the unused classes need: nothing of ours hands a promise to JavaScript. The
/// linker cannot know it, because they are called through tables.
const OF_UNUSED: &str = "js_sys::futures::future_to_promise";
/// A function with fewer instructions is left alone: of several that are alike the compiler keeps one, under any of their
/// names.
const UNLIKE_OTHERS: u64 = 50;

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
    empty_functions(module);
    drop_unused(module);
    shorten_imports(module, &mut names);
    let imports = names.clone();
    shorten_exports(module, &mut names);
    output.emit(folder)?;
    let text = without_classes(&fs::read_to_string(script)?);
    let text = only_imports(&text, &imports)?;
    let text = replaced(&text, &format!("{IMPORTS_NAME:?}"), IMPORTS_SHORT)?;
    let text = replaced(&text, OFFERED, NEEDED)?;
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

/// Lets every panic stop the program at once, as `-Cpanic=immediate-abort` does where the standard library is compiled along
/// with us, and takes the bodies of what is never called. What only they needed goes with them.
fn empty_functions(module: &mut Module) {
    let emptied: Vec<_> = module
        .funcs
        .iter_local()
        .filter(|(id, function)| {
            let name = module.funcs.get(*id).name.as_deref().map(plain);
            name.is_some_and(|name| {
                (is_panic(&name) && never_comes_back(function))
                    || (is_unused(&name) && function.size() >= UNLIKE_OTHERS)
            })
        })
        .map(|(id, _)| id)
        .collect();
    for id in emptied {
        stop(module.funcs.get_mut(id).kind.unwrap_local_mut());
    }
}

fn is_panic(name: &str) -> bool {
    PANICS.iter().any(|start| name.starts_with(start))
}

fn is_unused(name: &str) -> bool {
    name.starts_with(OF_UNUSED)
}

/// The compiler ends a function that never comes back with an instruction that is not reached.
fn never_comes_back(function: &LocalFunction) -> bool {
    let last = function.block(function.entry_block()).instrs.last();
    matches!(last, Some((Instr::Unreachable(_), _)))
}

/// The function does nothing any more but end the program.
fn stop(function: &mut LocalFunction) {
    let entry = function.entry_block();
    function.block_mut(entry).instrs = vec![(Unreachable {}.into(), InstrLocId::default())];
}

/// The name of a function without the numbers in brackets that tell its crate, or it from others of its name, and without
/// the one that ends the names of an older kind.
fn plain(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        written.push_str(before);
        rest = match after.split_once(']') {
            Some((number, behind)) if number.chars().all(|digit| digit.is_ascii_hexdigit()) => behind,
            _ => {
                written.push('[');
                after
            }
        };
    }
    written.push_str(rest);
    match written.rsplit_once("::h") {
        Some((before, hash)) if hash.len() == 16 && hash.chars().all(|digit| digit.is_ascii_hexdigit()) => {
            before.to_owned()
        }
        _ => written,
    }
}

/// A number is a name that an object may have.
fn shorten_imports(module: &mut Module, names: &mut Names) {
    for (number, import) in module.imports.iter_mut().enumerate() {
        if import.module == IMPORTS_NAME {
            IMPORTS_SHORT.clone_into(&mut import.module);
        }
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

/// The text with something that stands in it once replaced.
fn replaced(text: &str, old: &str, new: &str) -> Result<String> {
    match text.split_once(old) {
        Some((before, after)) if !after.contains(old) => Ok([before, new, after].concat()),
        _ => bail!("the bindings have not one {old:?}, as expected"),
    }
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
    use std::collections::BTreeSet;

    use walrus::{FunctionBuilder, FunctionId};

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
    fn panics_and_what_is_never_called_are_known_by_their_names() {
        for name in [
            "core[c5930c85a12de822]::panicking::panic_fmt",
            "core[c5930c85a12de822]::str::slice_error_fail_rt",
            "core::option::unwrap_failed::h0123456789abcdef",
            "__rustc[c5930c85a12de822]::rust_begin_unwind",
        ] {
            assert!(is_panic(&plain(name)), "{name}");
        }
        for name in [
            "core[1]::str::count",
            "vestibule_app::panicking::x",
            "core::option::map",
        ] {
            assert!(!is_panic(&plain(name)), "{name}");
        }
        assert!(is_unused(&plain(
            "js_sys[b47f]::futures::future_to_promise::<wasm_streams[6df9]::x>::{closure#0}[2]"
        )));
        assert!(!is_unused(&plain("js_sys[b47f]::futures::spawn_local")));
        assert_eq!(plain("<[u8] as x[0af]>::y[1]"), "<[u8] as x>::y");
        assert_eq!(plain("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(plain("a::b::hidden"), "a::b::hidden");
    }

    /// What calls a panic stays, what only the panic called goes; and a function that comes back is none, whatever its name.
    #[test]
    fn a_panic_becomes_the_end_of_the_program() {
        let mut module = Module::default();
        let mut add = |name: &str, calls: &[FunctionId], comes_back: bool| {
            let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
            let mut body = builder.func_body();
            for called in calls {
                body.call(*called);
            }
            if !comes_back {
                body.unreachable();
            }
            let id = builder.finish(Vec::new(), &mut module.funcs);
            module.funcs.get_mut(id).name = Some(name.to_owned());
            id
        };
        let message = add("message", &[], true);
        let panic = add("core[1]::panicking::panic_fmt", &[message], false);
        let other = add("other", &[], true);
        let namesake = add("core[1]::panicking::comes_back", &[other], true);
        let island = add("island", &[panic, namesake], true);
        module.exports.add("island", island);
        empty_functions(&mut module);
        gc::run(&mut module);
        let left = module
            .funcs
            .iter()
            .filter_map(|function| function.name.as_deref());
        let left: BTreeSet<_> = left.collect();
        assert_eq!(
            left,
            BTreeSet::from([
                "core[1]::panicking::comes_back",
                "core[1]::panicking::panic_fmt",
                "island",
                "other"
            ])
        );
    }

    #[test]
    fn what_is_replaced_stands_there_once() {
        assert_eq!(replaced("abc", "b", "x").unwrap(), "axc");
        assert!(replaced("abcb", "b", "x").is_err());
        assert!(replaced("abc", "d", "x").is_err());
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
