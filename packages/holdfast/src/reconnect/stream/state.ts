// The state of a client as its events tell it: a consumer that is late is told the same story as one that is not.

import type { ConnectionState } from "../../connection/connection-core.js";
import type { ClientEventType } from "../events.js";

/**
 * The state when an event of this type is delivered.
 * @param isLeaving this side has begun to end the connection
 */
export function stateAfter(
  type: ClientEventType,
  before: ConnectionState,
  isLeaving: boolean,
): ConnectionState {
  switch (type) {
    case "connecting":
    case "connected":
      return "connecting";
    case "ready":
      return isLeaving ? "closing" : "open";
    case "closing":
    case "closed":
    case "unresponsive":
      return "closing";
    case "protocolError":
      // That of an answer to the upgrade ends what never was open.
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
    case "suspended":
      return before;
  }
}
