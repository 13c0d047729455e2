// Runs three workers on the Unix socket whose path is the argument. Prints how each started, and whether one answers.

import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { connect, serve } from "../../build/index.js";

const path = process.argv[2] ?? "";

if (cluster.isPrimary) await watch();
else await work();

async function watch(): Promise<void> {
  const workers = [1, 2, 3].map(() => cluster.fork());
  const starts = await Promise.all(workers.map(startOf));
  const connection = await connect(`ws+unix:${path}`);
  console.log(`${starts.join(", ")}; ${String(await connection.recv())}`);
  await connection.close();
  for (const worker of workers) worker.kill();
}

async function startOf(worker: Worker): Promise<string> {
  const [start] = (await once(worker, "message")) as [string];
  return start;
}

async function work(): Promise<void> {
  const start = await serve((connection) => void connection.send("answered"), { path }).then(
    () => "listening",
    (error: unknown) => String(error),
  );
  process.send?.(start);
}
