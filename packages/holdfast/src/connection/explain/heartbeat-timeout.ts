// Explains a verdict: the circumstances of the missing pong.

import type { CloseEvidence } from "../close-info.js";
import { joined, type Explanation } from "./explanation.js";
import { duration, size } from "./measures.js";
import { ownOverload, ownStall } from "./own-delays.js";

/** More unsent bytes than this mean that the peer does not read, or that the link is slow; unread ones, that we do not. */
const MUCH = 64 * 1024;

export function explainHeartbeatTimeout(evidence: CloseEvidence): Explanation {
  const { bytesBuffered, bytesUnread, lastReceivedAt, endedAt } = evidence;
  const pingTimeout = evidence.deadAfter ?? evidence.pingTimeout ?? 0;
  const silence = lastReceivedAt === null ? null : endedAt - lastReceivedAt;
  const isLate = silence !== null && silence < pingTimeout / 2;
  const isUnsent = bytesBuffered > MUCH;
  const unsent = `${size(bytesBuffered)} were still unsent: the peer stopped reading, or the link is too slow for what is sent over it.`;
  const isUnread = bytesUnread > MUCH;
  const late = `Bytes still arrived ${duration(silence ?? 0)} before the verdict, so the pong was late rather than lost: it may have queued behind a large transfer, or the peer does not answer pings.`;
  const silent = `Nothing was received for ${silence === null ? "the whole time" : duration(silence)}: the peer hangs, its host is gone, the network is down at either end or in between, or a middlebox dropped the connection without telling either side.`;
  return {
    happened: `The peer did not answer a ping within ${duration(pingTimeout)}${basis(evidence)}, so it was declared dead`,
    likely: joined(
      isUnsent && unsent,
      isUnread && `${ownOverload(evidence)}.`,
      isLate && late,
      ownStall(evidence),
      !isUnsent && !isUnread && !isLate && silent,
    ),
    advice: joined(
      isUnread && "Consume faster, for example by handing work to a queue of your own.",
      isLate
        ? 'Where large transfers are normal, set `liveness: "traffic"` or raise `pingTimeout`. A client should reconnect.'
        : "A client should reconnect; the network gives no further sign of such a loss.",
    ),
  };
}

/** Adaptive detection sets a deadline of its own, where it has enough samples. */
function basis({ detection, suspectAfter, latency }: CloseEvidence): string {
  if (detection === "fixed" || suspectAfter === null || latency.smoothed === null) return "";
  return ` (adaptive detection, round trip ${duration(latency.smoothed)}, suspected after ${duration(suspectAfter)})`;
}
