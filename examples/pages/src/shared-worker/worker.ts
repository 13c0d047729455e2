// The SharedWorker: one connection for all tabs of this origin. The browser ends the worker, and with it the connection,
// when the last tab has gone.

import { connectPersistent } from "holdfast/browser";
import { CHANNEL, type TabMessage, type WorkerMessage } from "./messages.js";

/** The part of the worker's global scope in use here: the types of workers and of pages exclude each other. */
declare const self: { onconnect: ((event: MessageEvent) => void) | null };

const link = connectPersistent("/ws");
// A channel needs no list of tabs, and nobody reports that a tab has gone.
const tabs = new BroadcastChannel(CHANNEL);
const post = (message: WorkerMessage): void => tabs.postMessage(message);

self.onconnect = ({ ports: [port] }) => {
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    link.send(data.send).catch((error: unknown) => console.error(error));
  };
  port.postMessage({ state: link.status.state } satisfies WorkerMessage);
};

link.on("status", ({ state }) => post({ state }));
await link.forEach((message) => post({ received: String(message) }));
