// Loads the WebAssembly and brings the islands of this page to life. Without it every form still works.
const { bindings, wasm } = document.querySelector("script[data-wasm]").dataset;
const module = await import(bindings);
await module.default({ module_or_path: wasm });
const { body } = document;
const island = document.querySelector("leptos-island");
if (isWhole() || (await restore())) {
  module.hydrate();
  module[island.dataset.component](island);
  // The style sheet and the tests look for this.
  document.documentElement.dataset.hydrated = "";
}

/** Whether no other software has put elements into the island. */
function isWhole() {
  return island.querySelectorAll("*").length === +body.dataset.elements;
}

/** Starts from the page as the server sends it, with what was typed meanwhile; the other software may come again later. */
async function restore() {
  // An answer to a form that says what was wrong comes only once; the form works as it is.
  if (JSON.parse(body.dataset.facts)[1].refusal) return false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sent = page.querySelector(`[data-component=${island.dataset.component}]`);
  if (!sent) return false;
  const focused = document.activeElement;
  const typed = island.querySelectorAll("input[id], select[id]");
  body.dataset.facts = page.body.dataset.facts;
  island.replaceChildren(...sent.childNodes);
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
  return true;
}
