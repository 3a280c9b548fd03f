//! The browser's half of Vestibule.

// Without this line the linker drops every island and the pages stay dead.
use vestibule_app as _;

/// Called once by the loading script before the islands are brought to life.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
