// Measures memory over ten thousand connections in a row, with `persist()`, `reconnect()` and
// `connectPersistent()`. A server accepts, sends one message and closes. Prints resident and heap memory
// before, halfway and after; judges nothing. Run with --expose-gc.

import { Client, connectPersistent, persist, reconnect, serve, type Server } from "holdfast";

const CONNECTIONS = 10_000;
const WARM_UP = 1_000;
/** No waits: the delays are not what is measured. */
const AT_ONCE = { firstDelay: 0 };

const server = await serve((connection) => connection.send("hello").then(() => undefined), {
  host: "127.0.0.1",
});
await report("persist()", server, persisting);
await report("reconnect()", server, reconnecting);
await report("connectPersistent()", server, lasting);
await server.close();

/** Calls `onConnection` for each connection, and leaves the loop when it returns false. */
type Loop = (url: string, onConnection: () => boolean) => Promise<void>;

async function persisting(url: string, onConnection: () => boolean): Promise<void> {
  for await (const event of persist(new Client(url), AT_ONCE)) {
    if (event.type === "disconnected" && !onConnection()) return;
  }
}

async function reconnecting(url: string, onConnection: () => boolean): Promise<void> {
  for await (const connection of reconnect(url, AT_ONCE)) {
    await connection.closed;
    if (!onConnection()) return;
  }
}

async function lasting(url: string, onConnection: () => boolean): Promise<void> {
  const link = connectPersistent(url, AT_ONCE);
  link.on("disconnected", () => {
    if (!onConnection()) link.terminate();
  });
  await link.forEach(() => undefined);
}

async function report(name: string, { url }: Server, loop: Loop): Promise<void> {
  console.log(`${CONNECTIONS} connections in a row by ${name}`);
  let count = 0;
  let start = 0;
  await loop(url, () => {
    count++;
    if (count === WARM_UP) start = performance.now();
    if (count >= WARM_UP && (count - WARM_UP) % (CONNECTIONS / 4) === 0) print(count - WARM_UP);
    return count < WARM_UP + CONNECTIONS;
  });
  const milliseconds = (performance.now() - start) / CONNECTIONS;
  console.log(`  ${milliseconds.toFixed(2)} ms each; left: ${process.getActiveResourcesInfo().join(", ")}`);
}

function print(count: number): void {
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const [resident, heap] = [rss, heapUsed].map((bytes) => `${(bytes / 1048576).toFixed(1)} MiB`);
  console.log(`  after ${String(count).padStart(5)}: resident ${resident}, heap ${heap}`);
}
