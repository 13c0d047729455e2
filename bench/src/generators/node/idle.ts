import type { IdleLoad } from "../../workload.js";
import { fail, LoadConnection, type ConnectionHandler } from "./connection.js";
import { FrameRing } from "./frames.js";
import type { Report, Task } from "./task.js";

/** More at once would overflow the queue of connections that the server has not accepted yet. */
export const openedAtATime = 256;

/** Opens connections, exchanges one message on each, and keeps them open. */
export function runIdle(load: IdleLoad, task: Task, report: (report: Report) => void): void {
  const message = new FrameRing({ payload: "binary", size: 64, depth: 1 }).take(0, 1);
  const handler: ConnectionHandler = {
    opened,
    received,
    ended: () => fail("the server closed a connection"),
  };
  let started = 0;
  let finished = 0;
  while (started < Math.min(openedAtATime, load.connections)) openAnother();

  function openAnother(): void {
    started++;
    new LoadConnection(task.port, handler);
  }

  function opened(connection: LoadConnection): void {
    connection.write(message);
  }

  function received(): void {
    finished++;
    if (started < load.connections) openAnother();
    else if (finished === load.connections) report({ type: "idle" });
  }
}
