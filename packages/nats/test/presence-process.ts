// A process with a member, for the test of presence.

import { natsEngine } from "../dist/index.js";
import { openConnection } from "./nats-server.js";

const engine = natsEngine({ connection: await openConnection(Number(process.argv[2])) });
await engine.presence.join("room", { id: "sleeper", data: { pid: process.pid } });
process.send?.("joined");
process.on("disconnect", () => process.exit());
