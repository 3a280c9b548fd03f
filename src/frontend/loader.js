// Loads the WebAssembly and brings the islands of this page to life. Without it every form still works.
const { bindings, wasm } = document.querySelector("script[data-wasm]").dataset;
const module = await import(bindings);
await module.default({ module_or_path: wasm });
const island = document.querySelector("leptos-island");
const sent = document.querySelector("template").content;
if (shape(island) !== shape(sent)) restore();
module.hydrate();
module[island.dataset.component](island);
// The style sheet and the tests look for this.
document.documentElement.dataset.hydrated = "";

/** Which elements and texts stand where below `root`. */
function shape(root) {
  return Array.from(root.childNodes, (node) => `${node.nodeName}(${shape(node)})`).join();
}

/** Other software changed the page: the island starts from what the server sent, with what was typed meanwhile. */
function restore() {
  const focused = document.activeElement;
  const typed = island.querySelectorAll("input[id], select[id]");
  island.replaceChildren(sent);
  for (const old of typed) {
    const field = document.getElementById(old.id);
    if (field?.localName !== old.localName) continue;
    field.value = old.value;
    field.checked = old.checked;
    if (old !== focused) continue;
    field.focus();
    // Not every kind of field has a caret.
    if (old.selectionStart != null) field.setSelectionRange(old.selectionStart, old.selectionEnd);
  }
}
