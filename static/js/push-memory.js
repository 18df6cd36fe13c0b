// What a browser remembers of who allowed pushes in it, for push.js and push-again.js.

export const supportsPush =
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const NAME = "push";

export function isFor(subscription, key) {
  const bytes = new Uint8Array(subscription.options.applicationServerKey);
  const words = btoa(String.fromCharCode(...bytes));
  return words.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") === key;
}

// ``session`` is not known yet when the form is sent: then the next page tells it once more.
export function remember(person, endpoint, session = "") {
  localStorage.setItem(NAME, JSON.stringify({ person, endpoint, session }));
}

export function forget() {
  localStorage.removeItem(NAME);
}

export function known() {
  return JSON.parse(localStorage.getItem(NAME) || "{}");
}
