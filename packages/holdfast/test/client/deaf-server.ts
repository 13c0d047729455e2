// A worker that listens without accepting. When the kernel's queue is full, new connections stay in the TCP phase. When
// the worker resumes, the kernel answers the next SYN, which a client sends after a second: a slow TCP handshake.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

export interface DeafServer extends AsyncDisposable {
  readonly port: number;
  /** Starts to accept connections, and answers each upgrade with 410. */
  wake(): void;
  close(): Promise<void>;
}

interface DeafServerOptions {
  readonly host?: string;
  readonly port?: number;
}

interface WorkerData extends Required<DeafServerOptions> {
  readonly wakeUp: Int32Array;
}

/** The length of the queue that it asks for. */
const BACKLOG = 1;

/** The connections that are sure to fit into the queue: on a busy machine, one of them may take a while. Linux holds one more. */
const SURE = process.platform === "linux" ? BACKLOG + 1 : 0;

/** Starts the worker and fills its queue. */
export async function startDeafServer({
  host = "127.0.0.1",
  port: wanted = 0,
}: DeafServerOptions = {}): Promise<DeafServer> {
  const wakeUp = new Int32Array(new SharedArrayBuffer(4));
  const data: WorkerData = { host, port: wanted, wakeUp };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const [port] = (await once(worker, "message")) as [number];
  const fillers: Socket[] = [];
  for (let isFull = false; !isFull;) {
    const filler = connect({ host, port }).on("error", () => undefined);
    fillers.push(filler);
    const connected = once(filler, "connect").then(() => false);
    isFull = await (fillers.length <= SURE
      ? connected
      : Promise.race([connected, sleep(50).then(() => true)]));
  }
  const close = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  };
  return {
    port,
    wake: () => {
      Atomics.store(wakeUp, 0, 1);
      Atomics.notify(wakeUp, 0);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

if (!isMainThread) {
  const { host, port, wakeUp } = workerData as WorkerData;
  const server = createServer((socket) => {
    socket.on("error", () => undefined).on("data", () => socket.end("HTTP/1.1 410 Gone\r\n\r\n"));
  });
  server.listen({ host, port, backlog: BACKLOG }, () => {
    parentPort?.postMessage((server.address() as AddressInfo).port); // It listens on TCP.
    Atomics.wait(wakeUp, 0, 0);
  });
}
