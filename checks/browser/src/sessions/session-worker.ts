// Runs in a dedicated or a shared worker: a stream on a persistent connection with a session. The page asks for it, and
// for its state.

import type * as browserSurface from "holdfast/browser";
import { PageStream } from "./page-stream.js";

export type Request = { readonly start: string } | { readonly stop: true } | { readonly sent: number };

let stream: PageStream | null = null;

async function answer(request: Request): Promise<unknown> {
  if ("start" in request) {
    const path = "/holdfast/browser.js"; // The site serves the library there.
    const { connectPersistent } = (await import(path)) as typeof browserSurface;
    stream = new PageStream(connectPersistent, request.start, {});
    stream.start();
    return null;
  }
  if ("stop" in request) return stream?.stop();
  return { faults: stream?.faults(request.sent), events: stream?.events };
}

function serve(port: { postMessage(message: unknown): void }, { data }: MessageEvent<Request>): void {
  answer(data).then(
    (result) => port.postMessage({ result }),
    (error: unknown) => port.postMessage({ error: String(error) }),
  );
}

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports; // In a shared worker.
  port?.addEventListener("message", (message) => serve(port, message as MessageEvent<Request>));
  port?.start();
});
addEventListener("message", (event) => serve(self, event as MessageEvent<Request>));
