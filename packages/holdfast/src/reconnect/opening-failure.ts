// The outcome of an attempt that opened no connection: its error and its `CloseInfo`.

import { closeInfo, type CloseInfo } from "../connection/close-info.js";
import type { ConnectionSettings } from "../connection/options.js";
import { noLatency } from "../heartbeat/no-latency.js";
import { HandshakeError, HoldfastError } from "../shared/errors.js";
import { showURL } from "../shared/show-url.js";
import { errorOf, thrownText } from "../shared/thrown.js";
import { withFullStop } from "../shared/full-stop.js";

/** The error of an attempt that this side aborted. */
export function abortedError(url: string | null, reason: unknown): HandshakeError {
  return new HandshakeError(
    `This side stopped before ${url === null ? "a connection" : `the connection to ${showURL(url)}`} was open.`,
    {
      failure: "aborted",
      code: "ERR_HOLDFAST_ABORTED",
      cause: reason,
    },
  );
}

/** Returns the connector's error. Wraps a value that is not an error of this library. */
export function openingError(thrown: unknown): HoldfastError {
  const error = errorOf(thrown);
  if (error instanceof HoldfastError) return error;
  return new HandshakeError(withFullStop(`The connection could not be opened: ${thrownText(thrown)}`), {
    cause: thrown,
  });
}

/** The `CloseInfo` of an attempt: `evidence` has only null and 0, since there was no connection. */
export function neverOpenedInfo(
  error: HoldfastError,
  settings: ConnectionSettings,
  endedAt: number,
): CloseInfo {
  return closeInfo({
    // Any other error concerns an option, and was thrown before the attempt did any I/O.
    cause: error instanceof HandshakeError ? error.failure : "aborted",
    error,
    received: null,
    sent: null,
    receivedFirst: false,
    evidence: {
      openedAt: null,
      endedAt,
      lastReceivedAt: null,
      lastSentAt: null,
      lastPingAt: null,
      lastPongAt: null,
      latency: noLatency(),
      pingsInFlight: 0,
      oldestPingAge: null,
      bytesReceived: 0,
      bytesSent: 0,
      messagesReceived: 0,
      messagesSent: 0,
      bytesBuffered: 0,
      messagesUnread: 0,
      bytesUnread: 0,
      isReadingPaused: false,
      isAmidMessage: false,
      longestStall: 0,
      pingInterval: settings.pingInterval,
      pingTimeout: settings.pingTimeout,
      detection: (settings.detection ?? null) === null ? "fixed" : "adaptive",
      suspectAfter: null,
      deadAfter: settings.pingTimeout,
    },
  });
}
