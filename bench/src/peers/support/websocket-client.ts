import { runClient, type ClientConnection } from "./client-program.js";

// `send()` of the standard does not report when it can accept more data.
const enough = 1024 * 1024;

/** Runs the client's program with a class of the WHATWG standard. */
export function runWebSocketClient(Class: typeof globalThis.WebSocket): Promise<void> {
  return runClient(async (url, onMessage) => {
    const socket = new Class(url);
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
}
