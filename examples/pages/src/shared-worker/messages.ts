/** A tab posts it to the worker. */
export interface TabMessage {
  readonly send: string;
}

/** The worker posts it: to a new tab through its port, and to all through the BroadcastChannel. */
export type WorkerMessage = { readonly state: string } | { readonly received: string };

export const CHANNEL = "one connection";
