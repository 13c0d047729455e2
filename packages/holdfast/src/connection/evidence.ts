// The evidence of a connection's end: all that was known of it then.

import type { CloseEvidence } from "./close-info.js";
import type { Unread } from "./inbox.js";
import type { ConnectionSettings } from "./options.js";
import type { Clock } from "./ports.js";
import type { Keepalive } from "./keepalive.js";
import type { MessageTransport } from "./message-transport.js";

/** What there is to be asked. Times are monotonic. */
export interface EvidenceSources {
  readonly clock: Clock;
  readonly wire: MessageTransport;
  readonly pulse: Keepalive;
  readonly unread: Unread;
  readonly settings: ConnectionSettings;
  readonly openedAt: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly isReadingPaused: boolean;
}

export function gatherEvidence(witnesses: EvidenceSources): CloseEvidence {
  const { clock, wire, pulse, unread, settings } = witnesses;
  const now = clock.now();
  const wallNow = clock.wallNow();
  const epoch = (at: number | null): number | null => (at === null ? null : wallNow - (now - at));
  return {
    openedAt: epoch(witnesses.openedAt),
    endedAt: wallNow,
    lastReceivedAt: wire.bytesReceived === 0 ? null : epoch(wire.lastReceivedAt),
    lastSentAt: epoch(wire.lastSentAt),
    lastPingAt: epoch(pulse.lastPingAt),
    lastPongAt: epoch(pulse.lastPongAt),
    latency: pulse.latencyStats,
    pingsInFlight: pulse.pingsInFlight,
    oldestPingAge: pulse.oldestPingAt === null ? null : now - pulse.oldestPingAt,
    bytesReceived: wire.bytesReceived,
    bytesSent: wire.bytesSent,
    messagesReceived: witnesses.messagesReceived,
    messagesSent: witnesses.messagesSent,
    bytesBuffered: wire.unsentBytes,
    messagesUnread: unread.length,
    bytesUnread: unread.bytes,
    isReadingPaused: witnesses.isReadingPaused,
    longestStall: pulse.longestGap,
    pingInterval: settings.pingInterval,
    pingTimeout: settings.pingTimeout,
  };
}
