// The option `heartbeat`, and its check. A page loads the code that uses it (heartbeat-messages.ts) on demand.

import type { Message } from "../../connection/reading/inbox.js";
import { checkBoolean, checkFunction, invalidArgument } from "../../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";

/**
 * Functions that create heartbeat messages for a server and recognise its answers. If one of them throws, the
 * connection ends, because the peer can no longer be judged.
 */
export interface HeartbeatMessages {
  /** Creates the ping with this number; the first is 0. */
  readonly ping: (number: number) => string | Uint8Array;
  /**
   * Recognises the answers to pings. Returns the number of the ping, true if the answer does not contain one
   * (then it answers the oldest unanswered ping), or false for any other message.
   */
  readonly isPong: (message: Message) => boolean | number;
  /** Whether the application receives these answers too. @default false */
  readonly showPongs?: boolean;
}

const HEARTBEAT_MESSAGES: OptionNames<HeartbeatMessages> = { ping: true, isPong: true, showPongs: true };

/** @throws InvalidArgumentError */
export function checkHeartbeatMessages(value: unknown): HeartbeatMessages | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object")
    throw invalidArgument("heartbeat", "an object with `ping` and `isPong`", value);
  checkOptionNames("`heartbeat`", value, HEARTBEAT_MESSAGES);
  const { ping, isPong, showPongs } = value as Partial<HeartbeatMessages>;
  checkFunction("heartbeat.ping", ping);
  checkFunction("heartbeat.isPong", isPong);
  checkBoolean("heartbeat.showPongs", showPongs, false);
  return value as HeartbeatMessages; // Every member has been checked.
}
