// Connects many clients to a server, in a separate process: `node crowd.js URL COUNT RATE`. They answer pings and send
// RATE messages a second together. "open" on stdout says that all of them are connected.

import { connect, type Connection } from "holdfast";

const [url = "", count = "0", rate = "0"] = process.argv.slice(2);
const PATHS = ["/chat", "/feed", "/presence?token=secret", "/rooms/lobby"];
/** Connections that are being opened at the same time. */
const AT_ONCE = 50;

const connections: Connection[] = [];
let opened = 0;
async function open(): Promise<void> {
  while (opened < Number(count)) {
    const path = PATHS[opened++ % PATHS.length] ?? "/";
    const connection = await connect(`${url}${path}`, { pingInterval: null, openTimeout: 60_000 });
    connection.discard();
    connections.push(connection);
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, open));
process.stdout.write("open\n");

const each = Number(rate) / 20;
let next = 0;
setInterval(() => {
  for (let sent = 0; sent < each; sent++)
    void connections[next++ % connections.length]?.send("a message").catch(() => undefined);
}, 50);
process.stdin.resume().on("end", () => process.exit());
