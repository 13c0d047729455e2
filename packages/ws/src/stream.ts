// `createWebSocketStream()`: a WebSocket as a Duplex stream.

import { Duplex, type DuplexOptions } from "node:stream";
import { CLOSED, CONNECTING } from "./constants.js";
import type { WebSocket } from "./web-socket.js";

/** Reads messages and sends each chunk as a message, with backpressure in both directions. */
export function createWebSocketStream(websocket: WebSocket, options: DuplexOptions = {}): Duplex {
  // After an error, the Close must still reach the peer.
  let mayTerminate = true;

  const stream: Duplex = new Duplex({
    ...options,
    autoDestroy: false,
    emitClose: false,
    objectMode: false,
    writableObjectMode: false,

    read() {
      if (websocket.isPaused) websocket.resume();
    },

    write(chunk, encoding, callback) {
      if (websocket.readyState === CONNECTING) {
        websocket.once("open", () => stream._write(chunk, encoding, callback));
      } else {
        websocket.send(chunk, callback);
      }
    },

    final(callback) {
      if (websocket.readyState === CONNECTING) {
        websocket.once("open", () => stream._final(callback));
        return;
      }
      const socket = websocket._socket;
      if (socket === null) return; // The handshake failed: `error` follows.
      if (socket.writableFinished || websocket.readyState === CLOSED) {
        callback();
        if (stream.readableEnded) stream.destroy();
        return;
      }
      let isOver = false;
      const finish = (): void => {
        if (!isOver) callback();
        isOver = true;
      };
      // Holdfast may destroy a socket that has nothing left to send, rather than end it.
      socket.once("finish", finish);
      websocket.prependOnceListener("close", finish);
      websocket.close();
    },

    destroy(error, callback) {
      if (websocket.readyState === CLOSED) {
        callback(error);
        process.nextTick(() => stream.emit("close"));
        return;
      }
      let isCalled = false;
      websocket.once("error", (cause: Error) => {
        isCalled = true;
        callback(cause);
      });
      websocket.once("close", () => {
        if (!isCalled) callback(error);
        process.nextTick(() => stream.emit("close"));
      });
      if (mayTerminate) websocket.terminate();
    },
  });

  websocket.on("message", (message: Buffer, isBinary: boolean) => {
    const data = !isBinary && stream.readableObjectMode ? message.toString() : message;
    if (!stream.push(data)) websocket.pause();
  });
  websocket.once("error", (error: Error) => {
    if (stream.destroyed) return;
    mayTerminate = false;
    stream.destroy(error);
  });
  websocket.once("close", () => {
    if (!stream.destroyed) stream.push(null);
  });
  stream.on("end", () => {
    if (!stream.destroyed && stream.writableFinished) stream.destroy();
  });
  stream.on("error", onError);
  return stream;
}

/** Destroys the stream. Without other listeners, the error is thrown, as streams do. */
function onError(this: Duplex, error: Error): void {
  this.removeListener("error", onError);
  this.destroy();
  if (this.listenerCount("error") === 0) this.emit("error", error);
}
