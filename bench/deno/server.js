// The server of the peer deno: echoes every message.

/* global Deno */

Deno.addSignalListener("SIGUSR2", () => globalThis.gc?.());
Deno.serve(
  {
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(String(port)),
  },
  (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onerror = () => socket.close();
    return response;
  },
);
