// The chat servers behind the front.

import type { ServerStatus } from "./protocol.js";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Backend {
  readonly address: Address;
  readonly status: ServerStatus;
}

export interface Backends {
  readonly all: readonly Backend[];
  /** Ends a process without giving it a chance (SIGKILL). Null if they run elsewhere. */
  readonly kill: ((name: string) => boolean) | null;
  close(): Promise<void>;
}

/** Servers on other machines, or in containers: `chat-1:8081,chat-2:8081`. @throws RangeError */
export function fixedBackends(list: string): Backends {
  const all = list.split(",").map((text): Backend => {
    const [, host, port] = /^\s*(.+):(\d+)\s*$/.exec(text) ?? [];
    if (host === undefined) {
      throw new RangeError(
        `Expected --servers to be a list such as chat-1:8081,chat-2:8081, got ${JSON.stringify(text)}.`,
      );
    }
    return {
      address: { host, port: Number(port) },
      status: { name: host, state: "up", pid: null, kills: 0 },
    };
  });
  return { all, kill: null, close: () => Promise.resolve() };
}
