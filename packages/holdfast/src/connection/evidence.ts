// Collects the evidence for `CloseInfo` when a connection ends.

import type { CloseEvidence } from "./close-info.js";
import type { Unread } from "./inbox.js";
import type { ConnectionSettings } from "./options.js";
import type { Clock } from "./ports.js";
import type { Keepalive } from "./keepalive.js";
import type { MessageTransport } from "./message-transport.js";

/** Times are monotonic. */
export interface EvidenceSources {
  readonly clock: Clock;
  readonly transport: MessageTransport;
  readonly keepalive: Keepalive;
  readonly unread: Unread;
  readonly settings: ConnectionSettings;
  readonly openedAt: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly isReadingPaused: boolean;
}

export function gatherEvidence(sources: EvidenceSources): CloseEvidence {
  const { clock, transport, keepalive, unread, settings } = sources;
  const now = clock.now();
  const wallNow = clock.wallNow();
  const epoch = (at: number | null): number | null => (at === null ? null : wallNow - (now - at));
  return {
    openedAt: epoch(sources.openedAt),
    endedAt: wallNow,
    lastReceivedAt: transport.bytesReceived === 0 ? null : epoch(transport.lastReceivedAt),
    lastSentAt: epoch(transport.lastSentAt),
    lastPingAt: epoch(keepalive.lastPingAt),
    lastPongAt: epoch(keepalive.lastPongAt),
    latency: keepalive.latencyStats,
    pingsInFlight: keepalive.pingsInFlight,
    oldestPingAge: keepalive.oldestPingAt === null ? null : now - keepalive.oldestPingAt,
    bytesReceived: transport.bytesReceived,
    bytesSent: transport.bytesSent,
    messagesReceived: sources.messagesReceived,
    messagesSent: sources.messagesSent,
    bytesBuffered: transport.unsentBytes,
    messagesUnread: unread.length,
    bytesUnread: unread.bytes,
    isReadingPaused: sources.isReadingPaused,
    longestStall: keepalive.longestGap,
    pingInterval: settings.pingInterval,
    pingTimeout: settings.pingTimeout,
  };
}
