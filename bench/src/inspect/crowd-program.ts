// The clients: `node crowd-program.js URL CONNECTIONS MESSAGES CHURN`. MESSAGES and CHURN are per second, over all of
// them; CHURN connections end and are replaced.

import { connect, type Connection } from "holdfast";

const [url = "", connections = "0", messages = "0", churn = "0"] = process.argv.slice(2);
const AT_ONCE = 50;
const TICK = 50;

const open: Connection[] = [];
let begun = 0;
async function fill(): Promise<void> {
  while (begun < Number(connections)) {
    begun++;
    open.push(await begin());
  }
}

async function begin(): Promise<Connection> {
  const connection = await connect(`${url}/feed?token=secret`, { pingInterval: null, openTimeout: 60_000 });
  connection.discard();
  return connection;
}

await Promise.all(Array.from({ length: AT_ONCE }, fill));
process.send?.("open");

let [sent, replaced, ticks] = [0, 0, 0];
setInterval(() => {
  ticks++;
  const seconds = (ticks * TICK) / 1_000;
  while (sent < Number(messages) * seconds)
    void open[(sent++ * 7) % open.length]?.send("a message").catch(() => undefined);
  while (replaced < Number(churn) * seconds) void replace(replaced++ % open.length);
}, TICK);

async function replace(index: number): Promise<void> {
  const old = open[index];
  open[index] = await begin();
  void old?.close(1000, "replaced");
}

process.on("disconnect", () => process.exit());
