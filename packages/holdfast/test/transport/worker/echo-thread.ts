// An echo server in its own thread, so that it answers while the test's thread is blocked. Started with
// `true`, it reads but never answers a ping.

import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { serve } from "holdfast";
import { RawServer } from "holdfast-testkit";

export async function startEchoThread(isMute = false): Promise<{ url: string } & AsyncDisposable> {
  const worker = new Worker(new URL(import.meta.url), { workerData: isMute });
  const [url] = (await once(worker, "message")) as [string];
  return {
    url,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

async function start(isMute: boolean): Promise<string> {
  if (isMute) {
    const server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
      peer.sendText("I answer no ping");
    });
    return server.url();
  }
  const server = await serve((connection) => void connection.forEach((message) => connection.send(message)), {
    host: "127.0.0.1",
  });
  return server.url;
}

if (!isMainThread) parentPort?.postMessage(await start(workerData as boolean));
