// What a person should know and do about a connection's end.

import type { CloseEvidence, CloseInfo } from "./close-info.js";

/**
 * Explains how a connection ended: what happened, what the evidence makes likely, and what to do about it.
 * Several sentences of English, for a log or a terminal.
 */
export function explain(info: CloseInfo): string {
  const { happened, likely, advice } = explanationOf(info);
  return [`${happened} (${info.message}).`, ...likely, ...advice].join(" ");
}

interface Explanation {
  readonly happened: string;
  readonly likely: readonly string[];
  readonly advice: readonly string[];
}

function explanationOf(info: CloseInfo): Explanation {
  const { evidence } = info;
  if (evidence.openedAt === null) return explainOpenFailure(info);
  switch (info.cause) {
    case "local-close":
      return info.ok
        ? plain("This side closed the connection, and the peer agreed")
        : plain(`This side closed the connection with code ${info.sent?.code ?? 1006}, and the peer agreed`);
    case "peer-close":
      return explainPeerClose(info);
    case "heartbeat-timeout":
      return explainHeartbeatTimeout(evidence);
    case "eof":
    case "reset":
      return explainCut(info);
    case "close-timeout":
      return {
        happened:
          "The closing handshake did not come to its end within closeTimeout, so the socket was destroyed",
        likely: [
          evidence.bytesBuffered > 0
            ? `${bytes(evidence.bytesBuffered)} were still unsent: the peer does not read, so our Close may never have reached it.`
            : "The peer did not answer the Close, or did not end its TCP connection.",
        ],
        advice: [
          "If peers are known to be slow, raise `closeTimeout`; otherwise look at why the peer hangs.",
        ],
      };
    case "write-failed":
      return {
        happened: "Writing to the socket failed",
        likely: ["The peer or a proxy had ended the connection already."],
        advice: ["Reconnect; what was sent last may not have arrived."],
      };
    case "protocol-error":
      return {
        happened: `The peer broke the WebSocket protocol: ${reasonOf(info)}`,
        likely: ["It has a defect, or something in between changes the bytes."],
        advice: ["Capture the traffic, and report it to whoever runs the peer."],
      };
    case "invalid-data":
      return {
        happened: `The peer sent text that is not UTF-8: ${reasonOf(info)}`,
        likely: ["It sends binary data, or text in another encoding, as a text message."],
        advice: ["Make the peer send binary messages, or encode its text as UTF-8."],
      };
    case "message-too-big":
      return {
        happened: `The peer sent a message over the limit: ${reasonOf(info)}`,
        likely: [],
        advice: [
          "Raise `maxMessageSize` if such messages are legitimate, or make the peer send smaller ones.",
        ],
      };
    case "handler-failed":
      return {
        happened: `The connection handler failed: ${reasonOf(info)}`,
        likely: [],
        advice: ['Look for "connection handler failed" in the log, with the stack of the error.'],
      };
    case "server-shutdown":
      return plain("The server is shutting down and closed its connections");
    case "aborted":
      return plain("This side ended the connection at once, without a closing handshake");
    case "unreachable":
      return {
        happened: "The network has no way to the peer",
        likely: ["The peer's host, a router or this machine's own link is down."],
        advice: ["Check the network; a client should reconnect with growing delays."],
      };
    case "dns":
    case "open-timeout":
    case "proxy":
    case "refused":
    case "rejected":
    case "tls":
    case "invalid-handshake":
      return explainOpenFailure(info);
  }
}

function explainPeerClose(info: CloseInfo): Explanation {
  switch (info.code) {
    case 1000:
    case 1005:
      return plain("The peer closed the connection, as it should");
    case 1001:
      return {
        happened: "The peer is going away",
        likely: ["A server shuts down, or a page was left."],
        advice: ["A client that wants to stay connected should reconnect."],
      };
    case 1002:
    case 1007:
      return {
        happened: "The peer says that this side broke the protocol",
        likely: ["Its reason, if it gave one, tells how."],
        advice: ["Please report this with a capture of the traffic: Holdfast should not be able to."],
      };
    case 1008:
      return {
        happened: "The peer closed the connection for a reason of policy",
        likely: ["Credentials expired, a rate limit was hit, or a message was not welcome."],
        advice: ["See the peer's documentation before reconnecting: doing it at once may make things worse."],
      };
    case 1009:
      return {
        happened: "The peer would not take a message of this size",
        likely: [],
        advice: ["Send smaller messages, or raise the limit at the peer."],
      };
    case 1011:
      return {
        happened: info.reason.includes("ping timeout")
          ? "The peer declared this side dead, because it saw no pong in time"
          : "The peer failed with an internal error",
        likely: info.reason.includes("ping timeout") ? ourOwnDelays(info.evidence) : [],
        advice: ["Reconnect with growing delays."],
      };
    case 1012:
    case 1013:
      return {
        happened: "The peer restarts, or has too much to do",
        likely: [],
        advice: ["Reconnect later, after a random delay, so that not everybody returns at once."],
      };
    default:
      return plain(`The peer closed the connection with code ${info.code}`);
  }
}

