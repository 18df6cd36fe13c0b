// Pushes end with the session. Whoever allowed them in this browser gets them again after signing
// in anew, and when the registry has another key; nobody else who signs in here does.

import { forget, isFor, known, remember, supportsPush } from "./push-memory.js";

async function subscription(key) {
  const registration = await navigator.serviceWorker.getRegistration("/");
  if (!registration) return null;
  const found = await registration.pushManager.getSubscription();
  if (found && isFor(found, key)) return found;
  await found?.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function again({ key, person, session, action }) {
  if (!supportsPush || Notification.permission !== "granted" || known().person !== person) return;
  const found = await subscription(key);
  if (!found || (known().session === session && known().endpoint === found.endpoint)) return;
  const { endpoint, keys } = found.toJSON();
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const told = { csrfmiddlewaretoken: token, before: known().endpoint, endpoint, ...keys };
  const answer = await fetch(action, { method: "POST", body: new URLSearchParams(told) });
  if (answer.ok) remember(person, endpoint, session);
  if (answer.status === 404) forget(); // stopped elsewhere
}

again(document.querySelector("[data-push-again]").dataset);
