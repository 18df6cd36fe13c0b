// The list of notifications follows the bell: what its reader is told comes in above, and what they
// read elsewhere is marked. Whatever stands there stays, so that nobody loses their place or the
// focus; bell.js says how much is new. Without this file the page is loaded again.

const place = document.getElementById("told");

async function follow() {
  const background = { "X-Background": "1" };
  const response = await fetch(location.href, { headers: background, redirect: "manual" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  document.getElementById("read-all").hidden = page.getElementById("read-all").hidden;
  put(page.getElementById("told"));
}

function put(now) {
  const list = place.querySelector("ul");
  if (!list) return place.replaceChildren(...now.childNodes);
  for (const [number, row] of [...now.querySelectorAll("li")].entries()) {
    const known = document.getElementById(row.id);
    if (known) mark(known, row);
    else list.insertBefore(row, list.children[number] ?? null);
  }
}

function mark(known, row) {
  known.className = row.className;
  known.querySelector("button").replaceChildren(...row.querySelector("button").childNodes);
}

let turn = Promise.resolve();
document.querySelector("[data-bell-news]").addEventListener("told", () => {
  turn = turn.then(follow).catch(() => {}); // away: with the next bell
});
