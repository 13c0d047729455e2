// Sends numbered orders, and knows what became of each one (session-server.ts is the server).
//
//   npm run example -- session-client ws://localhost:8080 500

import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent, explain, NotSentError } from "holdfast";

const [url = "ws://localhost:8080", total = "500", pause = "10"] = process.argv.slice(2);

// The only client of its server may reconnect at once.
const link = connectPersistent(url, { session: true, firstDelay: 200 });
link.on("detached", ({ info }) => console.log(`detached: ${explain(info)}`));
link.on("resumed", ({ gap, replayedOut }) => {
  console.log(`resumed after ${Math.round(gap)} ms; ${replayedOut} orders are sent again`);
});
link.on("lost", ({ reason, unsent, unknown }) => {
  console.log(`session lost (${reason}): ${unsent} orders unsent, ${unknown} unknown`);
});

const outcomes = { delivered: 0, unsent: 0, unknown: 0 };
const sends: Promise<void>[] = [];
for (let number = 1; number <= Number(total); number++) {
  sends.push(order(number));
  await sleep(Number(pause));
}
await Promise.all(sends);
console.log(`${outcomes.delivered} delivered, ${outcomes.unsent} unsent, ${outcomes.unknown} unknown`);

await link.send("count");
console.log(`The server has booked ${String(await link.recv())} orders.`);
await link.close();

async function order(number: number): Promise<void> {
  try {
    await link.send(`order ${number}`, { until: "delivered" });
    outcomes.delivered++;
  } catch (error) {
    if (!(error instanceof NotSentError)) throw error;
    outcomes[error.outcome]++; // "unsent": it can be sent again. "unknown": ask the server about this number.
  }
}
