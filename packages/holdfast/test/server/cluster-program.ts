// Runs two workers on one port. One of them closes, and the other one serves all further clients. Prints the result as
// JSON.

import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { connect, serve } from "holdfast";

if (cluster.isPrimary) await watch();
else await work();

async function watch(): Promise<void> {
  const workers = [cluster.fork(), cluster.fork()];
  const ports = await Promise.all(workers.map(portOf));
  const url = `ws://127.0.0.1:${ports[0]}`;
  const both = new Set(await namesOf(url, 8)).size;
  const kept = await connect(url);
  const name = await kept.recv();
  const leaving = workers.find(({ id }) => String(id) === name);
  leaving?.send("close");
  const { code } = await kept.closed;
  if (leaving !== undefined) await once(leaving, "exit");
  const rest = new Set(await namesOf(url, 4));
  for (const worker of workers) if (worker !== leaving) worker.kill();
  const isSamePort = ports[0] === ports[1];
  console.log(JSON.stringify({ isSamePort, both, code, rest: rest.size, isOther: !rest.has(String(name)) }));
}

async function portOf(worker: Worker): Promise<number> {
  const [port] = (await once(worker, "message")) as [number];
  return port;
}

/** The workers that answer this many clients, one after the other. */
async function namesOf(url: string, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index++) {
    const connection = await connect(url);
    names.push(String(await connection.recv()));
    await connection.close();
  }
  return names;
}

async function work(): Promise<void> {
  const server = await serve((connection) => void connection.send(String(cluster.worker?.id)), {
    host: "127.0.0.1",
  });
  process.send?.(server.port);
  process.once("message", () => {
    void server.close().then(() => process.disconnect());
  });
}
