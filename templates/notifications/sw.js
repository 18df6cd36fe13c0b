{% load i18n %}{% translate "Something new for you" as anything %}// Shows what is pushed to this browser, and opens what it is about. It keeps no page and answers no
// request: whoever signed out finds nothing here.

const PLAIN = { title: "{{ site.name|escapejs }}", body: "{{ anything|escapejs }}", url: "/", tag: "any" };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function toldBy(data) {
  try {
    return { ...PLAIN, ...data.json() };
  } catch {
    return PLAIN; // browsers insist that something is shown for each push
  }
}

self.addEventListener("push", (event) => {
  const told = toldBy(event.data);
  const shown = { body: told.body, tag: told.tag, renotify: true, data: { url: told.url } };
  event.waitUntil(self.registration.showNotification(told.title, shown));
});

// Only ever a page of ours, whatever the push says.
function ownPage(url) {
  const page = new URL(url, self.location.origin);
  return page.origin === self.location.origin ? page.href : self.location.origin;
}

async function open(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((each) => each.url === url);
  return there ? there.focus() : self.clients.openWindow(url);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(ownPage(event.notification.data.url)));
});
