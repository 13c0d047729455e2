// The clients of the restart: `node client-program.js URL COUNT INTERVAL`. Each stays connected with
// `persist()` and sends one message per interval.

import { setTimeout as sleep } from "node:timers/promises";
import { Client, persist } from "holdfast";
import type { ClientsReport, Report } from "./messages.js";

/** Milliseconds between two clients at the start, so that they do not all connect at once. */
const RAMP = 2;

const [url = "", count = "", interval = ""] = process.argv.slice(2);
const clients = Array.from({ length: Number(count) }, () => new Client(url));
const attempts: number[] = [];
const returns: number[] = [];
const absences: number[] = [];
/** The number of clients that have been connected at least once, twice, … */
const connected: number[] = [];
let sent = 0;
let rejected = 0;
let received = 0;

process.once("message", () => void stop());
process.on("disconnect", () => process.exit());

const loops = clients.map((client, index) => stay(client, index));
const load = setInterval(send, Number(interval));

async function stay(client: Client, index: number): Promise<void> {
  await sleep(index * RAMP);
  let times = 0;
  let lostAt = 0;
  for await (const event of persist(client)) {
    switch (event.type) {
      case "connecting":
        attempts.push(event.receivedAt);
        break;
      case "ready":
        times++;
        if (times === 2) {
          returns.push(event.receivedAt);
          absences.push(event.receivedAt - lostAt);
        }
        noteConnected(times);
        break;
      case "text":
        received++;
        break;
      case "disconnected":
        if (event.info.evidence.openedAt !== null) lostAt = event.receivedAt;
        break;
      default: // Pings, polls and other events.
    }
  }
}

function noteConnected(times: number): void {
  connected[times] = (connected[times] ?? 0) + 1;
  if (connected[times] === clients.length) tell({ type: "ready", times });
}

function send(): void {
  for (const client of clients) {
    if (client.connection === null) continue;
    client.send("an order").then(
      () => sent++,
      () => rejected++,
    );
  }
}

async function stop(): Promise<void> {
  clearInterval(load);
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(loops);
  const report: ClientsReport = {
    type: "clients-report",
    sent,
    rejected,
    received,
    attempts,
    returns,
    absences,
  };
  process.send?.(report, () => process.exit());
}

function tell(report: Report): void {
  process.send?.(report);
}
