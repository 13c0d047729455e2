// Collects the evidence for `CloseInfo` when a connection ends.

import type { CloseEvidence } from "../close-info.js";
import type { ConnectionCore } from "../connection-core.js";
import type { Unread } from "../reading/inbox.js";
import type { MessageTransport } from "../message-transport.js";

type EvidenceSources = Pick<ConnectionCore, "keepalive" | "openedAt" | "runtime" | "settings" | "traffic">;

/** The connection's own times are monotonic. */
export function gatherEvidence(
  { keepalive, openedAt, runtime, settings, traffic }: EvidenceSources,
  transport: MessageTransport,
  unread: Unread,
  isReadingPaused: boolean,
): CloseEvidence {
  const { clock } = runtime;
  const now = clock.now();
  const wallNow = clock.wallNow();
  const { latencyStats, pingsInFlight } = keepalive;
  const epoch = (at: number | null): number | null => (at === null ? null : wallNow - (now - at));
  return {
    openedAt: epoch(openedAt),
    endedAt: wallNow,
    lastReceivedAt: transport.bytesReceived === 0 ? null : epoch(transport.lastReceivedAt),
    lastSentAt: epoch(transport.lastSentAt),
    lastPingAt: epoch(keepalive.lastPingAt),
    lastPongAt: epoch(keepalive.lastPongAt),
    // Those in flight get no answer any more.
    latency:
      pingsInFlight === 0 ? latencyStats : { ...latencyStats, lost: latencyStats.lost + pingsInFlight },
    pingsInFlight,
    oldestPingAge: keepalive.oldestPingAt === null ? null : now - keepalive.oldestPingAt,
    ...traffic,
    bytesBuffered: transport.unsentBytes,
    messagesUnread: unread.length + (unread.dropped ?? 0),
    bytesUnread: unread.bytes,
    isReadingPaused,
    isAmidMessage: transport.isReceiving ?? false,
    longestStall: keepalive.longestGap,
    pingInterval: settings.pingInterval,
    pingTimeout: settings.pingTimeout,
    ...keepalive.deadlines,
  };
}
