// Explains the end of a connection to a person, and what to do about it.

import { SessionLostError } from "../../shared/session-errors.js";
import { invalidArgument } from "../../shared/option-checks.js";
import type { CloseInfo } from "../close-info.js";
import { explainCut } from "./cut.js";
import type { Explanation } from "./explanation.js";
import { explainHeartbeatTimeout } from "./heartbeat-timeout.js";
import { size } from "./measures.js";
import { explainOpenFailure } from "./open-failure.js";
import { standsFor } from "./page-codes.js";
import { explainPeerClose } from "./peer-close.js";
import { explainSessionLoss } from "./session-loss.js";
import { withoutFullStop } from "../../shared/full-stop.js";

/**
 * Explains how a connection ended: what happened, what the evidence makes likely, and what to do about it.
 *
 * @param info the value of `connection.closed`, or `info` of a `ConnectionClosed` error or a `disconnected` event
 * @returns several sentences of English, for a log or a terminal. The wording may change between versions, so decide by
 * `info.cause` and `info.code`.
 * @throws InvalidArgumentError for anything but a CloseInfo
 */
export function explain(info: CloseInfo): string {
  checkCloseInfo(info);
  const {
    happened,
    likely = [],
    advice = [],
  } = info.evidence.openedAt === null ? explainOpenFailure(info) : explainEnding(info);
  return [`${happened} (${info.message}).`, ...standsFor(info), ...likely, ...advice].join(" ");
}

/** @throws InvalidArgumentError for anything else */
export function checkCloseInfo(value: unknown): asserts value is CloseInfo {
  const { evidence } = Object(value) as { readonly evidence?: unknown };
  if (typeof evidence === "object" && evidence !== null) return;
  const expected = "a CloseInfo, as `closed` resolves with and a ConnectionClosed error has in its `info`";
  throw invalidArgument("info", expected, value);
}

function explainEnding(info: CloseInfo): Explanation {
  if (info.error instanceof SessionLostError) return explainSessionLoss(info.error);
  switch (info.cause) {
    case "local-close":
      return {
        happened: info.ok
          ? "This side closed the connection, and the peer agreed"
          : `This side closed the connection with code ${info.sent?.code ?? 1006}, and the peer agreed`,
      };
    case "peer-close":
      return explainPeerClose(info);
    case "heartbeat-timeout":
      return explainHeartbeatTimeout(info.evidence);
    case "eof":
    case "reset":
      return explainCut(info);
    case "close-timeout":
      return explainCloseTimeout(info.evidence.bytesBuffered);
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
        advice: ["Capture the traffic, and report it to the operator of the peer."],
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
        advice: [
          "Raise `maxMessageSize` if such messages are legitimate, or make the peer send smaller ones.",
        ],
      };
    case "handler-failed":
      return {
        happened: `The connection handler failed: ${reasonOf(info)}`,
        advice: ['Look for "connection handler failed" in the log, with the stack of the error.'],
      };
    case "server-shutdown":
      return { happened: "The server is shutting down and closed its connections" };
    case "aborted":
      return {
        happened:
          info.error === null
            ? "This side ended the connection at once, without a closing handshake"
            : `This side ended the connection at once: ${reasonOf(info)}`,
      };
    case "unreachable":
      return {
        happened: "There is no network route to the peer",
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

function explainCloseTimeout(bytesBuffered: number): Explanation {
  return {
    happened: "The closing handshake was not complete within closeTimeout, so the socket was destroyed",
    likely: [
      bytesBuffered > 0
        ? `${size(bytesBuffered)} were still unsent: the peer does not read, so our Close may never have reached it.`
        : "The peer did not answer the Close, or did not end its TCP connection.",
    ],
    advice: ["If peers are known to be slow, raise `closeTimeout`; otherwise look at why the peer hangs."],
  };
}

function reasonOf(info: CloseInfo): string {
  return withoutFullStop(info.error?.message ?? info.sent?.reason ?? info.message);
}
