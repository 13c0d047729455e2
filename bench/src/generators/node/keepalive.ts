import type { KeepaliveLoad } from "../../workload.js";
import { fail, LoadConnection, type ConnectionHandler } from "./connection.js";
import type { Report, Task } from "./task.js";
import { Window } from "./window.js";

/** Opens connections evenly over an interval, and counts the received pings. */
export function runKeepalive(load: KeepaliveLoad, task: Task, report: (report: Report) => void): void {
  const startedAt = performance.now();
  let started = 0;
  let opened = 0;
  let window: Window | null = null;
  const handler: ConnectionHandler = {
    opened: () => {
      if (++opened === load.connections) window = new Window(task, report);
    },
    received: () => fail("the server sent a message without being asked"),
    pinged: () => window?.add(0),
    ended: () => fail("the server closed a connection"),
  };
  const opening = setInterval(() => {
    const due = Math.ceil(((performance.now() - startedAt) / load.interval) * load.connections);
    for (; started < Math.min(due, load.connections); started++) new LoadConnection(task.port, handler);
    if (started === load.connections) clearInterval(opening);
  }, 10);
}
