// The port from `PersistentConnection` to its core, or, in a page that still loads the code of the core, to a `LoadingCore`.

import type { Bytes } from "../../connection/arguments.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { WaitOptions } from "../../connection/reading/readers.js";
import type { ConnectionSession } from "../../connection/session-state.js";
import type { LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { MessageSettings } from "./sender.js";

/** As the methods of the same names in `PersistentConnection`. Arguments have been checked. */
export interface PersistentControls {
  /** The open connection, from before `onOpen` to its end. */
  readonly connection: Connection | null;
  readonly sessionState: ConnectionSession | null;
  readonly latencyStats: LatencyStats;
  send(data: string | Bytes, settings: MessageSettings): Promise<void>;
  recv(options: WaitOptions): Promise<Message>;
  forEach(callback: (message: Message) => unknown, signal: AbortSignal | null): Promise<CloseInfo>;
  iterate(): AsyncIterator<Message, undefined>;
  discard(): void;
  /** The application awaits the end, so it reads no more messages. */
  expectEnd(): void;
  probe(): void;
  close(close: CloseFrame): void;
  terminate(): void;
}
