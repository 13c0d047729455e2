// Explains the end of a connection to a person, and what to do about it.

import { HandshakeError, HoldfastError } from "../../shared/errors.js";
import { SessionLostError } from "../../shared/session-errors.js";
import { invalidArgument } from "../../shared/option-checks.js";
import { describeClose, NO_STATUS } from "../../shared/close-code.js";
import type { CloseEvidence, CloseInfo } from "../close-info.js";
import { ConnectionClosed } from "../errors.js";
import { codeOf } from "../../shared/code-of.js";
import { explainCut } from "./cut.js";
import { joined, sentences, type ExplainOpening, type Explanation, type Finding } from "./explanation.js";
import { explainHeartbeatTimeout } from "./heartbeat-timeout.js";
import { duration, size } from "./measures.js";
import { standsFor } from "./page-codes.js";
import { explainPeerClose } from "./peer-close.js";
import { explainSessionLoss } from "./session-loss.js";
import { withFullStop, withoutFullStop } from "../../shared/full-stop.js";

/** @param explainOpening explains a connection that did not open */
export function explainEnd(ended: CloseInfo | HoldfastError, explainOpening: ExplainOpening): string {
  if (ended instanceof HandshakeError) return sentences(explainOpening(ended.failure, ended), null);
  const info = ended instanceof ConnectionClosed ? ended.info : ended;
  if (info instanceof HoldfastError) return withFullStop(info.message);
  checkCloseInfo(info);
  const wasOpen = info.evidence.openedAt !== null;
  const explanation = wasOpen ? explainEnding(info, explainOpening) : explainOpening(info.cause, info.error);
  return sentences({ ...explanation, likely: joined(standsFor(info), explanation.likely) }, info.message);
}

/** @throws InvalidArgumentError for anything else */
function checkCloseInfo(value: unknown): asserts value is CloseInfo {
  const { evidence } = Object(value) as { readonly evidence?: unknown };
  if (typeof evidence === "object" && evidence !== null) return;
  const expected = "a CloseInfo, as `closed` resolves with, or an error of this library";
  throw invalidArgument("ended", expected, value);
}

function explainEnding(info: CloseInfo, explainOpening: ExplainOpening): Explanation {
  if (info.error instanceof SessionLostError) return explainSessionLoss(info.error);
  switch (info.cause) {
    case "local-close":
      return explainLocalClose(info);
    case "peer-close":
      return explainPeerClose(info);
    case "heartbeat-timeout":
      return explainHeartbeatTimeout(info.evidence);
    case "eof":
    case "reset":
      return explainCut(info);
    case "close-timeout":
      return explainCloseTimeout(info);
    case "write-failed":
      return {
        happened: "Writing to the socket failed",
        likely: joined("The peer or a proxy had ended the connection already.", unreadClose(info.evidence)),
        advice: "A client should reconnect; what was sent last may not have arrived.",
      };
    case "protocol-error":
      return {
        happened: `The peer broke the WebSocket protocol: ${reasonOf(info)}`,
        likely: "It has a defect, or something in between changes the bytes.",
        advice: "Capture the traffic, and report it to the operator of the peer.",
      };
    case "invalid-data":
      return explainInvalidData(info);
    case "message-too-big":
      return explainTooBig(reasonOf(info));
    case "handler-failed":
      return {
        happened: `The connection handler failed: ${reasonOf(info)}`,
        likely: unanswered(info),
        advice: 'Look for "connection handler failed" in the log, with the stack of the error.',
      };
    case "server-shutdown":
      return { happened: "The server is shutting down and closed its connections", likely: unanswered(info) };
    case "aborted":
      return {
        happened:
          info.error === null
            ? "This side ended the connection at once, without a closing handshake"
            : `This side ended the connection at once: ${reasonOf(info)}`,
      };
    case "unreachable":
      return {
        happened:
          codeOf(info.error) === "ETIMEDOUT"
            ? "The peer's host stopped acknowledging what this side sent, so the system gave up"
            : "There is no network route to the peer",
        likely: "The peer's host, a router or this machine's own link is down.",
        advice: "Check the network; a client should reconnect with growing delays.",
      };
    case "tls":
      return explainBrokenTls(info);
    case "dns":
    case "open-timeout":
    case "proxy":
    case "refused":
    case "rejected":
    case "invalid-handshake":
      return explainOpening(info.cause, info.error);
  }
}

