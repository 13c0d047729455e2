// A separate program: opens a connection in a worker, prints the echo of one message or the error, and does
// not exit explicitly, so that a handle that was left open keeps it alive. Arguments: a URL, and the script
// of the caller's own worker.

import { Worker } from "node:worker_threads";
import { connectInWorker } from "holdfast";

const [url, script] = process.argv.slice(2);
const worker = script === undefined ? undefined : new Worker(script);
try {
  const connection = await connectInWorker(url, { worker, openTimeout: null });
  await connection.send("hi");
  console.log(await connection.recv());
  await connection.close();
  await worker?.terminate();
} catch (error) {
  const { name, code, message, cause } = error as Error & { code?: string };
  console.log(JSON.stringify({ name, code, message, cause: (cause as { code?: string } | undefined)?.code }));
}
