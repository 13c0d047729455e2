// Measures memory over 100,000 messages through a slow consumer, then over 2,000 short compressed
// connections. Prints resident memory before, at the peak and after; judges nothing. Run with --expose-gc.

import { setTimeout as sleep } from "node:timers/promises";
import { connect, serve, type Connection } from "holdfast";

const MESSAGES = 100_000;
const CONNECTIONS = 2_000;
const AT_ONCE = 200;

await report("100,000 messages of 1 KiB through a consumer that stops for 1 ms every 200", slowConsumer);
await report("2,000 compressed connections, 200 at a time, 20 messages each", comeAndGo);

async function slowConsumer(): Promise<void> {
  const message = "m".repeat(1024);
  const server = await serve(
    async (connection) => {
      for (let sent = 0; sent < MESSAGES; sent++) await connection.send(message);
    },
    { host: "127.0.0.1", closeTimeout: 60_000 },
  );
  const connection = await connect(server.url);
  let received = 0;
  let pauses = 0;
  connection.on("paused", () => pauses++);
  for await (const _ of connection) if (++received % 200 === 0) await sleep(1);
  const { message: end } = await connection.closed;
  console.log(`  ${received} received, reading paused ${pauses} times, ended: ${end}`);
  await server.close();
}

async function comeAndGo(): Promise<void> {
  const options = { compression: true, host: "127.0.0.1" };
  const server = await serve(
    (connection) => connection.forEach((message) => connection.send(message)),
    options,
  );
  for (let opened = 0; opened < CONNECTIONS; opened += AT_ONCE) {
    const batch = await Promise.all(Array.from({ length: AT_ONCE }, () => connect(server.url, options)));
    await Promise.all(batch.map(talk));
    await Promise.all(batch.map((connection) => connection.close()));
  }
  await server.close();
  console.log(`  connections left at the server: ${server.connections.size}`);
}

async function talk(connection: Connection): Promise<void> {
  for (let index = 0; index < 20; index++) {
    await connection.send(JSON.stringify({ index, text: "compress me ".repeat(100) }));
    await connection.recv();
  }
}

async function report(title: string, work: () => Promise<void>): Promise<void> {
  const before = settledMemory();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const start = performance.now();
  console.log(title);
  await work();
  clearInterval(watch);
  await sleep(500);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const [first, highest, last] = [before, peak, settledMemory()].map(
    (bytes) => `${(bytes / 1048576).toFixed(0)} MiB`,
  );
  console.log(`  resident: ${first} before, ${highest} at the peak, ${last} after; ${seconds} s`);
}

function settledMemory(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
