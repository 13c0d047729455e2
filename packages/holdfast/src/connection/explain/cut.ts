// The stream of an open connection ended without a Close: a FIN or a RST.

import { describeClose } from "../../shared/close-code.js";
import { withoutFullStop } from "../../shared/full-stop.js";
import type { CloseCause, CloseEvidence, CloseInfo } from "../close-info.js";
import { joined, type Explanation, type Finding } from "./explanation.js";
import { duration } from "./measures.js";
import { codeOf } from "../../shared/code-of.js";
import { ownDelays, ownOverload } from "./own-delays.js";

export function explainCut(info: CloseInfo): Explanation {
  if (codeOf(info.error) === "ECONNABORTED") {
    return {
      happened: "The system of this machine aborted the TCP connection",
      likely: "Its network changed, or a firewall or an administrator of it ended the connection.",
      advice: "A client should reconnect.",
    };
  }
  const { cause, error, evidence, received, sent } = info;
  const other = cause === "reset" && codeOf(error) !== "ECONNRESET" ? error : null;
  const rst = other === null ? "reset (RST)" : `cut by an error (${withoutFullStop(other.message)})`;
  const how = cause === "eof" ? "ended (FIN)" : rst;
  if (received !== null && sent === null) {
    return {
      happened: `The peer closed the connection, and TCP was ${how} before this side had answered`,
      likely: `The peer did not wait for the answer. What it sent before its Close with ${describeClose(received)} has arrived.`,
    };
  }
  if (sent !== null) {
    return {
      happened: `This side closed the connection, and TCP was ${how} before the peer had answered`,
      likely:
        "The peer does not perform the closing handshake, as some servers and proxies do not, or it ended at that moment.",
      advice: "Nothing needs to be done, unless the last messages matter: they may not have arrived.",
    };
  }
  const known = amidMessage(info) ?? idleTimeout(evidence) ?? overload(evidence);
  const finding = known ?? (other === null ? outOfTheBlue(info) : { advice: LOOK_THERE });
  return { happened: `The TCP connection was ${how} without a closing handshake`, ...finding };
}

/** A proxy's idle timeout does not cut messages; null if none was arriving. */
function amidMessage({ cause, evidence }: CloseInfo): Finding | null {
  if (!evidence.isAmidMessage) return null;
  return {
    likely: `${cutter(cause)} It was amid a message, whose end is missing: only \`recvStream()\` delivers the part that arrived. In a session, the peer sends the message again.`,
    advice: LOOK_THERE,
  };
}

/** Silence without keepalive that is longer than this exceeds the idle timeouts of common proxies. */
const LONG_IDLE = 25_000;

/** The theory that a proxy forgot the idle connection; null without evidence for it. */
function idleTimeout(evidence: CloseEvidence): Finding | null {
  const { pingInterval } = evidence;
  const idle = idleTime(evidence);
  if (pingInterval === null && idle >= LONG_IDLE) {
    return {
      likely: `It had been idle for ${duration(idle)}, with keepalive off: most likely a proxy or load balancer in between has an idle timeout (nginx 60 s, HAProxy and most load balancers 30–60 s).`,
      advice:
        "Set `pingInterval` to less than half of that timeout, for example 20000 (20 s), so that the connection is never idle.",
    };
  }
  if (pingInterval === null && isFullSeconds(idle)) {
    return {
      likely: `It had been idle for ${Math.round(idle / 1000)} s to the moment, with keepalive off: a proxy or load balancer in between may have an idle timeout of that length. By chance, any other end may come at a full second, too.`,
      advice: "Set `pingInterval` to less than half of that, so that the connection is never idle.",
    };
  }
  if (pingInterval === null || !isNear(idle, pingInterval)) return null;
  const half = Math.round(pingInterval / 2);
  return {
    likely: `It had been idle for ${duration(idle)}, about as long as \`pingInterval\`: a proxy in between may have an idle timeout just below.`,
    advice: `Try a \`pingInterval\` of ${half} (${duration(half)}).`,
  };
}

/** The theory that this side did not keep up; null without evidence for it. */
function overload(evidence: CloseEvidence): Finding | null {
  if (!evidence.isReadingPaused && evidence.bytesUnread <= 64 * 1024) return null;
  return {
    likely: `${ownOverload(evidence)}, and the peer may have seen our pong late behind what it was still sending.`,
    advice:
      "Consume faster, for example by handing work to a queue of your own, or raise the peer's ping timeout.",
  };
}

function outOfTheBlue({ cause, evidence }: CloseInfo): Finding {
  return { likely: joined(cutter(cause), ownDelays(evidence)), advice: LOOK_THERE };
}

/** The theory about the cut itself. */
function cutter(cause: CloseCause): string {
  return cause === "eof"
    ? "The peer's process ended or crashed, or a proxy in between was restarted."
    : "The peer's process crashed or its host restarted, a firewall cut the connection, or the peer closed while unread data was on its way to it.";
}

const LOOK_THERE =
  "A client should reconnect; look at the peer's and the proxy's logs at that time for the reason.";

/** Milliseconds since the last byte in either direction. */
function idleTime(evidence: CloseEvidence): number {
  const last = Math.max(evidence.lastReceivedAt ?? 0, evidence.lastSentAt ?? 0, evidence.openedAt ?? 0);
  return evidence.endedAt - last;
}

/**
 * Timeouts are full seconds, and more than one. We notice them a little late, or early if they began before the last
 * bytes arrived here.
 */
function isFullSeconds(idle: number): boolean {
  return idle > 1_950 && Math.abs(idle - Math.round(idle / 1_000) * 1_000) < 50;
}

function isNear(value: number, reference: number): boolean {
  return value > reference * 0.8 && value < reference * 1.05;
}
