// The messages between the demo and the far end's thread.

import type { CloseCause } from "holdfast";
import type { Sabotage } from "../sabotage.js";

/** The options of the far end. */
export interface FarEndData {
  readonly sabotage: Sabotage | null;
}

/** A command to the proxy. */
export type Order =
  | { readonly type: "delay"; readonly milliseconds: number }
  | { readonly type: "freeze" }
  | { readonly type: "thaw"; readonly direction?: "toClient" }
  /** Resets all connections. */
  | { readonly type: "cut" }
  /** Starts the counted stream: a number every `interval` milliseconds, up to `total`. */
  | { readonly type: "feed"; readonly total: number; readonly interval: number }
  | { readonly type: "close" };

export interface NumberedOrder {
  readonly number: number;
  readonly order: Order;
}

/** How a connection ended, in the server's view. */
export interface ServerEnding {
  readonly cause: CloseCause;
  readonly isOk: boolean;
  readonly message: string;
  readonly explanation: string;
  /** Epoch milliseconds. */
  readonly endedAt: number;
}

export type Report =
  | { readonly type: "ready"; readonly url: string }
  /** The command was executed; epoch milliseconds. */
  | { readonly type: "done"; readonly number: number; readonly at: number }
  /** The server's ping to the client at that path is overdue. */
  | { readonly type: "overdue"; readonly path: string; readonly elapsed: number }
  | { readonly type: "ended"; readonly path: string; readonly ending: ServerEnding };
