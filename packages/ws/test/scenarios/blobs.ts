// Blobs, which take time to read.

import type { Library, Scenario, Stage } from "../trace.js";
import { pair, sent } from "./messages.js";

/** A Blob whose reading the scenario ends. */
class PendingBlob extends Blob {
  finish: (content: ArrayBuffer) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;
  readonly #content = new Promise<ArrayBuffer>((resolve, reject) => {
    this.finish = resolve;
    this.fail = reject;
  });

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#content;
  }
}

/** Ends the connection while `blob` is read and another message waits for it. */
async function endedMeanwhile(library: Library, stage: Stage, blob: Blob): Promise<void> {
  const [client] = await pair(library, stage);
  const closed = stage.watch(client);
  client.send(blob, (error) => stage.note("blob", error?.message, client.readyState));
  client.send("next", (error) => stage.note("next", error?.message));
  client.terminate();
  await closed;
}

export const blobScenarios: Readonly<Record<string, Scenario>> = {
  Blobs: sent((client) => {
    client.send(new Blob(["foo"]));
    client.send("between");
    client.ping("ping");
    client.send(new Blob(["bar"]));
  }),
  "a Blob that is read after the end": async (library, stage) => {
    const blob = new PendingBlob();
    await endedMeanwhile(library, stage, blob);
    blob.finish(new ArrayBuffer(3));
    await new Promise(setImmediate);
  },
  "a Blob that turns out to be unreadable after the end": async (library, stage) => {
    const blob = new PendingBlob();
    await endedMeanwhile(library, stage, blob);
    blob.fail(new DOMException("The blob could not be read", "NotReadableError"));
    await new Promise(setImmediate);
  },
};
