// partysocket, a well-kept client that reconnects, and has no sessions.

import ReconnectingWebSocket from "partysocket/ws";

export function openPartysocket(url: string, onNumber: (number: number) => void): ReconnectingWebSocket {
  const socket = new ReconnectingWebSocket(url, [], {
    // For the demo: sooner than by default.
    connectionTimeout: 2_000,
    minReconnectionDelay: 500,
    maxReconnectionDelay: 1_000,
  });
  socket.addEventListener("message", (event) => onNumber(Number(event.data)));
  return socket;
}
