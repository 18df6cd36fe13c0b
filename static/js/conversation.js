// The conversation as it happens. Without this file the page is a form and a reload.
//
// The socket rings, then the lines after the last one seen are asked for over HTTP, and htmx puts
// them into the page. What somebody sends waits in the page until the server has confirmed it;
// the one-time key makes sending twice harmless.

import { takeOutTooLarge } from "./files.js";
import { oneAtATime, openSocket } from "./socket.js";

const ASK_CONNECTED = 20000; // in case a bell was lost
const ASK_DISCONNECTED = 5000;
const TYPING_EVERY = 3000;
const TYPING_FOR = 5000;

const root = document.querySelector("[data-conversation]");
const log = document.getElementById("log");
const scroller = log.parentElement;
const words = Object.fromEntries(
  [...document.getElementById("words").content.querySelectorAll("[data-word]")].map((span) => [
    span.dataset.word,
    span.textContent,
  ]),
);
const isStaff = "staff" in root.dataset;
const draftName = `draft:${location.pathname}`;

let last = Number(root.dataset.last);
let connected = false;

// --- The box --------------------------------------------------------------------

const box = () => document.getElementById("id_body");
const form = () => document.getElementById("reply");

const kindNow = () => (form() ? new FormData(form()).get("kind") : null);

// The draft knows what it was meant to be: a note never comes back as a reply.
function keepDraft(body = box()?.value, kind = kindNow()) {
  if (body) localStorage.setItem(draftName, JSON.stringify({ body, kind }));
  else localStorage.removeItem(draftName);
}

// What was being written on a ticket that was merged into this one goes on here.
function takeOverDrafts() {
  for (const path of root.dataset.merged.split(" ").filter(Boolean)) {
    const kept = localStorage.getItem(`draft:${path}`);
    if (kept && !localStorage.getItem(draftName)) localStorage.setItem(draftName, kept);
    localStorage.removeItem(`draft:${path}`);
  }
}

function restoreDraft() {
  const kept = JSON.parse(localStorage.getItem(draftName));
  if (!kept || !box() || box().value) return;
  box().value = kept.body;
  chooseKind(kept.kind);
}

function chooseKind(kind) {
  const tab = form().querySelector(`[name="kind"][value="${kind}"]`);
  if (tab) tab.checked = true;
}

document.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  keepDraft();
  tellTyping();
});

document.addEventListener("change", (event) => {
  if (event.target.name === "kind") keepDraft();
  if (event.target.id !== "id_files") return;
  refuse(takeOutTooLarge(event.target).join(" "));
  const names = [...event.target.files].map((file) => file.name);
  document.getElementById("chosen-files").textContent = names.join(", ");
});

document.addEventListener("keydown", (event) => {
  if (event.target === box() && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form().requestSubmit();
  }
});

// --- Asking ---------------------------------------------------------------------

const isAtEnd = () => {
  const edge = isStaff ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight : null;
  if (edge !== null && scroller.scrollHeight > scroller.clientHeight) return edge < 80;
  return document.getElementById("latest").getBoundingClientRect().top < window.innerHeight + 80;
};

function toEnd() {
  document.getElementById("latest").scrollIntoView({ block: "nearest" });
}

// How it went is one of the words of ``reached``.
async function fetchLines() {
  const response = await fetch(`${root.dataset.lines}?after=${last}`, {
    headers: { "HX-Request": "true", "X-Background": "1" },
    redirect: "manual",
  });
  if (response.type === "opaqueredirect") return "signed-out";
  if (response.status === 403 || response.status === 404) location.reload(); // not theirs any more
  if (!response.ok) return "not-loaded";
  if (response.status === 200) {
    put(await response.text(), Number(response.headers.get("X-Last-Line")));
  }
  return "online";
}

function put(html, upTo) {
  const follow = isAtEnd();
  window.htmx.swap("#log", html, { swapStyle: "beforeend" });
  last = Math.max(last, upTo);
  const seen = form()?.elements.seen;
  if (seen) seen.value = last;
  document.getElementById("start")?.remove();
  showTyping(null);
  showPresence();
  restoreDraft();
  if (follow) toEnd();
  else offerNew();
}

