// A socket that comes back by itself. It only carries bells; nothing depends on it.

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
const FINAL = new Set([4401, 4403, 4404]); // asking again would be refused again

export function openSocket(path, { onFrame, onOpen = () => {}, onClose = () => {} }) {
  let pause = FIRST_PAUSE;
  let socket;

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}${path}`);
    socket.addEventListener("open", () => {
      pause = FIRST_PAUSE;
      onOpen();
    });
    socket.addEventListener("message", (event) => onFrame(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      onClose(event.code);
      if (FINAL.has(event.code)) return;
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    });
  }

  connect();
  return {
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
    },
  };
}
