// What scripts add to the pages of the console: lists that follow what is typed, boxes that tick all of a page, keys, numbers
// that follow what happens, and menus beside their buttons where style sheets alone cannot put them there. It knows no rule
// and no word. Without it everything works.
const byId = (id) => document.getElementById(id);

/** How long typing has to rest before a list is asked for, in milliseconds. */
const pause = 250;
/** How often what lives is asked for anew, in milliseconds. */
const beat = 5000;

/** This page, or another of the same kind, as the server sends it; nothing where it cannot be had. */
async function fetched(address, quietly) {
  // What nobody asked for does not count as activity.
  const headers = quietly ? { Accept: "text/html", "Vestibule-Refresh": "1" } : { Accept: "text/html" };
  try {
    const answer = await fetch(address, { headers });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

// A list that follows its filter. The newest answer counts, and an address that can be kept.
let newest = 0;

async function follow(form) {
  const number = (newest += 1);
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (value === "") query.delete(name);
  const address = `${form.getAttribute("action")}?${query}`;
  const page = await fetched(address);
  if (number !== newest) return;
  const found = page?.getElementById(form.dataset.live);
  if (!found) return;
  byId(form.dataset.live).replaceWith(found);
  history.replaceState(null, "", address);
  count();
}

let waiting;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.dataset.live) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => follow(form), event.target.type === "search" || event.target.type === "text" ? pause : 0);
});

// How many are ticked, and all of a page at once.
const boxes = () => [...document.querySelectorAll("tbody input[name='selected[]']")];

function count() {
  const shown = document.querySelector("[data-count]");
  if (!shown) return;
  const all = document.querySelector("[data-select-found]");
  const ticked = boxes().filter((box) => box.checked).length;
  shown.textContent = all?.checked ? all.dataset.selectFound : ticked;
  const whole = document.querySelector("[data-select-page]");
  whole.checked = ticked > 0 && ticked === boxes().length;
  whole.indeterminate = ticked > 0 && !whole.checked;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-select-page]")) for (const box of boxes()) box.checked = target.checked;
  count();
});

// A row leads where its name leads; what can be pressed in it, and text that is being marked, does not.
document.addEventListener("click", (event) => {
  const link = event.target.closest("table.agents tbody tr")?.querySelector("th a");
  if (!link || event.target.closest("a, button, input, label, form, [popover]") || String(getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const search = byId("search");
  const typing = event.target.closest?.("input, select, textarea, [popover]");
  if (event.key === "/" && search && !typing) {
    event.preventDefault();
    search.focus();
    search.select();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || (typing && event.target !== search)) return;
  const links = [...document.querySelectorAll("table.agents tbody th a")];
  const at = links.indexOf(document.activeElement);
  if (at < 0 && event.target !== search) return;
  event.preventDefault();
  if (at + step < 0) search.focus();
  else links[Math.min(at + step, links.length - 1)]?.focus();
});

// What lives is replaced as a whole, unless somebody is in the middle of it.
async function refresh() {
  const parts = [...document.querySelectorAll("[data-refresh]")];
  if (parts.length === 0 || document.hidden) return;
  const page = await fetched(location.href, true);
  for (const part of parts) {
    const now = page?.getElementById(part.id);
    if (!now || part.contains(document.activeElement) || part.querySelector("details[open], :popover-open, :checked")) continue;
    if (now.innerHTML !== part.innerHTML) part.replaceWith(now);
  }
}
setInterval(refresh, beat);

// Browsers without anchors: a panel opens beside its button, inside the window.
if (!CSS.supports("position-area: block-end")) {
  document.addEventListener(
    "toggle",
    ({ target, newState }) => {
      if (newState !== "open" || !target.matches(".panel")) return;
      const button = document.querySelector(`[popovertarget="${target.id}"]`).getBoundingClientRect();
      const { offsetWidth, offsetHeight } = target;
      const start = document.documentElement.dir === "rtl" ? button.left : button.right - offsetWidth;
      const below = button.bottom + offsetHeight < innerHeight;
      target.style.left = `${Math.max(8, Math.min(start, innerWidth - offsetWidth - 8))}px`;
      target.style.top = `${below ? button.bottom : Math.max(8, button.top - offsetHeight)}px`;
    },
    true,
  );
}

count();
