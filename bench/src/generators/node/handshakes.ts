import type { HandshakeLoad } from "../../workload.js";
import { LoadConnection, type ConnectionHandler } from "./connection.js";
import type { Report, Task } from "./task.js";
import { Window } from "./window.js";

// Close with code 1000, masked with zeros. The server answers and ends the connection (RFC 6455 section 7.1.1).
const close = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** Opens and closes connections; each one that ends is replaced by another. */
export function runHandshakes(load: HandshakeLoad, task: Task, report: (report: Report) => void): void {
  const window = new Window(task, report);
  const startedAt = new Map<LoadConnection, number>();
  const handler: ConnectionHandler = { opened, received: () => undefined, ended };
  for (let count = 0; count < load.parallel; count++) openAnother();

  function openAnother(): void {
    startedAt.set(new LoadConnection(task.port, handler), performance.now());
  }

  function opened(connection: LoadConnection): void {
    const now = performance.now();
    window.add(now - (startedAt.get(connection) ?? now));
    connection.write(close);
  }

  function ended(connection: LoadConnection): void {
    startedAt.delete(connection);
    openAnother();
  }
}