const ask = oneAtATime(() => fetchLines().catch(() => "offline").then(reach));

let askTimer;
function keepAsking() {
  clearTimeout(askTimer);
  if (reached === "signed-out") return; // asked again when somebody looks at the page
  askTimer = setTimeout(() => ask().finally(keepAsking), connected ? ASK_CONNECTED : ASK_DISCONNECTED);
}

function offerNew() {
  if (document.getElementById("new-messages")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.id = "new-messages";
  button.className = "btn btn-secondary btn-sm ccr-newmessages";
  button.textContent = words.new;
  button.addEventListener("click", () => {
    button.remove();
    toEnd();
  });
  document.getElementById("composer").before(button);
}

// --- Connection -----------------------------------------------------------------

let reached = "online"; // or "offline", "not-loaded", "signed-out"

function show(state, count = "") {
  const area = document.getElementById("connection");
  area.hidden = !state;
  for (const banner of area.querySelectorAll("[data-state]")) {
    banner.hidden = banner.dataset.state !== state;
    const span = banner.querySelector("[data-count]");
    if (span) span.textContent = count;
  }
}

function reach(next) {
  if (next === reached) return;
  reached = next;
  if (next === "online") {
    comeBack();
  } else {
    show(next);
    keepAsking();
  }
}

async function comeBack() {
  const waited = [...queue];
  await flush();
  if (reached !== "online") return;
  const sent = waited.filter((message) => message.isSent).length;
  const said = sent === 1 ? words["sent-one"] : words["sent-many"].replace("COUNT", sent);
  show("back", sent ? said : "");
  setTimeout(() => reached === "online" && show(null), 5000);
}

window.addEventListener("online", ask);
window.addEventListener("focus", ask);
window.addEventListener("offline", () => reach("offline"));

// --- Sending --------------------------------------------------------------------

const queue = [];

document.addEventListener("submit", (event) => {
  if (event.target !== form() || event.submitter?.name === "remove") return;
  event.preventDefault();
  const fields = new FormData(form());
  const hasFiles = form().elements.files.files.length > 0 || form().querySelector(".ccr-file");
  if (!fields.get("body").trim() && !hasFiles) return refuse(words.empty);
  refuse("");
  const message = { fields, action: form().action, bubble: bubbleOf(fields), isSent: false };
  queue.push(message);
  emptyBox();
  flush();
});

function refuse(reason) {
  document.getElementById("id_body_refused")?.remove();
  if (!reason) return;
  const line = document.createElement("p");
  line.className = "ccr-error";
  line.id = "id_body_refused";
  line.setAttribute("role", "alert");
  line.textContent = reason;
  box().before(line);
  box().focus();
}

function emptyBox() {
  box().value = "";
  localStorage.removeItem(draftName);
  for (const name of ["then", "resolution"]) setField(name, "");
  form().elements.files.value = "";
  document.getElementById("chosen-files").textContent = "";
  document.getElementById("draft-files")?.replaceChildren();
  setField("key", crypto.randomUUID());
}

function setField(name, value) {
  const field = form().elements[name];
  if (field) field.value = value;
}

function bubbleOf(fields) {
  const item = document.createElement("li");
  item.className = isStaff ? "ccr-copy ccr-copy--mine" : "ccr-msg ccr-msg--mine ccr-msg--queued";
  const text = document.createElement("div");
  text.className = isStaff ? "ccr-copy__text text-break" : "ccr-msg__text text-break";
  const files = fields.getAll("files").map((file) => file.name).filter(Boolean);
  text.textContent = [fields.get("body"), ...files].filter(Boolean).join("\n");
  const state = document.createElement("p");
  state.className = "ccr-msg__state";
  state.textContent = words.sending;
  item.append(text, state);
  log.append(item);
  toEnd();
  return item;
}

let flushing = null;
function flush() {
  flushing ??= sendAll().finally(() => (flushing = null));
  return flushing;
}

async function sendAll() {
  while (queue.length) {
    const message = queue[0];
    let response;
    try {
      response = await post(message);
    } catch {
      return wait("offline");
    }
    if (response.type === "opaqueredirect") return wait("signed-out");
    if (response.ok) {
      message.isSent = true;
      queue.shift();
      message.bubble.remove();
      await ask();
    } else {
      await giveBack(message, response);
    }
  }
}

function post(message) {
  message.bubble.querySelector(".ccr-msg__state").textContent = words.sending;
  if (message.fields.has("seen")) message.fields.set("seen", last);
  return fetch(message.action, {
    method: "POST",
    body: message.fields,
    headers: { "HX-Request": "true" },
    redirect: "manual",
  });
}

// What is not sent stays in the page, in its order.
function wait(reason) {
  for (const { bubble } of queue) {
    bubble.querySelector(".ccr-msg__state").textContent = words.queued;
  }
  reach(reason);
}

// The server said no: the words go back into the box, with the reason.
async function giveBack(message, response) {
  queue.shift();
  message.bubble.remove();
  const body = [message.fields.get("body"), box()?.value].filter(Boolean).join("\n");
  keepDraft(body, message.fields.get("kind"));
  if (!box() || response.status === 403 || response.status === 404) return location.reload();
  box().value = body;
  chooseKind(message.fields.get("kind"));
  for (const name of ["key", "then", "resolution"]) setField(name, message.fields.get(name));
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const files = page.getElementById("draft-files");
  if (files) document.getElementById("draft-files")?.replaceWith(files); // with their own errors
  refuse(reasonsOn(page) || (files?.querySelector(".ccr-error") ? "" : words.failed));
  await ask();
}

function reasonsOn(page) {
  const lines = page.querySelectorAll(
    "#composer .ccr-error, #composer [role=alert], .ccr-auth h1",
  );
  return [...lines].map((line) => line.textContent.trim()).join(" ");
}

window.addEventListener("beforeunload", () => {
  if (!queue.length || !box()) return;
  const unsent = queue.map((message) => message.fields.get("body"));
  const isNote = queue.some((message) => message.fields.get("kind") === "note");
  const body = [...unsent, box().value].filter(Boolean).join("\n");
  keepDraft(body, isNote ? "note" : kindNow());
});

// --- Who is here, who is writing --------------------------------------------------

let told = 0;
function tellTyping() {
  if (kindNow() === "note" || Date.now() - told < TYPING_EVERY) return;
  told = Date.now();
  socket?.send({ type: "typing" });
}

let typingTimer;
function showTyping(name) {
  const line = document.getElementById("typing");
  clearTimeout(typingTimer);
  // Hidden while this person writes, so that people do not stop to wait for each other.
  line.hidden = !name || Boolean(box()?.value);
  if (!name) return;
  line.querySelector("[data-who]").textContent = words.typing.replace("NAME", name);
  typingTimer = setTimeout(() => showTyping(null), TYPING_FOR);
}

const present = new Set();
function showPresence() {
  const line = document.getElementById("presence");
  if (!line) return;
  line.hidden = present.size === 0;
  line.classList.toggle("ccr-presence--away", present.size === 0);
  line.textContent = words.here.replace("NAME", [...present].join(", "));
}

const FRAMES = {
  bell: (frame) => frame.line > last && ask(),
  here: (frame) => present.add(frame.name),
  gone: (frame) => present.delete(frame.name),
  typing: (frame) => showTyping(frame.name),
};

const socket = root.dataset.socket
  ? openSocket(root.dataset.socket, {
      onFrame(frame) {
        FRAMES[frame.type]?.(frame);
        showPresence();
      },
      onOpen() {
        connected = true;
        ask();
        keepAsking();
      },
      onClose() {
        connected = false;
        present.clear();
        showPresence();
        ask().finally(keepAsking); // tells why: away, signed out, not theirs any more
      },
    })
  : null;

takeOverDrafts();
restoreDraft();
keepAsking();
if (isStaff && !location.hash) toEnd();
