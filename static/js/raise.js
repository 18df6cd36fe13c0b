// The ticket form: the words are saved two seconds after typing stops, the errors take the focus.

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

document.getElementById("errors")?.focus();
