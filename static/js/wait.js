// A button that the server takes only after a while: until then it says how long that is.

for (const form of document.querySelectorAll("[data-wait]")) {
  const button = form.querySelector("button");
  const sentence = form.querySelector("p");
  const seconds = sentence.querySelector("span");
  const until = Date.now() + form.dataset.wait * 1000;

  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    seconds.textContent = left;
    button.hidden = left > 0;
    sentence.hidden = left <= 0;
    if (left > 0) setTimeout(count, 1000);
  };
  count();
}
