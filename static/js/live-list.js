// A list of tickets that follows its tickets: the bell makes htmx ask for the list again.

import { openSocket } from "./socket.js";

openSocket("/ws/tickets/", {
  onFrame(frame) {
    if (frame.type !== "bell") return;
    const list = document.querySelector("[data-live-list]");
    if (list && !list.contains(document.activeElement)) window.htmx.trigger(list, "bell");
  },
});
