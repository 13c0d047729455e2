// The server of the peer bun: echoes every message, or sends it to all clients; compresses if the bench
// requests it.

/* global Bun, Response */

const isBroadcast = process.env.BROADCAST === "1";
const deflate = process.env.DEFLATE ?? "0";
const strategy = deflate === "nct" ? "shared" : "dedicated";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("no", { status: 400 })),
  websocket: {
    sendPings: false,
    idleTimeout: 0,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    perMessageDeflate: deflate === "0" ? false : { compress: strategy, decompress: strategy },
    open(socket) {
      if (isBroadcast) socket.subscribe("all");
    },
    message(socket, message) {
      if (isBroadcast) server.publish("all", message);
      else socket.send(message, deflate !== "0");
    },
  },
});
process.on("SIGUSR2", () => Bun.gc(true));
process.stdout.write(`${server.port}\n`);
