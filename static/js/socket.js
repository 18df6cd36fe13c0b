// A socket that comes back by itself. It only carries bells; nothing depends on it. Whoever asks for
// the same path on a page shares one, as their number is limited for each person.

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
const FINAL = new Set([4401, 4403, 4404]); // asking again would be refused again

const sockets = new Map(); // by path

export function openSocket(path, { onFrame, onOpen = () => {}, onClose = () => {} }) {
  if (!sockets.has(path)) sockets.set(path, connect(path));
  return sockets.get(path).join({ onFrame, onOpen, onClose });
}

function connect(path) {
  const listeners = [];
  let pause = FIRST_PAUSE;
  let socket;

  function open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}${path}`);
    socket.addEventListener("open", () => {
      pause = FIRST_PAUSE;
      for (const listener of listeners) listener.onOpen();
    });
    socket.addEventListener("message", (event) => {
      for (const listener of listeners) listener.onFrame(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      for (const listener of listeners) listener.onClose(event.code);
      if (FINAL.has(event.code)) return;
      setTimeout(open, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    });
  }

  open();
  return {
    join(listener) {
      listeners.push(listener);
      if (socket.readyState === WebSocket.OPEN) listener.onOpen();
      return {
        send(frame) {
          if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
        },
      };
    },
  };
}

// One question at a time; a bell that comes meanwhile asks once more afterwards.
export function oneAtATime(question) {
  let asking = null;
  return function ask() {
    if (asking) {
      asking.again = true;
      return asking.done;
    }
    const turn = { again: false };
    asking = turn;
    turn.done = question().finally(() => {
      asking = null;
      if (turn.again) ask();
    });
    return turn.done;
  };
}
