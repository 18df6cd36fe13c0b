// The bell in the header follows what its person is told. Without this file it is a link.
//
// The socket rings, then the number is asked for over HTTP. A page that shows a ticket, and is
// looked at, says so: what the bell has about that ticket is read by then. The page of the bell
// itself hears of each change, see bell-list.js.

import { oneAtATime, openSocket } from "./socket.js";

const ASK_CONNECTED = 20000; // in case a bell was lost
const ASK_DISCONNECTED = 5000;

const news = document.querySelector("[data-bell-news]");
const conversation = document.querySelector("[data-conversation]");
const title = document.title;

let count = document.querySelector("[data-bell-n]").textContent;
let said = null; // the number when this page last said that it is looked at
let rung = false; // and not asked since
let connected = false;
let over = false; // signed out

function show(now) {
  const isMore = parseInt(now.count || 0) > parseInt(count || 0);
  if (rung || now.count !== count) news.dispatchEvent(new Event("told"));
  rung = false;
  count = now.count;
  for (const bell of document.querySelectorAll("[data-bell]")) {
    bell.setAttribute("aria-label", now.label);
    const badge = bell.querySelector("[data-bell-n]");
    badge.textContent = count;
    badge.hidden = !count;
  }
  document.title = count ? `(${count}) ${title}` : title;
  if (isMore) news.textContent = now.label;
}

const isLookedAt = () => conversation && !document.hidden && count && count !== said;

async function send(path, options) {
  const response = await fetch(path, { redirect: "manual", ...options });
  if (response.type === "opaqueredirect") over = true;
  if (response.ok) show(await response.json());
}

const background = { "X-Background": "1" };

async function saySeen() {
  const reference = conversation.dataset.lines.split("/").at(-3);
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { ...background, "X-CSRFToken": token };
  const path = new URL(`../seen/${reference}/`, new URL(news.dataset.count, location.href));
  await send(path, { method: "POST", headers });
  said = count;
}

const ask = oneAtATime(async () => {
  if (over) return;
  try {
    await send(news.dataset.count, { headers: background });
    if (isLookedAt()) await saySeen();
  } catch {
    // away: asked again soon
  }
});

let timer;
function keepAsking() {
  clearTimeout(timer);
  if (over) return;
  const wait = connected ? ASK_CONNECTED : ASK_DISCONNECTED;
  timer = setTimeout(() => (document.hidden ? Promise.resolve() : ask()).finally(keepAsking), wait);
}

document.addEventListener("visibilitychange", () => document.hidden || ask());

openSocket(conversation?.dataset.socket ?? "/ws/tickets/", {
  onFrame(frame) {
    if (frame.type !== "told") return;
    rung = true;
    ask();
  },
  onOpen() {
    connected = true;
    ask();
    keepAsking();
  },
  onClose() {
    connected = false;
    keepAsking();
  },
});

if (count) document.title = `(${count}) ${title}`;
if (isLookedAt()) ask();
keepAsking();