function explainHeartbeatTimeout(evidence: CloseEvidence): Explanation {
  const silence = evidence.lastReceivedAt === null ? null : evidence.endedAt - evidence.lastReceivedAt;
  const likely: string[] = [];
  if (evidence.bytesBuffered > 64 * 1024) {
    likely.push(
      `${bytes(evidence.bytesBuffered)} were still unsent: the peer stopped reading, or the link is too slow for what is sent over it.`,
    );
  }
  if (silence !== null && silence < (evidence.pingTimeout ?? Infinity) / 2) {
    likely.push(
      `Bytes still arrived ${milliseconds(silence)} before the verdict, so the pong was late rather than lost: it may have queued behind a large transfer, or the peer does not answer pings.`,
    );
  } else if (likely.length === 0) {
    likely.push(
      `Nothing was received for ${silence === null ? "the whole time" : milliseconds(silence)}: the peer hangs, its host or its network is gone, or a middlebox dropped the connection without telling either side.`,
    );
  }
  const isLateOnOverload = silence !== null && silence < (evidence.pingTimeout ?? Infinity) / 2;
  return {
    happened: `The peer did not answer a ping within ${evidence.pingTimeout ?? 0} ms, so it was declared dead`,
    likely,
    advice: [
      isLateOnOverload
        ? 'Where large transfers are normal, set `liveness: "traffic"` or raise `pingTimeout`; otherwise reconnect.'
        : "Reconnect; the network gives no further sign of such a loss.",
    ],
  };
}

/** The stream ended without a Close: a FIN or a RST. */
function explainCut(info: CloseInfo): Explanation {
  const { evidence } = info;
  const how =
    info.cause === "eof" ? "The TCP connection was ended (FIN)" : "The TCP connection was reset (RST)";
  const idle = idleTime(evidence);
  const likely: string[] = [];
  const advice: string[] = [];
  if (evidence.openedAt !== null && evidence.pingInterval === null && idle >= 25_000) {
    likely.push(
      `It had been idle for ${milliseconds(idle)}, with keepalive off: most likely a proxy or load balancer in between has an idle timeout (nginx 60 s, HAProxy and most load balancers 30–60 s).`,
    );
    advice.push(
      "Set `pingInterval` to less than half of that timeout, for example 20 000, so that the connection is never idle.",
    );
  } else if (evidence.openedAt !== null && evidence.pingInterval === null && isWholeSeconds(idle)) {
    likely.push(
      `It had been idle for ${Math.round(idle / 1000)} s to the moment, with keepalive off: such are timeouts, so a proxy or load balancer in between probably has an idle timeout of that length.`,
    );
    advice.push("Set `pingInterval` to less than half of that, so that the connection is never idle.");
  } else if (
    evidence.openedAt !== null &&
    evidence.pingInterval !== null &&
    isNear(idle, evidence.pingInterval)
  ) {
    likely.push(
      `It had been idle for ${milliseconds(idle)}, about as long as \`pingInterval\`: a proxy in between may have an idle timeout just below.`,
    );
    advice.push(`Try a \`pingInterval\` of ${Math.round(evidence.pingInterval / 2)}.`);
  } else if (evidence.isReadingPaused || evidence.bytesUnread > 64 * 1024) {
    likely.push(
      `${bytes(evidence.bytesUnread)} in ${evidence.messagesUnread} messages waited to be read here: this side was overloaded, and the peer may have seen our pong late behind what it was still sending.`,
    );
    advice.push(
      "Consume faster, for example by handing work to a queue of your own, or raise the peer's ping timeout.",
    );
  } else {
    likely.push(
      info.cause === "eof"
        ? "The peer's process ended or crashed, or a proxy in between was restarted."
        : "The peer's process crashed or its host restarted, a firewall cut the connection, or the peer closed while unread data was on its way to it.",
      ...ourOwnDelays(evidence),
    );
    advice.push("Reconnect; look at the peer's and the proxy's logs at that time for the reason.");
  }
  return { happened: `${how} without a closing handshake`, likely, advice };
}

