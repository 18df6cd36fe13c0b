// A "Show" button beside a password. Without scripts there is none, and nothing is missing.

function offerToShow(input) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-secondary";
  button.textContent = input.dataset.show;
  button.setAttribute("aria-label", input.dataset.showLabel);
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-controls", input.id);

  const group = document.createElement("div");
  group.className = "input-group";
  input.replaceWith(group);
  group.append(input, button);

  const show = (isShown) => {
    input.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
    button.classList.toggle("active", isShown);
  };
  button.addEventListener("click", () => show(input.type === "password"));
  // Sent as a password again, so that no browser keeps it among ordinary answers.
  input.form.addEventListener("submit", () => show(false));
}

document.querySelectorAll("input[data-show]").forEach(offerToShow);
