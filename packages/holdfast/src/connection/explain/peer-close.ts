// Explains the close code of a peer that closed the connection.

import type { CloseEvidence, CloseInfo } from "../close-info.js";
import type { Explanation } from "./explanation.js";
import { ownDelays } from "./own-delays.js";
import { isPeersVerdict } from "./page-codes.js";

export function explainPeerClose(info: CloseInfo): Explanation {
  return isPeersVerdict(info)
    ? explainVerdict(info.evidence)
    : (BY_CODE[info.code] ?? ofUnknownCode(info.code));
}

function explainVerdict(evidence: CloseEvidence): Explanation {
  return {
    happened: "The peer declared this side dead, because it saw no pong in time",
    likely: ownDelays(evidence) ?? otherReasons(evidence),
    advice: RECONNECT_SLOWLY,
  };
}

function otherReasons({ pingInterval }: CloseEvidence): string {
  const busy =
    pingInterval === null
      ? "This process may have been blocked or suspended (it measures that only with keepalive on)"
      : "No delay of this process was measured (in pages, one between two pings goes unnoticed)";
  return `${busy}; else \`autoPong\` is off, or pongs were lost or late on the way.`;
}

function ofUnknownCode(code: number): Explanation {
  const definer = code < 4000 ? "A framework or library" : "The application";
  return {
    happened: `The peer closed the connection with code ${code}`,
    likely: `${definer} at the peer defines this code.`,
    advice: "See its documentation.",
  };
}

const RECONNECT_SLOWLY = "A client should reconnect with growing delays.";
const RECONNECT_LATER =
  "A client should reconnect later, after a random delay, so that not everybody returns at once.";
const SIGN_IN = "Sign in again, or see the peer's documentation, before reconnecting.";

const AS_IT_SHOULD: Explanation = { happened: "The peer closed the connection, as it should" };

const BROKE_PROTOCOL: Explanation = {
  happened: "The peer says that this side broke the protocol",
  likely: "Its reason, if it gave one, says how.",
  advice:
    "Some servers use this code for data of the application that they cannot parse. If this one does not, please report it with a capture of the traffic: Holdfast should not be able to break the protocol.",
};

const BY_CODE: Readonly<Partial<Record<number, Explanation>>> = {
  1000: AS_IT_SHOULD,
  1001: {
    happened: "The peer is going away",
    likely: "A server shuts down, or a page was left.",
    advice: "A client that wants to stay connected should reconnect.",
  },
  1002: BROKE_PROTOCOL,
  1003: {
    happened: "The peer does not accept this kind of data",
    likely: "It accepts only text, or only binary messages.",
    advice: "Send the other kind: a string becomes a text message, bytes become a binary one.",
  },
  1005: AS_IT_SHOULD,
  1007: BROKE_PROTOCOL,
  1008: {
    happened: "The peer closed the connection for a reason of policy",
    likely: "Credentials expired, a rate limit was hit, or a message was not welcome.",
    advice: "See the peer's documentation before reconnecting: doing it at once may make things worse.",
  },
  1009: {
    happened: "The peer would not take a message of this size",
    advice: "Send smaller messages, or raise the limit at the peer.",
  },
  1010: {
    happened: "The peer needs an extension that this side did not accept",
    advice: "See its reason for the name. Holdfast has permessage-deflate: the option `compression`.",
  },
  1011: {
    happened: "The peer failed with an internal error",
    likely: "Its log says more; a Holdfast server closes so if the handler of the connection throws.",
    advice: RECONNECT_SLOWLY,
  },
  1012: { happened: "The peer restarts", advice: RECONNECT_LATER },
  1013: {
    happened: "The peer has too much to do, or this side was too slow for it",
    advice: RECONNECT_LATER,
  },
  1014: {
    happened: "The peer is a gateway, and the server behind it failed or did not answer",
    advice: "Look at that server; a client should reconnect with growing delays.",
  },
  // IANA's registry of close codes has these three.
  3000: { happened: "The peer wants other credentials", advice: SIGN_IN },
  3003: { happened: "The peer forbids this", advice: SIGN_IN },
  3008: { happened: "The peer waited too long for something", advice: "See its documentation." },
};
