// Offers to stay signed in before an unused session ends, and says when it has ended. What is typed stays where it is: the
// form is sent as always, and comes back after signing in again. Without it the page says when the session ends.
const bar = document.getElementById("session-end");
let timer;

if (bar) {
  bar.classList.add("live");
  bar.querySelector("button").addEventListener("click", () => ask("yes"));
  plan(+bar.dataset.left, "idle" in bar.dataset);
}

/** Shows the bar when the end is near, and asks the server in time: another tab may have put it off. */
function plan(left, idle) {
  const near = left <= +bar.dataset.before;
  show(near, idle);
  clearTimeout(timer);
  timer = setTimeout(ask, (near ? left + 1 : left - bar.dataset.before) * 1000);
}

async function ask(stay) {
  let answer;
  try {
    const fields = new URLSearchParams(stay ? { stay } : {});
    answer = await fetch(bar.dataset.href, { method: "POST", headers: { Accept: "application/json" }, body: fields });
  } catch {
    answer = null;
  }
  if (answer?.ok) {
    const { left, idle, sentence } = await answer.json();
    bar.querySelector("p").textContent = sentence;
    plan(left, idle);
  } else if (answer?.status === 401) {
    bar.querySelector("p").textContent = bar.dataset.over;
    show(true, false);
  } else {
    // Nobody knows: it is asked again in a while.
    clearTimeout(timer);
    timer = setTimeout(ask, 30_000);
  }
}

function show(near, idle) {
  bar.hidden = !near;
  bar.querySelector("button").hidden = !idle;
}
