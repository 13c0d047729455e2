// A process with a member, for the test of presence.

import { redisEngine } from "../dist/index.js";
import { openClient, type ClientName } from "./backends.js";

const [port, client] = process.argv.slice(2);
const opened = await openClient(client as ClientName, Number(port));
const engine = redisEngine({ client: opened.client });
await engine.presence.join("room", { id: "sleeper", data: { pid: process.pid } });
process.send?.("joined");
process.on("disconnect", () => process.exit());
