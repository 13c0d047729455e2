// A worker that listens and never accepts: once the kernel's queue is full, a connection stays in its TCP phase.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

/** Starts the worker and fills its queue. */
export async function startDeafServer(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const worker = new Worker(new URL(import.meta.url));
  const [port] = (await once(worker, "message")) as [number];
  const fillers: Socket[] = [];
  for (let isFull = false; !isFull;) {
    const filler = connect({ host: "127.0.0.1", port }).on("error", () => undefined);
    fillers.push(filler);
    isFull = await Promise.race([once(filler, "connect").then(() => false), sleep(50).then(() => true)]);
  }
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

if (!isMainThread) {
  const server = createServer();
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    parentPort?.postMessage((server.address() as AddressInfo).port); // It listens on TCP.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
