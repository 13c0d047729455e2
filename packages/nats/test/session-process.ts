// A server with sessions, for the test in which one process takes them over from another.

import { serve } from "holdfast";
import { natsEngine } from "../dist/index.js";
import { openConnection } from "./nats-server.js";

const [natsPort, port, name] = process.argv.slice(2);
const engine = natsEngine({ connection: await openConnection(Number(natsPort)) });
await serve((peer) => peer.forEach((message) => void process.send?.(`${name} ${String(message)}`)), {
  host: "127.0.0.1",
  port: Number(port),
  sessions: { store: engine.sessions, durability: "message" },
});
process.send?.("listening");
process.on("disconnect", () => process.exit());
