// Measures memory over a million pings on one connection, a hundred in flight at a time, answered by a server
// in the same process. Prints resident and heap memory; judges nothing. Run with --expose-gc.

import { connect, serve, type Connection } from "holdfast";

const PINGS = 1_000_000;
const IN_FLIGHT = 100;

const server = await serve((connection) => connection.closed, { host: "127.0.0.1" });
const connection = await connect(server.url);
await ping(connection, PINGS / 20); // Warms up.
console.log(`${PINGS} pings, ${IN_FLIGHT} in flight`);
const start = performance.now();
for (let quarter = 0; quarter <= 4; quarter++) {
  if (quarter > 0) await ping(connection, PINGS / 4);
  print((quarter * PINGS) / 4);
}
const microseconds = ((performance.now() - start) * 1000) / PINGS;
const { p50, p99, sent, answered, lost } = connection.latencyStats;
console.log(`  ${microseconds.toFixed(1)} µs each; p50 ${p50?.toFixed(2)} ms, p99 ${p99?.toFixed(2)} ms`);
console.log(`  sent ${sent}, answered ${answered}, lost ${lost}`);
await connection.close();
await server.close();

async function ping(peer: Connection, count: number): Promise<void> {
  for (let done = 0; done < count; done += IN_FLIGHT) {
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => peer.ping()));
  }
}

function print(count: number): void {
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const [resident, heap] = [rss, heapUsed].map((bytes) => `${(bytes / 1048576).toFixed(1)} MiB`);
  console.log(`  after ${String(count).padStart(7)}: resident ${resident}, heap ${heap}`);
}