function explainTooBig(reason: string): Explanation {
  // In a page, which cannot make the peer wait. The reason contains the advice.
  if (reason.includes("`maxQueue`"))
    return { happened: `The application reads more slowly than the peer sends: ${reason}` };
  return {
    happened: `The peer sent a message over the limit: ${reason}`,
    advice: "Raise `maxMessageSize` if such messages are legitimate, or make the peer send smaller ones.",
  };
}

/** TLS failed after its handshake. */
function explainBrokenTls(info: CloseInfo): Explanation {
  const code = codeOf(info.error);
  const happened = `TLS failed while the connection was open: ${typeof code === "string" ? code : reasonOf(info)}`;
  if (code === "ERR_TLS_SESSION_ATTACK") {
    return {
      happened,
      likely: "The peer renegotiated TLS more often than Node.js allows (`tls.CLIENT_RENEG_LIMIT`).",
    };
  }
  return {
    happened,
    likely:
      "A proxy or a device in between changed the bytes or inserted some, or one side's TLS is defective. A code with ALERT means that the peer noticed it.",
    advice: "A client should reconnect; if it happens again, look for what lies in between.",
  };
}

function explainLocalClose(info: CloseInfo): Explanation {
  const { error, ok, sent, received, evidence } = info;
  if (error !== null) {
    return { happened: `This side closed the connection: ${reasonOf(info)}`, likely: unanswered(info) };
  }
  const own = sent === null || ok ? "" : ` with code ${sent.code}`;
  const agrees = ok || received?.code === sent?.code;
  const wait = evidence.endedAt - (evidence.lastReceivedAt ?? evidence.endedAt);
  const answer = agrees ? "agreed" : `answered with ${describeClose(received ?? NO_STATUS)}`;
  return {
    happened: `This side closed the connection${own}, and the peer ${answer}`,
    likely: !agrees
      ? "Both may have closed at the same time, or the peer failed while it was closing."
      : wait >= LONG_WAIT
        ? `It left TCP open after its Close, and this side waited ${duration(wait)} for its end, at most closeTimeout.`
        : undefined,
  };
}

/** Milliseconds. */
const LONG_WAIT = 1_000;

/** Undefined if the peer has sent a Close. */
function unanswered({ received, sent }: CloseInfo): string | undefined {
  return received === null && sent !== null ? "The peer did not answer the Close." : undefined;
}

function explainCloseTimeout({ received, receivedFirst, evidence }: CloseInfo): Explanation {
  return {
    happened: "The closing handshake was not complete within closeTimeout, so the socket was destroyed",
    likely:
      (received === null && unreadClose(evidence)) ||
      missingStep(received !== null, receivedFirst, evidence.bytesBuffered),
    advice: "If peers are known to be slow, raise `closeTimeout`; otherwise look at why the peer hangs.",
  };
}

/** A Close of the peer comes after what a slow reader has not taken. */
function unreadClose({ isReadingPaused, bytesUnread, messagesUnread }: CloseEvidence): string | false {
  const what = `${size(bytesUnread)} in ${messagesUnread} messages unread`;
  return (
    isReadingPaused && `Reading was paused here, with ${what}: a Close of the peer may wait behind them.`
  );
}

function missingStep(hasReceived: boolean, receivedFirst: boolean, bytesBuffered: number): string {
  if (bytesBuffered > 0) {
    const consequence = receivedFirst
      ? "although it sent a Close, so our answer may never have reached it."
      : "so our Close may never have reached it.";
    return `${size(bytesBuffered)} were still unsent: the peer does not read, ${consequence}`;
  }
  return hasReceived
    ? "Both sides sent a Close, but the peer did not end its TCP connection."
    : "The peer did not answer the Close.";
}

function explainInvalidData(info: CloseInfo): Explanation {
  const happened = `The peer sent text that is not UTF-8: ${reasonOf(info)}`;
  const isInClose = info.error?.message.includes("close reason") === true;
  return { happened, ...(isInClose ? INVALID_REASON : INVALID_TEXT) };
}

const INVALID_REASON: Finding = {
  likely: "It wrote the reason of its Close in another encoding, or cut it off within a character.",
  advice: "Make the peer shorten reasons to 123 bytes between two characters.",
};

const INVALID_TEXT: Finding = {
  likely: "It sends binary data, or text in another encoding, as a text message.",
  advice: "Make the peer send binary messages, or encode its text as UTF-8.",
};

function reasonOf(info: CloseInfo): string {
  return withoutFullStop(info.error?.message ?? info.sent?.reason ?? info.message);
}
