// Passkeys. A form marked with data-passkey asks the browser for one when it is sent, and sends
// what the browser says of it. Where browsers can't, the form stays hidden: everything else works.

const canUsePasskeys = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);

// Of a sign-in the challenge comes only when somebody wants one; other pages bring it along.
async function optionsFor(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

function askForKey(form, options) {
  if (form.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

async function send(form) {
  const failure = form.querySelector("[role=alert]");
  failure.hidden = true;
  form.elements.credential.value = "";
  try {
    const key = await askForKey(form, await optionsFor(form));
    form.elements.credential.value = JSON.stringify(key);
    form.submit();
  } catch (refusal) {
    console.warn(refusal);
    failure.hidden = false; // they changed their mind, or have no key here
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !canUsePasskeys;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
document.querySelectorAll("[data-no-passkey]").forEach((words) => {
  words.hidden = canUsePasskeys;
});
