// The ticket form: the words are saved two seconds after typing stops.

import { takeOutTooLarge } from "./files.js";

const QUIET = 2000;
const form = document.getElementById("ticket-form");
const saved = document.getElementById("draft-saved");

let timer;
form.addEventListener("input", (event) => {
  if (event.target.type === "file") return;
  clearTimeout(timer);
  timer = setTimeout(() => window.htmx.trigger(saved, "typed"), QUIET);
});
form.addEventListener("submit", () => clearTimeout(timer));

// Files went up as they were chosen; sending them again with the form would double them.
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.id === "id_attachments" && event.detail.successful) event.target.value = "";
});

// Before htmx hears of it: what is left is sent, if anything is.
document.addEventListener("change", (event) => {
  if (event.target.id !== "id_attachments") return;
  const problems = takeOutTooLarge(event.target);
  if (!event.target.files.length) event.stopImmediatePropagation();
  tellProblems(problems);
}, true);

document.body.addEventListener("htmx:responseError", (event) => {
  if (event.target.id === "id_attachments") tellProblems([event.target.dataset.failed]);
});

function tellProblems(problems) {
  document.getElementById("file-problems").replaceChildren(...problems.map((problem) => {
    const line = document.createElement("p");
    line.className = "ccr-error";
    line.textContent = problem;
    return line;
  }));
}
