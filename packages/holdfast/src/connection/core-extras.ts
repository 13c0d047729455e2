// The state that few connections need: made on demand.

import type { FrameObserver } from "./message-transport.js";
import type { HeldMessage } from "./reading/held-message.js";
import type { Listeners } from "./listeners.js";
import type { SendTurns } from "./sending/send-turns.js";
import type { ConnectionLog } from "./log/connection-log.js";

export class CoreExtras {
  id: string | null = null;
  listeners: Listeners | null = null;
  turns: SendTurns | null = null;
  held: HeldMessage | null = null;
  /** Null without a logger, and before `start()`. */
  log: ConnectionLog | null = null;
  watcher: FrameObserver | null = null;
  failsAtOnce = false;
}

export const NO_EXTRAS: Readonly<CoreExtras> = new CoreExtras();