function explainOpenFailure(info: CloseInfo): Explanation {
  const detail = info.error === null ? "" : `: ${info.error.message.replace(/\.$/, "")}`;
  switch (info.cause) {
    case "dns":
      return {
        happened: `The host name could not be resolved${detail}`,
        likely: ["It is misspelt, or the name server cannot be reached."],
        advice: ["Check the URL and the network."],
      };
    case "refused":
      return {
        happened: `Nothing listens at that address${detail}`,
        likely: ["The server is down or restarting, or the port is wrong."],
        advice: ["Try again later; check the port."],
      };
    case "tls":
      return {
        happened: `The TLS handshake failed${detail}`,
        likely: [
          "The certificate is not valid for this name, expired, or from an authority that is not trusted here.",
        ],
        advice: ["Mend the certificate, or name its authority in `ca`; trying again does not help."],
      };
    case "open-timeout":
      return {
        happened: `The connection was not open within openTimeout${detail}`,
        likely: ["The host is down or overloaded, or a firewall drops the packets."],
        advice: ["Try again later, or raise `openTimeout`."],
      };
    case "proxy":
      return {
        happened: `The proxy could not be used${detail}`,
        likely: ["It is down, wants other credentials, or opens no tunnels to this host and port."],
        advice: [
          "Check the option `proxy`, or the variables `https_proxy` and `no_proxy`; `status` and `body` of the error are what the proxy said.",
        ],
      };
    case "rejected":
      return {
        happened: `The server refused the upgrade${detail}`,
        likely: ["The path or the credentials are wrong, or the server limits connections."],
        advice: ["See status, headers and body of the error."],
      };
    case "eof":
    case "reset":
      return {
        happened: `The connection was cut before it was open${detail}`,
        likely: ["The server is restarting or overloaded, or what listens there is no WebSocket server."],
        advice: ["Try again later; check the port and the path."],
      };
    case "unreachable":
      return {
        happened: `The network has no way to the server${detail}`,
        likely: ["Its host, a router or this machine's own link is down."],
        advice: ["Check the network, and try again with growing delays."],
      };
    case "aborted":
      return {
        happened: `This side gave up before the connection was open${detail}`,
        likely: [],
        advice: [],
      };
    default:
      return {
        happened: `The connection could not be opened${detail}`,
        likely: [],
        advice: ["See the error for details."],
      };
  }
}

function plain(happened: string): Explanation {
  return { happened, likely: [], advice: [] };
}

/** What this side may have done to be thought dead. */
function ourOwnDelays(evidence: CloseEvidence): readonly string[] {
  const delays: string[] = [];
  if (evidence.longestStall > 0) {
    delays.push(
      `This process did not run for ${milliseconds(evidence.longestStall)} at a time (a blocked event loop, or a sleeping machine).`,
    );
  }
  if (evidence.isReadingPaused) {
    delays.push(
      `Reading was paused with ${bytes(evidence.bytesUnread)} unread, so the pong went out late: this side was overloaded.`,
    );
  }
  return delays;
}

/** Milliseconds since bytes last travelled in either direction. */
function idleTime(evidence: CloseEvidence): number {
  const last = Math.max(evidence.lastReceivedAt ?? 0, evidence.lastSentAt ?? 0, evidence.openedAt ?? 0);
  return evidence.endedAt - last;
}

/** As timeouts are. They are seen a little late; and early, where they began before the last bytes got here. */
function isWholeSeconds(duration: number): boolean {
  return duration > 950 && Math.abs(duration - Math.round(duration / 1000) * 1000) < 50;
}

function isNear(value: number, reference: number): boolean {
  return value > reference * 0.8 && value < reference * 1.05;
}

function reasonOf(info: CloseInfo): string {
  return info.error?.message ?? info.sent?.reason ?? info.message;
}

function milliseconds(duration: number): string {
  return duration < 1000 ? `${Math.round(duration)} ms` : `${Number((duration / 1000).toFixed(1))} s`;
}

function bytes(count: number): string {
  if (count < 1024) return `${count} bytes`;
  if (count < 1024 * 1024) return `${Math.round(count / 1024)} KB`;
  return `${Number((count / 1024 / 1024).toFixed(1))} MB`;
}
