// What scripts add to the pages of an account: how good a new password is while it is typed, a language switch that keeps
// what was typed, and buttons that copy what stands on the page. It knows no rule and no word: the server judges, in the
// language of the page. Without it all forms work.
const byId = (id) => document.getElementById(id);

/** How long typing has to rest before the server is asked, in milliseconds. */
const pause = 400;

let waiting;
byId("new_password")?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(judge, pause);
});

// One question at a time: what was typed meanwhile is asked when the answer is there.
let asking = false;
let missed = false;

async function judge() {
  if (asking) {
    missed = true;
    return;
  }
  const password = byId("new_password");
  const strength = byId("strength");
  // A password that is typed for somebody else is judged when it is sent.
  if (!strength) return;
  const typed = password.value;
  asking = true;
  const judged = typed === "" ? null : await ask(strength.dataset.href, { new_password: typed });
  asking = false;
  if (missed) {
    missed = false;
    judge();
    return;
  }
  if (password.value !== typed) return;
  // Without an answer nothing is said: the form says it when it is sent.
  strength.textContent = judged?.sentence ?? "";
  strength.toggleAttribute("data-good", judged?.good ?? false);
  if (judged) strength.dataset.strength = judged.strength;
  else delete strength.dataset.strength;
}

async function ask(path, fields) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(fields) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function prepare() {
  prepareCopy();
  const form = byId("language-form");
  // Where a page would be lost by leaving it, the switch has a button.
  if (form?.querySelector(".before-script")) byId("language").addEventListener("change", () => speak(form, form.action));
  const button = document.querySelector("button[formaction$='/language']");
  if (button?.matches(".before-script")) byId("language").addEventListener("change", () => speak(button.form, button.formAction, button));
  button?.addEventListener("click", (event) => {
    event.preventDefault();
    speak(button.form, button.formAction, button);
  });
}

/** Shows this page in the chosen language: everything is new but the fields, which keep their text and the focus. */
async function speak(form, path, button) {
  const fields = new FormData(form, button);
  for (const secret of form.querySelectorAll("[type=password]")) fields.delete(secret.name);
  let page;
  try {
    const answer = await fetch(path, { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams(fields) });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    page = null;
  }
  if (!page?.getElementById("content")) {
    // Without scripts it is a form like any other.
    form.requestSubmit(button);
    return;
  }
  const focused = document.activeElement?.id;
  for (const field of page.querySelectorAll("input[id], textarea[id], select[id]")) {
    const present = byId(field.id);
    if (!present) continue;
    if (field.tagName === "SELECT") {
      // What was sent comes back; the language of an account among it is the one that was just chosen.
      if (present.form !== form) field.value = present.value;
      continue;
    }
    for (const name of ["aria-describedby", "aria-invalid"]) {
      const value = field.getAttribute(name);
      if (value === null) present.removeAttribute(name);
      else present.setAttribute(name, value);
    }
    field.replaceWith(present);
  }
  document.title = page.title;
  document.documentElement.lang = page.documentElement.lang;
  document.documentElement.dir = page.documentElement.dir;
  document.body.replaceChildren(...page.body.childNodes);
  byId(focused)?.focus();
  prepare();
  if (byId("new_password")?.value) judge();
}

function prepareCopy() {
  // A page that came over plain http from another computer has no clipboard.
  if (!navigator.clipboard) return;
  for (const copy of document.querySelectorAll("button[data-text]")) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(copy.dataset.text);
        const copied = copy.nextElementSibling;
        copied.textContent = copied.dataset.done;
      } catch {
        // The text stands on the page and can be selected.
      }
    });
  }
}

prepare();

// The tests look for this.
document.documentElement.dataset.hydrated = "";
