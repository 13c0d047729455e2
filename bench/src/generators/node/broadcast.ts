import type { BroadcastLoad } from "../../workload.js";
import { fail, LoadConnection, type ConnectionHandler } from "./connection.js";
import { FrameRing } from "./frames.js";
import { openedAtATime } from "./idle.js";
import type { Report, Task } from "./task.js";
import { Window } from "./window.js";

/** Milliseconds that the server has to collect the garbage of its setup, which costs as much as several messages. */
const COLLECTION = 1_000;

/** One connection sends a burst. When every connection has received all of it, the next burst follows. */
export function runBroadcast(load: BroadcastLoad, task: Task, report: (report: Report) => void): void {
  const burst = new FrameRing({ payload: "binary", size: load.size, depth: load.burst }).take(0, load.burst);
  const connections: LoadConnection[] = [];
  const handler: ConnectionHandler = {
    opened,
    received,
    ended: () => fail("the server closed a connection"),
  };
  const deliveries = load.connections * load.burst;
  let window: Window | null = null;
  let left = 0;
  let sentAt = 0;
  let started = 0;
  while (started < Math.min(openedAtATime, load.connections)) openAnother();

  function openAnother(): void {
    started++;
    new LoadConnection(task.port, handler);
  }

  function opened(connection: LoadConnection): void {
    connections.push(connection);
    if (started < load.connections) openAnother();
    if (connections.length < load.connections) return;
    report({ type: "opened" });
    setTimeout(() => {
      window = new Window(task, report);
      send();
    }, COLLECTION);
  }

  function send(): void {
    left = deliveries;
    sentAt = performance.now();
    connections[0]?.write(burst);
  }

  function received(_: LoadConnection, messages: number): void {
    const elapsed = performance.now() - sentAt;
    for (let count = 0; count < messages; count++) window?.add(elapsed);
    left -= messages;
    if (left === 0) send();
  }
}
