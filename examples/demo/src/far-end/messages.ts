// What the story and the far end's thread say to each other.

import type { CloseCause } from "holdfast";
import type { Sabotage } from "../sabotage.js";

/** What the far end is started with. */
export interface FarEndData {
  readonly sabotage: Sabotage | null;
}

/** What the proxy is to do. */
export type Order =
  | { readonly type: "delay"; readonly milliseconds: number }
  | { readonly type: "freeze" }
  | { readonly type: "thaw"; readonly direction?: "toClient" }
  | { readonly type: "close" };

export interface NumberedOrder {
  readonly number: number;
  readonly order: Order;
}

/** How a connection ended, as the server saw it. */
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
  /** The order was carried out; epoch milliseconds. */
  | { readonly type: "done"; readonly number: number; readonly at: number }
  /** A ping of the server to the client at that path is overdue. */
  | { readonly type: "overdue"; readonly path: string; readonly elapsed: number }
  | { readonly type: "ended"; readonly path: string; readonly ending: ServerEnding };
