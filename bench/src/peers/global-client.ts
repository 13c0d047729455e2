import { runClient, type ClientConnection } from "./support/client-program.js";

// The WebSocket of browsers, as Node and Bun have it built in. It tells nobody when it would take more.
const enough = 1024 * 1024;

await runClient(async (url, onMessage) => {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const client: ClientConnection = {
    send: (data) => socket.send(data),
    sendAndWait: async (data) => {
      socket.send(data);
      while (socket.bufferedAmount > enough) await new Promise((resolve) => setImmediate(resolve));
    },
  };
  socket.onmessage = () => onMessage(client);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return client;
});
