// The end of an attempt that never led to an open connection: the error that tells of it, and its `CloseInfo`.

import { closeInfo, type CloseInfo } from "../connection/close-info.js";
import type { ConnectionSettings } from "../connection/options.js";
import { LatencyStatistics } from "../heartbeat/latency-statistics.js";
import { HandshakeError, HoldfastError } from "../shared/errors.js";
import { showURL } from "../shared/show-url.js";
import { errorOf, thrownText } from "../shared/thrown.js";

/** The error of an attempt that was given up on this side. */
export function abortedError(url: string | null, reason: unknown): HandshakeError {
  return new HandshakeError(
    `Opening ${url === null ? "a connection" : showURL(url)} was given up on this side`,
    {
      failure: "aborted",
      code: "ERR_HOLDFAST_ABORTED",
      cause: reason,
    },
  );
}

/** What a connector rejected with; anything but an error of this library becomes the cause of one. */
export function openingError(thrown: unknown): HoldfastError {
  const error = errorOf(thrown);
  if (error instanceof HoldfastError) return error;
  return new HandshakeError(`The connection could not be opened: ${thrownText(thrown)}`, { cause: thrown });
}

/** `evidence` says with null and 0 that there was no connection. */
export function unopenedInfo(error: HoldfastError, settings: ConnectionSettings, endedAt: number): CloseInfo {
  return closeInfo({
    // Another error than a HandshakeError is that of an option, found before anything was tried.
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
      latency: new LatencyStatistics().snapshot(),
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
      longestStall: 0,
      pingInterval: settings.pingInterval,
      pingTimeout: settings.pingTimeout,
    },
  });
}
