// Loads the WebAssembly and brings the islands of this page to life. Without it every form still works.
const { bindings, wasm } = document.querySelector("script[data-wasm]").dataset;
const module = await import(bindings);
await module.default({ module_or_path: wasm });
module.hydrate();
for (const island of document.querySelectorAll("leptos-island")) {
  module[island.dataset.component](island);
}
// The style sheet and the tests look for this.
document.documentElement.dataset.hydrated = "";
