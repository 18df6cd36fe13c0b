// Notifications on this device: offered where they are possible, asked for on a click only. The
// form carries what the browser says, so that the page answers as it does to every other form.

import { forget, isFor, remember, supportsPush } from "./push-memory.js";

const place = document.querySelector("[data-push]");
const form = place.querySelector("form");
const failure = place.querySelector("[data-push-failed]");

function show(state) {
  for (const each of place.querySelectorAll("[data-push-is]")) {
    each.hidden = each.dataset.pushIs !== state;
  }
}

// Safari on iPhones and iPads knows push only in apps on the home screen.
function mustBeInstalled() {
  const looksLikeMac = navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1;
  const isApple = /iPhone|iPad/.test(navigator.userAgent) || looksLikeMac;
  return isApple && !navigator.standalone;
}

async function state() {
  if (!supportsPush) return mustBeInstalled() ? "to_install" : "unsupported";
  if (Notification.permission === "denied") return "denied";
  const registration = await navigator.serviceWorker.getRegistration("/");
  const subscription = await registration?.pushManager.getSubscription();
  const isDone = "here" in place.dataset && subscription && isFor(subscription, place.dataset.push);
  return isDone ? "done" : "possible";
}

async function subscribed() {
  const registration = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  const before = await registration.pushManager.getSubscription();
  if (before && isFor(before, place.dataset.push)) return before;
  await before?.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: place.dataset.push };
  return registration.pushManager.subscribe(options);
}

async function allow() {
  failure.hidden = true;
  const permission = await Notification.requestPermission();
  if (permission === "denied") return show("denied");
  if (permission !== "granted") return; // they closed the question
  try {
    const subscription = await subscribed();
    const { endpoint, keys } = subscription.toJSON();
    Object.assign(form.elements.endpoint, { value: endpoint });
    Object.assign(form.elements.p256dh, { value: keys.p256dh });
    Object.assign(form.elements.auth, { value: keys.auth });
    remember(place.dataset.person, endpoint);
    form.submit();
  } catch (trouble) {
    console.warn(trouble);
    failure.hidden = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  allow();
});
document.querySelector("[data-push-stop]")?.addEventListener("submit", forget);
show(await state());
