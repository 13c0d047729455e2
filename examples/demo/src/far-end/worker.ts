// The far end: an echo server and the proxy in front of it, in their own thread.

import { parentPort, workerData } from "node:worker_threads";
import { explain, serve, type ServerConnection } from "holdfast";
import { FaultProxy } from "holdfast-testkit";
import { Feed } from "./feed.js";
import { DISTANCE, SERVER } from "../timings.js";
import type { FarEndData, NumberedOrder, Order, Report } from "./messages.js";

const { sabotage } = workerData as FarEndData; // FarEnd.start() passes an object of this type.

const feed = new Feed();
const server = await serve(welcome, { host: "127.0.0.1", ...SERVER, sessions: sabotage !== "session" });
const proxy = await FaultProxy.start({ target: { port: server.port } });
proxy.delay(DISTANCE);

parentPort?.on("message", ({ number, order }: NumberedOrder) => {
  void carryOut(order).then(() => {
    report({ type: "done", number, at: Date.now() });
    if (order.type === "close") parentPort?.close();
  });
});
report({ type: "ready", url: proxy.url("ws", "") });

async function welcome(connection: ServerConnection): Promise<void> {
  const path = connection.request.target;
  if (path.startsWith("/counted/")) return feed.serve(connection, path);
  connection.on("overdue", ({ elapsed }) => report({ type: "overdue", path, elapsed }));
  const info = await connection.forEach((message) =>
    sabotage === "echo" ? undefined : connection.send(message),
  );
  const { cause, ok: isOk, message, evidence } = info;
  const ending = { cause, isOk, message, explanation: explain(info), endedAt: evidence.endedAt };
  report({ type: "ended", path, ending });
}

async function carryOut(order: Order): Promise<void> {
  if (order.type === sabotage) return;
  switch (order.type) {
    case "delay":
      proxy.delay(order.milliseconds);
      break;
    case "freeze":
      proxy.freeze();
      break;
    case "thaw":
      proxy.thaw(order.direction);
      break;
    case "cut":
      proxy.cut({ kind: "rst" });
      break;
    case "feed":
      feed.start(order.total, order.interval);
      break;
    case "close":
      await proxy.close();
      await server.close({ timeout: 500 });
  }
}

function report(message: Report): void {
  parentPort?.postMessage(message);
}
