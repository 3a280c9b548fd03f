// Caps Lock is told beside the password; every key says whether it is on.
for (const name of ["keydown", "keyup"]) {
  addEventListener(name, (event) => {
    const on = event.getModifierState?.("CapsLock");
    if (on !== undefined) document.documentElement.toggleAttribute("data-caps", on);
  });
}

// Loads the WebAssembly and brings the islands of this page to life. Without it every form still works.
const { bindings, wasm } = document.querySelector("script[data-wasm]").dataset;
const module = await import(bindings);
const { instance } = await WebAssembly.instantiateStreaming(fetch(wasm), module.imports());
module.begin(instance);
const { body } = document;
const island = document.querySelector("leptos-island");
// Other software may have put elements into the island, which would then be taken for its own.
const isWhole = island.querySelectorAll("*").length === +body.dataset.elements;
const sent = isWhole ? null : await sentAnew();
if (isWhole || sent) {
  // From here on nobody else has a turn until the island lives.
  if (sent) startFrom(sent);
  module.hydrate();
  module[island.dataset.component](island);
  // The style sheet and the tests look for this.
  document.documentElement.dataset.hydrated = "";
}

/** This page as the server sends it now; nothing where it cannot be had. */
async function sentAnew() {
  // An answer that says what was wrong with a form comes only once; the form works as it is.
  if (JSON.parse(body.dataset.facts)[1].refusal) return null;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  return page.querySelector("leptos-island")?.dataset.component === island.dataset.component ? page : null;
}

/** Puts what the server sent into the place of what is there, with what was typed meanwhile. */
function startFrom(page) {
  const focused = document.activeElement;
  const typed = island.querySelectorAll("input[id], select[id]");
  Object.assign(body.dataset, page.dataset);
  island.replaceChildren(...page.querySelector("leptos-island").childNodes);
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
