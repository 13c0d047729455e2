// A server of the restart: `node server-program.js PORT INTERVAL`. It broadcasts once per interval, counts
// received messages, and ends on request. If its predecessor still has the port, it waits until the port is
// free.

import { setTimeout as sleep } from "node:timers/promises";
import { serve, type Server } from "holdfast";
import type { CloseRequest, Report } from "./messages.js";

const [port = 0, interval = 0] = process.argv.slice(2).map(Number);
let sent = 0;
let received = 0;

const server = await takeOver();
const ticker = setInterval(() => {
  sent += server.broadcast(`{"price":${Math.random()}}`).sent;
}, interval);
tell({ type: "listening" });

process.on("message", (request: CloseRequest) => void end(request));
process.on("disconnect", () => process.exit());

async function takeOver(): Promise<Server> {
  for (;;) {
    try {
      return await serve((connection) => connection.forEach(countMessage), {
        host: "127.0.0.1",
        port,
      });
    } catch (error) {
      const { code } = Object((error as Error).cause) as { readonly code?: unknown };
      if (code !== "EADDRINUSE") throw error;
      await sleep(20);
    }
  }
}

function countMessage(): void {
  received++;
}

async function end({ code, spread }: CloseRequest): Promise<void> {
  await server.close({ code, spread });
  clearInterval(ticker);
  tell({ type: "server-report", sent, received });
}

function tell(report: Report): void {
  process.send?.(report);
}
