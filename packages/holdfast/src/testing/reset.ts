// Resets sockets reliably.

import type { Socket } from "node:net";

/**
 * Resets a connection (RST). While the FIN of an `end()` is on its way to the kernel, libuv refuses a reset, and Node then
 * never closes the socket: the reset waits for that.
 */
export function reset(socket: Socket): void {
  const isEnding = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  if (isEnding && !socket.destroyed) socket.once("finish", () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}
