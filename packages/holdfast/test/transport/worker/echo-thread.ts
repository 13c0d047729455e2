// An echo server in its own thread, so that it answers while the test's thread is blocked. Started with
// `true`, it reads but never answers a ping, and notes when its client is gone.

import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { serve } from "holdfast";
import { RawServer } from "holdfast-testkit";

export interface EchoThread extends AsyncDisposable {
  readonly url: string;
  /** Blocks this thread until the client of the mute server is gone. Returns whether that happened within `ms`. */
  blockUntilGone(ms: number): boolean;
}

export async function startEchoThread(isMute = false): Promise<EchoThread> {
  const isGone = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: { isMute, isGone } });
  const [url] = (await once(worker, "message")) as [string];
  return {
    url,
    blockUntilGone: (ms) => Atomics.wait(isGone, 0, 0, ms) !== "timed-out",
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

interface Settings {
  readonly isMute: boolean;
  readonly isGone: Int32Array;
}

async function start({ isMute, isGone }: Settings): Promise<string> {
  if (isMute) {
    const server = await RawServer.start({}, async (peer) => {
      await peer.acceptUpgrade();
      peer.sendText("I answer no ping");
      await peer.ended;
      Atomics.store(isGone, 0, 1);
      Atomics.notify(isGone, 0);
    });
    return server.url();
  }
  const server = await serve((connection) => void connection.forEach((message) => connection.send(message)), {
    host: "127.0.0.1",
  });
  return server.url;
}

if (!isMainThread) parentPort?.postMessage(await start(workerData as Settings));
