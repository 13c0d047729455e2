// The browser's own WebSocket.

export function openBare(url: string, onNumber: (number: number) => void): WebSocket {
  const socket = new WebSocket(url);
  socket.addEventListener("message", (event) => onNumber(Number(event.data)));
  return socket;
}
