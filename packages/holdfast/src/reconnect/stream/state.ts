// The state of a client, derived from the delivered events: slow consumers see the same states as fast ones.

import type { ConnectionState } from "../../connection/connection-core.js";
import type { ClientEventType } from "../events.js";

/**
 * Returns the state after an event of this type is delivered.
 * @param isClosing whether this side has started to end the connection
 */
export function stateAfter(
  type: ClientEventType,
  before: ConnectionState,
  isClosing: boolean,
): ConnectionState {
  switch (type) {
    case "connecting":
    case "connected":
      return "connecting";
    case "ready":
      return isClosing ? "closing" : "open";
    case "closing":
    case "closed":
    case "unresponsive":
      return "closing";
    case "protocolError":
      // An invalid answer to the upgrade: the connection never opened.
      return before === "connecting" ? "closed" : "closing";
    case "connectFail":
    case "rejected":
    case "disconnected":
    case "backOff":
      return "closed";
    case "text":
    case "binary":
    case "ping":
    case "pong":
    case "poll":
    case "suspect":
    case "suspended":
      return before;
  }
}
