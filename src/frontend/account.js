// What scripts add to the pages of an account: how good a new password is while it is typed, and a button that copies the
// backup codes. It knows no rule and no word: the server judges, in the language of the page. Without it all forms work.
const byId = (id) => document.getElementById(id);

/** How long typing has to rest before the server is asked, in milliseconds. */
const pause = 400;

const password = byId("new_password");
const strength = byId("strength");
if (password && strength) {
  let waiting;
  password.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(judge, pause);
  });
}

async function judge() {
  const typed = password.value;
  const judged = typed === "" ? null : await ask(strength.dataset.href, { new_password: typed });
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

const copy = byId("copy");
// A page that came over plain http from another computer has no clipboard.
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(copy.dataset.text);
      const copied = byId("copied");
      copied.textContent = copied.dataset.done;
    } catch {
      // The codes stand on the page and can be selected.
    }
  });
}

// The tests look for this.
document.documentElement.dataset.hydrated = "";
